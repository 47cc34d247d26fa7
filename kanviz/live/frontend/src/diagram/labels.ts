/** Words for nodes and edges, and which of them fit: by the rules of kanviz/layout/labels.py. */

import type { EdgeView, NodeView, Scene } from "../contract";
import { nodeName } from "../scene";
import {
  BARE,
  BROAD,
  BROAD_SIGNS,
  LAST_NARROW,
  LETTERS,
  LEVEL,
  LONGEST,
  MOST_ACCENTS,
  NARROW,
  NUMBER_ROOM,
  SMALL,
  TIGHT,
  WIDE,
  WIDE_LETTERS,
} from "../tokens";
import { short } from "../ui/numbers";

const ELLIPSIS = "\u2026";

/** A text on one line, without what breaks a page or turns its direction. */
export function plain(text: string): string {
  let accents = 0;
  let made = "";
  for (const letter of text.split(/\s+/).filter(Boolean).join(" ")) {
    accents = /[\p{Mn}\p{Me}]/u.test(letter) ? accents + 1 : 0;
    if (accents <= MOST_ACCENTS && !/[\u202a-\u202e\u2066-\u2069]/.test(letter)) {
      made += /[\p{Cc}\p{Cs}]/u.test(letter) ? "\ufffd" : letter;
    }
  }
  return made;
}

/** A generous guess of the width of a text. */
export function textWidth(text: string, size: number): number {
  let width = 0;
  for (const letter of text) width += letterWidth(letter);
  return size * width;
}

function letterWidth(letter: string): number {
  if (/[\p{Mn}\p{Me}\p{Cf}]/u.test(letter)) return 0;
  if (WIDE_LETTERS.includes(letter) || letter > LAST_NARROW) return WIDE;
  const isBroad = letter > "\u007f" || (letter >= "A" && letter <= "Z");
  return isBroad || BROAD_SIGNS.includes(letter) ? BROAD : NARROW;
}

/** Returns the text, cut with an ellipsis where it is wider than `room`. */
export function fit(text: string, room: number, size: number): string {
  const whole = plain(text);
  if (textWidth(whole, size) <= room) return whole;
  const letters = [...whole];
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
  const named = nodes.filter((node) => plain(node.label));
  const widest = Math.max(0, ...named.map((node) => textWidth(plain(node.label), LETTERS)));
  const upright = widest > pitch - 6 && pitch < LEVEL;
  const room = upright ? LONGEST : pitch - 6;
  const size = upright ? SMALL : LETTERS;
  const words = new Map(named.map((node) => [node, fit(node.label, room, size)]));
  const longest = Math.max(0, ...[...words.values()].map((word) => textWidth(word, SMALL)));
  const height = named.length ? (upright ? longest + 14 : LETTERS + 12) : BARE;
  return { words, upright, height };
}

/**
 * The words beside the nodes of a hidden layer: their labels; a node without one has its number,
 * where the nodes do not stand in the order of their numbers.
 */
export function hiddenLabels(nodes: NodeView[], pitch: number, isMixed: boolean): RowLabels {
  const words = new Map<NodeView, string>();
  for (const node of nodes) {
    const label = plain(node.label);
    if (label && pitch >= LEVEL) words.set(node, fit(label, pitch / 2 - 14, SMALL));
    else if (!label && isMixed && pitch >= NUMBER_ROOM) words.set(node, String(node.index));
  }
  return { words, upright: false, height: 0 };
}

/** Whether upright labels must be left out such that the rest stand apart. */
export const tooTight = (pitch: number): boolean => pitch < TIGHT * SMALL;

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
