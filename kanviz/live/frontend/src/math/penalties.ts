/** What a fit pays for besides its error, as a quadratic; see kanviz/training/penalties.py. */

import type { LayerRecipe } from "../contract";
import { deviation, LayerMaker } from "./evaluate";
import { basisSize, FeatureMaker, featureCount } from "./features";
import type { Network } from "./trainable";

/** A sum over edges of factor w^T block w; `start` is where the numbers w of an edge begin. */
export interface EdgeForm {
  block: Float64Array[];
  start: number;
  factor: number;
}

export function penaltyOf(forms: readonly EdgeForm[], numbers: Float64Array): number {
  let total = 0;
  for (const { block, start, factor } of forms) {
    let sum = 0;
    for (let m = 0; m < block.length; m++) {
      const own = numbers[start + m];
      for (let q = 0; q < block.length; q++) sum += own * block[m][q] * numbers[start + q];
    }
    total += factor * sum;
  }
  return total;
}

/** Adds the forms to half a gradient, and to the lower half of a matrix if there is one. */
export function addForms(
  forms: readonly EdgeForm[],
  numbers: Float64Array,
  gradient: Float64Array,
  matrix: Float64Array[] | null,
): void {
  for (const { block, start, factor } of forms) {
    for (let m = 0; m < block.length; m++) {
      for (let q = 0; q < block.length; q++) {
        const entry = factor * block[m][q];
        gradient[start + m] += entry * numbers[start + q];
        if (matrix && q <= m) matrix[start + m][start + q] += entry;
      }
    }
  }
}

/** `weight` times the squared second differences of the coefficients (Eilers and Marx, 1996). */
export function smoothness(network: Network, weight: number): EdgeForm[] {
  const forms: EdgeForm[] = [];
  for (const { recipe, start } of network.splines()) {
    const [n, size] = [basisSize(recipe), featureCount(recipe)];
    const block = Array.from({ length: size }, () => new Float64Array(size));
    for (let r = 0; r + 2 < n; r++)
      [1, -2, 1].forEach((a, m) => [1, -2, 1].forEach((b, q) => (block[r + m][r + q] += a * b)));
    for (const at of start) if (at >= 0) forms.push({ block, start: at, factor: weight });
  }
  return forms;
}

/** Spread of an edge, in units of its node's, that counts as none. */
const FLOOR = 1e-4;

/**
 * The sparsity penalty as a quadratic with its slope at the present weights: L1 norm and twice the
 * entropy of what the edges do, re-weighted as in kanviz/training/penalties.py.
 */
export function sparse(network: Network, x: Float64Array, weight: number): EdgeForm[] {
  const recipes = network.recipes();
  const seen = recipes.map(() => ({ variances: new Float64Array(), spreads: new Float64Array() }));
  const covariances: Float64Array[][][] = [];
  let values = x;
  recipes.forEach((recipe, at) => {
    covariances.push(covariance(recipe, values));
    const { y, edges } = run(recipe, values);
    const spreads = Float64Array.from({ length: recipe.outputs }, (_, j) =>
      deviation(y, j, recipe.outputs),
    );
    seen[at] = { variances: edges.map((spread) => spread ** 2), spreads };
    values = y;
  });
  const slopes = slopesOf(recipes, seen);
  const forms: EdgeForm[] = [];
  network.splines().forEach(({ recipe, start }, at) => {
    start.forEach((place, edge) => {
      if (place < 0) return;
      const block = covariances[at][Math.floor(edge / recipe.outputs)];
      forms.push({ block, start: place, factor: weight * Math.max(0, slopes[at][edge]) });
    });
  });
  return forms;
}

