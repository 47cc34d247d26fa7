/**
 * A film of a network, and the staircase of grid extension, which is one with its losses beside.
 */

import type { Scene } from "../contract";
import { Curves } from "../diagram/curves";
import { HOME } from "../diagram/gestures";
import {
  type Layout,
  layout,
  type Places,
  placesOf,
  sensibleCount,
  strongest,
} from "../diagram/layout";
import { NO_MARKS, paintEdges } from "../diagram/painter";
import { SvgPen } from "../diagram/pen";
import { Captions, NodeWords } from "../diagram/words";
import { assign, h, s, wantsStill, write } from "../ui/dom";
import { draggable } from "../ui/drag";
import type { Life } from "../ui/life";
import { LossChart, MARGIN } from "../ui/loss_chart";
import { short } from "../ui/numbers";
import { Palette } from "../ui/theme";
import { Frame } from "./frame";
import { EMPTY, scenesOf } from "./frames";
import { Scrubber } from "./playing";
import type { Stage } from "./stage";

/** Heights of the losses below a film, and beside it. */
const BELOW = 130;
const BESIDE = 300;

export function film({ root, shared, life, onTheme }: Stage): void {
  const text = shared.get<string | null>("frames");
  const scenes = text ? scenesOf(text) : [];
  const captions = shared.get<string[]>("captions");
  const shown = shared.get<number[]>("shown");
  const chart = shared.get<Chart | null>("chart");
  const isStaircase = (chart?.marks.length ?? 0) > 0;
  const missing = shared.get<Missing | undefined>("left");

  const picture = scenes.length ? new NetPicture(life, scenes[scenes.length - 1]) : null;
  const losses = chart
    ? new LossLines(life, chart, isStaircase ? BESIDE : BELOW, (at) => scrubber.go(at))
    : null;
  const left = missing ? new LeftOver(life, missing) : null;
  const label = shared.get<string>("label");
  const reel = { count: captions.length, label, caption: (at: number) => captions[at] };
  const scrubber = new Scrubber(life, reel, (at) => {
    picture?.show(scenes[shown[at]], captions[at]);
    losses?.show(at);
    left?.show(at);
  });

  const seen = [picture?.element, left?.element].filter((part) => part !== undefined);
  const stack = seen.length ? h("div", { class: "kv-film-seen" }, ...seen) : undefined;
  const parts = [stack, losses?.element].filter((part) => part !== undefined);
  const body = h("div", { class: isStaircase && stack ? "kv-film kv-beside" : "kv-film" });
  body.append(...parts);
  root.setAttribute("aria-label", isStaircase ? "Grid extension" : "Film of a network");
  root.append(scrubber.caption, body, scrubber.element);
  if (picture) onTheme(() => picture.recolor());
  scrubber.go(0);
}

/** What Python sends of the losses; see kanviz/course/teaching/film.py. */
interface Chart {
  steps: number[];
  /** One number per step, by name. */
  lines: Record<string, number[]>;
  /** First steps of grid levels. */
  marks: { step: number; grid: number }[];
}

/** What Python sends of what is left: rows of input and target less output, for some steps. */
interface Missing {
  rows: [x: number, missing: number][][];
  /** Which of them is shown at each step. */
  shown: number[];
}

/** Height of the picture of what is left. */
const LEFT_OVER = 132;

/** What the network misses, drawn as large as it is small: its scale follows it. */
class LeftOver {
  readonly element: HTMLElement;
  private readonly frame = new Frame("left", 24);
  private readonly dots = s("path", { class: "kv-left-dots" });
  private readonly zero = s("path", { class: "kv-cursor" });
  private readonly scale = h("p", { class: "kv-left-scale" });
  private at = 0;

  constructor(
    life: Life,
    private readonly missing: Missing,
  ) {
    this.frame.inside.append(this.zero, this.dots);
    this.element = h("div", { class: "kv-left" }, this.scale, this.frame.element);
    life.resized(this.element, () => this.draw());
  }

  show(at: number): void {
    this.at = at;
    this.draw();
  }

  private draw(): void {
    const width = this.element.clientWidth;
    const { rows, shown } = this.missing;
    const now = rows[shown[this.at]];
    const most = Math.max(...now.map(([, missing]) => Math.abs(missing))) || 1;
    const power = 10 ** Math.floor(Math.log10(most));
    const unit = power === 1 ? "" : `, in units of ${power.toExponential(0)}`;
    write(this.scale, `What is left: target less network${unit}`);
    assign(this.frame.element, { role: "img", "aria-label": this.scale.textContent ?? "" });
    if (!width) return;
    const xs = now.map(([x]) => x);
    const across = [Math.min(...xs), Math.max(...xs)] as const;
    // In units of the power of ten that the line above tells, so that the numbers stay short.
    const high = (1.1 * most) / power;
    this.frame.show(width, LEFT_OVER, across, [-high, high]);
    const { frame } = this;
    const dot = ([x, missing]: readonly [number, number]): string =>
      `M${frame.place(x, missing / power)}h0`;
    this.dots.setAttribute("d", now.map(dot).join(""));
    this.zero.setAttribute(
      "d",
      frame.path([
        [across[0], 0],
        [across[1], 0],
      ]),
    );
  }
}

/** Pixels that the text of a grid level needs. */
const TEXT = 46;

/** The losses, with a mark at the present frame and where the grid got finer. */
class LossLines {
  readonly element: HTMLElement;
  private readonly chart: LossChart;

