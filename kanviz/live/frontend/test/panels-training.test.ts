import assert from "node:assert/strict";
import { test } from "node:test";
import { simplifyPanel } from "../src/panels/simplify";
import { LossMarks, trainingPanel } from "../src/panels/training";
import { LossChart, LossScale, MARGIN, nearest } from "../src/ui/loss_chart";
import { buttonOf, enter, inputOf, pause, show, works } from "./panels-dom";
import { FakeStore, makeScene } from "./panels-store";

function open(scene = makeScene()) {
  const store = new FakeStore(scene);
  return { store, root: show(trainingPanel(store).element) };
}

test("a chart that is drawn again has each line in its place", () => {
  const chart = new LossChart({ height: 100, lifts: false, dots: false });
  Object.defineProperty(chart.element, "clientWidth", { value: 300 });
  const lines = (): string[] =>
    [0, 1].map((n) => chart.element.querySelector(`.kv-loss-${n}`)!.getAttribute("d")!);
  chart.draw({
    step: [1, 2, 3],
    lines: [
      [9, 4, 2],
      [8, 7, 6],
    ],
  });
  const first = lines();
  assert.notEqual(first[0], first[1]);
  for (let again = 0; again < 3; again++) {
    chart.draw({
      step: [1, 2, 3],
      lines: [
        [9, 4, 2],
        [8, 7, 6],
      ],
    });
    assert.deepEqual(lines(), first);
  }
});

test("start sends all options", () => {
  const { store, root } = open();
  enter(inputOf(root, "Optimizer"), "lbfgs");
  enter(inputOf(root, "Steps"), 42);
  enter(inputOf(root, "Learning rate"), 0.5);
  buttonOf(root, "Start").click();
  const chosen = { optimizer: "lbfgs", steps: 42, sparsity: 0, entropy: 2, learning_rate: 0.5 };
  const options = { ...chosen, pace: null, hold: false };
  assert.deepEqual(store.asked, [{ type: "train", options }]);
  buttonOf(root, "Step").click();
  assert.ok(store.of("train")[1].options.hold, "a first step, and then it waits");
});

test("a fit goes as slowly as is chosen, and slowly by itself before a class", () => {
  const { store, root } = open();
  const room = root.ownerDocument.createElement("div");
  root.replaceWith(room);
  room.append(root);
  room.className = "kv-projector";
  buttonOf(root, "Start").click();
  assert.equal(store.of("train")[0].options.pace, 5);
  enter(inputOf(root, "Speed"), "");
  buttonOf(root, "Start").click();
  assert.equal(store.of("train")[1].options.pace, null);
});

test("a number that cannot be is named, and no fit starts with the one before", () => {
  const store = new FakeStore();
  const root = show(trainingPanel(store).element);
  enter(inputOf(root, "Steps"), -5);
  buttonOf(root, "Start").click();
  assert.deepEqual(store.of("train"), []);
  const said = [...root.querySelectorAll(".kv-notice.kv-wrong")].map((one) => one.textContent);
  assert.ok(
    said.some((text) => text!.startsWith("Steps:")),
    said.join(),
  );
});

test("an empty learning rate is automatic", () => {
  const { store, root } = open();
  enter(inputOf(root, "Learning rate"), 0.5);
  enter(inputOf(root, "Learning rate"), "");
  buttonOf(root, "Start").click();
  assert.equal(store.of("train")[0].options.learning_rate, null);
});

test("lambda goes from 0 over a log scale, and steers a fit that runs", async () => {
  const { store, root } = open();
  const lambda = inputOf(root, "Sparsity");
  assert.equal(lambda.getAttribute("aria-valuetext"), "0");
  enter(lambda, 31);
  assert.equal(lambda.getAttribute("aria-valuetext"), "0.001");
  assert.equal(store.asked.length, 0);
  store.say({ state: "fitting" });
  for (const place of [31, 36, 41]) enter(lambda, place);
  await pause(200);
  assert.deepEqual(store.asked, [{ type: "set_training", options: { sparsity: 0.01 } }]);
});

test("each state offers the buttons that make sense in it", () => {
  const { store, root } = open();
  const free = () =>
    ["Start", "Pause", "Resume", "Step", "Stop"].filter((text) => {
      const found = [...root.querySelectorAll("button")].find((b) => b.textContent === text);
      return found && works(found);
    });
  assert.deepEqual(free(), ["Start", "Step"]);
  store.say({ state: "fitting" });
  assert.deepEqual(free(), ["Pause", "Stop"]);
  store.say({ state: "paused" });
  assert.deepEqual(free(), ["Resume", "Step", "Stop"]);
  buttonOf(root, "Resume").click();
  buttonOf(root, "Step").click();
  buttonOf(root, "Stop").click();
  assert.deepEqual(
    store.asked.map((ask) => ask.type),
    ["resume", "step", "stop"],
  );
  store.say({ state: "searching" });
  assert.deepEqual(free(), []);
  store.say({ state: "idle" });
  store.change({ has_data: false });
  assert.deepEqual(free(), []);
});

