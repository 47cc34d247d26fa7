/** Places: nothing overlaps, and nodes change places only where that untangles. */

import assert from "node:assert/strict";
import { test } from "node:test";
import type { EdgeView, Scene } from "../src/contract";
import { leftOut } from "../src/diagram/foot";
import { layout, strongest, wantedHeight } from "../src/diagram/layout";
import { natural, untangled } from "../src/diagram/order";
import { counts } from "../src/ui/histogram";

function scene(widths: number[], edges: [number, number, number][]): Scene {
  const nodes = widths.flatMap((width, layer) =>
    Array.from({ length: width }, (_, index) => ({
      ...{ layer, index, label: `n${index}`, score: 1 },
      ...{ x: (index + 0.5) / width, y: layer / (widths.length - 1) },
    })),
  );
  const views = edges.map(([layer, i, j], n) => ({
    layer,
    i,
    j,
    strength: 1 - n / 1e4,
    state: "spline",
  }));
  return { widths, nodes, edges: views as unknown as EdgeView[] } as unknown as Scene;
}

const full = (widths: number[]): [number, number, number][] =>
  widths
    .slice(1)
    .flatMap((after, layer) =>
      Array.from({ length: widths[layer] * after }, (_, n): [number, number, number] => [
        layer,
        Math.floor(n / after),
        n % after,
      ]),
    );

for (const widths of [
  [2, 5, 1],
  [1, 1],
  [10, 20, 10, 3],
  [3, 40, 2],
]) {
  test(`no two plots of [${widths}] overlap or leave the picture`, () => {
    const made = scene(widths, full(widths));
    for (const width of [320, 720, 1400]) {
      const size = { width, height: wantedHeight(made, width, null) };
      const { edges } = layout(made, size, natural(widths), made.edges);
      assert.equal(edges.length, made.edges.length);
      const boxes = edges.map((edge) => edge.slot.box).sort((a, b) => a.top - b.top);
      boxes.forEach((a, n) => {
        assert.ok(a.left >= 0 && a.left + a.width <= width + 1e-6);
        for (const b of boxes.slice(n + 1)) {
          const aside = a.left + a.width <= b.left + 1e-6 || b.left + b.width <= a.left + 1e-6;
          assert.ok(aside || a.top + a.height <= b.top + 1e-6);
        }
      });
    }
  });
}

test("crossed lines are untangled, and inputs and outputs stay", () => {
  const made = scene(
    [3, 3, 3],
    [
      [0, 0, 2],
      [0, 1, 1],
      [0, 2, 0],
      [1, 2, 0],
      [1, 1, 1],
      [1, 0, 2],
    ],
  );
  const places = untangled(made, natural(made.widths));
  assert.deepEqual(places, [
    [0, 1, 2],
    [2, 1, 0],
    [0, 1, 2],
  ]);
});

test("an order that is as good as another stays", () => {
  const made = scene([2, 5, 1], full([2, 5, 1]));
  const before = natural(made.widths);
  assert.equal(untangled(made, before), before);
});

test("the strongest edges are drawn, at least one of each layer, and the rest is counted", () => {
  const made = scene([4, 4, 4], full([4, 4, 4]));
  assert.equal(strongest(made, 5).length, 5);
  assert.deepEqual(new Set(strongest(made, 1).map((view) => view.layer)), new Set([0, 1]));
  assert.equal(leftOut(200, 50816), "the strongest 200 of 50,816 edges; 50,616 left out");
  assert.equal(leftOut(10, 10), "");
});

test("a histogram counts every value once", () => {
  assert.deepEqual(counts(Float64Array.of(0, 0.1, 0.5, 1), 2), [2, 2]);
  assert.deepEqual(counts(Float64Array.of(3, 3), 2), [2, 0]);
});
