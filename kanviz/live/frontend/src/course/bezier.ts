/**
 * A Bezier curve: its points, de Casteljau's construction at t, and the weights of the points.
 */

import { assign, button, enable, h, s, write } from "../ui/dom";
import { type SaidSlider, saidSlider } from "../ui/fields";
import * as m from "../ui/mathml";
import { count, extent, short } from "../ui/numbers";
import { Frame, holds, type Range, serves } from "./frame";
import { type Grip, Grips, type Owner } from "./grips";
import { playButton } from "./playing";
import { keepDrawn, type Stage, wide } from "./stage";

const [FEWEST, MOST] = [2, 10];

/** How far t goes. */
const T = { low: 0, high: 1, step: "any", value: 0 } as const;

/** Seconds from t = 0 to t = 1. */
const SECONDS = 8;

/** Parts of the curve that are drawn as straight lines. */
const PARTS = 400;

/** Free room around the points, as a share of their extent. */
const ROOM = 0.12;

export function bezier(stage: Stage): void {
  new Bezier(stage).start();
}

class Bezier implements Owner {
  private chosen = 0;
  private t = 0;
  /** How far the curve has been drawn: what it will be is not given away. */
  private reach = 0;
  /** How many levels are drawn; infinite for all, however many there are. */
  private level = Infinity;
  private held = false;
  private shown: [across: Range, up: Range] | null = null;
  /** The width for which that was chosen. */
  private width = 0;
  private readonly frame = new Frame("plane");
  private readonly weights = new BernsteinPlot();
  private readonly grips = new Grips(this.frame, "point", this);
  private readonly curve = s("path", { class: "kv-curve" });
  private readonly levels = s("g", { class: "kv-levels" });
  private readonly names = s("g", { class: "kv-names" });
  private readonly words = h("p", { class: "kv-words", "aria-live": "polite" });
  private readonly formula = h("div", { class: "kv-formulas" });
  private readonly slider: SaidSlider;
  private readonly levelSlider: SaidSlider;
  private readonly add = button("Add a point", () => this.addPoint(), "The curve stays as it is");
  private readonly remove = button("Remove point", () => this.removePoint(this.chosen));

  constructor(private readonly stage: Stage) {
    this.slider = saidSlider(
      "t",
      T,
      (t) => t.toFixed(2),
      (t) => this.go(round(t)),
    );
    this.levelSlider = saidSlider(
      "Levels",
      { low: 0, high: 1, step: 1, value: 0 },
      String,
      (level) => this.showLevel(level),
    );
    this.frame.inside.append(this.curve, this.levels);
    this.frame.top.append(this.names);
  }

  start(): void {
    const { root, life } = this.stage;
    this.slider.value = this.t;
    const play = playButton(
      life,
      SECONDS,
      () => this.t,
      (t) => this.go(t),
    );
    root.append(
      h("div", { class: "kv-frames" }, this.frame.element, this.weights.frame.element),
      h("div", { class: "kv-tools" }, this.slider.element, play, this.levelSlider.element),
      h("div", { class: "kv-tools" }, this.add, this.remove),
      this.words,
      this.formula,
    );
    assign(root, { "aria-label": "Bezier curve" });
    keepDrawn(this.stage, () => this.draw());
  }

  private showLevel(level: number): void {
    this.level = level === this.points.length - 1 ? Infinity : level;
    this.draw();
  }

  private go(t: number): void {
    this.t = t;
    this.reach = Math.max(this.reach, t);
    this.slider.value = t;
    this.draw();
  }

  // What the points do.

  move(n: number, x: number, y: number, byKey: boolean): number {
    const inView = (value: number, { low, high }: { low: number; high: number }): number =>
      byKey ? value : Math.min(Math.max(value, low), high);
    const moved: Point = [inView(x, this.frame.x), inView(y, this.frame.y)];
    this.setPoints(this.points.map((point, i) => (i === n ? moved : point)));
    return n;
  }

  choose(n: number): void {
    if (n === this.chosen) return;
    this.chosen = n;
    this.draw();
  }

