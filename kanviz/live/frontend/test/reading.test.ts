/** What the playground reads from a network: fewer curves, their names, the formula, and files. */

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { LayerRecipe, Recipe } from "../src/contract";
import { outputs } from "../src/math/evaluate";
import { DEFAULTS, fit } from "../src/math/fit";
import { valueAt } from "../src/math/formula";
import { LIBRARY, suggested } from "../src/math/naming";
import { parseLaw } from "../src/math/parse";
import { uniform } from "../src/math/random";
import { newLayers } from "../src/math/regrid";
import { named, pruned } from "../src/math/simplify";
import { Network } from "../src/math/trainable";
import { dataOf } from "../src/playground/data";
import { formulaOf } from "../src/playground/formula";
import { type Named, pythonJson, readKan, sha256, written } from "../src/playground/kan_file";
import { PLAIN } from "../src/playground/lesson";
import { fixture, skip } from "./fixture";

function end<T>(run: Generator<unknown, T>): T {
  for (;;) {
    const next = run.next();
    if (next.done) return next.value;
  }
}

test("curves get the names of the functions that they are", () => {
  const x = Float64Array.from({ length: 60 }, (_, n) => -1.3 + (3 * n) / 59);
  const curves: [string, (x: number) => number][] = [
    ["x", (at) => 2 - 3 * at],
    ["x^2", (at) => 3 * (at - 0.4) ** 2 + 1],
    ["x^3", (at) => -2 * (0.5 * at + 0.3) ** 3],
    ["exp", (at) => 0.2 * Math.exp(-1.4 * at) - 5],
    ["sin", (at) => 4 * Math.sin(3.3 * at + 0.2) - 1],
    ["tanh", (at) => Math.tanh(4 * at - 1)],
    ["gaussian", (at) => 5 * Math.exp(-((2 * at + 0.3) ** 2))],
    ["1/x", (at) => 3 / (at + 1.8)],
    ["sqrt", (at) => 2 * Math.sqrt(at + 1.5)],
    ["log", (at) => Math.log(2 * at + 3)],
  ];
  for (const [name, f] of curves) {
    const [best] = suggested(x, x.map(f));
    const found = best.known.name.replace("cos", "sin");
    assert.equal(found, name);
    const [a, b, c, d] = best.affine;
    x.forEach((at) => {
      const value = c * valueAt(best.known.program, [a * at + b]) + d;
      assert.ok(Math.abs(value - f(at)) < 1e-3 * Math.abs(f(at)) + 1e-3, `${name} at ${at}`);
    });
  }
});

/** A recipe without units. */
function plain(layers: LayerRecipe[]): Recipe {
  const [inputs, ones] = [layers[0].inputs, Float64Array.of(1)];
  const x_shift = new Float64Array(inputs);
  return {
    layers,
    x_shift,
    x_scale: x_shift.map(() => 1),
    y_shift: Float64Array.of(0),
    y_scale: ones,
  };
}

test("a network of more than it needs is pruned, named and written as its law", () => {
  const law = "sin(3*x_1) + x_2^2";
  const data = dataOf({ ...PLAIN, law, rows: 150 });
  const first = newLayers([2, 2, 1], { size: 5, order: 3 }, uniform(1));
  const { layers } = end(pruned(end(fit(first, data.rows, { ...DEFAULTS, steps: 40 })), data.rows));
  const live = layers.flatMap((layer) => [...layer.mask]).reduce((sum, one) => sum + one, 0);
  assert.ok(live <= 4, `${live} edges are left`);
  const start = newLayers([2, 1], { size: 5, order: 3 }, uniform(1));
  const fitted = end(fit(start, data.rows, { ...DEFAULTS, steps: 30 }));
  const read = end(named(fitted, data.rows));
  const names: Named[] = read.names.map(({ known, ...place }) => {
    const { name, formula, complexity, domain } = known;
    return { ...place, name, formula, complexity, domain };
  });
  const error = new Network(read.layers).loss(data.testRows);
  assert.ok(error < 1e-12, `error ${error}`);
  const { x_shift, x_scale, y_shift, y_scale } = data;
  const recipe = { layers: read.layers, x_shift, x_scale, y_shift, y_scale };
  const formula = formulaOf(recipe, names, data.inputNames, data.train.x)!;
  assert.equal(
    formula.text.replace(/(.*) \+ (.*)/, (all, a, b) => (a < b ? all : `${b} + ${a}`)),
    law,
  );
  assert.match(formula.python, /np\.sin\(3\*x_1\)/);
  assert.match(formula.mathml, /^<math>.*<msub><mi>x<\/mi><mn>1<\/mn><\/msub>.*<\/math>$/);
});

