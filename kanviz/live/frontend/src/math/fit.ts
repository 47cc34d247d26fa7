/** A fit: starts, then rounds on a grid that follows the data; see kanviz/training/fit.py. */

import type { LayerRecipe } from "../contract";
import { runLayer } from "./evaluate";
import { adam, minimise, type Problem } from "./levenberg";
import { penaltyOf, smoothness, sparse } from "./penalties";
import { uniform } from "./random";
import { adapted, newLayers } from "./regrid";
import { Network, type Rows } from "./trainable";

export type Optimizer = "lm" | "adam";

export interface FitOptions {
  optimizer: Optimizer;
  steps: number;
  sparsity: number;
  smoothing: number;
  /** For Adam. */
  rate: number;
  /** Whether the grids follow the data between rounds. */
  moves: boolean;
  /** Random starts to try before training; 1 goes on from what is there. */
  starts: number;
  seed: number;
}

export const DEFAULTS: FitOptions = {
  ...{ optimizer: "lm", steps: 150, sparsity: 0, smoothing: 0, rate: 0.01 },
  ...{ moves: true, starts: 1, seed: 0 },
};

/** Far below what a fit can see, yet it settles intervals without data; more of it with a price. */
const [LEAST_SMOOTHING, SPARSE_SMOOTHING] = [1e-10, 1e-6];
/** Steps of a round with sparsity, whose quadratic holds near the present weights only. */
const SPARSE_STEPS = 5;
/** Ends of the rounds, before each of which the grids move. */
const ROUNDS = [0.25, 0.5, 1];
/**
 * Steps of each trial of a start, and the least smoothing; between rounds the better quarter goes
 * on. What a calm curve is good for says little about the last digits, so those that are left last
 * are told apart as the fit itself takes its steps.
 */
const TRIALS = [
  { rounds: [10, 15], least: 1e-5 },
  { rounds: [30], least: 1e-5 },
  { rounds: [60], least: LEAST_SMOOTHING },
];
/** Starts of a small network that go on even so: as many as a number of products pays for. */
const [PRODUCTS, MOST_LAST] = [30_000, 5];
/** Rows for each number of the network, from which the last digits are no chance. */
const LEAST_ROWS = 5;
/** An error below this share of the deviation of y is good; so many good starts end the search. */
const [GOOD_ENOUGH, ENOUGH] = [0.003, 3];
/** Rows that the first trials look at. */
const TRIAL_ROWS = 1000;

/** What is shown of a fit after each step. */
export interface Moment {
  network: Network;
  /** The steps of the fit so far; 0 while starts are tried. */
  step: number;
  /** Which of the starts is tried. */
  start: number;
  starts: number;
}

/** The variance of the numbers of y, or 1 where there is none. */
export function varianceOf({ y, count }: Rows): number {
  const outputs = y.length / count;
  let sum = 0;
  for (let o = 0; o < outputs; o++) {
    let mean = 0;
    for (let at = o; at < y.length; at += outputs) mean += y[at] / count;
    for (let at = o; at < y.length; at += outputs) sum += (y[at] - mean) ** 2;
  }
  return sum / y.length || 1;
}

/** The first rows of a table. */
export function head(rows: Rows, most: number): Rows {
  const count = Math.min(rows.count, most);
  const part = (all: Float64Array): Float64Array =>
    all.subarray(0, (all.length / rows.count) * count);
  return { x: part(rows.x), y: part(rows.y), count };
}

/**
 * A fit that is taken step by step: whoever takes the steps may change the options in between.
 * Returns the best state of all rounds, for knots that move cost some of what was won; with a price
 * of edges, which is told by the present weights, the last one.
 */
export function* fit(
  first: readonly LayerRecipe[],
  rows: Rows,
  options: FitOptions,
): Generator<Moment, LayerRecipe[]> {
  const variance = varianceOf(rows);
  let layers = [...first];
  if (options.starts > 1 && options.optimizer === "lm")
    layers = yield* bestStart(layers, rows, variance, options);
  let step = 0;
  let best: LayerRecipe[] | null = null;
  let least = Infinity;
  while (step < options.steps) {
    if (options.moves) layers = moved(layers, rows.x);
    const network = new Network(layers);
    const end = endOfRound(step, options);
    const problem = problemOf(network, rows, variance, options);
    const ran =
      options.optimizer === "lm"
        ? minimise(problem, end - step)
        : adam(problem, end - step, options.rate);
    const before = JSON.stringify(options);
    if (best === null && options.sparsity === 0) [best, least] = [layers, costNow(problem)];
    let ended = true;
    for (;;) {
      const next = ran.next();
      if (next.done) {
        ended = next.value;
        break;
      }
      step += 1;
      yield { network, step, start: 0, starts: 0 };
      if (JSON.stringify(options) !== before) {
        ended = false;
        best = null;
        break; // go on by what is wanted now
      }
    }
    layers = network.recipes();
    if (best !== null) {
      const cost = costNow(problem);
      if (!(cost >= least)) [best, least] = [layers, cost];
    }
    if (ended) {
      const isLast = end >= options.steps || options.sparsity > 0;
      if (isLast && !(options.sparsity > 0 && step < end)) {
        if (options.sparsity === 0) break;
      }
      step = Math.max(step, end);
    }
  }
  return best ?? layers;
}

