/** The network computed in the browser from its recipe; equal to Python to rounding. */

import type { Edge, FormulaRecipe, LayerRecipe, Probe, Recipe } from "../contract";
import { basisSize, FeatureMaker, featureCount } from "./features";
import { formulaAt } from "./formula";

/** Values at every layer of nodes, in the network's units: (rows, nodes) row by row. */
export type NodeValues = Float64Array[];

/** Computes all edges of a layer for one row of inputs at a time. */
export class LayerMaker {
  private readonly maker: FeatureMaker;
  private readonly formulas: FormulaRecipe[][];
  /** 1 where an edge counts and is no formula. */
  private readonly splines: Uint8Array;

  constructor(readonly layer: LayerRecipe) {
    this.maker = new FeatureMaker(layer);
    this.formulas = Array.from({ length: layer.inputs }, () => []);
    this.splines = layer.mask.slice();
    for (const formula of layer.formulas) {
      this.formulas[formula.i].push(formula);
      this.splines[formula.i * layer.outputs + formula.j] = 0;
    }
  }

  /** Writes what edges (i, 0), (i, 1) ... add at x into `into`, from `start` on. */
  edgesFrom(i: number, x: number, into: Float64Array, start = 0): void {
    const { layer } = this;
    const { outputs, mask } = layer;
    for (let j = 0; j < outputs; j++) into[start + j] = 0;
    this.addSplines(i, x, into, start);
    for (let j = 0; j < outputs; j++) if (!this.splines[i * outputs + j]) into[start + j] = 0;
    for (const formula of this.formulas[i]) {
      if (mask[i * outputs + formula.j]) into[start + formula.j] = formulaAt(formula, x);
    }
  }

  private addSplines(i: number, x: number, into: Float64Array, start: number): void {
    const { weight, outputs, base } = this.layer;
    const width = featureCount(this.layer);
    const { first, count, values, base: added } = this.maker.at(i, x);
    for (let m = 0; m < count; m++) {
      const row = (i * width + first + m) * outputs;
      for (let j = 0; j < outputs; j++) into[start + j] += values[m] * weight[row + j];
    }
    if (base === "zero") return;
    const row = ((i + 1) * width - 1) * outputs;
    for (let j = 0; j < outputs; j++) into[start + j] += added * weight[row + j];
  }

  /** The function of one edge at many points, removed or not. */
  curve(i: number, j: number, x: ArrayLike<number>): Float64Array {
    const formula = this.formulas[i].find((one) => one.j === j);
    return Float64Array.from(x, (at) =>
      formula ? formulaAt(formula, at) : this.splineAt(i, j, at),
    );
  }

  private splineAt(i: number, j: number, x: number): number {
    const { weight, outputs } = this.layer;
    const width = featureCount(this.layer);
    const { first, count, values, base } = this.maker.at(i, x);
    let sum = this.layer.base === "zero" ? 0 : base * weight[((i + 1) * width - 1) * outputs + j];
    for (let m = 0; m < count; m++)
      sum += values[m] * weight[(i * width + first + m) * outputs + j];
    return sum;
  }
}

/** Returns rows of inputs in the network's units, from the user's. */
export function scaled(
  x: ArrayLike<number>,
  shift: Float64Array,
  scale: Float64Array,
): Float64Array {
  const n = shift.length;
  return Float64Array.from(x, (value, at) => (value - shift[at % n]) / scale[at % n]);
}

/** Returns rows in the user's units, from the network's. */
export function unscaled(
  y: ArrayLike<number>,
  shift: Float64Array,
  scale: Float64Array,
): Float64Array {
  const n = shift.length;
  return Float64Array.from(y, (value, at) => value * scale[at % n] + shift[at % n]);
}

export interface LayerRun {
  /** The nodes above: (rows, nodes), row by row. */
  y: Float64Array;
  /** The standard deviation of what each edge adds. */
  spread: Float64Array;
  /** The sums of the edges: y itself where there are no products. */
  sums: Float64Array;
}

/** One layer for many rows. */
export function runLayer(layer: LayerRecipe, x: Float64Array): LayerRun {
  const { inputs, outputs } = layer;
  const rows = x.length / inputs;
  const maker = new LayerMaker(layer);
  const sums = new Float64Array(rows * outputs);
  const spread = new Float64Array(inputs * outputs);
  const edges = new Float64Array(rows * outputs);
  for (let i = 0; i < inputs; i++) {
    for (let row = 0; row < rows; row++)
      maker.edgesFrom(i, x[row * inputs + i], edges, row * outputs);
    for (let at = 0; at < sums.length; at++) sums[at] += edges[at];
    for (let j = 0; j < outputs; j++) spread[i * outputs + j] = deviation(edges, j, outputs);
  }
  return { y: multiplied(layer, sums), spread, sums };
}

/** How many nodes a layer makes of its sums. */
export const nodesOf = ({ outputs, owners }: LayerRecipe): number =>
  owners.length ? owners[owners.length - 1] + 1 : outputs;

/** Which sums of a layer an edge enters that counts. */
export function enteredSums({ inputs, outputs, mask }: LayerRecipe): boolean[] {
  return Array.from({ length: outputs }, (_, j) => {
    for (let i = 0; i < inputs; i++) if (mask[i * outputs + j]) return true;
    return false;
  });
}

