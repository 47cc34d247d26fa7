/** An input finds its interval by a division, and reads the k + 1 rows above it: whatever the grid. */

import { assign, button, h, s, write } from "../ui/dom";
import { saidSlider } from "../ui/fields";
import { short } from "../ui/numbers";
import { Frame } from "./frame";
import { basisAt } from "./splines";
import { keepDrawn, type Stage, wide } from "./stage";

/** Grids of the slider, each about 1.5 times as fine as the one before. */
const GRIDS = [1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 800, 1200, 2000];
const ORDERS = [0, 1, 2, 3, 4, 5];

/** More bumps than these are not drawn one by one. */
const MOST_DRAWN = 60;

/** Points of a drawn bump. */
const PARTS = 60;

/** Inputs of a measured run. */
const INPUTS = 2000;

export function lookup(stage: Stage): void {
  new Lookup(stage).start();
}

/** The interval of x on a grid of `size` equal intervals from -1 to 1. */
export const intervalOf = (x: number, size: number): number =>
  Math.min(Math.floor(((x + 1) * size) / 2), size - 1);

/** The knots of one interval, on which the k + 1 bumps above it are those of any other. */
function unitKnots(order: number): number[] {
  return Array.from({ length: 2 * order + 2 }, (_, n) => n - order);
}

class Lookup {
  private readonly frame = new Frame("lookup", 26);
  private readonly box = s("rect", { class: "kv-support" });
  private readonly bumps = s("g");
  private readonly cursor = s("path", { class: "kv-cursor" });
  private readonly dots = s("g");
  private readonly table = s("svg", { class: "kv-rows", role: "img" });
  private readonly words = h("p", { class: "kv-words", "aria-live": "polite" });
  private readonly bills = h("div", { class: "kv-bills" });
  private readonly clock = h("p", { class: "kv-words kv-quiet", role: "status" });
  private readonly orders = ORDERS.map((order) =>
    button(`${order}`, () => this.stage.shared.set({ order })),
  );

  constructor(private readonly stage: Stage) {
    this.frame.inside.append(this.box, this.bumps, this.cursor, this.dots);
  }

  start(): void {
    const { root, shared } = this.stage;
    const x = saidSlider(
      "x",
      { low: -1, high: 1, step: 0.01, value: shared.get<number>("x") },
      short,
      (value) => shared.set({ x: value }),
    );
    const at = GRIDS.findIndex((size) => size >= shared.get<number>("grid_size"));
    const grid = saidSlider(
      "Intervals G",
      { low: 0, high: GRIDS.length - 1, step: 1, value: at },
      (n) => `${GRIDS[n]}`,
      (n) => shared.set({ grid_size: GRIDS[n] }),
    );
    const orders = h("div", { class: "kv-orders", role: "group", "aria-label": "Order k" });
    orders.append(...this.orders);
    root.append(
      h("div", { class: "kv-tools" }, x.element, grid.element),
      h("div", { class: "kv-tools" }, h("span", { class: "kv-label" }, "Order k"), orders),
      h("div", { class: "kv-frame-stack" }, this.frame.element),
      this.words,
      h("p", { class: "kv-label" }, "The table of coefficients, a column for each bump:"),
      this.table,
      this.bills,
      h(
        "div",
        { class: "kv-tools" },
        button("Take the time", () => this.measure()),
      ),
      this.clock,
    );
    assign(root, { "aria-label": "Look it up" });
    keepDrawn(this.stage, () => this.draw());
  }

  private get now(): { x: number; size: number; order: number; first: number } {
    const { shared } = this.stage;
    const [x, size] = [shared.get<number>("x"), shared.get<number>("grid_size")];
    return { x, size, order: shared.get<number>("order"), first: intervalOf(x, size) };
  }

  private draw(): void {
    const { x, size, order, first } = this.now;
    const { frame } = this;
    const width = wide(this.stage.root);
    const step = 2 / size;
    frame.show(width, 190, [-1, 1], [0, order === 0 ? 1.2 : 1]);
    const low = -1 + first * step;
    const [left, right] = [frame.x(low), frame.x(low + step)];
    const [top, bottom] = [frame.y(frame.y.high), frame.y(0)];
    assign(this.box, { x: left, y: top, width: Math.max(2, right - left), height: bottom - top });
    const values = valuesAt(x, size, order, first);
    const drawn = size + order <= MOST_DRAWN;
    const shown = Array.from({ length: drawn ? size + order : order + 1 }, (_, n) =>
      drawn ? n : first + n,
    );
    this.bumps.replaceChildren(
      ...shown.map((n) => {
        const lit = n >= first && n <= first + order;
        const path = bumpPath(frame, n, step, order);
        return s("path", { class: `kv-basis${lit ? " kv-active" : ""}`, d: path });
      }),
    );
    const px = frame.x(x);
    this.cursor.setAttribute("d", `M${px} ${top}V${bottom}`);
    this.dots.replaceChildren(
      ...values.map((value) =>
        s("circle", { class: "kv-weight kv-active", cx: px, cy: frame.y(value), r: 4 }),
      ),
    );
    const rows = order === 0 ? `${first}` : `${first} to ${first + order}`;
    write(
      this.words,
      `(${short(x)} + 1) / ${short(step)} = ${short((x + 1) / step, 6)}: interval ${first}. ` +
        `Bumps ${rows} are not zero there: ${values.map((value) => value.toFixed(3)).join(" + ")} = 1.`,
    );
    this.drawTable(width, size + order, first, order);
    this.drawBills(size, order);
    this.orders.forEach((made, n) => assign(made, { "aria-pressed": String(n === order) }));
  }

