/** The matrix of a layer, films, the staircase and continual learning, without a browser. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { LayerRecipe, Recipe } from "../src/contract";
import teaching from "../src/course/index";
import { decimalsFor, fixed, splitter, through } from "../src/course/layer";
import { LayerMaker } from "../src/math/evaluate";
import { LossScale, lossPath, MARGIN } from "../src/ui/loss_chart";
import { buttonOf, enter, pause, press } from "./panels-dom";
import { type Fake, fakeModel, layer as oneEdge, packed, scene, view } from "./scenes";

/** Tells at once that an element is 700 pixels wide. */
class Observer {
  constructor(private readonly f: () => void) {}
  observe(element: Element): void {
    for (const each of [element, ...element.querySelectorAll("svg")]) {
      Object.defineProperty(each, "clientWidth", { value: 700, configurable: true });
    }
    queueMicrotask(this.f);
  }
  disconnect(): void {}
}
Object.assign(globalThis, { ResizeObserver: Observer });

const asText = (record: unknown): string => {
  const { buffer, byteOffset, byteLength } = packed(record);
  return Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString("base64");
};

async function open(kind: string, state: object): Promise<Fake & { el: HTMLElement; end(): void }> {
  const fake = fakeModel({ kind, state, theme: "light" });
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const end = teaching.render({ model: fake.model, el });
  await pause();
  return { ...fake, el, end };
}

const one = <E extends Element = HTMLElement>(el: ParentNode, selector: string): E => {
  const found = el.querySelector<E>(selector);
  assert.ok(found, selector);
  return found;
};

const silu = (x: number): number => x / (1 + Math.exp(-x));

/** One input, two outputs, with a base function of weights 2 and -1. */
function twoEdges(): LayerRecipe {
  const half = oneEdge().weight;
  const weight = Float64Array.from([...half, 2].flatMap((w, m) => [w, m === 8 ? -1 : w / 2]));
  return { ...oneEdge(), outputs: 2, base: "silu", weight, mask: new Uint8Array([1, 1]) };
}

function recipe(): Recipe {
  const [zero, unit] = [Float64Array.of(0, 0), Float64Array.of(1, 1)];
  const units = { x_shift: Float64Array.of(0), x_scale: Float64Array.of(1) };
  return { layers: [twoEdges()], ...units, y_shift: zero, y_scale: unit };
}

test("base part and spline part add up to the function, within the grid and beyond", () => {
  const layer = twoEdges();
  const split = splitter(layer)!;
  for (const x of [-1.7, -0.9, 0, 0.31, 1, 2.2]) {
    for (const j of [0, 1]) {
      const parts = split(0, j);
      const whole = new LayerMaker(layer).curve(0, j, [x])[0];
      assert.ok(Math.abs(parts.base(x) - [2, -1][j] * silu(x)) < 1e-14);
      assert.ok(Math.abs(parts.base(x) + parts.spline(x) - whole) < 1e-14);
    }
  }
  assert.equal(splitter(oneEdge()), null);
});

test("what goes through a layer adds up", () => {
  const { inputs, terms, sums } = through(recipe(), 0, [0.4]);
  assert.deepEqual(inputs, [0.4]);
  assert.deepEqual(terms, sums);
});

test("numbers of a matrix share their decimals", () => {
  assert.equal(decimalsFor([0.123, -2.5]), 3);
  assert.equal(decimalsFor([120.3]), 1);
  assert.equal(decimalsFor([0.00123]), 6);
  assert.equal(decimalsFor([]), 3);
  assert.equal(fixed(-0.00001, 3), "0.000");
  assert.equal(fixed(-1.5, 2), "\u22121.50");
});

