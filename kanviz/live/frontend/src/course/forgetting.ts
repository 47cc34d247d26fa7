/** Continual learning, phase by phase: the data, what each learner makes of them, and its errors. */

import { ridge } from "../math/least_squares";
import { pathOf } from "../ui/curve_plot";
import { assign, h, s, scrolling } from "../ui/dom";
import { choice, field } from "../ui/fields";
import type { Life } from "../ui/life";
import { extent, labels, linear, roomy, type Scale, short } from "../ui/numbers";
import { Scrubber } from "./playing";
import { basisAt, combine, evenGrid, extended } from "./splines";
import type { Stage } from "./stage";

const HEIGHT = 150;
const MARGIN = { left: 44, right: 10, top: 8, bottom: 22 };
/** How far beyond the target a prediction is drawn, as a part of the target's range. */
const BEYOND = 0.6;

/** What Python sends; see kanviz/course/teaching/forgetting.py. */
interface Peaks {
  x: number[];
  target: number[];
  windows: [number, number][];
}

/** The heights of all pictures: of the target, and of predictions unless they go far beyond. */
function heightsOf(target: number[], predictions: number[][]): [number, number] {
  const [low, high] = roomy(extent(target), BEYOND);
  const [least, most] = extent(target, ...predictions) ?? [0, 1];
  return roomy([Math.max(low, least), Math.min(high, most)], 0.06);
}

/** One learner: what it gives at x now, over the target and the data of the phase. */
class Panel {
  readonly element: HTMLElement;
  private readonly svg = s("svg", { class: "kv-forgetting-plot", role: "img" });
  private readonly axes = s("g");
  private readonly data = s("path", { class: "kv-data" });
  private readonly window = s("rect", { class: "kv-window" });
  private readonly target = s("path", { class: "kv-target" });
  private readonly guess: SVGPathElement;
  private readonly inner = s("svg");
  private at = 0;
  private x: Scale = linear(0, 1, 0, 1);
  private y: Scale = linear(0, 1, 1, 0);

  constructor(
    life: Life,
    private readonly name: string,
    nth: number,
    private phases: number[][],
    private readonly record: Peaks,
    private readonly heights: [number, number],
  ) {
    this.guess = s("path", { class: `kv-guess kv-guess-${nth}` });
    this.inner.append(this.window, this.target, this.data, this.guess);
    this.svg.append(this.axes, this.inner);
    const line = s("path", { class: `kv-guess kv-guess-${nth}`, d: "M0 5h22" });
    const title = h("h3", { class: "kv-learner" }, s("svg", {}, line), `${name}, prediction`);
    this.element = h("div", { class: "kv-learner-panel" }, title, this.svg);
    life.resized(this.element, () => this.arrange());
  }

  /** Another learner of the same name. */
  learn(phases: number[][]): void {
    this.phases = phases;
  }

  show(at: number, words: string): void {
    this.at = at;
    this.svg.setAttribute("aria-label", `${this.name} ${words}`);
    this.draw();
  }

  private arrange(): void {
    const width = this.svg.clientWidth || this.element.clientWidth;
    if (!width) return;
    const { left, right, top, bottom } = MARGIN;
    const { x, target } = this.record;
    this.x = linear(x[0], x[x.length - 1], left, width - right);
    this.y = linear(...this.heights, HEIGHT - bottom, top);
    assign(this.svg, { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT });
    // An inner <svg> clips by itself.
    const box = { x: left, y: top, width: width - left - right, height: HEIGHT - top - bottom };
    assign(this.inner, { ...box, viewBox: `${box.x} ${box.y} ${box.width} ${box.height}` });
    this.drawAxes(width);
    this.target.setAttribute("d", pathOf(x, target, this.x, this.y));
    this.draw();
  }

