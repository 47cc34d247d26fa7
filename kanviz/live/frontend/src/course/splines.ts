/** B-splines on any knots: their values, their knots, and larger changes of them. */

export interface Spline {
  readonly order: number;
  /** As many as there are coefficients, and order + 1 more; none is below the one before. */
  readonly knots: readonly number[];
  readonly coef: readonly number[];
}

/** The knots of the grid, without those beyond its ends. */
const gridKnots = ({ order, knots }: Spline): readonly number[] =>
  knots.slice(order, knots.length - order);

/** The same control line, and the same grid as far as it may be, for another order. */
export function withOrder(from: Spline, order: number): Spline {
  const isClamped = from.order > 0 && from.knots[0] === from.knots[from.order];
  const grid = gridKnots(from);
  const extend = isClamped ? clamped : extended;
  const kept = extend(grid, order);
  const even = evenGrid(gridOf(from.knots, from.order), grid.length - 1);
  const knots = areRight(kept, order) ? kept : extend(even, order);
  const places = greville(from.knots, from.order);
  const coef = greville(knots, order).map((x) => alongLine(places, from.coef, x));
  return { order, knots, coef };
}

/** Knots at equal distances, also beyond the grid, as a KAN has them. */
export function withEvenKnots(from: Spline): Spline {
  const even = evenGrid(gridOf(from.knots, from.order), gridKnots(from).length - 1);
  return { ...from, knots: extended(even, from.order) };
}

/** All knots beyond the grid at its ends: the curve begins and ends at a control point. */
export function withClampedEnds(from: Spline): Spline {
  const { order } = from;
  const even = evenGrid(gridOf(from.knots, order), gridKnots(from).length - 1);
  const knots = clamped(gridKnots(from), order);
  return { ...from, knots: areRight(knots, order) ? knots : clamped(even, order) };
}

// Knots of a B-spline: which may be, where its control points stand, and how they move.

/** How many of the knots are equal to knot `n`. */
export const multiplicity = (knots: readonly number[], n: number): number =>
  knots.filter((knot) => knot === knots[n]).length;

/** The first and last index of those equal to knot `n`. */
export const stack = (knots: readonly number[], n: number): [first: number, last: number] => [
  knots.indexOf(knots[n]),
  knots.lastIndexOf(knots[n]),
];

/** The ends of the grid, between which the basis functions sum to one. */
export const gridOf = (knots: readonly number[], order: number): [low: number, high: number] => [
  knots[order],
  knots[knots.length - 1 - order],
];

/** Whether a B-spline may have these knots: no function vanishes, and the grid has a length. */
export function areRight(knots: readonly number[], order: number): boolean {
  const [low, high] = gridOf(knots, order);
  const inOrder = knots.every((knot, n) => n === 0 || knots[n - 1] <= knot);
  return inOrder && low < high && knots.every((_, n) => multiplicity(knots, n) <= order + 1);
}

/** Where the control points stand: the mean of `order` knots; for order 0 the middles. */
export function greville(knots: readonly number[], order: number): number[] {
  const n = knots.length - order - 1;
  return Array.from({ length: n }, (_, m) => {
    if (order === 0) return (knots[m] + knots[m + 1]) / 2;
    const inner = knots.slice(m + 1, m + order + 1);
    return inner.reduce((total, knot) => total + knot, 0) / order;
  });
}

/** The grid with as many knots at each side as this order needs, at the mean distance. */
export function extended(grid: readonly number[], order: number): number[] {
  const [low, high] = [grid[0], grid[grid.length - 1]];
  const step = (high - low) / (grid.length - 1);
  const away = Array.from({ length: order }, (_, n) => (n + 1) * step);
  return [...away.map((a) => low - a).reverse(), ...grid, ...away.map((a) => high + a)];
}

/** The grid with its ends as often as this order takes: the curve begins and ends at a point. */
export function clamped(grid: readonly number[], order: number): number[] {
  const [low, high] = [grid[0], grid[grid.length - 1]];
  return [...Array<number>(order).fill(low), ...grid, ...Array<number>(order).fill(high)];
}

/** The same curve with a knot more in the middle of each interval, as a KAN refines its grid. */
export function refined(from: Spline): Spline {
  const { order } = from;
  const [low, high] = gridOf(from.knots, order);
  let now = from;
  from.knots.slice(1).forEach((right, n) => {
    const left = from.knots[n];
    // Without the dust of rounding: a knot at 0 is to be called 0.
    const middle = Math.round(1e12 * ((left + right) / 2)) / 1e12;
    if (left < middle && middle < right) now = withKnot(now, middle);
  });
  // Of the knots beyond the grid there are twice as many now; each order needs but its own.
  const before = Math.max(0, now.knots.lastIndexOf(low) - order);
  const after = Math.max(0, now.knots.length - 1 - now.knots.indexOf(high) - order);
  return {
    order,
    knots: now.knots.slice(before, now.knots.length - after),
    coef: now.coef.slice(before, now.coef.length - after),
  };
}

