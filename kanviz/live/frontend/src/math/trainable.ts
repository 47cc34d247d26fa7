/** A network in training: its numbers in one row, and what the error says of each of them. */

import type { FormulaRecipe, LayerRecipe } from "../contract";
import { FeatureMaker, featureCount } from "./features";
import { formulaAt } from "./formula";

/** Rows of inputs and outputs, in the network's units. */
export interface Rows {
  x: Float64Array;
  y: Float64Array;
  count: number;
}

/** The quadratic c + 2 g^T s + s^T A s of the mean squared error; of A the lower half. */
export interface Quadratic {
  matrix: Float64Array[];
  gradient: Float64Array;
}

/** What can be trained: a KAN, or a perceptron beside it. */
export interface Trainable {
  /** All numbers that may change, in one row. */
  numbers(): Float64Array;
  put(numbers: Float64Array): void;
  /** The sum of squared errors. */
  loss(rows: Rows): number;
  /** Half the gradient of the sum of squared errors, and on request its Gauss-Newton matrix. */
  slope(rows: Rows, matrix: Float64Array[] | null): { loss: number; gradient: Float64Array };
}

/** Where the numbers of an edge stand in the row; -1 for an edge that is removed or frozen. */
interface Layer {
  recipe: LayerRecipe;
  maker: FeatureMaker;
  /** Numbers of a spline. */
  features: number;
  /** The weight with zeros where an edge is no spline or removed. */
  live: Float64Array;
  start: Int32Array;
  formulas: { recipe: FormulaRecipe; at: number }[];
  // Of one row of inputs: the features of each input, and the slope of each edge.
  x: Float64Array;
  y: Float64Array;
  first: Int32Array;
  values: Float64Array;
  count: number;
  base: Float64Array;
  edgeSlopes: Float64Array;
  formulaSlopes: Float64Array;
  /** What an output gains when a node above gains 1. */
  above: Float64Array;
}

const hasBase = (layer: LayerRecipe): boolean => layer.base !== "zero";

/** The slope of a formula's f, without its affine numbers, by central differences. */
function slopeOf(formula: FormulaRecipe, z: number): number {
  const plain: FormulaRecipe = { ...formula, affine: [1, 0, 1, 0] };
  const step = 1e-6 * Math.max(1, Math.abs(z));
  return (formulaAt(plain, z + step) - formulaAt(plain, z - step)) / (2 * step);
}

/** Adds the lower half of the products of one row of the Jacobian, whose columns grow. */
function addProducts(
  columns: Int32Array,
  entries: Float64Array,
  n: number,
  matrix: Float64Array[],
): void {
  for (let p = 0; p < n; p++) {
    const into = matrix[columns[p]];
    const value = entries[p];
    let q = 0;
    for (; q + 4 < p; q += 5) {
      const c = columns[q];
      // Of an edge four cubic splines, which stand side by side, and the base function.
      if (columns[q + 3] - c === 3) {
        into[c] += value * entries[q];
        into[c + 1] += value * entries[q + 1];
        into[c + 2] += value * entries[q + 2];
        into[c + 3] += value * entries[q + 3];
        into[columns[q + 4]] += value * entries[q + 4];
      } else for (let m = q; m < q + 5; m++) into[columns[m]] += value * entries[m];
    }
    for (; q <= p; q++) into[columns[q]] += value * entries[q];
  }
}

export class Network implements Trainable {
  private readonly layers: Layer[];
  private readonly size: number;
  private readonly outputs: number;
  // The entries of one row of the Jacobian that may be other than 0.
  private readonly columns: Int32Array;
  private readonly entries: Float64Array;