test("losses of 0 are left out of a line, and the axis holds all others", () => {
  const plain = { x: (step: number) => step, y: (value: number) => value };
  const [step, values] = [
    [0, 1, 2, 3],
    [1, 0, 2, 3],
  ];
  assert.equal(lossPath(step, values, plain, true), "M0.0 1.0M2.0 2.0L3.0 3.0");
  assert.equal(lossPath(step, values, plain, false), "M0.0 1.0L2.0 2.0L3.0 3.0");
  assert.equal(lossPath(step, values, plain, false, [2]), "M0.0 1.0L2.0 2.0M3.0 3.0");
  const scale = new LossScale(400, 200);
  const [top, bottom] = [MARGIN.top, 200 - MARGIN.bottom];
  scale.fit({
    step: [0, 1, 2],
    lines: [
      [1e-6, 0, 1e-2],
      [NaN, 1e-4, NaN],
    ],
  });
  assert.ok(scale.y(1e-6) < bottom && scale.y(10 ** -6.5) > bottom);
  assert.ok(scale.y(1e-2) > top && scale.y(10 ** -1.5) < top);
  scale.fit({ step: [0], lines: [[0]] });
  assert.deepEqual(scale.powers(), [-1, 0]);
});

function filmState(count: number, more = {}): object {
  const { widths, nodes, n_edges } = scene();
  const frames = Array.from({ length: count }, (_, n) => {
    const edge = view();
    return {
      widths,
      nodes,
      n_edges,
      edges: [{ ...edge, curve_y: edge.curve_x.map((x) => x * n) }],
    };
  });
  const captions = frames.map((_, n) => `moment ${n}`);
  const chart = {
    steps: frames.map((_, n) => n + 1),
    lines: { loss: frames.map((_, n) => 0.1 ** n) },
    marks: [],
  };
  const shown = frames.map((_, n) => n);
  return { frames: asText({ frames }), captions, label: "step", chart, shown, ...more };
}

test("a film moves by its slider, by keys, and says where it is", async () => {
  const { el, end } = await open("film", filmState(5));
  const slider = one<HTMLInputElement>(el, "input[type=range]");
  assert.equal(one(el, ".kv-moment").textContent, "moment 0");
  enter(slider, 3);
  assert.equal(one(el, ".kv-moment").textContent, "moment 3");
  assert.equal(one(el, ".kv-place").textContent, "step 4 of 5");
  assert.equal(slider.getAttribute("aria-valuetext"), "step 4 of 5: moment 3");
  press(buttonOf(el, "Play"), "ArrowRight");
  press(buttonOf(el, "Play"), "ArrowRight");
  assert.equal(one(el, ".kv-moment").textContent, "moment 4");
  press(buttonOf(el, "Play"), "ArrowLeft");
  assert.equal(slider.value, "3");
  assert.match(one(el, ".kv-loss-chart").getAttribute("aria-label")!, /loss 0.001 at step 4$/);
  end();
});

test("a film plays to its end and no further, and a second press pauses it", async () => {
  const { el, end } = await open("film", filmState(150));
  const button = buttonOf(el, "Play");
  button.click();
  assert.equal(button.textContent, "Pause");
  await pause(300);
  button.click();
  const at = Number(one<HTMLInputElement>(el, "input[type=range]").value);
  assert.ok(at > 0 && at < 150, String(at));
  await pause(200);
  assert.equal(Number(one<HTMLInputElement>(el, "input[type=range]").value), at);
  enter(one<HTMLInputElement>(el, "input[type=range]"), 147);
  button.click();
  await pause(400);
  assert.equal(one(el, ".kv-moment").textContent, "moment 149");
  assert.equal(button.textContent, "Play");
  end();
});

test("a staircase shows its refinements, with or without pictures", async () => {
  const marks = [2, 4].map((step, n) => ({ step, grid: 5 * (n + 1) }));
  const chart = { steps: [1, 2, 3, 4], lines: { training: [1, 0.5, 0.1, 0.05] }, marks };
  const { el, end } = await open("film", { ...filmState(4), chart, frames: null });
  assert.deepEqual(
    [...el.querySelectorAll(".kv-grid-size")].map((text) => text.textContent),
    ["G = 5", "G = 10"],
  );
  assert.equal(el.querySelector(".kv-net"), null);
  end();
});