/** The outputs of a layer, and the standard deviation of what each edge adds. */
function run(recipe: LayerRecipe, x: Float64Array): { y: Float64Array; edges: Float64Array } {
  const { inputs, outputs } = recipe;
  const rows = x.length / inputs;
  const maker = new LayerMaker(recipe);
  const y = new Float64Array(rows * outputs);
  const edges = new Float64Array(inputs * outputs);
  const added = new Float64Array(rows * outputs);
  for (let i = 0; i < inputs; i++) {
    for (let row = 0; row < rows; row++)
      maker.edgesFrom(i, x[row * inputs + i], added, row * outputs);
    for (let at = 0; at < y.length; at++) y[at] += added[at];
    for (let j = 0; j < outputs; j++) edges[i * outputs + j] = deviation(added, j, outputs);
  }
  return { y, edges };
}

/** The covariance of the features of each input. */
function covariance(recipe: LayerRecipe, x: Float64Array): Float64Array[][] {
  const { inputs } = recipe;
  const [rows, size] = [x.length / inputs, featureCount(recipe)];
  const maker = new FeatureMaker(recipe);
  return Array.from({ length: inputs }, (_, i) => {
    const matrix = Array.from({ length: size }, () => new Float64Array(size));
    const mean = new Float64Array(size);
    for (let row = 0; row < rows; row++) {
      const { first, count, values, base } = maker.at(i, x[row * inputs + i]);
      const entry = (m: number): number => (m < count ? values[m] : base);
      const place = (m: number): number => (m < count ? first + m : size - 1);
      const all = recipe.base === "zero" ? count : count + 1;
      for (let m = 0; m < all; m++) {
        mean[place(m)] += entry(m) / rows;
        for (let q = 0; q < all; q++) matrix[place(m)][place(q)] += (entry(m) * entry(q)) / rows;
      }
    }
    for (let m = 0; m < size; m++) for (let q = 0; q < size; q++) matrix[m][q] -= mean[m] * mean[q];
    return matrix;
  });
}

/** How the penalty grows with the variance of each edge. */
function slopesOf(
  recipes: readonly LayerRecipe[],
  seen: readonly { variances: Float64Array; spreads: Float64Array }[],
): Float64Array[] {
  const last = recipes.length - 1;
  // Edge (i, j) has the part s_ij of node j, and node j the importance above_j.
  let above = new Float64Array(recipes[last].outputs).fill(1 / recipes[last].outputs);
  const parts: { s: Float64Array; above: Float64Array; importance: Float64Array }[] = [];
  for (let at = last; at >= 0; at--) {
    const { inputs, outputs } = recipes[at];
    const { variances, spreads } = seen[at];
    const s = variances.map((variance, edge) => {
      const spread = spreads[edge % outputs];
      return Math.sqrt((spread > 0 ? variance / spread ** 2 : 0) + FLOOR ** 2);
    });
    const importance = s.map((part, edge) => part * above[edge % outputs]);
    parts[at] = { s, above, importance };
    above = new Float64Array(inputs);
    importance.forEach((one, edge) => (above[Math.floor(edge / outputs)] += one));
  }
  let into: Float64Array | null = null; // what the penalty gains with the importance of a node
  return recipes.map(({ inputs, outputs }, at) => {
    const { s, above: nodes, importance } = parts[at];
    const total = importance.reduce((sum, one) => sum + one, 0) || 1;
    const logs = importance.map((one) => Math.log(Math.max(one / total, Number.MIN_VALUE)));
    const entropy = -importance.reduce((sum, one, edge) => sum + (one / total) * logs[edge], 0);
    const gains = new Float64Array(inputs * outputs);
    const next = new Float64Array(outputs);
    const slopes = importance.map((_, edge) => {
      const [i, j] = [Math.floor(edge / outputs), edge % outputs];
      gains[edge] = 1 - (2 * (logs[edge] + entropy)) / total + (into ? into[i] : 0);
      next[j] += gains[edge] * s[edge];
      const spread = seen[at].spreads[j];
      return spread > 0 ? (gains[edge] * nodes[j]) / (2 * s[edge] * spread ** 2) : 0;
    });
    into = next;
    return slopes;
  });
}
