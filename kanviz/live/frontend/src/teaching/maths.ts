/** Formulas as MathML, which browsers draw without help. */
import { short } from "../panels/numbers";

const MATHML = "http://www.w3.org/1998/Math/MathML";

/** A minus sign as wide as a plus. */
const MINUS = "\u2212";

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
export const inside = (...parts: Part[]): Element => together(sign("("), ...parts, sign(")"));

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