function layerState(more = {}): { layer: string; x: number[] } {
  const edges = [0, 1].map((j) => ({ ...view(), j }));
  const names = { inputs: ["x"], from: ["x"], to: ["(1, 0)", "(1, 1)"] };
  const record = { layer: 0, depth: 2, edges, recipe: recipe(), ...names, ranges: [[-1, 1]] };
  return { layer: asText({ ...record, ...more }), x: [0.5] };
}

test("a layer shows each value, and the sums below", async () => {
  const { el, end } = await open("layer", layerState());
  const { terms, sums } = through(recipe(), 0, [0.5]);
  const shown = [...el.querySelectorAll(".kv-phi-value")].map((cell) => cell.textContent);
  const decimals = decimalsFor([...terms, ...sums]);
  assert.deepEqual(
    shown,
    terms.map((value) => fixed(value, decimals)),
  );
  const feet = [...el.querySelectorAll<HTMLElement>(".kv-column-sum")].map((cell) =>
    Number(cell.title),
  );
  assert.deepEqual(feet, sums);
  const parts = one(el, ".kv-parts")
    .textContent!.replace(/\u2212 ?/g, "-")
    .split(" + ");
  const total = parts
    .join(" ")
    .split(" ")
    .map(Number)
    .reduce((a, b) => a + b, 0);
  assert.ok(Math.abs(total - terms[0]) < 3 * 10 ** -decimals);
  end();
});

test("a slider of a layer moves the dot here and tells Python", async () => {
  const { el, sent, end } = await open("layer", layerState());
  const before = one(el, ".kv-cell-dot").getAttribute("cx");
  press(one(el, "input[type=range]"), "ArrowRight");
  await pause(80);
  assert.notEqual(one(el, ".kv-cell-dot").getAttribute("cx"), before);
  const asked = sent.at(-1) as unknown as { change: { x: number[] } };
  assert.ok(Math.abs(asked.change.x[0] - 0.51) < 1e-12);
  end();
});

test("a layer follows Python: another curve, a removed function", async () => {
  const values: Record<string, unknown> = { kind: "layer", state: layerState(), theme: "light" };
  const fake = fakeModel(values);
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const end = teaching.render({ model: fake.model, el });
  const edges = [0, 1].map((j) => ({ ...view(), j, state: j ? "pruned" : "spline" }));
  values.state = layerState({ edges });
  fake.fire("change:state");
  const cells = [...el.querySelectorAll<SVGElement>(".kv-cell")];
  assert.deepEqual(
    cells.map((cell) => cell.dataset.state),
    ["spline", "pruned"],
  );
  assert.equal(el.querySelectorAll(".kv-phi-value")[1].textContent, "0, removed");
  end();
  assert.equal(fake.listeners(), 0);
});

test("continual learning shows the errors of what was seen, and no others", async () => {
  const x = [0, 0.5, 1];
  const state = {
    ...{
      x,
      target: [0, 1, 0],
      windows: [
        [0, 0.5],
        [0.5, 1],
      ],
    },
    learners: {
      KAN: [
        [0, 1, 1],
        [0, 1, 0],
      ],
    },
    errors: {
      KAN: [
        [0.01, 0.5],
        [0.02, 0.03],
      ],
    },
  };
  const { el, end } = await open("forgetting", state);
  const cells = (): (string | null)[] =>
    [...el.querySelectorAll("td")].map((cell) => cell.textContent);
  assert.deepEqual(cells(), ["0.01", "\u2013"]);
  enter(one<HTMLInputElement>(el, "input[type=range]"), 1);
  assert.deepEqual(cells(), ["0.02", "0.03"]);
  end();
});

test("everything that takes the focus keeps the notebook's shortcuts away", async () => {
  for (const [kind, state] of [
    ["film", filmState(3)],
    ["layer", layerState()],
  ] as const) {
    const { el, end } = await open(kind, state);
    const reachable = el.querySelectorAll("button, input, select, textarea, [tabindex]");
    assert.ok(reachable.length > 1);
    for (const element of reachable) {
      assert.equal(element.getAttribute("data-lm-suppress-shortcuts"), "true", element.outerHTML);
    }
    end();
    assert.equal(el.children.length, 0);
  }
});