  private drawAxes(width: number): void {
    const rows = labels(this.y.low, this.y.high, 4).flatMap(({ value, text }) => {
      const y = Math.round(this.y(value)) + 0.5;
      return [
        s("path", { class: "kv-hair", d: `M${MARGIN.left} ${y}H${width - MARGIN.right}` }),
        s("text", { x: MARGIN.left - 6, y: y + 4, "text-anchor": "end" }, text),
      ];
    });
    const columns = labels(this.x.low, this.x.high, 6).map(({ value, text }) =>
      s("text", { x: this.x(value), y: HEIGHT - 6, "text-anchor": "middle" }, text),
    );
    this.axes.replaceChildren(...rows, ...columns);
  }

  private draw(): void {
    const { x, target, windows } = this.record;
    const [low, high] = windows[this.at];
    const { top, bottom } = MARGIN;
    const from = this.x(Math.max(low, this.x.low));
    const to = this.x(Math.min(high, this.x.high));
    const width = Math.max(0, to - from); // before it has a size there is nothing to see
    assign(this.window, { x: from, y: top, width, height: HEIGHT - top - bottom });
    const seen = target.map((value, n) => (x[n] >= low && x[n] <= high ? value : NaN));
    this.data.setAttribute("d", pathOf(x, seen, this.x, this.y));
    this.guess.setAttribute("d", pathOf(x, this.phases[this.at], this.x, this.y));
  }
}

type Errors = { [learner: string]: number[][] };

/** The errors of each learner on each window now; "–" for what no phase has shown yet. */
function errorTable(names: string[], errors: Errors, count: number) {
  const cells = names.map((name) => errors[name][0].map(() => h("td", { class: "kv-number" })));
  const peaks = Array.from({ length: count }, (_, k) =>
    h("th", { scope: "col" }, `phase ${k + 1}`),
  );
  const head = h("tr", {}, h("th", { scope: "col" }, "RMSE on data of"), ...peaks);
  const rows = names.map((name, n) => h("tr", {}, h("th", { scope: "row" }, name), ...cells[n]));
  const table = h(
    "table",
    { class: "kv-error-table" },
    h("thead", {}, head),
    h("tbody", {}, ...rows),
  );
  const show = (at: number): void => {
    names.forEach((name, n) =>
      cells[n].forEach((cell, k) => {
        cell.textContent = k <= at ? short(errors[name][at][k]) : short(null);
        cell.title = k <= at ? String(errors[name][at][k]) : "not shown yet";
      }),
    );
    peaks.forEach((peak, k) => peak.toggleAttribute("data-now", k === at));
  };
  return { element: scrolling(table, "Errors"), show };
}

/** What a student chooses of a learner that learns in the page: one edge, as notebook 08 has it. */
export interface Choice {
  size: number;
  order: number;
  base: (typeof BASES)[number];
  way: (typeof WAYS)[number];
}

const SIZES = ["5", "10", "20", "50", "100", "200"];
const ORDERS = ["1", "2", "3", "5"];
const BASES = ["none", "SiLU"] as const;
const WAYS = ["left to right", "right to left", "from the ends inwards"] as const;
export const PLAIN: Choice = { size: 200, order: 3, base: "none", way: "left to right" };
const LEARNER = "KAN [1, 1]";

/** Of a change of a coefficient against the squares of the residuals: as little as is needed. */
const RELUCTANCE = 1e-9;

/** The windows in the order in which they are learnt. */
export function inOrder<T>(windows: readonly T[], way: Choice["way"]): T[] {
  if (way === "left to right") return [...windows];
  if (way === "right to left") return [...windows].reverse();
  const last = windows.length - 1;
  return windows.map((_, n) => windows[n % 2 ? last - (n - 1) / 2 : n / 2]);
}

/**
 * What one edge says after each phase, when each phase changes its coefficients as little as the
 * data of that phase ask for: where the steps of Levenberg and Marquardt come to rest.
 */
