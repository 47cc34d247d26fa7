/** Towards a network that can be read: fewer edges, then known functions for the curves. */

import type { LayerRecipe } from "../contract";
import { LayerMaker, runLayer } from "./evaluate";
import { type Moment, moved, varianceOf } from "./fit";
import { minimise } from "./levenberg";
import { type Known, type Suggestion, suggested } from "./naming";
import { smoothness } from "./penalties";
import { Network, type Rows } from "./trainable";

/** What an edge became. */
export interface Name {
  layer: number;
  i: number;
  j: number;
  known: Known;
  /** Share of the variance of the curve that the function explains. */
  quality: number;
}

/** An error below this share of the spread of y is good enough, whatever it was before. */
const ACCURATE = 0.01;
/** How much an error may grow for a simpler network. */
const WORSE = 1.5;
const SMOOTHING = 1e-8;
/** Steps of a refit. */
const [REFIT, LAST] = [40, 80];
/** Rows by which a curve is judged, and functions that are tried in the network. */
const [POINTS, TRIED] = [60, 3];

const blank = { step: 0, start: 0, starts: 0 };

/** Takes out nodes, then edges, weakest first, as long as a refit keeps the error. */
export function* pruned(
  first: readonly LayerRecipe[],
  rows: Rows,
): Generator<Moment, { layers: LayerRecipe[]; limit: number }> {
  const spread = Math.sqrt(varianceOf(rows));
  const limit = Math.max(WORSE * errorOf(first, rows), ACCURATE * spread);
  let layers = [...first];
  for (const find of [nodesOf, edgesOf]) {
    const kept = new Set<string>();
    for (;;) {
      const next = find(layers, rows).find(({ key }) => !kept.has(key));
      if (!next) break;
      const tried = yield* refit(without(layers, next.edges), rows, REFIT, limit);
      if (errorOf(tried, rows) <= limit) layers = tried;
      else kept.add(next.key);
    }
  }
  layers = yield* refit(layers, rows, LAST, 0);
  return { layers, limit };
}

function errorOf(layers: readonly LayerRecipe[], rows: Rows): number {
  return Math.sqrt(new Network(layers).loss(rows) / rows.y.length);
}

/** Trains until the error is below `goal`. */
function* refit(
  first: LayerRecipe[],
  rows: Rows,
  steps: number,
  goal: number,
): Generator<Moment, LayerRecipe[]> {
  const network = new Network(moved(first, rows.x));
  const forms = smoothness(network, SMOOTHING);
  const unit = 1 / (rows.y.length * varianceOf(rows));
  for (const _ of minimise({ model: network, rows, forms, unit }, steps)) {
    yield { ...blank, network };
    if (network.loss(rows) / rows.y.length < goal ** 2) break;
  }
  return network.recipes();
}

interface Candidate {
  key: string;
  /** [layer, i, j] of each edge that goes. */
  edges: [number, number, number][];
  weight: number;
}

const isLive = (layer: LayerRecipe, i: number, j: number): boolean =>
  layer.mask[i * layer.outputs + j] === 1;

/** The parts that edges have in the spread of the nodes they lead to. */
function partsOf(layers: readonly LayerRecipe[], rows: Rows): Float64Array[] {
  let x = rows.x;
  return layers.map((layer) => {
    const { y, spread } = runLayer(layer, x);
    x = y;
    const whole = new Float64Array(layer.outputs);
    spread.forEach((one, at) => (whole[at % layer.outputs] += one));
    return spread.map((one, at) => one / (whole[at % layer.outputs] || 1));
  });
}

/** Hidden nodes that lead somewhere, the weakest first; the last of a layer stays. */
function nodesOf(layers: readonly LayerRecipe[], rows: Rows): Candidate[] {
  const parts = partsOf(layers, rows);
  return layers.slice(1).flatMap((layer, n) => {
    const below = layers[n];
    const nodes = Array.from({ length: layer.inputs }, (_, i): Candidate => {
      const out = Array.from({ length: layer.outputs }, (_, j) => j).filter((j) =>
        isLive(layer, i, j),
      );
      const into = Array.from({ length: below.inputs }, (_, h) => h).filter((h) =>
        isLive(below, h, i),
      );
      return {
        key: `node ${n + 1},${i}`,
        edges: [
          ...out.map((j): [number, number, number] => [n + 1, i, j]),
          ...into.map((h): [number, number, number] => [n, h, i]),
        ],
        weight: out.reduce((sum, j) => sum + parts[n + 1][i * layer.outputs + j], 0),
      };
    }).filter(({ edges }) => edges.length > 0);
    return nodes.length > 1 ? nodes.sort((a, b) => a.weight - b.weight) : [];
  });
}

