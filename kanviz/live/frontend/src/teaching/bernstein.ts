/** Bezier curves: Bernstein's weights, de Casteljau's construction, and one degree more. */

export type Point = readonly [x: number, y: number];

/** The weights of n + 1 points at t: C(n, i) (1 - t)^(n - i) t^i, by de Casteljau's steps. */
export function bernstein(n: number, t: number): number[] {
  let weights = [1];
  for (let degree = 1; degree <= n; degree++) {
    const raised = Array(degree + 1).fill(0);
    weights.forEach((weight, i) => {
      raised[i] += (1 - t) * weight;
      raised[i + 1] += t * weight;
    });
    weights = raised;
  }
  return weights;
}

/** All levels of de Casteljau's construction: the points, those between them, ... the last one. */
export function deCasteljau(points: readonly Point[], t: number): Point[][] {
  const levels: Point[][] = [[...points]];
  while (levels[levels.length - 1].length > 1) {
    const last = levels[levels.length - 1];
    levels.push(
      last.slice(1).map(([x, y], i) => [
        (1 - t) * last[i][0] + t * x,
        (1 - t) * last[i][1] + t * y,
      ]),
    );
  }
  return levels;
}

/** The point of the curve at t. */
export const bezierAt = (points: readonly Point[], t: number): Point =>
  deCasteljau(points, t)[points.length - 1][0];

/** One point more for the very same curve (Piegl and Tiller, The NURBS Book, eq. 5.36). */
export function elevated(points: readonly Point[]): Point[] {
  const n = points.length;
  const middle = points.slice(1).map(([x, y], i): Point => {
    const share = (i + 1) / n;
    return [
      share * points[i][0] + (1 - share) * x,
      share * points[i][1] + (1 - share) * y,
    ];
  });
  return [points[0], ...middle, points[n - 1]];
}
