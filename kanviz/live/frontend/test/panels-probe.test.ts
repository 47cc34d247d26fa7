import assert from "node:assert/strict";
import { test } from "node:test";
import type { Probe } from "../src/contract";
import { probePanel } from "../src/panels/probe";
import { termsOf } from "../src/panels/probe_plots";
import { Sample } from "../src/panels/sample";
import { buttonOf, enter, inputOf, pause, pointer, press, show } from "./panels-dom";
import type { Answers } from "./panels-store";
import { edgeView, FakeStore, makeScene } from "./panels-store";

/** Terms that add up: an edge adds ten times its input's place, and so on. */
const VALUES: Probe = {
  nodes: [[0.5, -1], [0.75, -0.5], [2.25]],
  edges: [
    [1, 2, -0.25, -2.5],
    [3, -0.75],
  ],
};

const ANSWERS: Answers = (ask) => (ask.type === "probe" ? VALUES : null);

async function open(scene = makeScene()) {
  const store = new FakeStore(scene, ANSWERS);
  const root = show(probePanel(store).element);
  await pause();
  return { store, root };
}

const reading = (root: HTMLElement): string =>
  root.querySelector(".kv-bars + .kv-reading")!.textContent!;

test("the probe starts at a row of the data and can be closed", async () => {
  const { store, root } = await open();
  buttonOf(root, "Start the probe").click();
  assert.deepEqual(store.probe.value, store.scene.value.sample.slice(0, 2));
  await pause();
  assert.deepEqual(store.of("probe")[0].x, Array.from(store.scene.value.sample.slice(0, 2)));
  buttonOf(root, "Close the probe").click();
  assert.equal(store.probe.value, null);
});

test("the terms of an output are bars that add up to it", async () => {
  const { root } = await open();
  buttonOf(root, "Start the probe").click();
  await pause();
  const rows = [...root.querySelectorAll(".kv-bar-row")].map((row) => row.textContent);
  assert.deepEqual(rows, ["h1.03", "h1.1\u22120.75", "sum2.25"]);
  assert.equal(reading(root), "Sum 2.25 = f 2.25; the data say 1.");
});

test("a hidden node can be chosen, and its terms are those of the edges into it", async () => {
  const { root } = await open();
  buttonOf(root, "Start the probe").click();
  await pause();
  enter(inputOf(root, "Node"), "1,1");
  const rows = [...root.querySelectorAll(".kv-bar-row")].map((row) => row.textContent);
  assert.deepEqual(rows, ["x2", "y\u22122.5", "sum\u22120.5"]);
  assert.match(reading(root), /= h1.1 \u22120\.5\.$/);
});

test("edges that are not drawn are told as others, so that the sum holds", () => {
  const scene = makeScene();
  scene.edges = scene.edges.filter((view) => !(view.layer === 1 && view.i === 1));
  const terms = termsOf(scene, VALUES, 2, 0);
  assert.deepEqual(
    terms.map((term) => term.name),
    ["h1.0", "1 other"],
  );
  assert.equal(
    terms.reduce((sum, term) => sum + term.value, 0),
    2.25,
  );
  scene.edges.push(edgeView([1, 1, 0], Math.sin, { state: "pruned" }));
  assert.equal(termsOf(scene, { ...VALUES, edges: [VALUES.edges[0], [3, 0]] }, 2, 0).length, 1);
});

test("a slider moves one input over its range in the data and forgets the picked row", async () => {
  const { store, root } = await open();
  buttonOf(root, "Start the probe").click();
  const x = inputOf(root, "x");
  const [low, high] = new Sample(store.scene.value).range(0);
  assert.ok(Math.abs(Number(x.min) - low) < 1e-12 && Math.abs(Number(x.max) - high) < 1e-12);
  x.value = "0.25";
  x.dispatchEvent(new Event("input"));
  assert.deepEqual(Array.from(store.probe.value!), [0.25, store.scene.value.sample[1]]);
  await pause();
  assert.ok(!reading(root).includes("the data say"));
});

test("a row of the table is probed by its button or a click anywhere on it", async () => {
  const { store, root } = await open();
  buttonOf(root, "3").click();
  assert.deepEqual(store.probe.value, store.scene.value.sample.slice(6, 8));
  root.querySelector<HTMLElement>('tr[data-row="4"] td')!.click();
  assert.deepEqual(store.probe.value, store.scene.value.sample.slice(8, 10));
  assert.equal(buttonOf(root, "4").getAttribute("aria-pressed"), "true");
  const next = [...root.querySelectorAll("button")].filter((b) => b.textContent === "Next").at(-1)!;
  next.click();
  assert.ok(buttonOf(root, "8"));
});

test("a click in the scatter probes the nearest row", async () => {
  const { store, root } = await open();
  const svg = root.querySelector(".kv-scatter")!;
  const dots = svg.querySelector(".kv-samples")!.getAttribute("d")!;
  const [, x, y] = dots
    .split("M")[6]
    .match(/([\d.-]+) ([\d.-]+)h0/)!
    .map(Number);
  svg.dispatchEvent(new MouseEvent("click", { clientX: x, clientY: y, bubbles: true }));
  assert.deepEqual(store.probe.value, store.scene.value.sample.slice(10, 12));
});

test("a box on the histogram lights the rows inside it; keys move its ends", async () => {
  const { store, root } = await open();
  const svg = root.querySelector(".kv-histogram")!;
  const ground = svg.querySelector(".kv-paper")!;
  pointer(ground, "down", 100);
  pointer(ground, "move", 200);
  pointer(ground, "up", 200);
  const count = () => store.slice.value!.reduce((sum, one) => sum + one, 0);
  const inside = count();
  assert.ok(inside > 0 && inside < 30);
  assert.match(
    root.querySelector('.kv-reading[role="status"]')!.textContent!,
    new RegExp(`^${inside} of 30`),
  );
  const upper = svg.querySelectorAll(".kv-slice-end")[1];
  const before = Number(upper.getAttribute("aria-valuenow"));
  press(upper, "ArrowRight", true);
  assert.ok(Number(upper.getAttribute("aria-valuenow")) > before);
  assert.ok(count() >= inside);
  buttonOf(root, "Clear").click();
  assert.equal(store.slice.value, null);
});

test("without data the sliders span the knots, in the user's units", async () => {
  const none = new Float64Array(0);
  const scene = makeScene({ sample: none, target: none });
  const { store, root } = await open(scene);
  assert.deepEqual(new Sample(scene).range(1), [-1, 1]);
  buttonOf(root, "Start the probe").click();
  assert.deepEqual(Array.from(store.probe.value!), [0, 0]);
  assert.equal(root.querySelector<HTMLElement>("details")!.hidden, true);
});

test("many inputs come a page at a time", async () => {
  const nodes = Array.from({ length: 20 }, (_, index) => ({
    ...{ layer: 0, index, label: `x${index}`, score: 1, x: 0, y: 0, factors: [] },
  }));
  const scene = makeScene({ widths: [20, 1], nodes, sample: new Float64Array(40), edges: [] });
  const { root } = await open(scene);
  assert.equal(root.querySelectorAll(".kv-slider").length, 8);
  buttonOf(root, "Next").click();
  assert.ok(inputOf(root, "x8"));
  buttonOf(root, "Next").click();
  assert.equal(root.querySelectorAll(".kv-slider").length, 4);
});
