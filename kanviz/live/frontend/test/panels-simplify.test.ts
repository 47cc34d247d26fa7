import assert from "node:assert/strict";
import { test } from "node:test";
import type { Edge, Plan } from "../src/contract";
import { came, simplifyPanel } from "../src/panels/simplify";
import { buttonOf, enter, inputOf, pause, show, works } from "./panels-dom";
import type { Answers } from "./panels-store";
import { edgeView, FakeStore, makeScene } from "./panels-store";

const EDGES: Edge[] = [
  [1, 1, 0],
  [0, 1, 1],
  [0, 1, 0],
];
const PLAN: Plan = {
  steps: [
    { edges: [EDGES[0]], score: 0.01, train: 2e-4, test: 0.0032 },
    { edges: [EDGES[1], EDGES[2]], score: 0.02, train: 3e-4, test: 0.0034 },
  ],
};

async function open(more: Answers = () => ({ version: 2 })) {
  const store = new FakeStore(makeScene(), (ask) => (ask.type === "plan" ? PLAN : more(ask)));
  const panel = simplifyPanel(store);
  const root = show(panel.element);
  const slider = inputOf(root, "Weakest edges");
  slider.focus();
  await pause(20);
  return { store, panel, root, slider };
}

test("the plan is asked when a hand comes near, once for each scene", async () => {
  const { store, slider } = await open();
  slider.dispatchEvent(new Event("pointerenter"));
  await pause(20);
  assert.equal(store.of("plan").length, 1);
  assert.equal(slider.max, "2");
  store.change({ version: 2 });
  await pause(20);
  assert.equal(store.of("plan").length, 2);
});

test("the slider shows what would go and what it costs", async () => {
  const { store, root, slider } = await open();
  enter(slider, 2);
  assert.deepEqual([...store.doomed.value].sort(), ["0,1,0", "0,1,1", "1,1,0"]);
  const said = slider.getAttribute("aria-valuetext")!;
  assert.equal(said, "Removes 3 edges: test error 0.0031 \u2192 0.0034 before refitting.");
  enter(slider, 0);
  assert.equal(store.doomed.value.size, 0);
  assert.ok(!works(buttonOf(root, "Remove")));
});

test("applying prunes these very edges and clears the marks", async () => {
  const { store, root, slider } = await open();
  enter(slider, 2);
  buttonOf(root, "Remove").click();
  await pause(20);
  assert.deepEqual(store.of("prune"), [{ type: "prune", edges: EDGES }]);
  assert.equal(store.doomed.value.size, 0);
});

test("leaving takes the marks away", async () => {
  const { store, panel, slider } = await open();
  enter(slider, 1);
  panel.destroy();
  assert.equal(store.doomed.value.size, 0);
});

test("symbolify tells what became a formula, to be kept or undone", async () => {
  const { store, root } = await open();
  buttonOf(root, "Find formulas").click();
  assert.ok(!works(buttonOf(root, "Prune and refit")));
  const edges = store.scene.value.edges.slice();
  edges[0] = edgeView([0, 0, 0], Math.sin, {
    state: "symbolic",
    formula: "sin(3*x)",
    quality: 0.99999,
  });
  await pause(20);
  const done = [...store.scene.value.history.done, "made 1 of 6 edges formulas"];
  const error = { name: "RMSE", train: 1e-4, test: 0.003, r2_train: null, r2_test: null };
  store.change({ version: 2, edges, error, history: { done, undone: [] } });
  await pause(20);
  const told = root.querySelector(".kv-outcome:not([hidden])")!.textContent!;
  assert.match(told, /Made formulas of 1 edge: test error 0\.0031 \u2192 0\.003\./);
  assert.match(told, /x \u2192 h1.0: sin\(3\*x\) \(R\u00b2 0\.99999\)/);
  buttonOf(root, "Undo").click();
  assert.equal(store.of("undo").length, 1);
});

test("an outcome goes once something else was done, as undo would undo that", async () => {
  const { store, root } = await open();
  buttonOf(root, "Prune and refit").click();
  await pause(20);
  const done = [...store.scene.value.history.done, "pruned 1 edge in context"];
  store.change({ version: 2, history: { done, undone: [] } });
  await pause(20);
  const outcome = root.querySelector<HTMLElement>(".kv-outcome")!;
  assert.equal(outcome.hidden, false);
  store.change({ version: 3, history: { done: [...done, "refined"], undone: [] } });
  assert.equal(outcome.hidden, true);
});

test("a search that fails says why and can be started again", async () => {
  const { root } = await open(() => {
    throw new Error("data must be given.");
  });
  buttonOf(root, "Find formulas").click();
  await pause(20);
  assert.match(root.querySelector(".kv-wrong")!.textContent!, /data must be given/);
  assert.ok(works(buttonOf(root, "Find formulas")));
});

test("only edges that came to a state are told", () => {
  const before = makeScene();
  const edges = before.edges.slice();
  edges[1] = { ...edges[1], state: "pruned" };
  const after = makeScene({ edges });
  assert.deepEqual(
    came(before, after, "pruned").map((v) => [v.i, v.j]),
    [[0, 1]],
  );
  assert.deepEqual(came(after, after, "pruned"), []);
});
