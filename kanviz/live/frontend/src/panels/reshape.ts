/** New curves for the open edge: smooth, flatten, shift, scale, a part of it, or drawn free-hand. */

import { signal } from "@preact/signals-core";
import type { Edge, EdgeView, How } from "../contract";
import { newDrag } from "../scene";
import type { Store } from "../store";
import { type CurvePlot, pathOf } from "../ui/curve_plot";
import { assign, button, h, row, s } from "../ui/dom";
import { type Drag, draggable } from "../ui/drag";
import { field, fineSlider, slider } from "../ui/fields";
import type { Life } from "../ui/life";
import { extent, short } from "../ui/numbers";

type Failed = (error: unknown) => void;
type Curve = ArrayLike<number>;

/** A slider's gesture: the curve as it was when it began. */
interface Gesture {
  edge: Edge;
  how: How;
  before: EdgeView;
  drag: number;
}

/** Bends the edge to `wanted` in the picture at once, and asks Python for it. */
function bendTo(store: Store, gesture: Gesture, wanted: Float64Array, failed: Failed): void {
  const { edge, before, drag, how } = gesture;
  const [x, y] = [Array.from(before.curve_x), Array.from(wanted)];
  store.bend(edge, guess(before, wanted));
  store.ask({ type: "set_curve", edge, x, y, drag, how }).catch(failed);
}

function begin(store: Store, how: How): Gesture | null {
  const view = store.open.value;
  if (view === null || store.selected.value === null || view.state !== "spline") return null;
  const before = {
    ...view,
    curve_y: view.curve_y.slice(),
    control_y: view.control_y.slice(),
  };
  return { edge: store.selected.value, how, before, drag: newDrag() };
}

function once(
  store: Store,
  [text, how]: readonly [text: string, how: How],
  hint: string,
  shape: (view: EdgeView) => Float64Array,
  failed: Failed,
): HTMLButtonElement {
  return button(
    text,
    () => {
      const gesture = begin(store, how);
      if (gesture !== null) bendTo(store, gesture, shape(gesture.before), failed);
    },
    hint,
  );
}

/** A slider that springs back to the middle: it says how far to go from where the curve was. */
function spring(
  store: Store,
  life: Life,
  [label, how]: readonly [label: string, how: How],
  shape: (view: EdgeView, share: number) => Float64Array,
  failed: Failed,
): HTMLElement {
  let gesture: Gesture | null = null;
  const act = life.paced(() => {
    const share = Number(input.value) / 100;
    if (gesture !== null) bendTo(store, gesture, shape(gesture.before, share), failed);
  });
  const input = slider({ low: -100, high: 100, step: 1, value: 0 }, () => {
    gesture ??= begin(store, how);
    act();
  });
  // Keys make one small step each, so the gesture lasts as long as the slider keeps the focus.
  const end = (): void => {
    if (gesture !== null && input.value !== "0") {
      const share = Number(input.value) / 100;
      bendTo(store, gesture, shape(gesture.before, share), failed);
    }
    gesture = null;
    input.value = "0";
  };
  input.addEventListener("pointerup", end);
  input.addEventListener("blur", end);
  return field(label, input);
}

/** Makes the tools for the open edge, in rows; `first` begins the row of buttons. */
export function shapeTools(
  store: Store,
  plot: CurvePlot,
  life: Life,
  failed: Failed,
  first: HTMLElement,
): HTMLElement {
  const height = (view: EdgeView): number => {
    const [low, high] = extent(view.curve_y) ?? [0, 1];
    return high - low || 1;
  };
  const buttons = row(
    first,
    once(store, ["Smooth", "smoothed"], "Take out wiggles", (v) => smoothed(v.curve_y), failed),
    once(
      store,
      ["Flatten", "flattened"],
      "Half of the way to its straight line",
      (v) => flattened(v.curve_x, v.curve_y),
      failed,
    ),
  );
  const springs = row(
    spring(store, life, ["Shift", "shifted"], (v, t) => shifted(v.curve_y, t * height(v)), failed),
    spring(store, life, ["Scale", "scaled"], (v, t) => scaled(v.curve_y, 2 ** (2 * t)), failed),
  );
  return h("div", { class: "kv-stack" }, buttons, springs, partTools(store, plot, life, failed));
}

// A part of the curve that is made another shape, once; what shall hold is a constraint.

/** What a part can become: a word, what it means, and the heights. */
const PARTS: [string, string, (x: Float64Array, y: Float64Array) => Float64Array][] = [
  ["Rising", "The nearest curve that never falls", (_, y) => rising(y)],
  ["Falling", "The nearest curve that never rises", (_, y) => rising(negative(y)).map((v) => -v)],
  ["Straight", "Its straight line of least squares", (x, y) => line(x, y)],
  ["Level", "Its mean", (_, y) => Float64Array.from(y, () => mean(y))],
  [
    "Bridge",
    "The straight line from end to end",
    (x, y) => Float64Array.from(x, (at) => between([x[0], x.at(-1)!], [y[0], y.at(-1)!], at)),
  ],
  [
    "Mirror",
    "The mean with its mirror image",
    (_, y) => Float64Array.from(y, (v, n) => (v + y[y.length - 1 - n]) / 2),
  ],
];

