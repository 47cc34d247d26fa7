/** Towards a small network: fewer edges, another grid, formulas for curves. */

import { effect, signal } from "@preact/signals-core";
import type { Done, Edge, EdgeState, EdgeView, Plan, Scene } from "../contract";
import { edgeName, edgeOf, keyOf } from "../scene";
import type { Store } from "../store";
import { button, enable, h, hasFocus, row, s, section } from "../ui/dom";
import { field, slider } from "../ui/fields";
import { Life } from "../ui/life";
import { formulaNode } from "../ui/mathml";
import { change, count, extent, linear, type Scale, short, ticks } from "../ui/numbers";
import { gridControl } from "./grid";
import { notice, type Panel, say, statusLine, tell } from "./panel";

type Search = "prune_in_context" | "symbolify";

const STATES = { prune_in_context: "pruned", symbolify: "symbolic" } as const;

/** The two searches that take a while: they share progress, outcome and the wish to be alone. */
class Searches {
  readonly buttons: Record<Search, HTMLButtonElement>;
  readonly outcome: Outcome;
  readonly #line = notice();
  readonly #running = signal(false);

  constructor(
    private readonly store: Store,
    private readonly life: Life,
  ) {
    this.outcome = new Outcome(store, life);
    const make = (text: string, type: Search): HTMLButtonElement =>
      button(text, () => void this.#run(type));
    this.buttons = {
      prune_in_context: make("Prune and refit", "prune_in_context"),
      symbolify: make("Find formulas", "symbolify"),
    };
    life.effect(() => this.#draw());
  }

  progress(): HTMLElement {
    const status = statusLine(this.store, this.life, ["searching"]);
    return h("div", { class: "kv-stack" }, status, this.#line, this.outcome.element);
  }

  #draw(): void {
    const free =
      this.store.status.value.state === "idle" &&
      this.store.scene.value.has_data &&
      !this.#running.value;
    for (const one of Object.values(this.buttons)) enable(one, free);
  }

  async #run(type: Search): Promise<void> {
    const before = this.store.scene.value;
    this.#running.value = true;
    this.outcome.hide();
    say(this.#line, "");
    const answer = await tell<Done>(this.store, this.#line, { type });
    this.#running.value = false;
    if (answer === undefined) return;
    const after = await sceneOf(this.store, this.life, answer.version);
    this.outcome.show(before, after, STATES[type], this.buttons[type]);
  }
}

/** Makes the panel of pruning, grid and formulas; it needs a kernel. */
export function simplifyPanel(store: Store): Panel {
  const life = new Life();
  const searches = new Searches(store, life);
  const hint = (text: string): HTMLElement => h("p", { class: "kv-hint" }, text);
  const element = h(
    "div",
    { class: "kv-panel" },
    section("Remove the weakest edges", pruningSlider(store, life)),
    section(
      "Search with refitting",
      hint("Edges go, weakest first, each with a short refit, as long as the error holds."),
      row(searches.buttons.prune_in_context),
      hint("Edges get the simplest function with which the whole network stays as good."),
      row(searches.buttons.symbolify),
      searches.progress(),
    ),
    section("Grid", gridControl(store, life)),
  );
  return { title: "Simplify", element, destroy: () => life.end() };
}

// The pruning slider: what would go, weakest first, and what it costs before any refitting.

const WIDTH = 300;
const HEIGHT = 96;
/** Room around the chart of what pruning costs, for its axes. */
const AXES = { left: 52, right: 8, top: 16, bottom: 22 };
const NOTHING: ReadonlySet<string> = new Set();

class PruningSlider {
  readonly element: HTMLElement;
  #plan: Plan["steps"] | null = null;
  #asking = false;
  /** The version of the scene that the plan is for. */
  #version = -1;
  readonly #line = notice();
  readonly #text = h("p", { class: "kv-reading", "aria-live": "polite" });
  readonly #cost = s("path", { class: "kv-cost" });
  readonly #here = s("path", { class: "kv-here" });
  readonly #axes = s("g", { class: "kv-cost-axes" });
  readonly #chart = s(
    "svg",
    { class: "kv-spark", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, "aria-hidden": "true" },
    ...[this.#axes, this.#cost, this.#here],
  );
  readonly #slider = slider({ low: 0, high: 0, step: 1, value: 0 }, () => this.#draw());
  readonly #apply = button("Remove", () => void this.#prune(), "Remove these edges");

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    for (const event of ["pointerenter", "focus"]) {
      this.#slider.addEventListener(event, () => void this.#ready());
    }
    const reset = button("Reset", () => this.#reset());
    this.element = h(
      "div",
      { class: "kv-stack" },
      field("Weakest edges", this.#slider),
      this.#chart,
      this.#text,
      row(this.#apply, reset),
      this.#line,
    );
    life.follow(store.version, () => this.#reset());
    // Marks in the diagram make no sense once another tab is open.
    life.resized(this.element, () => {
      if (this.element.offsetWidth === 0) this.#reset();
    });
    life.add(() => this.#mark(NOTHING));
  }

  /** Asks for the plan, once for each scene, when a hand comes near. */
  async #ready(): Promise<void> {
    const { version } = this.store.scene.value;
    if (this.#asking || (this.#plan !== null && this.#version === version)) return;
    this.#asking = true;
    const plan = await tell<Plan>(this.store, this.#line, { type: "plan" });
    this.#asking = false;
    if (plan === undefined || version !== this.store.scene.value.version) return;
    this.#plan = plan.steps;
    this.#version = version;
    this.#slider.max = String(plan.steps.length);
    this.#draw();
  }

  private get edges(): Edge[] {
    return (this.#plan ?? []).slice(0, Number(this.#slider.value)).flatMap((step) => step.edges);
  }

  get #part(): "train" | "test" {
    return this.store.scene.value.error.test === null ? "train" : "test";
  }

  #reset(): void {
    this.#plan = null;
    this.#slider.value = "0";
    this.#slider.max = String(Math.max(1, this.store.scene.value.n_edges - 1));
    this.#draw();
    if (hasFocus(this.#slider)) void this.#ready();
  }

  #draw(): void {
    const { edges } = this;
    this.#mark(edges.length ? new Set(edges.map(keyOf)) : NOTHING);
    const text = this.#sentence(edges.length);
    say(this.#text, text);
    this.#slider.setAttribute("aria-valuetext", text);
    enable(this.#apply, edges.length > 0);
    this.#drawCost();
  }

  #sentence(n: number): string {
    if (this.#plan === null) return "Move the slider to see what would go and what it costs.";
    if (n === 0) return `Nothing is removed. ${count(this.#plan.length, "step")} are possible.`;
    const after = this.#plan[Number(this.#slider.value) - 1];
    const errors = change(this.store.scene.value.error[this.#part], after[this.#part]);
    const cost =
      after[this.#part] === null ? "" : `: ${this.#part} error ${errors} before refitting`;
    return `Removes ${count(n, "edge")}${cost}.`;
  }

  /** The error by the number of steps, on a log axis, with the slider's place and both axes. */
  #drawCost(): void {
    const errors = (this.#plan ?? []).map((step) => step[this.#part] ?? NaN);
    const powers = errors.map((e) => (e > 0 ? Math.log10(e) : NaN));
    const range = extent(powers);
    this.#chart.toggleAttribute("hidden", range === null);
    if (range === null) return;
    const x = linear(0, powers.length, AXES.left, WIDTH - AXES.right);
    const y = linear(range[0], range[1], HEIGHT - AXES.bottom, AXES.top);
    const points = powers.map((p, n) => `${x(n + 1).toFixed(1)} ${y(p).toFixed(1)}`);
    this.#cost.setAttribute("d", `M${points.filter((p) => !p.includes("NaN")).join("L")}`);
    const here = x(Number(this.#slider.value)).toFixed(1);
    this.#here.setAttribute("d", `M${here} ${AXES.top - 4}V${HEIGHT - AXES.bottom}`);
    this.#drawAxes(x, y, range);
  }

  #drawAxes(x: Scale, y: Scale, [low, high]: [number, number]): void {
    const floor = HEIGHT - AXES.bottom;
    const word = (text: string, at: [number, number], anchor: string): SVGTextElement =>
      s("text", { x: at[0], y: at[1], "text-anchor": anchor }, text);
    const errors = high > low ? [low, high] : [low];
    const steps = ticks(x.low, x.high, 4).filter(Number.isInteger);
    this.#axes.replaceChildren(
      s("path", { d: `M${AXES.left} ${AXES.top - 4}V${floor}H${WIDTH - AXES.right}` }),
      ...errors.map((p) => word(short(10 ** p), [AXES.left - 5, y(p) + 4], "end")),
      ...steps.map((n) => word(String(n), [x(n), floor + 14], "middle")),
      word(`${this.#part} error`, [AXES.left + 5, 11], "start"),
      word("steps", [WIDTH - AXES.right, floor - 5], "end"),
    );
  }

  #mark(doomed: ReadonlySet<string>): void {
    if (doomed.size > 0 || this.store.doomed.value.size > 0) this.store.doomed.value = doomed;
  }

  async #prune(): Promise<void> {
    const { edges } = this;
    if (edges.length === 0) return;
    await tell(this.store, this.#line, { type: "prune", edges });
    this.#mark(NOTHING);
  }
}

/** Makes the pruning slider. */
const pruningSlider = (store: Store, life: Life): HTMLElement =>
  new PruningSlider(store, life).element;

// What a search did, told from the scenes before and after it, to be kept or undone.

/** The longest list that is shown. */
const MOST = 100;

/** Resolves once the scene of `version` is there; Python answers before or after it sends it. */
function sceneOf(store: Store, life: Life, version: number): Promise<Scene> {
  return new Promise((resolve) => {
    const end = effect(function () {
      const scene = store.scene.value;
      if (scene.version < version) return;
      resolve(scene);
      this.dispose();
    });
    life.add(end);
  });
}

/** Returns the edges that came to `state` between two scenes. */
export function came(before: Scene, after: Scene, state: EdgeState): EdgeView[] {
  const old = new Map(before.edges.map((view) => [keyOf(edgeOf(view)), view.state]));
  return after.edges.filter(
    (view) => view.state === state && old.get(keyOf(edgeOf(view))) !== state,
  );
}

class Outcome {
  readonly element = h("div", { class: "kv-stack kv-outcome", hidden: true });
  readonly #line = notice();
  #done = -1;
  #asked: HTMLElement | null = null;

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    // Undo means this outcome only as long as nothing else was done.
    life.follow(store.history, ({ done }) => {
      if (done.length !== this.#done) this.hide();
    });
  }

  /** Shows what came of a search; `asked` is the button that began it. */
  show(before: Scene, after: Scene, state: "pruned" | "symbolic", asked: HTMLElement): void {
    this.#asked = asked;
    this.#done = after.history.done.length;
    const edges = came(before, after, state);
    const verb = state === "pruned" ? "Removed" : "Made formulas of";
    const part = after.error.test === null ? "train" : "test";
    const errors = change(before.error[part], after.error[part]);
    const keep = button("Keep", () => this.hide());
    const undo = button("Undo", () => void this.#undo(), "Give back the network as it was");
    this.element.replaceChildren(
      h("p", {}, `${verb} ${count(edges.length, "edge")}: ${part} error ${errors}.`),
      h("ul", { class: "kv-list" }, ...edges.slice(0, MOST).map((view) => item(after, view))),
      ...(edges.length > MOST ? [h("p", {}, `and ${edges.length - MOST} more`)] : []),
      row(keep, undo),
      this.#line,
    );
    this.element.hidden = false;
    if (hasFocus(asked)) keep.focus();
  }

  hide(): void {
    if (hasFocus(this.element)) this.#asked?.focus();
    this.element.hidden = true;
  }

  async #undo(): Promise<void> {
    await tell(this.store, this.#line, { type: "undo" });
  }
}

function item(scene: Scene, view: EdgeView): HTMLLIElement {
  const name = edgeName(scene, edgeOf(view));
  if (view.formula === null) return h("li", {}, name);
  const fit = view.quality === null ? "" : ` (R\u00b2 ${short(view.quality, 6)})`;
  const formula = h("span", { class: "kv-formula" }, formulaNode(view.mathml, view.formula));
  return h("li", {}, `${name}: `, formula, fit);
}