test("a formula computes what its network computes, whatever its functions", () => {
  const next = uniform(5);
  for (let round = 0; round < 40; round++) {
    const layers = newLayers([2, 2, 1], { size: 3, order: 3 }, next);
    const names: Named[] = [];
    layers.forEach((layer, at) => {
      for (let i = 0; i < 2; i++)
        for (let j = 0; j < layer.outputs; j++) {
          const one = LIBRARY[Math.floor(next() * LIBRARY.length)];
          const isOpen = one.domain[0] === null;
          const affine = isOpen
            ? [next() * 2 - 1, next() - 0.5, next() * 2 - 1, next()]
            : [0.1 + 0.2 * next(), 3 + next(), next(), next()];
          layer.formulas.push({ i, j, affine: affine as never, ...one.program });
          names.push({ ...one, layer: at, i, j, quality: 1 });
        }
    });
    const x = new Float64Array(120).map(() => 2 * next() - 1);
    const found = formulaOf(plain(layers), names, ["a", "b"], x);
    if (found === null) continue;
    const program = parseLaw(found.text);
    if (program.inputs.length < 2) continue;
    const values = outputs(plain(layers), x);
    const size = Math.max(...values.map(Math.abs));
    values.forEach((value, n) => {
      const read = valueAt(program, x.subarray(2 * n, 2 * n + 2));
      assert.ok(Math.abs(read - value) < 0.01 * size, `${found.text}: ${read} for ${value}`);
    });
  }
});

test("a hash is that of everyone, and text is Python's", () => {
  for (const length of [0, 55, 56, 64, 1000]) {
    const bytes = Uint8Array.from({ length }, (_, n) => n * 7);
    assert.equal(sha256([bytes]), createHash("sha256").update(bytes).digest("hex"));
  }
  const value = { b: [1e-5, 0.0001, 1e16, 123456789.5, -3e-300, 2, null], a: { "\u00fc": true } };
  const text =
    '{"a": {"\\u00fc": true}, "b": [1e-05, 0.0001, 1e+16, 123456789.5, -3e-300, 2, null]}';
  assert.equal(pythonJson(value), text);
});

interface File {
  kan: Uint8Array;
  x: Float64Array;
  outputs: Float64Array;
}

test("a file of Python's computes the same here, and what is written is for Python", {
  skip,
}, () => {
  const { kan, x, outputs: wanted } = fixture<{ file: File }>().file;
  const saved = readKan(
    kan.buffer.slice(kan.byteOffset, kan.byteOffset + kan.length) as ArrayBuffer,
  );
  assert.deepEqual(saved.inputNames, ["x_1", "\u03b2"]);
  assert.deepEqual(
    saved.named.map(({ name }) => name),
    ["sin"],
  );
  const size = Math.max(...wanted.map(Math.abs));
  const near = (found: Float64Array): void =>
    found.forEach((value, n) => assert.ok(Math.abs(value - wanted[n]) < 1e-12 * size));
  near(outputs(saved.recipe, x));
  const content = written(saved);
  near(outputs(readKan(content.buffer as ArrayBuffer).recipe, x));
  const folder = process.env.KANVIZ_WRITTEN;
  if (folder) writeFileSync(join(folder, "written.kan"), content);
});

test("a file that is none is refused", () => {
  assert.throws(() => readKan(new ArrayBuffer(3)), /no .kan file/);
  assert.throws(() => readKan(new TextEncoder().encode("a".repeat(100)).buffer), /no .kan file/);
});
