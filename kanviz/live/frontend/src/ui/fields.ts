/** Inputs with their labels. */
import { h, write } from "./dom";
import { short } from "./numbers";

/** Puts a label around an input and what stands after it. */
export function field(label: string, input: HTMLElement, ...after: HTMLElement[]): HTMLElement {
  const text = h("span", { class: "kv-label" }, label);
  return h("label", { class: "kv-field" }, text, input, ...after);
}

export interface Range {
  low: number;
  high: number;
  step: number | "any";
  value: number;
}

/** Makes a slider. */
export function slider(range: Range, move: (value: number) => void): HTMLInputElement {
  const { low, high, step, value } = range;
  const input = h("input", { type: "range", class: "kv-slider", min: low, max: high, step });
  input.value = String(value);
  input.addEventListener("input", () => move(Number(input.value)));
  return input;
}

/** Makes a box for a number; an empty box is null, a number that cannot be is left out. */
export function numberBox(
  value: number | null,
  limits: { low: number; step: number | "any"; none?: string },
  set: (value: number | null) => void,
): HTMLInputElement {
  const { low, step, none } = limits;
  const hint = none ?? null;
  const input = h("input", { type: "number", class: "kv-box", min: low, step, placeholder: hint });
  input.value = value === null ? "" : String(value);
  input.addEventListener("change", () => {
    const typed = input.value.trim();
    if (typed === "" && none === undefined) return;
    if (input.checkValidity()) set(typed === "" ? null : Number(typed));
  });
  return input;
}

/** Makes a choice between names; `texts` gives each another text to show. */
export function choice(
  names: readonly string[],
  pick: (name: string) => void,
  texts: readonly string[] = names,
): HTMLSelectElement {
  const select = h("select", { class: "kv-box" });
  setChoices(select, names, texts);
  select.addEventListener("change", () => pick(select.value));
  return select;
}

/** Replaces what can be chosen, and keeps what is chosen if it is still there. */
export function setChoices(
  select: HTMLSelectElement,
  names: readonly string[],
  texts: readonly string[] = names,
): void {
  const isSame = (name: string, n: number): boolean =>
    select.options[n].value === name && select.options[n].text === texts[n];
  if (select.options.length === names.length && names.every(isSame)) return;
  const old = select.value;
  select.replaceChildren(...names.map((name, n) => h("option", { value: name }, texts[n])));
  if (names.includes(old)) select.value = old;
}

/** Numbers from `10 ** low` to `10 ** high`, ten to a decade, and 0 at the left end. */
export function logSlider(
  label: string,
  powers: { low: number; high: number },
  value: number,
  set: (value: number) => void,
): HTMLElement {
  const last = 10 * (powers.high - powers.low) + 1;
  const at = (n: number): number =>
    n === 0 ? 0 : Number((10 ** (powers.low + (n - 1) / 10)).toPrecision(2));
  const start = value > 0 ? Math.round(10 * (Math.log10(value) - powers.low)) + 1 : 0;
  const shown = h("output", { class: "kv-value" });
  const show = (n: number): void => {
    write(shown, short(at(n), 2));
    input.setAttribute("aria-valuetext", short(at(n), 2));
  };
  const range = { low: 0, high: last, step: 1, value: Math.min(last, Math.max(0, start)) };
  const input = slider(range, (n) => {
    show(n);
    set(at(n));
  });
  show(range.value);
  return field(label, input, shown);
}
