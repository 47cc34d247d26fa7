/** A layer as a matrix of functions: a row per input, a column per output, sums below. */

import type { LayerRecipe, Recipe } from "../contract";
import { LayerMaker, probe } from "../math/evaluate";
import { featureCount } from "../math/features";
import { pathOf } from "../ui/curve_plot";
import { assign, h, s, scrolling, write } from "../ui/dom";
import { fineSlider, type SaidSlider } from "../ui/fields";
import { extent, linear, roomy, short } from "../ui/numbers";
import { type EdgeFrame, unpacked } from "./frames";
import type { Stage } from "./stage";

/** What Python sends; see kanviz/course/teaching/layer.py. */
interface LayerRecord {
  layer: number;
  depth: number;
  edges: EdgeFrame[];
  recipe: Recipe;
  inputs: string[];
  from: string[];
  to: string[];
  ranges: [number, number][];
}

class Matrix {
  readonly table = h("table", { class: "kv-matrix" });
  readonly note = h("p", { class: "kv-note" });
  private cells: LayerCell[][] = [];
  private values: HTMLElement[] = [];
  private sums: HTMLElement[] = [];
  private shape = "";

  /** Shows the layer with a row of inputs going through it. */
  draw(record: LayerRecord, row: number[], wants: { parts: boolean; same: boolean }): void {
    const shape = [record.layer, record.from, record.to].join("|");
    if (shape !== this.shape) this.build(record);
    this.shape = shape;
    const { layer, from, to, recipe } = record;
    const values = through(recipe, layer, row);
    const split = wants.parts ? splitter(recipe.layers[layer]) : null;
    const decimals = decimalsFor([...values.terms, ...values.sums]);
    const edges = new Map(record.edges.map((edge) => [`${edge.i},${edge.j}`, edge]));
    const partsOf = (edge: EdgeFrame | undefined): Parts | null =>
      edge?.state === "spline" && split ? split(edge.i, edge.j) : null;
    const range = wants.same ? rangeOf(record.edges, values, partsOf) : null;
    from.forEach((_, i) => {
      write(this.values[i], `= ${fixed(values.inputs[i], 4)}`);
      to.forEach((__, j) => {
        const edge = edges.get(`${i},${j}`);
        const value = values.terms[i * to.length + j];
        const reading = { x: values.inputs[i], value, parts: partsOf(edge), decimals, range };
        this.cells[i][j].draw(edge ?? null, reading);
      });
    });
    this.writeSums(record, values, decimals);
  }

  private build({ from, to }: LayerRecord): void {
    this.cells = from.map((start) => to.map((end) => new LayerCell(`${start} to ${end}`)));
    this.values = from.map(() => h("span", { class: "kv-input-value" }));
    this.sums = to.map(() => h("td", { class: "kv-column-sum" }));
    const ends = to.map((name) => h("th", { scope: "col" }, `to ${name}`));
    const rows = from.map((name, i) => {
      const head = h("th", { scope: "row" }, h("span", {}, name), this.values[i]);
      return h("tr", {}, head, ...this.cells[i].map((cell) => cell.element));
    });
    const foot = h("tr", {}, h("th", { scope: "row" }, "sum"), ...this.sums);
    const corner = h("td", { class: "kv-corner" }, "from");
    this.table.replaceChildren(
      h("thead", {}, h("tr", {}, corner, ...ends)),
      h("tbody", {}, ...rows),
      h("tfoot", {}, foot),
    );
  }

  private writeSums(record: LayerRecord, { sums }: Through, decimals: number): void {
    const { layer, depth, recipe } = record;
    const isLast = layer === depth - 1;
    sums.forEach((sum, j) => {
      const cell = this.sums[j];
      cell.replaceChildren(h("b", {}, fixed(sum, decimals)));
      cell.title = String(sum);
      const [scale, shift] = [recipe.y_scale[j], recipe.y_shift[j]];
      if (!isLast || (scale === 1 && shift === 0)) return;
      cell.append(
        h("div", { class: "kv-parts" }, `${short(sum * scale + shift, 4)} in your units`),
      );
    });
    const goes = isLast ? "are the output" : `go on to layer ${layer + 1}`;
    write(this.note, `The sums ${goes}. Numbers are rounded: point at one for all its digits.`);
  }
}

/** The heights of all functions, their parts and 0, so that one scale does for all. */
function rangeOf(
  edges: EdgeFrame[],
  { terms }: Through,
  partsOf: (edge: EdgeFrame) => Parts | null,
): [number, number] | null {
  const kept = edges.filter((edge) => edge.state !== "pruned");
  const curves = kept.flatMap((edge): ArrayLike<number>[] => {
    const parts = partsOf(edge);
    return [edge.curve_y, ...(parts ? splitCurves(edge.curve_x, parts) : [])];
  });
  return extent([0], terms, ...curves);
}