/** The same curve with one knot more (Boehm, Inserting new knots into B-spline curves, 1980). */
function withKnot({ order, knots, coef }: Spline, at: number): Spline {
  const j = knots.filter((knot) => knot <= at).length - 1;
  const made = Array.from({ length: coef.length + 1 }, (_, i) => {
    if (i <= j - order) return coef[i] ?? 0;
    if (i > j) return coef[i - 1] ?? 0;
    const share = (at - knots[i]) / (knots[i + order] - knots[i]);
    return share * (coef[i] ?? 0) + (1 - share) * (coef[i - 1] ?? 0);
  });
  return { order, knots: [...knots.slice(0, j + 1), at, ...knots.slice(j + 1)], coef: made };
}

/** A grid of `size` equal intervals. */
export const evenGrid = ([low, high]: readonly [number, number], size: number): number[] =>
  Array.from({ length: size + 1 }, (_, n) => low + ((high - low) * n) / size);

/**
 * Moves knot `n` to `x`, but not past its neighbours; near one of them it joins it.
 *
 * Of equal knots the one moves that is free to go there.
 *
 * @returns the new knots and which of them has moved; the old where they may not be so.
 */
export function moveKnot(
  knots: readonly number[],
  order: number,
  n: number,
  x: number,
  near: number,
): [knots: readonly number[], moved: number] {
  const [first, last] = stack(knots, n);
  const moved = x > knots[n] ? last : first;
  const low = knots[moved - 1] ?? -Infinity;
  const high = knots[moved + 1] ?? Infinity;
  let to = Math.min(Math.max(x, low), high);
  if (Math.abs(to - low) < near) to = low;
  if (Math.abs(to - high) < near) to = high;
  const made = knots.map((knot, m) => (m === moved ? to : knot));
  return areRight(made, order) ? [made, moved] : [knots, n];
}

/** A line through points, read at x; beyond its ends it stays level. */
function alongLine(xs: readonly number[], ys: readonly number[], x: number): number {
  if (x <= xs[0]) return ys[0];
  const right = xs.findIndex((at) => at >= x);
  if (right < 0) return ys[ys.length - 1];
  const span = xs[right] - xs[right - 1];
  const share = span > 0 ? (x - xs[right - 1]) / span : 1;
  return ys[right - 1] + share * (ys[right] - ys[right - 1]);
}

// B-splines on any knots, also equal ones, over all of them and not the grid alone.

/** Values of all functions at many points of one interval between two different knots. */
export interface Piece {
  x: number[];
  /** One row of all functions for each x. */
  rows: number[][];
}

/**
 * The values of all functions at x, as the polynomials of interval `j` have them.
 *
 * By the recursion of Cox and de Boor with 0/0 = 0 (de Boor, A Practical Guide to Splines, ch. IX).
 * As the interval is given, both of its ends have the values from within it.
 */
export function basisIn(knots: readonly number[], order: number, j: number, x: number): number[] {
  let values: number[] = knots.slice(1).map((_, m) => (m === j ? 1 : 0));
  for (let k = 1; k <= order; k++) {
    values = values.slice(1).map((next, m) => {
      const left = knots[m + k] - knots[m];
      const right = knots[m + k + 1] - knots[m + 1];
      const rise = left > 0 ? ((x - knots[m]) / left) * values[m] : 0;
      return rise + (right > 0 ? ((knots[m + k + 1] - x) / right) * next : 0);
    });
  }
  return values;
}

/** The interval that holds x: at a knot the one that begins there, but for the grid's end. */
export function intervalAt(knots: readonly number[], order: number, x: number): number {
  const end = knots[knots.length - 1 - order];
  for (let j = 0; j < knots.length - 1; j++) {
    const [low, high] = [knots[j], knots[j + 1]];
    if (low < high && (x === end ? high === end : low <= x && x < high)) return j;
  }
  return -1;
}

/** The values of all functions at x; all 0 beyond the knots. */
export function basisAt(knots: readonly number[], order: number, x: number): number[] {
  return basisIn(knots, order, intervalAt(knots, order, x), x);
}

/** All functions along all knots, with points about `gap` from each other. */
export function pieces(knots: readonly number[], order: number, gap: number): Piece[] {
  const found: Piece[] = [];
  for (let j = 0; j < knots.length - 1; j++) {
    const [low, high] = [knots[j], knots[j + 1]];
    if (!(high > low)) continue;
    const n = Math.max(2, Math.ceil((high - low) / gap));
    const x = Array.from({ length: n + 1 }, (_, i) => low + ((high - low) * i) / n);
    found.push({ x, rows: x.map((at) => basisIn(knots, order, j, at)) });
  }
  return found;
}

/** The sum of the functions, each as often as its coefficient says. */
export const combine = (row: readonly number[], coef: ArrayLike<number>): number =>
  row.reduce((total, value, m) => total + value * coef[m], 0);

/** A Gaussian on each grid point and two beyond each end, as wide as their mean distance. */
export function gaussians(grid: readonly [number, number], size: number, x: number): number[] {
  const step = (grid[1] - grid[0]) / size;
  return Array.from({ length: size + 5 }, (_, m) =>
    Math.exp(-(((x - grid[0]) / step - (m - 2)) ** 2)),
  );
}