function endOfRound(at: number, { steps, sparsity, moves, optimizer }: FitOptions): number {
  if (sparsity > 0) return Math.min(at - (at % SPARSE_STEPS) + SPARSE_STEPS, steps);
  if (!moves || optimizer === "adam") return steps;
  return ROUNDS.map((share) => Math.round(share * steps)).find((end) => end > at) ?? steps;
}

function problemOf(
  network: Network,
  rows: Rows,
  variance: number,
  { sparsity, smoothing }: FitOptions,
): Problem {
  const least = sparsity > 0 ? SPARSE_SMOOTHING : LEAST_SMOOTHING;
  const forms = smoothness(network, Math.max(smoothing, least));
  if (sparsity > 0) forms.push(...sparse(network, rows.x, sparsity));
  return { model: network, rows, forms, unit: 1 / (rows.y.length * variance) };
}

/** What a problem makes small, as it is now. */
function costNow({ model, rows, forms, unit }: Problem): number {
  return unit * model.loss(rows) + penaltyOf(forms, model.numbers());
}

/** The layers on grids that reach as far as their inputs do. */
export function moved(layers: readonly LayerRecipe[], x: Float64Array): LayerRecipe[] {
  let values = x;
  return layers.map((layer) => {
    const made = adapted(layer, values);
    values = runLayer(made, values).y;
    return made;
  });
}

/** Tries starts, each trained a bit; the better quarter of them is trained on, and again. */
function* bestStart(
  first: LayerRecipe[],
  rows: Rows,
  variance: number,
  options: FitOptions,
): Generator<Moment, LayerRecipe[]> {
  interface Entry {
    layers: LayerRecipe[];
    loss: number;
    number: number;
  }
  const { starts } = options;
  const quick = head(rows, TRIAL_ROWS);
  const widths = [first[0].inputs, ...first.map((layer) => layer.outputs)];
  const grid = { size: first[0].grid_size, order: first[0].spline_order };
  const goal = GOOD_ENOUGH ** 2 * variance;
  let field: Entry[] = [];
  for (let number = 0; number < starts; number++) {
    const made = number ? newLayers(widths, grid, uniform(options.seed + 7919 * number)) : first;
    const found = yield* trial(made, quick, variance, TRIALS[0], { options, number });
    field.push({ ...found, number });
    if (field.filter(({ loss }) => loss < goal).length === ENOUGH) break;
  }
  const numbers = new Network(first).numbers().length;
  const isSure = options.sparsity === 0 && rows.count >= LEAST_ROWS * numbers;
  const last = isSure ? Math.min(MOST_LAST, Math.floor(PRODUCTS / numbers ** 2)) : 1;
  for (const rounds of TRIALS.slice(1)) {
    field.sort((a, b) => a.loss - b.loss);
    field = field.slice(0, Math.max(1, last, Math.floor((field.length + 3) / 4)));
    if (field.length === 1) break;
    for (const entry of field) {
      const { number } = entry;
      Object.assign(entry, yield* trial(entry.layers, rows, variance, rounds, { options, number }));
    }
  }
  return field.reduce((one, other) => (other.loss < one.loss ? other : one)).layers;
}

function* trial(
  first: LayerRecipe[],
  rows: Rows,
  variance: number,
  { rounds, least }: (typeof TRIALS)[number],
  { options, number }: { options: FitOptions; number: number },
): Generator<Moment, { layers: LayerRecipe[]; loss: number }> {
  let layers = first;
  let loss = Infinity;
  for (const steps of rounds) {
    if (options.moves) layers = moved(layers, rows.x);
    const network = new Network(layers);
    const smoothing = Math.max(options.smoothing, least);
    const problem = problemOf(network, rows, variance, { ...options, sparsity: 0, smoothing });
    for (const _ of minimise(problem, steps))
      yield { network, step: 0, start: number, starts: options.starts };
    layers = network.recipes();
    loss = network.loss(rows) / rows.y.length;
  }
  return { layers, loss };
}
