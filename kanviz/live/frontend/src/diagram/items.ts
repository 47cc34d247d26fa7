/** The nodes, and what can be pointed at and focused: one element for each edge and node. */

import type { Edge, Store } from "../contract";
import { assign, focusable, s } from "../panels/dom";
import { circle } from "./paths";
import { edgeSentence, nodeSentence } from "./labels";
import { shrunk, type EdgeShape, type Layout, type NodeShape } from "./layout";

/** One thing that takes the focus. */
export interface Item {
  key: string;
  element: SVGGElement;
  x: number;
  y: number;
  /** Half its height. */
  reach: number;
  edge: Edge | null;
  node: readonly [layer: number, index: number] | null;
}

/** More edges than this have no line to point at, only their box: lines would lie too close. */
const MOST_LINES = 120;

export class Items {
  readonly group = s("g", { class: "kd-items" });
  readonly list = new Map<string, Item>();
  private scale = 1;
  private readonly idle = s("path", { class: "kd-idle", "aria-hidden": "true" });

  constructor(private readonly store: Store) {
    this.group.append(this.idle);
  }

  /** Takes over a layout; elements of edges and nodes that stay keep their focus. */
  arrange(layout: Layout): void {
    const unused = new Set(this.list.keys());
    const hasLines = layout.edges.length <= MOST_LINES;
    for (const shape of layout.edges) {
      unused.delete(shape.key);
      this.placeEdge(this.edgeItem(shape), shape, hasLines);
    }
    const crowded = layout.nodes.length > 200;
    const drawn = layout.nodes.filter((shape) => shape.live || !crowded);
    for (const shape of drawn) {
      const item = this.nodeItem(shape);
      unused.delete(item.key);
      this.placeNode(item, shape);
    }
    this.placeIdle(layout.nodes.filter((shape) => !drawn.includes(shape)));
    for (const key of unused) {
      this.list.get(key)?.element.remove();
      this.list.delete(key);
    }
  }

  /** Keeps the nodes from growing too large. */
  zoom(layout: Layout, scale: number): void {
    if (this.scale === scale) return;
    this.scale = scale;
    for (const shape of layout.nodes) {
      const item = this.list.get(nodeKey(shape.view));
      if (item) this.placeNode(item, shape);
    }
  }

  /** Writes anew what screen readers say. */
  describe(layout: Layout, valuesAt: (layer: number, index: number) => string): void {
    const { scene } = this.store;
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
    const { selected, hovered, hoveredNode } = this.store;
    for (const item of this.list.values()) {
      if (item.edge)
        item.element.setAttribute("aria-pressed", String(selected?.join() === item.key));
      const isEnd = item.node && isEndOf(item.node, hovered ?? selected);
      item.element.classList.toggle(
        "kd-lit",
        Boolean(isEnd) || item.node?.join() === hoveredNode?.join(),
      );
    }
  }

  private edgeItem({ key, view }: EdgeShape): Item {
    const edge: Edge = [view.layer, view.i, view.j];
    return this.item(key, edge, null, () => [s("path", { class: "kd-reach" }), s("rect", {})]);
  }

  private nodeItem({ view }: NodeShape): Item {
    const node = [view.layer, view.index] as const;
    const parts = (): SVGElement[] => [
      s("circle", { class: "kd-around" }),
      s("circle", { class: "kd-dot" }),
    ];
    return this.item(nodeKey(view), null, node, parts);
  }

  private item(
    key: string,
    edge: Item["edge"],
    node: Item["node"],
    parts: () => SVGElement[],
  ): Item {
    let item = this.list.get(key);
    if (!item) {
      const attributes = { class: edge ? "kd-edge" : "kd-node", role: "button", tabindex: -1 };
      const element = focusable(s("g", { ...attributes, "data-key": key }, ...parts()));
      item = { key, element, edge, node, x: 0, y: 0, reach: 0 };
      this.list.set(key, item);
      this.group.append(element);
    }
    return item;
  }

  private placeEdge(item: Item, shape: EdgeShape, hasLines: boolean): void {
    const { left, top, width, height } = shape.slot.box;
    const [reach, rect] = item.element.children;
    assign(reach, { d: hasLines ? shape.into + shape.out : "" });
    assign(rect, { x: left, y: top, width, height, rx: Math.min(5, 0.12 * width) });
    Object.assign(item, { x: left + width / 2, y: top + height / 2, reach: height / 2 });
  }

  private placeNode(item: Item, { x, y, radius, live }: NodeShape): void {
    const [around, dot] = item.element.children;
    const smaller = shrunk(this.scale);
    assign(around, { cx: x, cy: y, r: Math.max(radius + 3.5, 7) / smaller });
    assign(dot, { cx: x, cy: y, r: radius / smaller });
    item.element.classList.toggle("kd-bare", !live);
    Object.assign(item, { x, y, reach: Math.max(radius, 6) });
  }

  /** Nodes without a drawn edge, where there are very many: dots that are only seen. */
  private placeIdle(shapes: NodeShape[]): void {
    const parts = shapes.map(({ x, y, radius }) => circle(x, y, Math.max(radius, 0.8)));
    this.idle.setAttribute("d", parts.join(""));
  }
}

const nodeKey = (view: { layer: number; index: number }): string => `${view.layer},${view.index}`;

function isEndOf([layer, index]: readonly [number, number], edge: Edge | null): boolean {
  if (!edge) return false;
  return layer === edge[0] ? index === edge[1] : layer === edge[0] + 1 && index === edge[2];
}