export function learnt({ x, target, windows }: Peaks, { size, order, base }: Choice): number[][] {
  const [low, high] = [x[0], x[x.length - 1]];
  const knots = extended(evenGrid([low, high], size), order);
  const rows = x.map((at) => {
    const row = basisAt(knots, order, at);
    if (base === "none") return row;
    const z = (2 * (at - low)) / (high - low) - 1;
    return [...row, z / (1 + Math.exp(-z))];
  });
  const coef = new Float64Array(rows[0].length);
  const says = (): number[] => rows.map((row) => combine(row, coef));
  return windows.map(([from, to]) => {
    const before = says();
    const inside = x.map((_, n) => n).filter((n) => x[n] >= from && x[n] <= to);
    const change = ridge(
      inside.map((n) => rows[n]),
      inside.map((n) => target[n] - before[n]),
      RELUCTANCE,
    );
    change.forEach((by, m) => {
      coef[m] += by;
    });
    return says();
  });
}

/** The errors on each window after each phase. */
function errorsOf({ x, target, windows }: Peaks, phases: number[][]): number[][] {
  return phases.map((says) =>
    windows.map(([low, high]) => {
      const inside = x.map((_, n) => n).filter((n) => x[n] >= low && x[n] <= high);
      return Math.sqrt(
        inside.reduce((sum, n) => sum + (says[n] - target[n]) ** 2, 0) / inside.length,
      );
    }),
  );
}

export function forgetting({ root, shared, life }: Stage): void {
  const given = shared.get<[number, number][]>("windows");
  const record: Peaks = { x: shared.get("x"), target: shared.get("target"), windows: given };
  const isOwn = shared.get<boolean>("is_own");
  const learners = isOwn
    ? { [LEARNER]: learnt(record, PLAIN) }
    : shared.get<Record<string, number[][]>>("learners");
  const errors = isOwn
    ? { [LEARNER]: errorsOf(record, learners[LEARNER]) }
    : shared.get<Errors>("errors");
  const names = Object.keys(learners);
  const caption = (at: number): string => {
    const [low, high] = record.windows[at];
    return `After phase ${at + 1} of ${given.length}: the data were x from ${short(low)} to ${short(high)}.`;
  };
  const heights = heightsOf(record.target, Object.values(learners).flat());
  const panels = names.map((name, n) => new Panel(life, name, n, learners[name], record, heights));
  const table = errorTable(names, errors, given.length);
  const reel = { count: given.length, label: "phase", caption };
  const scrubber = new Scrubber(life, reel, (at) => {
    for (const panel of panels) panel.show(at, caption(at));
    table.show(at);
  });
  const key = (kind: string, text: string): HTMLElement =>
    h(
      "span",
      { class: "kv-line-key" },
      s("svg", {}, s("path", { class: kind, d: "M0 5h22" })),
      text,
    );
  const keys = [key("kv-target", "target"), key("kv-data", "data of this phase")];
  const legend = h("p", { class: "kv-line-keys" }, ...keys);
  const choose = (made: Choice): void => {
    record.windows = inOrder(given, made.way);
    const phases = learnt(record, made);
    errors[LEARNER] = errorsOf(record, phases);
    panels[0].learn(phases);
    scrubber.go(scrubber.at);
  };
  root.setAttribute("aria-label", "Continual learning");
  const pictures = panels.map((panel) => panel.element);
  root.append(...(isOwn ? [choices(choose)] : []));
  root.append(scrubber.caption, legend, ...pictures, table.element, scrubber.element);
  scrubber.go(0);
}

/** The lists from which a student chooses. */
function choices(choose: (made: Choice) => void): HTMLElement {
  const now = { ...PLAIN };
  const list = (
    label: string,
    names: readonly string[],
    start: string,
    set: (name: string) => void,
  ): HTMLElement => {
    const made = choice(names, (name) => {
      set(name);
      choose(now);
    });
    made.value = start;
    return field(label, made);
  };
  return h(
    "div",
    { class: "kv-tools" },
    list("Intervals G", SIZES, String(now.size), (name) => {
      now.size = Number(name);
    }),
    list("Order k", ORDERS, String(now.order), (name) => {
      now.order = Number(name);
    }),
    list("Base function", BASES, now.base, (name) => {
      now.base = name as Choice["base"];
    }),
    list("Phases", WAYS, now.way, (name) => {
      now.way = name as Choice["way"];
    }),
  );
}
