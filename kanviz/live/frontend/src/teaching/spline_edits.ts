/** Larger changes of a B-spline: another order, other knots at the ends. */
import { alongLine, areRight, clamped, evenGrid, extended, greville, gridOf } from "./knots";

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
