/** Numbers as text, ticks and scales. */

/** A minus sign as wide as a plus. */
const MINUS = "\u2212";
const NONE = "\u2013";

/** Writes a number with three digits: "0.0031", "2.1e-4"; a dash for none. */
export function short(value: number | null | undefined, digits = 3): string {
  if (value === null || value === undefined || Number.isNaN(value)) return NONE;
  if (!Number.isFinite(value)) return value > 0 ? "\u221e" : `${MINUS}\u221e`;
  const size = Math.abs(value);
  const far = size !== 0 && (size >= 1e5 || size < 1e-3);
  const text = far
    ? value
        .toExponential(digits - 1)
        .replace(/\.?0*e/, "e")
        .replace("e+", "e")
    : String(Number(value.toPrecision(digits)));
  return text.replace(/-/g, MINUS);
}

/** Says how an error changed: "0.0031 to 0.0034". */
export function change(before: number | null, after: number | null): string {
  return `${short(before)} \u2192 ${short(after)}`;
}

/** Returns "1 edge", "3 edges". */
export function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

/** Maps [low, high] to [from, to]. */
export interface Scale {
  (value: number): number;
  invert(place: number): number;
  readonly low: number;
  readonly high: number;
}

export function linear(low: number, high: number, from: number, to: number): Scale {
  const slope = (to - from) / (high - low || 1);
  const scale = (value: number): number => from + (value - low) * slope;
  return Object.assign(scale, {
    invert: (place: number): number => low + (place - from) / slope,
    low,
    high,
  });
}

/** The step 1, 2 or 5 times a power of ten that cuts [low, high] in about `n` parts. */
function niceStep(low: number, high: number, n: number): number {
  const raw = (high - low) / n;
  const power = 10 ** Math.floor(Math.log10(raw));
  const rest = raw / power;
  return power * (rest < 1.5 ? 1 : rest < 3.5 ? 2 : rest < 7.5 ? 5 : 10);
}

/** Returns about `n` round numbers in [low, high]. */
export function ticks(low: number, high: number, n = 5): number[] {
  if (!(high > low)) return [low];
  const step = niceStep(low, high, n);
  const found: number[] = [];
  for (let k = Math.ceil(low / step - 1e-9); k <= high / step + 1e-9; k++) {
    found.push(Number((k * step).toPrecision(12)));
  }
  return found;
}

/** Digits that tell numbers apart which lie `step` from each other. */
function digitsFor(step: number, ...values: number[]): number {
  const most = Math.max(...values.map(Math.abs));
  return most > 0 && step > 0 ? Math.max(3, Math.ceil(Math.log10(most / step) - 1e-9) + 1) : 3;
}

/** Returns about `n` round numbers in [low, high] with their texts, all different. */
export function labels(low: number, high: number, n = 5): { value: number; text: string }[] {
  const found = ticks(low, high, n);
  const digits = digitsFor(found[1] - found[0], low, high);
  return found.map((value) => ({ value, text: short(value, digits) }));
}

/** An end of a range, without the dust that rounding leaves of a 0 or a 1: 6.4e-9 of 0 to 1 is 0. */
export function tidy(value: number, other: number): string {
  const grain = 10 ** (Math.floor(Math.log10(Math.abs(other - value) || 1)) - 5);
  return short(Math.round(value / grain) * grain);
}

/** Says a range with as many digits as its ends differ in: "-0.5763 to -0.5755". */
export function rangeText(low: number, high: number): string {
  const digits = digitsFor((high - low) / 10, low, high);
  const dust = 1e-6 * (high - low);
  const clean = (value: number): number => (Math.abs(value) < dust ? 0 : value);
  return `${short(clean(low), digits)} to ${short(clean(high), digits)}`;
}

/** Returns the range of all finite numbers, or null if there is none. */
export function extent(...lists: ArrayLike<number>[]): [number, number] | null {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists) {
    for (let n = 0; n < list.length; n++) {
      const value = list[n];
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : null;
}

/** Widens a range by a share of itself; a single number gets a range around it. */
export function roomy(range: [number, number] | null, share: number): [number, number] {
  const [low, high] = range ?? [-1, 1];
  const span = high - low || Math.abs(low) || 1;
  return [low - share * span, high + share * span];
}

/** Widens a range to round numbers, so that it stands still while a curve moves a little. */
export function rounded([low, high]: [number, number], n = 8): [number, number] {
  const step = niceStep(low, high, n);
  return [Math.floor(low / step) * step, Math.ceil(high / step) * step];
}