  press(n: number, key: string): boolean {
    if (key !== "Delete") return false;
    this.removePoint(n);
    this.grips.focus(Math.min(n, this.points.length - 1));
    return true;
  }

  hold(held: boolean): void {
    this.held = held;
    this.draw();
  }

  private get points(): Point[] {
    return this.stage.shared.get<Point[]>("points");
  }

  private setPoints(points: readonly Point[]): void {
    this.stage.shared.set({ points });
  }

  private addPoint(): void {
    if (this.points.length < MOST) this.setPoints(elevated(this.points));
  }

  private removePoint(n: number): void {
    if (this.points.length > FEWEST) this.setPoints(this.points.filter((_, i) => i !== n));
  }

  // The picture.

  private draw(): void {
    const { points, t } = this;
    const n = points.length - 1;
    this.chosen = Math.min(this.chosen, n);
    const level = Math.min(this.level, n);
    this.levelSlider.limit(0, n);
    this.levelSlider.value = level;
    this.arrange(points);
    const curve = Array.from({ length: PARTS + 1 }, (_, i) =>
      bezierAt(points, (this.reach * i) / PARTS),
    );
    this.curve.setAttribute("d", this.reach > 0 ? this.frame.path(curve) : "");
    this.names.replaceChildren(...points.map((point, i) => this.name(point, i)));
    const levels = deCasteljau(points, t);
    this.drawLevels(levels.slice(0, level + 1), n);
    const weights = bernstein(n, t);
    this.grips.draw(points.map((point, i) => this.grip(point, i, weights[i])));
    this.weights.draw(n, t, this.chosen);
    const before = this.reach > 0 ? "" : " Press Play: the last point draws the curve.";
    write(this.words, describe(levels, level, t) + before);
    this.formula.replaceChildren(...formulas(n, t, weights, levels[n][0], this.chosen));
    enable(this.add, points.length < MOST);
    enable(this.remove, points.length > FEWEST);
    write(this.remove, `Remove point ${this.chosen}`);
  }

  /** The name of a point, as the formulas have it: above it, or below where it stands low. */
  private name([x, y]: Point, i: number): SVGElement {
    const { frame } = this;
    const isLow = frame.y(y) > (frame.y(frame.y.low) + frame.y(frame.y.high)) / 2;
    const place = {
      x: frame.x(x).toFixed(1),
      y: (frame.y(y) + (isLow ? 24 : -14)).toFixed(1),
      "text-anchor": "middle",
    };
    const mark = i === this.chosen ? "kv-active" : "";
    return s("text", { class: mark, ...place }, `p${subscript(i)}`);
  }

  private grip([x, y]: Point, i: number, weight: number): Grip {
    const label = `Point ${i} at ${short(x)}, ${short(y)}; weight ${short(weight, 2)}`;
    return { x, y, label, chosen: i === this.chosen, halo: 6 + 18 * weight };
  }

  /** Gives both plots their sizes, side by side where there is room. */
  private arrange(points: readonly Point[]): void {
    const width = wide(this.stage.root);
    const beside = width >= 640;
    const [across, up] = [beside ? Math.round(width * 0.6) : width, beside ? 340 : 300];
    this.weights.size(beside ? width - across - 12 : width, beside ? up : 180);
    const extents = [0, 1].map((axis) => extent(points.map((point) => point[axis]))!);
    if (!this.shown || this.width !== width || !(this.held || this.stillServes(extents))) {
      this.shown = alike(extents, Frame.inner(across, up));
      this.width = width;
    }
    this.frame.show(across, up, ...this.shown);
  }

  /** Points on a line across or upwards are not lost: one direction is enough. */
  private stillServes(extents: readonly Range[]): boolean {
    const shown = this.shown!;
    return (
      extents.every((now, axis) => holds(shown[axis], now)) &&
      extents.some((now, axis) => serves(shown[axis], now))
    );
  }

  private drawLevels(levels: readonly Point[][], n: number): void {
    const drawn = levels.flatMap((level, r) => {
      const path = s("path", { class: r ? "kv-level" : "kv-polygon", d: this.frame.path(level) });
      const dots = r === 0 ? [] : level.map((point) => this.dot(point, r === n));
      for (const one of [path, ...dots]) one.style.setProperty("--kv-share", `${(100 * r) / n}%`);
      return [path, ...dots];
    });
    this.levels.replaceChildren(...drawn);
  }

