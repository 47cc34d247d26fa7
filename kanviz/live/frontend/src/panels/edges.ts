/** Finding and naming edges and nodes. */
import type { Edge, EdgeView, Scene, Store } from "../contract";

export const edgeKey = (edge: Edge): string => edge.join(",");

export const edgeOf = (view: EdgeView): Edge => [view.layer, view.i, view.j];

export function sameEdge(a: Edge | null, b: Edge | null): boolean {
  return a === b || (a !== null && b !== null && a.every((part, n) => part === b[n]));
}

export function findEdge(scene: Scene, edge: Edge | null): EdgeView | null {
  if (edge === null) return null;
  const [layer, i, j] = edge;
  return scene.edges.find((v) => v.layer === layer && v.i === i && v.j === j) ?? null;
}

/** The edge that is open, as it is drawn; null if none is, or if it is not among those drawn. */
export const openEdge = (store: Store): EdgeView | null => findEdge(store.scene, store.selected);

/** A node's own name, or its place: "node 2 of layer 1", counted from 0 as in Python. */
export function nodeName(scene: Scene, layer: number, index: number): string {
  const node = scene.nodes.find((n) => n.layer === layer && n.index === index);
  return node?.label || `node ${index} of layer ${layer}`;
}

export function edgeName(scene: Scene, [layer, i, j]: Edge): string {
  return `${nodeName(scene, layer, i)} \u2192 ${nodeName(scene, layer + 1, j)}`;
}

/** A number that joins the requests of one gesture into one step of the history. */
export const newDrag = (): number => Math.floor(Math.random() * 2 ** 31);
