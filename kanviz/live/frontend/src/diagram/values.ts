/** Values at nodes and edges: of the sample, computed when asked for, and of the probed row. */

import { signal } from "@preact/signals-core";
import type { Edge, EdgeView, Probe, Recipe } from "../contract";
import { CurveMaker, type NodeValues, nodeValues, unscaled } from "../math/evaluate";
import { sumsOf } from "../scene";
import type { Store } from "../store";

/** Most points of a slice that are drawn on one curve. */
const MOST = 160;

interface Points {
  x: Float64Array;
  y: Float64Array;
}

export class Sampled {
  #recipe: Recipe | null = null;
  #values: NodeValues = [];
  #maker: CurveMaker | null = null;
  #columnsOf: Float64Array | null = null;
  #columns: Float64Array[] = [];
  #slice: Uint8Array | null = null;
  #rows: number[] = [];
  #slices = new Map<string, Points>();

  constructor(private readonly store: Store) {}

  /** Values of a node over the sample: inputs in the user's unit, others in the network's. */
  atNode(layer: number, index: number): Float64Array | null {
    const scene = this.store.scene.value;
    const table = layer === 0 ? scene.sample : this.#ready() ? this.#values[layer] : null;
    const width = scene.widths[layer];
    if (!table?.length) return null;
    const isOutput = layer === scene.widths.length - 1 && layer > 0;
    const column = Float64Array.from(
      { length: table.length / width },
      (_, row) => table[row * width + index],
    );
    if (!isOutput || !scene.recipe) return column;
    const { y_shift, y_scale } = scene.recipe;
    return unscaled(column, y_shift.slice(index, index + 1), y_scale.slice(index, index + 1));
  }

  /** Where the data lie at the node from which an edge comes: all rows of an input, else some. */
  seenBy({ layer, i, sample_x }: EdgeView): Float64Array {
    const { sample, widths } = this.store.scene.value;
    if (layer > 0 || !sample.length) return sample_x;
    if (sample !== this.#columnsOf) {
      this.#columnsOf = sample;
      this.#columns = [];
    }
    const width = widths[0];
    this.#columns[i] ??= Float64Array.from(
      { length: sample.length / width },
      (_, row) => sample[row * width + i],
    );
    return this.#columns[i];
  }

  /** The rows of the highlighted slice as they lie on an edge's curve; null without a slice. */
  onEdge([layer, i, j]: Edge): Points | null {
    const [slice, scene] = [this.store.slice.value, this.store.scene.value];
    if (!slice || !this.#ready()) return null;
    if (slice !== this.#slice) {
      this.#slice = slice;
      this.#slices.clear();
      const chosen = Array.from(slice.keys()).filter((row) => slice[row]);
      const step = Math.max(1, chosen.length / MOST);
      this.#rows = Array.from(
        { length: Math.min(chosen.length, MOST) },
        (_, n) => chosen[Math.floor(n * step)],
      );
    }
    const key = `${layer},${i},${j}`;
    let found = this.#slices.get(key);
    if (!found) {
      const width = scene.widths[layer];
      const table = layer === 0 ? scene.sample : this.#values[layer];
      const x = Float64Array.from(this.#rows, (row) => table[row * width + i]);
      found = { x, y: this.#maker!.curve([layer, i, j], x) };
      this.#slices.set(key, found);
    }
    return found;
  }

  /** Computes the sample through the network; false where that is not possible. */
  #ready(): boolean {
    const { recipe, sample } = this.store.scene.value;
    if (!recipe || !sample.length) return false;
    if (recipe !== this.#recipe) {
      this.#recipe = recipe;
      this.#values = nodeValues(recipe, sample);
      this.#maker = new CurveMaker(recipe);
      this.#slices.clear();
    }
    return true;
  }
}

/** The values of the probed row at every node and edge, asked for anew when row or network change. */
export class Probing {
  readonly values = signal<Probe | null>(null);
  #asked = 0;

  constructor(private readonly store: Store) {}

  /** Asks for the values of the row as it is now; of several answers the last counts. */
  async refresh(): Promise<void> {
    const row = this.store.probe.value;
    void this.store.version.value;
    const ours = ++this.#asked;
    let values: Probe | null = null;
    try {
      if (row) values = (await this.store.ask({ type: "probe", x: Array.from(row) })) as Probe;
    } catch {
      // The panel that opened the probe says what went wrong.
    }
    if (ours === this.#asked) this.values.value = values;
  }

  /** The point on the curve of an edge; null while there is none. */
  onEdge([layer, i, j]: Edge): { x: number; y: number } | null {
    const probe = this.values.value;
    if (!probe) return null;
    const width = sumsOf(this.store.scene.value, layer);
    return { x: probe.nodes[layer][i], y: probe.edges[layer][i * width + j] };
  }
}