  constructor(recipes: readonly LayerRecipe[]) {
    let size = 0;
    let most = 0;
    this.layers = recipes.map((recipe) => {
      const { inputs, outputs, mask } = recipe;
      const maker = new FeatureMaker(recipe);
      const features = featureCount(recipe);
      const count = maker.features.count;
      const start = new Int32Array(inputs * outputs).fill(-1);
      const formulas = recipe.formulas
        .filter(({ i, j }) => mask[i * outputs + j])
        .map((one) => ({ recipe: { ...one, affine: [...one.affine] } as FormulaRecipe, at: 0 }));
      const named = new Set(recipe.formulas.map(({ i, j }) => i * outputs + j));
      const live = recipe.weight.slice();
      for (let edge = 0; edge < start.length; edge++) {
        if (mask[edge] && !named.has(edge)) {
          start[edge] = size;
          size += features;
          most += count + 1;
        } else {
          const [i, j] = [Math.floor(edge / outputs), edge % outputs];
          for (let m = 0; m < features; m++) live[(i * features + m) * outputs + j] = 0;
        }
      }
      for (const one of formulas) {
        one.at = size;
        size += 4;
        most += 4;
      }
      return {
        ...{ recipe, maker, features, live, start, formulas, count },
        x: new Float64Array(inputs),
        y: new Float64Array(outputs),
        first: new Int32Array(inputs),
        values: new Float64Array(inputs * count),
        base: new Float64Array(inputs),
        edgeSlopes: new Float64Array(inputs * outputs),
        formulaSlopes: new Float64Array(formulas.length),
        above: new Float64Array(outputs),
      };
    });
    // What a layer gives is what the next one takes.
    for (let at = 1; at < this.layers.length; at++) this.layers[at].x = this.layers[at - 1].y;
    this.size = size;
    this.outputs = recipes[recipes.length - 1].outputs;
    this.columns = new Int32Array(most);
    this.entries = new Float64Array(most);
  }

  /** The network as it is now. */
  recipes(): LayerRecipe[] {
    return this.layers.map(({ recipe, live, start, features, formulas }) => {
      const { outputs } = recipe;
      const weight = recipe.weight.slice();
      start.forEach((at, edge) => {
        if (at < 0) return;
        const [i, j] = [Math.floor(edge / outputs), edge % outputs];
        for (let m = 0; m < features; m++) {
          const place = (i * features + m) * outputs + j;
          weight[place] = live[place];
        }
      });
      const now = new Map(formulas.map((one) => [one.recipe.i * outputs + one.recipe.j, one]));
      const named = recipe.formulas.map((old) => now.get(old.i * outputs + old.j)?.recipe ?? old);
      return {
        ...recipe,
        weight,
        formulas: named.map((one) => ({ ...one, affine: [...one.affine] as typeof one.affine })),
      };
    });
  }

  numbers(): Float64Array {
    const found = new Float64Array(this.size);
    this.each((layer, place, at) => (found[at] = layer.live[place]));
    for (const { formulas } of this.layers)
      for (const { recipe, at } of formulas) found.set(recipe.affine, at);
    return found;
  }

  put(numbers: Float64Array): void {
    this.each((layer, place, at) => (layer.live[place] = numbers[at]));
    for (const { formulas } of this.layers)
      for (const { recipe, at } of formulas)
        for (let n = 0; n < 4; n++) recipe.affine[n] = numbers[at + n];
  }

  /** Calls `f` with the place in the weight and in the row of each number of a spline. */
  private each(f: (layer: Layer, place: number, at: number) => void): void {
    for (const layer of this.layers) {
      const { start, features } = layer;
      const { outputs } = layer.recipe;
      start.forEach((at, edge) => {
        if (at < 0) return;
        const [i, j] = [Math.floor(edge / outputs), edge % outputs];
        for (let m = 0; m < features; m++) f(layer, (i * features + m) * outputs + j, at + m);
      });
    }
  }

  /** Calls `f` with the splines of each layer: where each begins in the row of numbers. */
  splines(): { recipe: LayerRecipe; start: Int32Array }[] {
    return this.layers.map(({ recipe, start }) => ({ recipe, start }));
  }

  loss(rows: Rows): number {
    const { outputs } = this;
    let sum = 0;
    for (let row = 0; row < rows.count; row++) {
      const y = this.forward(rows.x, row, false);
      for (let o = 0; o < outputs; o++) sum += (y[o] - rows.y[row * outputs + o]) ** 2;
    }
    return sum;
  }

  slope(rows: Rows, matrix: Float64Array[] | null): { loss: number; gradient: Float64Array } {
    const { outputs, columns, entries } = this;
    const gradient = new Float64Array(this.size);
    let loss = 0;
    for (let row = 0; row < rows.count; row++) {
      const y = this.forward(rows.x, row, true);
      for (let o = 0; o < outputs; o++) {
        const left = y[o] - rows.y[row * outputs + o];
        loss += left * left;
        const n = this.rowOf(o);
        for (let p = 0; p < n; p++) gradient[columns[p]] += entries[p] * left;
        if (matrix === null) continue;
        addProducts(columns, entries, n, matrix);
      }
    }
    return { loss, gradient };
  }