  private dot([x, y]: Point, last: boolean): SVGElement {
    const at = { cx: this.frame.x(x).toFixed(2), cy: this.frame.y(y).toFixed(2) };
    return s("circle", { class: last ? "kv-last" : "kv-between", r: last ? 6 : 3.5, ...at });
  }
}

/** A number as small letters below the line. */
const subscript = (n: number): string =>
  [...String(n)].map((digit) => String.fromCharCode(0x2080 + Number(digit))).join("");

const round = (t: number): number => Math.round(100 * t) / 100;

/** Widens two ranges so that a unit is as long across as up, with room around. */
function alike(ranges: readonly Range[], pixels: readonly number[]): [Range, Range] {
  const share = 1 - 2 * ROOM;
  const unit = Math.max(...ranges.map(([low, high], n) => (high - low) / (share * pixels[n])));
  const [across, up] = ranges.map(([low, high], n): Range => {
    const [middle, half] = [(low + high) / 2, ((unit || 1) * pixels[n]) / 2];
    return [middle - half, middle + half];
  });
  return [across, up];
}

// The weights of the points of a Bezier curve as curves over t: Bernstein's polynomials.

const WEIGHT_PARTS = 120;

class BernsteinPlot {
  readonly frame = new Frame("weights");
  private readonly curves = s("g");
  private readonly now = s("path", { class: "kv-cursor" });
  private readonly dots = s("g");
  private readonly names = s("g", { class: "kv-names" });

  constructor() {
    this.frame.inside.append(this.now, this.curves, this.dots);
    this.frame.top.append(this.names);
  }

  size(width: number, height: number): void {
    this.frame.show(width, height, [0, 1], [0, 1.08]);
  }

  draw(n: number, t: number, chosen: number): void {
    const { frame } = this;
    const ts = Array.from({ length: WEIGHT_PARTS + 1 }, (_, i) => i / WEIGHT_PARTS);
    const rows = ts.map((at) => bernstein(n, at));
    const mark = (i: number): string => (i === chosen ? " kv-active" : "");
    this.curves.replaceChildren(
      ...rows[0].map((_, i) =>
        s("path", {
          class: `kv-basis${mark(i)}`,
          d: frame.path(ts.map((at, row) => [at, rows[row][i]] as const)),
        }),
      ),
    );
    const weights = bernstein(n, t);
    this.now.setAttribute("d", `M${frame.place(t, 0)}L${frame.place(t, 1)}`);
    this.dots.replaceChildren(
      ...weights.map((weight, i) =>
        s("circle", {
          class: `kv-weight${mark(i)}`,
          r: 3.5,
          cx: frame.x(t).toFixed(2),
          cy: frame.y(weight).toFixed(2),
        }),
      ),
    );
    this.nameCurves(n, mark);
    const said = weights.map((weight, i) => `${i}: ${weight.toFixed(2)}`).join(", ");
    assign(frame.element, {
      "aria-label": `Weights of the points at t = ${t.toFixed(2)}: ${said}`,
    });
  }

  /** Each curve has its number above its highest point, which lies at i / n. */
  private nameCurves(n: number, mark: (i: number) => string): void {
    this.names.replaceChildren(
      ...Array.from({ length: n + 1 }, (_, i) => {
        const at = i / n;
        const x = this.frame.x(at) + (i === 0 ? 8 : i === n ? -8 : 0);
        const y = this.frame.y(bernstein(n, at)[i]) - 6;
        const place = { x: x.toFixed(1), y: y.toFixed(1), "text-anchor": "middle" };
        return s("text", { class: mark(i).trim(), ...place }, String(i));
      }),
    );
  }
}

// What a Bezier curve says of itself: in words, and as formulas.

