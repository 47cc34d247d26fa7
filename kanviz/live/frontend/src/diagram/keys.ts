/** Moving among edges and nodes by arrow keys; one of them at a time can be reached by Tab. */

import type { Item, Items } from "./items";

type Way = "ArrowLeft" | "ArrowRight" | "ArrowUp" | "ArrowDown";

/** Returns the next item from one in the direction of a key. */
export function neighbour(items: Iterable<Item>, from: Item, way: string): Item | null {
  let best: Item | null = null;
  let least = Infinity;
  for (const item of items) {
    if (item === from) continue;
    const cost = distance(from, item, way as Way);
    if (cost < least) [best, least] = [item, cost];
  }
  return best;
}

/** How far it is to go that way; infinite for what lies elsewhere. */
function distance(from: Item, to: Item, way: Way): number {
  const dx = to.x - from.x;
  const dy = to.y - from.y;
  if (way === "ArrowLeft" || way === "ArrowRight") {
    const along = way === "ArrowRight" ? dx : -dx;
    const isLevel = Math.abs(dy) < Math.max(from.reach, to.reach);
    return along > 0.5 && isLevel ? along : Infinity;
  }
  const along = way === "ArrowDown" ? dy : -dy;
  return along > Math.max(3, 0.5 * from.reach) ? along + 0.6 * Math.abs(dx) : Infinity;
}

export class Roving {
  private current = "";

  constructor(private readonly items: Items) {}

  /** Makes exactly one item reachable by Tab: the last that had the focus, or the first. */
  refresh(): void {
    if (!this.items.list.has(this.current)) this.current = this.first()?.key ?? "";
    for (const item of this.items.list.values()) {
      item.element.setAttribute("tabindex", item.key === this.current ? "0" : "-1");
    }
  }

  /** Remembers which item has the focus. */
  visit(item: Item): void {
    this.items.list.get(this.current)?.element.setAttribute("tabindex", "-1");
    this.current = item.key;
    item.element.setAttribute("tabindex", "0");
  }

  /** Answers a key; returns the item that has the focus now, or null for a key of no meaning. */
  press(key: string, from: Item): Item | null {
    const all = this.items.list.values();
    const target = key.startsWith("Arrow") ? neighbour(all, from, key) : this.end(key);
    target?.element.focus();
    return target;
  }

  private end(key: string): Item | null {
    if (key === "Home") return this.first();
    return key === "End" ? (this.edges().at(-1) ?? null) : null;
  }

  private first(): Item | null {
    return this.edges()[0] ?? null;
  }

  /** The edges from the inputs up, left to right. */
  private edges(): Item[] {
    const edges = [...this.items.list.values()].filter((item) => item.edge);
    return edges.sort((a, b) => a.edge![0] - b.edge![0] || b.y - a.y || a.x - b.x);
  }
}
