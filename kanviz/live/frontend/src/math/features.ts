/** The features of one input: its basis functions, continued beyond the grid, then the base. */

import type { LayerRecipe } from "../contract";
import { activeBasis, makeActive, type Active, type Knots } from "./bspline";
import { radialFunction } from "./radial";

/** Features first .. first + count - 1 of one input at one point; all others are 0. */
export interface Features {
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
export function knotCount(layer: LayerRecipe): number {
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
