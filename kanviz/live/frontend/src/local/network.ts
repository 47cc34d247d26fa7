/** A network on a page without a kernel: its values and scores, and the scene that shows them. */

import type { EdgeView, LayerRecipe, NodeView, Recipe, Scene } from "../contract";
import {
  CurveMaker,
  deviation,
  enteredSums,
  nodesOf,
  runLayer,
  scaled,
  unscaled,
} from "../math/evaluate";
import { edgeOf, keptBand, keyOf, places } from "../scene";

/** All that the sample shows of a network, layer by layer. */
export interface Run {
  values: Float64Array[];
  edgeSpreads: Float64Array[];
  /** Of the sums of each layer, which are the nodes above where there are no products. */
  sumSpreads: Float64Array[];
}

/** Runs the sample through a network; layers below `from` are taken over from `before`. */
export function runAll(recipe: Recipe, sample: Float64Array, before?: Run, from = 0): Run {
  const kept = before ? from : 0;
  const values = before
    ? before.values.slice(0, kept + 1)
    : [scaled(sample, recipe.x_shift, recipe.x_scale)];
  const edgeSpreads = before ? before.edgeSpreads.slice(0, kept) : [];
  const sumSpreads = before ? before.sumSpreads.slice(0, kept) : [];
  for (const layer of recipe.layers.slice(kept)) {
    const { y, spread, sums } = runLayer(layer, values[values.length - 1]);
    values.push(y);
    edgeSpreads.push(spread);
    sumSpreads.push(deviations(sums, layer.outputs));
  }
  return { values, edgeSpreads, sumSpreads };
}

/** Scores by the metric of the scene: which of the two it is, its own numbers tell. */
export type Metric = "backward" | "std";

export function scoresOf(recipe: Recipe, run: Run, metric: Metric): Scores {
  const nodes = run.values.map((table, layer) => {
    return deviations(table, layer ? nodesOf(recipe.layers[layer - 1]) : recipe.layers[0].inputs);
  });
  return metric === "std" ? { edges: run.edgeSpreads, nodes } : backwardScores(recipe, run);
}

const deviations = (table: Float64Array, width: number): Float64Array =>
  Float64Array.from({ length: width }, (_, at) => deviation(table, at, width));

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

/** The nodes with their scores, and with the factors that products have now. */
export function nodeViews(nodes: NodeView[], recipe: Recipe, found: Scores): NodeView[] {
  return nodes.map((node) => {
    const score = found.nodes[node.layer][node.index];
    return { ...node, score, factors: factorsOf(recipe.layers[node.layer - 1], node.index) };
  });
}

/** The sums that a node multiplies now: none where it is a sum. */
function factorsOf(below: LayerRecipe | undefined, index: number): number[] {
  if (!below?.owners.length) return [];
  const entered = enteredSums(below);
  const found = below.owners.flatMap((node, j) => (node === index && entered[j] ? [j] : []));
  return found.length > 1 ? found : [];
}

// How much edges and nodes matter; see kanviz/analysis/attribution.py and kanviz/layout.py.

const FAINTEST = 0.25;

/** Of all layers: per edge (inputs, outputs), and per node. */
interface Scores {
  edges: Float64Array[];
  nodes: Float64Array[];
}

/**
 * The "backward" scores: each output hands its score to its edges by their share of its spread, a
 * node has the sum of those of the edges that leave it, and each factor all of its product's.
 */
function backwardScores({ layers }: Recipe, { edgeSpreads, sumSpreads }: Run): Scores {
  const last = layers[layers.length - 1].outputs;
  const nodes = [new Float64Array(last).fill(1 / last)];
  const edges: Float64Array[] = [];
  for (let layer = layers.length - 1; layer >= 0; layer--) {
    const { inputs, outputs, owners } = layers[layer];
    const above = owners.length ? Float64Array.from(owners, (node) => nodes[0][node]) : nodes[0];
    const shares = sharesOf(edgeSpreads[layer], sumSpreads[layer], above);
    const scores = new Float64Array(inputs);
    shares.forEach((share, at) => (scores[Math.floor(at / outputs)] += share));
    edges.unshift(shares);
    nodes.unshift(scores);
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
