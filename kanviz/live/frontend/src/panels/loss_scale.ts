/** Where the loss chart puts a step and an error: steps evenly, errors by their logarithm. */
import type { Losses } from "../contract";

export const MARGIN = { left: 44, right: 10, top: 18, bottom: 24 };

/** Mutable, and refilled in place: it is needed thirty times a second. */
export class LossScale {
  width = 0;
  height = 0;
  first = 0;
  last = 1;
  /** Powers of ten. */
  low = -1;
  high = 0;

  fit(losses: Losses, width: number, height: number): void {
    this.width = width;
    this.height = height;
    const { step } = losses;
    this.first = step.length ? step[0] : 0;
    this.last = step.length ? Math.max(step[step.length - 1], this.first + 1) : 1;
    this.low = Infinity;
    this.high = -Infinity;
    this.include(losses.train);
    this.include(losses.test);
    if (this.low > this.high) [this.low, this.high] = [-1, 0];
    // At least a decade, so that noise at the end of a fit does not look like news.
    if (this.high - this.low < 1) {
      const middle = (this.low + this.high) / 2;
      [this.low, this.high] = [middle - 0.5, middle + 0.5];
    }
    const room = 0.04 * (this.high - this.low);
    this.low -= room;
    this.high += room;
  }

  private include(values: Float64Array): void {
    for (let n = 0; n < values.length; n++) {
      const value = values[n];
      if (!(value > 0) || value === Infinity) continue;
      const power = Math.log10(value);
      if (power < this.low) this.low = power;
      if (power > this.high) this.high = power;
    }
  }

  x(step: number): number {
    const inner = this.width - MARGIN.left - MARGIN.right;
    return MARGIN.left + ((step - this.first) / (this.last - this.first)) * inner;
  }

  y(value: number): number {
    const inner = this.height - MARGIN.top - MARGIN.bottom;
    const share = (Math.log10(value) - this.low) / (this.high - this.low);
    return MARGIN.top + (1 - share) * inner;
  }

  /** The step at a place across. */
  stepAt(x: number): number {
    const inner = this.width - MARGIN.left - MARGIN.right;
    return this.first + ((x - MARGIN.left) / inner) * (this.last - this.first);
  }
}

/** The place in `step` (increasing) that is nearest to `wanted`; -1 if there is none. */
export function nearest(step: Float64Array, wanted: number): number {
  if (step.length === 0) return -1;
  let low = 0;
  let high = step.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (step[middle] <= wanted) low = middle;
    else high = middle;
  }
  return wanted - step[low] <= step[high] - wanted ? low : high;
}
