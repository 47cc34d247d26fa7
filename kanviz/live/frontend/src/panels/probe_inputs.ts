/** A slider for each input of the probe; of many inputs, a page at a time. */
import type { Store } from "../contract";
import { button, h, row, write } from "./dom";
import { field, slider } from "./fields";
import { short } from "./numbers";
import { Sample } from "./sample";

const PAGE = 8;

interface Knob {
  input: HTMLInputElement;
  shown: HTMLOutputElement;
  column: number;
}

export class ProbeInputs {
  readonly element: HTMLElement;
  private readonly list = h("div", { class: "kv-stack" });
  private readonly pages: HTMLElement;
  private readonly where = h("span", { class: "kv-said" });
  private knobs: Knob[] = [];
  private first = 0;
  private sample: Sample;
  private shape = "";

  constructor(
    private readonly store: Store,
    private readonly touched: () => void,
  ) {
    this.sample = new Sample(store.scene);
    const previous = button("Previous", () => this.turn(-PAGE));
    const next = button("Next", () => this.turn(PAGE));
    this.pages = row(previous, next, this.where);
    this.element = h("div", { class: "kv-stack" }, this.pages, this.list);
    this.rebuild();
  }

  /** Takes over a new scene. */
  rebuild(): void {
    const { scene } = this.store;
    this.sample = new Sample(scene);
    const names = this.sample.inputNames();
    const ranges = names
      .slice(this.first, this.first + PAGE)
      .map((_, n) => this.sample.range(this.first + n));
    const shape = [this.first, names, ranges].join("|");
    // The sliders stay while they can, so that a hand on one is not thrown off.
    if (shape !== this.shape) {
      this.shape = shape;
      this.pages.hidden = names.length <= PAGE;
      const last = Math.min(names.length, this.first + PAGE);
      write(this.where, `inputs ${this.first + 1} to ${last} of ${names.length}`);
      this.knobs = ranges.map((range, n) => this.knob(this.first + n, range));
      const rows = this.knobs.map(({ input, shown, column }) => field(names[column], input, shown));
      this.list.replaceChildren(...rows);
    }
    this.draw();
  }

  /** Shows the probed row. */
  draw(): void {
    const values = this.store.probe ?? this.start();
    for (const { input, shown, column } of this.knobs) {
      if (Number(input.value) !== values[column]) input.value = String(values[column]);
      const text = short(values[column]);
      write(shown, text);
      input.setAttribute("aria-valuetext", text);
    }
  }

  /** The row that the probe starts from: the first of the sample, or the middle of the ranges. */
  start(): Float64Array {
    if (this.sample.rows > 0) return this.sample.input(0);
    return Float64Array.from({ length: this.sample.inputs }, (_, i) => {
      const [low, high] = this.sample.range(i);
      return (low + high) / 2;
    });
  }

  private knob(column: number, [low, high]: [number, number]): Knob {
    const step = (high - low) / 200 || 1;
    // "any" keeps a picked sample's exact numbers; keys then need steps of our own.
    const input = slider({ low, high, step: "any", value: low }, (x) => this.set(column, x));
    input.addEventListener("keydown", (event) => {
      const sign = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (sign === undefined) return;
      event.preventDefault();
      const wanted = Number(input.value) + sign * step * (event.shiftKey ? 10 : 1);
      this.set(column, Math.min(high, Math.max(low, wanted)));
    });
    return { input, shown: h("output", { class: "kv-value" }), column };
  }

  private set(column: number, x: number): void {
    const values = Float64Array.from(this.store.probe ?? this.start());
    values[column] = x;
    this.touched();
    this.store.probe = values;
  }

  private turn(by: number): void {
    const last = PAGE * Math.floor((this.sample.inputs - 1) / PAGE);
    this.first = Math.min(last, Math.max(0, this.first + by));
    this.rebuild();
  }
}
