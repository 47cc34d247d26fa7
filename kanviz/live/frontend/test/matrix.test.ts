/** Pictures without wires: matrices, and one node alone; and the way from one picture to another. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { Curves } from "../src/diagram/curves";
import { layout, placesOf, wantedHeight } from "../src/diagram/layout";
import {
  alone,
  edgesAt,
  fitsMatrix,
  isCrowded,
  isWide,
  matrix,
  matrixHeight,
} from "../src/diagram/matrix";
import { Motion, pathBetween } from "../src/diagram/motion";
import { apart, full, network } from "./scenes";

for (const widths of [
  [6, 8, 4, 1],
  [20, 30, 10],
  [6, 7],
  [9, 2, 3, 6, 2],
]) {
  test(`the matrices of [${widths}] have each edge in the lanes of its nodes`, () => {
    const scene = network(widths, full(widths));
    const places = placesOf(scene);
    for (const width of [360, 720, 1400]) {
      const size = { width, height: matrixHeight(scene, width, places) };
      assert.ok(fitsMatrix(scene, size, places));
      const made = matrix(scene, size, places, scene.edges);
      assert.equal(made.edges.length, scene.edges.length);
      apart(made.edges, size);
      const nodeAt = (layer: number, index: number) =>
        made.nodes.find(({ view }) => view.layer === layer && view.index === index)!;
      for (const { view, slot } of made.edges) {
        const { left, top, width: side } = slot.box;
        const ends = [nodeAt(view.layer, view.i), nodeAt(view.layer + 1, view.j)];
        const [row, column] = view.layer % 2 ? [ends[1], ends[0]] : ends;
        assert.ok(Math.abs(row.y - top - side / 2) < 1e-6);
        assert.ok(Math.abs(column.x - left - side / 2) < 1e-6);
      }
      for (const { x, y } of made.nodes) {
        assert.ok(x >= 0 && x <= width && y >= 0 && y <= size.height);
      }
    }
  });
}

test("the factors of a product have a lane each, and the node the middle", () => {
  const scene = network([2, 2, 1], full([2, 3, 1]).slice(0, 8));
  scene.owners = [[], [0, 0, 1], [0]];
  scene.nodes.find((node) => node.layer === 1 && node.index === 0)!.factors = [0, 1];
  const size = { width: 700, height: 500 };
  const made = matrix(scene, size, placesOf(scene), scene.edges);
  apart(made.edges, size);
  const product = made.nodes.find(({ view }) => view.factors.length)!;
  const [first, second] = product.factors;
  assert.ok(Math.abs(product.x - (first.x + second.x) / 2) < 1e-6 && first.x < second.x);
});

test("a network is crowded from six nodes in a layer on, as long as its edges are there", () => {
  const wide = network([6, 8, 1], full([6, 8, 1]));
  assert.ok(isWide(wide) && isCrowded(wide));
  for (const view of wide.edges.slice(10)) view.state = "pruned";
  assert.ok(isWide(wide) && !isCrowded(wide));
  assert.ok(!isWide(network([2, 5, 1], full([2, 5, 1]))));
  assert.ok(!isWide(network([10, 1], full([10, 1]))));
});

test("a node alone has its curves and the names of all that they join, and no more", () => {
  const scene = network([6, 8, 4, 1], full([6, 8, 4, 1]));
  const size = { width: 720, height: 600 };
  for (const at of [
    [1, 3],
    [0, 0],
    [3, 0],
  ] as const) {
    const made = alone(scene, size, at, edgesAt(scene, at));
    const [layer, index] = at;
    const count = (layer ? scene.widths[layer - 1] : 0) + (scene.widths[layer + 1] ?? 0);
    assert.equal(made.edges.length, count);
    assert.equal(made.nodes.length, count + 1);
    assert.equal(made.bare!.notes.length, count + 1);
    apart(made.edges, size);
    const own = made.nodes.find(({ view }) => view.layer === layer && view.index === index)!;
    for (const { view, slot } of made.edges) {
      assert.ok(view.layer < layer ? slot.box.top > own.y : slot.box.top < own.y);
    }
  }
});

test("a picture goes to another in a fifth of a second, and is then that one", () => {
  const scene = network([2, 3, 1], full([2, 3, 1]));
  const size = { width: 700, height: wantedHeight(scene, 700, null) };
  const before = layout(scene, size, placesOf(scene), scene.edges);
  const [first, second] = scene.nodes.filter((node) => node.layer === 1);
  [first.x, second.x] = [second.x, first.x];
  const after = layout(scene, size, placesOf(scene), scene.edges);
  const motion = new Motion();
  motion.begin(before, after, 1000);
  const xAt = (now: number): number => motion.at(after, now).nodes[2].x;
  const [from, to] = [before.nodes[2].x, after.nodes[2].x];
  assert.notEqual(from, to);
  assert.ok(Math.abs(xAt(1000) - from) < 1e-9);
  assert.ok(Math.abs(xAt(1110) - (from + to) / 2) < 1e-9);
  assert.ok(motion.isMoving);
  assert.equal(motion.at(after, 1250), after);
  assert.ok(!motion.isMoving);
  const wider = layout(scene, { ...size, width: 800 }, placesOf(scene), scene.edges);
  motion.begin(after, wider, 2000);
  assert.equal(motion.at(wider, 2000), wider); // another window: it jumps
});

test("a path is half way between two of the same strokes", () => {
  assert.equal(pathBetween("M0,0L10,-4", "M2,0L20,4", 0.5), "M1.00,0.00L15.00,0.00");
  assert.equal(pathBetween("M0,0L1,1", "M0,0C1,1 2,2 3,3", 0.5), "");
});

test("an edge that becomes a formula, or is removed, tells what it was on the way", () => {
  const scene = network([1, 1], full([1, 1]));
  const [view] = scene.edges;
  const curve = { curve_x: Float64Array.of(0, 1), curve_y: Float64Array.of(0, 1) };
  const curves = new Curves();
  const take = (state: "spline" | "symbolic", now: number): void =>
    curves.aim({ ...scene, edges: [{ ...view, ...curve, state }] }, now, () => false);
  take("spline", 0);
  curves.step(500);
  take("symbolic", 1000);
  assert.ok(curves.step(1110));
  assert.deepEqual(curves.at("0,0,0")!.turn, { from: "spline", share: 0.5 });
  assert.ok(!curves.step(1230));
  assert.equal(curves.at("0,0,0")!.turn, undefined);
});
