/** Mathematics as MathML, which browsers draw without help: read from Python, or built here. */

import { h } from "./dom";
import { short } from "./numbers";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const TAGS = new Set(
  (
    "math mrow mi mn mo ms mtext mspace msup msub msubsup mfrac msqrt mroot mover munder munderover " +
    "mfenced mtable mtr mtd mstyle mpadded mphantom"
  ).split(" "),
);
const ATTRIBUTES = new Set(
  "display mathvariant stretchy fence separator form linethickness width lspace rspace".split(" "),
);

/** A minus sign as wide as a plus. */
const MINUS = "\u2212";

/** Copies one node with what is allowed of it; other tags give way to their children. */
function copy(node: Node): Node[] {
  if (node.nodeType === 3) {
    const isSign = /^m[no]$/.test(node.parentElement?.localName ?? "");
    const text = node.textContent ?? "";
    return [document.createTextNode(isSign ? text.replace("-", MINUS) : text)];
  }
  if (node.nodeType !== 1) return [];
  const from = node as Element;
  const children = [...from.childNodes].flatMap(copy);
  const tag = from.localName.toLowerCase();
  if (!TAGS.has(tag)) return tag === "script" || tag === "style" ? [] : children;
  const made = document.createElementNS(MATHML, tag);
  for (const { name, value } of [...from.attributes]) {
    if (ATTRIBUTES.has(name)) made.setAttribute(name, value);
  }
  made.append(...children);
  // Factors stand apart, as in print: 0.5 sin(x).
  if (made.textContent === "\u2062") made.setAttribute("lspace", "0.17em");
  return [made];
}

/** Returns the formula drawn as mathematics, or `text` as code where that cannot be. */
export function formulaNode(mathml: string | null, text: string): Node {
  if (mathml) {
    // As XML nothing in it is loaded or run while it is read.
    const read = new DOMParser().parseFromString(mathml, "application/xml");
    const made = copy(read.documentElement);
    const root = made[0];
    if (made.length === 1 && root instanceof Element && root.localName === "math") return root;
  }
  return h("code", {}, text);
}

// Formulas as MathML, which browsers draw without help.

type Part = Node | string;

function node(tag: string, parts: readonly Part[]): Element {
  const made = document.createElementNS(MATHML, tag);
  made.append(...parts);
  return made;
}

export const name = (text: string): Element => node("mi", [text]);
export const number = (value: number, digits = 3): Element => node("mn", [short(value, digits)]);
/** A number with so many digits after the point, zeros too. */
export const fixed = (value: number, digits: number): Element =>
  node("mn", [value.toFixed(digits).replace("-", MINUS)]);
export const sign = (text: string): Element => node("mo", [text]);
export const together = (...parts: Part[]): Element => node("mrow", parts);
export const below = (base: Part, index: Part): Element => node("msub", [base, index]);
export const above = (base: Part, power: Part): Element => node("msup", [base, power]);

/** A sum from `from` to `to`. */
export const sum = (from: Part, to: Part): Element =>
  node("munderover", [sign("\u2211"), from, to]);

/** Something in parentheses. */
export const inside = (...parts: Part[]): Element => {
  const marks = ["(", ")"].map(sign);
  for (const mark of marks) mark.setAttribute("stretchy", "false");
  return together(marks[0], ...parts, marks[1]);
};

/** A name with a number below: c_3. */
export const indexed = (letter: string, ...index: (number | string)[]): Element => {
  const parts = index.map((one) => (typeof one === "number" ? number(one, 9) : name(one)));
  const listed = parts.flatMap((part, n) => (n ? [sign(","), part] : [part]));
  return below(name(letter), together(...listed));
};

/** A plus that begins a part of a sum. */
export function plus(): Element {
  const made = sign("+");
  made.setAttribute("form", "infix");
  return made;
}

/** A whole formula. */
export function formula(...parts: Part[]): Element {
  const made = node("math", parts);
  made.setAttribute("displaystyle", "true");
  return made;
}
