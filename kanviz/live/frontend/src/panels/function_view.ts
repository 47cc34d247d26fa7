/** The function itself, of one input as a curve with its data, of two as a map with contours. */

import type { Scene } from "../contract";
import { outputs } from "../math/evaluate";
import { nameAndUnit } from "../names";
import { nodeName } from "../scene";
import type { Store } from "../store";
import { pathOf } from "../ui/curve_plot";
import { assign, h, isShown, s, section, write } from "../ui/dom";
import { choice, field, setChoices } from "../ui/fields";
import type { Life } from "../ui/life";
import { extent, labels, linear, roomy, type Scale } from "../ui/numbers";
import { type Name, onTheme, Palette } from "../ui/theme";
import { Sample } from "./sample";

const WIDTH = 380;
const HEIGHT = 260;
const [LEFT, RIGHT, TOP, BOTTOM] = [52, WIDTH - 10, 10, HEIGHT - 40];
/** Points of a curve, and of a map to each side. */
const FINE = 161;
const SIDE = 44;
/** Lines of equal height. */
const LEVELS = 7;
/** Milliseconds of rest before it is computed anew. */
const REST = 120;
/** Colours of classes, in their order. */
const CLASSES: readonly Name[] = ["spline", "symbolic", "accent", "good", "muted", "warn"];

