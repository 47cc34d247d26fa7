/** Words for nodes and edges, and which of them fit: by the rules of kanviz/layout/labels.py. */

import type { EdgeView, NodeView, Scene } from "../contract";
import { nameAndUnit } from "../names";
import { endName, nodeName } from "../scene";
import {
  BARE,
  BREAKS,
  BROAD,
  BROAD_SIGNS,
  LAST_NARROW,
  LETTERS,
  LEVEL,
  LONGEST,
  MOST_ACCENTS,
  NAME_ROOM,
  NARROW,
  SECOND,
  SLIM,
  SLIM_LETTERS,
  SMALL,
  WIDE,
  WIDE_LETTERS,
} from "../tokens";
import { short, tidy } from "../ui/numbers";

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
  if (SLIM_LETTERS.includes(letter)) return SLIM;
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

/** Returns the text, its middle cut out where it is too wide: the end may tell it from others. */
export function cutMiddle(text: string, room: number, size: number): string {
  const letters = [...plain(text)];
  if (textWidth(letters.join(""), size) <= room) return letters.join("");
  for (let kept = letters.length - 1; kept > 1; kept--) {
    const front = Math.ceil(kept / 2);
    const cut = [
      ...letters.slice(0, front),
      ELLIPSIS,
      ...letters.slice(letters.length - kept + front),
    ];
    if (textWidth(cut.join(""), size) <= room) return cut.join("");
  }
  return ELLIPSIS;
}

/** A label as two lines: the name, and its unit, or the rest of a long name with the unit. */
export function linesOf(label: string, room: number, size: number): Lines {
  const { name, unit } = nameAndUnit(plain(label));
  const letters = [...name];
  const breaks = letters.slice(0, -1).flatMap((one, n) => (BREAKS.includes(one) ? [n + 1] : []));
  if (breaks.length && textWidth(name, size) > room) {
    const away = (n: number): number => Math.abs(n - letters.length / 2);
    const at = breaks.reduce((best, n) => (away(n) < away(best) ? n : best));
    const rest = letters.slice(at).join("") + (unit && ` [${unit}]`);
    if (!unit || textWidth(rest, size) <= room)
      return [fit(letters.slice(0, at).join(""), room, size), fit(rest, room, size)];
  }
  return [fit(name, room, size), fit(unit, room, size)];
}

export type Lines = readonly [first: string, second: string];

export interface RowLabels {
  /** The words by node; a node without one gets no label. */
  words: Map<NodeView, Lines>;
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
  const linesIn = (label: string): Lines =>
    upright ? [cutMiddle(label, room, size), ""] : linesOf(label, room, size);
  const words = new Map(named.map((node) => [node, linesIn(node.label)]));
  const longest = Math.max(0, ...[...words.values()].map(([word]) => textWidth(word, SMALL)));
  const more = [...words.values()].some(([, second]) => second) ? SECOND : 0;
  const height = named.length ? (upright ? longest + 14 : LETTERS + 12 + more) : BARE;
  return { words, upright, height };
}

/**
 * The words beside the nodes of a hidden layer: their labels; a node without one has its short name.
 */
export function hiddenLabels(nodes: NodeView[], pitch: number): RowLabels {
  const words = new Map<NodeView, Lines>();
  for (const node of nodes) {
    const label = plain(node.label);
    if (label && pitch >= LEVEL) words.set(node, [fit(label, pitch / 2 - 14, SMALL), ""]);
    else if (!label && pitch >= NAME_ROOM) words.set(node, [`h${node.layer}.${node.index}`, ""]);
  }
  return { words, upright: false, height: 0 };
}

/** The range of some values: "-1 to 1". */
export function range(values: ArrayLike<number>): string {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < values.length; at++) {
    low = Math.min(low, values[at]);
    high = Math.max(high, values[at]);
  }
  return values.length ? `${tidy(low, high)} to ${tidy(high, low)}` : "";
}

/** An edge's state in words, such as "symbolic, frozen". */
export function standing(view: EdgeView): string {
  const state = { spline: "spline", symbolic: "formula", pruned: "removed" }[view.state];
  const marks = [view.frozen ? "frozen" : "", view.locked ? "locked" : ""].filter(Boolean);
  return [state, ...view.shapes, ...marks].join(", ");
}

/** All there is to say of an edge, in one sentence for those who do not see it. */
export function edgeSentence(scene: Scene, view: EdgeView): string {
  const start = nodeName(scene, view.layer, view.i);
  const end = endName(scene, view.layer + 1, view.j);
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
  const product = view.factors.length ? `, a product of ${view.factors.length}` : "";
  return `${kind} ${name}${product}, score ${short(view.score)}${values ? `, values from ${values}` : ""}.`;
}
