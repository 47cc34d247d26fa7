/** Which known function a curve is: c f(a x + b) + d by least squares; see kanviz/symbolic. */

import type { Affine, LayerRecipe } from "../contract";
import { type Program, valueAt } from "./formula";
import { minimise } from "./levenberg";
import { parseLaw } from "./parse";
import { newLayer } from "./regrid";
import { Network } from "./trainable";

/** A function of the library, as kanviz's own has it. */
export interface Known {
  name: string;
  /** In terms of x, as kanviz writes it. */
  formula: string;
  complexity: number;
  domain: [number | null, number | null];
  program: Program;
  /** Whether it goes up and down without end. */
  isWave: boolean;
}

/** Functions of which a does what c does: they have one free number less. */
const SCALE_FREE = /^(x.*|1\/x.*|sqrt|log|abs)$/;

const known = (
  name: string,
  formula: string,
  complexity: number,
  domain: [number | null, number | null] = [null, null],
): Known => {
  const { steps, output } = parseLaw(formula);
  return {
    name,
    formula,
    complexity,
    domain,
    program: { steps, output },
    isWave: /^(sin|cos)$/.test(name),
  };
};

const POSITIVE: [number, null] = [0, null];

/** The functions that a class knows by sight. */
export const LIBRARY: readonly Known[] = [
  known("x", "x", 1),
  known("x^2", "x**2", 2),
  known("x^3", "x**3", 3),
  known("x^4", "x**4", 3),
  known("exp", "exp(x)", 2),
  known("sin", "sin(x)", 2),
  known("cos", "cos(x)", 2),
  known("abs", "abs(x)", 3),
  known("tanh", "tanh(x)", 3),
  known("gaussian", "exp(-x**2)", 3),
  known("1/(1+x^2)", "1/(x**2 + 1)", 4),
  known("arctan", "arctan(x)", 4),
  known("1/x", "1/x", 2, POSITIVE),
  known("1/x^2", "x**(-2)", 2, POSITIVE),
  known("sqrt", "sqrt(x)", 2, POSITIVE),
  known("log", "log(x)", 2, POSITIVE),
];

export interface Suggestion {
  known: Known;
  affine: Affine;
  /** Root mean square of what is left, as a share of the spread of the curve. */
  error: number;
}

/** Slopes and shifts that are tried, on a curve over (-1, 1). */
const SLOPES = [0.3, 0.6, 1, 1.6, 2.5, 4, 6];
const WAVES = [0.5, 1, 1.6, 2.4, 3.2, 4.2, 5.4, 6.8, 8.4];
const SHIFTS = 9;
/** Starts of each function that are refined, and steps of that. */
const [REFINED, STEPS] = [2, 25];
/**
 * How far above the lowest error a simpler function may be, and an error that is as good as any: a
 * spline is never quite the function that it stands for.
 */
const [NEARLY, FINE] = [3, 2e-3];

/** Fits every function to a curve; the simplest of the best come first, then the others by error. */
export function suggested(x: Float64Array, y: Float64Array): Suggestion[] {
  const curve = unitCurve(x, y);
  const found = LIBRARY.flatMap((one) => fitted(one, curve) ?? []);
  const lowest = Math.min(...found.map(({ error }) => error));
  const limit = Math.max(NEARLY * lowest, FINE);
  const rank = ({ error, known: { name, complexity } }: Suggestion): number =>
    error <= limit ? complexity + (SCALE_FREE.test(name) ? 0 : 0.5) - 1e3 : error;
  return found.sort((one, two) => rank(one) - rank(two) || one.error - two.error);
}

/** A curve over (-1, 1) of mean 0 and spread 1, and its units. */
interface UnitCurve {
  u: Float64Array;
  v: Float64Array;
  middle: number;
  half: number;
  mean: number;
  spread: number;
}

