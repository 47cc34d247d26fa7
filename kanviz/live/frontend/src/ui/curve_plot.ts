/** The open edge, large: axes, knots, the data on the curve, the curve, and a preview over it. */

import type { EdgeView } from "../contract";
import { nodeName, sameEdge } from "../scene";
import type { Store } from "../store";
import { assign, s, write } from "./dom";
import { extent, labels, linear, rangeText, roomy, rounded, type Scale } from "./numbers";

const WIDTH = 380;
const HEIGHT = 250;
const LEFT = 48;
const TOP = 10;
const INNER_WIDTH = WIDTH - LEFT - 12;
const INNER_HEIGHT = HEIGHT - TOP - 40;

export interface CurvePlot {
  readonly element: SVGSVGElement;
  /** Above all else, in the same units as the scales; for handles and strokes. */
  readonly top: SVGGElement;
  x: Scale;
  y: Scale;
  /** While true the ranges stand still, so that a dragged point stays under the pointer. */
  held: boolean;
  draw(): void;
  /** Where a pointer is, in the edge's units. */
  at(event: MouseEvent): [x: number, y: number];
}

/** Returns the path through points, lifting the pen where a number is missing. */
export function pathOf(
  x: ArrayLike<number>,
  y: ArrayLike<number>,
  across: Scale,
  up: Scale,
): string {
  const parts: string[] = [];
  let pen = "M";
  for (let n = 0; n < x.length; n++) {
    if (!Number.isFinite(y[n])) pen = "M";
    else {
      parts.push(`${pen}${across(x[n]).toFixed(1)} ${up(y[n]).toFixed(1)}`);
      pen = "L";
    }
  }
  return parts.join("");
}

/** Heights that differ by rounding alone are one height, or its last digits would fill the plot. */
function level(range: [number, number] | null): [number, number] | null {
  if (range === null) return null;
  const [low, high] = range;
  const middle = (low + high) / 2;
  return high - low > ROUNDING * Math.abs(middle) ? range : [middle, middle];
}

const ROUNDING = 1e-6;

class Plot implements CurvePlot {
  readonly top = s("g", { class: "kv-plot-top" });
  x = linear(-1, 1, LEFT, LEFT + INNER_WIDTH);
  y = linear(-1, 1, TOP + INNER_HEIGHT, TOP);
  held = false;
  readonly element: SVGSVGElement;
  readonly #axes = s("g", { class: "kv-axes" });
  readonly #zero = s("path", { class: "kv-zero" });
  readonly #knots = s("path", { class: "kv-knots" });
  readonly #samples = s("path", { class: "kv-samples" });
  readonly #polygon = s("path", { class: "kv-polygon" });
  readonly #band = s("path", { class: "kv-band" });
  readonly #curve = s("path", { class: "kv-curve" });
  readonly #preview = s("path", { class: "kv-preview" });
  readonly #title = s("text", { class: "kv-axis-title", "text-anchor": "middle" });
  #axesDrawn = "";

