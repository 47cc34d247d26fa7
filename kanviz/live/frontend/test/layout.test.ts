/** Places: nothing overlaps, and nodes stand where Python has them. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Scene } from "../src/contract";
import { leftOut } from "../src/diagram/foot";
import { hiddenLabels, plain, textWidth } from "../src/diagram/labels";
import { layout, placesOf, strongest, wantedHeight } from "../src/diagram/layout";
import { counts } from "../src/ui/histogram";
import { fixture, skip } from "./fixture";
import { apart, full, network } from "./scenes";

for (const widths of [
  [2, 5, 1],
  [1, 1],
  [10, 20, 10, 3],
  [3, 40, 2],
]) {
  test(`no two plots of [${widths}] overlap or leave the picture`, () => {
    const made = network(widths, full(widths));
    for (const width of [320, 720, 1400]) {
      const size = { width, height: wantedHeight(made, width, null) };
      const { edges } = layout(made, size, placesOf(made), made.edges);
      assert.equal(edges.length, made.edges.length);
      apart(edges, size);
    }
  });
}

test("nodes stand in the order that the scene has", () => {
  const made = network([2, 3, 1], full([2, 3, 1]));
  assert.deepEqual(placesOf(made), [[0, 1], [0, 1, 2], [0]]);
  const [first, second] = made.nodes.filter((node) => node.layer === 1);
  [first.x, second.x] = [second.x, first.x];
  assert.deepEqual(placesOf(made), [[0, 1], [1, 0, 2], [0]]);
  const size = { width: 700, height: 480 };
  const { nodes, edges } = layout(made, size, placesOf(made), made.edges);
  const xOf = (index: number): number =>
    nodes.find(({ view }) => view.layer === 1 && view.index === index)!.x;
  assert.ok(xOf(1) < xOf(0) && xOf(0) < xOf(2));
  const boxes = edges.filter(({ view }) => view.layer === 0 && view.i === 0);
  const order = boxes.sort((a, b) => a.slot.box.left - b.slot.box.left).map(({ view }) => view.j);
  assert.deepEqual(order, [1, 0, 2]);
});

test("a hidden node without a label has its short name beside it, where there is room", () => {
  const made = network([2, 3, 1], []);
  const nodes = made.nodes
    .filter((node) => node.layer === 1)
    .map((node) => ({ ...node, label: "" }));
  const words = [...hiddenLabels(nodes, 100).words.values()].map(([word]) => word);
  assert.deepEqual(words, ["h1.0", "h1.1", "h1.2"]);
  assert.equal(hiddenLabels(nodes, 20).words.size, 0);
});

test("words are made plain and measured as in Python", () => {
  assert.equal(plain("  a\n b\u202e c\u0000"), "a b c\ufffd");
  assert.equal(plain("e\u0301\u0301\u0301\u0301\u0301"), "e\u0301\u0301\u0301");
  assert.equal(textWidth("e\u0301", 100), textWidth("e", 100));
});

test("the strongest edges are drawn, at least one of each layer, and the rest is counted", () => {
  const made = network([4, 4, 4], full([4, 4, 4]));
  assert.equal(strongest(made, 5).length, 5);
  assert.deepEqual(new Set(strongest(made, 1).map((view) => view.layer)), new Set([0, 1]));
  assert.equal(leftOut(200, 50816), "the strongest 200 of 50,816 edges; 50,616 left out");
  assert.equal(leftOut(10, 10), "");
});

test("a histogram counts every value once", () => {
  assert.deepEqual(counts(Float64Array.of(0, 0.1, 0.5, 1), 2), [2, 2]);
  assert.deepEqual(counts(Float64Array.of(3, 3), 2), [2, 0]);
});

interface Picture {
  name: string;
  scene: Scene;
  width: number;
  height: number;
  /** Of each node x, y and radius; of each edge left, top and side of its box, floor and ceiling. */
  nodes: Float64Array;
  boxes: Float64Array;
  lines: Float64Array;
}

const ends = (path: string): number[] => {
  const numbers = path.match(/-?[\d.]+/g)!.map(Number);
  return [...numbers.slice(0, 2), ...numbers.slice(-2)];
};

test("the same network has the same places here and in a figure", { skip }, () => {
  const { pictures } = fixture<{ pictures: Picture[] }>();
  assert.ok(pictures.length > 5);
  for (const { name, scene: made, width, height, ...wanted } of pictures) {
    const found = layout(made, { width, height }, placesOf(made), made.edges);
    const shapes = new Map(found.edges.map((shape) => [shape.view, shape]));
    const edges = made.edges.map((view) => shapes.get(view)!);
    const near = (a: number[], b: Float64Array, what: string, most: number): void => {
      assert.equal(a.length, b.length);
      a.forEach((value, n) =>
        assert.ok(Math.abs(value - b[n]) < most, `${what} ${n} of ${name}: ${value}, not ${b[n]}`),
      );
    };
    near(
      found.nodes.flatMap(({ x, y, radius }) => [x, y, radius]),
      wanted.nodes,
      "node",
      1e-6,
    );
    near(
      edges.flatMap(({ slot: { box } }) => [box.left, box.top, box.width]),
      wanted.boxes,
      "box",
      1e-6,
    );
    near(
      edges.flatMap(({ into, out }) => [...ends(into), ...ends(out)]),
      wanted.lines,
      "line",
      0.02,
    );
  }
});
