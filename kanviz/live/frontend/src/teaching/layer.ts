/** A layer as a matrix of functions: a row per input, a column per output, sums below. */
import type { Recipe } from "../contract";
import { h, s, write } from "../panels/dom";
import { field, slider } from "../panels/fields";
import { extent, short } from "../panels/numbers";
import { unpacked, type EdgeFrame } from "./frames";
import { LayerCell, splitCurves } from "./layer_cell";
import { decimalsFor, fixed, splitter, through, type Parts, type Through } from "./layer_values";
import { scrolling } from "./scrubber";
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
  readonly table = h("table", { class: "kt-matrix" });
  readonly note = h("p", { class: "kt-note" });
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
    this.values = from.map(() => h("span", { class: "kt-node-value" }));
    this.sums = to.map(() => h("td", { class: "kt-sum" }));
    const ends = to.map((name) => h("th", { scope: "col" }, `to ${name}`));
    const rows = from.map((name, i) => {
      const head = h("th", { scope: "row" }, h("span", {}, name), this.values[i]);
      return h("tr", {}, head, ...this.cells[i].map((cell) => cell.element));
    });
    const foot = h("tr", {}, h("th", { scope: "row" }, "sum"), ...this.sums);
    const corner = h("td", { class: "kt-corner" }, "from");
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
      cell.append(h("div", { class: "kt-parts" }, `${short(sum * scale + shift, 4)} in your units`));
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
  readonly element = h("div", { class: "kt-row" });
  private knobs: { input: HTMLInputElement; shown: HTMLElement }[] = [];
  private shape = "";

  constructor(private readonly moved: (row: number[]) => void) {}

  draw({ inputs, ranges }: LayerRecord, row: number[]): void {
    const shape = [inputs, ranges].join("|");
    if (shape !== this.shape) {
      this.knobs = inputs.map((name, n) => this.knob(name, ranges[n]));
      const fields = this.knobs.map(({ input, shown }, n) => field(inputs[n], input, shown));
      this.element.replaceChildren(...fields);
    }
    this.shape = shape;
    this.knobs.forEach(({ input, shown }, n) => {
      if (Number(input.value) !== row[n]) input.value = String(row[n]);
      write(shown, fixed(row[n], 3));
      input.setAttribute("aria-valuetext", fixed(row[n], 3));
    });
  }

  private knob(name: string, [low, high]: [number, number]): (typeof this.knobs)[number] {
    const moved = (): void => this.moved(this.knobs.map(({ input: each }) => Number(each.value)));
    const step = (high - low) / 200 || "any";
    const input = slider({ low, high, step: "any", value: low }, moved);
    input.setAttribute("aria-label", name);
    input.addEventListener("keydown", (event) => {
      const sign = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1 }[event.key];
      if (sign === undefined || step === "any") return;
      event.preventDefault(); // "any" keeps exact numbers; keys then need steps of our own
      const wanted = Number(input.value) + sign * step * (event.shiftKey ? 10 : 1);
      input.value = String(Math.min(high, Math.max(low, wanted)));
      moved();
    });
    return { input, shown: h("output", { class: "kv-value" }) };
  }
}

function box(text: string, isOn: boolean, changed: () => void): [HTMLElement, HTMLInputElement] {
  const input = h("input", { type: "checkbox", checked: isOn });
  input.addEventListener("change", changed);
  return [h("label", { class: "kt-choice" }, input, text), input];
}

/** What the lines in the plots are. */
function legend(): HTMLElement {
  const names = [
    ["kt-phi", "function"],
    ["kt-base", "base part"],
    ["kt-spline-part", "spline part"],
  ];
  const keys = names.map(([kind, text]) =>
    h("span", { class: "kt-key" }, s("svg", {}, s("path", { class: kind, d: "M0 5h22" })), text),
  );
  return h("span", { class: "kt-keys" }, ...keys);
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
  const choices = h("div", { class: "kt-choices" }, partsBox, sameBox, keys);
  root.setAttribute("aria-label", "One layer as a matrix of functions");
  const table = scrolling(matrix.table, "Functions of the layer");
  root.append(row.element, choices, table, matrix.note);
  shared.onChange(draw);
  draw();
}