/** Live edges, the weakest first; the last one into an output stays. */
function edgesOf(layers: readonly LayerRecipe[], rows: Rows): Candidate[] {
  const parts = partsOf(layers, rows);
  const found: Candidate[] = [];
  layers.forEach((layer, at) => {
    for (let j = 0; j < layer.outputs; j++) {
      const mine = Array.from({ length: layer.inputs }, (_, i) => i).filter((i) =>
        isLive(layer, i, j),
      );
      if (mine.length < 2) continue;
      for (const i of mine)
        found.push({
          key: `edge ${at},${i},${j}`,
          edges: [[at, i, j]],
          weight: parts[at][i * layer.outputs + j],
        });
    }
  });
  return found.sort((a, b) => a.weight - b.weight);
}

function without(layers: LayerRecipe[], edges: Candidate["edges"]): LayerRecipe[] {
  return layers.map((layer, at) => {
    const mine = edges.filter(([own]) => own === at);
    if (!mine.length) return layer;
    const mask = layer.mask.slice();
    for (const [, i, j] of mine) mask[i * layer.outputs + j] = 0;
    const formulas = layer.formulas.filter((f) => mask[f.i * layer.outputs + f.j]);
    return { ...layer, mask, formulas };
  });
}

/**
 * Gives curves the names of functions, surest first, as long as a refit of the whole network keeps
 * the error.
 */
export function* named(
  first: readonly LayerRecipe[],
  rows: Rows,
): Generator<Moment, { layers: LayerRecipe[]; names: Name[] }> {
  const spread = Math.sqrt(varianceOf(rows));
  let layers = [...first];
  const names: Name[] = [];
  const order = splinesOf(layers)
    .map((edge) => ({ edge, error: guessesAt(layers, rows, edge)[0]?.error ?? Infinity }))
    .sort((a, b) => a.error - b.error);
  for (const { edge } of order) {
    const [at, i, j] = edge;
    // The refits of others have moved it.
    const guesses = guessesAt(layers, rows, edge);
    const limit = Math.max(WORSE * errorOf(layers, rows), 0.2 * ACCURATE * spread);
    let best: { layers: LayerRecipe[]; error: number; name: Name } | null = null;
    for (const { known, affine, error: left } of guesses.slice(0, TRIED)) {
      const formulas = [...layers[at].formulas, { i, j, affine, ...known.program }];
      const tried = yield* refit(
        layers.map((layer, n) => (n === at ? { ...layer, formulas } : layer)),
        rows,
        REFIT,
        0,
      );
      const error = errorOf(tried, rows);
      const name = { layer: at, i, j, known, quality: 1 - left ** 2 };
      if (error <= limit && (!best || error < 0.5 * best.error))
        best = { layers: tried, error, name };
      // What fits that well need not be compared.
      if (error <= 1e-6 * spread) break;
    }
    if (!best) continue;
    layers = best.layers;
    names.push(best.name);
  }
  layers = yield* refit(layers, rows, LAST, 0);
  return { layers, names };
}

type Edge = readonly [layer: number, i: number, j: number];

/** The edges that are there and no formulas. */
function splinesOf(layers: readonly LayerRecipe[]): Edge[] {
  return layers.flatMap((layer, at) =>
    Array.from(
      { length: layer.inputs * layer.outputs },
      (_, n): Edge => [at, Math.floor(n / layer.outputs), n % layer.outputs],
    ).filter(
      ([, i, j]) => isLive(layer, i, j) && !layer.formulas.some((f) => f.i === i && f.j === j),
    ),
  );
}

/** What a curve may be, where the rows have it. */
export function guessesAt(
  layers: readonly LayerRecipe[],
  rows: Rows,
  [at, i, j]: Edge,
): Suggestion[] {
  let x = rows.x;
  for (const layer of layers.slice(0, at)) x = runLayer(layer, x).y;
  const seen = seenAt(x, i, layers[at].inputs);
  return suggested(seen, new LayerMaker(layers[at]).curve(i, j, seen));
}

/** Some of the values that come to a node. */
function seenAt(x: Float64Array, i: number, inputs: number): Float64Array {
  const rows = x.length / inputs;
  const count = Math.min(POINTS, rows);
  return Float64Array.from(
    { length: count },
    (_, n) => x[Math.floor((n * rows) / count) * inputs + i],
  );
}
