/** How a node is made: each incoming edge's term as a bar, and that they add up to the node. */
import type { Probe, Scene, Store } from "../contract";
import { h, write } from "./dom";
import { nodeName } from "./edges";
import { choice, field, setChoices } from "./fields";
import { count, extent, short } from "./numbers";

/** More terms than these are told as one. */
const MOST = 12;

interface Term {
  name: string;
  value: number;
}

interface Bar {
  row: HTMLElement;
  name: HTMLElement;
  bar: HTMLElement;
  value: HTMLElement;
}

/**
 * Returns the terms of a node from the edges that are in the network, the most important first:
 * an order that stands still while a slider moves.
 */
export function termsOf(scene: Scene, values: Probe, layer: number, j: number): Term[] {
  const width = scene.widths[layer];
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
  private readonly pick = choice([], () => this.redraw());
  private readonly list = h("div", { class: "kv-bars" });
  private readonly check = h("p", { class: "kv-reading", "aria-live": "polite" });
  private readonly bars: Bar[] = [];
  private values: Probe | null = null;
  /** What the data say of the output at this row, in the user's units. */
  private target: number | null = null;

  constructor(private readonly store: Store) {
    this.element = h("div", { class: "kv-stack" }, field("Node", this.pick), this.list, this.check);
    this.rebuild();
  }

  /** Takes over a new scene: outputs first, then hidden nodes. */
  rebuild(): void {
    const { scene } = this.store;
    const nodes = scene.nodes.filter((node) => node.layer > 0);
    nodes.sort((a, b) => b.layer - a.layer || a.index - b.index);
    const keys = nodes.map((node) => `${node.layer},${node.index}`);
    setChoices(this.pick, keys, nodes.map((node) => nodeName(scene, node.layer, node.index)));
  }

  /** Shows the terms of the chosen node; `targets` are the outputs that the data say. */
  draw(values: Probe | null, targets: Float64Array | null): void {
    this.values = values;
    const [layer, j] = this.node();
    const isOutput = layer === this.store.scene.widths.length - 1;
    this.target = isOutput && targets && j < targets.length ? targets[j] : null;
    this.targets = targets;
    this.redrawBars();
  }

  private targets: Float64Array | null = null;

  private node(): [number, number] {
    const [layer, j] = this.pick.value.split(",").map(Number);
    return [layer, j];
  }

  private redraw(): void {
    this.draw(this.values, this.targets);
  }

  private redrawBars(): void {
    const [layer, j] = this.node();
    const { values } = this;
    this.element.hidden = values === null || !(layer > 0);
    if (values === null || !(layer > 0)) return;
    const terms = termsOf(this.store.scene, values, layer, j);
    const sum = terms.reduce((total, term) => total + term.value, 0);
    const all = [...terms, { name: "sum", value: sum }];
    const [low, high] = extent([0], all.map((term) => term.value)) ?? [0, 1];
    while (this.bars.length < all.length) this.bars.push(this.makeBar());
    for (const gone of this.bars.splice(all.length)) gone.row.remove();
    all.forEach((term, n) => this.place(this.bars[n], term, low, high));
    this.bars.forEach((bar, n) => bar.row.classList.toggle("kv-sum", n === terms.length));
    write(this.check, this.sentence(layer, j, sum, values.nodes[layer][j]));
  }

  private makeBar(): Bar {
    const name = h("span", { class: "kv-bar-name" });
    const bar = h("span", { class: "kv-bar" });
    const value = h("span", { class: "kv-number" });
    const track = h("span", { class: "kv-bar-track" }, bar);
    const row = h("div", { class: "kv-bar-row" }, name, track, value);
    this.list.append(row);
    return { row, name, bar, value };
  }

  private place({ name, bar, value }: Bar, term: Term, low: number, high: number): void {
    const span = high - low || 1;
    const [start, end] = [Math.min(0, term.value), Math.max(0, term.value)];
    write(name, term.name);
    write(value, short(term.value, 4));
    value.title = String(term.value); // all digits
    bar.style.left = `${(100 * (start - low)) / span}%`;
    bar.style.width = `${(100 * (end - start)) / span}%`;
    bar.classList.toggle("kv-minus", term.value < 0);
    const track = bar.parentElement as HTMLElement;
    track.style.setProperty("--kv-at", `${(100 * (0 - low)) / span}%`);
  }

  private sentence(layer: number, j: number, sum: number, value: number): string {
    const { scene } = this.store;
    const name = nodeName(scene, layer, j);
    const agrees = Math.abs(sum - value) <= 1e-6 * Math.max(1, Math.abs(value));
    const sign = agrees ? "=" : "\u2260";
    const said = `Sum ${short(sum, 4)} ${sign} ${name} ${short(value, 4)}`;
    const target = this.target === null ? "" : `; the data say ${short(this.target, 4)}`;
    return `${said}${this.inUserUnits(layer, j, value)}${target}.`;
  }

  private inUserUnits(layer: number, j: number, value: number): string {
    const { recipe, widths } = this.store.scene;
    if (recipe === null || layer !== widths.length - 1) return "";
    const [scale, shift] = [recipe.y_scale[j], recipe.y_shift[j]];
    if (scale === 1 && shift === 0) return "";
    return `, ${short(value * scale + shift, 4)} in your units`;
  }
}
