/** The operations of formulas, finite everywhere; see kanviz/symbolic/safe.py, in float64. */

import { besselJ, erf } from "./special";

const EPSILON = Number.EPSILON;
const TINY = 2.2250738585072014e-308;
const LARGEST = Number.MAX_VALUE ** 0.45;

function clamp(x: number, low: number, high: number): number {
  return Math.min(Math.max(x, low), high);
}

/** Holds x within the size that no value exceeds. */
export function bounded(x: number): number {
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
