/** Words for nodes and edges, and which of them fit. */

import type { EdgeView, NodeView, Scene } from "../contract";
import { nodeName } from "../scene";
import { short } from "../ui/numbers";

export const LETTERS = 13;
export const SMALL = 11;
/** Narrowest room in which a level label is cut rather than turned upright. */
const LEVEL = 64;
const LONGEST = 92;
const ELLIPSIS = "\u2026";

/** A generous guess of the width of a text. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const letter of text) width += letterWidth(letter);
  return size * width;
}

function letterWidth(letter: string): number {
  if (/[mwMW@%\u2026]/.test(letter) || letter.codePointAt(0)! > 0x2e7f) return 1.05;
  return /[a-z0-9 .,;:()_'|-]/.test(letter) ? 0.6 : 0.8;
}

/** Returns the text, cut with an ellipsis where it is wider than `room`. */
export function fit(text: string, room: number, size: number): string {
  const plain = text.replace(/\s+/g, " ").trim();
  if (textWidth(plain, size) <= room) return plain;
  const letters = [...plain];
  while (letters.length && textWidth(letters.join("") + ELLIPSIS, size) > room) letters.pop();
  return letters.length ? letters.join("") + ELLIPSIS : "";
}

export interface RowLabels {
  /** The words by node; a node without one gets no label. */
  words: Map<NodeView, string>;
  upright: boolean;
  /** What the labels take of the height, with the gap to the nodes. */
  height: number;
}

/** The labels of one row of nodes that stand `pitch` pixels apart. */
export function rowLabels(nodes: NodeView[], pitch: number): RowLabels {
  const named = nodes.filter((node) => node.label.trim());
  const widest = Math.max(0, ...named.map((node) => textWidth(node.label, LETTERS)));
  const upright = widest > pitch - 6 && pitch < LEVEL;
  const room = upright ? LONGEST : pitch - 6;
  const size = upright ? SMALL : LETTERS;
  const words = new Map(named.map((node) => [node, fit(node.label, room, size)]));
  const longest = Math.max(0, ...[...words.values()].map((word) => textWidth(word, SMALL)));
  const height = named.length ? (upright ? longest + 14 : LETTERS + 12) : 6;
  return { words, upright, height };
}

/** Whether upright labels must be left out such that the rest stand apart. */
export const tooTight = (pitch: number): boolean => pitch < 1.25 * SMALL;

/** The range of some values: "-1 to 1". */
export function range(values: ArrayLike<number>): string {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < values.length; at++) {
    low = Math.min(low, values[at]);
    high = Math.max(high, values[at]);
  }
  return values.length ? `${short(low)} to ${short(high)}` : "";
}

/** An edge's state in words, such as "symbolic, frozen". */
export function standing(view: EdgeView): string {
  const state = { spline: "spline", symbolic: "formula", pruned: "removed" }[view.state];
  const marks = [view.frozen ? "frozen" : "", view.locked ? "locked" : ""].filter(Boolean);
  return [state, ...marks].join(", ");
}

/** All there is to say of an edge, in one sentence for those who do not see it. */
export function edgeSentence(scene: Scene, view: EdgeView): string {
  const start = nodeName(scene, view.layer, view.i);
  const end = nodeName(scene, view.layer + 1, view.j);
  const parts = [`Edge from ${start} to ${end}`, standing(view), `score ${short(view.score)}`];
  if (view.formula) parts.push(`y = ${view.formula}`);
  if (view.quality !== null) parts.push(`R squared ${view.quality.toFixed(4)}`);
  parts.push(`x from ${range(view.curve_x)}`);
  return `${parts.join(", ")}.`;
}

/** The same for a node. */
export function nodeSentence(scene: Scene, view: NodeView, values: string): string {
  const last = scene.widths.length - 1;
  const kind = view.layer === 0 ? "Input" : view.layer === last ? "Output" : "Hidden";
  const name = nodeName(scene, view.layer, view.index);
  return `${kind} ${name}, score ${short(view.score)}${values ? `, values from ${values}` : ""}.`;
}