export class FunctionView {
  readonly element: HTMLElement;
  readonly #pick = choice([], () => this.#draw());
  readonly #which: HTMLElement;
  readonly #map = h("canvas", { class: "kv-map", width: SIDE, height: SIDE });
  readonly #axes = s("g", { class: "kv-axes" });
  readonly #lines = s("g", { class: "kv-contours" });
  readonly #curve = s("path", { class: "kv-curve" });
  readonly #dots = s("g", { class: "kv-seen" });
  readonly #across = s("text", { class: "kv-axis-title", "text-anchor": "middle" });
  readonly #up = s("text", { class: "kv-axis-title", "text-anchor": "middle" });
  readonly #svg: SVGSVGElement;
  readonly #key = h("p", { class: "kv-legend" });
  readonly #palette = new Palette();
  #drawn = "";

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    assign(this.#across, { x: (LEFT + RIGHT) / 2, y: HEIGHT - 5 });
    assign(this.#up, { transform: `translate(12 ${(TOP + BOTTOM) / 2}) rotate(-90)` });
    const box = { x: LEFT, y: TOP, width: RIGHT - LEFT, height: BOTTOM - TOP };
    const inside = s(
      "svg",
      { ...box, viewBox: `${LEFT} ${TOP} ${RIGHT - LEFT} ${BOTTOM - TOP}` },
      ...[this.#lines, this.#dots, this.#curve],
    );
    this.#svg = s(
      "svg",
      { class: "kv-plot kv-function-plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
      ...[this.#axes, inside, this.#across, this.#up],
    );
    this.#which = field("Output", this.#pick);
    const plot = h("div", { class: "kv-function-view" }, this.#map, this.#svg);
    this.element = section("The function", this.#which, plot, this.#key);
    const later = life.later(() => this.#draw(), REST);
    life.follow(store.version, later);
    life.resized(this.element, () => this.#draw());
    onTheme(life, () => {
      this.#drawn = "";
      later();
    });
    this.element.hidden = !isSmall(store.scene.peek());
  }

  /** Draws it where it can be seen, and only what is another than before. */
  #draw(): void {
    const scene = this.store.scene.peek();
    this.element.hidden = !isSmall(scene);
    if (this.element.hidden || !isShown(this.element)) return;
    this.#palette.read(this.element);
    this.#offer(scene);
    const output = Number(this.#pick.value) || 0;
    const stamp = `${scene.version} ${output}`;
    if (stamp === this.#drawn) return;
    this.#drawn = stamp;
    const isCurve = scene.widths[0] === 1;
    this.#map.hidden = isCurve;
    this.#svg.classList.toggle("kv-has-map", !isCurve);
    if (isCurve) this.#drawCurve(scene, output);
    else this.#drawMap(scene, output);
  }

  #offer(scene: Scene): void {
    const last = scene.widths.length - 1;
    const names = Array.from({ length: scene.widths[last] }, (_, j) => nodeName(scene, last, j));
    this.#which.hidden = names.length < 2 || areClasses(scene);
    setChoices(
      this.#pick,
      names.map((_, j) => String(j)),
      names,
    );
  }

  #drawCurve(scene: Scene, output: number): void {
    const sample = new Sample(scene);
    const [low, high] = sample.range(0);
    const x = Float64Array.from({ length: FINE }, (_, n) => low + ((high - low) * n) / (FINE - 1));
    const width = scene.widths[scene.widths.length - 1];
    const all = outputs(scene.recipe!, x);
    const y = x.map((_, n) => all[n * width + output]);
    const hasTargets = sample.outputs === width;
    const seen = hasTargets ? sample.column(1 + output) : new Float64Array(0);
    const across = linear(...roomy([low, high], 0.03), LEFT, RIGHT);
    const up = linear(...roomy(extent(y, seen), 0.06), BOTTOM, TOP);
    this.#curve.setAttribute("d", pathOf(x, y, across, up));
    this.#lines.replaceChildren();
    const points = hasTargets ? dotsAt(sample.column(0), seen, across, up) : "";
    this.#dots.replaceChildren(s("path", { d: points, class: "kv-samples" }));
    const name = nodeName(scene, scene.widths.length - 1, output);
    this.#drawAxes(across, up, nodeName(scene, 0, 0), name);
    this.#svg.setAttribute("aria-label", `${name} against ${nodeName(scene, 0, 0)}`);
    write(this.#key, hasTargets ? "Dots are the data." : "");
  }

  #drawMap(scene: Scene, output: number): void {
    const sample = new Sample(scene);
    const ranges = [sample.range(0), sample.range(1)];
    const place = (axis: number, n: number): number =>
      ranges[axis][0] + ((ranges[axis][1] - ranges[axis][0]) * (n + 0.5)) / SIDE;
    const grid = new Float64Array(2 * SIDE * SIDE);
    for (let at = 0; at < SIDE * SIDE; at++) {
      grid[2 * at] = place(0, at % SIDE);
      grid[2 * at + 1] = place(1, Math.floor(at / SIDE));
    }
    const width = scene.widths[scene.widths.length - 1];
    const all = outputs(scene.recipe!, grid);
    const across = linear(...ranges[0], LEFT, RIGHT);
    const up = linear(...ranges[1], BOTTOM, TOP);
    const [first, second] = [nodeName(scene, 0, 0), nodeName(scene, 0, 1)];
    this.#curve.setAttribute("d", "");
    this.#drawAxes(across, up, first, second);
    if (areClasses(scene)) this.#drawRegions(scene, sample, all, width, [across, up]);
    else {
      const heights = Float64Array.from(
        { length: SIDE * SIDE },
        (_, at) => all[at * width + output],
      );
      this.#drawHeights(scene, sample, heights, output, [across, up]);
    }
    this.#svg.setAttribute("aria-label", `The output over ${first} and ${second}`);
  }

  #drawHeights(
    scene: Scene,
    sample: Sample,
    heights: Float64Array,
    output: number,
    [across, up]: [Scale, Scale],
  ): void {
    const [low, high] = extent(heights) ?? [0, 1];
    const shade = (value: number): number =>
      Math.min(Math.max((value - low) / (high - low || 1), 0), 1);
    const steps = Array.from({ length: 65 }, (_, n) =>
      this.#palette.mix("spline", 0.06 + (0.9 * n) / 64, "panel"),
    );
    const colorOf = (value: number): string => steps[Math.round(64 * shade(value))];
    this.#paint((at) => colorOf(heights[at]));
    const px = (n: number): number => LEFT + ((n + 0.5) * (RIGHT - LEFT)) / SIDE;
    const py = (n: number): number => BOTTOM - ((n + 0.5) * (BOTTOM - TOP)) / SIDE;
    const found = labels(low, high, LEVELS);
    this.#lines.replaceChildren(
      ...found.map(({ value }) => s("path", { d: contour(heights, SIDE, value, px, py) })),
    );
    const width = scene.widths[scene.widths.length - 1];
    const hasTargets = sample.outputs === width;
    const made = hasTargets
      ? Array.from({ length: sample.rows }, (_, row) => {
          const [x, y] = [across(sample.at(row, 0)), up(sample.at(row, 1))];
          return s("circle", { cx: x, cy: y, r: 2.4, fill: colorOf(sample.at(row, 2 + output)) });
        })
      : [];
    this.#dots.replaceChildren(...made);
    const { name, unit } = nameAndUnit(nodeName(scene, scene.widths.length - 1, output));
    const levels = found.map(({ text }) => text).join(", ");
    const dots = hasTargets ? " Dots are the data, coloured by what was measured." : "";
    write(
      this.#key,
      `${name}: lines at ${levels}${unit ? ` ${unit}` : ""}; darker is more.${dots}`,
    );
  }

  #drawRegions(
    scene: Scene,
    sample: Sample,
    scores: Float64Array,
    width: number,
    [across, up]: [Scale, Scale],
  ): void {
    const winner = (at: number): number => {
      let best = 0;
      for (let j = 1; j < width; j++)
        if (scores[at * width + j] > scores[at * width + best]) best = j;
      return best;
    };
    const color = (kind: number, share: number): string =>
      this.#palette.mix(CLASSES[kind % CLASSES.length], share, "paper");
    this.#paint((at) => color(winner(at), 0.28));
    this.#lines.replaceChildren();
    const made = Array.from({ length: sample.rows }, (_, row) => {
      const [x, y] = [across(sample.at(row, 0)), up(sample.at(row, 1))];
      return s("circle", { cx: x, cy: y, r: 3, fill: color(sample.at(row, 2), 1) });
    });
    this.#dots.replaceChildren(...made);
    const last = scene.widths.length - 1;
    const names = Array.from({ length: width }, (_, j) => {
      const mark = h("i", { class: "kv-class" });
      mark.style.background = color(j, 1);
      return h("span", {}, mark, nodeName(scene, last, j));
    });
    this.#key.replaceChildren(...names);
  }

  /** Colours the map, its first row at the bottom. */
  #paint(colorOf: (at: number) => string): void {
    const context = this.#map.getContext?.("2d");
    if (!context) return;
    for (let at = 0; at < SIDE * SIDE; at++) {
      context.fillStyle = colorOf(at);
      context.fillRect(at % SIDE, SIDE - 1 - Math.floor(at / SIDE), 1, 1);
    }
  }

  #drawAxes(across: Scale, up: Scale, below: string, beside: string): void {
    const ground = s("rect", {
      class: "kv-plot-ground",
      ...{ x: LEFT, y: TOP, width: RIGHT - LEFT, height: BOTTOM - TOP },
    });
    const bottom = labels(across.low, across.high, 5).map(({ value, text }) =>
      s("text", { x: across(value), y: BOTTOM + 16, "text-anchor": "middle" }, text),
    );
    const left = labels(up.low, up.high, 4).map(({ value, text }) =>
      s("text", { x: LEFT - 7, y: up(value) + 4, "text-anchor": "end" }, text),
    );
    this.#axes.replaceChildren(ground, ...bottom, ...left);
    write(this.#across, axisName(below));
    write(this.#up, axisName(beside));
  }
}

const axisName = (label: string): string => {
  const { name, unit } = nameAndUnit(label);
  return unit ? `${name} [${unit}]` : name;
};

/** Whether a picture of the whole function fits on paper. */
const isSmall = ({ widths, recipe }: Scene): boolean => widths[0] <= 2 && recipe !== null;

const areClasses = ({ error, widths, sample, target }: Scene): boolean =>
  error.name === "accuracy" ||
  (widths[widths.length - 1] > 1 &&
    target.length * widths[0] === sample.length &&
    target.length > 0);

function dotsAt(x: Float64Array, y: Float64Array, across: Scale, up: Scale): string {
  let d = "";
  for (let n = 0; n < x.length; n++) d += `M${across(x[n]).toFixed(1)} ${up(y[n]).toFixed(1)}h0`;
  return d;
}

/**
 * The lines where a table of heights, row by row, is at a level: in each square of four neighbours
 * from side to side where it crosses (marching squares; Lorensen and Cline, 1987, in the plane).
 */
export function contour(
  heights: ArrayLike<number>,
  side: number,
  level: number,
  px: (n: number) => number,
  py: (n: number) => number,
): string {
  let d = "";
  for (let row = 0; row + 1 < side; row++) {
    for (let column = 0; column + 1 < side; column++) {
      const at = row * side + column;
      const corners = [heights[at], heights[at + 1], heights[at + side + 1], heights[at + side]];
      const places: [number, number][] = [
        ...([
          [0, 0],
          [1, 0],
          [1, 1],
          [0, 1],
        ] as [number, number][]),
      ];
      const crossings: string[] = [];
      for (let n = 0; n < 4; n++) {
        const [a, b] = [corners[n], corners[(n + 1) % 4]];
        if (a < level === b < level) continue;
        const share = (level - a) / (b - a);
        const [[x0, y0], [x1, y1]] = [places[n], places[(n + 1) % 4]];
        const x = px(column + x0 + share * (x1 - x0));
        const y = py(row + y0 + share * (y1 - y0));
        crossings.push(`${x.toFixed(1)} ${y.toFixed(1)}`);
      }
      for (let n = 0; n + 1 < crossings.length; n += 2) d += `M${crossings[n]}L${crossings[n + 1]}`;
    }
  }
  return d;
}
