/** The network computed here equals what Python computed, to 1e-9 of the largest value. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Contributions, Diagnosis, Recipe, Scene } from "../src/contract";
import { contributions, diagnosis } from "../src/local/diagnosis";
import { changed } from "../src/local/edits";
import { runAll, scoresOf } from "../src/local/network";
import { nodesOf, nodeValues, outputs, probe } from "../src/math/evaluate";
import { apply } from "../src/math/formula";
import { fixture, skip } from "./fixture";

interface Fixture {
  operations: {
    op: string;
    number: number | null;
    arguments: Float64Array[];
    values: Float64Array;
  }[];
  networks: {
    name: string;
    recipe: Recipe;
    x: Float64Array;
    outputs: Float64Array;
    edges: Float64Array[];
    scores: Float64Array[];
  }[];
  rows: { scene: Scene; row: number[]; diagnosis: Diagnosis; contributions: Contributions };
  drawn: { recipe: Recipe; x: Float64Array; y: Float64Array; weight: Float64Array };
}

const read = (): Fixture => fixture<Fixture>();

function assertClose(found: ArrayLike<number>, wanted: ArrayLike<number>, what: string): void {
  assert.equal(found.length, wanted.length, what);
  const largest = Array.from(wanted).reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  for (let at = 0; at < wanted.length; at++) {
    const error = Math.abs(found[at] - wanted[at]);
    assert.ok(error <= 1e-9 * largest + 1e-15, `${what} at ${at}: ${found[at]} for ${wanted[at]}`);
  }
}

test("every operation of formulas gives what Python gives", { skip }, () => {
  for (const { op, number, arguments: given, values } of read().operations) {
    values.forEach((wanted, at) => {
      const found = apply(
        op,
        given.map((x) => x[at]),
        number,
      );
      const error = Math.abs(found - wanted);
      const scale =
        op === "bessel" || op === "tan" ? Math.max(1, Math.abs(wanted)) : Math.abs(wanted);
      const place = `${op} ${number} of ${given.map((x) => x[at])}: ${found} for ${wanted}`;
      assert.ok(error <= 1e-9 * scale + 1e-300, place);
    });
  }
});

test("splines, radial functions and formulas give what Python gives", { skip }, () => {
  for (const { name, recipe, x, outputs: wanted } of read().networks) {
    assertClose(outputs(recipe, x), wanted, name);
  }
});

test("a probe gives every edge, and they add up to the nodes", { skip }, () => {
  for (const { name, recipe, x, edges } of read().networks) {
    const found = probe(recipe, x.subarray(10, 12));
    edges.forEach((wanted, layer) => assertClose(found.edges[layer], wanted, `${name} ${layer}`));
    assertClose(found.nodes[2], nodeValues(recipe, x.subarray(10, 12))[2], name);
  }
});

test("scores are those of Python", { skip }, () => {
  for (const { name, recipe, x, scores } of read().networks) {
    const found = scoresOf(recipe, runAll(recipe, x), "backward");
    assert.equal(found.nodes[1].length, nodesOf(recipe.layers[0]), name);
    scores.forEach((wanted, layer) => assertClose(found.edges[layer], wanted, `${name} ${layer}`));
  }
});

test("a drawn curve bends an edge as Python bends it", { skip }, () => {
  const { recipe, x, y, weight } = read().drawn;
  const ask = {
    type: "set_curve" as const,
    edge: [0, 1, 2] as const,
    drag: 1,
    how: "drew" as const,
  };
  const after = changed(recipe, { ...ask, x: Array.from(x), y: Array.from(y) });
  assertClose(after!.recipe.layers[0].weight, weight, "weight");
});

test("what a page says of rows is what Python says of them", { skip }, () => {
  const { scene, row, ...wanted } = read().rows;
  const found = diagnosis(scene, scene.recipe!, 0);
  for (const name of ["x", "measured", "predicted"] as const)
    assertClose(found[name], wanted.diagnosis[name], name);
  assert.deepEqual(found.test, wanted.diagnosis.test);
  assert.equal(found.guess, null);
  const one = contributions(scene, scene.recipe!, { x: row, output: 0 });
  assertClose(one.parts, wanted.contributions.parts, "contributions");
  assertClose(
    [one.base, one.value],
    [wanted.contributions.base, wanted.contributions.value],
    "sum",
  );
});
