/** B-splines on any knots, also equal ones, over all of them and not the grid alone. */

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
export const combine = (row: readonly number[], coef: readonly number[]): number =>
  row.reduce((total, value, m) => total + value * coef[m], 0);

/** A Gaussian on each grid point and two beyond each end, as wide as their mean distance. */
export function gaussians(grid: readonly [number, number], size: number, x: number): number[] {
  const step = (grid[1] - grid[0]) / size;
  return Array.from({ length: size + 5 }, (_, m) =>
    Math.exp(-(((x - grid[0]) / step - (m - 2)) ** 2)),
  );
}
