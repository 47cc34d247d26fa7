/** A box over the histogram of an input: rows inside are lit on every curve. */
import type { Store } from "../contract";
import { assign, button, focusable, h, row, s, write } from "./dom";
import { choice, field, setChoices } from "./fields";
import { extent, labels, linear, rangeText, short } from "./numbers";
import { Sample } from "./sample";

const WIDTH = 340;
const HEIGHT = 130;
const SIDE = 12;
const FLOOR = HEIGHT - 22;
const BINS = 24;

export class SliceBox {
  readonly element: HTMLElement;
  private readonly pick = choice([], () => this.change());
  private readonly bars = s("g", { class: "kv-bins" });
  private readonly axis = s("g", { class: "kv-axes" });
  private readonly box = s("rect", { class: "kv-slice", y: 4, height: FLOOR - 4 });
  private readonly ground = s("rect", { class: "kv-paper", width: WIDTH, height: HEIGHT });
  private readonly ends: SVGGElement[];
  private readonly said = h("p", { class: "kv-reading", role: "status" });
  private readonly svg: SVGSVGElement;
  private sample: Sample;
  private values: Float64Array = new Float64Array(0);
  private x = linear(0, 1, SIDE, WIDTH - SIDE);
  /** The box, or null while all rows count. */
  private range: [number, number] | null = null;
  private anchor: number | null = null;

