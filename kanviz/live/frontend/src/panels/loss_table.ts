/** The errors before and after: when the edge was opened, now, and with what is only tried. */
import type { Store } from "../contract";
import { h, write } from "./dom";
import type { Life } from "./life";
import { short } from "./numbers";

export interface Errors {
  train: number | null;
  test: number | null;
}

const NONE: Errors = { train: null, test: null };
const COLUMNS = ["Opened", "Now", "Change"];
/** What is only tried is computed by a kernel. */
const LIVE_COLUMNS = [...COLUMNS, "If taken"];
const ROWS = ["train", "test"] as const;

function growth(before: number | null, now: number | null): string {
  if (before === null || now === null || !(before > 0)) return short(null);
  if (now >= 10 * before) return `\u00d7 ${short(now / before, 2)}`;
  const share = (100 * (now - before)) / before;
  const sign = share > 0 ? "+" : "";
  return `${sign}${short(share, 2)} %`;
}

export class LossTable {
  readonly element: HTMLElement;
  private opened: Store["scene"]["error"];
  private trial: Errors = NONE;
  private readonly name = h("th", { scope: "col" });
  private readonly cells: HTMLElement[][];
  private readonly rows: HTMLElement[];

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    this.opened = store.scene.error;
    const columns = store.local ? COLUMNS : LIVE_COLUMNS;
    const head = columns.map((text) => h("th", { scope: "col" }, text));
    this.cells = ROWS.map(() => columns.map(() => h("td")));
    this.rows = this.cells.map((cells, n) =>
      h("tr", {}, h("th", { scope: "row" }, n === 0 ? "Training" : "Test"), ...cells),
    );
    this.element = h(
      "table",
      { class: "kv-losses" },
      h("thead", {}, h("tr", {}, this.name, ...head)),
      h("tbody", {}, ...this.rows),
    );
    life.on(store, ["scene"], () => this.draw());
    this.draw();
  }

  /** Takes the errors of now as those to compare with. */
  open(): void {
    this.opened = this.store.scene.error;
    this.trial = NONE;
    this.draw();
  }

  /** Shows what the errors would be with a candidate; null for none. */
  show(trial: Errors | null): void {
    this.trial = trial ?? NONE;
    this.draw();
  }

  private draw(): void {
    const now = this.store.scene.error;
    write(this.name, now.name);
    // Errors of another kind, as those that a page measures on its sample, cannot be compared.
    if (now.name !== this.opened.name) this.opened = now;
    ROWS.forEach((part, n) => {
      const [before, present] = [this.opened[part], now[part]];
      this.rows[n].hidden = before === null && present === null;
      const texts = [short(before), short(present), growth(before, present)];
      texts.push(short(this.trial[part]));
      this.cells[n].forEach((cell, c) => write(cell, texts[c]));
    });
  }
}
