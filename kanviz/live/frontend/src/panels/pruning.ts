/** The pruning slider: what would go, weakest first, and what it costs before any refitting. */
import type { Edge, Plan, Store } from "../contract";
import { notice, say, tell } from "./asking";
import { button, enable, h, hasFocus, row, s } from "./dom";
import { edgeKey } from "./edges";
import { field, slider } from "./fields";
import type { Life } from "./life";
import { change, count, extent, linear } from "./numbers";

const WIDTH = 300;
const HEIGHT = 46;
const NOTHING: ReadonlySet<string> = new Set();

class PruningSlider {
  readonly element: HTMLElement;
  private plan: Plan["steps"] | null = null;
  private asking = false;
  /** The version of the scene that the plan is for. */
  private version = -1;
  private readonly line = notice();
  private readonly text = h("p", { class: "kv-reading", "aria-live": "polite" });
  private readonly cost = s("path", { class: "kv-cost" });
  private readonly here = s("path", { class: "kv-here" });
  private readonly chart = s(
    "svg",
    { class: "kv-spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    ...[this.cost, this.here],
  );
  private readonly slider = slider({ low: 0, high: 0, step: 1, value: 0 }, () => this.draw());
  private readonly apply = button("Remove", () => void this.prune(), "Remove these edges");

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    for (const event of ["pointerenter", "focus"]) {
      this.slider.addEventListener(event, () => void this.ready());
    }
    const reset = button("Reset", () => this.reset());
    this.element = h(
      "div",
      { class: "kv-stack" },
      field("Weakest edges", this.slider),
      this.chart,
      this.text,
      row(this.apply, reset),
      this.line,
    );
    life.on(store, ["scene"], () => this.reset());
    // Marks in the diagram make no sense once another tab is open.
    life.resized(this.element, () => {
      if (this.element.offsetWidth === 0) this.reset();
    });
    life.add(() => this.mark(NOTHING));
    this.reset();
  }

  /** Asks for the plan, once for each scene, when a hand comes near. */
  private async ready(): Promise<void> {
    const { version } = this.store.scene;
    if (this.asking || (this.plan !== null && this.version === version)) return;
    this.asking = true;
    const plan = await tell<Plan>(this.store, this.line, { type: "plan" });
    this.asking = false;
    if (plan === undefined || version !== this.store.scene.version) return;
    this.plan = plan.steps;
    this.version = version;
    this.slider.max = String(plan.steps.length);
    this.draw();
  }

  private get edges(): Edge[] {
    return (this.plan ?? []).slice(0, Number(this.slider.value)).flatMap((step) => step.edges);
  }

  private get part(): "train" | "test" {
    return this.store.scene.error.test === null ? "train" : "test";
  }

  private reset(): void {
    this.plan = null;
    this.slider.value = "0";
    this.slider.max = String(Math.max(1, this.store.scene.n_edges - 1));
    this.draw();
    if (hasFocus(this.slider)) void this.ready();
  }

  private draw(): void {
    const { edges } = this;
    this.mark(edges.length ? new Set(edges.map(edgeKey)) : NOTHING);
    const text = this.sentence(edges.length);
    say(this.text, text);
    this.slider.setAttribute("aria-valuetext", text);
    enable(this.apply, edges.length > 0);
    this.drawCost();
  }

  private sentence(n: number): string {
    if (this.plan === null) return "Move the slider to see what would go and what it costs.";
    if (n === 0) return `Nothing is removed. ${count(this.plan.length, "step")} are possible.`;
    const after = this.plan[Number(this.slider.value) - 1];
    const errors = change(this.store.scene.error[this.part], after[this.part]);
    const cost = after[this.part] === null ? "" : `: ${this.part} error ${errors} before refitting`;
    return `Removes ${count(n, "edge")}${cost}.`;
  }

  /** The error by the number of steps, on a log axis, with the slider's place. */
  private drawCost(): void {
    const errors = (this.plan ?? []).map((step) => step[this.part] ?? NaN);
    const powers = errors.map((e) => (e > 0 ? Math.log10(e) : NaN));
    const range = extent(powers);
    this.chart.toggleAttribute("hidden", range === null);
    if (range === null) return;
    const x = linear(0, powers.length, 8, WIDTH - 8);
    const y = linear(range[0], range[1], HEIGHT - 5, 5);
    const points = powers.map((p, n) => `${x(n + 1).toFixed(1)} ${y(p).toFixed(1)}`);
    this.cost.setAttribute("d", `M${points.filter((p) => !p.includes("NaN")).join("L")}`);
    this.here.setAttribute("d", `M${x(Number(this.slider.value)).toFixed(1)} 0V${HEIGHT}`);
  }

  private mark(doomed: ReadonlySet<string>): void {
    if (doomed.size > 0 || this.store.doomed.size > 0) this.store.doomed = doomed;
  }

  private async prune(): Promise<void> {
    const { edges } = this;
    if (edges.length === 0) return;
    await tell(this.store, this.line, { type: "prune", edges });
    this.mark(NOTHING);
  }
}

/** Makes the pruning slider. */
export const pruningSlider = (store: Store, life: Life): HTMLElement =>
  new PruningSlider(store, life).element;
