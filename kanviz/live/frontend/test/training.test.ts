/** Training in the page takes Python's steps: the same equations, penalties and grids. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Recipe } from "../src/contract";
import { outputs } from "../src/math/evaluate";
import { featureCount } from "../src/math/features";
import { DEFAULTS, fit, moved } from "../src/math/fit";
import { minimise } from "../src/math/levenberg";
import { numbersOf, Perceptron, widthsFor } from "../src/math/mlp";
import { addForms, type EdgeForm, penaltyOf, smoothness, sparse } from "../src/math/penalties";
import { uniform } from "../src/math/random";
import { newLayers, refined } from "../src/math/regrid";
import { Network, type Rows } from "../src/math/trainable";
import { fixture, skip } from "./fixture";

interface Trained {
  recipe: Recipe;
  x: Float64Array;
  y: Float64Array;
  loss: number;
  matrix: Float64Array;
  gradient: Float64Array;
  smooth: Float64Array;
  sparse: Float64Array;
  moved: Float64Array;
}

const read = (): Trained[] => fixture<{ trained: Trained[] }>().trained;
const square = (n: number): Float64Array[] =>
  Array.from({ length: n }, (_, i) => new Float64Array(i + 1));

/** Where each number of ours stands among Python's: (inputs, features, outputs), then formulas. */
function places(network: Network): number[] {
  const found: number[] = [];
  let begin = 0;
  for (const { recipe, start } of network.splines()) {
    const { inputs, outputs: width } = recipe;
    const rows = featureCount(recipe);
    start.forEach((at, edge) => {
      if (at < 0) return;
      const [i, j] = [Math.floor(edge / width), edge % width];
      for (let m = 0; m < rows; m++) found[at + m] = begin + (i * rows + m) * width + j;
    });
    begin += inputs * rows * width;
    const last = Math.max(-1, ...start) < 0 ? 0 : Math.max(...start) + rows;
    recipe.formulas.forEach((_, n) => {
      for (let m = 0; m < 4; m++) found[last + 4 * n + m] = begin + 4 * n + m;
    });
    begin += 4 * recipe.formulas.length;
  }
  return found;
}

function near(found: number, wanted: number, scale: number, what: string): void {
  assert.ok(Math.abs(found - wanted) <= 1e-8 * scale, `${what}: ${found} for ${wanted}`);
}

const largest = (values: Float64Array): number =>
  values.reduce((most, value) => Math.max(most, Math.abs(value)), 0);

test("the normal equations are Python's, with formulas and removed edges", { skip }, () => {
  for (const { recipe, x, y, loss, matrix, gradient } of read()) {
    const network = new Network(recipe.layers);
    const found = square(network.numbers().length);
    const told = network.slope({ x, y, count: y.length }, found);
    near(told.loss, loss, loss, "loss");
    const at = places(network);
    found.forEach((row, p) => {
      near(told.gradient[p], gradient[at[p]], largest(gradient), `gradient ${p}`);
      row.forEach((value, q) =>
        near(value, matrix[at[p] * gradient.length + at[q]], largest(matrix), `matrix ${p} ${q}`),
      );
    });
  }
});

test("penalties are Python's", { skip }, () => {
  for (const { recipe, x, smooth, sparse: spare } of read()) {
    const network = new Network(recipe.layers);
    const total = Math.sqrt(smooth.length);
    const at = places(network);
    const check = (forms: EdgeForm[], wanted: Float64Array, what: string): void => {
      const numbers = network.numbers();
      const found = square(numbers.length);
      const half = new Float64Array(numbers.length);
      addForms(forms, numbers, half, found);
      const value = half.reduce((sum, slope, n) => sum + slope * numbers[n], 0);
      near(penaltyOf(forms, numbers), value, value, `${what} value`);
      found.forEach((row, p) =>
        row.forEach((entry, q) =>
          near(entry, wanted[at[p] * total + at[q]], largest(wanted), `${what} ${p} ${q}`),
        ),
      );
    };
    check(smoothness(network, 0.1), smooth, "smoothness");
    check(sparse(network, x, 0.1), spare, "sparsity");
  }
});

