/** What the probe shows: how a node adds up, the data by two columns, a slice of one input. */

import type { Probe, Scene } from "../contract";
import { endName, endOf, nodeName, sumsOf } from "../scene";
import type { Store } from "../store";
import { assign, button, focusable, h, row, s, write } from "../ui/dom";
import { type Drag, draggable } from "../ui/drag";
import { choice, field, setChoices } from "../ui/fields";
import { bars, counts } from "../ui/histogram";
import { count, extent, labels, linear, rangeText, roomy, short } from "../ui/numbers";
import { Sample } from "./sample";

/** More terms than these are told as one. */
const MOST = 12;

interface Term {
  name: string;
  value: number;
  /** Where the sum begins, rather than what an edge adds. */
  isStart?: boolean;
}

interface Bar {
  row: HTMLElement;
  name: HTMLElement;
  bar: HTMLElement;
  value: HTMLElement;
}

/**
 * Returns the terms of sum j of a layer from the edges that are in the network, the most important
 * first: an order that stands still while a slider moves.
 */
export function termsOf(scene: Scene, values: Probe, layer: number, j: number): Term[] {
  const width = sumsOf(scene, layer - 1);
  const added = values.edges[layer - 1];
  const edges = scene.edges
    .filter((v) => v.layer === layer - 1 && v.j === j && v.state !== "pruned")
    .sort((a, b) => b.score - a.score);
  const named = edges.slice(0, MOST).map((view) => ({
    name: nodeName(scene, view.layer, view.i),
    value: added[view.i * width + j],
  }));
  const told = new Set(edges.slice(0, MOST).map((view) => view.i));
  let rest = 0;
  let others = 0;
  // Edges that are not drawn count too, or the numbers would not add up.
  for (let i = 0; i < scene.widths[layer - 1]; i++) {
    const value = added[i * width + j];
    if (told.has(i) || value === 0) continue;
    rest += value;
    others++;
  }
  if (others > 0) named.push({ name: count(others, "other"), value: rest });
  return named;
}

export class ProbeTerms {
  readonly element: HTMLElement;
  readonly #pick = choice([], () => this.#redraw());
  readonly #list = h("div", { class: "kv-bars" });
  readonly #shares = h("div", { class: "kv-bars kv-shares", "aria-label": "Probabilities" });
  readonly #check = h("p", { class: "kv-reading", "aria-live": "polite" });
  readonly #bars: Bar[] = [];
  private values: Probe | null = null;
  /** What the data say of the output at this row, in the user's units. */
  #target: number | null = null;

