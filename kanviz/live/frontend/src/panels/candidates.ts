/**
 * Formulas for the open edge, typed or suggested: tried over its curve with their errors, then
 * taken.
 */

import type { Ask, Edge, Preview, Scene, Suggestion } from "../contract";
import { nameAndUnit } from "../names";
import { keyOf, nodeName, sameEdge } from "../scene";
import type { Store } from "../store";
import { button, h, hasFocus, row, write } from "../ui/dom";
import { field } from "../ui/fields";
import type { Life } from "../ui/life";
import { formulaNode } from "../ui/mathml";
import { short } from "../ui/numbers";
import { notice, reason, say, tell } from "./panel";

type Question = Extract<Ask, { type: "preview" }>;

export class Trial {
  #wanted: Question | null = null;
  readonly #askSoon: () => void;

  constructor(
    private readonly store: Store,
    private readonly losses: LossTable,
    life: Life,
  ) {
    this.#askSoon = life.later(() => void this.#askNow(), 200);
    life.add(() => this.clear());
  }

  /** Shows a curve that is known already, and asks for the errors that it would give. */
  show(edge: Edge, formula: string, numbers: number[], curve_y: ArrayLike<number>): void {
    this.store.preview.value = { edge, curve_y };
    this.losses.show(null);
    this.#wanted = { type: "preview", edge, formula, numbers };
    this.#askSoon();
  }

  /** Asks for the curve of a typed formula; rejects with what is wrong with it. */
  async ask(edge: Edge, formula: string): Promise<Preview | null> {
    this.#wanted = { type: "preview", edge, formula, numbers: null };
    return this.#askNow();
  }

  clear(): void {
    this.#wanted = null;
    if (this.store.preview.value !== null) this.store.preview.value = null;
    this.losses.show(null);
  }

  async #askNow(): Promise<Preview | null> {
    const question = this.#wanted;
    if (question === null) return null;
    const answer = (await this.store.ask(question)) as Preview | undefined;
    const late = question !== this.#wanted || !sameEdge(question.edge, this.store.selected.value);
    if (late || !answer) return null;
    this.store.preview.value = { edge: question.edge, curve_y: answer.curve_y };
    this.losses.show(answer);
    return answer;
  }
}

// The errors before and after: when the edge was opened, now, and with what is only tried.

export interface Errors {
  train: number | null;
  test: number | null;
}

const NONE: Errors = { train: null, test: null };
const COLUMNS = ["Opened", "Now", "Change"];
/** What is only tried is computed by a kernel. */
const LIVE_COLUMNS = [...COLUMNS, "On trial"];
const ROWS = ["train", "test"] as const;

function growth(before: number | null, now: number | null): string {
  if (before === null || now === null) return short(null);
  if (!(before > 0)) return now > 0 ? `+${short(now)}` : "0 %";
  if (now >= 10 * before) return `\u00d7 ${short(now / before, 2)}`;
  const share = (100 * (now - before)) / before;
  const sign = share > 0 ? "+" : "";
  return `${sign}${short(share, 2)} %`;
}

