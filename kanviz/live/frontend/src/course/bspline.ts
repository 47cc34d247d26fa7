/** A B-spline: knots and control points to move, its basis functions, and their sum. */

import { assign, button, enable, h, write } from "../ui/dom";
import { type SaidSlider, saidSlider } from "../ui/fields";
import * as m from "../ui/mathml";
import { short } from "../ui/numbers";
import { BasisPlot, type Chosen, SplinePlot } from "./bspline_plots";
import { playButton } from "./playing";
import {
  basisAt,
  gridOf,
  moveKnot,
  multiplicity,
  pieces,
  refined,
  type Spline,
  withClampedEnds,
  withEvenKnots,
  withOrder,
} from "./splines";
import { keepDrawn, type Stage, wide } from "./stage";

const ORDERS = [0, 1, 2, 3, 4, 5];

/** As many as Python takes; see kanviz/course/teaching/bspline.py. */
const MOST_INTERVALS = 50;

/** How far the share of the grid goes. */
const SHARE = { low: 0, high: 1, step: "any", value: 0 } as const;

/** Seconds from one end of the grid to the other. */
const SECONDS = 10;

/** Pixels within which a knot joins its neighbour. */
const NEAR = 6;

/** Room beside the outermost knots, as a share of their extent. */
const ROOM = 0.03;

export function bspline(stage: Stage): void {
  new BSpline(stage).start();
}

class BSpline {
  private chosen: Chosen;
  /** Where x is, as a share of the grid. */
  private share = 0.3;
  private held = false;
  private across: readonly [number, number] = [0, 1];
  private hasGaussians = false;
  /** From what an order was chosen, and what that gave: each order gives the same again. */
  private turn: { from: Spline; to: Spline } | null = null;
  private readonly above: SplinePlot;
  private readonly below = new BasisPlot();
  private readonly x: SaidSlider;
  private readonly orders = ORDERS.map((order) => button(`${order}`, () => this.setOrder(order)));
  private readonly gaussians = button("Gaussians beside", () => this.turnGaussians());
  private readonly refine = button(
    "Refine",
    () => this.set(refined(this.spline)),
    "Twice the intervals, the same curve",
  );
  private readonly words = h("p", { class: "kv-words", "aria-live": "polite" });
  private readonly sum = h("p", { class: "kv-words kv-quiet" });
  private readonly formula = h("div", { class: "kv-formulas" });

  constructor(private readonly stage: Stage) {
    this.chosen = { kind: "point", n: Math.floor(this.spline.coef.length / 2) };
    const hold = (held: boolean): void => this.hold(held);
    this.above = new SplinePlot(
      {
        hold,
        choose: (n) => this.choose("point", n),
        move: (n, _, y, key) => this.lift(n, y, key),
      },
      {
        hold,
        choose: (n) => this.choose("knot", n),
        move: (n, x, _, key) => this.slide(n, x, key),
      },
    );
    const say = (share: number): string => short(this.at(share));
    this.x = saidSlider("x", SHARE, say, (share) => this.go(Math.round(100 * share) / 100));
  }

  start(): void {
    const { root, life } = this.stage;
    const play = playButton(
      life,
      SECONDS,
      () => this.share,
      (share) => this.go(share),
    );
    const even = button("Even knots", () => this.set(withEvenKnots(this.spline)));
    const ends = button("Clamped ends", () => this.set(withClampedEnds(this.spline)));
    const refine = this.refine;
    const name = h("span", { class: "kv-label" }, "Order k");
    const orders = h("div", { class: "kv-orders", role: "group", "aria-label": "Order k" });
    orders.append(...this.orders);
    root.append(
      h("div", { class: "kv-tools" }, name, orders, refine, even, ends, this.gaussians),
      h("div", { class: "kv-frame-stack" }, this.above.frame.element, this.below.frame.element),
      h("div", { class: "kv-tools" }, this.x.element, play),
      this.words,
      this.sum,
      this.formula,
    );
    assign(root, { "aria-label": "B-spline" });
    keepDrawn(this.stage, () => this.draw());
  }

