/** The playground without a browser: typed laws, lessons in addresses, rows, and its scenes. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { valueAt } from "../src/math/formula";
import { parseLaw } from "../src/math/parse";
import { dataOf, spreadOf } from "../src/playground/data";
import { PlaygroundDesk } from "../src/playground/desk";
import { LAWS } from "../src/playground/laws";
import { hashOf, type Lesson, lessonOf, PLAIN } from "../src/playground/lesson";
import { FIRST_POINTS, readCsv, tableData } from "../src/playground/table";

const at = (text: string, ...inputs: number[]): number => valueAt(parseLaw(text), inputs);

test("typed laws are computed by the rules of arithmetic", () => {
  const [x, y] = [0.7, -1.3];
  const wanted: [string, number][] = [
    ["x + 2*y", x + 2 * y],
    ["-x^2", -(x ** 2)],
    ["2^-x", 2 ** -x],
    ["x - y - 1", x - y - 1],
    ["x/y/2", x / y / 2],
    ["x^2^3", x ** 8],
    ["exp(sin(pi*x) + y**2)", Math.exp(Math.sin(Math.PI * x) + y * y)],
    ["sqrt(x)*LN(x)", Math.sqrt(x) * Math.log(x)],
    ["max(x, y) - min(x, y)", x - y],
    ["1/(1 + 25x^2)".replace("25x", "25*x"), 1 / (1 + 25 * x * x)],
    ["x\u00b7y \u2212 1.5e-1", x * y - 0.15],
    ["x^(1/2)", Math.sqrt(x)],
  ];
  for (const [text, value] of wanted) {
    const found = at(text, x, y);
    assert.ok(Math.abs(found - value) < 1e-12, `${text}: ${found} for ${value}`);
  }
  assert.deepEqual(parseLaw("x_10 + x_2 + a").inputs, ["a", "x_2", "x_10"]);
});

test("a law that cannot be read says why", () => {
  const wrong: [string, RegExp][] = [
    ["", /Type a formula/],
    ["3 + 4", /needs an input/],
    ["x +", /stops in the middle/],
    ["(x", /not closed/],
    ["x y", /left over/],
    ["foo(x)", /not known: "foo"/],
    ["constructor(x)", /not known/],
    ["sin(x, y)", /takes one number/],
    ["x $ y", /sign that is not known: "\$"/],
    [`${"x+".repeat(300)}x`, /at most/],
  ];
  for (const [text, message] of wrong) assert.throws(() => parseLaw(text), message, text);
});

test("every law of the list has its network and rows that are finite", () => {
  for (const law of LAWS) {
    const { formula, range, widths } = law;
    const data = dataOf({ ...PLAIN, law: formula, low: range[0], high: range[1], rows: 50 });
    assert.equal(data.inputNames.length, widths[0], formula);
    assert.ok([...data.train.y, ...data.test.y].every(Number.isFinite), formula);
    assert.ok(Math.abs(spreadOf(data.rows.y) - 1) < 1e-9, formula);
    assert.ok(
      data.rows.x.every((x) => x >= -1 && x <= 1),
      formula,
    );
  }
});

test("the same lesson has the same rows, and noise is of the size that is asked for", () => {
  const lesson = { ...PLAIN, rows: 4000 };
  const [one, two] = [dataOf(lesson), dataOf({ ...lesson, noise: 0.1 })];
  assert.deepEqual(dataOf(lesson).train.y, one.train.y);
  const added = two.train.y.map((y, n) => y - one.train.y[n]);
  const share = spreadOf(added) / spreadOf(one.train.y);
  assert.ok(Math.abs(share - 0.1) < 0.01, `noise ${share}`);
  assert.deepEqual(two.test.y, one.test.y, "new rows have no noise");
});

test("a lesson goes through an address and comes back", () => {
  const lessons: Partial<Lesson>[] = [
    {},
    { law: "x_1*x_2", hidden: [2] },
    { law: "a/b + 1", low: 0.5, high: 3.25, noise: 0.05, hidden: [], rows: 60 },
    { hidden: [3, 2], grid: 9, order: 2, optimizer: "adam", sparsity: 1e-3, seed: 12 },
    { question: "Why 2 & not 3? #1 = x+y", title: "\u00dcbung", hide: ["data", "training"] },
  ];
  for (const change of lessons) {
    const lesson = { ...PLAIN, ...change };
    assert.deepEqual(lessonOf(hashOf(lesson)), lesson);
  }
  assert.equal(hashOf(PLAIN), "");
});

test("an address with nonsense gives a lesson that works", () => {
  const lesson = lessonOf("#grid=1e9&rows=-5&hidden=99&order=x&noise=NaN&seed=&constructor=1");
  assert.equal(lesson.grid, 40);
  assert.equal(lesson.rows, 10);
  assert.deepEqual([lesson.hidden, lesson.order, lesson.noise], [PLAIN.hidden, 3, 0]);
});

/** A worker that keeps what it is told. */
function quietWorker(): Worker & { told: { type: string }[] } {
  const told: { type: string }[] = [];
  return { told, postMessage: (order: { type: string }) => told.push(order) } as never;
}

