/** New curves for the open edge: smooth, flatten, shift, scale, or drawn free-hand. */

import type { Edge, EdgeView } from "../contract";
import { newDrag } from "../scene";
import type { Store } from "../store";
import { type CurvePlot, pathOf } from "../ui/curve_plot";
import { button, h, row, s } from "../ui/dom";
import { type Drag, draggable } from "../ui/drag";
import { field, slider } from "../ui/fields";
import type { Life } from "../ui/life";
import { extent } from "../ui/numbers";

type Failed = (error: unknown) => void;

/** A slider's gesture: the curve as it was when it began. */
interface Gesture {
  edge: Edge;
  before: EdgeView;
  drag: number;
}

/** Bends the edge to `wanted` in the picture at once, and asks Python for it. */
function bendTo(store: Store, gesture: Gesture, wanted: Float64Array, failed: Failed): void {
  const { edge, before, drag } = gesture;
  const [x, y] = [Array.from(before.curve_x), Array.from(wanted)];
  store.bend(edge, guess(before, wanted));
  store.ask({ type: "set_curve", edge, x, y, drag }).catch(failed);
}

function begin(store: Store): Gesture | null {
  const view = store.open.value;
  if (view === null || store.selected.value === null || view.state !== "spline") return null;
  const before = {
    ...view,
    curve_y: view.curve_y.slice(),
    control_y: view.control_y.slice(),
  };
  return { edge: store.selected.value, before, drag: newDrag() };
}

function once(
  store: Store,
  text: string,
  hint: string,
  shape: (view: EdgeView) => Float64Array,
  failed: Failed,
): HTMLButtonElement {
  return button(
    text,
    () => {
      const gesture = begin(store);
      if (gesture !== null) bendTo(store, gesture, shape(gesture.before), failed);
    },
    hint,
  );
}

/** A slider that springs back to the middle: it says how far to go from where the curve was. */
function spring(
  store: Store,
  life: Life,
  label: string,
  shape: (view: EdgeView, share: number) => Float64Array,
  failed: Failed,
): HTMLElement {
  let gesture: Gesture | null = null;
  const act = life.paced(() => {
    const share = Number(input.value) / 100;
    if (gesture !== null) bendTo(store, gesture, shape(gesture.before, share), failed);
  });
  const input = slider({ low: -100, high: 100, step: 1, value: 0 }, () => {
    gesture ??= begin(store);
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
    once(store, "Smooth", "Take out wiggles", (v) => smoothed(v.curve_y), failed),
    once(
      store,
      "Flatten",
      "Half of the way to its straight line",
      (v) => flattened(v.curve_x, v.curve_y),
      failed,
    ),
  );
  const springs = row(
    spring(store, life, "Shift", (v, t) => shifted(v.curve_y, t * height(v)), failed),
    spring(store, life, "Scale", (v, t) => scaled(v.curve_y, 2 ** (2 * t)), failed),
  );
  return h("div", { class: "kv-stack" }, buttons, springs);
}

// Drawing the curve free-hand: the spline follows the stroke by least squares.

export class Pen {
  readonly button = button("Draw", () => this.toggle(), "Draw the curve with the pointer");
  private readonly paper = s("rect", { class: "kv-paper", width: "100%", height: "100%" });
  private readonly line = s("path", { class: "kv-stroke" });
  private stroke: Stroke | null = null;

  constructor(
    private readonly store: Store,
    private readonly plot: CurvePlot,
    private readonly failed: (error: unknown) => void,
  ) {
    this.button.setAttribute("aria-pressed", "false");
    draggable(this.paper, (press) => this.begin(press));
  }

  get on(): boolean {
    return this.button.getAttribute("aria-pressed") === "true";
  }

  toggle(on = !this.on): void {
    this.button.setAttribute("aria-pressed", String(on));
    this.finish(false);
    if (on) this.plot.element.append(this.line, this.paper);
    else for (const part of [this.line, this.paper]) part.remove();
  }

  private begin(press: PointerEvent): Drag {
    const { low, high } = this.plot.x;
    this.stroke = new Stroke(low, high);
    this.plot.held = true;
    this.follow(press);
    return {
      move: (event) => this.follow(event),
      end: (wasCancelled) => this.finish(!wasCancelled),
    };
  }

  private follow(event: PointerEvent): void {
    if (this.stroke === null) return;
    this.stroke.add(...this.plot.at(event));
    const { x, y } = this.stroke.points();
    this.line.setAttribute("d", pathOf(x, y, this.plot.x, this.plot.y));
  }

  private finish(take: boolean): void {
    const stroke = this.stroke;
    this.stroke = null;
    this.plot.held = false;
    this.line.setAttribute("d", "");
    if (take && stroke !== null) this.take(stroke.points());
  }

  private take({ x, y }: { x: number[]; y: number[] }): void {
    const view = this.store.open.value;
    const edge = this.store.selected.value;
    if (view === null || edge === null || x.length < 2) return;
    const [low, high] = extent(x) ?? [0, 0];
    const wanted = Float64Array.from(view.curve_y, (old, n) => {
      const place = view.curve_x[n];
      return place < low || place > high ? old : between(x, y, place);
    });
    this.store.bend(edge, guess(view, wanted));
    this.store.ask({ type: "set_curve", edge, x, y, drag: newDrag() }).catch(this.failed);
  }
}

// New shapes for a curve, from its points; none changes what it is given.

type Curve = ArrayLike<number>;

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
function flattened(x: Curve, y: Curve): Float64Array {
  const [middle, level] = [mean(x), mean(y)];
  let across = 0;
  let along = 0;
  for (let n = 0; n < x.length; n++) {
    across += (x[n] - middle) ** 2;
    along += (x[n] - middle) * (y[n] - level);
  }
  const slope = across > 0 ? along / across : 0;
  return Float64Array.from(y, (v, n) => 0.5 * (v + level + slope * (x[n] - middle)));
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
  private readonly heights: Float64Array;
  private last: [x: number, y: number] | null = null;

  constructor(
    private readonly low: number,
    private readonly high: number,
    columns = 64,
  ) {
    this.heights = new Float64Array(columns).fill(NaN);
  }

  /** Adds a place of the pointer, and all columns on the way from the one before. */
  add(x: number, y: number): void {
    const from = this.last ?? [x, y];
    const [start, end] = [this.column(from[0]), this.column(x)];
    const step = start <= end ? 1 : -1;
    for (let c = start; c !== end + step; c += step) {
      const share = start === end ? 1 : (c - start) / (end - start);
      this.heights[c] = from[1] + share * (y - from[1]);
    }
    this.last = [x, y];
  }

  points(): { x: number[]; y: number[] } {
    const x: number[] = [];
    const y: number[] = [];
    const width = (this.high - this.low) / this.heights.length;
    this.heights.forEach((height, c) => {
      if (Number.isNaN(height)) return;
      x.push(this.low + (c + 0.5) * width);
      y.push(height);
    });
    return { x, y };
  }

  private column(x: number): number {
    const n = this.heights.length;
    const c = Math.floor(((x - this.low) / (this.high - this.low)) * n);
    return Math.min(n - 1, Math.max(0, c));
  }
}