  constructor(private readonly store: Store) {
    const node = field("Node", this.#pick);
    this.element = h("div", { class: "kv-stack" }, this.#shares, node, this.#list, this.#check);
    this.rebuild();
  }

  /** Takes over a new scene: outputs first, then hidden nodes; of products each factor. */
  rebuild(): void {
    const scene = this.store.scene.value;
    const layers = [...scene.widths.keys()].slice(1).reverse();
    const sums = layers.flatMap((layer) =>
      Array.from({ length: sumsOf(scene, layer - 1) }, (_, j): [number, number] => [layer, j]),
    );
    setChoices(
      this.#pick,
      sums.map(String),
      sums.map(([layer, j]) => endName(scene, layer, j)),
    );
  }

  /** Shows the terms of the chosen sum; `targets` are the outputs that the data say. */
  draw(values: Probe | null, targets: Float64Array | null): void {
    this.values = values;
    const [layer, j] = this.#chosen();
    const isOutput = layer === this.store.scene.value.widths.length - 1;
    this.#target = isOutput && targets && j < targets.length ? targets[j] : null;
    this.#targets = targets;
    this.#redrawBars();
  }

  #targets: Float64Array | null = null;

  #chosen(): [number, number] {
    const [layer, j] = this.#pick.value.split(",").map(Number);
    return [layer, j];
  }

  #redraw(): void {
    this.draw(this.values, this.#targets);
  }

  #redrawBars(): void {
    const [layer, j] = this.#chosen();
    const { values } = this;
    this.element.hidden = values === null || !(layer > 0);
    this.#drawShares(layer);
    if (values === null || !(layer > 0)) return;
    const terms = this.#withMean(termsOf(this.store.scene.value, values, layer, j), layer, j);
    // One after the other, each from where the one before has led; the mean is where they begin.
    const ends = terms.map(
      (
        (at) =>
        ({ value }: Term) =>
          (at += value)
      )(0),
    );
    const starts = ends.map((end, n) => end - terms[n].value);
    if (terms[0]?.isStart) starts[0] = ends[0];
    const sum = ends.at(-1) ?? 0;
    const all = [...terms, { name: "sum", value: sum }];
    const from = terms[0]?.isStart ? ends[0] : 0;
    const [low, high] = extent([from], ends) ?? [0, 1];
    while (this.#bars.length < all.length) this.#bars.push(this.#makeBar());
    for (const gone of this.#bars.splice(all.length)) gone.row.remove();
    all.forEach((term, n) => {
      this.#place(this.#bars[n], term, [starts[n] ?? from, ends[n] ?? sum], [low, high, from]);
      this.#bars[n].row.classList.toggle("kv-sum", n === terms.length);
    });
    write(this.#check, this.#sentence(layer, j, sum, values));
  }

  #makeBar(): Bar {
    const name = h("span", { class: "kv-bar-name" });
    const bar = h("span", { class: "kv-bar" });
    const value = h("span", { class: "kv-number" });
    const track = h("span", { class: "kv-bar-track" }, bar);
    const row = h("div", { class: "kv-bar-row" }, name, track, value);
    this.#list.append(row);
    return { row, name, bar, value };
  }

  /** The terms of an output after the mean of the data, from which a scaled one begins. */
  #withMean(terms: Term[], layer: number, j: number): Term[] {
    const { recipe, widths } = this.store.scene.value;
    const shift = layer === widths.length - 1 ? (recipe?.y_shift[j] ?? 0) : 0;
    return shift === 0 ? terms : [{ name: "mean", value: shift, isStart: true }, ...terms];
  }

  #place(
    { name, bar, value }: Bar,
    term: Term,
    [from, to]: [number, number],
    [low, high, zero]: [number, number, number],
  ): void {
    const span = high - low || 1;
    const [start, end] = [Math.min(from, to), Math.max(from, to)];
    write(name, term.name);
    write(value, short(term.value, 4));
    value.title = String(term.value); // all digits
    bar.style.left = `${(100 * (start - low)) / span}%`;
    bar.style.width = `${(100 * (end - start)) / span}%`;
    bar.classList.toggle("kv-minus", to < from);
    const track = bar.parentElement as HTMLElement;
    track.style.setProperty("--kv-at", `${(100 * (zero - low)) / span}%`);
  }

  /** For classes how sure the network is of each, the winner first in weight. */
  #drawShares(layer: number): void {
    const scene = this.store.scene.value;
    const isOutput = layer === scene.widths.length - 1;
    this.#shares.hidden = scene.error.name !== "accuracy" || this.values === null || !isOutput;
    if (this.#shares.hidden) return;
    const scores = this.values!.nodes[layer];
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const sum = powers.reduce((a, b) => a + b);
    const rows = powers.map((power, j) => {
      const share = power / sum;
      const bar = h("span", { class: "kv-bar" });
      bar.style.width = `${100 * share}%`;
      const name = h("span", { class: "kv-bar-name" }, nodeName(scene, layer, j));
      const value = h("span", { class: "kv-number" }, `${(100 * share).toFixed(1)} %`);
      const isBest = scores[j] === most ? " kv-sum" : "";
      const track = h("span", { class: "kv-bar-track" }, bar);
      return h("div", { class: `kv-bar-row${isBest}` }, name, track, value);
    });
    this.#shares.replaceChildren(...rows);
  }

  #sentence(layer: number, j: number, sum: number, { nodes, edges }: Probe): string {
    const scene = this.store.scene.value;
    const index = endOf(scene, layer - 1, j);
    const [name, value] = [nodeName(scene, layer, index), nodes[layer][index]];
    const node = scene.nodes.find((one) => one.layer === layer && one.index === index);
    if (node?.factors.includes(j)) {
      const width = sumsOf(scene, layer - 1);
      const total = (at: number): number =>
        edges[layer - 1].reduce((all, one, n) => (n % width === at ? all + one : all), 0);
      const factors = node.factors.map((at) => short(total(at), 4)).join(" \u00d7 ");
      return `Sum ${short(sum, 4)}; ${name} multiplies: ${factors} = ${short(value, 4)}.`;
    }
    const agrees = Math.abs(sum - value) <= 1e-6 * Math.max(1, Math.abs(value));
    const sign = agrees ? "=" : "\u2260";
    const said = `Sum ${short(sum, 4)} ${sign} ${name} ${short(value, 4)}`;
    const target = this.#target === null ? "" : `; the data say ${short(this.#target, 4)}`;
    return `${said}${target}.`;
  }
}

