/** One spline learns: arrows at its control points, steps down the slope, one step that solves. */

import { ridge } from "../math/least_squares";
import { assign, button, h, s, write } from "../ui/dom";
import { type SaidSlider, saidSlider } from "../ui/fields";
import { extent, roomy, rounded, short } from "../ui/numbers";
import { Frame, type Range, serves } from "./frame";
import { Grips } from "./grips";
import { basisAt, greville, gridOf } from "./splines";
import { keepDrawn, type Stage, wide } from "./stage";

/** Of the step that solves; see kanviz/course/teaching/descent.py. */
const DAMPING = 1e-9;

/** Steps of one press, and steps that are drawn while they run. */
const MANY = 300;

/** Points of the drawn curve. */
const PARTS = 240;

/** The loss on the chart is not drawn below this. */
const LEAST = 1e-14;

export function descent(stage: Stage): void {
  new Descent(stage).start();
}

interface Taken {
  kind: "slope" | "solve";
  loss: number;
}

class Descent {
  private readonly x: number[];
  private readonly y: number[];
  private readonly rows: number[][];
  private readonly places: number[];
  private readonly grid: [number, number];
  private readonly dense: { x: number; row: number[] }[];
  private readonly curvature: number;
  private chosen = 4;
  private held = false;
  private shown: Range | null = null;
  private taken: Taken[] = [];
  private run = 0;
  private readonly frame = new Frame("descent", 26);
  private readonly chart = new Frame("losses", 26);
  private readonly support = s("rect", { class: "kv-support" });
  private readonly sticks = s("g", { class: "kv-sticks" });
  private readonly points = s("g", { class: "kv-dots" });
  private readonly curve = s("path", { class: "kv-curve" });
  private readonly arrows = s("g", { class: "kv-arrows" });
  private readonly grips: Grips;
  private readonly downhill = s("path", { class: "kv-curve" });
  private readonly solved = s("g", { class: "kv-solved" });
  private readonly words = h("p", { class: "kv-words", "aria-live": "polite" });
  private readonly quiet = h("p", { class: "kv-words kv-quiet" });
  private readonly rate: SaidSlider;

  constructor(private readonly stage: Stage) {
    const { shared, life } = stage;
    const [order, knots] = [shared.get<number>("order"), shared.get<number[]>("knots")];
    [this.x, this.y] = [shared.get<number[]>("x"), shared.get<number[]>("y")];
    this.rows = this.x.map((x) => basisAt(knots, order, x));
    this.places = greville(knots, order);
    this.grid = gridOf(knots, order);
    const [low, high] = this.grid;
    this.dense = Array.from({ length: PARTS + 1 }, (_, n) => {
      const x = n === PARTS ? high : low + ((high - low) * n) / PARTS;
      return { x, row: basisAt(knots, order, x) };
    });
    this.curvature = largest(this.rows);
    const limit = 2 / this.curvature;
    this.rate = saidSlider(
      "rate",
      { low: 0.02, high: 1.2, step: 0.02, value: shared.get<number>("rate") / limit },
      (share) => `${short(share * limit)}`,
      (share) => shared.set({ rate: share * limit }),
    );
    this.grips = new Grips(this.frame, "point", {
      hold: (held) => this.hold(held),
      choose: (n) => this.choose(n),
      move: (n, _, y) => this.lift(n, y),
    });
    this.frame.inside.append(this.support, this.sticks, this.points, this.curve, this.arrows);
    this.chart.inside.append(this.downhill, this.solved);
    life.add(() => {
      this.run += 1;
    });
  }

  start(): void {
    const { root } = this.stage;
    const many = button(`${MANY} steps`, () => this.descend(MANY), "Down the slope, one by one");
    const solve = button("One Levenberg-Marquardt step", () => this.solve());
    const again = button("Start again", () => this.reset());
    solve.classList.add("kv-main");
    root.append(
      h("div", { class: "kv-frame-stack" }, this.frame.element),
      h(
        "div",
        { class: "kv-tools" },
        button("One step", () => this.descend(1), "Each point along its arrow"),
        many,
        solve,
        again,
        this.rate.element,
      ),
      this.words,
      this.quiet,
      h("p", { class: "kv-label" }, "log10 of the loss, by the number of steps"),
      h("div", { class: "kv-frame-stack" }, this.chart.element),
    );
    assign(root, { "aria-label": "How a spline learns" });
    this.taken = [{ kind: "slope", loss: this.loss() }];
    keepDrawn(this.stage, () => this.draw());
  }

