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
  /** The base function, or 0 where there is none. */
  base: number;
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

/** Computes the features of the inputs of one layer. */
export class FeatureMaker {
  readonly features: Features;
  private readonly base: (x: number) => number;
  private readonly basis: Basis;

  constructor(private readonly layer: LayerRecipe) {
    this.base = BASES[layer.base];
    this.basis = layer.basis === "bspline" ? new Splines(layer) : new Radials(layer);
    const values = new Float64Array(this.basis.size);
    this.features = { first: 0, count: values.length, values, base: 0 };
  }

  /** Returns the features of input i at x; the record is filled anew by each call. */
  at(i: number, x: number): Features {
    const { layer, basis, features } = this;
    const [low, high] = basis.ends(i);
    const near = Math.min(Math.max(x, low), high);
    const { first, values, slopes } = basis.at(i, near);
    features.first = first;
    const outside = x - near;
    const fade =
      layer.extrapolation === "zero" && outside !== 0 ? smooth((2 * outside) / (high - low)) : 1;
    for (let m = 0; m < values.length; m++) {
      features.values[m] = (values[m] + (outside === 0 ? 0 : slopes[m] * outside)) * fade;
    }
    features.base = this.base(x);
    return features;
  }
}

/** 1 at u = 0, 0 from |u| = 1 on, with no slope at either. */
function smooth(u: number): number {
  const s = Math.min(Math.abs(u), 1);
  return 1 - s * s * (3 - 2 * s);
}

interface Basis {
  size: number;
  ends(i: number): [number, number];
  at(i: number, x: number): Active;
}

class Splines implements Basis {
  readonly size: number;
  private readonly active: Active;
  private readonly knots: Knots[];

  constructor(layer: LayerRecipe) {
    const order = layer.spline_order;
    const shared = { values: layer.knots, order, intervals: layer.grid_size };
    const count = knotCount(layer);
    this.size = order + 1;
    this.active = makeActive(order);
    this.knots = Array.from({ length: layer.inputs }, (_, i) => ({
      ...shared,
      start: i * count,
      uniform: layer.uniform,
    }));
  }

  ends(i: number): [number, number] {
    const { values, start, order, intervals } = this.knots[i];
    return [values[start + order], values[start + order + intervals]];
  }

  at(i: number, x: number): Active {
    activeBasis(x, this.knots[i], this.active);
    return this.active;
  }
}

class Radials implements Basis {
  readonly size: number;
  private readonly active: Active;
  private readonly radial: ReturnType<typeof radialFunction>;

  constructor(private readonly layer: LayerRecipe) {
    this.size = knotCount(layer);
    this.radial = radialFunction(layer.basis);
    this.active = makeActive(this.size - 1);
  }

  ends(i: number): [number, number] {
    const { knots, padding, grid_size } = this.layer;
    const start = i * this.size + padding;
    return [knots[start], knots[start + grid_size]];
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
}

function makeActive(order: number): Active {
  return { first: 0, values: new Float64Array(order + 1), slopes: new Float64Array(order + 1) };
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

/** The ends of the base grid of an input. */
function gridEnds(knots: Knots): [low: number, high: number] {
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
function activeBasis(x: number, knots: Knots, into: Active): void {
  const k = knots.order;
  const first = intervalOf(x, knots);
  const t = (m: number): number => knotAt(knots, first + m);
  into.first = first;
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