  constructor(private readonly store: Store) {
    this.sample = new Sample(store.scene);
    this.ends = [0, 1].map(() => this.makeEnd());
    this.svg = s(
      "svg",
      { class: "kv-plot kv-histogram", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group" },
      ...[this.bars, this.axis, this.box, this.ground, ...this.ends],
    );
    this.listen();
    const clear = button("Clear", () => this.set(null));
    const top = row(field("Input", this.pick), clear);
    this.element = h("div", { class: "kv-stack" }, top, this.svg, this.said);
    this.rebuild();
  }

  /** Takes over a new scene; the box stays if its input is still there. */
  rebuild(): void {
    this.sample = new Sample(this.store.scene);
    const names = this.sample.inputNames();
    setChoices(this.pick, names.map((_, c) => String(c)), names);
    this.element.hidden = this.sample.rows === 0;
    this.read();
  }

  /** Forgets the box when someone else ended the slice. */
  follow(): void {
    if (this.store.slice === null && this.range !== null) this.range = null;
    this.draw();
  }

  private change(): void {
    this.read();
    this.set(null);
  }

  private read(): void {
    this.values = this.sample.column(Number(this.pick.value));
    const [low, high] = extent(this.values) ?? [0, 1];
    this.x = linear(low, high > low ? high : low + 1, SIDE, WIDTH - SIDE);
    this.svg.setAttribute("aria-label", `Histogram of ${this.name}`);
    const texts = labels(this.x.low, this.x.high, 5).map(({ value, text }) =>
      s("text", { x: this.x(value), y: HEIGHT - 6, "text-anchor": "middle" }, text),
    );
    this.axis.replaceChildren(...texts);
    this.draw();
  }

  private get name(): string {
    return this.sample.inputNames()[Number(this.pick.value)];
  }

  private listen(): void {
    const at = (event: PointerEvent): number => {
      const seen = this.svg.getBoundingClientRect();
      const ratio = WIDTH / (seen.width || WIDTH);
      return this.clip(this.x.invert((event.clientX - seen.left) * ratio));
    };
    this.ground.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      this.ground.setPointerCapture?.(event.pointerId);
      this.anchor = at(event);
    });
    this.ground.addEventListener("pointermove", (event) => {
      if (this.anchor !== null) this.span(this.anchor, at(event));
    });
    for (const end of ["pointerup", "pointercancel"]) {
      this.ground.addEventListener(end, () => (this.anchor = null));
    }
    this.ends.forEach((handle, n) => {
      handle.addEventListener("pointerdown", (event) => {
        event.preventDefault();
        handle.focus();
        handle.setPointerCapture?.(event.pointerId);
        this.anchor = this.edges()[1 - n];
      });
      handle.addEventListener("pointermove", (event) => {
        if (this.anchor !== null) this.span(this.anchor, at(event));
      });
      handle.addEventListener("pointerup", () => (this.anchor = null));
      handle.addEventListener("keydown", (event) => this.press(n, event));
    });
  }

  private makeEnd(): SVGGElement {
    const line = s("line", { y1: 4, y2: FLOOR });
    const grip = s("rect", { x: -4, y: FLOOR / 2 - 9, width: 8, height: 18, rx: 3 });
    return focusable(
      s(
        "g",
        { class: "kv-slice-end", role: "slider", tabindex: 0, "aria-orientation": "horizontal" },
        ...[s("rect", { class: "kv-handle-reach", x: -9, width: 18, height: FLOOR }), line, grip],
      ),
    );
  }

  private press(n: number, event: KeyboardEvent): void {
    const sign = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (sign === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const by = sign * (event.shiftKey ? 0.1 : 0.01) * (this.x.high - this.x.low);
    const edges = this.edges();
    // An end stops at the other one, so that it stays the end that has the focus.
    const moved = this.clip(edges[n] + by);
    edges[n] = n === 0 ? Math.min(moved, edges[1]) : Math.max(moved, edges[0]);
    this.set(edges);
  }

  private edges(): [number, number] {
    return this.range ? [...this.range] : [this.x.low, this.x.high];
  }

  private clip(x: number): number {
    return Math.min(this.x.high, Math.max(this.x.low, x));
  }

  private span(from: number, to: number): void {
    this.set([Math.min(from, to), Math.max(from, to)]);
  }

  private set(range: [number, number] | null): void {
    this.range = range;
    this.store.slice = range
      ? Uint8Array.from(this.values, (v) => Number(v >= range[0] && v <= range[1]))
      : null;
    this.draw();
  }

  private draw(): void {
    const [low, high] = this.edges();
    const isWhole = this.range === null;
    assign(this.box, { x: this.x(low), width: Math.max(0, this.x(high) - this.x(low)) });
    this.box.toggleAttribute("hidden", isWhole);
    [low, high].forEach((value, n) => {
      assign(this.ends[n], {
        transform: `translate(${this.x(value).toFixed(1)} 0)`,
        "aria-label": `${n === 0 ? "Lower" : "Upper"} end of the slice of ${this.name}`,
        "aria-valuemin": this.x.low,
        "aria-valuemax": this.x.high,
        "aria-valuenow": value,
        "aria-valuetext": short(value),
      });
    });
    this.drawBins(low, high);
    const inside = this.store.slice?.reduce((sum, one) => sum + one, 0) ?? this.sample.rows;
    const rows = `${inside} of ${this.sample.rows} rows`;
    const where = `${this.name} from ${rangeText(low, high)}`;
    write(this.said, isWhole ? "Drag over the histogram to light a slice." : `${rows}: ${where}`);
  }

  private drawBins(low: number, high: number): void {
    const counts = new Array<number>(BINS).fill(0);
    const width = (this.x.high - this.x.low) / BINS;
    for (const value of this.values) {
      const bin = Math.floor((value - this.x.low) / width);
      counts[Math.min(BINS - 1, Math.max(0, bin))]++;
    }
    const up = linear(0, Math.max(1, ...counts), FLOOR, 8);
    const made = counts.map((n, bin) => {
      const middle = this.x.low + (bin + 0.5) * width;
      const lit = this.range !== null && middle >= low && middle <= high;
      const x = this.x(this.x.low + bin * width) + 0.5;
      const across = this.x(this.x.low + width) - this.x(this.x.low) - 1;
      const box = { x, y: up(n), width: across, height: FLOOR - up(n) };
      return s("rect", { class: lit ? "kv-lit" : null, ...box });
    });
    this.bars.replaceChildren(...made);
  }
}