  // What hands do.

  private lift(n: number, y: number): number {
    this.run += 1;
    this.set(this.coef.map((c, m) => (m === n ? y : c)));
    this.begin();
    return n;
  }

  private choose(n: number): void {
    if (n === this.chosen) return;
    this.chosen = n;
    this.draw();
  }

  private hold(held: boolean): void {
    this.held = held;
    this.draw();
  }

  private reset(): void {
    this.run += 1;
    this.set(this.coef.map(() => 0));
    this.begin();
  }

  /** A curve that a hand has moved starts a new count. */
  private begin(): void {
    this.taken = [{ kind: "slope", loss: this.loss() }];
    this.draw();
  }

  private descend(steps: number): void {
    this.run += 1;
    const run = this.run;
    let left = steps;
    const frame = (): void => {
      if (run !== this.run) return;
      const now = Math.min(left, Math.max(1, Math.round(steps / 60)));
      for (let n = 0; n < now; n++) {
        const rate = this.stage.shared.get<number>("rate");
        const arrows = this.slope();
        this.stage.shared.set({ coef: this.coef.map((c, m) => c + rate * arrows[m]) });
        this.taken.push({ kind: "slope", loss: this.loss() });
      }
      left -= now;
      this.draw();
      if (left > 0 && this.loss() < 1e6) requestAnimationFrame(frame);
    };
    frame();
  }

  private solve(): void {
    this.run += 1;
    const step = ridge(this.rows, this.residuals(), DAMPING * this.rows.length);
    this.set(this.coef.map((c, m) => c + step[m]));
    this.taken.push({ kind: "solve", loss: this.loss() });
    this.draw();
  }

  private get coef(): number[] {
    return this.stage.shared.get<number[]>("coef");
  }

  private set(coef: number[]): void {
    this.stage.shared.set({ coef });
  }

  // What is computed.

  private residuals(): number[] {
    const { coef } = this;
    return this.rows.map((row, n) => this.y[n] - dot(row, coef));
  }

  private loss(): number {
    const residuals = this.residuals();
    return dot(residuals, residuals) / residuals.length;
  }

  /** Minus the slope of the loss in each coefficient: 2 mean(r B_m). */
  private slope(): number[] {
    const residuals = this.residuals();
    return this.coef.map(
      (_, m) =>
        (2 * residuals.reduce((sum, r, n) => sum + r * this.rows[n][m], 0)) / residuals.length,
    );
  }

  // The picture.

  private draw(): void {
    const { coef, frame } = this;
    const width = wide(this.stage.root);
    const heights: [number, number] = extent(this.y, coef.filter(Number.isFinite)) ?? [0, 1];
    if (this.shown === null || !(this.held || serves(this.shown, heights))) {
      this.shown = rounded(roomy(heights, 0.2));
    }
    const [low, high] = [this.places[0], this.places[this.places.length - 1]];
    frame.show(
      width,
      Math.max(220, Math.min(340, width * 0.34)),
      [low - 0.05, high + 0.05],
      this.shown,
    );
    const { x, y } = frame;
    const residuals = this.residuals();
    const bump = (n: number): number => this.rows[n][this.chosen];
    this.sticks.replaceChildren(
      ...this.x.map((at, n) =>
        s("line", {
          ...{ x1: x(at), x2: x(at), y1: y(this.y[n]), y2: y(this.y[n] - residuals[n]) },
          "stroke-opacity": (0.12 + 0.88 * bump(n)).toFixed(2),
          class: bump(n) > 0 ? "kv-active" : null,
        }),
      ),
    );
    this.points.replaceChildren(
      ...this.x.map((at, n) => s("circle", { cx: x(at), cy: y(this.y[n]), r: 2.5 })),
    );
    this.curve.setAttribute("d", frame.path(this.dense.map((d) => [d.x, dot(d.row, coef)])));
    const arrows = this.slope();
    const rate = this.stage.shared.get<number>("rate");
    this.arrows.replaceChildren(
      ...coef.map((c, m) =>
        arrow(x(this.places[m]), y(c), y(c + rate * arrows[m]), m === this.chosen),
      ),
    );
    this.shade();
    this.grips.draw(
      coef.map((c, m) => ({
        ...{ x: this.places[m], y: c, chosen: m === this.chosen },
        label: `Control point ${m}: ${short(c)}, arrow ${short(arrows[m])}`,
      })),
    );
    this.say(arrows);
    this.drawChart(width);
  }