  constructor(
    life: Life,
    private readonly losses: Chart,
    height: number,
    pick: (at: number) => void,
  ) {
    this.chart = new LossChart({ height, lifts: true, dots: true });
    const names = Object.keys(losses.lines);
    const keys = names.map((name, n) =>
      h(
        "span",
        { class: `kv-line-key kv-line-key-${n}` },
        s("svg", {}, s("path", { d: "M0 5h22" })),
        name,
      ),
    );
    const { element } = this.chart;
    this.element = h(
      "div",
      { class: "kv-film-losses" },
      element,
      h("p", { class: "kv-line-keys" }, ...keys),
    );
    draggable(element, (press) => {
      const move = (event: MouseEvent): void => pick(this.chart.placeOf(event));
      move(press);
      return { move };
    });
    life.resized(element, () => this.draw());
  }

  /** Puts the mark at a frame. */
  show(at: number): void {
    const { steps, lines } = this.losses;
    const values = Object.entries(lines).map(([name, all]) => `${name} ${short(all[at])}`);
    const said = `${values.join(", ")} at step ${steps[at]}`;
    this.chart.describe(`Losses on a logarithmic axis: ${said}`);
    this.chart.point(at);
  }

  private draw(): void {
    const { steps, lines } = this.losses;
    const isSeen = this.chart.draw({ step: steps, lines: Object.values(lines), name: "loss" });
    if (isSeen) this.chart.signs.replaceChildren(...this.gridLevels());
  }

  private gridLevels(): SVGElement[] {
    const { scale } = this.chart;
    const parts: SVGElement[] = [];
    let free = -Infinity;
    this.losses.marks.forEach(({ step, grid }, n) => {
      const x = scale.x(step);
      if (n > 0) {
        const down = scale.height - MARGIN.bottom;
        parts.push(s("path", { class: "kv-refined", d: `M${x} ${MARGIN.top - 4}V${down}` }));
      }
      const left = Math.min(x, scale.width - TEXT);
      if (left < free) return; // the line stays, its text would cover the one before
      free = left + TEXT;
      parts.push(s("text", { class: "kv-grid-size", x: left, y: 12 }, `G = ${grid}`));
    });
    return parts;
  }
}

// A picture of a network that glides from one moment to the next; drawn as the diagram is.

/** Height by width, and in pixels for one band of edges more than another. */
const LOWEST = 250;
const BAND = 165;

class NetPicture {
  readonly element: HTMLElement;
  private scene = EMPTY;
  private readonly palette = new Palette();
  private readonly curves = new Curves();
  private readonly words = new NodeWords();
  private readonly captions = new Captions();
  private readonly paint = s("g");
  private readonly nodes = s("g");
  private readonly pen = new SvgPen(this.paint);
  private readonly svg: SVGSVGElement;
  private readonly nextFrame: () => void;
  private layout: Layout = { width: 0, height: 0, places: [], nodes: [], edges: [] };
  private places: Places = [];

  /** `last` decides how the nodes stand: there the network is most worth reading. */
  constructor(
    life: Life,
    private readonly last: Scene,
  ) {
    this.svg = s("svg", { class: "kv-net-svg", role: "img" });
    this.svg.append(this.paint, this.nodes, this.words.group);
    this.element = h("div", { class: "kv-net" }, this.svg, this.captions.element);
    this.nextFrame = life.paced(() => this.draw(performance.now()));
    life.resized(this.element, () => this.arrange());
  }

  /** Goes to another moment; `words` say what is seen. */
  show(scene: Scene, words: string): void {
    const isFirst = !this.layout.width;
    this.scene = scene;
    this.svg.setAttribute("aria-label", `Network [${scene.widths.join(", ")}]. ${words}`);
    const still = isFirst || wantsStill();
    this.curves.aim(scene, performance.now(), () => still);
    this.arrange();
  }

  /** Reads the colours again. */
  recolor(): void {
    if (this.palette.read(this.element)) this.nextFrame();
  }

  private arrange(): void {
    const { scene } = this;
    const width = this.element.clientWidth;
    if (!width || !scene.widths.length) return;
    const size = { width, height: LOWEST + BAND * (scene.widths.length - 2) };
    this.places = this.placesIn(scene);
    const count = sensibleCount(this.last, size, this.placesIn(this.last));
    this.layout = layout(scene, size, this.places, strongest(scene, count));
    assign(this.svg, { viewBox: `0 0 ${size.width} ${size.height}`, height: size.height });
    this.nextFrame();
  }

  private placesIn(scene: Scene): Places {
    // As at the end, where they can: nodes stay while a film runs.
    const isLike = String(scene.widths) === String(this.last.widths);
    return placesOf(isLike ? this.last : scene);
  }

  private draw(now: number): void {
    const isMoving = this.curves.step(now);
    const { layout: shown, curves, palette } = this;
    this.pen.begin();
    paintEdges(this.pen, {
      ...{ shapes: shown.edges, curves, palette, scale: 1, marks: NO_MARKS },
      ...{ sampleAt: null, seenAt: (view) => view.sample_x, probed: null },
    });
    this.pen.end();
    this.drawNodes();
    this.words.draw(this.scene, shown, HOME, null);
    this.captions.draw(shown, HOME);
    if (isMoving) this.nextFrame();
  }

  private drawNodes(): void {
    const circles = this.layout.nodes.map(({ x, y, radius, live }) =>
      s("circle", {
        class: live ? "kv-film-node" : "kv-film-node kv-film-bare",
        cx: x,
        cy: y,
        r: radius,
      }),
    );
    this.nodes.replaceChildren(...circles);
  }
}
