/** The values of the probed row at every node and edge, asked for anew when the row changes. */

import type { Edge, Probe, Store } from "../contract";

export class Probing {
  values: Probe | null = null;
  private asked = 0;

  constructor(
    private readonly store: Store,
    private readonly changed: () => void,
  ) {}

  /** Asks for the values of the row as it is now; of several answers the last counts. */
  async refresh(): Promise<void> {
    const row = this.store.probe;
    const ours = ++this.asked;
    let values: Probe | null = null;
    try {
      if (row) values = (await this.store.ask({ type: "probe", x: Array.from(row) })) as Probe;
    } catch {
      // The panel that opened the probe says what went wrong.
    }
    if (ours !== this.asked) return;
    this.values = values;
    this.changed();
  }

  /** The point on the curve of an edge; null while there is none. */
  onEdge([layer, i, j]: Edge): { x: number; y: number } | null {
    if (!this.values) return null;
    const { nodes, edges } = this.values;
    return { x: nodes[layer][i], y: edges[layer][i * this.store.scene.widths[layer + 1] + j] };
  }
}