  private shade(): void {
    const { frame, chosen } = this;
    const knots = this.stage.shared.get<number[]>("knots");
    const order = this.stage.shared.get<number>("order");
    const from = frame.x(Math.max(this.grid[0], knots[chosen]));
    const to = frame.x(Math.min(this.grid[1], knots[chosen + order + 1]));
    const [top, bottom] = [frame.y(frame.y.high), frame.y(frame.y.low)];
    const width = Math.max(0, to - from);
    assign(this.support, { x: from, y: top, width, height: Math.max(0, bottom - top) });
  }

  private say(arrows: number[]): void {
    const m = this.chosen;
    const sum = arrows[m];
    const under = this.rows.filter((row) => row[m] > 0).length;
    write(
      this.words,
      `Control point ${m}: the arrow is twice the mean of residual times bump ${m}, ${short(sum)}. ` +
        `Only the ${under} points under the bump speak.`,
    );
    const steps = this.taken.length - 1;
    const solved = this.taken.filter(({ kind }) => kind === "solve").length;
    const limit = 2 / this.curvature;
    const isFast = this.stage.shared.get<number>("rate") > limit;
    write(
      this.quiet,
      `Loss ${short(this.loss())} after ${steps - solved} steps down the slope and ${solved} that solve. ` +
        (isFast
          ? "This rate is too large: the steps swing out."
          : `Rates above ${short(limit)} swing out.`),
    );
  }

  private drawChart(width: number): void {
    const { chart, taken } = this;
    const logs = taken.map(({ loss }) => Math.log10(Math.max(LEAST, Math.min(loss, 1e6))));
    const heights = extent(logs) ?? [-1, 0];
    chart.show(width, 150, [0, Math.max(10, taken.length - 1)], rounded(roomy(heights, 0.1)));
    this.downhill.setAttribute("d", chart.path(logs.map((log, n) => [n, log])));
    this.solved.replaceChildren(
      ...taken.flatMap(({ kind }, n) =>
        kind === "solve"
          ? [s("circle", { class: "kv-last", cx: chart.x(n), cy: chart.y(logs[n]), r: 6 })]
          : [],
      ),
    );
    assign(chart.element, { "aria-label": `Loss, now ${short(taken[taken.length - 1].loss)}` });
  }
}

const dot = (a: ArrayLike<number>, b: ArrayLike<number>): number => {
  let sum = 0;
  for (let n = 0; n < a.length; n++) sum += a[n] * b[n];
  return sum;
};

/** An arrow from one height to another; one too short for a head is a line. */
function arrow(x: number, from: number, to: number, isChosen: boolean): SVGElement {
  const head = Math.abs(to - from) > 4 ? Math.sign(to - from) * 5 : 0;
  const tip = head ? `M${x - 4} ${to - head}L${x} ${to}L${x + 4} ${to - head}` : "";
  return s("path", { class: isChosen ? "kv-active" : null, d: `M${x} ${from}L${x} ${to}${tip}` });
}

/** The largest curvature of the loss, by the power method: the largest eigenvalue of 2 B^T B / n. */
export function largest(rows: readonly number[][]): number {
  let v = rows[0].map((_, m) => 1 + (m % 3));
  let value = 0;
  for (let turn = 0; turn < 200; turn++) {
    const seen = rows.map((row) => dot(row, v));
    const next = v.map(
      (_, m) => (2 * rows.reduce((sum, row, n) => sum + row[m] * seen[n], 0)) / rows.length,
    );
    value = Math.sqrt(dot(next, next));
    v = next.map((part) => part / value);
  }
  return value;
}