  constructor(private readonly store: Store) {
    const box = { x: LEFT, y: TOP, width: INNER_WIDTH, height: INNER_HEIGHT };
    // An inner <svg> clips by itself: a clip path would need a name unique in the page.
    const view = s(
      "svg",
      { ...box, viewBox: `${LEFT} ${TOP} ${INNER_WIDTH} ${INNER_HEIGHT}` },
      ...[this.#band, this.#zero, this.#samples, this.#polygon, this.#curve, this.#preview],
    );
    this.element = s(
      "svg",
      { class: "kv-plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "group" },
      s("rect", { class: "kv-plot-ground", ...box }),
      ...[this.#axes, view, this.#knots, this.#title, this.top],
    );
    assign(this.#title, { x: LEFT + INNER_WIDTH / 2, y: HEIGHT - 4 });
  }

  at(event: MouseEvent): [number, number] {
    const seen = this.element.getBoundingClientRect();
    const ratio = WIDTH / (seen.width || WIDTH);
    return [
      this.x.invert((event.clientX - seen.left) * ratio),
      this.y.invert((event.clientY - seen.top) * ratio),
    ];
  }

  draw(): void {
    const view = this.store.open.value;
    if (view === null) return;
    if (!this.held) this.#fit(view);
    this.#drawAxes();
    this.#drawKnots(view);
    this.element.dataset.state = view.state;
    const through = (x: ArrayLike<number>, y: ArrayLike<number>): string =>
      pathOf(x, y, this.x, this.y);
    this.#curve.setAttribute("d", through(view.curve_x, view.curve_y));
    const rim = (sign: number): Float64Array =>
      view.curve_y.map((y, n) => y + sign * (view.band?.[n] ?? 0));
    const outline = view.band
      ? through(
          Float64Array.of(...view.curve_x, ...view.curve_x.slice().reverse()),
          Float64Array.of(...rim(1), ...rim(-1).reverse()),
        )
      : "";
    this.#band.setAttribute("d", outline && `${outline}Z`);
    const points = view.state === "spline" ? through(view.control_x, view.control_y) : "";
    this.#polygon.setAttribute("d", points);
    this.#drawSamples(view);
    const trial = this.store.preview.value;
    const shown =
      trial !== null && sameEdge(trial.edge, this.store.selected.value) ? trial.curve_y : [];
    this.#preview.setAttribute("d", shown.length ? through(view.curve_x, shown) : "");
    this.#describe(view);
  }

  #fit(view: EdgeView): void {
    const spline = view.state === "spline";
    const wide = roomy(extent(view.curve_x, spline ? view.control_x : []), 0.03);
    const [least, most] = extent(view.curve_y) ?? [0, 0];
    const reach = view.band ?? [];
    const far = Array.from(reach, (r) => Math.min(r, most - least)); // a wide one hides no curve
    const rims = far.flatMap((r, n) => [view.curve_y[n] - r, view.curve_y[n] + r]);
    const tall = extent(view.curve_y, view.sample_y, spline ? view.control_y : [], rims);
    const [low, high] = rounded(roomy(level(tall), 0.08));
    this.x = linear(wide[0], wide[1], LEFT, LEFT + INNER_WIDTH);
    this.y = linear(low, high, TOP + INNER_HEIGHT, TOP);
  }

  #drawAxes(): void {
    const ranges = [this.x.low, this.x.high, this.y.low, this.y.high].join();
    if (ranges === this.#axesDrawn) return;
    this.#axesDrawn = ranges;
    const bottom = TOP + INNER_HEIGHT;
    const below = labels(this.x.low, this.x.high, 6).map(({ value, text }) =>
      s(
        "g",
        { transform: `translate(${this.x(value)} ${bottom})` },
        s("line", { y2: 4 }),
        s("text", { y: 17, "text-anchor": "middle" }, text),
      ),
    );
    const beside = labels(this.y.low, this.y.high, 5).map(({ value, text }) =>
      s(
        "g",
        { transform: `translate(${LEFT} ${this.y(value)})` },
        s("line", { class: "kv-grid", x2: INNER_WIDTH }),
        s("text", { x: -7, y: 4, "text-anchor": "end" }, text),
      ),
    );
    this.#axes.replaceChildren(...beside, ...below);
    const level = this.y(0).toFixed(1);
    this.#zero.setAttribute("d", `M${LEFT} ${level}h${INNER_WIDTH}`);
  }

  #drawKnots(view: EdgeView): void {
    const bottom = TOP + INNER_HEIGHT;
    const inside = Array.from(view.knots).filter((x) => x >= this.x.low && x <= this.x.high);
    this.#knots.setAttribute(
      "d",
      inside.map((x) => `M${this.x(x).toFixed(1)} ${bottom}v-7`).join(""),
    );
  }

  #drawSamples(view: EdgeView): void {
    let path = "";
    for (let n = 0; n < view.sample_x.length; n++) {
      path += `M${this.x(view.sample_x[n]).toFixed(1)} ${this.y(view.sample_y[n]).toFixed(1)}h0`;
    }
    this.#samples.setAttribute("d", path);
  }

  #describe(view: EdgeView): void {
    const [low, high] = extent(view.curve_x) ?? [0, 0];
    const [least, most] = extent(view.curve_y) ?? [0, 0];
    const name = nodeName(this.store.scene.value, view.layer, view.i);
    write(this.#title, `${name}: data from ${rangeText(low, high)}`);
    const span = `x from ${rangeText(low, high)}, y from ${rangeText(least, most)}`;
    this.element.setAttribute("aria-label", `Curve of this edge: ${span}`);
  }
}

export const curvePlot = (store: Store): CurvePlot => new Plot(store);
