/** How much edges and nodes matter; see kanviz/analysis/attribution.py and kanviz/layout.py. */

const FAINTEST = 0.25;

/** Of all layers: per edge (inputs, outputs), and per node. */
export interface Scores {
  edges: Float64Array[];
  nodes: Float64Array[];
}

/**
 * The "backward" scores: each output hands its score to its edges by their share of its spread, and
 * a node has the sum of those of the edges that leave it.
 */
export function backwardScores(edgeSpreads: Float64Array[], nodeSpreads: Float64Array[]): Scores {
  const last = nodeSpreads[nodeSpreads.length - 1];
  const nodes = [new Float64Array(last.length).fill(1 / last.length)];
  const edges: Float64Array[] = [];
  for (let layer = edgeSpreads.length - 1; layer >= 0; layer--) {
    const shares = sharesOf(edgeSpreads[layer], nodeSpreads[layer + 1], nodes[0]);
    const width = nodeSpreads[layer + 1].length;
    const sums = new Float64Array(nodeSpreads[layer].length);
    shares.forEach((share, at) => (sums[Math.floor(at / width)] += share));
    edges.unshift(shares);
    nodes.unshift(sums);
  }
  return { edges, nodes };
}

function sharesOf(edges: Float64Array, nodes: Float64Array, scores: Float64Array): Float64Array {
  const width = nodes.length;
  const sums = new Float64Array(width);
  edges.forEach((spread, at) => (sums[at % width] += spread));
  return edges.map((spread, at) => {
    const j = at % width;
    const varies = nodes[j] > 100 * Number.EPSILON * sums[j];
    return varies ? (scores[j] * spread) / nodes[j] : 0;
  });
}

/** How strongly to draw edges of these scores, which are those of one layer. */
export function strengths(scores: ArrayLike<number>): number[] {
  const all = Array.from(scores);
  const largest = Math.max(...all, 0);
  if (largest === Math.min(...all)) return all.map(() => 1);
  return all.map((score) => FAINTEST + (1 - FAINTEST) * Math.sqrt(score / largest));
}
