/** Control points that are dragged up and down, or moved with the arrow keys. */

import type { Edge, EdgeView } from "../contract";
import { newDrag, sameEdge } from "../scene";
import type { Store } from "../store";
import type { CurvePlot } from "../ui/curve_plot";
import { assign, focusable, s } from "../ui/dom";
import { hold } from "../ui/drag";
import type { Life } from "../ui/life";
import { type Scale, short } from "../ui/numbers";

const STEPS: Record<string, number> = {
  ArrowUp: 1,
  ArrowRight: 1,
  ArrowDown: -1,
  ArrowLeft: -1,
  PageUp: 10,
  PageDown: -10,
};

/** How near a press must be to a point to take hold of it: a fit moves points away from a hand. */
const CATCH = 28;

/** One gesture: a point that is on its way. */
interface Gesture {
  edge: Edge;
  m: number;
  height: number;
  drag: number;
}

export class Handles {
  readonly #points: SVGGElement[] = [];
  #gesture: Gesture | null = null;
  /** Takes the point out of the hand of a pointer, if it is in one. */
  #letGo: (() => void) | null = null;
  #sent = NaN;
  readonly #send: () => void;
  readonly #rest: () => void;

  constructor(
    private readonly store: Store,
    private readonly plot: CurvePlot,
    life: Life,
    private readonly failed: (error: unknown) => void,
  ) {
    this.#send = life.paced(() => this.#sendNow());
    this.#rest = life.later(() => this.#finish(), 700);
    plot.element.addEventListener("pointerdown", (event) => this.#catch(event));
  }

  /** Places the handles; makes and drops as many as the edge needs. */
  draw(): void {
    const view = this.store.open.value;
    if (this.#gesture !== null && !sameEdge(this.#gesture.edge, this.store.selected.value))
      this.#finish();
    const n = view?.state === "spline" ? view.control_x.length : 0;
    while (this.#points.length < n) this.#points.push(this.#make(this.#points.length));
    for (const gone of this.#points.splice(n)) gone.remove();
    if (view !== null && n > 0) {
      this.#keepGesture(view);
      this.#points.forEach((point, m) => this.#place(point, view, m));
    }
  }

  #make(m: number): SVGGElement {
    const point = focusable(
      s(
        "g",
        { class: "kv-handle", role: "slider", tabindex: 0, "aria-orientation": "vertical" },
        s("circle", { class: "kv-handle-reach", r: 11 }),
        s("circle", { class: "kv-handle-dot", r: 5 }),
      ),
    );
    point.addEventListener("pointerdown", (event) => this.#grab(point, m, event));
    point.addEventListener("keydown", (event) => this.#press(m, event));
    point.addEventListener("blur", () => this.#finish());
    this.plot.top.append(point);
    return point;
  }

  #place(point: SVGGElement, view: EdgeView, m: number): void {
    const x = view.control_x[m];
    const height = this.#gesture?.m === m ? this.#gesture.height : view.control_y[m];
    const { low, high } = this.plot.y;
    assign(point, {
      transform: `translate(${this.plot.x(x).toFixed(1)} ${this.plot.y(height).toFixed(1)})`,
      "aria-label": `Control point ${m} at ${short(x)}`,
      "aria-valuemin": low,
      "aria-valuemax": high,
      "aria-valuenow": height,
      "aria-valuetext": short(height),
    });
  }

  #grab(point: SVGGElement, m: number, event: PointerEvent): void {
    if (event.button !== 0) return;
    point.focus();
    this.#begin(m);
    if (this.#gesture === null) return;
    this.#letGo = hold(point, event, {
      // Within the frame, which gets larger once the point is let go.
      move: (now) => this.#moveTo(clamped(this.plot.at(now)[1], this.plot.y)),
      end: () => this.#finish(),
    });
  }

  /** Takes hold of the point that is nearest to a press which nothing else took. */
  #catch(event: PointerEvent): void {
    const view = this.store.open.value;
    if (event.defaultPrevented || view?.state !== "spline") return;
    const [x, y] = this.plot.at(event);
    const away = this.#points.map((_, m) =>
      Math.hypot(
        this.plot.x(view.control_x[m]) - this.plot.x(x),
        this.plot.y(view.control_y[m]) - this.plot.y(y),
      ),
    );
    const m = away.indexOf(Math.min(...away));
    if (away[m] <= CATCH) this.#grab(this.#points[m], m, event);
  }

  #press(m: number, event: KeyboardEvent): void {
    const steps = STEPS[event.key];
    const view = this.store.open.value;
    if (steps === undefined || view === null) return;
    event.preventDefault();
    event.stopPropagation();
    if (this.#gesture?.m !== m) this.#begin(m);
    const from = this.#gesture?.height ?? view.control_y[m];
    const share = event.shiftKey ? 0.1 : 0.01;
    this.#moveTo(from + steps * share * (this.plot.y.high - this.plot.y.low));
    this.#rest();
  }

  #begin(m: number): void {
    this.#finish();
    const view = this.store.open.value;
    if (view === null || this.store.selected.value === null) return;
    const height = view.control_y[m];
    this.#gesture = { edge: this.store.selected.value, m, height, drag: newDrag() };
    this.plot.held = true;
  }

  #moveTo(height: number): void {
    const view = this.store.open.value;
    if (this.#gesture === null || view === null) return;
    this.#gesture.height = height;
    this.#keepGesture(view);
    this.#send();
    this.plot.draw();
    this.draw();
  }

  /** A scene that answers an earlier part of the drag must not throw the point back. */
  #keepGesture(view: EdgeView): void {
    const gesture = this.#gesture;
    if (gesture === null || view.control_y[gesture.m] === gesture.height) return;
    const heights = Float64Array.from(view.control_y);
    heights[gesture.m] = gesture.height;
    this.store.bend(gesture.edge, heights);
  }

  #sendNow(): void {
    if (this.#gesture === null || this.#gesture.height === this.#sent) return;
    const { edge, m, height, drag } = this.#gesture;
    this.#sent = height;
    this.store.ask({ type: "move_point", edge, m, height, drag }).catch(this.failed);
  }

  #finish(): void {
    this.#letGo?.();
    this.#letGo = null;
    if (this.#gesture === null) return;
    this.#sendNow();
    this.#gesture = null;
    this.#sent = NaN;
    this.plot.held = false;
    this.plot.draw();
    this.draw();
  }
}

const clamped = (value: number, { low, high }: Scale): number =>
  Math.min(Math.max(value, low), high);
