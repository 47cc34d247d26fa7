/** Drawing the curve free-hand: the spline follows the stroke by least squares. */
import type { Store } from "../contract";
import { type CurvePlot, pathOf } from "./curve_plot";
import { button, s } from "./dom";
import { newDrag, openEdge } from "./edges";
import { extent } from "./numbers";
import { between, guess, Stroke } from "./shapes";

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
    this.paper.addEventListener("pointerdown", (event) => this.begin(event));
    this.paper.addEventListener("pointermove", (event) => this.follow(event));
    this.paper.addEventListener("pointerup", () => this.finish(true));
    this.paper.addEventListener("pointercancel", () => this.finish(false));
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

  private begin(event: PointerEvent): void {
    if (event.button !== 0) return;
    event.preventDefault();
    this.paper.setPointerCapture?.(event.pointerId);
    const { low, high } = this.plot.x;
    this.stroke = new Stroke(low, high);
    this.plot.held = true;
    this.follow(event);
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
    const view = openEdge(this.store);
    const edge = this.store.selected;
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
