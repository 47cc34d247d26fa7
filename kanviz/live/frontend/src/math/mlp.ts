/** A multilayer perceptron, to be trained beside a network of as many numbers in the same way. */

import { normal } from "./random";
import type { Rows, Trainable } from "./trainable";

/** Hidden layers of tanh. */
const HIDDEN = 2;

/** How many numbers a perceptron of these widths has. */
export const numbersOf = (widths: readonly number[]): number =>
  widths.slice(1).reduce((sum, width, n) => sum + width * (widths[n] + 1), 0);

/** The widths of a perceptron of about so many numbers. */
export function widthsFor(inputs: number, outputs: number, numbers: number): number[] {
  const widths = (hidden: number): number[] => [
    inputs,
    ...new Array<number>(HIDDEN).fill(hidden),
    outputs,
  ];
  let hidden = 1;
  while (numbersOf(widths(hidden + 1)) <= numbers) hidden += 1;
  const over = numbersOf(widths(hidden + 1)) - numbers;
  return widths(over < numbers - numbersOf(widths(hidden)) ? hidden + 1 : hidden);
}

export class Perceptron implements Trainable {
  private weights: Float64Array;
  /** Where the numbers of each layer begin: (outputs, inputs), then the biases. */
  private readonly starts: number[] = [];
  /** What the nodes of each layer are, and what an output gains with what comes into each. */
  private readonly nodes: Float64Array[];
  private readonly above: Float64Array[];
  private readonly entries: Float64Array;

  constructor(
    readonly widths: readonly number[],
    next: () => number,
  ) {
    this.nodes = widths.map((width) => new Float64Array(width));
    this.above = widths.map((width) => new Float64Array(width));
    this.weights = new Float64Array(numbersOf(widths));
    this.entries = new Float64Array(this.weights.length);
    const draw = normal(next);
    let at = 0;
    for (let n = 1; n < widths.length; n++) {
      this.starts.push(at);
      const count = widths[n] * widths[n - 1];
      for (let w = 0; w < count; w++) this.weights[at + w] = draw() / Math.sqrt(widths[n - 1]);
      at += count + widths[n];
    }
  }

  numbers(): Float64Array {
    return this.weights.slice();
  }

  put(numbers: Float64Array): void {
    this.weights = numbers.slice();
  }

  loss({ x, y, count }: Rows): number {
    const width = this.widths[this.widths.length - 1];
    let sum = 0;
    for (let row = 0; row < count; row++) {
      const found = this.forward(x, row);
      for (let o = 0; o < width; o++) sum += (found[o] - y[row * width + o]) ** 2;
    }
    return sum;
  }

  slope(
    { x, y, count }: Rows,
    matrix: Float64Array[] | null,
  ): { loss: number; gradient: Float64Array } {
    const { entries } = this;
    const n = entries.length;
    const width = this.widths[this.widths.length - 1];
    const gradient = new Float64Array(n);
    let loss = 0;
    for (let row = 0; row < count; row++) {
      const found = this.forward(x, row);
      for (let o = 0; o < width; o++) {
        const left = found[o] - y[row * width + o];
        loss += left * left;
        this.rowOf(o);
        for (let p = 0; p < n; p++) gradient[p] += entries[p] * left;
        if (matrix === null) continue;
        for (let p = 0; p < n; p++) {
          const into = matrix[p];
          const value = entries[p];
          for (let q = 0; q <= p; q++) into[q] += value * entries[q];
        }
      }
    }
    return { loss, gradient };
  }

  private forward(x: Float64Array, row: number): Float64Array {
    const { widths, nodes, weights, starts } = this;
    const last = widths.length - 1;
    for (let i = 0; i < widths[0]; i++) nodes[0][i] = x[row * widths[0] + i];
    for (let n = 0; n < last; n++) {
      const [inputs, outputs] = [widths[n], widths[n + 1]];
      for (let j = 0; j < outputs; j++) {
        let sum = weights[starts[n] + outputs * inputs + j];
        for (let i = 0; i < inputs; i++) sum += weights[starts[n] + j * inputs + i] * nodes[n][i];
        nodes[n + 1][j] = n + 1 === last ? sum : Math.tanh(sum);
      }
    }
    return nodes[last];
  }

  /** Writes the row of the Jacobian of output `o` into `entries`. */
  private rowOf(o: number): void {
    const { widths, nodes, weights, starts, above, entries } = this;
    const last = widths.length - 1;
    above[last].fill(0);
    above[last][o] = 1;
    for (let n = last - 1; n >= 0; n--) {
      const [inputs, outputs] = [widths[n], widths[n + 1]];
      for (let j = 0; j < outputs; j++) {
        const factor = above[n + 1][j];
        entries[starts[n] + outputs * inputs + j] = factor;
        for (let i = 0; i < inputs; i++) entries[starts[n] + j * inputs + i] = factor * nodes[n][i];
      }
      for (let i = 0; i < inputs; i++) {
        let sum = 0;
        for (let j = 0; j < outputs; j++)
          sum += above[n + 1][j] * weights[starts[n] + j * inputs + i];
        above[n][i] = sum * (1 - nodes[n][i] ** 2);
      }
    }
  }
}
