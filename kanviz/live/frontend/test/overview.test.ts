/** What is said of a network at a glance: names, structure, verdict, next step, the function. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { EdgeState, LayerRecipe, Scene } from "../src/contract";
import { written } from "../src/diagram/export";
import { placesOf } from "../src/diagram/layout";
import { figuresOf, structure, termsOf } from "../src/head";
import explorer from "../src/index";
import { atAGlance, inPieces, nameAndUnit, scientific } from "../src/names";
import { contour } from "../src/panels/function_view";
import {
  idleEdges,
  inputEffects,
  nextStep,
  overviewPanel,
  verdictOf,
} from "../src/panels/overview";
import { probePanel } from "../src/panels/probe";
import { Sample } from "../src/panels/sample";
import { formulaNode } from "../src/ui/mathml";
import { rangeText, tidy } from "../src/ui/numbers";
import { buttonOf, inputOf, pause, show } from "./panels-dom";
import { edgeView, errors, FakeStore, makeScene } from "./panels-store";
import { fakeModel, layer, packed, scene } from "./scenes";

test("a label is a name and a unit with its powers above the line", () => {
  assert.deepEqual(nameAndUnit("heat flux [W/m^2]"), { name: "heat flux", unit: "W/m\u00b2" });
  assert.deepEqual(nameAndUnit("rate (mol s^-1)"), { name: "rate", unit: "mol s\u207b\u00b9" });
  assert.deepEqual(nameAndUnit("x_1"), { name: "x_1", unit: "" });
  assert.deepEqual(nameAndUnit("[K]"), { name: "[K]", unit: "" });
});

test("numbers far from 1 have their power of ten, and dust is no number", () => {
  assert.equal(scientific(1.084e5), "1.08 \u00d7 10\u2075");
  assert.equal(scientific(-2.5e-7), "\u22122.5 \u00d7 10\u207b\u2077");
  assert.equal(scientific(363.2), "363");
  assert.equal(scientific(null), "\u2013");
  assert.equal(tidy(6.44e-9, 1), "0");
  assert.equal(tidy(420, 280), "420");
  assert.equal(rangeText(-2.2e-8, 1), "0 to 1");
});

test("formulas that leave the diagram are written as people write them", () => {
  assert.equal(written("2*sqrt(x)**2 - x**10"), "2\u00b7\u221a(x)\u00b2 \u2212 x\u00b9\u2070");
});

/** A network [3, 2, 1] of which only some edges are there. */
function sparse(live: string[]): Scene {
  const edges: [number, number, number][] = [];
  for (let i = 0; i < 3; i++) for (let j = 0; j < 2; j++) edges.push([0, i, j]);
  edges.push([1, 0, 0], [1, 1, 0]);
  const state = (key: string): EdgeState => (live.includes(key) ? "spline" : "pruned");
  const views = edges.map((edge) => edgeView(edge, (x) => x, { state: state(edge.join()) }));
  const names = ["a", "b [K]", "c"];
  const nodes = [3, 2, 1].flatMap((width, layer) =>
    Array.from({ length: width }, (_, index) => ({
      ...{ layer, index, label: layer === 0 ? names[index] : layer === 2 ? "y" : "" },
      ...{ score: 1, x: (index + 0.5) / width, y: layer / 2, factors: [] },
    })),
  );
  return makeScene({ widths: [3, 2, 1], n_edges: 8, edges: views, nodes });
}

test("the structure says which inputs act together, and which apart", () => {
  const apart = sparse(["0,0,0", "0,1,1", "0,2,1", "1,0,0", "1,1,0"]);
  assert.deepEqual(termsOf(apart, 0), [[0], [1, 2]]);
  assert.equal(structure(apart).textContent, "y=f(a)+g(b,c)");
  const joined = sparse(["0,0,0", "0,1,0", "0,1,1", "0,2,1", "1,0,0", "1,1,0"]);
  assert.deepEqual(termsOf(joined, 0), [[0, 1, 2]]);
  assert.deepEqual(termsOf(sparse(["0,0,0", "1,1,0"]), 0), []);
});

test("hidden nodes without an edge have no place where removed edges are hidden", () => {
  const made = sparse(["0,0,1", "1,1,0"]);
  assert.deepEqual(placesOf(made)[1], [0, 1]);
  assert.deepEqual(placesOf(made, true)[1], [NaN, 0]);
  assert.deepEqual(placesOf(made, true)[0], [0, 1, 2]);
});

const judged = (more: Partial<Scene>): string => verdictOf(makeScene(more)).title;