// The data by two chosen columns; a click probes the nearest row.

const WIDTH = 340;
const SCATTER_HEIGHT = 210;
const LEFT = 44;
const BOTTOM = SCATTER_HEIGHT - 24;

export class ProbeScatter {
  readonly element: HTMLElement;
  readonly #across = choice([], () => this.draw());
  readonly #up = choice([], () => this.draw());
  readonly #axes = s("g", { class: "kv-axes" });
  readonly #dots = s("path", { class: "kv-samples" });
  readonly #sliced = s("path", { class: "kv-samples kv-sliced" });
  readonly #here = s("circle", { class: "kv-here", r: 6 });
  readonly #svg: SVGSVGElement;
  #sample: Sample;
  #x = linear(0, 1, LEFT, WIDTH - 8);
  #y = linear(0, 1, BOTTOM, 8);

  constructor(
    private readonly store: Store,
    private readonly pick: (row: number) => void,
  ) {
    this.#sample = new Sample(store.scene.value);
    const ground = { x: LEFT, y: 8, width: WIDTH - LEFT - 8, height: BOTTOM - 8 };
    this.#svg = s(
      "svg",
      { class: "kv-plot kv-scatter", viewBox: `0 0 ${WIDTH} ${SCATTER_HEIGHT}`, role: "img" },
      s("rect", { class: "kv-plot-ground", ...ground }),
      ...[this.#axes, this.#dots, this.#sliced, this.#here],
    );
    this.#svg.addEventListener("click", (event) => this.#choose(event));
    const picks = row(field("Across", this.#across), field("Up", this.#up));
    this.element = h("div", { class: "kv-stack" }, picks, this.#svg);
    this.rebuild();
  }

  /** Takes over a new scene. */
  rebuild(): void {
    this.#sample = new Sample(this.store.scene.value);
    const names = this.#sample.names();
    const keys = names.map((_, c) => String(c));
    const isNew = this.#up.options.length === 0;
    setChoices(this.#across, keys, names);
    setChoices(this.#up, keys, names);
    if (isNew && keys.length > 1) this.#up.value = "1";
    this.element.hidden = this.#sample.rows === 0 || names.length < 2;
    this.draw();
  }

  draw(): void {
    if (this.element.hidden) return;
    const [across, up] = [Number(this.#across.value), Number(this.#up.value)];
    const [xs, ys] = [this.#sample.column(across), this.#sample.column(up)];
    this.#x = linear(...roomy(extent(xs), 0.04), LEFT, WIDTH - 8);
    this.#y = linear(...roomy(extent(ys), 0.05), BOTTOM, 8);
    const names = this.#sample.names();
    this.#svg.setAttribute(
      "aria-label",
      `${names[up]} against ${names[across]}; pick in the table`,
    );
    this.#drawAxes();
    const slice = this.store.slice.value;
    this.#dots.setAttribute(
      "d",
      this.#points(xs, ys, (n) => !slice?.[n]),
    );
    this.#sliced.setAttribute("d", slice ? this.#points(xs, ys, (n) => slice[n] === 1) : "");
    this.drawHere(across, up);
  }

  /** Shows where the probed row is; a target that it has not is not shown. */
  drawHere(across = Number(this.#across.value), up = Number(this.#up.value)): void {
    const probe = this.store.probe.value;
    const both = probe !== null && across < this.#sample.inputs && up < this.#sample.inputs;
    this.#here.toggleAttribute("hidden", !both);
    if (both) assign(this.#here, { cx: this.#x(probe[across]), cy: this.#y(probe[up]) });
  }

  #points(xs: Float64Array, ys: Float64Array, shown: (n: number) => boolean): string {
    let path = "";
    for (let n = 0; n < xs.length; n++) {
      if (shown(n)) path += `M${this.#x(xs[n]).toFixed(1)} ${this.#y(ys[n]).toFixed(1)}h0`;
    }
    return path;
  }

  #drawAxes(): void {
    const below = labels(this.#x.low, this.#x.high, 5).map(({ value, text }) =>
      s("text", { x: this.#x(value), y: SCATTER_HEIGHT - 7, "text-anchor": "middle" }, text),
    );
    const beside = labels(this.#y.low, this.#y.high, 4).map(({ value, text }) =>
      s("text", { x: LEFT - 6, y: this.#y(value) + 4, "text-anchor": "end" }, text),
    );
    this.#axes.replaceChildren(...below, ...beside);
  }

  #choose(event: MouseEvent): void {
    const seen = this.#svg.getBoundingClientRect();
    const ratio = WIDTH / (seen.width || WIDTH);
    const [px, py] = [(event.clientX - seen.left) * ratio, (event.clientY - seen.top) * ratio];
    const [across, up] = [Number(this.#across.value), Number(this.#up.value)];
    let best = -1;
    let least = Infinity;
    for (let n = 0; n < this.#sample.rows; n++) {
      const dx = this.#x(this.#sample.at(n, across)) - px;
      const dy = this.#y(this.#sample.at(n, up)) - py;
      if (dx * dx + dy * dy < least) [best, least] = [n, dx * dx + dy * dy];
    }
    if (best >= 0) this.pick(best);
  }
}

// A box over the histogram of an input: rows inside are lit on every curve.

const HISTOGRAM_HEIGHT = 130;
const SIDE = 12;
const FLOOR = HISTOGRAM_HEIGHT - 22;
const BINS = 24;

export class SliceBox {
  readonly element: HTMLElement;
  readonly #pick = choice([], () => this.#change());
  readonly #bars = s("g", { class: "kv-bins" });
  readonly #axis = s("g", { class: "kv-axes" });
  readonly #box = s("rect", { class: "kv-slice", y: 4, height: FLOOR - 4 });
  readonly #ground = s("rect", {
    class: "kv-paper",
    width: WIDTH,
    height: HISTOGRAM_HEIGHT,
  });
  readonly #ends: SVGGElement[];
  readonly #said = h("p", { class: "kv-reading", role: "status" });
  readonly #svg: SVGSVGElement;
  #sample: Sample;
  #values: Float64Array = new Float64Array(0);
  private x = linear(0, 1, SIDE, WIDTH - SIDE);
  /** The box, or null while all rows count. */
  #range: [number, number] | null = null;

  constructor(private readonly store: Store) {
    this.#sample = new Sample(store.scene.value);
    this.#ends = [0, 1].map(() => this.#makeEnd());
    this.#svg = s(
      "svg",
      { class: "kv-plot kv-histogram", viewBox: `0 0 ${WIDTH} ${HISTOGRAM_HEIGHT}`, role: "group" },
      ...[this.#bars, this.#axis, this.#box, this.#ground, ...this.#ends],
    );
    this.#listen();
    const clear = button("Clear", () => this.#set(null));
    const top = row(field("Input", this.#pick), clear);
    this.element = h("div", { class: "kv-stack" }, top, this.#svg, this.#said);
    this.rebuild();
  }

  /** Takes over a new scene; the box stays if its input is still there. */
  rebuild(): void {
    this.#sample = new Sample(this.store.scene.value);
    const names = this.#sample.inputNames();
    setChoices(
      this.#pick,
      names.map((_, c) => String(c)),
      names,
    );
    this.element.hidden = this.#sample.rows === 0;
    this.#read();
  }

  /** Forgets the box when someone else ended the slice. */
  follow(): void {
    if (this.store.slice.value === null && this.#range !== null) this.#range = null;
    this.#draw();
  }

  #change(): void {
    this.#read();
    this.#set(null);
  }

  #read(): void {
    this.#values = this.#sample.column(Number(this.#pick.value));
    const [low, high] = extent(this.#values) ?? [0, 1];
    this.x = linear(low, high > low ? high : low + 1, SIDE, WIDTH - SIDE);
    this.#svg.setAttribute("aria-label", `Histogram of ${this.#name}`);
    const texts = labels(this.x.low, this.x.high, 5).map(({ value, text }) =>
      s("text", { x: this.x(value), y: HISTOGRAM_HEIGHT - 6, "text-anchor": "middle" }, text),
    );
    this.#axis.replaceChildren(...texts);
    this.#draw();
  }

  get #name(): string {
    return this.#sample.inputNames()[Number(this.#pick.value)];
  }

  #listen(): void {
    const at = (event: PointerEvent): number => {
      const seen = this.#svg.getBoundingClientRect();
      const ratio = WIDTH / (seen.width || WIDTH);
      return this.#clip(this.x.invert((event.clientX - seen.left) * ratio));
    };
    const spanFrom = (anchor: number): Drag => ({
      move: (event) => this.#span(anchor, at(event)),
    });
    draggable(this.#ground, (press) => spanFrom(at(press)));
    this.#ends.forEach((handle, n) => {
      draggable(handle, () => {
        handle.focus();
        return spanFrom(this.#edges()[1 - n]);
      });
      handle.addEventListener("keydown", (event) => this.#press(n, event));
    });
  }

  #makeEnd(): SVGGElement {
    const line = s("line", { y1: 4, y2: FLOOR });
    const grip = s("rect", { x: -4, y: FLOOR / 2 - 9, width: 8, height: 18, rx: 3 });
    return focusable(
      s(
        "g",
        { class: "kv-slice-end", role: "slider", tabindex: 0, "aria-orientation": "horizontal" },
        ...[s("rect", { class: "kv-handle-reach", x: -13, width: 26, height: FLOOR }), line, grip],
      ),
    );
  }

  #press(n: number, event: KeyboardEvent): void {
    const sign = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
    if (sign === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const by = sign * (event.shiftKey ? 0.1 : 0.01) * (this.x.high - this.x.low);
    const edges = this.#edges();
    // An end stops at the other one, so that it stays the end that has the focus.
    const moved = this.#clip(edges[n] + by);
    edges[n] = n === 0 ? Math.min(moved, edges[1]) : Math.max(moved, edges[0]);
    this.#set(edges);
  }

  #edges(): [number, number] {
    return this.#range ? [...this.#range] : [this.x.low, this.x.high];
  }

  #clip(x: number): number {
    return Math.min(this.x.high, Math.max(this.x.low, x));
  }

  #span(from: number, to: number): void {
    this.#set([Math.min(from, to), Math.max(from, to)]);
  }

  #set(range: [number, number] | null): void {
    this.#range = range;
    this.store.slice.value = range
      ? Uint8Array.from(this.#values, (v) => Number(v >= range[0] && v <= range[1]))
      : null;
    this.#draw();
  }

  #draw(): void {
    const [low, high] = this.#edges();
    const isWhole = this.#range === null;
    assign(this.#box, { x: this.x(low), width: Math.max(0, this.x(high) - this.x(low)) });
    this.#box.toggleAttribute("hidden", isWhole);
    [low, high].forEach((value, n) => {
      assign(this.#ends[n], {
        transform: `translate(${this.x(value).toFixed(1)} 0)`,
        "aria-label": `${n === 0 ? "Lower" : "Upper"} end of the slice of ${this.#name}`,
        "aria-valuemin": this.x.low,
        "aria-valuemax": this.x.high,
        "aria-valuenow": value,
        "aria-valuetext": short(value),
      });
    });
    this.#drawBins(low, high);
    const inside = this.store.slice.value?.reduce((sum, one) => sum + one, 0) ?? this.#sample.rows;
    const rows = `${inside} of ${this.#sample.rows} rows`;
    const where = `${this.#name} from ${rangeText(low, high)}`;
    write(this.#said, isWhole ? "Drag over the histogram to light a slice." : `${rows}: ${where}`);
  }

  #drawBins(low: number, high: number): void {
    const { x } = this;
    const width = (x.high - x.low) / BINS;
    const kindOf = (bin: number): string | null => {
      const middle = x.low + (bin + 0.5) * width;
      return this.#range !== null && middle >= low && middle <= high ? "kv-lit" : null;
    };
    const box = { x: SIDE, y: 8, width: WIDTH - 2 * SIDE, height: FLOOR - 8 };
    this.#bars.replaceChildren(...bars(counts(this.#values, BINS), box, kindOf));
  }
}
