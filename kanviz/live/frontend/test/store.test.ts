/** The store: scenes in, requests out, and a page's own answers. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "@preact/signals-core";
import type { Probe, Scene } from "../src/contract";
import { LayerMaker } from "../src/math/evaluate";
import { LiveStore } from "../src/store";
import { type Fake, fakeModel, layer, packed, scene, view } from "./scenes";

function make(local = false): Fake & { store: LiveStore } {
  const fake = fakeModel({ scene: packed(scene()), local });
  return { ...fake, store: new LiveStore(fake.model) };
}

test("a scene is read from anywhere in its buffer", () => {
  const { store } = make();
  assert.deepEqual(store.scene.value.edges[0].curve_x, view().curve_x);
  assert.deepEqual(store.scene.value.recipe!.layers[0].mask, new Uint8Array([1]));
});

test("a bent edge follows at once, exactly as its coefficients say", () => {
  const { store } = make();
  const weight = layer().weight;
  weight[4] += 0.7;
  store.bend([0, 0, 0], weight);
  const wanted = new LayerMaker({ ...layer(), weight }).curve(0, 0, view().curve_x);
  store.scene.value.edges[0].curve_y.forEach((y, at) =>
    assert.ok(Math.abs(y - wanted[at]) < 1e-12),
  );
});

test("an edge that a hand holds stays bent until Python has answered", async () => {
  const { store, sent, fire } = make();
  const weight = layer().weight;
  weight[4] = 9;
  store.bend([0, 0, 0], weight);
  const asked = store.ask({ type: "move_point", edge: [0, 0, 0], m: 4, height: 9, drag: 1 });
  fire("change:scene");
  assert.equal(store.scene.value.edges[0].control_y[4], 9);
  fire("msg:custom", { type: "reply", seq: sent[0].seq, ok: true, value: { version: 2 } });
  await asked;
  fire("change:scene");
  assert.equal(store.scene.value.edges[0].control_y[4], layer().weight[4]);
});

test("a refused edit springs back", async () => {
  const { store, sent, fire } = make();
  store.bend([0, 0, 0], new Float64Array(8));
  const asked = store.ask({ type: "move_point", edge: [0, 0, 0], m: 4, height: 0, drag: 1 });
  fire("msg:custom", { type: "reply", seq: sent[0].seq, ok: false, error: "no" });
  await assert.rejects(asked, /no/);
  assert.equal(store.scene.value.edges[0].control_y[4], layer().weight[4]);
});

test("a probe is answered without the kernel where the network is known", async () => {
  const { store, sent } = make();
  const found = (await store.ask({ type: "probe", x: [0.3] })) as { nodes: number[][] };
  const wanted = new LayerMaker(layer()).curve(0, 0, [0.3])[0];
  assert.ok(Math.abs(found.nodes[1][0] - wanted) < 1e-12);
  assert.equal(sent.length, 0);
});

test("what is drawn hears what changed of what it read, and only that", () => {
  const { store } = make();
  let count = 0;
  const edge = [0, 0, 0] as const;
  const end = effect(() => {
    void store.hovered.value;
    count++;
  });
  store.hovered.value = edge;
  store.hovered.value = edge;
  store.select([0, 0, 0]);
  end();
  store.hovered.value = null;
  assert.equal(count, 2); // at first, and once
});

test("an edge that is selected again wants to be seen", () => {
  const { store } = make();
  let count = 0;
  const edge = [0, 0, 0] as const;
  store.selected.subscribe(() => count++);
  store.select(edge);
  store.select(edge);
  assert.equal(count, 3); // at first, and twice
});

test("a bent edge is another object, all others are the same", () => {
  const two = { ...scene(), edges: [view(), { ...view(), j: 1 }] };
  const store = new LiveStore(fakeModel({ scene: packed(two), local: false }).model);
  const [first, second] = store.scene.value.edges;
  const { nodes, losses } = store.scene.value;
  store.bend([0, 0, 0], new Float64Array(8));
  assert.notEqual(store.scene.value.edges[0], first);
  assert.equal(store.scene.value.edges[1], second);
  assert.equal(store.scene.value.nodes, nodes);
  assert.equal(store.losses.value, losses);
});

test("a frame adds to the losses of its scene, and says the errors of now", () => {
  const start = scene();
  const values: Record<string, unknown> = { scene: packed(start), local: false };
  const { model, fire } = fakeModel(values);
  const store = new LiveStore(model);
  const none = new Float64Array(0);
  const drawn = { low: none, high: none, curve_y: none, strength: none, score: none };
  const send = (...columns: number[][]): void => {
    const [step, train, test] = columns.map((column) => Float64Array.from(column));
    values.frame = packed({ version: start.version, ...drawn, step, train, test });
    fire("change:frame");
  };
  send([1, 2], [0.5, 0.25], [NaN, 0.3]);
  send([1, 2, 3], [0.5, 0.25, 0.125], [NaN, 0.3, 0.2]);
  assert.deepEqual(Array.from(store.scene.value.losses.step).slice(-3), [1, 2, 3]);
  assert.equal(store.scene.value.losses.step.length, start.losses.step.length + 3);
  assert.deepEqual(Array.from(store.scene.value.losses.test).slice(-3), [NaN, 0.3, 0.2]);
  assert.equal(store.scene.value.error.train, 0.125);
  assert.equal(store.scene.value.error.test, 0.2);
});

test("while a fit runs all points of an edge are of one instant, and its film can be looked at", () => {
  const start = scene();
  const values: Record<string, unknown> = { scene: packed(start), local: false };
  const { model, fire } = fakeModel(values);
  const store = new LiveStore(model);
  const [old] = start.edges;
  const last = old.curve_x.length - 1;
  const ends = { low: old.curve_x.slice(0, 1), high: old.curve_x.slice(last) };
  const send = (lift: number): void => {
    const curve_y = Float64Array.from(old.curve_y, (y) => y + lift);
    const [strength, score] = [Float64Array.of(1), Float64Array.of(1)];
    const [step, train, test] = [[lift], [1], [NaN]].map((one) => Float64Array.from(one));
    const frame = { version: start.version, ...ends, curve_y, strength, score, step, train, test };
    values.frame = packed(frame);
    fire("change:frame");
  };
  const lifted = (): number[] => {
    const [view] = store.scene.value.edges;
    return [
      view.curve_y[3] - old.curve_y[3],
      view.sample_y[2] - old.sample_y[2],
      view.control_y[4] - old.control_y[4],
    ].map((one) => Math.round(100 * one) / 100);
  };
  for (const lift of [1, 2, 3]) send(lift);
  assert.deepEqual(lifted(), [3, 3, 3]);
  assert.equal(store.film.value.frames.length, 3);
  store.lookBack(0);
  assert.deepEqual(lifted(), [1, 1, 1]);
  store.lookBack(null);
  assert.deepEqual(lifted(), [0, 0, 0], "the scene as Python has it");
  assert.equal(store.film.value.at, null);
  for (let n = 0; n < 400; n++) send(n);
  assert.ok(store.film.value.frames.length <= 150, "a long film is thinned");
  assert.equal(store.film.value.frames.at(-1)!.step[0], 399);
  values.scene = packed({ ...start, version: start.version + 1, edges: [] });
  fire("change:scene");
  store.lookBack(1);
  assert.equal(store.film.value.frames.length, 0, "the film is of other edges");
});

test("nothing listens to the model when a store is gone", () => {
  const { store, listeners } = make();
  assert.ok(listeners() > 0);
  store.destroy();
  assert.equal(listeners(), 0);
});

test("a page edits, recomputes its numbers, undoes and does again", async () => {
  const { store } = make(true);
  const ask = (height: number, drag: number): Promise<unknown> =>
    store.ask({ type: "move_point", edge: [0, 0, 0], m: 4, height, drag });
  await ask(2, 1);
  await ask(3, 1);
  await ask(5, 2);
  assert.equal(store.scene.value.edges[0].control_y[4], 5);
  assert.deepEqual(store.scene.value.history.done.length, 3);
  assert.notEqual(store.scene.value.error.train, 1);
  await store.ask({ type: "undo" });
  assert.equal(store.scene.value.edges[0].control_y[4], 3);
  await store.ask({ type: "undo" });
  assert.equal(store.scene.value.edges[0].control_y[4], layer().weight[4]);
  assert.equal(store.scene.value.history.undone.length, 2);
  await store.ask({ type: "jump", position: 3 });
  assert.equal(store.scene.value.edges[0].control_y[4], 5);
});

test("a page removes and restores edges, and says what it cannot do", async () => {
  const { store } = make(true);
  await store.ask({ type: "remove_edge", edge: [0, 0, 0] });
  assert.equal(store.scene.value.edges[0].state, "pruned");
  assert.equal(store.scene.value.edges[0].score, 0);
  await store.ask({ type: "restore_edge", edge: [0, 0, 0] });
  assert.equal(store.scene.value.edges[0].state, "spline");
  await assert.rejects(store.ask({ type: "symbolify" }), /has no kernel/);
  await assert.rejects(store.ask({ type: "unfix", edge: [0, 0, 0] }), /must be a formula/);
});

test("a page measures its rows before its first edit too, so that it tells what an edit does", async () => {
  const { model } = fakeModel({ scene: packed(scene()), local: true });
  const store = new LiveStore(model);
  assert.equal(store.scene.value.error.name, "RMSE");
  const before = store.measured();
  assert.equal(before.name, "RMSE of the rows shown");
  await store.ask({ type: "move_point", edge: [0, 0, 0], m: 4, height: 9, drag: 1 });
  const after = store.scene.value.error;
  assert.equal(after.name, before.name);
  assert.ok(after.train! > before.train!);
  await store.ask({ type: "undo" });
  assert.deepEqual(store.measured(), before);
});

/** The scene of `scenes.ts` with an input from 300 to 340 and an output 50 times as high. */
function inUnits(): Scene {
  const plain = scene();
  const wide = (x: Float64Array): Float64Array => x.map((at) => 320 + 20 * at);
  const high = (y: Float64Array): Float64Array => y.map((at) => 50 * at);
  const [edge] = plain.edges;
  const drawn = {
    ...{ curve_x: wide(edge.curve_x), sample_x: wide(edge.sample_x), knots: wide(edge.knots) },
    ...{ curve_y: high(edge.curve_y), sample_y: high(edge.sample_y) },
    ...{ control_x: wide(edge.control_x), control_y: high(edge.control_y) },
  };
  const units = { x_shift: [320], x_scale: [20], y_shift: [7], y_scale: [50] };
  const numbers = Object.entries(units).map(([name, one]) => [name, Float64Array.from(one)]);
  return {
    ...plain,
    edges: [{ ...edge, ...drawn }],
    recipe: { ...plain.recipe!, ...Object.fromEntries(numbers) },
    sample: wide(plain.sample),
  };
}

