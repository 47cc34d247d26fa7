/** The first rows of the data, a page at a time; picking one probes it. */
import type { Store } from "../contract";
import { button, h, row, write } from "./dom";
import { short } from "./numbers";
import { Sample } from "./sample";

/** Rows that can be picked. */
const MOST_ROWS = 200;
const PAGE = 8;
/** Columns that are shown. */
const MOST_COLUMNS = 6;

export class ProbeTable {
  readonly element: HTMLElement;
  private readonly head = h("thead");
  private readonly body = h("tbody");
  private readonly where = h("span", { class: "kv-said" });
  private sample: Sample;
  private first = 0;
  private picked = -1;

  constructor(
    private readonly store: Store,
    private readonly pick: (row: number) => void,
  ) {
    this.sample = new Sample(store.scene);
    const names = { class: "kv-table", "aria-label": "Rows of the data" };
    const table = h("table", names, this.head, this.body);
    const previous = button("Previous", () => this.turn(-PAGE));
    const next = button("Next", () => this.turn(PAGE));
    const scroller = h("div", { class: "kv-scroll" }, table);
    this.element = h("div", { class: "kv-stack" }, scroller, row(previous, next, this.where));
    this.rebuild();
  }

  /** Takes over a new scene. */
  rebuild(): void {
    this.sample = new Sample(this.store.scene);
    this.element.hidden = this.sample.rows === 0;
    const names = this.sample.names();
    const shown = this.columns().map((c) => names[c]);
    const cells = ["row", ...shown].map((name) => h("th", { scope: "col" }, name));
    this.head.replaceChildren(h("tr", {}, ...cells));
    this.fill();
  }

  /** Marks the picked row; -1 for none. */
  mark(picked: number): void {
    this.picked = picked;
    for (const made of this.body.rows) {
      const isPicked = made.dataset.row === String(picked);
      made.classList.toggle("kv-picked", isPicked);
      made.querySelector("button")?.setAttribute("aria-pressed", String(isPicked));
    }
  }

  /** The first inputs and, at the end, the targets. */
  private columns(): number[] {
    const all = this.sample.names().map((_, c) => c);
    if (all.length <= MOST_COLUMNS) return all;
    const targets = all.slice(this.sample.inputs).slice(0, 2);
    return [...all.slice(0, MOST_COLUMNS - targets.length), ...targets];
  }

  private get rows(): number {
    return Math.min(MOST_ROWS, this.sample.rows);
  }

  private fill(): void {
    const columns = this.columns();
    const last = Math.min(this.rows, this.first + PAGE);
    const shown = Array.from({ length: last - this.first }, (_, n) => this.first + n);
    this.body.replaceChildren(...shown.map((at) => this.makeRow(at, columns)));
    const left = this.sample.rows - this.rows;
    const more = left > 0 ? ` (${left} more are not listed)` : "";
    write(this.where, `rows ${this.first} to ${last - 1} of ${this.rows}${more}`);
    this.mark(this.picked);
  }

  private makeRow(at: number, columns: number[]): HTMLTableRowElement {
    const choose = button(String(at), () => this.pick(at), `Probe row ${at}`);
    const cells = columns.map((c) =>
      h("td", { class: "kv-number" }, short(this.sample.at(at, c))),
    );
    const made = h("tr", {}, h("th", { scope: "row" }, choose), ...cells);
    made.dataset.row = String(at);
    made.addEventListener("click", (event) => {
      if (!choose.contains(event.target as Node)) this.pick(at);
    });
    return made;
  }

  private turn(by: number): void {
    const last = PAGE * Math.floor(Math.max(0, this.rows - 1) / PAGE);
    this.first = Math.min(last, Math.max(0, this.first + by));
    this.fill();
  }
}
