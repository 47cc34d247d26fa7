/** Bezier curves and B-splines from first paint to the last listener. */

import assert from "node:assert/strict";
import { test } from "node:test";
import teaching from "../src/course/index";
import { buttonOf, pause, press } from "./panels-dom";
import { type Fake, fakeModel } from "./scenes";

type View = Fake & { el: HTMLElement; state: Record<string, unknown>; end: () => void };

const STATES: Record<string, () => Record<string, unknown>> = {
  bezier: () => ({
    points: [
      [0, 0],
      [1, 2],
      [2, 0],
    ],
  }),
  bspline: () => ({ order: 1, knots: [-1, 0, 1, 2, 3], coef: [0, 1, -1] }),
};

function open(kind: string): View {
  const values = { kind, theme: "light", state: STATES[kind]() };
  const fake = fakeModel(values);
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const end = teaching.render({ model: fake.model, el });
  return {
    ...{ ...fake, el, end },
    get state() {
      return values.state;
    },
    set state(state) {
      values.state = state;
      fake.fire("change:state");
    },
  };
}

const grips = (el: ParentNode, kind: string): SVGGElement[] => [
  ...el.querySelectorAll<SVGGElement>(`.kv-grip-${kind}`),
];

const place = (grip: Element): string => grip.getAttribute("transform")!;

const words = (el: ParentNode): string => el.querySelector(".kv-words")!.textContent!;

for (const kind of ["bezier", "bspline"]) {
  test(`a ${kind} shows its points, its curve and its formula`, () => {
    const { el, end } = open(kind);
    assert.equal(grips(el, "point").length, 3);
    if (kind === "bezier") {
      assert.equal(el.querySelector(".kv-curve")!.getAttribute("d"), "", "t has not drawn it yet");
      const t = el.querySelector<HTMLInputElement>("input[type=range]")!;
      for (const [value, wanted] of [
        ["0.5", /L[^L]*$/],
        ["0.25", /L[^L]*$/],
      ] as const) {
        t.value = value;
        t.dispatchEvent(new Event("input"));
        assert.match(el.querySelector(".kv-curve")!.getAttribute("d")!, wanted);
      }
      assert.deepEqual(
        [...el.querySelectorAll(".kv-frame-plane .kv-names text")].map((name) => name.textContent),
        ["p\u2080", "p\u2081", "p\u2082"],
      );
    }
    assert.ok(el.querySelector(".kv-curve")!.getAttribute("d")!.length > 100);
    assert.ok(el.querySelectorAll("math").length > 3);
    assert.equal(el.querySelector<HTMLElement>(".kv-course")!.dataset.kvTheme, "light");
    end();
  });

  test(`a ${kind} keeps the notebook's shortcuts away from all that takes the focus`, () => {
    const { el, end } = open(kind);
    const reachable = el.querySelectorAll("button, input, [tabindex]");
    assert.ok(reachable.length >= 7);
    for (const element of reachable) {
      assert.equal(element.getAttribute("data-lm-suppress-shortcuts"), "true", element.outerHTML);
      assert.ok(
        element.textContent || element.getAttribute("aria-label") || element.closest("label"),
      );
    }
    end();
  });

  test(`nothing is left of a ${kind} that is gone`, async () => {
    const { el, end, listeners, sent } = open(kind);
    buttonOf(el, "Play").click();
    press(grips(el, "point")[0], "ArrowUp");
    end();
    await pause();
    assert.equal(listeners(), 0);
    assert.equal(el.children.length, 0);
    assert.equal(sent.length, 0);
  });
}

test("a point that the keys move goes to Python once a frame, with what it has become", async () => {
  const { el, sent, end } = open("bspline");
  const point = grips(el, "point")[1];
  const before = place(point);
  press(point, "ArrowUp");
  press(point, "ArrowUp", true);
  assert.notEqual(place(point), before);
  await pause(120);
  assert.equal(sent.length, 1);
  const { type, turn, change } = sent[0] as unknown as Record<string, never>;
  assert.equal(type, "change");
  assert.equal(turn, 2);
  const coef = (change as { coef: number[] }).coef;
  assert.equal(coef[0], 0);
  assert.ok(coef[1] > 1.05);
  end();
});

test("while Python is busy one message waits, and the last word is said in the end", async (t) => {
  // A slow clock, put forward by hand: a busy machine must not look like a busy kernel.
  const real = performance.now.bind(performance);
  let forward = 0;
  t.mock.method(performance, "now", () => real() / 5 + forward);
  const view = open("bezier");
  const point = grips(view.el, "point")[1];
  press(point, "ArrowUp");
  await pause(300);
  press(point, "ArrowUp");
  press(point, "ArrowUp");
  await pause(300);
  assert.equal(view.sent.length, 1);
  const { view: name } = view.sent[0] as unknown as { view: string };
  view.state = { ...view.state, heard: { view: name, turn: 1 } };
  await pause(300);
  assert.equal(view.sent.length, 2);
  assert.equal((view.sent[1] as unknown as { turn: number }).turn, 3);
  press(point, "ArrowUp");
  await pause(300);
  assert.equal(view.sent.length, 2);
  forward += 600;
  await pause(300);
  assert.equal(view.sent.length, 3);
  view.end();
});

