/** What a B-spline says of itself: in words, and as formulas. */
import { h } from "../panels/dom";
import { short } from "../panels/numbers";
import { gridOf, multiplicity } from "./knots";
import * as m from "./maths";
import type { Spline } from "./spline_edits";

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
  if (smooth < 0) return `${where}the curve may jump there (not even C\u2070: ${order} \u2212 ${times} < 0).`;
  const says = SMOOTH[smooth] ?? `its first ${smooth} derivatives go on, the next may jump`;
  return `${where}the curve is C${raised(smooth)} there (${order} \u2212 ${times} = ${smooth}): ${says}.`;
}

function aboutEnd(times: number, order: number): string {
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
const line = (...parts: Node[]): HTMLElement => h("div", { class: "ks-sum" }, ...parts);

function term(n: number, weight: number, plus: boolean, isChosen: boolean): Element {
  const made = m.formula(
    ...(plus ? [m.plus()] : []),
    m.fixed(weight, 3),
    m.indexed("c", n),
  );
  made.classList.toggle("ks-chosen", isChosen);
  return made;
}

/** Says that the functions at x sum to one. */
export function aboutSum(row: readonly number[], x: number): string {
  const parts = row.filter((value) => value > TINY);
  const total = parts.reduce((sum, value) => sum + value, 0);
  const said = parts.map((value) => value.toFixed(3)).join(" + ");
  const at = x.toFixed(2).replace("-", "\u2212");
  return `At x = ${at} the functions are ${said} = ${short(total)}.`;
}
