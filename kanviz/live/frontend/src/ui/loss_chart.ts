/** Errors by step on a logarithmic axis: lines, axes, and a place that is pointed at. */

import { assign, h, s } from "./dom";
import { short, ticks } from "./numbers";

export const MARGIN = { left: 44, right: 12, top: 20, bottom: 24 };

/** Pixels from one power of ten that is written to the next, at least. */
const APART = 32;

/** Lines over the same steps: one number per step, NaN or 0 where there is none. */
export interface Series {
  step: ArrayLike<number>;
  lines: readonly ArrayLike<number>[];
  /** What the errors are, above their axis. */
  name?: string;
  /** Steps at which a fit ended: the lines begin anew behind them. */
  breaks?: readonly number[];
}

/** Where a step and an error stand: steps evenly, errors by their logarithm. */
export class LossScale {
  #first = 0;
  #last = 1;
  /** Powers of ten. */
  #low = -1;
  #high = 0;

  constructor(
    public width = 0,
    public height = 0,
  ) {}

  fit({ step, lines }: Series): void {
    this.#first = step.length ? step[0] : 0;
    this.#last = step.length ? Math.max(step[step.length - 1], this.#first + 1) : 1;
    this.#low = Infinity;
    this.#high = -Infinity;
    for (const line of lines) this.#include(line);
    if (this.#low > this.#high) [this.#low, this.#high] = [-1, 0];
    // At least a decade, so that noise at the end of a fit does not look like news.
    if (this.#high - this.#low < 1) {
      const middle = (this.#low + this.#high) / 2;
      [this.#low, this.#high] = [middle - 0.5, middle + 0.5];
    }
    const room = 0.04 * (this.#high - this.#low);
    this.#low -= room;
    this.#high += room;
  }

  #include(values: ArrayLike<number>): void {
    for (let n = 0; n < values.length; n++) {
      const value = values[n];
      if (!(value > 0) || value === Infinity) continue;
      const power = Math.log10(value);
      if (power < this.#low) this.#low = power;
      if (power > this.#high) this.#high = power;
    }
  }

  x(step: number): number {
    const inner = this.width - MARGIN.left - MARGIN.right;
    return MARGIN.left + ((step - this.#first) / (this.#last - this.#first)) * inner;
  }

  y(value: number): number {
    const inner = this.height - MARGIN.top - MARGIN.bottom;
    const share = (Math.log10(value) - this.#low) / (this.#high - this.#low);
    return MARGIN.top + (1 - share) * inner;
  }

  /** The step at a place across. */
  stepAt(x: number): number {
    const inner = this.width - MARGIN.left - MARGIN.right;
    return this.#first + ((x - MARGIN.left) / inner) * (this.#last - this.#first);
  }

  /** The powers of ten to write. */
  powers(): number[] {
    const [low, high] = [Math.ceil(this.#low), Math.floor(this.#high)];
    const every = Math.max(1, Math.ceil((this.#high - this.#low) / (this.height / APART)));
    const all = Array.from({ length: Math.max(0, high - low + 1) }, (_, n) => low + n);
    return all.filter((power) => power % every === 0);
  }

  /** The steps to write. */
  steps(): number[] {
    return ticks(this.#first, this.#last, 5).filter(Number.isInteger);
  }
}

/** The place in `step` (increasing) that is nearest to `wanted`; -1 if there is none. */
export function nearest(step: ArrayLike<number>, wanted: number): number {
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

/**
 * The path of one line; points that fall on the same pixel are drawn as their range.
 *
 * @param lifts Whether a missing number breaks the line: an error that is measured now and then has
 *   none in between, and must not vanish.
 */
export function lossPath(
  step: ArrayLike<number>,
  values: ArrayLike<number>,
  scale: Pick<LossScale, "x" | "y">,
  lifts: boolean,
  breaks: readonly number[] = [],
): string {
  let [d, pen, drawn] = ["", "M", 0];
  let [pixel, least, most] = [NaN, 0, 0];
  let ended = 0;
  for (let n = 0; n < values.length; n++) {
    while (ended < breaks.length && step[n] > breaks[ended]) {
      pen = "M";
      ended++;
    }
    if (!(values[n] > 0)) {
      if (lifts) pen = "M";
      continue;
    }
    const [x, y] = [Math.round(2 * scale.x(step[n])) / 2, scale.y(values[n])];
    const isSame = pen === "L" && x === pixel;
    if (isSame && y >= least && y <= most) continue;
    least = isSame ? Math.min(least, y) : y;
    most = isSame ? Math.max(most, y) : y;
    d += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    [pen, pixel] = ["L", x];
    drawn++;
  }
  // A single number, as of a test error measured once, makes no line.
  return drawn === 1 ? `${d}m-1.5 0h3` : d;
}

/** What differs between the uses of the chart. */
interface Uses {
  height: number;
  /** Whether missing numbers break the lines. */
  lifts: boolean;
  /** Whether the lines have dots where they are pointed at. */
  dots: boolean;
}

export class LossChart {
  readonly element: HTMLElement;
  readonly scale: LossScale;
  /** For signs of the owner, between axes and lines. */
  readonly signs = s("g");
  readonly #svg = s("svg", { class: "kv-loss-chart", role: "img" });
  readonly #axes = s("g", { class: "kv-axes" });
  readonly #lines = s("g");
  readonly #here = s("g");
  #series: Series = { step: [], lines: [] };
  #pointed = -1;

  constructor(private readonly uses: Uses) {
    this.scale = new LossScale(0, uses.height);
    this.#svg.append(this.#axes, this.signs, this.#lines, this.#here);
    this.element = h("div", { class: "kv-chart" }, this.#svg);
  }

  /** Draws, as wide as the element is now; false while it cannot be seen. */
  draw(series: Series): boolean {
    const width = this.element.clientWidth;
    this.#series = series;
    if (!width) return false;
    const { height } = this.uses;
    if (width !== this.scale.width) {
      assign(this.#svg, { viewBox: `0 0 ${width} ${height}`, width, height });
    }
    this.scale.width = width;
    this.scale.fit(series);
    this.#axes.replaceChildren(...this.#beside(), ...this.#below());
    series.lines.forEach((values, n) => {
      const path = this.#lines.children[n] ?? s("path", { class: `kv-loss kv-loss-${n}` });
      path.setAttribute(
        "d",
        lossPath(series.step, values, this.scale, this.uses.lifts, series.breaks),
      );
      // Only a new one: to append one that is there would move it behind the others.
      if (!path.parentNode) this.#lines.append(path);
    });
    this.#drawHere();
    return true;
  }

  /** Shows a place of the series; -1 for none. */
  point(at: number): void {
    this.#pointed = at;
    this.#drawHere();
  }

  /** The place of the series that is nearest to a pointer. */
  placeOf(event: MouseEvent): number {
    const x = event.clientX - this.#svg.getBoundingClientRect().left;
    return nearest(this.#series.step, this.scale.stepAt(x));
  }

  describe(text: string): void {
    this.#svg.setAttribute("aria-label", text);
  }

  #beside(): SVGElement[] {
    const right = this.scale.width - MARGIN.right;
    return this.scale.powers().flatMap((power) => {
      const y = Math.round(this.scale.y(10 ** power)) + 0.5;
      const text = short(Number(`1e${power}`), 1);
      return [
        s("path", { class: "kv-hair", d: `M${MARGIN.left} ${y}H${right}` }),
        s("text", { x: MARGIN.left - 6, y: y + 4, "text-anchor": "end" }, text),
      ];
    });
  }

  #below(): SVGElement[] {
    const y = this.uses.height - 7;
    const right = this.scale.width - MARGIN.right;
    const steps = this.scale.steps().filter((step) => this.scale.x(step) < right - 40);
    const made = steps.map((step) =>
      s("text", { x: this.scale.x(step), y, "text-anchor": "middle" }, `${step}`),
    );
    const name = this.#series.name ?? "error";
    return [
      ...made,
      s("text", { x: right, y, "text-anchor": "end" }, "step"),
      // Beside what the owner writes above the lines.
      s("text", { x: 2, y: MARGIN.top - 8 }, name),
    ];
  }

  #drawHere(): void {
    const { step, lines } = this.#series;
    if (this.#pointed < 0 || this.#pointed >= step.length || !this.scale.width) {
      this.#here.replaceChildren();
      return;
    }
    const x = this.scale.x(step[this.#pointed]);
    const d = `M${x} ${MARGIN.top}V${this.uses.height - MARGIN.bottom}`;
    const values = this.uses.dots ? lines.map((line) => line[this.#pointed]) : [];
    const dots = values
      .filter((value) => value > 0)
      .map((value) => s("circle", { class: "kv-now-dot", cx: x, cy: this.scale.y(value), r: 4 }));
    this.#here.replaceChildren(s("path", { class: "kv-now", d }), ...dots);
  }
}