export class LossTable {
  readonly element: HTMLElement;
  #opened: Scene["error"];
  #trial: Errors = NONE;
  readonly #name = h("th", { scope: "col" });
  readonly #cells: HTMLElement[][];
  readonly #rows: HTMLElement[];

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    this.#opened = store.measured();
    const columns = store.local ? COLUMNS : LIVE_COLUMNS;
    const head = columns.map((text) => h("th", { scope: "col" }, text));
    this.#cells = ROWS.map(() => columns.map(() => h("td")));
    this.#rows = this.#cells.map((cells, n) =>
      h("tr", {}, h("th", { scope: "row" }, n === 0 ? "Training" : "Test"), ...cells),
    );
    this.element = h(
      "table",
      { class: "kv-losses" },
      h("thead", {}, h("tr", {}, this.#name, ...head)),
      h("tbody", {}, ...this.#rows),
    );
    life.effect(() => this.#draw());
  }

  /** Takes the errors of now as those to compare with. */
  open(): void {
    this.#opened = this.store.measured();
    this.#trial = NONE;
    this.#draw();
  }

  /** Shows what the errors would be with a candidate; null for none. */
  show(trial: Errors | null): void {
    this.#trial = trial ?? NONE;
    this.#draw();
  }

  #draw(): void {
    const told = this.store.scene.value.error;
    // Errors of two kinds cannot be compared: before its first edit a page tells those of the data.
    const now = told.name === this.#opened.name ? told : this.store.measured();
    write(this.#name, now.name);
    if (now.name !== this.#opened.name) this.#opened = now;
    ROWS.forEach((part, n) => {
      const [before, present] = [this.#opened[part], now[part]];
      this.#rows[n].hidden = before === null && present === null;
      const texts = [short(before), short(present), growth(before, present)];
      texts.push(short(this.#trial[part]));
      this.#cells[n].forEach((cell, c) => write(cell, texts[c]));
    });
  }
}

// A formula typed for the open edge: a preview once typing stops, Enter takes it.

const POWERS: Record<string, string> = { "\u00b2": "^2", "\u00b3": "^3" };

/**
 * A formula as Python reads it, from what people type: raised digits, a factor right before a name or
 * a bracket ("2x", "3(x+1)"), a true minus, and the input's own name for x.
 */
export function plainFormula(typed: string, name: string): string {
  let text = typed.replace(/[\u00b2\u00b3]/g, (sign) => POWERS[sign]);
  text = text.replace(/\u2212/g, "-").replace(/[\u00b7\u00d7]/g, "*");
  const own = name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  // A single letter may be a free constant: then it is that.
  if (name.length > 1) text = text.replace(new RegExp(`(?<![\\w])${own}(?![\\w(])`, "g"), "x");
  // 1e5 is a number, and J0(x) a function.
  return text.replace(/(?<![\w.])(\d+\.?\d*|\.\d+)(?=[A-Za-z(])(?!e[+-]?\d)/g, "$1*");
}

/** Where along a curve a formula has no value, in words; "" if nowhere. */
export function undefinedWhere(x: ArrayLike<number>, y: readonly (number | null)[]): string {
  const bad = y.flatMap((value, n) => (value === null || !Number.isFinite(value) ? [x[n]] : []));
  if (!bad.length || y.length !== x.length) return "";
  const share = Math.round((100 * bad.length) / y.length);
  const where = `x from ${short(bad[0])} to ${short(bad[bad.length - 1])}`;
  return `It has no value on ${Math.max(share, 1)} % of the curve (${where}).`;
}

const PAUSE_MS = 350;

export class FormulaBox {
  readonly element: HTMLElement;
  readonly #line = notice();
  readonly #names = h("p", { class: "kv-hint" });
  readonly #input = h("input", {
    type: "text",
    class: "kv-box kv-wide",
    placeholder: "a*exp(-b*x)+c",
    spellcheck: "false",
    autocomplete: "off",
  });

  constructor(
    private readonly store: Store,
    private readonly trial: Trial,
    life: Life,
  ) {
    const later = life.later(() => void this.#preview(), PAUSE_MS);
    this.#input.addEventListener("input", later);
    this.#input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") void this.#take();
      else if (event.key === "Escape") this.clear();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    const take = button("Fix", () => void this.#take(), "Make the edge this formula");
    this.#names.append(`Known: ${store.scene.value.functions.join(", ")}.`);
    const known = h("details", {}, h("summary", {}, "Functions"), this.#names);
    this.element = h(
      "div",
      { class: "kv-stack" },
      row(field("Formula", this.#input), take),
      this.#line,
      known,
    );
  }

  /** Empties the box. */
  clear(): void {
    this.#input.value = "";
    this.#mark("");
    this.trial.clear();
  }

  #mark(wrong: string): void {
    this.#input.setAttribute("aria-invalid", String(wrong !== ""));
    say(this.#line, wrong, wrong !== "");
    if (wrong !== "") this.#line.scrollIntoView?.({ block: "nearest" });
  }

  /** What was typed, as Python reads it. */
  private get formula(): string {
    const { open, scene } = this.store;
    const view = open.peek();
    const name = view ? nameAndUnit(nodeName(scene.peek(), view.layer, view.i)).name : "";
    return plainFormula(this.#input.value.trim(), name);
  }

  async #preview(): Promise<void> {
    const { formula } = this;
    const edge = this.store.selected.value;
    if (edge === null || formula === "") {
      this.#mark("");
      this.trial.clear();
      return;
    }
    try {
      const answer = await this.trial.ask(edge, formula);
      const view = this.store.open.peek();
      this.#mark(answer && view ? undefinedWhere(view.curve_x, answer.curve_y) : "");
    } catch (error) {
      if (this.formula !== formula) return;
      this.trial.clear();
      this.#mark(reason(error));
    }
  }

  async #take(): Promise<void> {
    const { formula } = this;
    const edge = this.store.selected.value;
    if (edge === null || formula === "") return;
    this.#mark("");
    await tell(this.store, this.#line, { type: "fix", edge, formula, numbers: null });
    const wrong = this.#line.classList.contains("kv-wrong");
    this.#input.setAttribute("aria-invalid", String(wrong));
    if (!wrong) this.clear();
  }
}

// Which known functions fit the open edge: each can be tried over the curve, then taken.

const HEAD = ["Function", "R\u00b2", "Complexity"];

export class Suggestions {
  readonly element: HTMLElement;
  readonly #line = notice();
  readonly #body = h("tbody");
  readonly #table: HTMLTableElement;
  readonly #button = button(
    "Suggest functions",
    () => void this.#find(),
    "Fit each known function",
  );
  #asked = "";

  constructor(
    private readonly store: Store,
    private readonly trial: Trial,
  ) {
    const head = HEAD.map((text) => h("th", { scope: "col" }, text));
    this.#table = h(
      "table",
      { class: "kv-table kv-suggestions", hidden: true },
      h("caption", {}, "\u2605 nothing simpler fits as well"),
      h("thead", {}, h("tr", {}, ...head)),
      this.#body,
    );
    this.#table.addEventListener("pointerleave", () => this.trial.clear());
    const scroller = h("div", { class: "kv-scroll" }, this.#table);
    this.element = h("div", { class: "kv-stack" }, this.#button, this.#line, scroller);
  }

  /** Forgets the list, as it belongs to another edge or curve. */
  clear(): void {
    this.#asked = "";
    if (hasFocus(this.#table)) this.#button.focus();
    this.#table.hidden = true;
    this.#body.replaceChildren();
    say(this.#line, "");
  }

  async #find(): Promise<void> {
    const edge = this.store.selected.value;
    if (edge === null) return;
    const key = keyOf(edge);
    this.#asked = key;
    say(this.#line, "Fitting\u2026");
    const found = await tell<Suggestion[]>(this.store, this.#line, { type: "suggest", edge });
    if (found === undefined || this.#asked !== key) return;
    say(this.#line, found.length ? "" : "No known function fits.");
    this.#table.hidden = found.length === 0;
    this.#body.replaceChildren(...found.flatMap((one) => this.#makeRows(edge, one)));
    // Most panels end above it: the best three are to be seen.
    [...this.#body.children].slice(0, 6).at(-1)?.scrollIntoView?.({ block: "nearest" });
  }

  /** A row of numbers, and the formula below it, which has the whole width. */
  #makeRows(edge: Edge, one: Suggestion): HTMLTableRowElement[] {
    const pick = button(one.name, () => void this.#take(edge, one), `Fix the edge to ${one.name}`);
    const best = one.on_front
      ? h("span", { class: "kv-star", role: "img", "aria-label": "on the front" }, "\u2605")
      : null;
    const names = { class: one.on_front ? "kv-front" : null };
    const numbers = h(
      "tr",
      names,
      h("th", { scope: "row" }, pick, best),
      h("td", { class: "kv-number" }, fit(one.r2)),
      h("td", { class: "kv-number" }, short(one.complexity)),
    );
    const formula = h("td", { class: "kv-formula", colspan: HEAD.length });
    formula.append(formulaNode(one.mathml, one.formula));
    const rows = [numbers, h("tr", { ...names, "data-below": true }, formula)];
    const show = (): void => this.trial.show(edge, one.name, one.numbers, one.curve_y);
    pick.addEventListener("focus", show);
    pick.addEventListener("blur", () => this.trial.clear());
    for (const made of rows) {
      made.addEventListener("pointerenter", show);
      made.addEventListener("click", (event) => {
        if (!pick.contains(event.target as Node)) pick.click();
      });
    }
    return rows;
  }

  async #take(edge: Edge, one: Suggestion): Promise<void> {
    this.trial.clear();
    const { name: formula, numbers } = one;
    await tell(this.store, this.#line, { type: "fix", edge, formula, numbers });
  }
}

/** R^2 with as many digits as it needs to tell good from perfect. */
function fit(r2: number): string {
  if (!(r2 > 0.99)) return short(r2);
  return r2 >= 1 - 5e-7 ? "1.000000" : r2.toFixed(6);
}
