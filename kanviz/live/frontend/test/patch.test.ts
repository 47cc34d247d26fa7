/** A patched scene is what a fresh one would be, as Python computed both. */

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { unpack } from "../src/codec";
import type { FormulaRecipe, Patch, Scene } from "../src/contract";
import { LayerMaker } from "../src/math/evaluate";
import { withPatch } from "../src/patch";
import { keptBand, places } from "../src/scene";
import { LiveStore } from "../src/store";
import { fakeModel, layer, packed, scene } from "./scenes";

interface Case {
  scene: Scene;
  patch: Patch;
  fresh: Scene;
}

const path = process.env.KANVIZ_FIXTURE;

/** Scores come as float32. */
const ROUNDING = 1e-6;

/** Says where two records differ by more than rounding; "" for nowhere. */
function difference(one: unknown, two: unknown, at = ""): string {
  if (typeof one === "number" && typeof two === "number") {
    const isNear = Math.abs(one - two) <= ROUNDING * Math.max(1, Math.abs(two));
    return isNear || Object.is(one, two) ? "" : `${at}: ${one} and ${two}`;
  }
  if (typeof one !== "object" || typeof two !== "object" || !one || !two)
    return one === two ? "" : `${at}: ${String(one)} and ${String(two)}`;
  const [a, b] = [one as Record<string, unknown>, two as Record<string, unknown>];
  const keys = Object.keys(a);
  if (String(keys.sort()) !== String(Object.keys(b).sort())) return `${at}: other fields`;
  for (const key of keys) {
    const found = difference(a[key], b[key], `${at}.${key}`);
    if (found) return found;
  }
  return "";
}

/** In what order a layer has its formulas says nothing. */
function sorted(scene: Scene): Scene {
  const before = (a: FormulaRecipe, b: FormulaRecipe): number => a.i - b.i || a.j - b.j;
  for (const layer of scene.recipe?.layers ?? []) layer.formulas.sort(before);
  return scene;
}

test("patches of random edits give fresh scenes", { skip: !path }, () => {
  const bytes = readFileSync(path!);
  const { patches } = unpack<{ patches: Case[] }>(new DataView(bytes.buffer, bytes.byteOffset));
  assert.ok(patches.length > 30);
  for (const { scene: before, patch, fresh } of patches)
    assert.equal(difference(sorted(withPatch(before, patch)), sorted(fresh)), "");
});

/** A patch of the scene of `scenes.ts` that moves its only edge. */
function moved(height: number, since = 1): Patch {
  const weight = scene().recipe!.layers[0].weight.slice();
  weight[4] = height;
  const none = new Float64Array(0);
  return {
    ...{ since, version: since + 1, visited: [], views: [] },
    score: Float64Array.of(0.5) as unknown as Float32Array,
    node_score: Float64Array.of(0.5, 1) as unknown as Float32Array,
    edges: [
      {
        ...{ layer: 0, i: 0, j: 0, weight, live: true, program: null, state: "spline" },
        ...{ frozen: true, locked: false, formula: null, mathml: null, function: null },
        quality: null,
      },
    ],
    history: { kept: 1, done: ["moved point 4 of edge (0, 0, 0)"], undone: [] },
    losses: { step: none, train: none, test: none, kept: 0, marks: [] },
    error: { name: "RMSE", train: 0.5, test: 0.25, r2_train: null, r2_test: null },
  };
}

test("a view that opens late shows scene and patch", () => {
  const values = { scene: packed(scene()), patch: packed(moved(7)), local: false };
  const store = new LiveStore(fakeModel(values).model);
  const { edges, history, version, error } = store.scene.peek();
  assert.equal(version, 2);
  assert.equal(edges[0].control_y[4], 7);
  assert.equal(edges[0].frozen, true);
  assert.deepEqual(history.done, ["trained", "moved point 4 of edge (0, 0, 0)"]);
  assert.equal(error.train, 0.5);
});

test("each patch is told from the scene, so none may be missed; one of another scene is left", () => {
  const values: Record<string, unknown> = { scene: packed(scene()), local: false };
  const { model, fire } = fakeModel(values);
  const store = new LiveStore(model);
  const send = (patch: Patch): number => {
    values.patch = packed(patch);
    fire("change:patch");
    return store.scene.peek().edges[0].control_y[4];
  };
  assert.equal(send(moved(7)), 7);
  assert.equal(send(moved(8)), 8);
  assert.equal(store.scene.peek().history.done.length, 2);
  assert.equal(send(moved(9, 5)), 8);
});

test("a patch leaves alone what it does not name", () => {
  const before = scene();
  const after = withPatch(before, { ...moved(7), edges: [] });
  assert.equal(after.recipe!.layers[0], before.recipe!.layers[0]);
  assert.equal(after.edges[0].curve_y, before.edges[0].curve_y);
  assert.equal(after.losses.step, before.losses.step);
});

test("an edge that a hand holds stays bent under patches", async () => {
  const values: Record<string, unknown> = { scene: packed(scene()), local: false };
  const { model, fire, sent } = fakeModel(values);
  const store = new LiveStore(model);
  const heights = scene().recipe!.layers[0].weight.slice();
  heights[4] = 9;
  store.bend([0, 0, 0], heights);
  const asked = store.ask({ type: "move_point", edge: [0, 0, 0], m: 4, height: 9, drag: 1 });
  values.patch = packed(moved(7));
  fire("change:patch");
  assert.equal(store.scene.peek().edges[0].control_y[4], 9);
  fire("msg:custom", { type: "reply", seq: sent[0].seq, ok: true, value: { version: 2 } });
  await asked;
  fire("change:patch");
  assert.equal(store.scene.peek().edges[0].control_y[4], 7);
});

test("a band goes with a curve that a patch moves, and stays with one that it leaves", () => {
  const before = scene();
  const band = before.edges[0].curve_y.map(() => 0.1);
  before.edges = before.edges.map((view) => ({ ...view, band }));
  assert.equal(withPatch(before, moved(7)).edges[0].band, null);
  const { weight, ...rest } = moved(0).edges[0];
  weight.set(before.recipe!.layers[0].weight);
  const frozen = withPatch(before, { ...moved(0), edges: [{ ...rest, weight }] });
  assert.ok(frozen.edges[0].band!.every((reach) => Math.abs(reach - 0.1) < 1e-12));
});

test("a band is drawn between where the sample goes now, as long as that is inside", () => {
  const view = { ...scene().edges[0], band: scene().edges[0].curve_y.map((_, n) => 0.1 + n) };
  const curve = new LayerMaker(layer());
  const at = (low: number, high: number): Float64Array => places(low, high, 21);
  const inner = at(-0.5, 0.5);
  const kept = keptBand(view, inner, curve.curve(0, 0, inner))!;
  assert.ok(Math.abs(kept[0] - 5.1) < 1e-9 && Math.abs(kept[20] - 15.1) < 1e-9);
  const outer = at(-1.5, 0.5);
  assert.equal(keptBand(view, outer, curve.curve(0, 0, outer)), null);
  const lifted = curve.curve(0, 0, inner).map((y) => y + 3);
  assert.ok(keptBand(view, inner, lifted)); // its level is shared
});
