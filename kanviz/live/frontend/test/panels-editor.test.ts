import assert from "node:assert/strict";
import { test } from "node:test";
import type { Suggestion } from "../src/contract";
import { plainFormula, undefinedWhere } from "../src/panels/candidates";
import { editorPanel } from "../src/panels/editor";
import { reshaped, rising } from "../src/panels/reshape";
import { buttonOf, enter, inputOf, pause, pointer, press, show } from "./panels-dom";
import type { Answers } from "./panels-store";
import { edgeView, FakeStore, makeScene } from "./panels-store";

const SIN: Suggestion = {
  ...{ name: "sin", formula: "sin(3*x)", mathml: "", r2: 0.9999, complexity: 2, on_front: true },
  ...{ numbers: [3, 0, 1, 0], curve_y: new Array(61).fill(0.25) },
};

const ANSWERS: Answers = (ask) => {
  if (ask.type === "suggest") return [SIN];
  if (ask.type !== "preview") return { version: 1 };
  if (ask.formula.includes("?")) throw new Error("formula must be known; got '?'. Try sin.");
  return { curve_y: new Array(61).fill(0.5), train: 1e-4, test: 2e-3 };
};

async function open(local = false, scene = makeScene()) {
  const store = new FakeStore(scene, ANSWERS, local);
  const panel = editorPanel(store);
  const root = show(panel.element);
  store.select([0, 0, 0]);
  await pause();
  const points = [...root.querySelectorAll<SVGGElement>(".kv-handle")];
  return { store, panel, root, points };
}

test("without an open edge there is only a hint", async () => {
  const { store, root } = await open();
  store.select(null);
  await pause();
  assert.equal(root.querySelector<HTMLElement>(".kv-stack")?.hidden, true);
  assert.match(root.querySelector(".kv-hint:not([hidden])")?.textContent ?? "", /Select an edge/);
});

test("an arrow moves a control point by 1 % of the range, with Shift by 10 %", async () => {
  const { store, points } = await open();
  const now = () => Number(points[2].getAttribute("aria-valuenow"));
  const range =
    Number(points[2].getAttribute("aria-valuemax")) -
    Number(points[2].getAttribute("aria-valuemin"));
  const start = now();
  press(points[2], "ArrowUp");
  assert.ok(Math.abs(now() - start - 0.01 * range) < 1e-9);
  press(points[2], "ArrowDown", true);
  assert.ok(Math.abs(now() - start + 0.09 * range) < 1e-9);
  await pause();
  const sent = store.of("move_point");
  assert.ok(Math.abs(sent.at(-1)!.height - now()) < 1e-12);
  assert.equal(sent.at(-1)!.m, 2);
});

test("a drag bends the picture at once and asks with one number for the whole gesture", async () => {
  const { store, points } = await open();
  pointer(points[1], "down", 100, 100);
  for (const y of [90, 80]) {
    const bends = store.bends.length;
    pointer(points[1], "move", 100, y);
    assert.equal(store.bends.length, bends + 1);
    await pause();
  }
  pointer(points[1], "up", 100, 80);
  const first = store.of("move_point");
  assert.equal(new Set(first.map((ask) => ask.drag)).size, 1);
  assert.ok(first.length >= 2);
  pointer(points[1], "down", 100, 80);
  pointer(points[1], "move", 100, 70);
  pointer(points[1], "up", 100, 70);
  assert.notEqual(store.of("move_point").at(-1)!.drag, first[0].drag);
});

test("a press beside a point that moved away takes hold of it, one far from all of none", async () => {
  const { store, root, points } = await open();
  const plot = root.querySelector<SVGSVGElement>(".kv-plot")!;
  const [x, y] = points[1]
    .getAttribute("transform")!
    .match(/[\d.]+/g)!
    .map(Number);
  pointer(plot, "down", x + 3, y + 60);
  pointer(points[1], "move", x, y + 70);
  pointer(plot, "down", x + 8, y - 20);
  pointer(points[1], "move", x + 8, y - 40);
  pointer(points[1], "up", x + 8, y - 40);
  await pause();
  assert.deepEqual([...new Set(store.of("move_point").map((ask) => ask.m))], [1]);
  assert.equal(new Set(store.of("move_point").map((ask) => ask.drag)).size, 1);
});

test("a scene that answers an earlier part of a drag does not throw the point back", async () => {
  const { store, points } = await open();
  pointer(points[1], "down", 100, 100);
  pointer(points[1], "move", 100, 60);
  const held = Number(points[1].getAttribute("aria-valuenow"));
  const old = makeScene({ version: 2 });
  store.change({ version: 2, edges: old.edges });
  await pause();
  assert.equal(Number(points[1].getAttribute("aria-valuenow")), held);
  assert.equal(store.scene.value.edges[0].control_y[1], held);
  pointer(points[1], "up", 100, 60);
});