test("the verdict is that of the errors of both parts", () => {
  const explained = (r2_train: number, r2_test: number) => ({ r2_train, r2_test });
  assert.equal(judged({ is_fresh: true }), "Not trained yet");
  assert.equal(judged({ has_data: false, error: errors(null, null) }), "No data");
  assert.equal(judged({ error: { ...errors(1, 1.1), ...explained(0.99, 0.98) } }), "Fine");
  assert.equal(judged({ error: { ...errors(1, 5), ...explained(0.99, 0.6) } }), "Overfit");
  const few = { rows: [10, 5], error: { ...errors(1, 5), ...explained(0.99, 0.6) } };
  assert.equal(judged(few), "Overfit: too few data");
  assert.equal(
    judged({ error: { ...errors(5, 5), ...explained(0.2, 0.2) } }),
    "It explains little",
  );
  assert.equal(judged({ error: errors(1, null) }), "No test part");
  const accuracy = { name: "accuracy", r2_train: null, r2_test: null };
  assert.equal(judged({ error: { ...accuracy, train: 1, test: 0.8 } }), "Overfit");
  assert.equal(judged({ error: { ...accuracy, train: 0.97, test: 0.96 } }), "Fine");
});

test("the next step is to train, then to remove what is idle, then to name the curves", () => {
  assert.equal(nextStep(makeScene({ is_fresh: true }), false)?.text, "Train");
  const made = makeScene();
  assert.equal(nextStep(made, false)?.text, "Name the curves");
  assert.equal(nextStep(made, true), null);
  made.edges[0] = { ...made.edges[0], score: 1e-4 };
  assert.deepEqual(idleEdges(made), [[0, 0, 0]]);
  const step = nextStep(made, true)!;
  assert.deepEqual(step.ask, { type: "prune", edges: [[0, 0, 0]] });
});

test("the overview ranks the inputs, and its button does the next step", async () => {
  const store = new FakeStore(makeScene({ is_fresh: true }));
  store.scene.value.nodes[1].score = 3;
  const root = show(overviewPanel(store).element);
  await pause(250);
  const names = [...root.querySelectorAll(".kv-input")].map((one) => one.textContent);
  assert.deepEqual(names, ["y75 %", "x25 %"]);
  buttonOf(root, "Train").click();
  assert.equal(store.of("train").length, 1);
  (root.querySelector(".kv-input") as HTMLButtonElement).click();
  assert.deepEqual(store.selected.value?.slice(0, 2), [0, 1]);
});

test("the focus stays in the panel when no step is left, and an input without edges is removed", async () => {
  const store = new FakeStore();
  const root = show(overviewPanel(store).element);
  await pause(250);
  buttonOf(root, "Name the curves").focus();
  const edges = store.scene.value.edges.map((view) => ({
    ...view,
    state: (view.layer === 0 && view.i === 1 ? "pruned" : "symbolic") as EdgeState,
  }));
  store.change({ edges });
  assert.equal((document.activeElement as HTMLElement).className, "kv-verdict-title");
  await pause(250);
  const rows = [...root.querySelectorAll(".kv-input .kv-number")].map((one) => one.textContent);
  assert.equal(rows.filter((text) => text === "removed").length, 1);
});

test("an input whose paths cancel does not matter, whatever its edges do", () => {
  const ramp = (sign: number): number[] => Array.from({ length: 8 }, (_, m) => sign * (m - 3.5));
  // (inputs, basis, outputs): what input i has in its splines to the outputs j.
  const made = (signs: number[][]): LayerRecipe => ({
    ...layer(),
    ...{ inputs: signs.length, outputs: signs[0].length },
    knots: Float64Array.from(signs.flatMap(() => [...layer().knots])),
    mask: new Uint8Array(signs.flat().length).fill(1),
    weight: Float64Array.from(
      signs.flatMap((own) => ramp(1).flatMap((height) => own.map((sign) => sign * height))),
    ),
  });
  const one = Float64Array.of(1);
  const zero = Float64Array.of(0);
  const recipe = {
    ...{
      layers: [
        made([
          [1, -1],
          [1, 1],
        ]),
        made([[1], [1]]),
      ],
      y_shift: zero,
      y_scale: one,
    },
    ...{ x_shift: Float64Array.of(0, 0), x_scale: Float64Array.of(1, 1) },
  };
  const sample = Float64Array.from({ length: 120 }, (_, n) => Math.sin(7 * n * n));
  const [cancels, counts] = inputEffects(recipe, sample)!;
  assert.ok(Math.abs(cancels) < 1e-12);
  assert.ok(Math.abs(counts - 1) < 1e-12);
  assert.equal(inputEffects(null, sample), null);
});

