/** MathML from Python as nodes: only known tags, no attributes that could run or load anything. */
import { h } from "./dom";

const MATHML = "http://www.w3.org/1998/Math/MathML";
const TAGS = new Set(
  ("math mrow mi mn mo ms mtext mspace msup msub msubsup mfrac msqrt mroot mover munder munderover " +
    "mfenced mtable mtr mtd mstyle mpadded mphantom").split(" "),
);
const ATTRIBUTES = new Set(
  "display mathvariant stretchy fence separator form linethickness width lspace rspace".split(" "),
);

/** Copies one node with what is allowed of it; other tags give way to their children. */
function copy(node: Node): Node[] {
  if (node.nodeType === 3) return [document.createTextNode(node.textContent ?? "")];
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
