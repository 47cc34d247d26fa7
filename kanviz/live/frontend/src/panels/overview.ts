/** The first panel: how good the model is, which inputs matter, and what to do next. */

import { computed } from "@preact/signals-core";
import type { Ask, Edge, Recipe, Scene } from "../contract";
import { cross, shapeSign } from "../diagram/paths";
import { figuresOf, shareText } from "../head";
import { outputs } from "../math/evaluate";
import { nameAndUnit, scientific } from "../names";
import { edgeOf, nodeName } from "../scene";
import type { Store } from "../store";
import { button, enable, focusable, h, hasFocus, s, section, write } from "../ui/dom";
import { Life } from "../ui/life";
import { count } from "../ui/numbers";
import { FunctionView } from "./function_view";
import { notice, type Panel, PLAIN_FIT, statusLine, tell } from "./panel";

/** Inputs in the list; of more the rest are counted. */
const MOST = 12;
/** About as many edges are computed for the list, and rows of the sample at most and at least. */
const EFFORT = 4e6;
const [MOST_ROWS, LEAST_ROWS] = [200, 20];
/** By which parts of the sample it is shifted against itself. */
const SHIFTS = [0.5, 0.382, 0.191];
/** Milliseconds of rest before the list is computed anew. */
const REST = 150;

/** Makes the panel. */
export function overviewPanel(store: Store): Panel {
  const life = new Life();
  const element = h(
    "div",
    { class: "kv-panel kv-overview" },
    new Judgement(store, life).element,
    new FunctionView(store, life).element,
    new Importance(store, life).element,
    ...dataSheet(store.scene.peek()),
    legend(),
  );
  return { title: "Overview", element, destroy: () => life.end() };
}

