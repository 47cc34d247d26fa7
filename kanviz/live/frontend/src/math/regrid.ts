/** New layers, and the functions of layers on other knots; see kanviz/nn/initialise.py, regrid.py. */

import type { LayerRecipe } from "../contract";
import { LayerMaker } from "./evaluate";
import { basisSize, FeatureMaker, featureCount } from "./features";
import { factor, substitute } from "./least_squares";
import { normal } from "./random";

/** Root mean square of a node of a new network: half of the grid of the next layer. */
const OUTPUT_RMS = 0.5;
/** Amplitudes of base function and of half, one and one and a half waves in a new edge. */
const SHARES = [0.6, 0.6, 0.4, 0.2];
/** Part of the range that a grid goes beyond the data at each side. */
const MARGIN = 0.01;
/** Of the mean diagonal of a fit of curves: far below its rounding. */
const RIDGE = 1e-13;

/** Makes a layer on (-1, 1) whose edges are smooth random curves. */
export function newLayer(
  inputs: number,
  outputs: number,
  grid: { size: number; order: number },
  next: () => number,
): LayerRecipe {
  const row = extended(-1, 1, grid.size, grid.order);
  const knots = new Float64Array(inputs * row.length);
  for (let i = 0; i < inputs; i++) knots.set(row, i * row.length);
  const blank: LayerRecipe = {
    ...{ inputs, outputs, basis: "bspline", spline_order: grid.order, grid_size: grid.size },
    ...{ padding: grid.order, uniform: true, base: "silu", extrapolation: "linear", knots },
    ...{ weight: new Float64Array(), mask: new Uint8Array(inputs * outputs).fill(1) },
    ...{ formulas: [], owners: [] },
  };
  const rows = featureCount(blank);
  const layer = { ...blank, weight: new Float64Array(inputs * rows * outputs) };
  const draw = normal(next);
  const unit = OUTPUT_RMS / (Math.hypot(...SHARES) * Math.sqrt(inputs));
  const x = spaced(layer, 0);
  const waves = SHARES.map((_, n) =>
    x.map((at) => Math.SQRT2 * Math.cos((n * Math.PI * (at + 1)) / 2)),
  );
  const fitted = fitCurves(layer, 0, x, waves);
  const maker = new FeatureMaker(layer);
  const base = Math.sqrt(x.reduce((sum, at) => sum + maker.at(0, at).base ** 2, 0) / x.length);
  for (let i = 0; i < inputs; i++) {
    for (let j = 0; j < outputs; j++) {
      const heights = SHARES.map((share) => share * unit * draw());
      const put = (m: number, value: number): void => {
        layer.weight[(i * rows + m) * outputs + j] = value;
      };
      for (let m = 0; m < rows - 1; m++)
        put(
          m,
          [1, 2, 3].reduce((sum, n) => sum + heights[n] * fitted[n][m], 0),
        );
      put(rows - 1, heights[0] / base);
    }
  }
  return layer;
}

/** Makes the layers of a network. */
export function newLayers(
  widths: readonly number[],
  grid: { size: number; order: number },
  next: () => number,
): LayerRecipe[] {
  return widths.slice(1).map((outputs, n) => newLayer(widths[n], outputs, grid, next));
}

/** Uniform knots of `size` intervals from `low` to `high`, with `order` more at each side. */
function extended(low: number, high: number, size: number, order: number): Float64Array {
  const step = (high - low) / size;
  return Float64Array.from({ length: size + 1 + 2 * order }, (_, m) => low + (m - order) * step);
}

/** Equally spaced places over the grid of an input, several to an interval. */
function spaced(layer: LayerRecipe, i: number): Float64Array {
  const [low, high] = gridOf(layer, i);
  const n = 8 * basisSize(layer);
  return Float64Array.from({ length: n + 1 }, (_, at) => low + ((high - low) * at) / n);
}

/** The ends of the grid of an input. */
function gridOf(layer: LayerRecipe, i: number): [low: number, high: number] {
  const start = i * (layer.knots.length / layer.inputs) + layer.padding;
  return [layer.knots[start], layer.knots[start + layer.grid_size]];
}

