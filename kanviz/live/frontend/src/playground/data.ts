/** The rows of a lesson: drawn from its law, with noise, a part of them kept aside. */

import type { Recipe } from "../contract";
import { valueAt } from "../math/formula";
import { type Law, parseLaw } from "../math/parse";
import { normal, uniform } from "../math/random";
import type { Rows } from "../math/trainable";
import type { Lesson } from "./lesson";

/** A table in the user's units, and the same in the network's. */
export interface Data {
  inputNames: string[];
  outputName: string;
  /** The law behind the rows, where one is known. */
  law: Law | null;
  /** The ends of each input. */
  low: Float64Array;
  high: Float64Array;
  train: Table;
  test: Table;
  x_shift: Float64Array;
  x_scale: Float64Array;
  y_shift: Float64Array;
  y_scale: Float64Array;
  /** The rows in the network's units. */
  rows: Rows;
  testRows: Rows;
}

/** Rows in the user's units. */
export interface Table {
  x: Float64Array;
  y: Float64Array;
  count: number;
}

/** Rows that judge. */
const TEST_ROWS = 1000;

/** Draws the rows of a lesson. */
export function dataOf(lesson: Lesson): Data {
  const law = parseLaw(lesson.law);
  if (!(lesson.low < lesson.high)) throw new Error("The range must begin below its end.");
  const next = uniform(lesson.seed);
  const train = drawn(law, lesson, lesson.rows, next);
  // The test rows have no noise: what is asked is how near the network comes to the law.
  const test = drawn(law, lesson, TEST_ROWS, uniform(lesson.seed + 1));
  const spread = spreadOf(train.y);
  if (!Number.isFinite(spread)) throw new Error("The law is not finite on this range.");
  const noise = normal(uniform(lesson.seed + 2));
  if (lesson.noise > 0)
    for (let r = 0; r < train.count; r++) train.y[r] += lesson.noise * spread * noise();
  const width = law.inputs.length;
  const ends = {
    low: new Float64Array(width).fill(lesson.low),
    high: new Float64Array(width).fill(lesson.high),
  };
  const names = law.inputs;
  const outputName = names.includes("y") ? "f" : "y";
  return withUnits({ inputNames: names, outputName, law, ...ends, train, test });
}

type Plain = Omit<Data, "x_shift" | "x_scale" | "y_shift" | "y_scale" | "rows" | "testRows">;

/** Adds the units of the network: inputs from -1 to 1, outputs of mean 0 and deviation 1. */
export function withUnits(plain: Plain): Data {
  const { low, high, train } = plain;
  const x_shift = low.map((end, i) => (end + high[i]) / 2);
  const x_scale = low.map((end, i) => (high[i] - end) / 2 || 1);
  const mean = train.y.reduce((sum, y) => sum + y, 0) / train.count;
  const y_shift = Float64Array.of(mean);
  const y_scale = Float64Array.of(spreadOf(train.y) || 1);
  return inUnits(plain, { x_shift, x_scale, y_shift, y_scale }, plain.inputNames, plain.outputName);
}

/** The same rows in the units of a network that was made elsewhere, with its names. */
export function inUnits(
  data: Plain,
  recipe: Omit<Recipe, "layers">,
  inputNames: string[],
  outputName: string,
): Data {
  const { x_shift, x_scale, y_shift, y_scale } = recipe;
  const width = x_shift.length;
  const scaled = ({ x, y, count }: Table): Rows => ({
    x: x.map((value, at) => (value - x_shift[at % width]) / x_scale[at % width]),
    y: y.map((value) => (value - y_shift[0]) / y_scale[0]),
    count,
  });
  const units = { x_shift, x_scale, y_shift, y_scale, inputNames, outputName };
  return { ...data, ...units, rows: scaled(data.train), testRows: scaled(data.test) };
}

function drawn(law: Law, { low, high }: Lesson, count: number, next: () => number): Table {
  const width = law.inputs.length;
  const x = new Float64Array(count * width).map(() => low + (high - low) * next());
  const y = new Float64Array(count);
  for (let r = 0; r < count; r++) y[r] = valueAt(law, x.subarray(r * width, (r + 1) * width));
  return { x, y, count };
}

/** The standard deviation of numbers. */
export function spreadOf(y: Float64Array): number {
  const mean = y.reduce((sum, one) => sum + one, 0) / y.length;
  return Math.sqrt(y.reduce((sum, one) => sum + (one - mean) ** 2, 0) / y.length);
}
