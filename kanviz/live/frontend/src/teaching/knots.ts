/** Knots of a B-spline: which may be, where its control points stand, and how they move. */

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
export function alongLine(xs: readonly number[], ys: readonly number[], x: number): number {
  if (x <= xs[0]) return ys[0];
  const right = xs.findIndex((at) => at >= x);
  if (right < 0) return ys[ys.length - 1];
  const span = xs[right] - xs[right - 1];
  const share = span > 0 ? (x - xs[right - 1]) / span : 1;
  return ys[right - 1] + share * (ys[right] - ys[right - 1]);
}
