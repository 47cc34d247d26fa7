/** The numbers behind the teaching widgets: Bezier curves, B-splines, and what knots may do. */

import assert from "node:assert/strict";
import { test } from "node:test";
import { bernstein, bezierAt, deCasteljau, elevated, type Point } from "../src/course/bezier";
import { aboutKnot, aboutPoint } from "../src/course/bspline";
import { type Choice, inOrder, learnt, PLAIN } from "../src/course/forgetting";
import { billsOf, pulled, withHeight } from "../src/course/seesaw";
import {
  areRight,
  basisAt,
  basisIn,
  clamped,
  extended,
  gaussians,
  greville,
  intervalAt,
  moveKnot,
  pieces,
  refined,
  withClampedEnds,
  withEvenKnots,
  withOrder,
} from "../src/course/splines";

const near = (found: readonly number[], wanted: readonly number[], by = 1e-12): void => {
  assert.equal(found.length, wanted.length);
  found.forEach((value, n) => assert.ok(Math.abs(value - wanted[n]) <= by, `${found} ${wanted}`));
};

const POINTS: Point[] = [
  [0, 0],
  [1, 2],
  [3, 1],
  [4, 0],
];

const CUBIC = { order: 3, knots: extended([0, 1, 2, 3, 4], 3), coef: [0, 1, -1, 2, 0.5, 1, 0] };

test("de Casteljau's last point is the sum of the points with Bernstein's weights", () => {
  for (const t of [0, 0.3, 1]) {
    const weights = bernstein(3, t);
    near([weights.reduce((a, b) => a + b)], [1]);
    const sum = [0, 1].map((axis) => weights.reduce((all, w, i) => all + w * POINTS[i][axis], 0));
    near(bezierAt(POINTS, t), sum);
  }
  assert.deepEqual(
    deCasteljau(POINTS, 0.5).map((level) => level.length),
    [4, 3, 2, 1],
  );
});

test("one point more leaves the curve as it is", () => {
  for (const t of [0, 0.2, 0.7, 1]) near(bezierAt(elevated(POINTS), t), bezierAt(POINTS, t));
});

test("cubic functions on equal knots have their known values, and sum to one", () => {
  near(basisAt([0, 1, 2, 3, 4], 3, 2), [2 / 3]);
  near(basisAt(CUBIC.knots, 3, 2), [0, 0, 1 / 6, 2 / 3, 1 / 6, 0, 0]);
  for (const x of [0, 0.5, 3.99, 4]) {
    near([basisAt(CUBIC.knots, 3, x).reduce((a, b) => a + b)], [1]);
  }
  assert.deepEqual(basisAt(CUBIC.knots, 3, 99), Array(7).fill(0));
});

test("where functions jump, each side of a knot has its own values", () => {
  const knots = [0, 1, 2];
  assert.equal(intervalAt(knots, 0, 1), 1);
  assert.equal(intervalAt(knots, 0, 2), 1);
  assert.deepEqual(basisIn(knots, 0, 0, 1), [1, 0]);
  assert.deepEqual(basisIn(knots, 0, 1, 1), [0, 1]);
  const drawn = pieces([0, 0, 1, 1], 1, 0.5);
  assert.deepEqual(drawn, [
    {
      x: [0, 0.5, 1],
      rows: [
        [1, 0],
        [0.5, 0.5],
        [0, 1],
      ],
    },
  ]);
});

test("control points stand at the mean of their knots", () => {
  near(greville([0, 0, 0, 1, 2, 2, 2], 2), [0, 0.5, 1.5, 2]);
  near(greville([0, 1, 2], 0), [0.5, 1.5]);
});

test("Gaussians stand on the grid and two beyond each end, and do not sum to one", () => {
  const row = gaussians([0, 4], 4, 2);
  assert.equal(row.length, 9);
  near([row[4]], [1]);
  near([row.reduce((a, b) => a + b)], [Math.sqrt(Math.PI)], 1e-3);
});

test("a knot stops at its neighbours, joins what is near, and leaves a stack at its free end", () => {
  const knots = [0, 1, 2, 3, 4, 5];
  assert.deepEqual(moveKnot(knots, 1, 2, 9, 0), [[0, 1, 3, 3, 4, 5], 2]);
  assert.deepEqual(moveKnot(knots, 1, 2, 2.95, 0.1), [[0, 1, 3, 3, 4, 5], 2]);
  assert.deepEqual(moveKnot([0, 1, 3, 3, 4, 5], 1, 2, 3.5, 0), [[0, 1, 3, 3.5, 4, 5], 3]);
  assert.deepEqual(moveKnot([0, 1, 3, 3, 4, 5], 1, 3, 2.5, 0), [[0, 1, 2.5, 3, 4, 5], 2]);
});

test("no more knots than the order and one come to one place, and the grid keeps a length", () => {
  const full = [0, 1, 2, 2, 3, 4];
  assert.deepEqual(moveKnot(full, 1, 4, 2, 0), [full, 4]);
  const short = [0, 1, 2, 3];
  assert.deepEqual(moveKnot(short, 1, 2, 0, 0), [short, 2]);
  assert.equal(areRight([0, 0, 1, 1], 1), true);
  assert.equal(areRight([0, 1, 0.5, 2], 1), false);
});

test("another order keeps the grid and the control line", () => {
  const linear = withOrder(CUBIC, 1);
  near(linear.knots, [-1, 0, 1, 2, 3, 4, 5]);
  near(linear.coef, [1, -1, 2, 0.5, 1]);
  assert.equal(withOrder(CUBIC, 5).coef.length, 9);
  const ends = withOrder(withClampedEnds(CUBIC), 2);
  near(ends.knots, clamped([0, 1, 2, 3, 4], 2));
});