  /** All rows as a band; those that are read stand out, at least as wide as can be seen. */
  private drawTable(width: number, count: number, first: number, order: number): void {
    const [left, height] = [40, 34];
    const inner = width - left - 10;
    const cell = inner / count;
    const lines =
      count <= MOST_DRAWN
        ? Array.from({ length: count + 1 }, (_, n) => {
            const x = (left + n * cell).toFixed(1);
            return s("path", { class: "kv-hair", d: `M${x} 4V${height - 4}` });
          })
        : [];
    const lit = s("rect", {
      ...{ class: "kv-lit", x: left + first * cell, y: 4, height: height - 8 },
      width: Math.max(3, (order + 1) * cell),
    });
    const frame = s("rect", { class: "kv-band", x: left, y: 4, width: inner, height: height - 8 });
    assign(this.table, { width, height, viewBox: `0 0 ${width} ${height}` });
    assign(this.table, { "aria-label": `${order + 1} of ${count} coefficients are read.` });
    this.table.replaceChildren(frame, lit, ...lines);
  }

  private drawBills(size: number, order: number): void {
    const all = size + order;
    const bill = (name: string, n: number): HTMLElement =>
      h(
        "div",
        { class: "kv-bill" },
        h("span", {}, name),
        h("progress", { class: "kv-progress", max: all, value: n, "aria-label": name }),
        h("b", {}, `${n}`),
      );
    this.bills.replaceChildren(
      bill("numbers read by lookup, k + 1", order + 1),
      bill("numbers read if all bumps are computed, G + k", all),
    );
  }

  /** A real clock: the same sums for the same inputs, once by lookup and once over all bumps. */
  private measure(): void {
    const { size, order } = this.now;
    const coef = Float64Array.from({ length: size + order }, (_, n) => Math.sin(n));
    const inputs = Float64Array.from({ length: INPUTS }, (_, n) => -1 + (2 * (n + 0.5)) / INPUTS);
    const looked = time(() => sumOf(inputs, (x) => byLookup(x, coef, size, order)));
    const dense = time(() => sumOf(inputs, (x) => byAll(x, coef, size, order)));
    const apart = Math.abs(looked.sum - dense.sum);
    write(
      this.clock,
      `${INPUTS} inputs, G = ${size}: ${short(looked.ms)} ms by lookup, ${short(dense.ms)} ms with ` +
        `all G + k products, most of them 0; the sums differ by ${short(apart, 1)}. Try another G: one of the two times stays.`,
    );
  }
}

const sumOf = (inputs: Float64Array, f: (x: number) => number): number => {
  let sum = 0;
  for (let n = 0; n < inputs.length; n++) sum += f(inputs[n]);
  return sum;
};

/** The best of five, after one that warms up. */
function time(work: () => number): { ms: number; sum: number } {
  let sum = work();
  let ms = Infinity;
  for (let turn = 0; turn < 5; turn++) {
    const from = performance.now();
    sum = work();
    ms = Math.min(ms, performance.now() - from);
  }
  return { ms, sum };
}

/** The k + 1 bumps above an interval, at x. */
export function valuesAt(x: number, size: number, order: number, first: number): number[] {
  const share = ((x + 1) * size) / 2 - first;
  return share >= 1 && order > 0
    ? basisAt(unitKnots(order), order, 1)
    : basisAt(unitKnots(order), order, Math.min(share, 1));
}

function byLookup(x: number, coef: Float64Array, size: number, order: number): number {
  const first = intervalOf(x, size);
  let sum = 0;
  const values = valuesAt(x, size, order, first);
  for (let n = 0; n <= order; n++) sum += values[n] * coef[first + n];
  return sum;
}

/** The same with a product for every bump, as a dense matrix has it: nearly all of them are 0. */
function byAll(x: number, coef: Float64Array, size: number, order: number): number {
  const first = intervalOf(x, size);
  const values = valuesAt(x, size, order, first);
  let sum = 0;
  for (let n = 0; n < coef.length; n++) {
    const near = n - first;
    sum += (near >= 0 && near <= order ? values[near] : 0) * coef[n];
  }
  return sum;
}

function bumpPath(frame: Frame, n: number, step: number, order: number): string {
  const knots = Array.from({ length: 2 * order + 2 }, (_, m) => m - order);
  const parts: [number, number][] = [];
  for (let piece = 0; piece <= order; piece++) {
    // Bump n over interval n - order + piece is bump order - piece of that interval.
    const interval = n - order + piece;
    for (let part = 0; part <= PARTS; part++) {
      const share = part === PARTS ? 1 - 1e-9 : part / PARTS;
      const value = basisAt(knots, order, share)[order - piece];
      parts.push([-1 + (interval + share) * step, value]);
    }
  }
  return frame.path(parts);
}