/** Sliders for the row of inputs. */
class Row {
  readonly element = h("div", { class: "kv-inputs" });
  private knobs: SaidSlider[] = [];
  private shape = "";

  constructor(private readonly moved: (row: number[]) => void) {}

  draw({ inputs, ranges }: LayerRecord, row: number[]): void {
    const shape = [inputs, ranges].join("|");
    if (shape !== this.shape) {
      const moved = (): void => this.moved(this.knobs.map((knob) => knob.value));
      const say = (value: number): string => fixed(value, 3);
      this.knobs = inputs.map((name, n) => fineSlider(name, ranges[n], say, moved));
      this.element.replaceChildren(...this.knobs.map((knob) => knob.element));
    }
    this.shape = shape;
    this.knobs.forEach((knob, n) => (knob.value = row[n]));
  }
}

function box(text: string, isOn: boolean, changed: () => void): [HTMLElement, HTMLInputElement] {
  const input = h("input", { type: "checkbox", checked: isOn });
  input.addEventListener("change", changed);
  return [h("label", { class: "kv-layer-choice" }, input, text), input];
}

/** What the lines in the plots are. */
function legend(): HTMLElement {
  const names = [
    ["kv-phi", "function"],
    ["kv-base", "base part"],
    ["kv-spline-part", "spline part"],
  ];
  const keys = names.map(([kind, text]) =>
    h(
      "span",
      { class: "kv-line-key" },
      s("svg", {}, s("path", { class: kind, d: "M0 5h22" })),
      text,
    ),
  );
  return h("span", { class: "kv-line-keys" }, ...keys);
}

export function layer({ root, shared }: Stage): void {
  let text = "";
  let record: LayerRecord | null = null;
  const matrix = new Matrix();
  const row = new Row((x) => shared.set({ x }));
  const draw = (): void => {
    const now = shared.get<string>("layer");
    if (now !== text || record === null) record = unpacked<LayerRecord>(now);
    text = now;
    const x = shared.get<number[]>("x");
    row.draw(record, x);
    const wants = { parts: parts.checked, same: same.checked };
    matrix.draw(record, x, wants);
    keys.hidden = !parts.checked || record.recipe.layers[record.layer].base === "zero";
  };
  const [partsBox, parts] = box("Show base and spline parts", true, draw);
  const [sameBox, same] = box("Same height scale", true, draw);
  const keys = legend();
  const choices = h("div", { class: "kv-layer-choices" }, partsBox, sameBox, keys);
  root.setAttribute("aria-label", "One layer as a matrix of functions");
  const table = scrolling(matrix.table, "Functions of the layer");
  root.append(row.element, choices, table, matrix.note);
  shared.onChange(draw);
  draw();
}

// One function of a layer as a small plot with its value, and the two parts of that.

export const WIDTH = 132;
export const HEIGHT = 84;
const EDGE = 5;

/** What a cell shows besides its curve. */
export interface Reading {
  x: number;
  value: number;
  parts: Parts | null;
  decimals: number;
  /** The range of heights, or null for the function's own. */
  range: [number, number] | null;
}

class LayerCell {
  readonly element: HTMLTableCellElement;
  private readonly svg: SVGSVGElement;
  private readonly zero = s("path", { class: "kv-zero" });
  private readonly base = s("path", { class: "kv-base" });
  private readonly spline = s("path", { class: "kv-spline-part" });
  private readonly curve = s("path", { class: "kv-phi" });
  private readonly drop = s("path", { class: "kv-drop" });
  private readonly dot = s("circle", { class: "kv-cell-dot", r: 4 });
  private readonly value = h("div", { class: "kv-phi-value" });
  private readonly sum = h("div", { class: "kv-parts" });

