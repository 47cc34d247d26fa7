/** One row of inputs followed through the network, and slices of the data. */

import type { Probe } from "../contract";
import type { Store } from "../store";
import { button, h, isShown, row, section, write } from "../ui/dom";
import { choice, field, fineSlider, type SaidSlider } from "../ui/fields";
import { Life } from "../ui/life";
import { short } from "../ui/numbers";
import { notice, type Panel, tell } from "./panel";
import { ProbeScatter, ProbeTerms, SliceBox } from "./probe_plots";
import { Sample } from "./sample";

class Prober {
  readonly element: HTMLElement;
  readonly #line = notice();
  readonly #toggle = button("Start", () => this.#turn());
  readonly #inputs: ProbeInputs;
  readonly #terms: ProbeTerms;
  readonly #sum: HTMLElement;
  readonly #table: ProbeTable;
  readonly #scatter: ProbeScatter;
  readonly #slice: SliceBox;
  /** The row of the sample that is probed, or -1 once an input was moved by hand. */
  #picked = -1;
  /** That of the scene that is shown. */
  #version: number;

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    this.#version = store.scene.value.version;
    const pick = (at: number): void => this.#pick(at);
    this.#inputs = new ProbeInputs(store, () => (this.#picked = -1));
    this.#terms = new ProbeTerms(store);
    this.#table = new ProbeTable(store, pick);
    this.#scatter = new ProbeScatter(store, pick);
    this.#slice = new SliceBox(store);
    this.#sum = section("What adds up", this.#terms.element);
    this.#toggle.classList.add("kv-main");
    this.element = h(
      "div",
      { class: "kv-panel" },
      row(this.#toggle),
      this.#line,
      section("Inputs", this.#inputs.element),
      this.#sum,
      this.#folded("Pick a row of the data", this.#table.element, this.#scatter.element),
      this.#folded("Light a slice of the data", this.#slice.element),
    );
    life.effect(() => this.#draw());
    life.drawn(() => void this.#compute());
    life.follow(store.version, () => this.#rebuild());
    life.resized(this.element, () => this.#rebuild());
    life.follow(store.slice, () => {
      this.#slice.follow();
      this.#scatter.draw();
    });
  }

  #folded(title: string, ...parts: HTMLElement[]): HTMLElement {
    const element = h("details", { class: "kv-section" }, h("summary", {}, title), ...parts);
    element.hidden = new Sample(this.store.scene.value).rows === 0;
    return element;
  }

  #turn(): void {
    if (this.store.probe.value !== null) {
      this.#picked = -1;
      this.store.probe.value = null;
      return;
    }
    this.#picked = new Sample(this.store.scene.value).rows > 0 ? 0 : -1;
    this.store.probe.value = this.#inputs.start();
  }

  #pick(at: number): void {
    this.#picked = at;
    this.store.probe.value = new Sample(this.store.scene.value).input(at);
  }

  #rebuild(): void {
    const scene = this.store.scene.value;
    if (scene.version === this.#version || !isShown(this.element)) return;
    this.#version = scene.version;
    this.#inputs.rebuild();
    this.#terms.rebuild();
    this.#table.rebuild();
    this.#scatter.rebuild();
    this.#slice.rebuild();
  }

  #draw(): void {
    const on = this.store.probe.value !== null;
    this.#toggle.textContent = on ? "Close the probe" : "Start the probe";
    this.#toggle.setAttribute("aria-pressed", String(on));
    this.#sum.hidden = !on;
    this.#inputs.draw();
    this.#table.mark(on ? this.#picked : -1);
    this.#scatter.drawHere();
  }

  async #compute(): Promise<void> {
    const probe = this.store.probe.value;
    if (probe === null) {
      this.#terms.draw(null, null);
      return;
    }
    const x = Array.from(probe);
    const values = await tell<Probe>(this.store, this.#line, { type: "probe", x });
    if (values !== undefined && this.store.probe.value === probe)
      this.#terms.draw(values, this.#targets());
  }

  #targets(): Float64Array | null {
    const sample = new Sample(this.store.scene.value);
    const last = this.store.scene.value.widths.at(-1);
    if (this.#picked < 0 || sample.outputs !== last) return null;
    return Float64Array.from({ length: sample.outputs }, (_, j) =>
      sample.at(this.#picked, sample.inputs + j),
    );
  }
}

/** Makes the probe panel. */
export function probePanel(store: Store): Panel {
  const life = new Life();
  const { element } = new Prober(store, life);
  return { title: "Probe", element, destroy: () => life.end(), opensOn: "probe" };
}

// A slider for each input of the probe; of many inputs, a page at a time.

const PAGE = 8;

/** A choice between categories. */
interface Choice {
  element: HTMLElement;
  draw(values: Float64Array): void;
}

class ProbeInputs {
  readonly element: HTMLElement;
  readonly #list = h("div", { class: "kv-stack" });
  readonly #pages: HTMLElement;
  readonly #where = h("span", { class: "kv-said" });
  #knobs = new Map<number, SaidSlider>();
  #choices: Choice[] = [];
  #first = 0;
  #sample: Sample;
  #shape = "";

  constructor(
    private readonly store: Store,
    private readonly touched: () => void,
  ) {
    this.#sample = new Sample(store.scene.value);
    const previous = button("Previous", () => this.#turn(-PAGE));
    const next = button("Next", () => this.#turn(PAGE));
    this.#pages = row(previous, next, this.#where);
    this.element = h("div", { class: "kv-stack" }, this.#pages, this.#list);
    this.rebuild();
  }

  /** Takes over a new scene. */
  rebuild(): void {
    const scene = this.store.scene.value;
    this.#sample = new Sample(scene);
    const names = this.#sample.inputNames();
    const ranges = names
      .slice(this.#first, this.#first + PAGE)
      .map((_, n) => this.#sample.range(this.#first + n));
    const shape = [this.#first, names, ranges].join("|");
    // The sliders stay while they can, so that a hand on one is not thrown off.
    if (shape !== this.#shape) {
      this.#shape = shape;
      this.#pages.hidden = names.length <= PAGE;
      const last = Math.min(names.length, this.#first + PAGE);
      write(this.#where, `inputs ${this.#first + 1} to ${last} of ${names.length}`);
      const groups = this.#sample.categories();
      const isPart = (column: number): boolean =>
        groups.some((one) => one.columns.includes(column));
      this.#knobs = new Map();
      for (let column = this.#first; column < last; column++) {
        if (isPart(column)) continue;
        const set = (x: number): void => this.#set([[column, x]]);
        this.#knobs.set(
          column,
          fineSlider(names[column], ranges[column - this.#first], short, set),
        );
      }
      const isHere = (column: number): boolean => column >= this.#first && column < last;
      this.#choices = groups
        .filter((one) => isHere(one.columns[0]))
        .map((one) => this.#choose(one));
      const sliders = [...this.#knobs.values()].map((knob) => knob.element);
      this.#list.replaceChildren(...sliders, ...this.#choices.map((one) => one.element));
    }
    this.draw();
  }

  /** Shows the probed row. */
  draw(): void {
    const values = this.store.probe.value ?? this.start();
    for (const [column, knob] of this.#knobs) knob.value = values[column];
    for (const one of this.#choices) one.draw(values);
  }

  /** The row that the probe starts from: the first of the sample, or the middle of the ranges. */
  start(): Float64Array {
    if (this.#sample.rows > 0) return this.#sample.input(0);
    return Float64Array.from({ length: this.#sample.inputs }, (_, i) => {
      const [low, high] = this.#sample.range(i);
      return (low + high) / 2;
    });
  }

  /** The categories of a column of the table as one choice: exactly one of them is 1, or none. */
  #choose(group: ReturnType<Sample["categories"]>[number]): Choice {
    const { columns, texts, name } = group;
    const keys = ["", ...columns.map(String)];
    const pick = choice(
      keys,
      (key) => this.#set(columns.map((column) => [column, Number(String(column) === key)])),
      ["none of these", ...texts],
    );
    const draw = (values: Float64Array): void => {
      pick.value = String(columns.find((column) => values[column] === 1) ?? "");
    };
    return { element: field(name, pick), draw };
  }

  #set(news: [column: number, x: number][]): void {
    const values = Float64Array.from(this.store.probe.value ?? this.start());
    for (const [column, x] of news) values[column] = x;
    this.touched();
    this.store.probe.value = values;
  }

  #turn(by: number): void {
    const last = PAGE * Math.floor((this.#sample.inputs - 1) / PAGE);
    this.#first = Math.min(last, Math.max(0, this.#first + by));
    this.rebuild();
  }
}

// The first rows of the data, a page at a time; picking one probes it.

/** Rows that can be picked. */
const MOST_ROWS = 200;
/** Columns that are shown. */
const MOST_COLUMNS = 6;

class ProbeTable {
  readonly element: HTMLElement;
  readonly #head = h("thead");
  readonly #body = h("tbody");
  readonly #where = h("span", { class: "kv-said" });
  #sample: Sample;
  #first = 0;
  #picked = -1;

  constructor(
    private readonly store: Store,
    private readonly pick: (row: number) => void,
  ) {
    this.#sample = new Sample(store.scene.value);
    const names = { class: "kv-table", "aria-label": "Rows of the data" };
    const table = h("table", names, this.#head, this.#body);
    const previous = button("Previous", () => this.#turn(-PAGE));
    const next = button("Next", () => this.#turn(PAGE));
    const scroller = h("div", { class: "kv-scroll" }, table);
    this.element = h("div", { class: "kv-stack" }, scroller, row(previous, next, this.#where));
    this.rebuild();
  }

  /** Takes over a new scene. */
  rebuild(): void {
    this.#sample = new Sample(this.store.scene.value);
    this.element.hidden = this.#sample.rows === 0;
    const names = this.#sample.names();
    const shown = this.#columns().map((c) => names[c]);
    const cells = ["row", ...shown].map((name) => h("th", { scope: "col" }, name));
    this.#head.replaceChildren(h("tr", {}, ...cells));
    this.#fill();
  }

  /** Marks the picked row; -1 for none. */
  mark(picked: number): void {
    this.#picked = picked;
    for (const made of this.#body.rows) {
      const isPicked = made.dataset.row === String(picked);
      made.classList.toggle("kv-picked", isPicked);
      made.querySelector("button")?.setAttribute("aria-pressed", String(isPicked));
    }
  }

  /** The first inputs and, at the end, the targets. */
  #columns(): number[] {
    const all = this.#sample.names().map((_, c) => c);
    if (all.length <= MOST_COLUMNS) return all;
    const targets = all.slice(this.#sample.inputs).slice(0, 2);
    return [...all.slice(0, MOST_COLUMNS - targets.length), ...targets];
  }

  get #rows(): number {
    return Math.min(MOST_ROWS, this.#sample.rows);
  }

  #fill(): void {
    const columns = this.#columns();
    const last = Math.min(this.#rows, this.#first + PAGE);
    const shown = Array.from({ length: last - this.#first }, (_, n) => this.#first + n);
    this.#body.replaceChildren(...shown.map((at) => this.#makeRow(at, columns)));
    const left = this.#sample.rows - this.#rows;
    const more = left > 0 ? ` (${left} more are not listed)` : "";
    write(this.#where, `rows ${this.#first} to ${last - 1} of ${this.#rows}${more}`);
    this.mark(this.#picked);
  }

  #makeRow(at: number, columns: number[]): HTMLTableRowElement {
    const choose = button(String(at), () => this.pick(at), `Probe row ${at}`);
    const cells = columns.map((c) =>
      h("td", { class: "kv-number" }, short(this.#sample.at(at, c))),
    );
    const made = h("tr", {}, h("th", { scope: "row" }, choose), ...cells);
    made.dataset.row = String(at);
    made.addEventListener("click", (event) => {
      if (!choose.contains(event.target as Node)) this.pick(at);
    });
    return made;
  }

  #turn(by: number): void {
    const last = PAGE * Math.floor(Math.max(0, this.#rows - 1) / PAGE);
    this.#first = Math.min(last, Math.max(0, this.#first + by));
    this.#fill();
  }
}
