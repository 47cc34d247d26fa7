/** Formulas as lists of steps, which are interpreted: no text is ever run. */

import type { FormulaRecipe } from "../contract";

/** Returns the value c f(a x + b) + d of a fixed edge. */
export function formulaAt(formula: FormulaRecipe, x: number): number {
  const [a, b, c, d] = formula.affine;
  const z = bounded(a * x + b);
  return c * valueAt(formula, [z]) + d;
}

/** A formula of any number of inputs: its steps, and which of them is its value. */
export type Program = Pick<FormulaRecipe, "steps" | "output">;

/** Returns the value of a formula at its inputs. */
export function valueAt(formula: Program, inputs: ArrayLike<number>): number {
  const values: number[] = [];
  for (const step of formula.steps) {
    if (step.op === "input") values.push(inputs[step.number ?? 0]);
    else if (step.op === "constant") values.push(bounded(step.number ?? 0));
    else
      values.push(
        apply(
          step.op,
          step.sources.map((source) => values[source]),
          step.number,
        ),
      );
  }
  return values[formula.output];
}

// The operations of formulas, finite everywhere; see kanviz/symbolic/safe.py, in float64.

const EPSILON = Number.EPSILON;
const TINY = 2.2250738585072014e-308;
const LARGEST = Number.MAX_VALUE ** 0.45;

function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

/** Holds x within the size that no value exceeds. */
function bounded(x: number): number {
  return clamp(x, -LARGEST, LARGEST);
}

/** How near to 0 x^p (log x for p = 0) is exact. */
function nearest(exponent: number): number {
  return Math.max(Number.MAX_VALUE ** (-0.6 / (2 - exponent)), Math.sqrt(TINY));
}

/** x^p; odd where the exponent is broken, and a polynomial next to a singularity at 0. */
export function power(x: number, exponent: number): number {
  const whole = Number.isInteger(exponent);
  const reach = exponent > 1 ? LARGEST ** (1 / exponent) : LARGEST;
  if (whole && exponent > 0) return clamp(x, -reach, reach) ** exponent;
  const hole = exponent < 2 ? nearest(exponent) : 0;
  const isEven = whole && exponent % 2 === 0;
  const far = clamp(Math.abs(x), hole, reach) ** exponent * (isEven ? 1 : Math.sign(x));
  if (!(Math.abs(x) < hole)) return far;
  const s = clamp(x / hole, -1, 1);
  const low = isEven ? 2 : 3;
  const near = s ** low * ((low + 2 - exponent) / 2 + ((exponent - low) / 2) * s * s);
  return hole ** exponent * near;
}

function log(x: number): number {
  const hole = nearest(0);
  return x < hole ? Math.log(hole) + Math.asinh(x / hole - 1) : Math.log(x);
}

function arcsin(x: number): number {
  return Math.atan2(x, power((1 - x) * (1 + x), 0.5));
}

function arctanh(x: number): number {
  const edge = 1 - EPSILON;
  if (!(Math.abs(x) > edge)) return Math.atanh(x);
  const distance = (Math.abs(x) - 1) / EPSILON + 1;
  return (Math.atanh(edge) + Math.asinh(distance) / 2) * Math.sign(x);
}

function sinc(x: number): number {
  if (!(Math.abs(x) < 1)) return Math.sin(x) / x;
  let near = 1;
  for (let n = 18; n > 0; n -= 2) near = 1 - ((x * x) / (n * (n + 1))) * near;
  return near;
}

const LOG_LARGEST = Math.log(LARGEST);

/** Operations of one argument by name. */
const UNARY: Record<string, (x: number) => number> = {
  exp: (x) => Math.exp(Math.min(x, LOG_LARGEST)),
  log,
  softplus: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  abs: Math.abs,
  sgn: Math.sign,
  relu: (x) => Math.max(x, 0),
  sin: Math.sin,
  cos: Math.cos,
  tan: Math.tan,
  sinh: (x) => Math.sinh(clamp(x, -LOG_LARGEST, LOG_LARGEST)),
  cosh: (x) => Math.cosh(clamp(x, -LOG_LARGEST, LOG_LARGEST)),
  tanh: Math.tanh,
  arcsin,
  arccos: (x) => Math.PI / 2 - arcsin(x),
  arctan: Math.atan,
  arcsinh: Math.asinh,
  arccosh: (x) => Math.asinh(power((x - 1) * (1 + Math.max(x, 1)), 0.5)),
  arctanh,
  erf,
  sinc,
};

/** Whether there is an operation of this name that takes one argument. */
export const isUnary = (op: string): boolean => Object.hasOwn(UNARY, op);

/** Returns one operation applied to its arguments; `number` is an exponent or an order. */
export function apply(op: string, args: number[], number: number | null): number {
  if (op === "add") return bounded(args.reduce((sum, term) => sum + term));
  if (op === "multiply") return args.reduce((product, factor) => bounded(product * factor));
  if (op === "power") return power(args[0], number ?? 1);
  if (op === "bessel") return besselJ(args[0], number ?? 0);
  const found = Object.hasOwn(UNARY, op) ? UNARY[op] : undefined;
  if (!found) throw new Error(`formula must use functions that this page knows; got "${op}".`);
  return found(args[0]);
}

// The error function and the Bessel functions, which JavaScript lacks.

/** erf x: its series with terms of one sign (Abramowitz and Stegun, 7.1.6), to rounding. */
function erf(x: number): number {
  if (Number.isNaN(x)) return x;
  if (Math.abs(x) > 6) return Math.sign(x);
  let term = x;
  let sum = x;
  for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
    term *= (2 * x * x) / (2 * n + 1);
    sum += term;
  }
  return (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x) * sum;
}

const FAR = 25;
const POINTS = 18;

/** J_n(x) as kanviz/symbolic/bessel.py computes it. */
function besselJ(x: number, order: number): number {
  if (!(Math.abs(x) >= FAR)) return byIntegral(x, order);
  let before = farBessel(x, 0);
  if (order === 0) return before;
  let now = farBessel(x, 1);
  for (let n = 1; n < order; n++) [before, now] = [now, ((2 * n) / x) * now - before];
  return now;
}

/** The mean of cos(n t - x sin t) over t, by the midpoint rule on a quarter turn. */
function byIntegral(x: number, order: number): number {
  const wave = order % 2 ? Math.sin : Math.cos;
  let sum = 0;
  for (let p = 0; p < POINTS; p++) {
    const t = ((p + 0.5) * Math.PI) / 2 / POINTS;
    sum += wave(x * Math.sin(t)) * wave(order * t);
  }
  return sum / POINTS;
}

/** J_0 or J_1 far out: Hankel's expansion (Abramowitz and Stegun, 9.2.5 to 9.2.10). */
function farBessel(x: number, order: 0 | 1): number {
  const size = Math.abs(x);
  const mu = 4 * order * order;
  let [p, q, term] = [1, 0, 1];
  for (let k = 1; k < 40; k++) {
    const next = (term * (mu - (2 * k - 1) ** 2)) / (k * 8 * size);
    if (Math.abs(next) > Math.abs(term) || Math.abs(next) < 1e-18) break;
    term = next;
    const sign = k % 4 < 2 ? 1 : -1;
    if (k % 2) q += sign * term;
    else p += sign * term;
  }
  const turn = size - (order / 2 + 0.25) * Math.PI;
  const value = Math.sqrt(2 / (Math.PI * size)) * (p * Math.cos(turn) - q * Math.sin(turn));
  return order === 1 && x < 0 ? -value : value;
}