  constructor(private readonly name: string) {
    const box = { x: 0.5, y: 0.5, width: WIDTH - 1, height: HEIGHT - 1, rx: 5 };
    this.svg = s(
      "svg",
      { class: "kv-cell", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
      s("rect", { class: "kv-cell-ground", ...box }),
      ...[this.zero, this.base, this.spline, this.curve, this.drop, this.dot],
    );
    this.element = h("td", {}, this.svg, this.value, this.sum);
  }

  draw(edge: EdgeFrame | null, reading: Reading): void {
    this.svg.dataset.state = edge?.state ?? "pruned";
    if (edge === null) return; // of a network too large to draw all of it
    this.svg.dataset.edge = `${edge.layer},${edge.i},${edge.j}`;
    this.drawCurves(edge, reading);
    this.write(edge, reading);
  }

  private drawCurves(edge: EdgeFrame, { x, value, parts, range }: Reading): void {
    const { curve_x } = edge;
    // A removed function adds nothing, whatever it keeps for the day it comes back.
    const curve_y = edge.state === "pruned" ? edge.curve_y.map(() => 0) : edge.curve_y;
    const [low, high] = roomy(extent(curve_x), 0);
    const split = parts && splitCurves(curve_x, parts);
    const [least, most] = roomy(range ?? extent(curve_y, ...(split ?? []), [value]), 0.06);
    const across = linear(low, high, EDGE, WIDTH - EDGE);
    const up = linear(least, most, HEIGHT - EDGE, EDGE);
    // For whoever wants to know where the curve is drawn.
    assign(this.svg, { "data-x": `${low} ${high}`, "data-y": `${least} ${most}` });
    const path = (y: ArrayLike<number>): string => pathOf(curve_x, y, across, up);
    this.curve.setAttribute("d", path(curve_y));
    this.base.setAttribute("d", split ? path(split[0]) : "");
    this.spline.setAttribute("d", split ? path(split[1]) : "");
    const level = least < 0 && most > 0 ? up(0) : null;
    this.zero.setAttribute("d", level === null ? "" : `M${EDGE} ${level}H${WIDTH - EDGE}`);
    const at = Math.min(Math.max(across(x), EDGE), WIDTH - EDGE);
    const height = Math.min(Math.max(up(value), EDGE), HEIGHT - EDGE);
    assign(this.dot, { cx: at, cy: height });
    this.dot.classList.toggle("kv-dot-beyond", x < low || x > high);
    this.drop.setAttribute("d", `M${at} ${HEIGHT - 2}V${height}`);
  }

  private write(edge: EdgeFrame, { x, value, parts, decimals }: Reading): void {
    const shown = edge.state === "pruned" ? "0, removed" : fixed(value, decimals);
    write(this.value, shown);
    this.value.title = String(value);
    const two = parts ? [parts.base(x), parts.spline(x)] : [];
    const sum = two
      .map((part) => fixed(part, decimals))
      .join(" + ")
      .replace("+ \u2212", "\u2212 ");
    write(this.sum, edge.state === "symbolic" ? (edge.formula ?? "") : sum);
    this.sum.title = edge.formula ?? two.join(" + ");
    const words = parts ? `, base part ${short(two[0])} plus spline part ${short(two[1])}` : "";
    this.svg.setAttribute("aria-label", `${this.name}: ${shown} at ${short(x)}${words}`);
  }
}

/** The base part and the spline part along a curve. */
function splitCurves(x: ArrayLike<number>, parts: Parts): [Float64Array, Float64Array] {
  return [Float64Array.from(x, parts.base), Float64Array.from(x, parts.spline)];
}

// What the functions of one layer do with a value: whole, and as base part plus spline part.

/** A function split in two; null for one that has no such parts, as a formula or one removed. */
export interface Parts {
  base: (x: number) => number;
  spline: (x: number) => number;
}

/** The layer with only one kind of weight left: that of the base function, or all others. */
function only(layer: LayerRecipe, wantsBase: boolean): LayerMaker {
  const width = featureCount(layer);
  const weight = layer.weight.map((value, at) => {
    const feature = Math.floor(at / layer.outputs) % width;
    return (feature === width - 1) === wantsBase ? value : 0;
  });
  return new LayerMaker({ ...layer, weight, formulas: [] });
}

/** Returns what splits the functions of a layer; null where it has no base function. */
export function splitter(layer: LayerRecipe): ((i: number, j: number) => Parts) | null {
  if (layer.base === "zero") return null;
  const base = only(layer, true);
  const spline = only(layer, false);
  return (i, j) => ({
    base: (x) => base.curve(i, j, [x])[0],
    spline: (x) => spline.curve(i, j, [x])[0],
  });
}

/** The values at a layer for one row of inputs in the user's units. */
interface Through {
  /** At its input nodes. */
  inputs: number[];
  /** (inputs, outputs) row by row: what each function gives. */
  terms: number[];
  /** At its output nodes: the sums of the columns. */
  sums: number[];
}

export function through(recipe: Recipe, layer: number, row: ArrayLike<number>): Through {
  const { nodes, edges } = probe(recipe, row);
  return { inputs: nodes[layer], terms: edges[layer], sums: nodes[layer + 1] };
}

/** Decimals that write the largest of some numbers with four digits, so that sums can be checked. */
export function decimalsFor(values: readonly number[]): number {
  const most = Math.max(...values.map(Math.abs).filter(Number.isFinite), 0);
  const whole = most > 0 ? Math.floor(Math.log10(most)) + 1 : 1;
  return Math.min(Math.max(4 - whole, 0), 6);
}

/** Writes a number with so many decimals and a sign as wide as a plus. */
export function fixed(value: number, decimals: number): string {
  if (!Number.isFinite(value)) return "–";
  const text = value.toFixed(decimals);
  return (Number(text) === 0 ? text.replace("-", "") : text).replace("-", "\u2212");
}
