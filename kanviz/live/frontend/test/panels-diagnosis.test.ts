/** The diagnosis: every row where it belongs, the worst first, and what a row is made of. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Contributions, Diagnosis } from "../src/contract";
import { diagnosisPanel, residuals, worst } from "../src/panels/diagnosis";
import { buttonOf, inputOf, pause, show } from "./panels-dom";
import { errors, FakeStore, makeScene } from "./panels-store";

const NUMBERS: Diagnosis = {
  x: [0, 1, 2, 3, 4, 5],
  measured: [10, 20, 30],
  predicted: [11, 15, 30],
  guess: null,
  test: [false, false, true],
};
const SHARES: Contributions = { base: 12, parts: [-2, 5], value: 15 };

async function open(found: Diagnosis, scene = makeScene()) {
  const store = new FakeStore(scene, ({ type }) => (type === "diagnosis" ? found : SHARES));
  const root = show(diagnosisPanel(store).element);
  await pause(500);
  return { store, root };
}

test("until the rows have come a word says so, and no key is for a part that is not there", async () => {
  let answer = (_: Diagnosis): void => {};
  const asked = new Promise<Diagnosis>((done) => (answer = done));
  const store = new FakeStore(makeScene(), ({ type }) => (type === "diagnosis" ? asked : SHARES));
  const root = show(diagnosisPanel(store).element);
  await pause(500);
  assert.equal(root.querySelector(".kv-notice")!.textContent, "Looking at the rows\u2026");
  answer({ ...NUMBERS, test: [false, false, false] });
  await pause();
  assert.equal(root.querySelector(".kv-notice")!.textContent, "");
  assert.ok(root.querySelector<HTMLElement>(".kv-key-rows-test")!.hidden);
});

test("residuals are measured less predicted, of classes what the right one lacks", () => {
  assert.deepEqual(residuals(NUMBERS), [-1, 5, 0]);
  assert.deepEqual(worst(NUMBERS, 2), [1, 0]);
  const classes = { ...NUMBERS, measured: [0, 1, 1], predicted: [0.9, 0.2, 1], guess: [0, 0, 1] };
  assert.deepEqual(worst(classes, 1), [1]);
});

test("a row that is pressed is probed, and told input by input in the output's unit", async () => {
  const { store, root } = await open(NUMBERS);
  assert.equal(root.querySelector(".kv-notice")!.textContent, "");
  const first = root.querySelector(".kv-worst button")!;
  assert.equal(first.getAttribute("aria-label"), "training row: 20, 15, 5");
  const lines = [...root.querySelectorAll(".kv-worst tbody tr")].map((line) => line.textContent);
  assert.deepEqual(lines.slice(0, 2), ["training row20155", "training row1011\u22121"]);
  const dots = [...root.querySelectorAll(".kv-dots")].map(
    (path) => (path.getAttribute("d") ?? "").split("M").length - 1,
  );
  assert.deepEqual(dots, [2, 1, 2, 1], "training and test, in both pictures");
  buttonOf(root, "training row").click();
  assert.deepEqual(Array.from(store.probe.value!), [2, 3]);
  await pause(150);
  const asked = store.of("contributions");
  assert.deepEqual(asked.at(-1), { type: "contributions", x: [2, 3], output: 0 });
  const bars = [...root.querySelectorAll(".kv-diagnosis .kv-bars .kv-bar-row")];
  assert.deepEqual(
    bars.map((bar) => bar.textContent),
    ["mean12", "y = 3+5", "x = 2\u22122", "f15"],
  );
  assert.ok(bars[2].querySelector(".kv-minus"));
});

test("of classes a table says what is taken for what, on the test part", async () => {
  const classes: Diagnosis = {
    ...{ x: [0, 0, 1, 1, 2, 2], measured: [0, 1, 1], predicted: [0.9, 0.2, 0.7] },
    ...{ guess: [0, 0, 1], test: [false, true, true] },
  };
  const scene = makeScene({
    error: { ...errors(1, 0.5), name: "accuracy" },
    output_names: ["no", "yes"],
  });
  const { root } = await open(classes, scene);
  const cells = [...root.querySelectorAll(".kv-confusion td")].map((cell) => cell.textContent);
  assert.deepEqual(cells, ["0", "0", "1", "1"]);
  const against = inputOf(root, "Against") as unknown as HTMLSelectElement;
  assert.equal(against.options.length, 2, "the inputs alone");
});