/** The verdict in words, the errors it is drawn from, and the next step. */
class Judgement {
  readonly element: HTMLElement;
  readonly #title = focusable(h("h3", { class: "kv-verdict-title", tabindex: -1 }));
  readonly #says = h("p", { class: "kv-verdict-says" });
  readonly #body = h("tbody");
  readonly #why = h("p", { class: "kv-hint" });
  readonly #step = button("Train", () => void this.#go());
  readonly #line = notice();

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    this.#step.classList.add("kv-main");
    const verdict = h("div", { class: "kv-verdict", role: "status" }, this.#title, this.#says);
    const table = h("table", { class: "kv-losses" }, this.#body);
    const next = h("div", { class: "kv-next" }, this.#step, this.#why);
    const status = statusLine(store, life, ["fitting", "paused", "searching"]);
    this.element = h("div", { class: "kv-stack" }, verdict, table, next, status, this.#line);
    const news = computed(() => {
      const scene = store.scene.value;
      return JSON.stringify([verdictOf(scene), scene.error, scene.rows]);
    });
    life.effect(() => {
      void news.value;
      this.#judge(store.scene.peek(), verdict);
    });
    life.effect(() => this.#offer());
  }

  #judge(scene: Scene, element: HTMLElement): void {
    const { kind, title, says } = verdictOf(scene);
    element.dataset.kind = kind;
    write(this.#title, title);
    write(this.#says, says);
    this.#body.replaceChildren(...rowsOf(scene));
  }

  #offer(): void {
    const step = nextStep(this.store.scene.value, this.store.local);
    // The focus must not go with the button.
    if (step === null && hasFocus(this.#step)) this.#title.focus();
    this.#step.hidden = step === null;
    this.#why.hidden = step === null;
    if (step === null) return;
    write(this.#step, step.text);
    write(this.#why, step.why);
    enable(this.#step, this.store.status.value.state === "idle");
  }

  async #go(): Promise<void> {
    const step = nextStep(this.store.scene.peek(), this.store.local);
    if (step) await tell(this.store, this.#line, step.ask);
  }
}

/** The errors of both parts, with the rows that each has. */
function rowsOf(scene: Scene): HTMLElement[] {
  const { error, rows } = scene;
  if (error.train === null) return [];
  const isShare = error.name === "accuracy";
  const number = (value: number): string =>
    isShare ? `${(100 * value).toFixed(1)} %` : scientific(value);
  const unit = figuresOf(scene)[0]?.unit ?? "";
  const cell = (text: string): HTMLElement => h("td", { class: "kv-number" }, text);
  const parts = [
    ["Training", error.train, error.r2_train, rows[0]],
    ["Test", error.test, error.r2_test, rows[1]],
  ] as const;
  const heads = ["", unit ? `${error.name} [${unit}]` : error.name];
  if (error.r2_train !== null) heads.push("R\u00b2");
  heads.push("rows");
  const made = parts.flatMap(([name, value, r2, count]) => {
    if (value === null) return [];
    const cells = [cell(number(value))];
    if (r2 !== null) cells.push(cell(shareText(r2)));
    cells.push(cell(count ? count.toLocaleString("en-US") : "\u2013"));
    return [h("tr", {}, h("th", { scope: "row" }, name), ...cells)];
  });
  const head = heads.map((text) => (text ? h("th", { scope: "col" }, text) : h("td")));
  return [h("tr", {}, ...head), ...made];
}

/**
 * What the outputs lose when an input is that of another row, as a share of their variance: what
 * `KAN.feature_scores` tells, of the rows that are here. Null for a network too large for that.
 */
export function inputEffects(recipe: Recipe | null, sample: Float64Array): number[] | null {
  const width = recipe?.layers[0].inputs ?? 0;
  const count = width ? sample.length / width : 0;
  const edges = recipe?.layers.reduce((sum, one) => sum + one.inputs * one.outputs, 0) ?? 0;
  const rows = Math.min(count, MOST_ROWS, Math.floor(EFFORT / (SHIFTS.length * width * edges)));
  if (!recipe || rows < Math.min(count, LEAST_ROWS) || rows < 2) return null;
  const x = new Float64Array(rows * width);
  for (let r = 0; r < rows; r++) {
    const from = Math.floor((r * count) / rows) * width;
    x.set(sample.subarray(from, from + width), r * width);
  }
  const before = outputs(recipe, x);
  const height = before.length / rows;
  const lost = Array.from({ length: width }, () => new Float64Array(height));
  const spread = new Float64Array(height);
  const add = (sum: Float64Array, after: (at: number) => number): void => {
    for (let at = 0; at < before.length; at++) sum[at % height] += (before[at] - after(at)) ** 2;
  };
  for (const part of SHIFTS) {
    const shift = Math.max(1, Math.round(part * rows));
    const other = (r: number): number => (r + shift) % rows;
    add(spread, (at) => before[other(Math.floor(at / height)) * height + (at % height)]);
    for (let i = 0; i < width; i++) {
      const exchanged = x.slice();
      for (let r = 0; r < rows; r++) exchanged[r * width + i] = x[other(r) * width + i];
      const after = outputs(recipe, exchanged);
      add(lost[i], (at) => after[at]);
    }
  }
  return lost.map((one) => {
    const shares = one.map((sum, k) => (spread[k] > 0 ? sum / spread[k] : 0));
    return shares.reduce((sum, share) => sum + share, 0) / height;
  });
}

/** The inputs, the most important first, each with a bar. */
class Importance {
  readonly element: HTMLElement;
  readonly #list = h("ol", { class: "kv-importance" });
  readonly #rest = h("p", { class: "kv-hint" });
  readonly #rows: HTMLButtonElement[] = [];
  #shown: number[] = [];

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    this.element = section("What matters", this.#list, this.#rest);
    life.follow(
      store.version,
      life.later(() => this.#draw(), REST),
    );
    this.#draw();
  }

  #draw(): void {
    const scene = this.store.scene.peek();
    const effects = inputEffects(scene.recipe, scene.sample);
    const inputs = scene.nodes
      .filter((node) => node.layer === 0)
      .map(({ index, score }) => ({ index, score: effects ? effects[index] : score }));
    const total = effects ? 1 : inputs.reduce((sum, node) => sum + node.score, 0);
    inputs.sort((a, b) => b.score - a.score || a.index - b.index);
    this.#shown = inputs.slice(0, MOST).map((node) => node.index);
    while (this.#rows.length < this.#shown.length) this.#rows.push(this.#make(this.#rows.length));
    for (const gone of this.#rows.splice(this.#shown.length)) gone.parentElement?.remove();
    const largest = inputs[0]?.score || 1;
    this.#rows.forEach((element, n) => {
      const { index, score } = inputs[n];
      const { name, unit } = nameAndUnit(nodeName(scene, 0, index));
      const share = total > 0 ? (100 * score) / total : 0;
      const [words, bar, number] = element.children;
      write(words.children[0], name);
      write(words.children[1], unit);
      (bar.firstElementChild as HTMLElement).style.width = `${(100 * score) / largest}%`;
      const isThere = scene.edges.some((e) => !e.layer && e.i === index && e.state !== "pruned");
      const part = `${share >= 10 ? share.toFixed(0) : share.toFixed(1)} %`;
      write(number, isThere || scene.edges.length < scene.n_edges ? part : "removed");
      const what = effects ? "of the output's variance is lost without it" : "of all paths";
      element.title = `${name}: ${share.toFixed(1)} % ${what}; opens its strongest edge`;
    });
    const left = inputs.length - this.#shown.length;
    const more = left > 0 ? `and ${left} more` : "";
    write(this.#rest, scene.is_fresh ? "So far this is chance: it is not trained yet." : more);
    this.#rest.hidden = !this.#rest.textContent;
  }

  #make(n: number): HTMLButtonElement {
    const bar = h("span", { class: "kv-share" }, h("span"));
    const names = h("span", { class: "kv-share-name" }, h("span"), h("small"));
    const made = focusable(
      h(
        "button",
        { type: "button", class: "kv-input" },
        names,
        bar,
        h("span", { class: "kv-number" }),
      ),
    );
    made.addEventListener("click", () => {
      const edge = strongestOf(this.store.scene.peek(), this.#shown[n]);
      if (edge) this.store.select(edge);
    });
    const point = (is: boolean) => (): void => {
      this.store.hoveredNode.value = is ? [0, this.#shown[n]] : null;
    };
    for (const enter of ["pointerenter", "focus"]) made.addEventListener(enter, point(true));
    for (const leave of ["pointerleave", "blur"]) made.addEventListener(leave, point(false));
    this.#list.append(h("li", {}, made));
    return made;
  }
}

function strongestOf(scene: Scene, input: number): Edge | null {
  const mine = scene.edges.filter((view) => view.layer === 0 && view.i === input);
  mine.sort((a, b) => b.score - a.score);
  return mine.length ? edgeOf(mine[0]) : null;
}

/** What the data are and what was done to them; nothing where nothing was. */
function dataSheet({ notes, rows, input_names, output_names }: Scene): HTMLElement[] {
  if (!notes.length) return [];
  const test = rows[1] ? ` and ${rows[1]} test` : "";
  const size = `${rows[0]} training${test} rows of ${count(input_names.length, "input")}`;
  const lines = [`${size}; ${output_names.join(", ")}.`, ...notes];
  const list = h("ul", { class: "kv-notes" }, ...lines.map((text) => h("li", {}, text)));
  return [h("details", { class: "kv-section" }, h("summary", {}, "About the data"), list)];
}

/** What the signs of the picture mean. */
function legend(): HTMLElement {
  const line = (kind: string, d = "M1,7h20"): SVGSVGElement =>
    s(
      "svg",
      { width: 22, height: 14, class: `kv-sign-${kind}`, "aria-hidden": "true" },
      s("path", { d }),
    );
  const dot = (kind: string, sign = ""): SVGSVGElement =>
    s(
      "svg",
      { width: 22, height: 14, class: kind, "aria-hidden": "true" },
      s("circle", { cx: 11, cy: 7, r: sign ? 6 : 4.5 }),
      s("path", { class: "kv-cross", d: sign }),
    );
  const entries: [SVGSVGElement, string][] = [
    [line("spline"), "a curve that training shapes (spline)"],
    [line("symbolic"), "a formula"],
    [line("pruned"), "removed: it adds nothing"],
    [dot("kv-dot-live"), "a node: it sums what comes from below; h1.2 is node 2 of layer 1"],
    [dot("kv-dot-live", cross(11, 7, 3.6)), "a node that multiplies the dots below it, each a sum"],
    [dot("kv-dot-bare"), "a node without edges"],
    [line("shape", shapeSign("convex", { x: 11, y: 7 }, 5)), "on a box: the shape that it keeps"],
  ];
  const items = entries.flatMap(([sign, text]) => [h("dt", {}, sign), h("dd", {}, text)]);
  const hints = [
    "The thicker and darker an edge, the more it matters.",
    "The ground of a curve shows where the data lie; ticks are its knots.",
  ].map((text) => h("p", { class: "kv-hint" }, text));
  const list = h("dl", { class: "kv-meaning" }, ...items);
  return h(
    "details",
    { class: "kv-section" },
    h("summary", {}, "How to read the picture"),
    list,
    ...hints,
  );
}

// What a scientist would say of a fit at a glance, and what to do next.

export interface Verdict {
  /** What colours it: all is well, look twice, or wrong. */
  kind: "good" | "plain" | "warn";
  title: string;
  says: string;
}

/** The test error is this many times that of training before a fit is called overfit. */
const OVERFIT = 1.5;
/** And explains so much less of the variance. */
const LOST = 0.02;
/** Below this share of the variance a model is of little use. */
const LITTLE = 0.5;
/** Edges with less than this share of the strongest score of their layer are idle. */
const IDLE = 0.01;

/** Numbers that training may choose: coefficients of the splines that are there. */
export function parameters(scene: Scene): number {
  const live = scene.edges.filter((view) => view.state === "spline");
  return live.reduce((sum, view) => sum + view.control_y.length + 1, 0);
}

/** Judges the errors of a scene. */
export function verdictOf(scene: Scene): Verdict {
  const { error, rows, has_data } = scene;
  if (!has_data && error.train === null)
    return { kind: "plain", title: "No data", says: "Errors need data: call model.explore(data)." };
  if (scene.is_fresh)
    return { kind: "plain", title: "Not trained yet", says: "The curves are where they start." };
  if (error.train === null) return { kind: "warn", title: "No error", says: "It is not finite." };
  return error.name === "accuracy" ? ofClasses(scene) : ofNumbers(scene, rows);
}

function ofNumbers(scene: Scene, [train]: number[]): Verdict {
  const { error } = scene;
  if (error.test === null) {
    const says = "No rows are kept aside, so nothing tells how it does on new ones.";
    return { kind: "plain", title: "No test part", says };
  }
  const ratio = error.test / (error.train || Number.MIN_VALUE);
  const lost = (error.r2_train ?? 1) - (error.r2_test ?? 1);
  if (ratio > OVERFIT && lost > LOST) {
    const many = parameters(scene);
    const isFew = train > 0 && many > train;
    const why = isFew
      ? ` ${many} numbers were fitted to ${train} rows: too few data for so many.`
      : "";
    const says = `On new rows it errs ${scientific(ratio)} times as much as on those it learnt.${why}`;
    const title = isFew ? "Overfit: too few data" : "Overfit";
    return { kind: "warn", title, says: `${says} Fewer edges, sparsity or more rows help.` };
  }
  if ((error.r2_test ?? 1) < LITTLE) {
    const says = "It explains less than half of how the output varies.";
    return { kind: "warn", title: "It explains little", says };
  }
  const says = "On new rows it errs about as much as on those it learnt.";
  return { kind: "good", title: "Fine", says };
}

function ofClasses({ error }: Scene): Verdict {
  if (error.test === null)
    return { kind: "plain", title: "No test part", says: "No rows are kept aside to judge it." };
  const isOverfit = error.train! - error.test > 0.05;
  if (isOverfit) {
    const says = "On new rows it is right less often than on those it learnt.";
    return { kind: "warn", title: "Overfit", says };
  }
  const says = "On new rows it is right about as often as on those it learnt.";
  return { kind: "good", title: "Fine", says };
}

/** A step that makes sense now: what its button says, why, and what it asks. */
export interface Step {
  text: string;
  why: string;
  ask: Ask;
}

/** Edges that are there and do next to nothing. */
export function idleEdges({ edges, widths }: Scene): Edge[] {
  const found: Edge[] = [];
  for (let layer = 0; layer < widths.length - 1; layer++) {
    const live = edges.filter((view) => view.layer === layer && view.state !== "pruned");
    const limit = IDLE * Math.max(0, ...live.map((view) => view.score));
    // Never all of a layer.
    if (limit > 0) found.push(...live.filter((view) => view.score < limit).map(edgeOf));
  }
  return found;
}

/** The next sensible step; null where there is none that the diagram can do. */
export function nextStep(scene: Scene, local: boolean): Step | null {
  const isTrained = !scene.is_fresh;
  if (!isTrained && !local && scene.has_data) {
    const why = "Fit the curves to the data.";
    return { text: "Train", why, ask: { type: "train", options: { ...PLAIN_FIT } } };
  }
  const idle = isTrained ? idleEdges(scene) : [];
  if (idle.length) {
    const text = `Remove ${idle.length === 1 ? "the idle edge" : `${idle.length} idle edges`}`;
    const why = "They do less than 1 % of what the strongest of their layer does.";
    return { text, why, ask: { type: "prune", edges: idle } };
  }
  const isSpline = scene.edges.some((view) => view.state === "spline");
  if (isTrained && isSpline && !local && scene.has_data) {
    const why = "Look for a known function that each curve may be.";
    return { text: "Name the curves", why, ask: { type: "symbolify" } };
  }
  return null;
}