const negative = (y: Curve): Float64Array => Float64Array.from(y, (v) => -v);

/** Two ends of a part, and buttons for what it becomes; the rest of the curve stays. */
function partTools(store: Store, plot: CurvePlot, life: Life, failed: Failed): HTMLElement {
  const ends = signal<[number, number]>([0, 1]);
  const place = (view: EdgeView, share: number): number => {
    const last = view.curve_x.length - 1;
    return view.curve_x[0] + share * (view.curve_x[last] - view.curve_x[0]);
  };
  const say = (share: number): string => {
    const view = store.open.peek();
    return view ? short(place(view, share)) : "";
  };
  const set = (which: 0 | 1, share: number): void => {
    const [low, high] = ends.peek();
    ends.value = which ? [Math.min(low, share), share] : [share, Math.max(high, share)];
    from.value = ends.peek()[0];
    to.value = ends.peek()[1];
  };
  const from = fineSlider("From", [0, 1], say, (share) => set(0, share));
  const to = fineSlider("To", [0, 1], say, (share) => set(1, share));
  to.value = 1;
  const marked = s("rect", { class: "kv-part" });
  plot.element.append(marked);
  life.drawn(() => {
    const view = store.open.value;
    const [low, high] = ends.value;
    const isWhole = view === null || (low === 0 && high === 1);
    marked.toggleAttribute("hidden", isWhole);
    if (isWhole) return;
    const [left, right] = [plot.x(place(view, low)), plot.x(place(view, high))];
    const [top, bottom] = [plot.y(plot.y.high), plot.y(plot.y.low)];
    assign(marked, { x: left, y: top, width: Math.max(0, right - left), height: bottom - top });
  });
  // The words of the sliders are in the units of the edge that is open.
  life.follow(store.selected, () => {
    from.value = ends.peek()[0];
    to.value = ends.peek()[1];
  });
  const shape = (f: (typeof PARTS)[number][2]) => (view: EdgeView) => {
    const [low, high] = ends.peek().map((share) => place(view, share));
    return reshaped(view.curve_x, view.curve_y, [low, high], f);
  };
  const buttons = PARTS.map(([word, hint, f]) =>
    once(store, [word, "reshaped"], hint, shape(f), failed),
  );
  const summary = h("summary", {}, "Reshape a part");
  const sliders = h("div", { class: "kv-stack" }, from.element, to.element);
  return h("details", { class: "kv-section" }, summary, sliders, row(...buttons));
}

/** A curve whose part between two places is another, and the rest as it was. */
export function reshaped(
  x: Curve,
  y: Curve,
  [low, high]: readonly number[],
  f: (x: Float64Array, y: Float64Array) => Float64Array,
): Float64Array {
  const inside = Array.from(x, (_, n) => n).filter((n) => x[n] >= low && x[n] <= high);
  const found = Float64Array.from(y);
  if (inside.length < 2) return found;
  const part = f(
    Float64Array.from(inside, (n) => x[n]),
    Float64Array.from(inside, (n) => y[n]),
  );
  inside.forEach((n, at) => {
    found[n] = part[at];
  });
  return found;
}

/** The heights that do not fall and are nearest: neighbours that do are pooled to their mean. */
export function rising(y: Curve): Float64Array {
  const blocks: { mean: number; count: number }[] = [];
  for (const value of Array.from(y)) {
    let block = { mean: value, count: 1 };
    while (blocks.length && blocks[blocks.length - 1].mean > block.mean) {
      const before = blocks.pop()!;
      const count = before.count + block.count;
      block = { mean: (before.mean * before.count + block.mean * block.count) / count, count };
    }
    blocks.push(block);
  }
  return Float64Array.from(blocks.flatMap((block) => new Array(block.count).fill(block.mean)));
}

// Drawing the curve free-hand: the spline follows the stroke by least squares.

export class Pen {
  readonly button = button("Draw", () => this.toggle(), "Draw the curve with the pointer");
  readonly #paper = s("rect", { class: "kv-paper", width: "100%", height: "100%" });
  readonly #line = s("path", { class: "kv-stroke" });
  #stroke: Stroke | null = null;

