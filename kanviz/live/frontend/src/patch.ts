/** What Python's patches make of the scene that they are told from; see kanviz/live/patch.py. */

import type { EdgeChange, EdgeView, LayerRecipe, Patch, Recipe, Scene, Visited } from "./contract";
import { withStrengths } from "./local/network";
import { CurveMaker } from "./math/evaluate";
import { featureCount } from "./math/features";
import { edgeOf, keptBand, keyOf, places } from "./scene";

/** Returns the scene as it is now. Curves that the patch does not touch stay the same arrays. */
export function withPatch(scene: Scene, patch: Patch): Scene {
  const { version, error, history, losses } = patch;
  const recipe = scene.recipe && withChanges(scene.recipe, patch.edges);
  const joined = (name: "step" | "train" | "test"): Float64Array =>
    losses[name].length
      ? Float64Array.of(...scene.losses[name], ...losses[name])
      : scene.losses[name];
  return {
    ...scene,
    ...{ version, error, recipe },
    nodes: scene.nodes.map((node, at) => ({ ...node, score: patch.node_score[at] })),
    edges: withStrengths(withCurves(scene, recipe, patch), scene.widths.length - 1),
    history: {
      done: [...scene.history.done.slice(0, history.kept), ...history.done],
      undone: history.undone,
    },
    losses: {
      ...scene.losses,
      ...{ step: joined("step"), train: joined("train"), test: joined("test") },
      marks: [...scene.losses.marks.slice(0, losses.kept), ...losses.marks],
    },
  };
}

/** Returns the recipe with other weights, edges taken out or brought back, and other formulas. */
function withChanges(recipe: Recipe, changes: EdgeChange[]): Recipe {
  const layers = recipe.layers.map((layer, at) => {
    const mine = changes.filter((change) => change.layer === at);
    return mine.length ? changedLayer(layer, mine) : layer;
  });
  return { ...recipe, layers };
}

function changedLayer(layer: LayerRecipe, changes: EdgeChange[]): LayerRecipe {
  const [weight, mask, width] = [layer.weight.slice(), layer.mask.slice(), featureCount(layer)];
  const keys = new Set(changes.map(({ i, j }) => `${i},${j}`));
  const formulas = layer.formulas.filter(({ i, j }) => !keys.has(`${i},${j}`));
  for (const { i, j, weight: column, live, program } of changes) {
    column.forEach((value, m) => (weight[(i * width + m) * layer.outputs + j] = value));
    mask[i * layer.outputs + j] = Number(live);
    if (program) formulas.push(program);
  }
  return { ...layer, weight, mask, formulas };
}

/** Returns the edges with their new scores, and with the curves of those that are another. */
function withCurves(scene: Scene, recipe: Recipe | null, patch: Patch): EdgeView[] {
  const whole = new Map(patch.views.map((view) => [keyOf(edgeOf(view)), view]));
  const changes = new Map(patch.edges.map((one) => [keyOf([one.layer, one.i, one.j]), one]));
  const points = scene.edges[0]?.curve_x.length ?? 0;
  const visited = new Map(patch.visited.map((one) => [`${one.layer},${one.i}`, seen(one, points)]));
  const maker = recipe && new CurveMaker(recipe);
  return scene.edges.map((view, at) => {
    const score = patch.score[at];
    const edge = edgeOf(view);
    const key = keyOf(edge);
    const [change, x] = [changes.get(key), visited.get(`${view.layer},${view.i}`)];
    if (whole.has(key)) return { ...whole.get(key)!, score };
    if (!maker || !(change || x)) return { ...view, score };
    const { curve_x, sample_x } = x ?? view;
    const curve = (places: Float64Array): Float64Array => maker.curve(edge, places);
    const curve_y = curve(curve_x);
    const band = keptBand(view, curve_x, curve_y);
    const curves = { curve_x, sample_x, curve_y, sample_y: curve(sample_x), band };
    const other = change ? standing(change, maker.heights(edge)) : {};
    return { ...view, ...other, ...curves, score };
  });
}

function standing(change: EdgeChange, control_y: Float64Array): Partial<EdgeView> {
  const { state, frozen, locked, formula, mathml, quality } = change;
  return { state, frozen, locked, formula, mathml, quality, control_y, function: change.function };
}

/** Where curves are drawn from a node on: equally spaced over its range. */
function seen(
  { low, high, sample }: Visited,
  points: number,
): Pick<EdgeView, "curve_x" | "sample_x"> {
  return { curve_x: places(low, high, points), sample_x: sample };
}
