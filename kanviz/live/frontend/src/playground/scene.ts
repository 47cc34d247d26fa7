/** The scene of a network in training: what Python would send of it. */

import type { EdgeView, NodeView, Recipe, Scene } from "../contract";
import { edgeViews, nodeViews, runAll, scoresOf, type Words } from "../local/network";
import { outputs } from "../math/evaluate";
import { basisSize } from "../math/features";
import { places } from "../scene";
import { DOUBLE, SELECTED } from "../tokens";
import type { Data, Table } from "./data";

/** Points of a curve, and rows that are marked on it, as in kanviz/analysis/capture.py. */
const [N_CURVE, N_SAMPLES] = [65, 24];
/** Rows of the data in a scene. */
const MOST_ROWS = 500;

/** Everything of a scene that its recipe does not say. */
export type Around = Pick<Scene, "history" | "losses" | "is_fresh" | "title" | "formula">;

/** Draws a network; `words` are the formulas of its edges. */
export function sceneOf(recipe: Recipe, data: Data, around: Around, words: Words): Scene {
  const { layers } = recipe;
  const widths = [layers[0].inputs, ...layers.map((layer) => layer.outputs)];
  const count = Math.min(data.train.count, MOST_ROWS);
  const sample = data.train.x.slice(0, count * widths[0]);
  const target = data.train.y.slice(0, count);
  const run = runAll(recipe, sample);
  const found = scoresOf(recipe, run, "backward");
  const blank: Scene = {
    ...{ version: 0, widths, nodes: [], edges: [], recipe, sample, target },
    ...{ input_names: data.inputNames, output_names: [data.outputName] },
    ...{ has_data: true, rows: [data.train.count, data.test.count], notes: [], functions: [] },
    owners: [],
    ...{ grid_size: layers[0].grid_size, spline_order: layers[0].spline_order, basis: "bspline" },
    n_edges: layers.reduce((sum, layer) => sum + layer.inputs * layer.outputs, 0),
    error: errorOf(recipe, data),
    ...around,
  };
  blank.edges = blankViews(recipe, data, sample);
  const edges = edgeViews(blank, recipe, run, found, words, 0);
  return { ...blank, edges, nodes: nodeViews(nodesOf(widths, data), recipe, found) };
}

/** The errors of both parts, in the user's unit. */
export function errorOf(recipe: Recipe, { train, test }: Data): Scene["error"] {
  const [one, two] = [squares(recipe, train), squares(recipe, test)];
  return {
    name: "RMSE",
    ...{ train: Math.sqrt(one.left), test: test.count ? Math.sqrt(two.left) : null },
    ...{ r2_train: 1 - one.left / one.all, r2_test: test.count ? 1 - two.left / two.all : null },
  };
}

/** The mean square of what is left of y, and of y about its mean. */
function squares(recipe: Recipe, { x, y, count }: Table): { left: number; all: number } {
  const found = outputs(recipe, x);
  const mean = y.reduce((sum, one) => sum + one / count, 0);
  let [left, all] = [0, 0];
  y.forEach((one, at) => {
    left += (found[at] - one) ** 2 / count;
    all += (one - mean) ** 2 / count;
  });
  return { left, all: all || 1 };
}

/** Edges with all that does not follow from the values of the nodes. */
function blankViews(recipe: Recipe, data: Data, sample: Float64Array): EdgeView[] {
  const views: EdgeView[] = [];
  const rows = sample.length / data.inputNames.length;
  const kept = Math.min(N_SAMPLES, rows);
  recipe.layers.forEach((layer, at) => {
    const { inputs, outputs: width, knots, spline_order: k, grid_size } = layer;
    const per = knots.length / inputs;
    for (let i = 0; i < inputs; i++) {
      const [shift, scale] = at ? [0, 1] : [recipe.x_shift[i], recipe.x_scale[i]];
      const own = Float64Array.from(
        knots.subarray(i * per, (i + 1) * per),
        (t) => t * scale + shift,
      );
      const grid = own.slice(k, k + grid_size + 1);
      const control_x = Float64Array.from({ length: basisSize(layer) }, (_, m) => {
        const near = own.subarray(m + 1, m + 1 + k);
        return near.reduce((sum, t) => sum + t / k, 0);
      });
      // Of the inputs; of hidden nodes it follows from their values.
      const curve_x = places(data.low[i] ?? 0, data.high[i] ?? 1, N_CURVE);
      const sample_x = Float64Array.from(
        { length: kept },
        (_, n) => sample[Math.floor((n * rows) / kept) * inputs + i] ?? 0,
      );
      const blank = new Float64Array(N_CURVE);
      for (let j = 0; j < width; j++) {
        views.push({
          ...{ layer: at, i, j, curve_x, curve_y: blank, knots: grid, control_x },
          ...{ control_y: new Float64Array(control_x.length), sample_x, sample_y: sample_x },
          ...{ score: 0, strength: 1, state: "spline", frozen: false, locked: false },
          ...{ formula: null, quality: null, function: null, band: null, mathml: null, shapes: [] },
        });
      }
    }
  });
  return views;
}

function nodesOf(widths: readonly number[], data: Data): NodeView[] {
  const last = widths.length - 1;
  // Layers stand further apart where more edges run between them; see kanviz/layout/places.py.
  const rises = widths
    .slice(1)
    .map((width, n) => 1 + Math.min(width * widths[n], SELECTED) / DOUBLE);
  const whole = rises.reduce((sum, rise) => sum + rise, 0);
  const up = (layer: number): number =>
    rises.slice(0, layer).reduce((sum, rise) => sum + rise, 0) / whole;
  return widths.flatMap((width, layer) =>
    Array.from({ length: width }, (_, index) => ({
      ...{ layer, index, score: 0, x: (index + 0.5) / width, y: up(layer), factors: [] },
      label: layer === 0 ? data.inputNames[index] : layer === last ? data.outputName : "",
    })),
  );
}
