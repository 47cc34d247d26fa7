/**
 * The features of one input: B-splines or radial functions, continued beyond the grid, then the
 * base.
 */

import type { LayerRecipe } from "../contract";

/** Features first .. first + count - 1 of one input at one point; all others are 0. */
interface Features {
  first: number;
  count: number;
  values: Float64Array;
  /** The derivatives of these features. */
  slopes: Float64Array;
  /** The base function, or 0 where there is none. */
  base: number;
  baseSlope: number;
}

/** Number of basis functions of a layer. */
export function basisSize(layer: LayerRecipe): number {
  const more = layer.basis === "bspline" ? layer.spline_order : 2 * layer.padding + 1;
  return layer.grid_size + more;
}

/** Rows of the weight per input. */
export function featureCount(layer: LayerRecipe): number {
  return basisSize(layer) + (layer.base === "zero" ? 0 : 1);
}

/** Number of knots (or centres) of one input. */
function knotCount(layer: LayerRecipe): number {
  return layer.knots.length / layer.inputs;
}

const BASES = {
  silu: (x: number): number => x / (1 + Math.exp(-x)),
  identity: (x: number): number => x,
  zero: (): number => 0,
};

const BASE_SLOPES = {
  silu: (x: number): number => {
    const gate = 1 / (1 + Math.exp(-x));
    return gate * (1 + x * (1 - gate));
  },
  identity: (): number => 1,
  zero: (): number => 0,
};

/** Computes the features of the inputs of one layer. */
export class FeatureMaker {
  readonly features: Features;
  private readonly base: (x: number) => number;
  private readonly baseSlope: (x: number) => number;
  private readonly basis: Basis;

  constructor(private readonly layer: LayerRecipe) {
    this.base = BASES[layer.base];
    this.baseSlope = BASE_SLOPES[layer.base];
    this.basis = layer.basis === "bspline" ? new Splines(layer) : new Radials(layer);
    const values = new Float64Array(this.basis.size);
    const slopes = new Float64Array(this.basis.size);
    this.features = { first: 0, count: values.length, values, slopes, base: 0, baseSlope: 0 };
  }

  /** Returns the features of input i at x; the record is filled anew by each call. */
  at(i: number, x: number): Features {
    const { layer, basis, features } = this;
    const low = basis.low[i];
    const high = basis.high[i];
    const near = Math.min(Math.max(x, low), high);
    const { first, values, slopes } = basis.at(i, near);
    features.first = first;
    const outside = x - near;
    const fades = layer.extrapolation === "zero" && outside !== 0;
    const part = (2 * outside) / (high - low);
    const fade = fades ? smooth(part) : 1;
    const fadeSlope = fades ? (2 * smoothSlope(part)) / (high - low) : 0;
    for (let m = 0; m < values.length; m++) {
      const value = values[m] + (outside === 0 ? 0 : slopes[m] * outside);
      features.values[m] = value * fade;
      features.slopes[m] = slopes[m] * fade + (fades ? value * fadeSlope : 0);
    }
    features.base = this.base(x);
    features.baseSlope = this.baseSlope(x);
    return features;
  }
}

/** 1 at u = 0, 0 from |u| = 1 on, with no slope at either. */
function smooth(u: number): number {
  const s = Math.min(Math.abs(u), 1);
  return 1 - s * s * (3 - 2 * s);
}

function smoothSlope(u: number): number {
  const s = Math.min(Math.abs(u), 1);
  return -6 * s * (1 - s) * Math.sign(u);
}

interface Basis {
  size: number;
  /** The ends of the grid of each input. */
  low: Float64Array;
  high: Float64Array;
  at(i: number, x: number): Active;
}

/** The ends of the grid of each input of a layer. */
function gridEnds(layer: LayerRecipe): Pick<Basis, "low" | "high"> {
  const { knots, padding, grid_size, inputs } = layer;
  const count = knotCount(layer);
  const at = (more: number): Float64Array =>
    Float64Array.from({ length: inputs }, (_, i) => knots[i * count + padding + more]);
  return { low: at(0), high: at(grid_size) };
}

class Splines implements Basis {
  readonly size: number;
  readonly low: Float64Array;
  readonly high: Float64Array;
  private readonly active: Active;
  private readonly knots: Knots[];

  constructor(layer: LayerRecipe) {
    const order = layer.spline_order;
    const shared = { values: layer.knots, order, intervals: layer.grid_size };
    const count = knotCount(layer);
    this.size = order + 1;
    this.active = makeActive(order);
    ({ low: this.low, high: this.high } = gridEnds(layer));
    this.knots = Array.from({ length: layer.inputs }, (_, i) => ({
      ...shared,
      start: i * count,
      uniform: layer.uniform,
    }));
  }

