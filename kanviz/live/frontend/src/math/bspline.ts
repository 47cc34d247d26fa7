/** B-splines: the k + 1 basis functions that are not zero at a point, and their slopes. */

/** The knots of one input, read where they lie in the recipe. */
export interface Knots {
  values: ArrayLike<number>;
  /** Where this input's knots begin. */
  start: number;
  order: number;
  intervals: number;
  uniform: boolean;
}

/** Room for the active functions, used again and again so that nothing is made in a loop. */
export interface Active {
  first: number;
  values: Float64Array;
  slopes: Float64Array;
}

export function makeActive(order: number): Active {
  return { first: 0, values: new Float64Array(order + 1), slopes: new Float64Array(order + 1) };
}

/**
 * Knot m of an input. Equally spaced knots are computed from the two ends of the grid, as Python's
 * closed form does, so that rounding of the single knots has no effect.
 */
export function knotAt(knots: Knots, m: number): number {
  const { values, start, order, intervals, uniform } = knots;
  if (!uniform || order === 0) return values[start + m];
  const low = values[start + order];
  return low + ((m - order) * (values[start + order + intervals] - low)) / intervals;
}

/** The ends of the base grid of an input. */
export function gridEnds(knots: Knots): [low: number, high: number] {
  const { values, start, order, intervals } = knots;
  return [values[start + order], values[start + order + intervals]];
}

/** Which of the intervals 0 .. G - 1 holds x; the last one is closed. */
function intervalOf(x: number, knots: Knots): number {
  const last = knots.intervals - 1;
  if (knots.uniform && knots.order > 0) {
    const [low, high] = gridEnds(knots);
    const place = Math.floor(((x - low) * knots.intervals) / (high - low));
    return Math.min(Math.max(place, 0), last) || 0;
  }
  let below = 0;
  while (below < last && x >= knotAt(knots, knots.order + below + 1)) below++;
  return below;
}

/**
 * Writes value and slope of the active functions at x, a point of the grid, by the recursion of
 * Cox and de Boor (Piegl and Tiller, The NURBS Book, A2.2 and eq. 2.7).
 */
export function activeBasis(x: number, knots: Knots, into: Active): void {
  const k = knots.order;
  const first = (into.first = intervalOf(x, knots));
  const t = (m: number): number => knotAt(knots, first + m);
  const { values, slopes } = into;
  values[0] = 1;
  slopes.fill(0);
  for (let degree = 1; degree <= k; degree++) {
    if (degree === k) slopesFrom(values, slopes, t, k);
    let saved = 0;
    for (let r = 0; r < degree; r++) {
      const left = t(k + r + 1 - degree);
      const right = t(k + r + 1);
      const share = values[r] / (right - left);
      values[r] = saved + (right - x) * share;
      saved = (x - left) * share;
    }
    values[degree] = saved;
  }
}

/** Writes the slopes of degree k from the values of degree k - 1. */
function slopesFrom(
  values: Float64Array,
  slopes: Float64Array,
  t: (m: number) => number,
  k: number,
): void {
  for (let r = 0; r < k; r++) {
    const scaled = (k * values[r]) / (t(k + r + 1) - t(r + 1));
    slopes[r] -= scaled;
    slopes[r + 1] += scaled;
  }
}