test("smooth asks for a curve at the curve's own points, nearer to a line", async () => {
  const { store, root } = await open();
  const before = store.scene.value.edges[0];
  buttonOf(root, "Smooth").click();
  const [ask] = store.of("set_curve");
  assert.equal(ask.how, "smoothed");
  assert.deepEqual(ask.x, Array.from(before.curve_x));
  const swing = (y: ArrayLike<number>) => Math.max(...Array.from(y)) - Math.min(...Array.from(y));
  assert.ok(swing(ask.y) < 0.95 * swing(before.curve_y));
  assert.equal(store.bends.length, 1);
});

test("the shift slider moves the curve as it was when the gesture began, then springs back", async () => {
  const { store, root } = await open();
  const before = store.scene.value.edges[0].curve_y.slice();
  const shift = inputOf(root, "Shift");
  for (const value of [10, 20]) {
    shift.value = String(value);
    shift.dispatchEvent(new Event("input"));
    await pause();
  }
  pointer(shift, "up");
  const asks = store.of("set_curve");
  assert.equal(new Set(asks.map((ask) => ask.drag)).size, 1);
  const height = Math.max(...before) - Math.min(...before);
  asks.at(-1)!.y.forEach((y, n) => assert.ok(Math.abs(y - before[n] - 0.2 * height) < 1e-9));
  assert.equal(shift.value, "0");
});

test("a stroke of the pointer becomes a curve where it went", async () => {
  const { store, root } = await open();
  buttonOf(root, "Draw").click();
  const paper = root.querySelector(".kv-paper")!;
  pointer(paper, "down", 150, 60);
  pointer(paper, "move", 250, 60);
  pointer(paper, "up", 250, 60);
  const [ask] = store.of("set_curve");
  assert.ok(ask.x.length > 10 && ask.x.length === ask.y.length);
  assert.ok(Math.max(...ask.y) - Math.min(...ask.y) < 1e-9);
  assert.ok(ask.x.every((x, n) => n === 0 || x > ask.x[n - 1]));
});

test("a typed formula is previewed with its errors, and Enter fixes the edge to it", async () => {
  const { store, root } = await open();
  const box = inputOf(root, "Formula");
  enter(box, "sin(2*x)");
  await pause(450);
  assert.equal(store.of("preview").length, 1);
  assert.equal(store.preview.value?.curve_y[0], 0.5);
  assert.match(root.querySelector(".kv-losses")!.textContent!, /0\.002$/);
  press(box, "Enter");
  await pause();
  assert.deepEqual(store.of("fix"), [
    { type: "fix", edge: [0, 0, 0], formula: "sin(2*x)", numbers: null },
  ]);
  assert.equal(store.preview.value, null);
});

test("what is wrong with a formula stands beside it as text, and nothing is taken", async () => {
  const { store, root } = await open();
  const box = inputOf(root, "Formula");
  enter(box, "<img onerror=?>");
  await pause(450);
  assert.equal(box.getAttribute("aria-invalid"), "true");
  assert.match(root.querySelector(".kv-wrong")!.textContent!, /formula must be known/);
  assert.equal(store.preview.value, null);
  assert.equal(store.of("fix").length, 0);
});

test("a suggestion shows itself on focus and is taken with its numbers", async () => {
  const { store, root } = await open();
  buttonOf(root, "Suggest functions").click();
  await pause();
  const pick = buttonOf(root, "sin");
  pick.focus();
  assert.equal(store.preview.value?.curve_y[0], 0.25);
  pick.blur();
  assert.equal(store.preview.value, null);
  pick.closest("tr")!.querySelector("td")!.click();
  await pause();
  assert.deepEqual(store.of("fix")[0].numbers, [3, 0, 1, 0]);
  assert.equal(store.of("fix")[0].formula, "sin");
});

test("the errors when the edge was opened stay beside those of now", async () => {
  const { store, root } = await open();
  store.change({
    error: { name: "RMSE", train: 4.2e-4, test: 0.0031, r2_train: null, r2_test: null },
  });
  const text = root.querySelector(".kv-losses")!.textContent!;
  assert.match(text, /Training2\.1e\u221244\.2e\u22124\+100 %/);
});

test("each standing of an edge offers what fits it", async () => {
  const { store, root } = await open();
  const offered = () =>
    [...root.querySelectorAll("button")]
      .filter((b) => !b.closest("[hidden]"))
      .map((b) => b.textContent);
  assert.ok(offered().includes("Freeze") && offered().includes("Remove"));
  const edges = store.scene.value.edges.slice();
  edges[0] = edgeView([0, 0, 0], Math.sin, { state: "pruned" });
  store.change({ edges });
  await pause();
  assert.ok(offered().includes("Restore") && !offered().includes("Smooth"));
  edges[0] = edgeView([0, 0, 0], Math.sin, { state: "symbolic", formula: "sin(x)", frozen: true });
  store.change({ edges });
  await pause();
  assert.ok(offered().includes("Back to spline") && offered().includes("Unfreeze"));
  assert.equal(root.querySelectorAll(".kv-handle").length, 0);
});