/** The nodes of a layer for rows of its sums: see `LayerRecipe.owners`. */
export function multiplied(layer: LayerRecipe, sums: Float64Array): Float64Array {
  const { owners, outputs } = layer;
  if (!owners.length) return sums;
  const [width, entered] = [nodesOf(layer), enteredSums(layer)];
  const seen = new Set<number>();
  const y = new Float64Array((sums.length / outputs) * width);
  owners.forEach((node, j) => {
    if (!entered[j]) return;
    const isFirst = !seen.has(node);
    seen.add(node);
    for (let row = 0; row * outputs < sums.length; row++) {
      const [at, value] = [row * width + node, sums[row * outputs + j]];
      y[at] = isFirst ? value : y[at] * value;
    }
  });
  return y;
}

/** The standard deviation (divisor n) of column `at` of a table of `width` columns. */
export function deviation(table: ArrayLike<number>, at: number, width: number): number {
  const rows = table.length / width;
  let mean = 0;
  for (let row = at; row < table.length; row += width) mean += table[row] / rows;
  let sum = 0;
  for (let row = at; row < table.length; row += width) sum += (table[row] - mean) ** 2;
  return rows ? Math.sqrt(sum / rows) : 0;
}

/** The values of all nodes for rows of inputs in the user's units. */
export function nodeValues(recipe: Recipe, rows: ArrayLike<number>): NodeValues {
  const values = [scaled(rows, recipe.x_shift, recipe.x_scale)];
  for (const layer of recipe.layers) values.push(runLayer(layer, values[values.length - 1]).y);
  return values;
}

/** The user's units at an edge: what of its input is the network's 0 and 1, and of its output 1. */
interface EdgeUnits {
  shift: number;
  scale: number;
  size: number;
}

/** The units at an edge: those of the network, but for inputs and outputs of the whole. */
export function unitsAt(recipe: Recipe, [layer, i, j]: Edge): EdgeUnits {
  const isFirst = layer === 0;
  return {
    shift: isFirst ? recipe.x_shift[i] : 0,
    scale: isFirst ? recipe.x_scale[i] : 1,
    size: layer === recipe.layers.length - 1 ? recipe.y_scale[j] : 1,
  };
}

/** Computes the curves of edges as they are drawn, in the user's units. */
export class CurveMaker {
  private readonly makers: LayerMaker[];

  constructor(private readonly recipe: Recipe) {
    this.makers = recipe.layers.map((layer) => new LayerMaker(layer));
  }

  curve(edge: Edge, x: ArrayLike<number>): Float64Array {
    const [layer, i, j] = edge;
    const { shift, scale, size } = unitsAt(this.recipe, edge);
    const own = shift === 0 && scale === 1 ? x : Float64Array.from(x, (at) => (at - shift) / scale);
    const y = this.makers[layer].curve(i, j, own);
    return size === 1 ? y : y.map((value) => size * value);
  }

  /** The heights of an edge's control points. */
  heights(edge: Edge): Float64Array {
    const [layer, i, j] = edge;
    const { size } = unitsAt(this.recipe, edge);
    return coefficients(this.recipe.layers[layer], i, j).map((height) => size * height);
  }
}

/** The coefficients of an edge, in the network's units. */
function coefficients(layer: LayerRecipe, i: number, j: number): Float64Array {
  const width = featureCount(layer);
  const at = (m: number): number => (i * width + m) * layer.outputs + j;
  return Float64Array.from({ length: basisSize(layer) }, (_, m) => layer.weight[at(m)]);
}

/** The outputs for rows of inputs, both in the user's units. */
export function outputs(recipe: Recipe, rows: ArrayLike<number>): Float64Array {
  return unscaled(nodeValues(recipe, rows).at(-1)!, recipe.y_shift, recipe.y_scale);
}

/** The value of every node and edge for one row of inputs, all in the user's units. */
export function userProbe(recipe: Recipe, row: ArrayLike<number>): Probe {
  const { nodes, edges } = probe(recipe, row);
  const { y_shift, y_scale } = recipe;
  nodes[0] = Array.from(row);
  nodes.push(Array.from(unscaled(nodes.pop()!, y_shift, y_scale)));
  edges.push(edges.pop()!.map((value, at) => value * y_scale[at % y_scale.length]));
  return { nodes, edges };
}

/** The same in the network's units, for a row in the user's. */
export function probe(recipe: Recipe, row: ArrayLike<number>): Probe {
  const nodes = [Array.from(scaled(row, recipe.x_shift, recipe.x_scale))];
  const edges: number[][] = [];
  for (const layer of recipe.layers) {
    const maker = new LayerMaker(layer);
    const added = new Float64Array(layer.inputs * layer.outputs);
    const sums = new Float64Array(layer.outputs);
    nodes.at(-1)!.forEach((x, i) => {
      maker.edgesFrom(i, x, added, i * layer.outputs);
      for (let j = 0; j < layer.outputs; j++) sums[j] += added[i * layer.outputs + j];
    });
    edges.push(Array.from(added));
    nodes.push(Array.from(multiplied(layer, sums)));
  }
  return { nodes, edges };
}
