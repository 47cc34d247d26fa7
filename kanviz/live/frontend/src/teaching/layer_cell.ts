/** One function of a layer as a small plot with its value, and the two parts of that. */
import { assign, h, s, write } from "../panels/dom";
import { pathOf } from "../panels/curve_plot";
import { extent, linear, roomy, short } from "../panels/numbers";
import type { EdgeFrame } from "./frames";
import { fixed, type Parts } from "./layer_values";

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

export class LayerCell {
  readonly element: HTMLTableCellElement;
  private readonly svg: SVGSVGElement;
  private readonly zero = s("path", { class: "kt-zero" });
  private readonly base = s("path", { class: "kt-base" });
  private readonly spline = s("path", { class: "kt-spline-part" });
  private readonly curve = s("path", { class: "kt-phi" });
  private readonly drop = s("path", { class: "kt-drop" });
  private readonly dot = s("circle", { class: "kt-dot", r: 4 });
  private readonly value = h("div", { class: "kt-phi-value" });
  private readonly sum = h("div", { class: "kt-parts" });

  constructor(private readonly name: string) {
    const box = { x: 0.5, y: 0.5, width: WIDTH - 1, height: HEIGHT - 1, rx: 5 };
    this.svg = s(
      "svg",
      { class: "kt-cell", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
      s("rect", { class: "kt-ground", ...box }),
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
    this.dot.classList.toggle("kt-beyond", x < low || x > high);
    this.drop.setAttribute("d", `M${at} ${HEIGHT - 2}V${height}`);
  }

  private write(edge: EdgeFrame, { x, value, parts, decimals }: Reading): void {
    const shown = edge.state === "pruned" ? "0, removed" : fixed(value, decimals);
    write(this.value, shown);
    this.value.title = String(value);
    const two = parts ? [parts.base(x), parts.spline(x)] : [];
    const sum = two.map((part) => fixed(part, decimals)).join(" + ").replace("+ \u2212", "\u2212 ");
    write(this.sum, edge.state === "symbolic" ? (edge.formula ?? "") : sum);
    this.sum.title = edge.formula ?? two.join(" + ");
    const words = parts ? `, base part ${short(two[0])} plus spline part ${short(two[1])}` : "";
    this.svg.setAttribute("aria-label", `${this.name}: ${shown} at ${short(x)}${words}`);
  }
}

/** The base part and the spline part along a curve. */
export function splitCurves(x: ArrayLike<number>, parts: Parts): [Float64Array, Float64Array] {
  return [Float64Array.from(x, parts.base), Float64Array.from(x, parts.spline)];
}