test("the grid slider starts at the grid of now and refines to what it shows", () => {
  const { store, root } = open();
  const size = inputOf(root, "Grid size");
  assert.equal(size.value, "5");
  assert.ok(!works(buttonOf(root, "Refine")));
  enter(size, 12);
  buttonOf(root, "Refine").click();
  buttonOf(root, "Fit knots to data").click();
  assert.deepEqual(store.asked, [{ type: "refine", grid_size: 12 }, { type: "update_grid" }]);
  store.change({ grid_size: 12 });
  assert.equal(size.value, "12");
  assert.ok(!works(buttonOf(root, "Refine")));
});

test("while a fit runs its status is told in words and as a bar", () => {
  const { store, root } = open();
  const line = root.querySelector<HTMLElement>(".kv-status")!;
  assert.equal(line.hidden, true);
  store.say({ state: "fitting", text: "step 12 of 100", progress: 0.12 });
  assert.equal(line.hidden, false);
  assert.equal(root.querySelector("progress")!.value, 0.12);
  assert.equal(line.querySelector(".kv-reading")!.textContent, "step 12 of 100");
  assert.ok(buttonOf(line, "Cancel").hidden, "a fit is stopped, not cancelled");
});

test("a search can be cancelled where it is shown", () => {
  const store = new FakeStore(makeScene());
  const root = show(simplifyPanel(store).element);
  const cancel = buttonOf(root, "Cancel");
  store.say({ state: "searching", text: "Symbolify: edge 3 of 24" });
  assert.ok(!cancel.hidden);
  cancel.click();
  assert.deepEqual(store.asked, [{ type: "cancel" }]);
});

test("the scale of the chart is logarithmic and takes in both errors", () => {
  const { losses } = makeScene();
  const scale = new LossScale(400, 200);
  scale.fit({ step: losses.step, lines: [losses.train, losses.test] });
  const [a, b, c] = [scale.y(0.1), scale.y(0.01), scale.y(0.001)];
  assert.ok(Math.abs(b - a - (c - b)) < 1e-9);
  assert.ok(scale.y(Math.max(...losses.test)) >= MARGIN.top);
  assert.equal(scale.x(losses.step[0]), MARGIN.left);
  assert.ok(Math.abs(scale.stepAt(scale.x(17)) - 17) < 1e-9);
  scale.fit({ step: [], lines: [[], []] });
  assert.ok(Number.isFinite(scale.y(0.5)));
});

test("the nearest step is found between the points", () => {
  const step = Float64Array.of(0, 10, 20, 40);
  assert.deepEqual(
    [-5, 4, 6, 29, 31, 99].map((at) => nearest(step, at)),
    [0, 0, 1, 2, 3, 3],
  );
  assert.equal(nearest(new Float64Array(0), 3), -1);
});

function drawnMarks(...steps: number[]) {
  const store = new FakeStore();
  const read: string[] = [];
  const marks = new LossMarks(
    store,
    (error) => assert.fail(String(error)),
    (text) => read.push(text),
  );
  const scale = new LossScale(400, 200);
  const { step, train, test: held } = store.scene.value.losses;
  scale.fit({ step, lines: [train, held] });
  const list = steps.map((step, n) => ({ step, position: n + 1, kind: "edit", text: `e${n + 1}` }));
  const draw = (count: number) => marks.draw(list.slice(0, count), scale);
  draw(steps.length);
  return { store, read, marks, draw, buttons: [...marks.element.querySelectorAll("button")] };
}

test("a click on a mark goes to its place in the history, and focus reads it", () => {
  const { store, read, marks, draw, buttons } = drawnMarks(10, 50);
  buttons[1].dispatchEvent(new Event("focus"));
  assert.deepEqual(read, ["Step 50: e2"]);
  buttons[1].click();
  assert.deepEqual(store.asked, [{ type: "jump", position: 2 }]);
  draw(1);
  assert.deepEqual([...marks.element.children], [buttons[0]]);
});

test("marks that are close share a button, which lets one of them be chosen", () => {
  const { store, marks, buttons } = drawnMarks(10, 10, 10.5, 50);
  assert.equal(buttons.length, 2);
  assert.equal(buttons[0].title, "Step 10: e1 and 2 more");
  buttons[0].click();
  assert.deepEqual(store.asked, []);
  const choices = [...marks.choices.querySelectorAll("button")];
  assert.deepEqual(
    choices.map((one) => one.textContent),
    ["e1", "e2", "e3"],
  );
  choices[1].click();
  assert.deepEqual(store.asked, [{ type: "jump", position: 2 }]);
  assert.equal(marks.choices.hidden, true);
});

test("the chart reads out the last errors as they come", async () => {
  const { store, root } = open();
  await pause();
  const { losses } = store.scene.value;
  const longer = (x: Float64Array, more: number) => Float64Array.from([...x, more]);
  store.move({
    losses: {
      ...losses,
      step: longer(losses.step, 60),
      train: longer(losses.train, 0.125),
      test: longer(losses.test, NaN),
    },
  });
  await pause(100);
  assert.match(
    root.querySelector(".kv-chart ~ .kv-reading")!.textContent!,
    /^Step 60: RMSE train 0\.125$/,
  );
});
