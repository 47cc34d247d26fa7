/**
 * The order in which the nodes of each layer stand, such that few lines cross: each node goes to
 * the mean place of its neighbours, up and down the network a few times (Sugiyama, Tagawa, Toda,
 * Methods for visual understanding of hierarchical system structures, 1981). Only places change,
 * never names; inputs and outputs stay as the user numbered them.
 */

import type { EdgeView, Scene } from "../contract";

/** For each layer the place of each node: `places[layer][index]`. */
export type Places = number[][];

/** Part of the crossings that a new order must save, or nodes would jump for nothing. */
const WORTH = 0.1;
const SWEEPS = 8;

export function natural(widths: readonly number[]): Places {
  return widths.map((width) => Array.from({ length: width }, (_, index) => index));
}

/** Returns a better order than `before`, or `before` itself where that is nearly as good. */
export function untangled(scene: Scene, before: Places): Places {
  const edges = scene.edges.filter((view) => view.state !== "pruned");
  let best = before;
  let fewest = crossings(edges, before);
  let places = before;
  const wanted = (1 - WORTH) * fewest;
  for (let sweep = 0; sweep < SWEEPS && fewest > 0; sweep++) {
    places = swept(scene.widths, edges, places, sweep % 2 === 0);
    const found = crossings(edges, places);
    if (found < fewest) [best, fewest] = [places, found];
  }
  return fewest <= wanted ? best : before;
}

/** One pass over the hidden layers, upwards or downwards. */
function swept(widths: number[], edges: EdgeView[], places: Places, up: boolean): Places {
  const next = places.map((layer) => layer.slice());
  const hidden = widths.map((_, layer) => layer).slice(1, -1);
  for (const layer of up ? hidden : hidden.reverse()) {
    // A touch of staying put, which decides for nodes without edges.
    const sums = next[layer].map((place) => (1e-9 * (place + 0.5)) / widths[layer]);
    const weights = next[layer].map(() => 1e-9);
    for (const { layer: at, i, j, strength } of edges) {
      const isBelow = at === layer - 1;
      if (isBelow !== up || (at !== layer - 1 && at !== layer)) continue;
      const [own, other] = isBelow ? [j, next[at][i]] : [i, next[at + 1][j]];
      const weight = strength ** 2;
      sums[own] += (weight * (other + 0.5)) / widths[isBelow ? at : at + 1];
      weights[own] += weight;
    }
    next[layer] = ranks(
      next[layer].map((_, index) => sums[index] / weights[index]),
      next[layer],
    );
  }
  return next;
}

/** The rank of each value; of equal values the order stays. */
function ranks(values: number[], before: number[]): number[] {
  const order = values.map((_, index) => index);
  order.sort((a, b) =>
    Math.abs(values[a] - values[b]) > 1e-9 ? values[a] - values[b] : before[a] - before[b],
  );
  const places = new Array<number>(values.length);
  order.forEach((index, rank) => (places[index] = rank));
  return places;
}

/** How many pairs of lines cross, strong lines counting more. */
function crossings(edges: EdgeView[], places: Places): number {
  let total = 0;
  const byLayer = new Map<number, EdgeView[]>();
  for (const view of edges) {
    const here = byLayer.get(view.layer);
    if (here) here.push(view);
    else byLayer.set(view.layer, [view]);
  }
  for (const [layer, here] of byLayer) {
    for (let a = 1; a < here.length; a++) {
      for (let b = 0; b < a; b++) {
        const low = places[layer][here[a].i] - places[layer][here[b].i];
        const high = places[layer + 1][here[a].j] - places[layer + 1][here[b].j];
        if (low * high < 0) total += here[a].strength * here[b].strength;
      }
    }
  }
  return total;
}