  /** The outputs for one row of inputs; keeps what `rowOf` needs where `keeps` says so. */
  private forward(inputs: Float64Array, row: number, keeps: boolean): Float64Array {
    const first = this.layers[0];
    const width = first.recipe.inputs;
    for (let i = 0; i < width; i++) first.x[i] = inputs[row * width + i];
    for (let at = 0; at < this.layers.length; at++) {
      const layer = this.layers[at];
      const { recipe, maker, features, live, count, edgeSlopes, x, y } = layer;
      const { outputs } = recipe;
      y.fill(0);
      if (keeps) edgeSlopes.fill(0);
      for (let i = 0; i < recipe.inputs; i++) {
        const found = maker.at(i, x[i]);
        const base = (i + 1) * features * outputs - outputs;
        const start = (i * features + found.first) * outputs;
        for (let m = 0; m < count; m++) {
          const value = found.values[m];
          const place = start + m * outputs;
          for (let j = 0; j < outputs; j++) y[j] += value * live[place + j];
        }
        if (hasBase(recipe)) for (let j = 0; j < outputs; j++) y[j] += found.base * live[base + j];
        if (!keeps) continue;
        layer.first[i] = found.first;
        layer.base[i] = found.base;
        const own = i * outputs;
        for (let m = 0; m < count; m++) {
          layer.values[i * count + m] = found.values[m];
          const slope = found.slopes[m];
          const place = start + m * outputs;
          for (let j = 0; j < outputs; j++) edgeSlopes[own + j] += slope * live[place + j];
        }
        if (hasBase(recipe))
          for (let j = 0; j < outputs; j++) edgeSlopes[own + j] += found.baseSlope * live[base + j];
      }
      for (let n = 0; n < layer.formulas.length; n++) {
        const formula = layer.formulas[n].recipe;
        const { i, j, affine } = formula;
        y[j] += formulaAt(formula, x[i]);
        if (!keeps) continue;
        const [a, b, c] = affine;
        const slope = slopeOf(formula, a * x[i] + b);
        layer.formulaSlopes[n] = slope;
        edgeSlopes[i * outputs + j] = c * slope * a;
      }
    }
    return this.layers[this.layers.length - 1].y;
  }

  /** Writes a row of the Jacobian, of output `o`, and returns how many entries it has. */
  private rowOf(o: number): number {
    const { layers } = this;
    const last = layers.length - 1;
    layers[last].above.fill(0);
    layers[last].above[o] = 1;
    for (let at = last; at > 0; at--) {
      const { recipe, above, edgeSlopes } = layers[at];
      const below = layers[at - 1].above;
      for (let i = 0; i < recipe.inputs; i++) {
        let sum = 0;
        for (let j = 0; j < recipe.outputs; j++)
          sum += above[j] * edgeSlopes[i * recipe.outputs + j];
        below[i] = sum;
      }
    }
    let n = 0;
    for (const layer of layers) n = this.entriesOf(layer, n);
    return n;
  }

  private entriesOf(layer: Layer, begin: number): number {
    const { columns, entries } = this;
    const { recipe, start, count, first, values, base, features, above } = layer;
    const { inputs, outputs } = recipe;
    let n = begin;
    for (let i = 0; i < inputs; i++) {
      for (let j = 0; j < outputs; j++) {
        const at = start[i * outputs + j];
        if (at < 0) continue;
        const factor = above[j];
        for (let m = 0; m < count; m++) {
          columns[n] = at + first[i] + m;
          entries[n++] = factor * values[i * count + m];
        }
        if (!hasBase(recipe)) continue;
        columns[n] = at + features - 1;
        entries[n++] = factor * base[i];
      }
    }
    layer.formulas.forEach(({ recipe: formula, at }, k) => {
      const { i, j, affine } = formula;
      const [a, b, c, d] = affine;
      const x = layer.x[i];
      const inner = c * layer.formulaSlopes[k];
      const f =
        c === 0
          ? formulaAt({ ...formula, affine: [a, b, 1, 0] }, x)
          : (formulaAt(formula, x) - d) / c;
      [inner * x, inner, f, 1].forEach((entry, m) => {
        columns[n] = at + m;
        entries[n++] = above[j] * entry;
      });
    });
    return n;
  }
}