  // What hands do.

  private lift(n: number, y: number, byKey: boolean): number {
    const { low, high } = this.above.frame.y;
    const height = byKey ? y : Math.min(Math.max(y, low), high);
    const coef = this.spline.coef.map((c, m) => (m === n ? height : c));
    this.stage.shared.set({ coef });
    return n;
  }

  private slide(n: number, x: number, byKey: boolean): number {
    const { knots, order } = this.spline;
    const scale = this.above.frame.x;
    const near = byKey ? 0 : scale.invert(NEAR) - scale.invert(0);
    const wanted = byKey ? x : Math.min(Math.max(x, scale.low), scale.high);
    const [moved, which] = moveKnot(knots, order, n, wanted, near);
    this.chosen = { kind: "knot", n: which };
    this.stage.shared.set({ knots: moved });
    return which;
  }

  private choose(kind: Chosen["kind"], n: number): void {
    this.chosen = { kind, n };
    this.draw();
  }

  private hold(held: boolean): void {
    this.held = held;
    this.draw();
  }

  private setOrder(order: number): void {
    const now = this.spline;
    const same = this.turn !== null && JSON.stringify(this.turn.to) === JSON.stringify(now);
    const from = this.turn !== null && same ? this.turn.from : now;
    const to = order === from.order ? from : withOrder(from, order);
    this.turn = { from, to };
    this.set(to);
  }

  private turnGaussians(): void {
    this.hasGaussians = !this.hasGaussians;
    this.draw();
  }

  private go(share: number): void {
    this.share = share;
    this.draw();
  }

  private get spline(): Spline {
    const { shared } = this.stage;
    const [order, knots] = [shared.get<number>("order"), shared.get<number[]>("knots")];
    return { order, knots, coef: shared.get<number[]>("coef") };
  }

  private set({ order, knots, coef }: Spline): void {
    this.stage.shared.set({ order, knots, coef });
  }

  // The picture.

  /** The point of the grid at a share of it. */
  private at(share: number): number {
    const [low, high] = gridOf(this.spline.knots, this.spline.order);
    return share === 1 ? high : low + share * (high - low);
  }

  private draw(): void {
    const { spline, chosen } = this;
    const { order, knots, coef } = spline;
    chosen.n = Math.min(chosen.n, (chosen.kind === "point" ? coef.length : knots.length) - 1);
    this.arrange(spline);
    const scale = this.above.frame.x;
    const drawn = pieces(knots, order, scale.invert(1) - scale.invert(0));
    const x = this.at(this.share);
    const reading = { x, row: basisAt(knots, order, x) };
    this.above.draw(spline, drawn, reading, chosen);
    this.below.draw(spline, drawn, reading, chosen, this.hasGaussians);
    this.x.value = this.share;
    enable(this.refine, 2 * (knots.length - 2 * order - 1) <= MOST_INTERVALS);
    this.orders.forEach((made, n) => assign(made, { "aria-pressed": String(n === order) }));
    assign(this.gaussians, { "aria-pressed": String(this.hasGaussians) });
    const about = chosen.kind === "point" ? aboutPoint : aboutKnot;
    write(this.words, about(spline, chosen.n));
    write(this.sum, aboutSum(reading.row, x));
    const m = chosen.kind === "point" ? chosen.n : -1;
    this.formula.replaceChildren(...formulas(spline, x, reading.row, m));
  }

  private arrange(spline: Spline): void {
    const width = wide(this.stage.root);
    const { knots } = spline;
    const [first, last] = [knots[0], knots[knots.length - 1]];
    const room = ROOM * (last - first);
    if (!this.held) this.across = [first - room, last + room];
    this.above.arrange(spline, width, this.across, this.held);
    this.below.arrange(width, this.across, this.hasGaussians);
  }
}

// What a B-spline says of itself: in words, and as formulas.

