/** A network on a page without a kernel: its values and scores, and the scene that shows them. */

import type { EdgeView, LayerRecipe, NodeView, Recipe, Scene } from "../contract";
import { CurveMaker, deviation, runLayer, scaled, unscaled } from "../math/evaluate";
import { edgeOf, keptBand, keyOf, places } from "../scene";

/** All that the sample shows of a network, layer by layer. */
export interface Run {
  values: Float64Array[];
  edgeSpreads: Float64Array[];
}

/** Runs the sample through a network; layers below `from` are taken over from `before`. */
export function runAll(recipe: Recipe, sample: Float64Array, before?: Run, from = 0): Run {
  const kept = before ? from : 0;
  const values = before
    ? before.values.slice(0, kept + 1)
    : [scaled(sample, recipe.x_shift, recipe.x_scale)];
  const edgeSpreads = before ? before.edgeSpreads.slice(0, kept) : [];
  for (const layer of recipe.layers.slice(kept)) {
    const { y, spread } = runLayer(layer, values[values.length - 1]);
    values.push(y);
    edgeSpreads.push(spread);
  }
  return { values, edgeSpreads };
}

/** Scores by the metric of the scene: which of the two it is, its own numbers tell. */
export type Metric = "backward" | "std";

export function scoresOf(recipe: Recipe, run: Run, metric: Metric): Scores {
  const nodes = run.values.map((table, layer) => {
    const width = layer ? recipe.layers[layer - 1].outputs : recipe.layers[0].inputs;
    return Float64Array.from({ length: width }, (_, index) => deviation(table, index, width));
  });
  return metric === "std"
    ? { edges: run.edgeSpreads, nodes }
    : backwardScores(run.edgeSpreads, nodes);
}

/** Which metric the scores of a scene are of. */
export function metricOf(scene: Scene, recipe: Recipe, run: Run): Metric {
  const distance = (metric: Metric): number => {
    const { edges } = scoresOf(recipe, run, metric);
    const at = (v: EdgeView): number => edges[v.layer][v.i * recipe.layers[v.layer].outputs + v.j];
    return scene.edges.reduce((sum, view) => sum + Math.abs(at(view) - view.score), 0);
  };
  return distance("backward") <= distance("std") ? "backward" : "std";
}

/** The root-mean-square error over the sample, in the user's unit; null without targets. */
export function errorOf(recipe: Recipe, run: Run, target: Float64Array): number | null {
  const found = unscaled(run.values[run.values.length - 1], recipe.y_shift, recipe.y_scale);
  if (!target.length || target.length !== found.length) return null;
  const sum = found.reduce((total, y, at) => total + (y - target[at]) ** 2, 0);
  return Math.sqrt(sum / found.length);
}

/** What the formulas of edges read like; the recipe has only their steps. */
export type Words = Map<string, Pick<EdgeView, "formula" | "mathml" | "function" | "quality">>;

/** The views of all edges of a scene, as the network is now. */
export function edgeViews(
  scene: Scene,
  recipe: Recipe,
  run: Run,
  found: Scores,
  words: Words,
  from: number,
): EdgeView[] {
  const maker = new CurveMaker(recipe);
  // Edges from one node share what is seen of it.
  const nodes = new Map<string, ReturnType<typeof seen>>();
  const views = scene.edges.map((view) => {
    const layer = recipe.layers[view.layer];
    const score = found.edges[view.layer][view.i * layer.outputs + view.j];
    const standing = standingOf(view, layer, words);
    if (view.layer < from) return { ...view, ...standing, score };
    const node = `${view.layer},${view.i}`;
    const x =
      view.layer > from ? (nodes.get(node) ?? seen(view, layer, run.values[view.layer])) : view;
    nodes.set(node, x);
    const edge = edgeOf(view);
    const curve = (at: Float64Array): Float64Array => maker.curve(edge, at);
    const { curve_x, sample_x } = x;
    const control_y = maker.heights(edge);
    const curve_y = curve(curve_x);
    const band = keptBand(view, curve_x, curve_y);
    const curves = { curve_x, sample_x, curve_y, sample_y: curve(sample_x), band };
    return { ...view, ...standing, ...curves, control_y, score };
  });
  return withStrengths(views, recipe.layers.length);
}