/** The coefficients of input i that come nearest to curves given at `x`. */
function fitCurves(
  layer: LayerRecipe,
  i: number,
  x: Float64Array,
  curves: readonly ArrayLike<number>[],
): Float64Array[] {
  const n = basisSize(layer);
  const maker = new FeatureMaker(layer);
  const matrix = Array.from({ length: n }, () => new Float64Array(n));
  const rights = curves.map(() => new Float64Array(n));
  x.forEach((at, row) => {
    const { first, count, values } = maker.at(i, at);
    for (let m = 0; m < count; m++) {
      for (let q = 0; q <= m; q++) matrix[first + m][first + q] += values[m] * values[q];
      rights.forEach((right, c) => (right[first + m] += values[m] * curves[c][row]));
    }
  });
  const unit = matrix.reduce((sum, row, m) => sum + row[m], 0) / n;
  matrix.forEach((row, m) => (row[m] += RIDGE * unit));
  factor(matrix, Number.MIN_VALUE);
  return rights.map((right) => substitute(matrix, right));
}

/** The same functions, as near as may be, on a grid from `low` to `high` for each input. */
export function regridded(
  layer: LayerRecipe,
  ends: readonly (readonly [low: number, high: number])[],
  size = layer.grid_size,
): LayerRecipe {
  const rows = featureCount(layer);
  const news = ends.map(([low, high]) => extended(low, high, size, layer.spline_order));
  const knots = new Float64Array(news.length * news[0].length);
  news.forEach((row, i) => knots.set(row, i * row.length));
  const made: LayerRecipe = { ...layer, grid_size: size, uniform: true, knots };
  const now = featureCount(made);
  const weight = new Float64Array(layer.inputs * now * layer.outputs);
  made.weight = weight;
  // As splines alone: the base functions stay as they are, and formulas have no part in it.
  const bare = new LayerMaker({ ...layer, base: "zero", formulas: [], weight: spline(layer) });
  for (let i = 0; i < layer.inputs; i++) {
    const x = spaced(made, i);
    const curves = Array.from({ length: layer.outputs }, (_, j) => bare.curve(i, j, x));
    const fitted = fitCurves(made, i, x, curves);
    for (let j = 0; j < layer.outputs; j++) {
      fitted[j].forEach((value, m) => (weight[(i * now + m) * layer.outputs + j] = value));
      if (layer.base !== "zero")
        weight[((i + 1) * now - 1) * layer.outputs + j] =
          layer.weight[((i + 1) * rows - 1) * layer.outputs + j];
    }
  }
  return made;
}

/** The weight without the rows of the base function. */
function spline(layer: LayerRecipe): Float64Array {
  const [rows, n, { outputs }] = [featureCount(layer), basisSize(layer), layer];
  const weight = new Float64Array(layer.inputs * n * outputs);
  for (let i = 0; i < layer.inputs; i++) {
    const from = i * rows * outputs;
    weight.set(layer.weight.subarray(from, from + n * outputs), i * n * outputs);
  }
  return weight;
}

/** The layers with more intervals, each along its own grid. */
export function refined(layers: readonly LayerRecipe[], size: number): LayerRecipe[] {
  return layers.map((layer) => {
    const ends = Array.from({ length: layer.inputs }, (_, i) => gridOf(layer, i));
    return regridded(layer, ends, size);
  });
}

/** A layer whose grids reach as far as a sample (rows, inputs) of its inputs. */
export function adapted(layer: LayerRecipe, x: Float64Array): LayerRecipe {
  const { inputs } = layer;
  const ends = Array.from({ length: inputs }, (_, i): [number, number] => {
    let [low, high] = [Infinity, -Infinity];
    for (let at = i; at < x.length; at += inputs) {
      low = Math.min(low, x[at]);
      high = Math.max(high, x[at]);
    }
    const tiny = 1e3 * Number.EPSILON * Math.max(Math.abs(low), Math.abs(high));
    const pad = high - low <= tiny ? 1 : MARGIN * (high - low);
    return [low - pad, high + pad];
  });
  return regridded(layer, ends);
}