test("the desk shows a network, trains it by the worker, and takes it over", async () => {
  const worker = quietWorker();
  const heard: string[] = [];
  const lesson = { ...PLAIN, law: "x_1*x_2", hidden: [2], rows: 40 };
  const desk = new PlaygroundDesk(lesson, worker, (event) => heard.push(event));
  assert.deepEqual(desk.scene.widths, [2, 2, 1]);
  assert.equal(desk.scene.edges.length, 6);
  assert.ok(desk.scene.is_fresh);
  desk.train();
  const order = worker.told.at(-1) as { type: string; run: number; layers: unknown };
  assert.equal(order.type, "train");
  const { layers } = desk.recipe.peek();
  const news = { start: 0, starts: 0, spent: 5, text: "", run: order.run };
  const losses = [{ step: 3, train: 0.04, test: 0.09 }];
  worker.onmessage!({ data: { ...news, type: "moment", layers, step: 3, losses } } as never);
  assert.equal(desk.frame?.step[0], 3);
  assert.ok(heard.includes("change:frame"));
  worker.onmessage!({ data: { ...news, type: "done", layers, step: 4, losses: [] } } as never);
  assert.equal(desk.state.peek(), "idle");
  assert.deepEqual(desk.scene.history.done, ["trained 4 steps"]);
  assert.ok(!desk.scene.is_fresh);
  const version = desk.scene.version;
  const edge = { seq: 1, type: "remove_edge", edge: [0, 1, 1] } as const;
  assert.ok((await desk.answer(edge)).reply.ok);
  assert.ok(desk.scene.version > version);
  assert.equal(desk.recipe.peek().layers[0].mask[3], 0, "training goes on from the edit");
  assert.ok((await desk.answer({ seq: 2, type: "undo" })).reply.ok);
  assert.equal(desk.recipe.peek().layers[0].mask[3], 1);
});

test("what comes of a fit that was left is not taken", () => {
  const worker = quietWorker();
  const desk = new PlaygroundDesk(PLAIN, worker, () => undefined);
  desk.train();
  const { layers } = desk.recipe.peek();
  desk.change({ hidden: [2] });
  const late = { type: "done", run: 1, layers, step: 9, start: 0, starts: 0, losses: [], spent: 1 };
  worker.onmessage!({ data: { ...late, text: "" } } as never);
  assert.deepEqual(desk.scene.widths, [2, 2, 1]);
  assert.deepEqual(desk.scene.history.done, []);
});

test("a law that is wrong leaves the network as it is and says so", () => {
  const desk = new PlaygroundDesk(PLAIN, quietWorker(), () => undefined);
  const { scene } = desk;
  desk.change({ law: "sin(x" });
  assert.match(desk.wrong.peek(), /not closed/);
  assert.equal(desk.scene, scene);
  desk.change({ law: "1/x", low: -0, high: 1 });
  assert.equal(desk.wrong.peek(), "");
});

test("a file's rows are learnt from: its numbers, in whatever country it was written", () => {
  const lines = Array.from({ length: 40 }, (_, n) => `${n},5;red;${n * 2};${3 * n},25`);
  const table = readCsv(`\ufeffa;colour;"b";c\n${lines.join("\r\n")}\n;;;\n`, "mine.csv");
  assert.deepEqual(table.names, ["a", "b", "c"]);
  assert.deepEqual(table.values[1], [1.5, 2, 3.25]);
  assert.equal(table.values.length, 40);
  const data = tableData(table, 1);
  assert.deepEqual([data.train.count, data.test.count], [32, 8]);
  assert.deepEqual([data.low[0], data.high[1]], [0.5, 78]);
  const wrong: [string, RegExp][] = [
    ["a,b", /header line/],
    ["a,b\nx,y\nz,w", /two columns of numbers/],
    ["a,b\n1,2\n3,4", /8 rows/],
    [`a,a\n${"1,2\n".repeat(9)}`, /one name/],
  ];
  for (const [text, message] of wrong) assert.throws(() => readCsv(text, ""), message);
});

test("points drawn by hand are a lesson, and a law takes their place again", () => {
  const desk = new PlaygroundDesk(PLAIN, quietWorker(), () => undefined);
  desk.change({ hidden: [] });
  desk.setTable(FIRST_POINTS);
  assert.deepEqual(desk.scene.widths, [1, 1]);
  assert.equal(desk.scene.error.test, null, "none of the few points is kept aside");
  assert.deepEqual([desk.data.peek().low[0], desk.data.peek().high[0]], [0, 1]);
  desk.change({ law: "x_1*x_2" });
  assert.equal(desk.table.peek(), null);
  assert.deepEqual(desk.scene.widths, [2, 1]);
});
