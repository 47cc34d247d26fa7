/** Scenes: their edges and nodes by address and name, and how a scene becomes the next one. */

import type { Edge, EdgeView, Frame, LayerRecipe, Losses, NodeView, Scene } from "./contract";
import { LayerMaker } from "./math/evaluate";

/** An edge as a key of maps and sets. */
export const keyOf = (edge: Edge): string => edge.join(",");

export const edgeOf = (view: EdgeView): Edge => [view.layer, view.i, view.j];

export function sameEdge(a: Edge | null, b: Edge | null): boolean {
  return a === b || (a !== null && b !== null && a.every((part, n) => part === b[n]));
}

export function findEdge(scene: Scene, edge: Edge | null): EdgeView | null {
  if (edge === null) return null;
  const [layer, i, j] = edge;
  return scene.edges.find((v) => v.layer === layer && v.i === i && v.j === j) ?? null;
}

/** A node's own name, or its place: "h1.2" is node 2 of layer 1, counted from 0 as in Python. */
export function nodeName(scene: Scene, layer: number, index: number): string {
  const node = scene.nodes.find((n) => n.layer === layer && n.index === index);
  return node?.label || `h${layer}.${index}`;
}

export function edgeName(scene: Scene, [layer, i, j]: Edge): string {
  return `${nodeName(scene, layer, i)} \u2192 ${endName(scene, layer + 1, j)}`;
}

/** The node that edge (layer, i, j) leads to: node j, but for products, which have several sums. */
export const endOf = (scene: Scene, layer: number, j: number): number =>
  scene.owners[layer + 1]?.[j] ?? j;

/** How many sums the edges of a layer lead to. */
export const sumsOf = (scene: Scene, layer: number): number =>
  scene.owners[layer + 1]?.length ?? scene.widths[layer + 1];

/** What sum j of a layer is called: its node, or its place in a product, factors from 1 on. */
export function endName(scene: Scene, layer: number, j: number): string {
  const index = endOf(scene, layer - 1, j);
  const name = nodeName(scene, layer, index);
  const owners = scene.owners[layer] ?? [];
  const isAlone = owners.filter((owner) => owner === index).length < 2;
  return isAlone ? name : `${name}, factor ${j - owners.indexOf(index) + 1}`;
}

/** A sentence of the history, with names in the place of Python's addresses. */
export const inNames = (scene: Scene, sentence: string): string =>
  sentence.replace(/(edge|node) \((\d+), (\d+)(?:, (\d+))?\)/g, (_, what, ...at) => {
    const [layer, i, j] = at.map(Number);
    return `${what} ${what === "edge" ? edgeName(scene, [layer, i, j]) : nodeName(scene, layer, i)}`;
  });

/** The widths as Python takes them: a layer with products is a pair, of its sums and of these. */
export function shapeOf({ widths, owners }: Scene): string {
  const entries = widths.map((width, layer) => {
    const row = owners[layer] ?? [];
    const products = new Set(row.filter((owner, j) => row.indexOf(owner) !== j)).size;
    return products ? `(${width - products}, ${products})` : String(width);
  });
  return `[${entries.join(", ")}]`;
}

/** A number that joins the requests of one gesture into one step of the history. */
export const newDrag = (): number => Math.floor(Math.random() * 2 ** 31);

/** What is another in a scene; all that it does not name stays the same objects. */
export interface Patch extends Partial<Omit<Scene, "edges" | "nodes">> {
  edges?: readonly EdgeView[];
  nodes?: readonly NodeView[];
}

/** Returns the scene with the edges, nodes and other parts of a patch. */
export function patched(scene: Scene, patch: Patch): Scene {
  const nodeKey = (node: NodeView): string => `${node.layer},${node.index}`;
  return {
    ...scene,
    ...patch,
    edges: replaced(scene.edges, patch.edges, (view) => keyOf(edgeOf(view))),
    nodes: replaced(scene.nodes, patch.nodes, nodeKey),
  };
}

function replaced<T>(all: T[], news: readonly T[] | undefined, key: (one: T) => string): T[] {
  if (!news?.length) return all;
  const byKey = new Map(news.map((one) => [key(one), one]));
  return all.map((one) => byKey.get(key(one)) ?? one);
}

/** An edge with its control points at other heights; null for one that they do not fit. */
export function bent(scene: Scene, edge: Edge, control_y: ArrayLike<number>): EdgeView | null {
  const view = findEdge(scene, edge);
  if (view?.state !== "spline" || view.control_y.length !== control_y.length) return null;
  const change = view.control_y.map((height, m) => control_y[m] - height);
  const maker = new LayerMaker(lonelyLayer(scene, view, change));
  const added = (y: Float64Array, x: Float64Array): Float64Array => {
    const curve = maker.curve(0, 0, x);
    return y.map((value, at) => value + curve[at]);
  };
  return {
    ...view,
    control_y: Float64Array.from(control_y),
    curve_y: added(view.curve_y, view.curve_x),
    sample_y: added(view.sample_y, view.sample_x),
    band: null,
  };
}

/** Parts of a band, and of the height of its curve, by which a curve may be off and is the same. */
const NEAR = 0.25;
const NEARLY = 2e-3;

/**
 * Returns the band of an edge where its curve is drawn at other places, or anew; null where that
 * is another curve than the one that the band is of, whatever its level.
 */
