/** What a Bezier curve says of itself: in words, and as formulas. */
import { h } from "../panels/dom";
import { count, short } from "../panels/numbers";
import type { Point } from "./bernstein";
import * as m from "./maths";

/** Says what the levels that are drawn show. */
export function describe(levels: readonly Point[][], shown: number, t: number): string {
  const n = levels.length - 1;
  const share = t.toFixed(2);
  if (shown === 0) return "Level 0: the control points and the lines between neighbours.";
  const made = count(levels[shown].length, "point");
  if (shown < n) return `Level ${shown}: go ${share} of the way along each line, which gives ${made}.`;
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
const row = (...parts: Node[]): HTMLElement => h("div", { class: "ks-sum" }, ...parts);

function term(weight: Node, i: number, isChosen: boolean): Element {
  const made = m.formula(...(i ? [m.plus()] : []), weight, m.indexed("p", i));
  made.classList.toggle("ks-chosen", isChosen);
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
