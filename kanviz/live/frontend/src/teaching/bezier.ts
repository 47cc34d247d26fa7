/** A Bezier curve: its points, de Casteljau's construction at t, and the weights of the points. */
import { assign, button, enable, h, s, write } from "../panels/dom";
import { extent, short } from "../panels/numbers";
import { bernstein, bezierAt, deCasteljau, elevated, type Point } from "./bernstein";
import { BernsteinPlot } from "./bernstein_plot";
import { describe, formulas } from "./bezier_words";
import { Frame, holds, serves, type Range } from "./frame";
import { type Grip, Grips, type Owner } from "./grips";
import { playButton, slider, type Slider } from "./slider";
import { keepDrawn, wide, type Stage } from "./stage";

const [FEWEST, MOST] = [2, 10];

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
  private t = 0.4;
  /** How many levels are drawn; infinite for all, however many there are. */
  private level = Infinity;
  private held = false;
  private shown: [across: Range, up: Range] | null = null;
  /** The width for which that was chosen. */
  private width = 0;
  private readonly frame = new Frame("plane");
  private readonly weights = new BernsteinPlot();
  private readonly grips = new Grips(this.frame, "point", this);
  private readonly curve = s("path", { class: "ks-curve" });
  private readonly levels = s("g", { class: "ks-levels" });
  private readonly words = h("p", { class: "ks-words", "aria-live": "polite" });
  private readonly formula = h("div", { class: "ks-formula" });
  private readonly slider: Slider;
  private readonly levelSlider: Slider;
  private readonly add = button("Add a point", () => this.addPoint(), "The curve stays as it is");
  private readonly remove = button("Remove point", () => this.removePoint(this.chosen));

  constructor(private readonly stage: Stage) {
    this.slider = slider("t", [0, 1, "any"], (t) => t.toFixed(2), (t) => this.go(round(t)));
    this.levelSlider = slider("Levels", [0, 1, 1], String, (level) => this.showLevel(level));
    this.frame.inside.append(this.curve, this.levels);
  }

  start(): void {
    const { root, life } = this.stage;
    this.slider.value = this.t;
    const play = playButton(life, SECONDS, () => this.t, (t) => this.go(t));
    root.append(
      h("div", { class: "ks-plots" }, this.frame.element, this.weights.frame.element),
      h("div", { class: "ks-row" }, this.slider.element, play, this.levelSlider.element),
      h("div", { class: "ks-row" }, this.add, this.remove),
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
    this.slider.value = t;
    this.draw();
  }

  // ---- what the points do -----------------------------------------------------------------

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

  // ---- the picture ------------------------------------------------------------------------

  private draw(): void {
    const { points, t } = this;
    const n = points.length - 1;
    this.chosen = Math.min(this.chosen, n);
    const level = Math.min(this.level, n);
    this.levelSlider.limit(0, n);
    this.levelSlider.value = level;
    this.arrange(points);
    const curve = Array.from({ length: PARTS + 1 }, (_, i) => bezierAt(points, i / PARTS));
    this.curve.setAttribute("d", this.frame.path(curve));
    const levels = deCasteljau(points, t);
    this.drawLevels(levels.slice(0, level + 1), n);
    const weights = bernstein(n, t);
    this.grips.draw(points.map((point, i) => this.grip(point, i, weights[i])));
    this.weights.draw(n, t, this.chosen);
    write(this.words, describe(levels, level, t));
    this.formula.replaceChildren(...formulas(n, t, weights, levels[n][0], this.chosen));
    enable(this.add, points.length < MOST);
    enable(this.remove, points.length > FEWEST);
    write(this.remove, `Remove point ${this.chosen}`);
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
      const path = s("path", { class: r ? "ks-level" : "ks-polygon", d: this.frame.path(level) });
      const dots = r === 0 ? [] : level.map((point) => this.dot(point, r === n));
      for (const one of [path, ...dots]) one.style.setProperty("--ks-share", `${(100 * r) / n}%`);
      return [path, ...dots];
    });
    this.levels.replaceChildren(...drawn);
  }

  private dot([x, y]: Point, last: boolean): SVGElement {
    const at = { cx: this.frame.x(x).toFixed(2), cy: this.frame.y(y).toFixed(2) };
    return s("circle", { class: last ? "ks-last" : "ks-between", r: last ? 6 : 3.5, ...at });
  }
}

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
