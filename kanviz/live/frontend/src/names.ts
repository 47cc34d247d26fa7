/** Names as people read them: a name and its unit, apart, and a name as mathematics. */

import { RAISED } from "./tokens";
import { h } from "./ui/dom";
import { below, name, number } from "./ui/mathml";

/** "heat flux [W/m^2]" and "Druck (Pa)" are a name and a unit; "" for none. */
export function nameAndUnit(label: string): { name: string; unit: string } {
  const found = /^(.*\S)\s*[[(]([^[\]()]*)[\])]$/.exec(label.trim());
  return found ? { name: found[1], unit: written(found[2].trim()) } : { name: label, unit: "" };
}

/** Digits as they stand above the line. */
const raised = (text: string): string =>
  text.replace(/[-0-9]/g, (one) => RAISED["-0123456789".indexOf(one)]);

/** Powers of a unit above the line: "W/m^2" with a raised 2. */
const written = (unit: string): string =>
  unit.replace(/(?:\^|\*\*)(-?\d+)/g, (_, power: string) => raised(power));

/** A number with three digits and, where it is far from 1, its power of ten above the line. */
export function scientific(value: number | null): string {
  if (value === null || !Number.isFinite(value)) return "\u2013";
  const size = Math.abs(value);
  if (size === 0) return "0";
  if (size < 1e5 && size >= 1e-3)
    return String(Number(value.toPrecision(3))).replace("-", "\u2212");
  const [front, power] = value.toExponential(2).split("e");
  const digits = String(Number(front)).replace("-", "\u2212");
  return `${digits} \u00d7 10${raised(String(Number(power)))}`;
}

/** A name in a formula: upright where it is a word, its number below where it ends in one. */
export function symbol(label: string): Element {
  const { name: whole } = nameAndUnit(label);
  const [, front, index] = /^(.*?[^_\d])_?(\d*)$/.exec(whole) ?? [null, whole, ""];
  const made = name(front);
  if (front.length > 1) made.setAttribute("mathvariant", "normal");
  return index ? below(made, number(Number(index), 9)) : made;
}

/** Digits of the numbers of a formula that is read at a glance. */
const DIGITS = 4;

/** Writes the names of a formula without their units, and its numbers with few digits. */
export function atAGlance(formula: Node): Node {
  if (!(formula instanceof Element)) return formula;
  for (const word of formula.querySelectorAll("mi, mtext"))
    word.textContent = nameAndUnit(word.textContent ?? "").name;
  for (const number of formula.querySelectorAll("mn")) {
    const value = Number(number.textContent!.replace("\u2212", "-"));
    const few = String(Number(value.toPrecision(DIGITS)));
    if (!Number.isInteger(value)) number.textContent = few.replace("-", "\u2212");
  }
  return formula;
}

/**
 * Cuts a formula where a line may end, for browsers do not: before the terms of its sum and after a
 * comma of its lists; a part wider than the line also within parentheses. A table stays whole.
 */
export function inPieces(formula: Element): HTMLElement[] {
  return cut([...formula.children], false).map((piece) => {
    const fine = cut(piece, true).map((parts) => {
      const made = formula.cloneNode(false) as Element;
      made.append(...parts);
      return made;
    });
    return h("span", { class: "kv-piece" }, ...fine);
  });
}

/** Cuts a row, and the rows in it: sums and lists, or with `deep` all that have no tall part. */
function cut(parts: Element[], deep: boolean): Element[][] {
  const pieces: Element[][] = [[]];
  for (const part of parts.flatMap((one) => unfolded(one, deep))) {
    const sign = part.localName === "mo" ? part.textContent!.trim() : "";
    if (/^[-+\u2212]$/.test(sign) && pieces.at(-1)!.length) {
      part.setAttribute("form", "infix");
      pieces.push([]);
    }
    pieces.at(-1)!.push(part);
    if (sign === "," || (deep && sign === "\u00b7")) pieces.push([]);
  }
  return pieces.filter((piece) => piece.length);
}

function unfolded(part: Element, deep: boolean): Element[] {
  if (part.localName !== "mrow") return [part];
  const children = [...part.children];
  const signs = children.map((one) => (one.localName === "mo" ? one.textContent! : ""));
  const isFlat = deep && !part.querySelector("mfrac, msqrt, mroot, mtable");
  const isSum = !signs.includes("(") && signs.some((one, n) => n && /^[-+\u2212]$/.test(one));
  if (!isFlat && !isSum && !signs.includes(",")) return [part];
  // A parenthesis apart from its other half would stretch to another height.
  for (const one of children) if (one.localName === "mo") one.setAttribute("stretchy", "false");
  return children.flatMap((one) => unfolded(one, deep));
}