test("grids move to the data as Python's do", { skip }, () => {
  for (const { recipe, x, moved: wanted } of read()) {
    if (recipe.layers[0].basis !== "bspline") continue;
    const found = outputs({ ...recipe, layers: moved(recipe.layers, x) }, x);
    // Python fits them at places of single precision.
    found.forEach((value, n) => near(value, wanted[n], 100 * largest(wanted), `output ${n}`));
  }
});

test("a finer grid leaves the functions as they are", () => {
  const layers = newLayers([2, 3, 1], { size: 3, order: 3 }, uniform(1));
  const x = new Float64Array(80).map(uniform(2));
  const one = new Float64Array([0]);
  const recipe = (now: typeof layers): Recipe => ({
    layers: now,
    ...{ x_shift: new Float64Array(2), x_scale: Float64Array.of(1, 1) },
    ...{ y_shift: one, y_scale: Float64Array.of(1) },
  });
  const before = outputs(recipe(layers), x);
  outputs(recipe(refined(layers, 9)), x).forEach((value, n) =>
    near(value, before[n], 1, `output ${n}`),
  );
});

/** Rows of a product of two inputs, of mean 0 and deviation 1. */
function product(count: number, seed: number): Rows {
  const next = uniform(seed);
  const x = new Float64Array(2 * count).map(() => 2 * next() - 1);
  const y = Float64Array.from({ length: count }, (_, n) => 3 * x[2 * n] * x[2 * n + 1]);
  return { x, y, count };
}

test("a network that may multiply learns to, and errs as little on new rows", () => {
  const [rows, fresh] = [product(200, 1), product(200, 2)];
  const first = newLayers([2, 2, 1], { size: 4, order: 3 }, uniform(3));
  const ran = fit(first, rows, { ...DEFAULTS, steps: 60, starts: 4 });
  let next = ran.next();
  while (!next.done) next = ran.next();
  const error = Math.sqrt(new Network(next.value).loss(fresh) / fresh.count);
  assert.ok(error < 0.01, `test error ${error}`);
});

test("no step of Levenberg and Marquardt makes the cost larger", () => {
  const rows = product(60, 4);
  const network = new Network(newLayers([2, 3, 1], { size: 5, order: 2 }, uniform(5)));
  const forms = smoothness(network, 1e-4);
  const cost = (): number => network.loss(rows) / 60 + penaltyOf(forms, network.numbers());
  let before = cost();
  for (const _ of minimise({ model: network, rows, forms, unit: 1 / 60 }, 30)) {
    const now = cost();
    assert.ok(now < before, `${now} after ${before}`);
    before = now;
  }
});

test("a fit takes other options over in the middle, and ends after its steps", () => {
  const options = { ...DEFAULTS, steps: 20 };
  const ran = fit(newLayers([2, 1], { size: 4, order: 3 }, uniform(1)), product(60, 1), options);
  const seen: number[] = [];
  for (const { step } of ran) {
    seen.push(step);
    if (step === 3) Object.assign(options, { sparsity: 0.01 });
  }
  assert.ok(Math.max(...seen) <= 20 && seen.length > 3, String(seen));
  assert.ok(seen.every((step, n) => n === 0 || step >= seen[n - 1]));
});

test("a perceptron of as many numbers has the slopes that differences have", () => {
  const widths = widthsFor(2, 1, 60);
  assert.ok(Math.abs(numbersOf(widths) - 60) < 10, String(widths));
  const model = new Perceptron(widths, uniform(1));
  const rows = product(9, 3);
  const numbers = model.numbers();
  const matrix = square(numbers.length);
  const { gradient, loss } = model.slope(rows, matrix);
  near(model.loss(rows), loss, loss, "loss");
  for (let n = 0; n < numbers.length; n += 7) {
    const at = (step: number): number => {
      model.put(numbers.map((one, m) => (m === n ? one + step : one)));
      return model.loss(rows);
    };
    const slope = (at(1e-5) - at(-1e-5)) / 2e-5;
    assert.ok(Math.abs(2 * gradient[n] - slope) < 1e-6 * (1 + Math.abs(slope)), `slope ${n}`);
    assert.ok(matrix[n][n] >= 0);
  }
});
