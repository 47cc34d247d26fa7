/** Inputs with their labels. */

import { assign, h, write } from "./dom";
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

/** A slider with its name, and its value in words beside it. */
export interface SaidSlider {
  readonly element: HTMLElement;
  readonly input: HTMLInputElement;
  value: number;
  /** Sets how far it goes. */
  limit(low: number, high: number): void;
}

/**
 * Makes a slider with its name and its value in words.
 *
 * @param say The value as text.
 * @param changed Called when a hand moves it, not when `value` is set.
 */
export function saidSlider(
  label: string,
  range: Range,
  say: (value: number) => string,
  changed: (value: number) => void,
): SaidSlider {
  const said = h("output", { class: "kv-value" });
  const tell = (): void => {
    write(said, say(Number(input.value)));
    input.setAttribute("aria-valuetext", said.textContent ?? "");
  };
  const input = slider(range, (value) => {
    tell();
    changed(value);
  });
  tell();
  return {
    element: field(label, input, said),
    input,
    get value() {
      return Number(input.value);
    },
    set value(value) {
      if (Number(input.value) !== value) input.value = String(value);
      tell();
    },
    limit(low, high) {
      assign(input, { min: low, max: high });
      tell();
    },
  };
}

const KEY_SIGNS: Record<string, number> = {
  ArrowRight: 1,
  ArrowUp: 1,
  ArrowLeft: -1,
  ArrowDown: -1,
};

/** The same for any number of a range: it keeps exact numbers, and keys go 1/200 of the range. */
export function fineSlider(
  label: string,
  [low, high]: readonly [number, number],
  say: (value: number) => string,
  changed: (value: number) => void,
): SaidSlider {
  const made = saidSlider(label, { low, high, step: "any", value: low }, say, changed);
  made.input.setAttribute("aria-label", label);
  made.input.addEventListener("keydown", (event) => {
    const sign = KEY_SIGNS[event.key];
    if (sign === undefined) return;
    // The browser's own step of an "any" slider is not of use.
    event.preventDefault();
    const by = ((high - low) / 200) * (event.shiftKey ? 10 : 1);
    made.value = Math.min(high, Math.max(low, made.value + sign * by));
    changed(made.value);
  });
  return made;
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
  const range = { low: 0, high: last, step: 1, value: Math.min(last, Math.max(0, start)) };
  return saidSlider(
    label,
    range,
    (n) => short(at(n), 2),
    (n) => set(at(n)),
  ).element;
}