test("a long formula is cut before its terms, and within parentheses where it must", () => {
  const sum =
    "<math><mrow><mrow><mn>-2.12345</mn><mo>·</mo><mtext>v [m/s]</mtext></mrow><mo>-</mo>" +
    "<mrow><mi>cos</mi><mrow><mo>(</mo><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow><mo>)</mo></mrow></mrow></mrow></math>";
  const pieces = inPieces(atAGlance(formulaNode(sum, "")) as Element);
  assert.deepEqual(
    pieces.map((piece) => [...piece.children].map((one) => one.textContent)),
    [
      ["\u22122.123·", "v"],
      ["\u2212cos(a", "+1)"],
    ],
  );
  const product = "<math><mrow><mn>2</mn><mo>\u2062</mo><mi>erf</mi></mrow></math>";
  const apart = (formulaNode(product, "") as Element).querySelector("mo")!;
  assert.equal(apart.getAttribute("lspace"), "0.17em");
  const tall =
    "<math><mrow><mi>a</mi><mo>+</mo><mrow><mi>f</mi><mrow><mo>(</mo>" +
    "<mfrac><mi>b</mi><mn>3</mn></mfrac><mo>)</mo></mrow></mrow></mrow></math>";
  const whole = inPieces(formulaNode(tall, "") as Element);
  assert.deepEqual(
    whole.map((piece) => piece.children.length),
    [1, 1],
  );
});

test("the head has the error that counts, with its unit", () => {
  const made = makeScene({ error: { ...errors(1, 363), r2_train: 1, r2_test: 0.98 } });
  made.nodes = made.nodes.map((node) => (node.layer === 2 ? { ...node, label: "q [W]" } : node));
  assert.deepEqual(figuresOf(made), [
    { name: "test RMSE", value: "363", unit: "W" },
    { name: "test R\u00b2", value: "0.980", unit: "" },
  ]);
  assert.deepEqual(figuresOf(makeScene({ error: errors(null, null) })), []);
});

test("a contour of a plane is a straight line at its level", () => {
  const heights = Float64Array.from({ length: 25 }, (_, at) => at % 5);
  const path = contour(
    heights,
    5,
    1.5,
    (n) => n,
    (n) => n,
  );
  const places = [...path.matchAll(/([\d.]+) ([\d.]+)/g)].map(([, x]) => Number(x));
  assert.equal(places.length, 8);
  assert.ok(places.every((x) => x === 1.5));
});

/** A scene whose two inputs are the categories of one column. */
function categories(): Scene {
  const made = makeScene();
  const label = ["metal=copper", "metal=steel"];
  const nodes = made.nodes.map((node) =>
    node.layer === 0 ? { ...node, label: label[node.index] } : node,
  );
  const sample = Float64Array.from({ length: 60 }, (_, n) => Number(n % 4 === 0 || n % 4 === 3));
  return { ...made, nodes, sample };
}

test("categories of one column are one choice with exact 0 and 1", async () => {
  const made = categories();
  assert.deepEqual(new Sample(made).categories(), [
    { name: "metal", columns: [0, 1], texts: ["copper", "steel"] },
  ]);
  assert.deepEqual(new Sample(makeScene()).categories(), []);
  const store = new FakeStore(made);
  const root = show(probePanel(store).element);
  await pause();
  const pick = inputOf(root, "metal") as unknown as HTMLSelectElement;
  pick.value = "1";
  pick.dispatchEvent(new Event("change"));
  assert.deepEqual(store.probe.value, Float64Array.of(0, 1));
});

test("a diagram whose kernel is gone says so and asks nothing", async () => {
  const fake = fakeModel({ scene: packed(scene()), local: false });
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const end = explorer.render({ model: fake.model, el });
  await pause();
  fake.fire("comm_live_update");
  await pause();
  assert.match(el.querySelector(".kv-statusbar")!.textContent!, /no kernel: looking only/);
  const before = fake.sent.length;
  (el.querySelector(".kv-icon") as HTMLButtonElement).click();
  await pause();
  assert.equal(fake.sent.length, before);
  fake.fire("change:status");
  await pause();
  assert.match(el.querySelector(".kv-statusbar")!.textContent!, /ready/);
  end();
});

test("Ctrl+Z takes the last step back, unless one is typing", async () => {
  const fake = fakeModel({ scene: packed(scene()), local: false });
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const end = explorer.render({ model: fake.model, el });
  await pause();
  const keys = { key: "z", ctrlKey: true, bubbles: true };
  el.querySelector(".kv-stage")!.dispatchEvent(new KeyboardEvent("keydown", keys));
  el.querySelector("input[type=number]")!.dispatchEvent(new KeyboardEvent("keydown", keys));
  await pause();
  assert.deepEqual(
    fake.sent.map(({ type }) => type),
    ["undo"],
  );
  end();
});
