/** Edits of a recipe: each returns a new recipe that shares what it left alone. */

import type { Ask, Edge, LayerRecipe, Recipe } from "../contract";
import { LayerMaker, unitsAt } from "../math/evaluate";
import { basisSize, FeatureMaker, featureCount } from "../math/features";
import { ridge } from "../math/least_squares";
import { count } from "../ui/numbers";

/** Weight of staying as it was, against the drawn points; as in kanviz/edits/curves.py. */
const STIFFNESS = 1e-6;

export interface Change {
  recipe: Recipe;
  /** The lowest layer that is another now. */
  from: number;
  sentence: string;
  /** Joins a burst of edits into one step. */
  drag?: number;
}

/** Returns what a request makes of a recipe; null for one that needs a kernel. */
export function changed(recipe: Recipe, ask: Ask): Change | null {
  switch (ask.type) {
    case "move_point":
      return movePoint(recipe, ask.edge, ask.m, ask.height, ask.drag);
    case "set_curve":
      return setCurve(recipe, ask);
    case "unfix":
      return unfix(recipe, ask.edge);
    case "remove_edge":
      return setLive(recipe, [ask.edge], 0, `removed edge ${named(ask.edge)}`);
    case "restore_edge":
      return setLive(recipe, [ask.edge], 1, `restored edge ${named(ask.edge)}`);
    case "remove_node":
      return setLive(recipe, edgesAt(recipe, ask.layer, ask.index), 0, `removed ${nodeName(ask)}`);
    case "restore_node":
      return setLive(recipe, edgesAt(recipe, ask.layer, ask.index), 1, `restored ${nodeName(ask)}`);
    case "prune":
      return setLive(recipe, ask.edges, 0, `pruned ${count(ask.edges.length, "edge")}`);
    default:
      return null;
  }
}

type CurveAsk = Extract<Ask, { type: "set_curve" }>;

const named = (edge: Edge): string => `(${edge.join(", ")})`;
const nodeName = (at: { layer: number; index: number }): string =>
  `node (${at.layer}, ${at.index})`;

function movePoint(recipe: Recipe, edge: Edge, m: number, height: number, drag: number): Change {
  const layer = splineOf(recipe, edge);
  const change = new Float64Array(basisSize(layer));
  change[m] = height / unitsAt(recipe, edge).size - layer.weight[place(layer, edge, m)];
  const sentence = `moved point ${m} of edge ${named(edge)}`;
  return { recipe: bentBy(recipe, edge, change), from: edge[0], sentence, drag };
}

/** Bends a spline through points, by least squares; elsewhere it stays as it was. */
function setCurve(recipe: Recipe, { edge, x, y, drag, how }: CurveAsk): Change {
  const layer = splineOf(recipe, edge);
  const { shift, scale, size } = unitsAt(recipe, edge);
  const own = x.map((at) => (at - shift) / scale);
  const now = new LayerMaker(layer).curve(edge[1], edge[2], own);
  const maker = new FeatureMaker(layer);
  const rows = own.map((at) => {
    const { first, values } = maker.at(edge[1], at);
    const row = new Float64Array(basisSize(layer));
    row.set(values, first);
    return row;
  });
  const change = ridge(
    rows,
    y.map((height, n) => height / size - now[n]),
    STIFFNESS,
  );
  const points = how === "drew" ? ` through ${x.length} points` : "";
  const sentence = `${how} edge ${named(edge)}${points}`;
  return { recipe: bentBy(recipe, edge, change), from: edge[0], sentence, drag };
}

/** Returns the layer of an edge that is a live spline. */
function splineOf(recipe: Recipe, [at, i, j]: Edge): LayerRecipe {
  const layer = recipe.layers[at];
  const isFormula = layer.formulas.some((f) => f.i === i && f.j === j);
  if (isFormula || !layer.mask[i * layer.outputs + j]) {
    throw new Error(
      `edge must be a spline that is in the network; got ${named([at, i, j])}, which is removed ` +
        "or a formula. Restore or unfix it first.",
    );
  }
  return layer;
}

function place(layer: LayerRecipe, [, i, j]: Edge, m: number): number {
  return (i * featureCount(layer) + m) * layer.outputs + j;
}

function bentBy(recipe: Recipe, edge: Edge, change: Float64Array): Recipe {
  const layer = recipe.layers[edge[0]];
  const weight = layer.weight.slice();
  change.forEach((value, m) => (weight[place(layer, edge, m)] += value));
  return withLayer(recipe, edge[0], { ...layer, weight });
}

function unfix(recipe: Recipe, [at, i, j]: Edge): Change {
  const layer = recipe.layers[at];
  const formulas = layer.formulas.filter((f) => f.i !== i || f.j !== j);
  if (formulas.length === layer.formulas.length) {
    throw new Error(`edge must be a formula to be unfixed; got ${named([at, i, j])}, a spline.`);
  }
  const after = withLayer(recipe, at, { ...layer, formulas });
  return { recipe: after, from: at, sentence: `unfixed edge ${named([at, i, j])}` };
}

/** Takes edges out or brings them back; their functions are kept. */
function setLive(recipe: Recipe, edges: Edge[], live: 0 | 1, sentence: string): Change {
  let after = recipe;
  let from = recipe.layers.length;
  for (const [at, i, j] of edges) {
    const layer = after.layers[at];
    const where = i * layer.outputs + j;
    if (layer.mask[where] === live) continue;
    const mask = layer.mask.slice();
    mask[where] = live;
    after = withLayer(after, at, { ...layer, mask });
    from = Math.min(from, at);
  }
  if (after === recipe) {
    const state = live ? "are in the network already" : "are removed already";
    throw new Error(`Nothing to do: these edges ${state}.`);
  }
  return { recipe: after, from, sentence };
}

function edgesAt(recipe: Recipe, at: number, index: number): Edge[] {
  const after = recipe.layers[at];
  const before = recipe.layers[at - 1];
  const out = Array.from({ length: after?.outputs ?? 0 }, (_, j): Edge => [at, index, j]);
  const sums = before?.owners.length
    ? before.owners.flatMap((n, j) => (n === index ? [j] : []))
    : [index];
  const into = sums.flatMap((j) =>
    Array.from({ length: before?.inputs ?? 0 }, (_, i): Edge => [at - 1, i, j]),
  );
  return [...into, ...out];
}

function withLayer(recipe: Recipe, at: number, layer: LayerRecipe): Recipe {
  return { ...recipe, layers: recipe.layers.map((old, n) => (n === at ? layer : old)) };
}
