/** Names as people read them: a name and its unit, apart, and a name as mathematics. */

import { RAISED } from "./tokens";
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

/** Writes the names of a formula without their units. */
export function withoutUnits(formula: Node): Node {
  const words = formula instanceof Element ? formula.querySelectorAll("mi, mtext") : [];
  for (const word of words) word.textContent = nameAndUnit(word.textContent ?? "").name;
  return formula;
}