  at(i: number, x: number): Active {
    activeBasis(x, this.knots[i], this.active);
    return this.active;
  }
}

class Radials implements Basis {
  readonly size: number;
  readonly low: Float64Array;
  readonly high: Float64Array;
  private readonly active: Active;
  private readonly radial: ReturnType<typeof radialFunction>;

  constructor(private readonly layer: LayerRecipe) {
    this.size = knotCount(layer);
    this.radial = radialFunction(layer.basis);
    this.active = makeActive(this.size - 1);
    ({ low: this.low, high: this.high } = gridEnds(layer));
  }

  at(i: number, x: number): Active {
    const { knots } = this.layer;
    const start = i * this.size;
    const step = (knots[start + this.size - 1] - knots[start]) / (this.size - 1);
    for (let m = 0; m < this.size; m++) {
      const [value, slope] = this.radial((x - knots[start + m]) / step);
      this.active.values[m] = value;
      this.active.slopes[m] = slope / step;
    }
    return this.active;
  }
}

// B-splines: the k + 1 basis functions that are not zero at a point, and their slopes.

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
  /** The knots 1 .. 2k from the interval on that holds the point. */
  near: Float64Array;
}

function makeActive(order: number): Active {
  const room = (n: number): Float64Array => new Float64Array(n);
  return { first: 0, values: room(order + 1), slopes: room(order + 1), near: room(2 * order + 1) };
}

/**
 * Knot m of an input. Equally spaced knots are computed from the two ends of the grid, as Python's
 * closed form does, so that rounding of the single knots has no effect.
 */
function knotAt(knots: Knots, m: number): number {
  const { values, start, order, intervals, uniform } = knots;
  if (!uniform || order === 0) return values[start + m];
  const low = values[start + order];
  return low + ((m - order) * (values[start + order + intervals] - low)) / intervals;
}

/** Which of the intervals 0 .. G - 1 holds x; the last one is closed. */
function intervalOf(x: number, knots: Knots): number {
  const last = knots.intervals - 1;
  if (knots.uniform && knots.order > 0) {
    const { values, start, order, intervals } = knots;
    const low = values[start + order];
    const high = values[start + order + intervals];
    const place = Math.floor(((x - low) * intervals) / (high - low));
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
function activeBasis(x: number, knots: Knots, into: Active): void {
  const k = knots.order;
  const first = intervalOf(x, knots);
  into.first = first;
  const { values, slopes, near } = into;
  for (let m = 1; m <= 2 * k; m++) near[m] = knotAt(knots, first + m);
  values[0] = 1;
  slopes.fill(0);
  for (let degree = 1; degree <= k; degree++) {
    if (degree === k) slopesFrom(into, k);
    let saved = 0;
    for (let r = 0; r < degree; r++) {
      const left = near[k + r + 1 - degree];
      const right = near[k + r + 1];
      const share = values[r] / (right - left);
      values[r] = saved + (right - x) * share;
      saved = (x - left) * share;
    }
    values[degree] = saved;
  }
}

/** Writes the slopes of degree k from the values of degree k - 1. */
function slopesFrom({ values, slopes, near }: Active, k: number): void {
  for (let r = 0; r < k; r++) {
    const scaled = (k * values[r]) / (near[k + r + 1] - near[r + 1]);
    slopes[r] -= scaled;
    slopes[r + 1] += scaled;
  }
}

// Radial basis functions K(r), each with its slope; see kanviz/nn/rbf.py.

type Radial = (r: number) => [value: number, slope: number];

const RADIAL: Record<string, Radial> = {
  gaussian: (r) => {
    const value = Math.exp(-r * r);
    return [value, -2 * r * value];
  },
  matern32: (r) => {
    const s = Math.sqrt(3) * Math.abs(r);
    const decay = Math.exp(-s);
    return [(1 + s) * decay, -3 * r * decay];
  },
  matern52: (r) => {
    const s = Math.sqrt(5) * Math.abs(r);
    const decay = Math.exp(-s);
    return [(1 + s + (s * s) / 3) * decay, (-5 / 3) * r * (1 + s) * decay];
  },
  multiquadric: (r) => {
    const value = Math.sqrt(1 + r * r);
    return [value, r / value];
  },
  inverse_multiquadric: (r) => {
    const value = 1 / Math.sqrt(1 + r * r);
    return [value, -r * value ** 3];
  },
  inverse_quadratic: (r) => {
    const value = 1 / (1 + r * r);
    return [value, -2 * r * value * value];
  },
};

/** Returns the radial function called `name`. */
function radialFunction(name: string): Radial {
  const found = RADIAL[name];
  if (!found) throw new Error(`basis must be known to this page; got "${name}".`);
  return found;
}