  constructor(
    private readonly store: Store,
    private readonly plot: CurvePlot,
    private readonly failed: (error: unknown) => void,
  ) {
    this.button.setAttribute("aria-pressed", "false");
    draggable(this.#paper, (press) => this.#begin(press));
  }

  get on(): boolean {
    return this.button.getAttribute("aria-pressed") === "true";
  }

  toggle(on = !this.on): void {
    this.button.setAttribute("aria-pressed", String(on));
    this.#finish(false);
    if (on) this.plot.element.append(this.#line, this.#paper);
    else for (const part of [this.#line, this.#paper]) part.remove();
  }

  #begin(press: PointerEvent): Drag {
    const { low, high } = this.plot.x;
    this.#stroke = new Stroke(low, high);
    this.plot.held = true;
    this.#follow(press);
    return {
      move: (event) => this.#follow(event),
      end: (wasCancelled) => this.#finish(!wasCancelled),
    };
  }

  #follow(event: PointerEvent): void {
    if (this.#stroke === null) return;
    this.#stroke.add(...this.plot.at(event));
    const { x, y } = this.#stroke.points();
    this.#line.setAttribute("d", pathOf(x, y, this.plot.x, this.plot.y));
  }

  #finish(take: boolean): void {
    const stroke = this.#stroke;
    this.#stroke = null;
    this.plot.held = false;
    this.#line.setAttribute("d", "");
    if (take && stroke !== null) this.#take(stroke.points());
  }

  #take({ x, y }: { x: number[]; y: number[] }): void {
    const view = this.store.open.value;
    const edge = this.store.selected.value;
    if (view === null || edge === null || x.length < 2) return;
    const [low, high] = extent(x) ?? [0, 0];
    const wanted = Float64Array.from(view.curve_y, (old, n) => {
      const place = view.curve_x[n];
      return place < low || place > high ? old : between(x, y, place);
    });
    this.store.bend(edge, guess(view, wanted));
    const ask = { type: "set_curve", edge, x, y, drag: newDrag(), how: "drew" } as const;
    this.store.ask(ask).catch(this.failed);
  }
}

// New shapes for a curve, from its points; none changes what it is given.

const mean = (y: Curve): number => Array.from(y).reduce((sum, v) => sum + v, 0) / y.length;

/** Moves each point to the mean of its neighbourhood, an eighth of the curve to each side. */
function smoothed(y: Curve): Float64Array {
  const reach = Math.max(1, Math.round(y.length / 8));
  return Float64Array.from(y, (_, n) => {
    const side = Math.min(reach, n, y.length - 1 - n);
    let sum = 0;
    for (let k = n - side; k <= n + side; k++) sum += y[k];
    return sum / (2 * side + 1);
  });
}

/** Goes half of the way to the straight line of least squares. */
const flattened = (x: Curve, y: Curve): Float64Array =>
  line(x, y).map((level, n) => 0.5 * (y[n] + level));

/** The straight line of least squares. */
function line(x: Curve, y: Curve): Float64Array {
  const [middle, level] = [mean(x), mean(y)];
  let across = 0;
  let along = 0;
  for (let n = 0; n < x.length; n++) {
    across += (x[n] - middle) ** 2;
    along += (x[n] - middle) * (y[n] - level);
  }
  const slope = across > 0 ? along / across : 0;
  return Float64Array.from(x, (at) => level + slope * (at - middle));
}

const shifted = (y: Curve, by: number): Float64Array => Float64Array.from(y, (v) => v + by);

export const scaled = (y: Curve, by: number): Float64Array => Float64Array.from(y, (v) => v * by);

/** Reads a curve between its points; beyond its ends it stays as at the end. */
export function between(x: Curve, y: Curve, place: number): number {
  const last = x.length - 1;
  if (place <= x[0]) return y[0];
  if (place >= x[last]) return y[last];
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (x[middle] <= place) low = middle;
    else high = middle;
  }
  const share = (place - x[low]) / (x[high] - x[low] || 1);
  return y[low] + share * (y[high] - y[low]);
}

/**
 * Guesses control points for a new curve, to draw until Python answers: each point moves as far as
 * the curve moves beneath it (Schoenberg's approximation; exact for straight changes).
 */
export function guess(
  edge: { curve_x: Curve; curve_y: Curve; control_x: Curve; control_y: Curve },
  wanted: Curve,
): Float64Array {
  const moved = Float64Array.from(edge.curve_y, (y, n) => wanted[n] - y);
  return Float64Array.from(
    edge.control_y,
    (height, m) => height + between(edge.curve_x, moved, edge.control_x[m]),
  );
}

/** A stroke of the pointer as one height for each of many narrow columns; the latest wins. */
export class Stroke {
  readonly #heights: Float64Array;
  #last: [x: number, y: number] | null = null;

  constructor(
    private readonly low: number,
    private readonly high: number,
    columns = 64,
  ) {
    this.#heights = new Float64Array(columns).fill(NaN);
  }

  /** Adds a place of the pointer, and all columns on the way from the one before. */
  add(x: number, y: number): void {
    const from = this.#last ?? [x, y];
    const [start, end] = [this.#column(from[0]), this.#column(x)];
    const step = start <= end ? 1 : -1;
    for (let c = start; c !== end + step; c += step) {
      const share = start === end ? 1 : (c - start) / (end - start);
      this.#heights[c] = from[1] + share * (y - from[1]);
    }
    this.#last = [x, y];
  }

  points(): { x: number[]; y: number[] } {
    const x: number[] = [];
    const y: number[] = [];
    const width = (this.high - this.low) / this.#heights.length;
    this.#heights.forEach((height, c) => {
      if (Number.isNaN(height)) return;
      x.push(this.low + (c + 0.5) * width);
      y.push(height);
    });
    return { x, y };
  }

  #column(x: number): number {
    const n = this.#heights.length;
    const c = Math.floor(((x - this.low) / (this.high - this.low)) * n);
    return Math.min(n - 1, Math.max(0, c));
  }
}