/** Says what the levels that are drawn show. */
export function describe(levels: readonly Point[][], shown: number, t: number): string {
  const n = levels.length - 1;
  const share = t.toFixed(2);
  if (shown === 0) return "Level 0: the control points and the lines between neighbours.";
  const made = count(levels[shown].length, "point");
  if (shown < n)
    return `Level ${shown}: go ${share} of the way along each line, which gives ${made}.`;
  const [x, y] = levels[n][0];
  return `Level ${n}: one point is left, and it lies on the curve: (${short(x)}, ${short(y)}).`;
}

/** The curve as a sum of points with weights: in letters, and in numbers at t. */
export function formulas(
  n: number,
  t: number,
  weights: readonly number[],
  [x, y]: Point,
  chosen: number,
): HTMLElement[] {
  const each = (weight: (i: number) => Node): Element[] =>
    weights.map((_, i) => term(weight(i), i, i === chosen));
  const letters = each((i) => bernsteinTerm(n, i));
  const numbers = each((i) => m.fixed(weights[i], 3));
  const value = m.inside(m.number(x), m.sign(","), m.number(y));
  return [
    row(m.formula(of(m.name("t")), m.sign("=")), ...letters),
    row(m.formula(of(m.fixed(t, 2)), m.sign("=")), ...numbers, m.formula(m.sign("="), value)),
  ];
}

const of = (what: Node): Node => m.together(m.name("p"), m.inside(what));

/** Terms stand for themselves, so that a long sum finds room on several lines. */
const row = (...parts: Node[]): HTMLElement => h("div", { class: "kv-sum-line" }, ...parts);

function term(weight: Node, i: number, isChosen: boolean): Element {
  const made = m.formula(...(i ? [m.plus()] : []), weight, m.indexed("p", i));
  made.classList.toggle("kv-active", isChosen);
  return made;
}

/** C(n, i) (1 - t)^(n - i) t^i, without what is 1. */
function bernsteinTerm(n: number, i: number): Node {
  let choices = 1;
  for (let k = 1; k <= i; k++) choices = (choices * (n - k + 1)) / k;
  const rest = m.inside(m.number(1), m.sign("\u2212"), m.name("t"));
  const power = (base: Node, exponent: number): Node[] =>
    exponent === 0 ? [] : [exponent === 1 ? base : m.above(base, m.number(exponent))];
  return m.together(
    ...(choices === 1 ? [] : [m.number(choices)]),
    ...power(rest, n - i),
    ...power(m.name("t"), i),
  );
}

// Bezier curves: Bernstein's weights, de Casteljau's construction, and one degree more.

export type Point = readonly [x: number, y: number];

/** The weights of n + 1 points at t: C(n, i) (1 - t)^(n - i) t^i, by de Casteljau's steps. */
export function bernstein(n: number, t: number): number[] {
  let weights = [1];
  for (let degree = 1; degree <= n; degree++) {
    const raised = Array(degree + 1).fill(0);
    weights.forEach((weight, i) => {
      raised[i] += (1 - t) * weight;
      raised[i + 1] += t * weight;
    });
    weights = raised;
  }
  return weights;
}

/** All levels of de Casteljau's construction: the points, those between them, ... the last one. */
export function deCasteljau(points: readonly Point[], t: number): Point[][] {
  const levels: Point[][] = [[...points]];
  while (levels[levels.length - 1].length > 1) {
    const last = levels[levels.length - 1];
    levels.push(
      last
        .slice(1)
        .map(([x, y], i) => [(1 - t) * last[i][0] + t * x, (1 - t) * last[i][1] + t * y]),
    );
  }
  return levels;
}

/** The point of the curve at t. */
export const bezierAt = (points: readonly Point[], t: number): Point =>
  deCasteljau(points, t)[points.length - 1][0];

/** One point more for the very same curve (Piegl and Tiller, The NURBS Book, eq. 5.36). */
export function elevated(points: readonly Point[]): Point[] {
  const n = points.length;
  const middle = points.slice(1).map(([x, y], i): Point => {
    const share = (i + 1) / n;
    return [share * points[i][0] + (1 - share) * x, share * points[i][1] + (1 - share) * y];
  });
  return [points[0], ...middle, points[n - 1]];
}
