/** The error function and the Bessel functions, which JavaScript lacks. */

/** erf x: its series with terms of one sign (Abramowitz and Stegun, 7.1.6), to rounding. */
export function erf(x: number): number {
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
export function besselJ(x: number, order: number): number {
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
