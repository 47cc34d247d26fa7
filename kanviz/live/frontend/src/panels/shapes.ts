/** New shapes for a curve, from its points; none changes what it is given. */

type Curve = ArrayLike<number>;

const mean = (y: Curve): number => Array.from(y).reduce((sum, v) => sum + v, 0) / y.length;

/** Moves each point to the mean of its neighbourhood, an eighth of the curve to each side. */
export function smoothed(y: Curve): Float64Array {
  const reach = Math.max(1, Math.round(y.length / 8));
  return Float64Array.from(y, (_, n) => {
    const side = Math.min(reach, n, y.length - 1 - n);
    let sum = 0;
    for (let k = n - side; k <= n + side; k++) sum += y[k];
    return sum / (2 * side + 1);
  });
}

/** Goes half of the way to the straight line of least squares. */
export function flattened(x: Curve, y: Curve): Float64Array {
  const [middle, level] = [mean(x), mean(y)];
  let across = 0;
  let along = 0;
  for (let n = 0; n < x.length; n++) {
    across += (x[n] - middle) ** 2;
    along += (x[n] - middle) * (y[n] - level);
  }
  const slope = across > 0 ? along / across : 0;
  return Float64Array.from(y, (v, n) => 0.5 * (v + level + slope * (x[n] - middle)));
}

export const shifted = (y: Curve, by: number): Float64Array => Float64Array.from(y, (v) => v + by);

export const scaled = (y: Curve, by: number): Float64Array => Float64Array.from(y, (v) => v * by);

/** Reads a curve between its points; beyond its ends it stays as at the end. */
export function between(x: Curve, y: Curve, place: number): number {
  const last = x.length - 1;
  if (place <= x[0]) return y[0];
  if (place >= x[last]) return y[last];
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] <= place) low = middle;
    else high = middle;
  }
  const share = (place - x[low]) / (x[high] - x[low] || 1);
  return y[low] + share * (y[high] - y[low]);
}

/**
 * Guesses control points for a new curve, to draw until Python answers: each point moves as far as
 * the curve moves beneath it (Schoenberg's approximation; exact for straight changes).
 */
export function guess(
  edge: { curve_x: Curve; curve_y: Curve; control_x: Curve; control_y: Curve },
  wanted: Curve,
): Float64Array {
  const moved = Float64Array.from(edge.curve_y, (y, n) => wanted[n] - y);
  return Float64Array.from(
    edge.control_y,
    (height, m) => height + between(edge.curve_x, moved, edge.control_x[m]),
  );
}

/** A stroke of the pointer as one height for each of many narrow columns; the latest wins. */
export class Stroke {
  private readonly heights: Float64Array;
  private last: [x: number, y: number] | null = null;

  constructor(
    private readonly low: number,
    private readonly high: number,
    columns = 64,
  ) {
    this.heights = new Float64Array(columns).fill(NaN);
  }

  /** Adds a place of the pointer, and all columns on the way from the one before. */
  add(x: number, y: number): void {
    const from = this.last ?? [x, y];
    const [start, end] = [this.column(from[0]), this.column(x)];
    const step = start <= end ? 1 : -1;
    for (let c = start; c !== end + step; c += step) {
      const share = start === end ? 1 : (c - start) / (end - start);
      this.heights[c] = from[1] + share * (y - from[1]);
    }
    this.last = [x, y];
  }

  points(): { x: number[]; y: number[] } {
    const x: number[] = [];
    const y: number[] = [];
    const width = (this.high - this.low) / this.heights.length;
    this.heights.forEach((height, c) => {
      if (Number.isNaN(height)) return;
      x.push(this.low + (c + 0.5) * width);
      y.push(height);
    });
    return { x, y };
  }

  private column(x: number): number {
    const n = this.heights.length;
    const c = Math.floor(((x - this.low) / (this.high - this.low)) * n);
    return Math.min(n - 1, Math.max(0, c));
  }
}
