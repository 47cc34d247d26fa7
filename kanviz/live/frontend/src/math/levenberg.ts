/** Levenberg-Marquardt and Adam; see kanviz/training/least_squares.py. */

import { factor, substitute } from "./least_squares";
import { addForms, type EdgeForm, penaltyOf } from "./penalties";
import type { Rows, Trainable } from "./trainable";

/** What is made small: the mean squared error in units of the variance of y, and penalties. */
export interface Problem {
  model: Trainable;
  rows: Rows;
  forms: readonly EdgeForm[];
  /** 1 / (numbers of y times their variance). */
  unit: number;
}

const FIRST_DAMPING = 1e-2;
/** Dampings of a step: the last is 10^20 times the first, and its step is nothing. */
const MOST_TRIALS = 12;
/** Share of the largest entry of the diagonal that each counts for at least. */
const SMALLEST_DIAGONAL = 1e-6;
/** Three relative decreases in a row below it are the end. */
const TOLERANCE = 1e-7;

function costOf({ model, rows, forms, unit }: Problem, numbers: Float64Array): number {
  model.put(numbers);
  return unit * model.loss(rows) + penaltyOf(forms, numbers);
}

/**
 * Takes up to `steps` Levenberg-Marquardt steps in place; yields after each, and returns whether
 * there is nothing more to win. The gain ratio steers the damping (Madsen, Nielsen and Tingleff,
 * Methods for non-linear least squares problems, 2004, sec. 3.2).
 */
export function* minimise(problem: Problem, steps: number): Generator<void, boolean> {
  const { model, rows, forms, unit } = problem;
  let numbers = model.numbers();
  const n = numbers.length;
  if (n === 0) return true;
  let cost = costOf(problem, numbers);
  let damping = FIRST_DAMPING;
  let small = 0;
  const matrix = Array.from({ length: n }, (_, i) => new Float64Array(i + 1));
  const lower = Array.from({ length: n }, (_, i) => new Float64Array(i + 1));
  for (let taken = 0; taken < steps; taken++) {
    for (const row of matrix) row.fill(0);
    const { gradient } = model.slope(rows, matrix);
    for (const row of matrix) for (let q = 0; q < row.length; q++) row[q] *= unit;
    for (let m = 0; m < n; m++) gradient[m] *= unit;
    addForms(forms, numbers, gradient, matrix);
    const found = better(problem, { numbers, cost, damping, gradient, matrix, lower });
    if (found === null) {
      model.put(numbers);
      return true;
    }
    small = cost - found.cost < TOLERANCE * cost ? small + 1 : 0;
    ({ numbers, cost, damping } = found);
    yield;
    if (small === 3 || cost === 0) return true;
  }
  return false;
}

interface Place {
  numbers: Float64Array;
  cost: number;
  damping: number;
  gradient: Float64Array;
  matrix: Float64Array[];
  /** Room for the Cholesky factor. */
  lower: Float64Array[];
}

/** The first step that lowers the cost, with the damping to go on with. */
function better(
  problem: Problem,
  { numbers, cost, damping: first, gradient, matrix, lower }: Place,
): Pick<Place, "numbers" | "cost" | "damping"> | null {
  const n = numbers.length;
  const most = matrix.reduce((top, row, m) => Math.max(top, row[m]), 0);
  let damping = first;
  let growth = 2;
  for (let trial = 0; trial < MOST_TRIALS; trial++) {
    for (let m = 0; m < n; m++) {
      lower[m].set(matrix[m]);
      lower[m][m] += damping * Math.max(matrix[m][m], SMALLEST_DIAGONAL * most + 1e-300);
    }
    if (factor(lower)) {
      const step = substitute(
        lower,
        gradient.map((slope) => -slope),
      );
      const after = numbers.map((number, m) => number + step[m]);
      const now = costOf(problem, after);
      // False for NaN: such a step is undone and damped.
      if (now < cost) {
        const gain = (cost - now) / Math.max(promised(step, gradient, matrix), 1e-300);
        damping *= gain < 2 ? Math.max(1 / 3, 1 - (2 * gain - 1) ** 3) : 1 / 3;
        return { numbers: after, cost: now, damping: Math.max(damping, 1e-15) };
      }
    }
    damping *= growth;
    growth *= 2;
  }
  return null;
}

/** What the quadratic says that a step wins. */
function promised(step: Float64Array, gradient: Float64Array, matrix: Float64Array[]): number {
  let won = 0;
  for (let m = 0; m < step.length; m++) {
    let image = matrix[m][m] * step[m];
    for (let q = 0; q < m; q++) image += 2 * matrix[m][q] * step[q];
    won -= step[m] * (2 * gradient[m] + image);
  }
  return won;
}

/** Takes `steps` of Adam (Kingma and Ba, 2015) on all rows; yields after each. */
export function* adam(problem: Problem, steps: number, rate = 0.01): Generator<void, boolean> {
  const { model, rows, forms, unit } = problem;
  const numbers = model.numbers();
  const mean = new Float64Array(numbers.length);
  const square = new Float64Array(numbers.length);
  for (let taken = 1; taken <= steps; taken++) {
    const { gradient } = model.slope(rows, null);
    for (let m = 0; m < numbers.length; m++) gradient[m] *= unit;
    addForms(forms, numbers, gradient, null);
    for (let m = 0; m < numbers.length; m++) {
      const slope = 2 * gradient[m];
      mean[m] += 0.1 * (slope - mean[m]);
      square[m] += 0.001 * (slope * slope - square[m]);
      const [first, second] = [mean[m] / (1 - 0.9 ** taken), square[m] / (1 - 0.999 ** taken)];
      numbers[m] -= (rate * first) / (Math.sqrt(second) + 1e-8);
    }
    model.put(numbers);
    yield;
  }
  return false;
}