test("a page without a kernel hides what needs one and keeps the curve editable", async () => {
  const { root, points } = await open(true);
  const texts = [...root.querySelectorAll("button:not([hidden])")].map((b) => b.textContent);
  assert.ok(!texts.includes("Suggest functions") && !texts.includes("Freeze"));
  assert.ok(texts.includes("Remove") && points.length === 8);
  assert.throws(() => inputOf(root, "Formula"));
});

test("locking asks for both edges", async () => {
  const { store, root } = await open();
  inputOf(root, "Lock with").value = "0,1,0";
  buttonOf(root, "Lock").click();
  assert.deepEqual(store.of("lock"), [
    {
      type: "lock",
      edges: [
        [0, 0, 0],
        [0, 1, 0],
      ],
    },
  ]);
});

test("the focus goes along when a button gives way to another", async () => {
  const { store, root } = await open();
  buttonOf(root, "Remove").focus();
  const edges = store.scene.value.edges.slice();
  edges[0] = edgeView([0, 0, 0], Math.sin, { state: "pruned" });
  store.change({ version: 2, edges });
  await pause();
  assert.equal(document.activeElement, buttonOf(root, "Restore"));
});

test("a part of a curve takes another shape, and the rest stays", () => {
  const x = Float64Array.from({ length: 11 }, (_, n) => n);
  const y = x.map((at) => (at % 2 ? 5 : 0) + at);
  const found = reshaped(x, y, [3, 7], (_, part) => rising(part));
  assert.deepEqual(found.slice(0, 3), y.slice(0, 3));
  assert.deepEqual(found.slice(8), y.slice(8));
  for (let n = 4; n <= 7; n++) assert.ok(found[n] >= found[n - 1], String(found));
  assert.equal(sum(found), sum(y), "pooling keeps the mean");
  assert.deepEqual(Array.from(rising([1, 3, 2, 2])), [1, 7 / 3, 7 / 3, 7 / 3]);
  assert.deepEqual(
    reshaped(x, y, [3.2, 3.8], () => x),
    y,
    "nothing lies there",
  );
});

const sum = (values: ArrayLike<number>): number => Array.from(values).reduce((a, b) => a + b, 0);

test("the buttons of a part ask for the whole curve with that part reshaped", () => {
  const store = new FakeStore(makeScene());
  const root = show(editorPanel(store).element);
  store.select([0, 0, 0]);
  const { curve_x, curve_y } = store.open.value!;
  enter(inputOf(root, "To"), 0.5);
  buttonOf(root, "Level").click();
  const [ask] = store.of("set_curve");
  assert.deepEqual(ask.x, Array.from(curve_x));
  const last = ask.y.length - 1;
  assert.equal(ask.y[last], curve_y[last]);
  const middle = last / 2;
  assert.ok(ask.y.slice(0, middle).every((one) => Math.abs(one - ask.y[0]) < 1e-12));
});

test("an edge is asked to keep a shape, and says which it keeps", async () => {
  const scene = makeScene();
  scene.edges[0] = { ...scene.edges[0], shapes: ["increasing", "odd"] };
  const store = new FakeStore(scene);
  const root = show(editorPanel(store).element);
  store.select([0, 0, 0]);
  await pause();
  const stays = inputOf(root, "Stays") as unknown as HTMLSelectElement;
  assert.equal(stays.value, "odd increasing");
  assert.match(root.querySelector(".kv-chips")!.textContent!, /increasing.*odd/);
  enter(stays as unknown as HTMLInputElement, "convex");
  enter(stays as unknown as HTMLInputElement, "");
  assert.deepEqual(
    store.of("constrain").map((ask) => ask.shapes),
    [["convex"], []],
  );
});

test("a formula is read as people type it", () => {
  const cases = [
    ["2x+1", "2*x+1"],
    ["x\u00b2 \u2212 3(x+1)", "x^2 - 3*(x+1)"],
    ["1e5*x + 2e-3", "1e5*x + 2e-3"],
    ["J0(3x)", "J0(3*x)"],
    ["sqrt(pressure) + a", "sqrt(x) + a"],
    ["0.5exp(-2x)", "0.5*exp(-2*x)"],
    ["pressure2 + x2", "pressure2 + x2"],
  ];
  for (const [typed, wanted] of cases) assert.equal(plainFormula(typed, "pressure"), wanted);
  assert.equal(plainFormula("a*x", "a"), "a*x", "a letter is a free constant");
});

test("a formula that has no value on a part of the curve says where", () => {
  assert.equal(
    undefinedWhere([1, 2, 3, 4], [null, Number.NaN, 0, 1]),
    "It has no value on 50 % of the curve (x from 1 to 2).",
  );
  assert.equal(undefinedWhere([1, 2], [0, 1]), "");
});