/** Removed, a formula or a spline; with the words of the formula. */
function standingOf(view: EdgeView, layer: LayerRecipe, words: Words): Partial<EdgeView> {
  const none = { formula: null, mathml: null, function: null, quality: null };
  const { i, j } = view;
  if (!layer.mask[i * layer.outputs + j]) return { ...none, state: "pruned" };
  if (!layer.formulas.some((f) => f.i === i && f.j === j)) return { ...none, state: "spline" };
  const text = words.get(keyOf(edgeOf(view))) ?? { ...none, formula: "formula" };
  return { ...text, state: "symbolic" };
}

/** The range that the sample visits at a hidden node, and some points of it. */
function seen(
  view: EdgeView,
  layer: LayerRecipe,
  values: Float64Array,
): Pick<EdgeView, "curve_x" | "sample_x"> {
  const { inputs } = layer;
  const rows = values.length / inputs;
  let [low, high] = [Infinity, -Infinity];
  for (let at = view.i; at < values.length; at += inputs) {
    low = Math.min(low, values[at]);
    high = Math.max(high, values[at]);
  }
  if (!(high - low > 1e3 * Number.EPSILON * Math.max(Math.abs(low), Math.abs(high)))) {
    low = Math.min(low, view.knots[0]);
    high = Math.max(high, view.knots[view.knots.length - 1]);
  }
  const points = view.curve_x.length;
  const kept = Math.min(view.sample_x.length, rows);
  const row = (n: number): number => Math.floor((n * rows) / kept);
  return {
    curve_x: places(low, high, points),
    sample_x: Float64Array.from({ length: kept }, (_, n) => values[row(n) * inputs + view.i]),
  };
}

/** Sets how strongly each edge is drawn, by its score among those of its layer. */
export function withStrengths(views: EdgeView[], layers: number): EdgeView[] {
  for (let layer = 0; layer < layers; layer++) {
    const here = views.filter((view) => view.layer === layer);
    strengths(here.map((view) => view.score)).forEach(
      (strength, n) => (here[n].strength = strength),
    );
  }
  return views;
}

/** The nodes with their scores. */
export function nodeViews(nodes: NodeView[], found: Scores): NodeView[] {
  return nodes.map((node) => ({ ...node, score: found.nodes[node.layer][node.index] }));
}

// How much edges and nodes matter; see kanviz/analysis/attribution.py and kanviz/layout.py.

const FAINTEST = 0.25;

/** Of all layers: per edge (inputs, outputs), and per node. */
interface Scores {
  edges: Float64Array[];
  nodes: Float64Array[];
}

/**
 * The "backward" scores: each output hands its score to its edges by their share of its spread, and
 * a node has the sum of those of the edges that leave it.
 */
function backwardScores(edgeSpreads: Float64Array[], nodeSpreads: Float64Array[]): Scores {
  const last = nodeSpreads[nodeSpreads.length - 1];
  const nodes = [new Float64Array(last.length).fill(1 / last.length)];
  const edges: Float64Array[] = [];
  for (let layer = edgeSpreads.length - 1; layer >= 0; layer--) {
    const shares = sharesOf(edgeSpreads[layer], nodeSpreads[layer + 1], nodes[0]);
    const width = nodeSpreads[layer + 1].length;
    const sums = new Float64Array(nodeSpreads[layer].length);
    shares.forEach((share, at) => (sums[Math.floor(at / width)] += share));
    edges.unshift(shares);
    nodes.unshift(sums);
  }
  return { edges, nodes };
}

function sharesOf(edges: Float64Array, nodes: Float64Array, scores: Float64Array): Float64Array {
  const width = nodes.length;
  const sums = new Float64Array(width);
  edges.forEach((spread, at) => (sums[at % width] += spread));
  return edges.map((spread, at) => {
    const j = at % width;
    const varies = nodes[j] > 100 * Number.EPSILON * sums[j];
    return varies ? (scores[j] * spread) / nodes[j] : 0;
  });
}

/** How strongly to draw edges of these scores, which are those of one layer. */
function strengths(scores: ArrayLike<number>): number[] {
  const all = Array.from(scores);
  const largest = Math.max(...all, 0);
  if (largest === Math.min(...all)) return all.map(() => 1);
  return all.map((score) => FAINTEST + (1 - FAINTEST) * Math.sqrt(score / largest));
}
