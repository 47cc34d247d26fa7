/** Which known functions fit the open edge: each can be tried over the curve, then taken. */
import type { Edge, Store, Suggestion } from "../contract";
import { notice, say, tell } from "./asking";
import { button, h, hasFocus } from "./dom";
import { edgeKey } from "./edges";
import { formulaNode } from "./mathml";
import { short } from "./numbers";
import type { Trial } from "./trial";

const HEAD = ["Function", "R\u00b2", "Complexity", "Formula"];

export class Suggestions {
  readonly element: HTMLElement;
  private readonly line = notice();
  private readonly body = h("tbody");
  private readonly table: HTMLTableElement;
  private readonly button = button(
    "Suggest functions",
    () => void this.find(),
    "Fit each known function",
  );
  private asked = "";

  constructor(
    private readonly store: Store,
    private readonly trial: Trial,
  ) {
    const head = HEAD.map((text) => h("th", { scope: "col" }, text));
    this.table = h(
      "table",
      { class: "kv-table kv-suggestions", hidden: true },
      h("caption", {}, "\u2605 nothing simpler fits as well"),
      h("thead", {}, h("tr", {}, ...head)),
      this.body,
    );
    this.table.addEventListener("pointerleave", () => this.trial.clear());
    const scroller = h("div", { class: "kv-scroll" }, this.table);
    this.element = h("div", { class: "kv-stack" }, this.button, this.line, scroller);
  }

  /** Forgets the list, as it belongs to another edge or curve. */
  clear(): void {
    this.asked = "";
    if (hasFocus(this.table)) this.button.focus();
    this.table.hidden = true;
    this.body.replaceChildren();
    say(this.line, "");
  }

  private async find(): Promise<void> {
    const edge = this.store.selected;
    if (edge === null) return;
    const key = edgeKey(edge);
    this.asked = key;
    say(this.line, "Fitting\u2026");
    const found = await tell<Suggestion[]>(this.store, this.line, { type: "suggest", edge });
    if (found === undefined || this.asked !== key) return;
    say(this.line, found.length ? "" : "No known function fits.");
    this.table.hidden = found.length === 0;
    this.body.replaceChildren(...found.map((one) => this.makeRow(edge, one)));
  }

  private makeRow(edge: Edge, one: Suggestion): HTMLTableRowElement {
    const pick = button(one.name, () => void this.take(edge, one), `Fix the edge to ${one.name}`);
    const best = one.on_front
      ? h("span", { class: "kv-star", role: "img", "aria-label": "on the front" }, "\u2605")
      : null;
    const made = h(
      "tr",
      { class: one.on_front ? "kv-front" : null },
      h("th", { scope: "row" }, pick, best),
      h("td", { class: "kv-number" }, fit(one.r2)),
      h("td", { class: "kv-number" }, short(one.complexity)),
      h("td", { class: "kv-formula" }, formulaNode(one.mathml, one.formula)),
    );
    const show = (): void => this.trial.show(edge, one.name, one.numbers, one.curve_y);
    made.addEventListener("pointerenter", show);
    pick.addEventListener("focus", show);
    pick.addEventListener("blur", () => this.trial.clear());
    made.addEventListener("click", (event) => {
      if (!pick.contains(event.target as Node)) pick.click();
    });
    return made;
  }

  private async take(edge: Edge, one: Suggestion): Promise<void> {
    this.trial.clear();
    const { name: formula, numbers } = one;
    await tell(this.store, this.line, { type: "fix", edge, formula, numbers });
  }
}

/** R^2 with as many digits as it needs to tell good from perfect. */
function fit(r2: number): string {
  if (!(r2 > 0.99)) return short(r2);
  return r2 >= 1 - 5e-7 ? "1.000000" : r2.toFixed(6);
}
