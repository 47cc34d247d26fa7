/**
 * What can be pointed at and focused: an element for each edge and node, and the keys between
 * them.
 */

import type { Edge, Scene } from "../contract";
import { edgeOf, endOf } from "../scene";
import type { Store } from "../store";
import { CORNER, CORNER_SHARE, CROSS } from "../tokens";
import { assign, focusable, s } from "../ui/dom";
import { edgeSentence, nodeSentence } from "./labels";
import { type EdgeShape, type Layout, type NodeShape, shrunk } from "./layout";
import { circle, cross, factorsPath } from "./paths";

/** One thing that takes the focus. */
export interface Item {
  key: string;
  element: SVGGElement;
  x: number;
  y: number;
  /** Half its height. */
  reach: number;
  /** How strong it is drawn, below 0 where it is removed. */
  rank: number;
  edge: Edge | null;
  node: readonly [layer: number, index: number] | null;
}

/** More edges than this have no line to point at, only their box: lines would lie too close. */
const MOST_LINES = 120;

export class Items {
  readonly group = s("g", { class: "kv-items" });
  readonly list = new Map<string, Item>();
  #scale = 1;
  readonly #idle = s("path", { class: "kv-idle", "aria-hidden": "true" });

  constructor(private readonly store: Store) {
    this.group.append(this.#idle);
  }

  /** Takes over a layout; elements of edges and nodes that stay keep their focus. */
  arrange(layout: Layout): void {
    const unused = new Set(this.list.keys());
    const hasLines = layout.edges.length <= MOST_LINES && !layout.bare;
    for (const shape of layout.edges) {
      unused.delete(shape.key);
      this.#placeEdge(this.#edgeItem(shape), shape, hasLines);
    }
    const crowded = layout.nodes.length > 200;
    const drawn = layout.nodes.filter((shape) => shape.live || !crowded);
    for (const shape of drawn) {
      const item = this.#nodeItem(shape);
      unused.delete(item.key);
      this.#placeNode(item, shape);
    }
    this.#placeIdle(layout.nodes.filter((shape) => !drawn.includes(shape)));
    for (const key of unused) {
      this.list.get(key)?.element.remove();
      this.list.delete(key);
    }
  }

  /** Keeps the nodes from growing too large. */
  zoom(layout: Layout, scale: number): void {
    if (this.#scale === scale) return;
    this.#scale = scale;
    for (const shape of layout.nodes) {
      const item = this.list.get(nodeKey(shape.view));
      if (item) this.#placeNode(item, shape);
    }
  }

  /** Writes anew what screen readers say. */
  describe(layout: Layout, valuesAt: (layer: number, index: number) => string): void {
    const scene = this.store.scene.value;
    for (const { key, view } of layout.edges) {
      this.list.get(key)?.element.setAttribute("aria-label", edgeSentence(scene, view));
    }
    for (const { view } of layout.nodes) {
      const item = this.list.get(nodeKey(view));
      item?.element.setAttribute(
        "aria-label",
        nodeSentence(scene, view, valuesAt(view.layer, view.index)),
      );
    }
  }

  /** Shows which edge is selected, and which nodes belong to what is pointed at. */
  mark(): void {
    const [selected, hovered] = [this.store.selected.value, this.store.hovered.value];
    const hoveredNode = this.store.hoveredNode.value;
    for (const item of this.list.values()) {
      if (item.edge)
        item.element.setAttribute("aria-pressed", String(selected?.join() === item.key));
      const isEnd = item.node && isEndOf(item.node, hovered ?? selected, this.store.scene.peek());
      item.element.classList.toggle(
        "kv-touched",
        Boolean(isEnd) || item.node?.join() === hoveredNode?.join(),
      );
    }
  }

  #edgeItem({ key, view }: EdgeShape): Item {
    const edge = edgeOf(view);
    return this.#item(key, edge, null, () => [
      s("path", { class: "kv-edge-reach" }),
      s("rect", {}),
    ]);
  }

  #nodeItem({ view }: NodeShape): Item {
    const node = [view.layer, view.index] as const;
    const parts = (): SVGElement[] => [
      s("circle", { class: "kv-around" }),
      s("path", { class: "kv-node-dot" }),
      s("circle", { class: "kv-node-dot" }),
      s("path", { class: "kv-cross" }),
    ];
    return this.#item(nodeKey(view), null, node, parts);
  }

  #item(key: string, edge: Item["edge"], node: Item["node"], parts: () => SVGElement[]): Item {
    let item = this.list.get(key);
    if (!item) {
      const attributes = { class: edge ? "kv-edge" : "kv-node", role: "button", tabindex: -1 };
      const element = focusable(s("g", { ...attributes, "data-key": key }, ...parts()));
      item = { key, element, edge, node, x: 0, y: 0, reach: 0, rank: -1 };
      this.list.set(key, item);
      this.group.append(element);
    }
    return item;
  }

  #placeEdge(item: Item, shape: EdgeShape, hasLines: boolean): void {
    const { left, top, width, height } = shape.slot.box;
    const [reach, rect] = item.element.children;
    assign(reach, { d: hasLines ? shape.into + shape.out : "" });
    assign(rect, { x: left, y: top, width, height, rx: Math.min(CORNER, CORNER_SHARE * width) });
    const rank = shape.view.state === "pruned" ? -1 : shape.view.strength;
    Object.assign(item, { x: left + width / 2, y: top + height / 2, reach: height / 2, rank });
  }

  #placeNode(item: Item, shape: NodeShape): void {
    const { x, y, radius, live } = shape;
    const [around, factors, dot, sign] = item.element.children;
    const smaller = shrunk(this.#scale);
    assign(factors, { d: factorsPath(shape, smaller) });
    assign(sign, { d: shape.factors.length ? cross(x, y, (CROSS * radius) / smaller) : "" });
    assign(around, { cx: x, cy: y, r: Math.max(radius + 3.5, 7) / smaller });
    assign(dot, { cx: x, cy: y, r: radius / smaller });
    item.element.classList.toggle("kv-bare", !live);
    Object.assign(item, { x, y, reach: Math.max(radius, 6) });
  }

  /** Nodes without a drawn edge, where there are very many: dots that are only seen. */
  #placeIdle(shapes: NodeShape[]): void {
    const parts = shapes.map(({ x, y, radius }) => circle(x, y, Math.max(radius, 0.8)));
    this.#idle.setAttribute("d", parts.join(""));
  }
}