function unitCurve(x: Float64Array, y: Float64Array): UnitCurve {
  const [low, high] = [Math.min(...x), Math.max(...x)];
  const [middle, half] = [(low + high) / 2, (high - low) / 2 || 1];
  const mean = y.reduce((sum, one) => sum + one, 0) / y.length;
  const spread = Math.sqrt(y.reduce((sum, one) => sum + (one - mean) ** 2, 0) / y.length) || 1;
  return {
    u: x.map((one) => (one - middle) / half),
    v: y.map((one) => (one - mean) / spread),
    ...{ middle, half, mean, spread },
  };
}

/** The best c f(a x + b) + d; null where the curve leaves the domain. */
function fitted(one: Known, curve: UnitCurve): Suggestion | null {
  const { u, v } = curve;
  const starts: { affine: Affine; left: number }[] = [];
  const slopes = one.name === "x" ? [1] : one.isWave ? WAVES : SLOPES;
  for (const size of slopes) {
    for (const slope of one.domain[0] === null && !["exp", "abs"].includes(one.name)
      ? [size]
      : [size, -size]) {
      for (let n = 0; n < SHIFTS; n++) {
        // The middle of the function stands at places on the curve and somewhat beyond.
        const at = one.name === "x" ? 0 : -1.5 + (3 * n) / (SHIFTS - 1);
        const shift = one.domain[0] === null ? -slope * at : size * (1.02 + 3 * (n / SHIFTS) ** 2);
        const made = linear(one, u, v, slope, shift);
        if (made) starts.push(made);
      }
    }
  }
  starts.sort((a, b) => a.left - b.left);
  let best: { affine: Affine; left: number } | null = null;
  for (const start of starts.slice(0, REFINED)) {
    const refined = refine(one, u, v, start.affine);
    if (refined && (!best || refined.left < best.left)) best = refined;
  }
  if (!best) return null;
  const [a, b, c, d] = best.affine;
  const { middle, half, mean, spread } = curve;
  const affine: Affine = [a / half, b - (a * middle) / half, c * spread, d * spread + mean];
  return { known: one, affine, error: Math.sqrt(best.left / u.length) };
}

function isInside({ domain: [low, high] }: Known, z: number): boolean {
  return (low === null || z > low) && (high === null || z < high);
}

/** c and d by least squares at given a and b. */
function linear(
  one: Known,
  u: Float64Array,
  v: Float64Array,
  a: number,
  b: number,
): { affine: Affine; left: number } | null {
  const n = u.length;
  let [f, ff, fv, sumV] = [0, 0, 0, 0];
  const values = new Float64Array(n);
  for (let at = 0; at < n; at++) {
    const z = a * u[at] + b;
    if (!isInside(one, z)) return null;
    values[at] = valueAt(one.program, [z]);
    f += values[at] / n;
    sumV += v[at] / n;
  }
  for (let at = 0; at < n; at++) {
    ff += (values[at] - f) ** 2;
    fv += (values[at] - f) * (v[at] - sumV);
  }
  if (!(ff > 0) || !Number.isFinite(ff)) return null;
  const c = fv / ff;
  const d = sumV - c * f;
  const left = values.reduce((sum, value, at) => sum + (c * value + d - v[at]) ** 2, 0);
  return Number.isFinite(left) ? { affine: [a, b, c, d], left } : null;
}

/** Lets all four numbers go down to the least squares. */
function refine(
  one: Known,
  u: Float64Array,
  v: Float64Array,
  affine: Affine,
): { affine: Affine; left: number } | null {
  const layer: LayerRecipe = {
    ...newLayer(1, 1, { size: 1, order: 1 }, () => 0.5),
    formulas: [{ i: 0, j: 0, affine, ...one.program }],
  };
  const network = new Network([layer]);
  const rows = { x: u, y: v, count: u.length };
  for (const _ of minimise({ model: network, rows, forms: [], unit: 1 / u.length }, STEPS));
  const after = network.recipes()[0].formulas[0].affine;
  const [a, b] = after;
  if (!u.every((at) => isInside(one, a * at + b)) || !after.every(Number.isFinite)) return null;
  return { affine: after, left: network.loss(rows) };
}