export function keptBand(
  view: EdgeView,
  curve_x: Float64Array,
  curve_y: Float64Array,
): Float64Array | null {
  const { band } = view;
  const last = view.curve_x.length - 1;
  if (!band || last < 1 || curve_x.length !== curve_y.length) return null;
  const [low, high] = [view.curve_x[0], view.curve_x[last]];
  const slack = 1e-9 * (high - low);
  if (curve_x[0] < low - slack || curve_x[curve_x.length - 1] > high + slack) return null;
  const at = (values: Float64Array, x: number): number => {
    const place = Math.min(Math.max(((x - low) / (high - low)) * last, 0), last);
    const n = Math.min(Math.floor(place), last - 1);
    return values[n] + (place - n) * (values[n + 1] - values[n]);
  };
  const moved = curve_y.map((y, n) => y - at(view.curve_y, curve_x[n]));
  const level = moved.reduce((sum, one) => sum + one, 0) / moved.length;
  const height = Math.max(...curve_y) - Math.min(...curve_y);
  const found = curve_x.map((x) => at(band, x));
  const isSame = moved.every(
    (one, n) => Math.abs(one - level) <= NEAR * found[n] + NEARLY * height,
  );
  return isSame ? found : null;
}

/** The height of a curve at a place, between the points that it is drawn through. */
function heightAt(x: ArrayLike<number>, y: ArrayLike<number>, place: number): number {
  const last = x.length - 1;
  const share = last > 0 ? ((place - x[0]) / (x[last] - x[0])) * last : 0;
  const at = Math.min(Math.max(share || 0, 0), last);
  const n = Math.min(Math.floor(at), Math.max(last - 1, 0));
  return last > 0 ? y[n] + (at - n) * (y[n + 1] - y[n]) : y[0];
}

/**
 * An edge with another curve, and the points that belong to it moved along: rows of the data stay on
 * it, control points go by as much as the curve does below them. Python sends them exactly once the
 * fit waits.
 */
function along(view: EdgeView, curve_x: Float64Array, curve_y: Float64Array): EdgeView {
  const moved = (x: ArrayLike<number>, y: Float64Array): Float64Array =>
    y.map(
      (height, m) =>
        height + heightAt(curve_x, curve_y, x[m]) - heightAt(view.curve_x, view.curve_y, x[m]),
    );
  return {
    ...view,
    curve_x,
    curve_y,
    sample_y: view.sample_y.map((_, m) => heightAt(curve_x, curve_y, view.sample_x[m])),
    control_y: view.state === "spline" ? moved(view.control_x, view.control_y) : view.control_y,
  };
}

/** A layer of one edge, whose function has the coefficients `weight` and no base function. */
function lonelyLayer(scene: Scene, view: EdgeView, weight: Float64Array): LayerRecipe {
  const isSpline = scene.basis === "bspline";
  const order = isSpline ? scene.spline_order : 0;
  return {
    inputs: 1,
    outputs: 1,
    basis: scene.basis,
    spline_order: order,
    grid_size: view.knots.length - 1,
    padding: isSpline ? order : (view.control_x.length - view.knots.length) / 2,
    uniform: false,
    base: "zero",
    extrapolation: scene.recipe?.layers[view.layer]?.extrapolation ?? "linear",
    knots: isSpline ? extended(view.knots, order) : view.control_x,
    weight,
    mask: new Uint8Array([1]),
    formulas: [],
    owners: [],
  };
}

/** Grid points with `order` more at each side, at their mean distance. */
function extended(points: Float64Array, order: number): Float64Array {
  const last = points.length - 1;
  const step = (points[last] - points[0]) / last;
  return Float64Array.from({ length: points.length + 2 * order }, (_, m) => {
    if (m < order) return points[0] - (order - m) * step;
    if (m > last + order) return points[last] + (m - order - last) * step;
    return points[m - order];
  });
}

/** Equally spaced places, both ends included: where a curve is drawn. */
export function places(low: number, high: number, count: number): Float64Array {
  return Float64Array.from({ length: count }, (_, n) => low + ((high - low) * n) / (count - 1));
}

/** Returns losses with those that a frame adds. */
function withNews(losses: Losses, { step, train, test }: Frame): Losses {
  const joined = (old: Float64Array, news: Float64Array): Float64Array =>
    Float64Array.of(...old, ...news);
  return {
    ...losses,
    step: joined(losses.step, step),
    train: joined(losses.train, train),
    test: joined(losses.test, test),
  };
}

/** The share of the variance that is explained at another error than that of a known share. */
function shareAt(r2: number | null, before: number | null, now: number | null): number | null {
  if (r2 === null || now === null || !before) return r2;
  return 1 - (1 - r2) * (now / before) ** 2;
}

/** Returns the errors of a scene as they are at the last step of a frame. */
function errorAt(scene: Scene, { train, test }: Frame): Scene["error"] {
  const { error, losses } = scene;
  if (error.name !== losses.name || train.length === 0) return error;
  const last = test.at(-1) ?? NaN;
  const now = { train: train.at(-1)!, test: Number.isNaN(last) ? error.test : last };
  return {
    ...error,
    ...now,
    r2_train: shareAt(error.r2_train, error.train, now.train),
    r2_test: shareAt(error.r2_test, error.test, now.test),
  };
}

/**
 * Returns what a frame changes: all curves, but for those of edges that a hand holds.
 *
 * @param told The losses as the scene brought them: a frame has all that came since.
 */
export function patchOf(
  frame: Frame,
  scene: Scene,
  told: Losses,
  isHeld: (view: EdgeView) => boolean,
): Patch {
  const n = scene.edges.length ? frame.curve_y.length / scene.edges.length : 0;
  const edges = scene.edges.map((view, at) => {
    const news = { strength: frame.strength[at], score: frame.score[at] };
    if (isHeld(view)) return { ...view, ...news };
    const curve_x = places(frame.low[at], frame.high[at], n);
    const curve_y = Float64Array.from(frame.curve_y.subarray(at * n, (at + 1) * n));
    return { ...along(view, curve_x, curve_y), ...news, band: null };
  });
  return { edges, losses: withNews(told, frame), error: errorAt(scene, frame) };
}