test("knots that a lower order cannot have are spread evenly", () => {
  const stacked = { ...CUBIC, knots: [-3, -2, -1, 0, 2, 2, 2, 4, 5, 6, 7] };
  near(withOrder(stacked, 1).knots, [-1, 0, 1, 2, 3, 4, 5]);
  near(withEvenKnots(stacked).knots, CUBIC.knots);
});

test("words name the stretch that a point moves, and how smooth a knot is", () => {
  assert.match(aboutPoint(CUBIC, 0), /from x = 0 to 1 and nowhere else/);
  assert.match(aboutPoint(CUBIC, 3), /all of it/);
  assert.match(aboutKnot(CUBIC, 5), /the curve is C\u00b2 there \(3 \u2212 1 = 2\)/);
  assert.match(aboutKnot(CUBIC, 0), /outside the grid/);
  assert.match(aboutKnot(CUBIC, 3), /an end of the grid/);
  const stacked = { ...CUBIC, knots: [-3, -2, -1, 0, 2, 2, 2, 4, 5, 6, 7] };
  assert.match(aboutKnot(stacked, 5), /3 knots in one place: the curve is C\u2070.*corner/);
  const jump = { order: 0, knots: [0, 1, 2], coef: [1, 2] };
  assert.match(aboutKnot(jump, 1), /may jump there/);
});

test("a refined spline is the same curve, with twice the intervals", () => {
  const coef = [0.3, -1, 2, 0.5, -0.7, 1.1, 0.2, 0.9];
  for (const order of [0, 1, 2, 3]) {
    const count = 5 + order;
    const even = Array.from({ length: 6 + 2 * order }, (_, n) => -1 + 0.4 * (n - order));
    const clamped = even.map((knot) => Math.min(1, Math.max(-1, knot)));
    for (const knots of [even, clamped]) {
      const from = { order, knots, coef: coef.slice(0, count) };
      const to = refined(from);
      assert.equal(to.coef.length, 10 + order);
      assert.equal(to.knots.length, 11 + 2 * order);
      for (let x = -0.99; x < 1; x += 0.07) {
        const [one, other] = [from, to].map((spline) =>
          basisAt(spline.knots, order, x).reduce((sum, b, m) => sum + b * spline.coef[m], 0),
        );
        assert.ok(Math.abs(one - other) < 1e-12, `order ${order}, x ${x}: ${one} ${other}`);
      }
    }
  }
});

const PEAKS = (() => {
  const x = Array.from({ length: 201 }, (_, n) => -1 + n / 100);
  const centres = [-0.8, -0.4, 0, 0.4, 0.8];
  const target = x.map((at) => centres.reduce((sum, c) => sum + Math.exp(-300 * (at - c) ** 2), 0));
  const windows = centres.map((c): [number, number] => [c - 0.2, c + 0.2]);
  return { x, target, windows };
})();

/** The error on the first window after the last phase. */
function kept(choice: Partial<Choice>): number {
  const made = { ...PLAIN, ...choice };
  const windows = inOrder(PEAKS.windows, made.way);
  const [low, high] = windows[0];
  const says = learnt({ ...PEAKS, windows }, made).at(-1)!;
  const inside = PEAKS.x.map((_, n) => n).filter((n) => PEAKS.x[n] >= low && PEAKS.x[n] <= high);
  const sum = inside.reduce((all, n) => all + (says[n] - PEAKS.target[n]) ** 2, 0);
  return Math.sqrt(sum / inside.length);
}

test("many short pieces without a base function remember; a base function or few pieces forget", () => {
  assert.ok(kept({ size: 100 }) < 0.01, `${kept({ size: 100 })}`);
  assert.ok(kept({ size: 100, base: "SiLU" }) > 0.05, `${kept({ size: 100, base: "SiLU" })}`);
  assert.ok(kept({ size: 5 }) > 0.1);
  assert.deepEqual(inOrder([1, 2, 3, 4, 5], "from the ends inwards"), [1, 5, 2, 4, 3]);
  assert.deepEqual(inOrder([1, 2, 3, 4], "from the ends inwards"), [1, 4, 2, 3]);
});

test("edges that share a job keep its sum, whichever is dragged", () => {
  for (const [n, height] of [
    [0, 0.9],
    [2, 0],
    [1, 5],
    [3, 0.31],
  ]) {
    const made = withHeight([0.4, 0.3, 0.2, 0.1], n, height, true);
    const sum = made.reduce((all, one) => all + one, 0);
    assert.ok(Math.abs(sum - 1) < 1e-9, `${made}`);
    assert.ok(made.every((one) => one >= 0));
    assert.ok(Math.abs(made[n] - Math.min(height, 1)) < 1e-9);
  }
  near(withHeight([0.4, 0.3], 0, 9, false), [1.5, 0.3]);
});

test("entropy leaves one edge where L1 leaves all, as long as they share a job", () => {
  const start = [0.3, 0.25, 0.2, 0.15, 0.1];
  near(pulled(start, "L1", true, 240), start, 1e-9);
  const left = pulled(start, "entropy", true, 240);
  near(left, [1, 0, 0, 0, 0], 1e-9);
  near([billsOf(left).entropy, billsOf([0.2, 0.2, 0.2]).entropy], [0, Math.log(3)], 1e-9);
});