test("a page takes edits and answers probes in the user's units", async () => {
  const { model } = fakeModel({ scene: packed(inUnits()), local: true });
  const store = new LiveStore(model);
  await store.ask({ type: "move_point", edge: [0, 0, 0], m: 4, height: 123, drag: 1 });
  const now = store.scene.value.edges[0];
  assert.ok(Math.abs(now.control_y[4] - 123) < 1e-9);
  assert.deepEqual([now.curve_x[0], now.curve_x.at(-1)], [300, 340]);
  const wanted = now.curve_y.map((y) => 0.5 * y);
  const [x, y] = [Array.from(now.curve_x), Array.from(wanted)];
  await store.ask({ type: "set_curve", edge: [0, 0, 0], x, y, drag: 2, how: "drew" });
  const { curve_y } = store.scene.value.edges[0];
  curve_y.forEach((height, n) => assert.ok(Math.abs(height - wanted[n]) < 1e-3));
  const probe = (await store.ask({ type: "probe", x: [x[10]] })) as Probe;
  assert.deepEqual(probe.nodes[0], [x[10]]);
  assert.ok(Math.abs(probe.edges[0][0] - curve_y[10]) < 1e-9);
  assert.ok(Math.abs(probe.nodes[1][0] - curve_y[10] - 7) < 1e-9);
});