const nodeKey = (view: { layer: number; index: number }): string => `${view.layer},${view.index}`;

function isEndOf(
  [layer, index]: readonly [number, number],
  edge: Edge | null,
  scene: Scene,
): boolean {
  if (!edge) return false;
  const [at, i, j] = edge;
  return layer === at ? index === i : layer === at + 1 && index === endOf(scene, at, j);
}

// Moving among edges and nodes by arrow keys; one of them at a time can be reached by Tab.

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
  #current = "";

  constructor(private readonly items: Items) {}

  /** Makes exactly one item reachable by Tab: the last that had the focus, or the strongest. */
  refresh(): void {
    const at = this.items.list.get(this.#current);
    // One that was removed meanwhile is not what one comes for, unless one is at it.
    const isLeft = at?.edge && at.rank < 0 && !at.element.matches(":focus, [aria-pressed=true]");
    if (!at || isLeft) this.#current = this.#first()?.key ?? "";
    for (const item of this.items.list.values()) {
      item.element.setAttribute("tabindex", item.key === this.#current ? "0" : "-1");
    }
  }

  /** Remembers which item has the focus. */
  visit(item: Item): void {
    this.items.list.get(this.#current)?.element.setAttribute("tabindex", "-1");
    this.#current = item.key;
    item.element.setAttribute("tabindex", "0");
  }

  /** Answers a key; returns the item that has the focus now, or null for a key of no meaning. */
  press(key: string, from: Item): Item | null {
    const all = this.items.list.values();
    const target = key.startsWith("Arrow") ? neighbour(all, from, key) : this.#end(key);
    target?.element.focus();
    return target;
  }

  #end(key: string): Item | null {
    if (key === "Home") return this.#edges()[0] ?? null;
    return key === "End" ? (this.#edges().at(-1) ?? null) : null;
  }

  /** The strongest edge that is there: it is what one comes for. */
  #first(): Item | null {
    const items = [...this.items.list.values()].filter((item) => item.edge);
    return items.length ? items.reduce((best, one) => (one.rank > best.rank ? one : best)) : null;
  }

  /** The edges from the inputs up, left to right. */
  #edges(): Item[] {
    const edges = [...this.items.list.values()].filter((item) => item.edge);
    return edges.sort((a, b) => a.edge![0] - b.edge![0] || b.y - a.y || a.x - b.x);
  }
}