test("an answer to an earlier part of a drag does not throw the point back", async () => {
  const view = open("bezier");
  const point = grips(view.el, "point")[1];
  const first = view.state;
  press(point, "ArrowUp");
  await pause(120);
  press(point, "ArrowUp");
  const moved = place(point);
  const { view: name } = view.sent[0] as unknown as { view: string };
  view.state = { ...first, heard: { view: name, turn: 1 } };
  assert.equal(place(point), moved);
  view.state = { ...first, heard: { view: name, turn: 2 } };
  assert.notEqual(place(point), moved);
  view.end();
});

test("points that Python sets are drawn, also when there are more or fewer", () => {
  const view = open("bezier");
  view.state = {
    points: [
      [0, 0],
      [1, 1],
      [2, 1],
      [3, 0],
      [4, 5],
    ],
  };
  assert.equal(grips(view.el, "point").length, 5);
  view.state = {
    points: [
      [0, 0],
      [1, 1],
    ],
  };
  assert.equal(grips(view.el, "point").length, 2);
  assert.match(words(view.el), /^Level 1: one point is left/);
  view.end();
});

test("points are added and removed between two and ten", () => {
  const { el, end } = open("bezier");
  const add = buttonOf(el, "Add a point");
  const t = el.querySelector<HTMLInputElement>("input[type=range]")!;
  t.value = "1";
  t.dispatchEvent(new Event("input"));
  const d = el.querySelector(".kv-curve")!.getAttribute("d")!;
  add.click();
  assert.equal(grips(el, "point").length, 4);
  const numbers = (path: string): number[] => path.match(/-?[\d.]+/g)!.map(Number);
  const after = numbers(el.querySelector(".kv-curve")!.getAttribute("d")!);
  assert.equal(after.length, numbers(d).length);
  for (let n = 0; n < 12; n++) add.click();
  assert.equal(grips(el, "point").length, 10);
  assert.equal(add.getAttribute("aria-disabled"), "true");
  for (let n = 0; n < 12; n++) press(grips(el, "point")[0], "Delete");
  assert.equal(grips(el, "point").length, 2);
  end();
});

test("an order and back again gives the very same spline", async () => {
  const { el, sent, end } = open("bspline");
  buttonOf(el, "3").click();
  assert.equal(grips(el, "point").length, 5);
  assert.equal(buttonOf(el, "3").getAttribute("aria-pressed"), "true");
  buttonOf(el, "0").click();
  buttonOf(el, "1").click();
  await pause(120);
  const { change } = sent.at(-1) as unknown as { change: unknown };
  assert.deepEqual(change, STATES.bspline());
  end();
});

test("words follow a knot that meets another", () => {
  const { el, end } = open("bspline");
  const knot = grips(el, "knot")[2];
  knot.dispatchEvent(new Event("focus"));
  assert.match(words(el), /^Knot at x = 1, single: the curve is C\u2070/);
  assert.ok(knot.classList.contains("kv-active"));
  for (let n = 0; n < 400 && !words(el).includes("2 knots"); n++) {
    press(knot, "ArrowRight", true);
  }
  assert.match(words(el), /2 knots in one place: an end of the grid, clamped/);
  end();
});

test("the levels of the construction are shown one by one", () => {
  const { el, end } = open("bezier");
  const [, level] = el.querySelectorAll<HTMLInputElement>("input");
  for (const [shown, circles] of [
    [0, 0],
    [1, 2],
    [2, 3],
  ]) {
    level.value = String(shown);
    level.dispatchEvent(new Event("input"));
    assert.equal(el.querySelectorAll(".kv-levels circle").length, circles);
    assert.ok(words(el).startsWith(`Level ${shown}`));
  }
  end();
});

test("play runs to the end and comes to rest", async () => {
  const { el, end } = open("bezier");
  const [t] = el.querySelectorAll<HTMLInputElement>("input");
  t.value = "0.99";
  t.dispatchEvent(new Event("input"));
  buttonOf(el, "Play").click();
  buttonOf(el, "Stop");
  for (let n = 0; n < 40 && t.value !== "1"; n++) await pause(20);
  assert.equal(t.value, "1");
  buttonOf(el, "Play");
  end();
});

test("who wants no motion gets steps", async () => {
  const reduced = { matches: true, addEventListener() {}, removeEventListener() {} };
  Object.assign(globalThis, { matchMedia: () => reduced });
  const { el, end } = open("bezier");
  const [t] = el.querySelectorAll<HTMLInputElement>("input");
  buttonOf(el, "Play").click();
  await pause(300);
  assert.equal(Number(t.value), 0);
  await pause(500);
  assert.equal(Number(t.value), 0.1);
  end();
  Object.assign(globalThis, { matchMedia: undefined });
});

test("Gaussians come and go", () => {
  const { el, end } = open("bspline");
  const turn = buttonOf(el, "Gaussians beside");
  assert.equal(el.querySelectorAll(".kv-radial").length, 0);
  turn.click();
  assert.equal(el.querySelectorAll(".kv-radial").length, 2 + 5 + 1);
  turn.click();
  assert.equal(el.querySelectorAll(".kv-radial").length, 0);
  end();
});

test("a kind that there is not is named", () => {
  const { model } = fakeModel({ kind: "other", theme: "auto", state: {} });
  const el = document.createElement("div");
  assert.throws(() => teaching.render({ model, el }), /kind must be one of bezier,/);
});
