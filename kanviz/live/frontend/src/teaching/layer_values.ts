/** What the functions of one layer do with a value: whole, and as base part plus spline part. */
import type { LayerRecipe, Recipe } from "../contract";
import { LayerMaker, probe } from "../math/evaluate";
import { featureCount } from "../math/features";

/** A function split in two; null for one that has no such parts, as a formula or one removed. */
export interface Parts {
  base: (x: number) => number;
  spline: (x: number) => number;
}

/** The layer with only one kind of weight left: that of the base function, or all others. */
function only(layer: LayerRecipe, wantsBase: boolean): LayerMaker {
  const width = featureCount(layer);
  const weight = layer.weight.map((value, at) => {
    const feature = Math.floor(at / layer.outputs) % width;
    return (feature === width - 1) === wantsBase ? value : 0;
  });
  return new LayerMaker({ ...layer, weight, formulas: [] });
}

/** Returns what splits the functions of a layer; null where it has no base function. */
export function splitter(layer: LayerRecipe): ((i: number, j: number) => Parts) | null {
  if (layer.base === "zero") return null;
  const base = only(layer, true);
  const spline = only(layer, false);
  return (i, j) => ({
    base: (x) => base.curve(i, j, [x])[0],
    spline: (x) => spline.curve(i, j, [x])[0],
  });
}

/** The values at a layer for one row of inputs in the user's units. */
export interface Through {
  /** At its input nodes. */
  inputs: number[];
  /** (inputs, outputs) row by row: what each function gives. */
  terms: number[];
  /** At its output nodes: the sums of the columns. */
  sums: number[];
}

export function through(recipe: Recipe, layer: number, row: ArrayLike<number>): Through {
  const { nodes, edges } = probe(recipe, row);
  return { inputs: nodes[layer], terms: edges[layer], sums: nodes[layer + 1] };
}

/** Decimals that write the largest of some numbers with four digits, so that sums can be checked. */
export function decimalsFor(values: readonly number[]): number {
  const most = Math.max(...values.map(Math.abs).filter(Number.isFinite), 0);
  const whole = most > 0 ? Math.floor(Math.log10(most)) + 1 : 1;
  return Math.min(Math.max(4 - whole, 0), 6);
}

/** Writes a number with so many decimals and a sign as wide as a plus. */
export function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return "–";
  const text = value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "\u2212");
}
