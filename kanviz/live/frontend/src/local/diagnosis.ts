/** How an output does row by row, on the rows that lie in a page; as `live/desk.py` answers it. */

import type { Contributions, Diagnosis, Recipe, Scene } from "../contract";
import { outputs } from "../math/evaluate";

/** Rows that a row is compared with, and numbers in all mixed rows: as in Python. */
const BACKGROUND = 64;
const MOST_MIXED = 2 ** 23;

/** A page has training rows only. */
export function diagnosis(scene: Scene, recipe: Recipe, output: number): Diagnosis {
  const { sample, target, widths } = scene;
  const rows = sample.length / widths[0];
  const wide = rows ? target.length / rows : 0;
  if (!wide) throw new Error("This page holds no rows of the data with their outputs.");
  const found = outputs(recipe, sample);
  const height = widths.at(-1)!;
  const all = Array.from({ length: rows }, (_, row) => row);
  const common = { x: Array.from(sample), test: all.map(() => false) };
  if (wide === height && scene.error.name !== "accuracy") {
    return {
      ...common,
      measured: all.map((row) => target[row * wide + output]),
      predicted: all.map((row) => found[row * height + output]),
      guess: null,
    };
  }
  const shares = all.map((row) => softmax(found.slice(row * height, (row + 1) * height)));
  return {
    ...common,
    measured: Array.from(target),
    predicted: shares.map((share, row) => share[target[row]]),
    guess: shares.map((share) => share.indexOf(Math.max(...share))),
  };
}

function softmax(scores: Float64Array): number[] {
  const most = Math.max(...scores);
  const powers = Array.from(scores, (score) => Math.exp(score - most));
  const sum = powers.reduce((a, b) => a + b);
  return powers.map((power) => power / sum);
}

/**
 * What each input adds to an output at one row: Shapley values over rows of the sample, the order
 * turned by one from row to row and taken there and back, as in `analysis/attribution.py`.
 */
export function contributions(
  scene: Scene,
  recipe: Recipe,
  ask: { x: readonly number[]; output: number },
): Contributions {
  const { sample, widths } = scene;
  const [width, height] = [widths[0], widths.at(-1)!];
  const rows = sample.length / width;
  const most = Math.max(1, Math.floor(MOST_MIXED / (2 * width * (width + 1))));
  const count = Math.min(rows, BACKGROUND, most);
  const parts = new Array<number>(width).fill(0);
  for (let turn = 0; turn < count; turn++) {
    const row = Math.floor((turn * rows) / count) * width;
    const forth = Array.from({ length: width }, (_, at) => (((at - turn) % width) + width) % width);
    for (const way of [forth, forth.slice().reverse()]) {
      const mixed = new Float64Array((width + 1) * width);
      const now = sample.slice(row, row + width);
      mixed.set(now);
      way.forEach((i, t) => {
        now[i] = ask.x[i];
        mixed.set(now, (t + 1) * width);
      });
      const said = outputs(recipe, mixed);
      way.forEach((i, t) => {
        const change = said[(t + 1) * height + ask.output] - said[t * height + ask.output];
        parts[i] += change / (2 * count);
      });
    }
  }
  const value = outputs(recipe, ask.x)[ask.output];
  return { base: value - parts.reduce((a, b) => a + b, 0), parts, value };
}