/** Says which part of the curve a control point moves. */
export function aboutPoint({ order, knots }: Spline, n: number): string {
  const [low, high] = gridOf(knots, order);
  const from = Math.max(low, knots[n]);
  const to = Math.min(high, knots[n + order + 1]);
  if (!(from < to)) return `Control point ${n} moves nothing: its function lies outside the grid.`;
  const all = from === low && to === high ? ", which is all of it" : " and nowhere else";
  return `Control point ${n} moves the curve from x = ${short(from)} to ${short(to)}${all}.`;
}

/** At a knot rounding leaves as little of the functions that end there. */
const TINY = 1e-9;

const SMOOTH = [
  "it does not break, but may have a corner: the slope may jump",
  "its slope goes on, but its curvature may jump",
  "slope and curvature go on, the third derivative may jump",
];

/** Says how smooth the curve is at a knot. */
export function aboutKnot({ order, knots }: Spline, n: number): string {
  const x = knots[n];
  const times = multiplicity(knots, n);
  const [low, high] = gridOf(knots, order);
  const often = times === 1 ? "single" : `${times} knots in one place`;
  const where = `Knot at x = ${short(x)}, ${often}: `;
  if (x < low || x > high) {
    return `${where}outside the grid. It only shapes the functions that reach in from there.`;
  }
  if (x === low || x === high) return where + aboutEnd(times, order);
  const smooth = order - times;
  if (smooth < 0)
    return `${where}the curve may jump there (not even C\u2070: ${order} \u2212 ${times} < 0).`;
  const says = SMOOTH[smooth] ?? `its first ${smooth} derivatives go on, the next may jump`;
  return `${where}the curve is C${raised(smooth)} there (${order} \u2212 ${times} = ${smooth}): ${says}.`;
}

function aboutEnd(times: number, order: number): string {
  if (order === 0) return "an end of the grid, and of the curve.";
  if (times <= order) return "an end of the grid. Here the sum of all functions begins to fall.";
  return "an end of the grid, clamped. The curve ends at its last control point.";
}

const raised = (n: number): string => [..."\u2070\u00b9\u00b2\u00b3\u2074\u2075"][n];

/** The spline as a sum of functions with coefficients: in letters, and in numbers at x. */
export function formulas(
  { order, coef }: Spline,
  x: number,
  row: readonly number[],
  chosen: number,
): HTMLElement[] {
  const index = m.name("m");
  const value = row.reduce((total, weight, n) => total + weight * coef[n], 0);
  const terms = row.flatMap((weight, n) => (weight > TINY ? [{ n, weight }] : []));
  return [
    line(
      m.formula(
        of(m.name("x")),
        m.sign("="),
        m.sum(m.together(index, m.sign("="), m.number(0)), m.number(coef.length - 1)),
        m.below(m.name("c"), m.name("m")),
        m.below(m.name("B"), m.together(m.name("m"), m.sign(","), m.number(order))),
        m.inside(m.name("x")),
      ),
    ),
    line(
      m.formula(of(m.number(Number(x.toFixed(2)))), m.sign("=")),
      ...terms.map(({ n, weight }, at) => term(n, weight, at > 0, n === chosen)),
      m.formula(m.sign("="), m.number(value)),
    ),
  ];
}

const of = (what: Node): Node => m.together(m.name("s"), m.inside(what));

/** Terms stand for themselves, so that a long sum finds room on several lines. */
const line = (...parts: Node[]): HTMLElement => h("div", { class: "kv-sum-line" }, ...parts);

function term(n: number, weight: number, plus: boolean, isChosen: boolean): Element {
  const made = m.formula(...(plus ? [m.plus()] : []), m.fixed(weight, 3), m.indexed("c", n));
  made.classList.toggle("kv-active", isChosen);
  return made;
}

/** Says that the functions at x sum to one. */
function aboutSum(row: readonly number[], x: number): string {
  const parts = row.filter((value) => value > TINY);
  const total = parts.reduce((sum, value) => sum + value, 0);
  const said = parts.map((value) => value.toFixed(3)).join(" + ");
  const at = x.toFixed(2).replace("-", "\u2212");
  if (parts.length === 1) return `At x = ${at} one function is ${short(total)}, all others are 0.`;
  return `At x = ${at} the functions are ${said} = ${short(total)}.`;
}
