/** Diagnosis: where the network is right and where not, row by row, and what a row is made of. */

import { computed, signal } from "@preact/signals-core";
import type { Contributions, Diagnosis } from "../contract";
import { nameAndUnit, scientific } from "../names";
import { nodeName } from "../scene";
import type { Store } from "../store";
import { assign, button, h, isShown, s, section, write } from "../ui/dom";
import { choice, field, setChoices } from "../ui/fields";
import { Life } from "../ui/life";
import { extent, labels, linear, roomy, short } from "../ui/numbers";
import { notice, type Panel, say, tell } from "./panel";

/** Asked again once the network has been still for so long. */
const REST = 400;
/** Rows in the list of the worst, and bars of a row. */
const MOST_ROWS = 8;
const MOST_BARS = 10;

const NONE: Diagnosis = { x: [], measured: [], predicted: [], guess: null, test: [] };

/** How far a row is off: for numbers measured less predicted, for classes the share that is lost. */
export function residuals({ measured, predicted, guess }: Diagnosis): number[] {
  return measured.map((value, n) => (guess ? 1 - predicted[n] : value - predicted[n]));
}

/** The rows that are furthest off, the worst first. */
export function worst(found: Diagnosis, most: number): number[] {
  const off = residuals(found).map(Math.abs);
  const order = off.map((_, n) => n).filter((n) => Number.isFinite(off[n]));
  return order.sort((a, b) => off[b] - off[a]).slice(0, most);
}

class Diagnoses {
  readonly element: HTMLElement;
  readonly #found = signal<Diagnosis>(NONE);
  /** The row that is looked at, or -1. */
  readonly #picked = signal(-1);
  readonly #line = notice();
  readonly #output = choice([], () => void this.#ask());
  readonly #chooser = field("Output", this.#output);
  #asked = "";

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    const pick = (n: number): void => this.#pick(n);
    const view = {
      store,
      found: this.#found,
      picked: this.#picked,
      output: () => this.#index,
      pick,
    };
    const scatter = new Scatter(view, life);
    const left = new Residuals(view, life);
    const confusion = new Confusion(view, life);
    this.element = h(
      "div",
      { class: "kv-panel kv-diagnosis" },
      this.#line,
      this.#chooser,
      confusion.element,
      section("Predicted against measured", scatter.element),
      section("What a row is made of", new Waterfall(view, life).element),
      section("The worst rows", new Worst(view, life).element),
      section("What is left over", left.element),
    );
    const soon = life.later(() => void this.#askIfShown(), REST);
    life.follow(store.version, soon);
    life.resized(this.element, () => void this.#askIfShown());
  }

  get #index(): number {
    return Number(this.#output.value || 0);
  }

  #askIfShown(): Promise<void> | undefined {
    const isOpen = isShown(this.element) && !this.element.closest("[hidden]");
    return isOpen ? this.#ask() : undefined;
  }

  async #ask(): Promise<void> {
    const scene = this.store.scene.peek();
    const last = scene.widths.length - 1;
    const isClasses = scene.error.name === "accuracy";
    const names = scene.output_names.map((_, j) => nodeName(scene, last, j));
    setChoices(
      this.#output,
      names.map((_, j) => String(j)),
      names,
    );
    this.#chooser.hidden = names.length < 2 || isClasses;
    const stamp = `${scene.version} ${this.#index}`;
    if (stamp === this.#asked) return;
    if (this.store.status.peek().state !== "idle") {
      say(this.#line, "As it was; anew when the work that goes on is done.");
      return;
    }
    this.#asked = stamp;
    const request = { type: "diagnosis", output: this.#index } as const;
    say(this.#line, "Looking at the rows\u2026");
    const answer = await tell<Diagnosis>(this.store, this.#line, request);
    if (!answer || stamp !== this.#asked) return;
    say(this.#line, "");
    if (this.#picked.peek() >= answer.measured.length) this.#picked.value = -1;
    this.#found.value = answer;
  }

  #pick(n: number): void {
    this.#picked.value = n;
    const width = this.store.scene.peek().widths[0];
    this.store.probe.value = Float64Array.from(
      this.#found.peek().x.slice(n * width, (n + 1) * width),
    );
  }
}

/** What every part of the panel draws from. */
interface View {
  store: Store;
  found: { readonly value: Diagnosis; peek(): Diagnosis };
  picked: { readonly value: number };
  output(): number;
  pick(n: number): void;
}

/** The output's own name and its unit; of classes the probability. */
function said({ store, output, found }: View): { name: string; unit: string } {
  const scene = store.scene.peek();
  if (found.peek().guess) return { name: "share of the right class", unit: "" };
  return nameAndUnit(nodeName(scene, scene.widths.length - 1, output()));
}

const titled = ({ name, unit }: { name: string; unit: string }): string =>
  unit ? `${name} [${unit}]` : name;

// Dots of both parts over two axes: a click picks the nearest.

const WIDTH = 360;
const HEIGHT = 250;
const LEFT = 54;
const BOTTOM = HEIGHT - 38;
const RIGHT = WIDTH - 10;
const TOP = 10;

class Dots {
  readonly svg: SVGSVGElement;
  readonly #axes = s("g", { class: "kv-axes" });
  readonly #guide = s("path", { class: "kv-guide" });
  readonly #parts = [s("path", { class: "kv-dots" }), s("path", { class: "kv-dots kv-dots-test" })];
  readonly #here = s("circle", { class: "kv-here", r: 6 });
  #points: { x: number[]; y: number[] } = { x: [], y: [] };
  #x = linear(0, 1, LEFT, RIGHT);
  #y = linear(0, 1, BOTTOM, TOP);

  constructor(pick: (n: number) => void) {
    const ground = { x: LEFT, y: TOP, width: RIGHT - LEFT, height: BOTTOM - TOP };
    this.svg = s(
      "svg",
      { class: "kv-plot kv-scatter", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
      s("rect", { class: "kv-plot-ground", ...ground }),
      ...[this.#axes, this.#guide, ...this.#parts, this.#here],
    );
    this.svg.addEventListener("click", (event) => {
      const n = this.#nearest(event);
      if (n >= 0) pick(n);
    });
  }

  draw(
    x: number[],
    y: number[],
    test: readonly boolean[],
    names: [across: string, up: string],
    isSquare: boolean,
  ): void {
    this.#points = { x, y };
    const both = roomy(extent(x, y), 0.04);
    this.#x = linear(...(isSquare ? both : roomy(extent(x), 0.04)), LEFT, RIGHT);
    this.#y = linear(...(isSquare ? both : roomy(extent(y, [0]), 0.08)), BOTTOM, TOP);
    const { low, high } = this.#x;
    const from = isSquare ? low : 0;
    const to = isSquare ? high : 0;
    const at = (value: number): string => value.toFixed(1);
    this.#guide.setAttribute(
      "d",
      `M${at(this.#x(low))} ${at(this.#y(from))}L${at(this.#x(high))} ${at(this.#y(to))}`,
    );
    this.#parts.forEach((path, part) => {
      const mine = x.flatMap((value, n) =>
        Number(test[n]) === part ? [`M${at(this.#x(value))} ${at(this.#y(y[n]))}h0`] : [],
      );
      path.setAttribute("d", mine.join(""));
    });
    this.#drawAxes(names);
  }

  mark(n: number): void {
    const isThere = n >= 0 && n < this.#points.x.length;
    this.#here.toggleAttribute("hidden", !isThere);
    if (isThere)
      assign(this.#here, { cx: this.#x(this.#points.x[n]), cy: this.#y(this.#points.y[n]) });
  }

  #drawAxes([across, up]: [string, string]): void {
    const below = labels(this.#x.low, this.#x.high, 4).map(({ value, text }) =>
      s("text", { x: this.#x(value), y: BOTTOM + 15, "text-anchor": "middle" }, text),
    );
    const beside = labels(this.#y.low, this.#y.high, 4).map(({ value, text }) =>
      s("text", { x: LEFT - 6, y: this.#y(value) + 4, "text-anchor": "end" }, text),
    );
    const turn = `translate(12 ${(TOP + BOTTOM) / 2}) rotate(-90)`;
    const title = { class: "kv-axis-title", "text-anchor": "middle" };
    this.#axes.replaceChildren(
      ...below,
      ...beside,
      s("text", { ...title, x: (LEFT + RIGHT) / 2, y: HEIGHT - 5 }, across),
      s("text", { ...title, transform: turn }, up),
    );
  }

  #nearest(event: MouseEvent): number {
    const seen = this.svg.getBoundingClientRect();
    const ratio = WIDTH / (seen.width || WIDTH);
    const [px, py] = [(event.clientX - seen.left) * ratio, (event.clientY - seen.top) * ratio];
    let [best, least] = [-1, Infinity];
    this.#points.x.forEach((x, n) => {
      const far = (this.#x(x) - px) ** 2 + (this.#y(this.#points.y[n]) - py) ** 2;
      if (far < least) [best, least] = [n, far];
    });
    return best;
  }
}

class Scatter {
  readonly element: HTMLElement;

  constructor(view: View, life: Life) {
    const dots = new Dots(view.pick);
    const key = (kind: string, text: string): HTMLElement =>
      h("span", { class: `kv-key kv-key-${kind}` }, text);
    const legend = h("p", { class: "kv-legend" });
    const tested = key("rows-test", "test");
    legend.append(key("rows", "training"), tested, "click a row to probe it");
    this.element = h("div", { class: "kv-stack" }, dots.svg, legend);
    life.effect(() => {
      const { measured, predicted, test, guess } = view.found.value;
      this.element.parentElement?.toggleAttribute("hidden", guess !== null);
      if (guess) return;
      tested.hidden = !test.includes(true);
      const name = titled(said(view));
      dots.draw(measured, predicted, test, [`measured ${name}`, "predicted"], true);
      dots.svg.setAttribute("aria-label", `Predicted against measured ${name}`);
      dots.mark(view.picked.value);
    });
  }
}

/** What is left over against an input, or against what is predicted. */
class Residuals {
  readonly element: HTMLElement;
  readonly #against = choice([], () => this.#draw());
  readonly #dots: Dots;

  constructor(
    private readonly view: View,
    life: Life,
  ) {
    this.#dots = new Dots(view.pick);
    this.element = h("div", { class: "kv-stack" }, field("Against", this.#against), this.#dots.svg);
    life.effect(() => this.#draw());
  }

  #draw(): void {
    const found = this.view.found.value;
    const scene = this.view.store.scene.peek();
    const width = scene.widths[0];
    const names = scene.input_names.map((_, i) => nodeName(scene, 0, i));
    const own = found.guess ? [] : ["what is predicted"]; // of classes it would be itself
    const keys = [...own.map(() => "-1"), ...names.map((_, i) => String(i))];
    setChoices(this.#against, keys, [...own, ...names]);
    const i = Number(this.#against.value);
    const across = i < 0 ? found.predicted : found.measured.map((_, n) => found.x[n * width + i]);
    const { unit } = said(this.view);
    const up = found.guess ? "what is missing to 1" : unit ? `residual [${unit}]` : "residual";
    const name = i < 0 ? titled(said(this.view)) : titled(nameAndUnit(names[i]));
    this.#dots.draw(across, residuals(found), found.test, [name, up], false);
    this.#dots.svg.setAttribute("aria-label", `Residuals against ${name}`);
    this.#dots.mark(this.view.picked.value);
  }
}

/** The rows that are furthest off, each to be probed. */
class Worst {
  readonly element: HTMLElement;

  constructor(view: View, life: Life) {
    const body = h("tbody");
    const head = h("tr");
    const table = h("table", { class: "kv-table kv-worst" }, h("thead", {}, head), body);
    this.element = h("div", { class: "kv-scroll" }, table);
    const rows = computed(() => worst(view.found.value, MOST_ROWS));
    life.effect(() => {
      const found = view.found.value;
      const { unit } = said(view);
      const heads = found.guess
        ? ["", "is", "taken for", "share"]
        : ["", "measured", "predicted", unit ? `off [${unit}]` : "off"];
      head.replaceChildren(...heads.map((text) => h("th", { scope: "col" }, text)));
      const left = residuals(found);
      body.replaceChildren(
        ...rows.value.map((n) => {
          const name = `${found.test[n] ? "test" : "training"} row`;
          const pick = button(name, () => view.pick(n), "Probe this row");
          pick.setAttribute("aria-pressed", String(n === view.picked.value));
          const cells = found.guess
            ? [
                className(view, found.measured[n]),
                className(view, found.guess[n]),
                share(found.predicted[n]),
              ]
            : [short(found.measured[n], 4), short(found.predicted[n], 4), short(left[n])];
          pick.setAttribute("aria-label", `${name}: ${cells.join(", ")}`);
          const made = cells.map((text) => h("td", { class: "kv-number" }, text));
          return h("tr", {}, h("th", { scope: "row" }, pick), ...made);
        }),
      );
    });
  }
}

const share = (value: number): string => `${(100 * value).toFixed(1)} %`;

const className = ({ store }: View, number: number): string => {
  const scene = store.scene.peek();
  return nodeName(scene, scene.widths.length - 1, number);
};

/** How often each class is taken for which, on the test part where there is one. */
class Confusion {
  readonly element: HTMLElement;

  constructor(view: View, life: Life) {
    const table = h("table", { class: "kv-table kv-confusion" });
    const about = h("p", { class: "kv-hint" });
    this.element = section(
      "What is taken for what",
      about,
      h("div", { class: "kv-scroll" }, table),
    );
    life.effect(() => {
      const { guess, measured, test } = view.found.value;
      this.element.hidden = guess === null;
      if (guess === null) return;
      const names = view.store.scene.peek().output_names.map((_, j) => className(view, j));
      const hasTest = test.some(Boolean);
      write(about, `Rows of the ${hasTest ? "test" : "training"} part.`);
      const counts = names.map(() => names.map(() => 0));
      measured.forEach((is, n) => {
        if (test[n] === hasTest) counts[is][guess[n]] += 1;
      });
      const head = ["is \u2193 taken for \u2192", ...names];
      const rows = counts.map((line, is) => {
        const cells = line.map((count, as) => {
          const kind = is === as ? "kv-right" : count ? "kv-mistaken" : "kv-never";
          return h("td", { class: `kv-number ${kind}` }, String(count));
        });
        return h("tr", {}, h("th", { scope: "row" }, names[is]), ...cells);
      });
      table.replaceChildren(
        h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
        h("tbody", {}, ...rows),
      );
    });
  }
}

/** From the mean over the data to what is said of a row, input by input, in the output's unit. */
class Waterfall {
  readonly element: HTMLElement;
  readonly #bars = h("div", { class: "kv-bars" });
  readonly #about = h("p", { class: "kv-hint" });
  readonly #line = notice();
  readonly #class_ = choice([], () => void this.#ask());
  readonly #chooser = field("Class", this.#class_);
  #asked: Float64Array | null = null;

  constructor(
    private readonly view: View,
    life: Life,
  ) {
    this.element = h(
      "div",
      { class: "kv-stack" },
      this.#about,
      this.#chooser,
      this.#bars,
      this.#line,
    );
    const soon = life.later(() => void this.#ask(), 60);
    life.effect(() => {
      void [view.store.probe.value, view.found.value];
      soon();
    });
    void this.#ask();
  }

  async #ask(): Promise<void> {
    const { store, found } = this.view;
    const scene = store.scene.peek();
    const x = store.probe.peek();
    const isClasses = found.peek().guess !== null;
    const names = scene.output_names.map((_, j) => className(this.view, j));
    const keys = names.map((_, j) => String(j));
    setChoices(this.#class_, keys, names);
    this.#chooser.hidden = !isClasses || x === null;
    this.#bars.hidden = x === null;
    if (x === null) write(this.#about, "Choose one of the rows, or move an input of the probe.");
    if (x === null || !isShown(this.element) || store.status.peek().state !== "idle") return;
    this.#asked = x;
    const output = isClasses ? Number(this.#class_.value) : this.view.output();
    const request = { type: "contributions", x: Array.from(x), output } as const;
    const answer = await tell<Contributions>(store, this.#line, request);
    if (!answer || this.#asked !== x) return;
    this.#draw(answer, isClasses ? { name: names[output], unit: "" } : said(this.view));
  }

  #draw(
    { base, parts, value }: Contributions,
    { name, unit }: { name: string; unit: string },
  ): void {
    const scene = this.view.store.scene.peek();
    const x = this.#asked!;
    const order = parts.map((_, i) => i).sort((a, b) => Math.abs(parts[b]) - Math.abs(parts[a]));
    const shown = order.slice(0, parts.length > MOST_BARS + 1 ? MOST_BARS : parts.length);
    const terms = shown.map((i) => {
      const { name: input, unit: own } = nameAndUnit(nodeName(scene, 0, i));
      return { name: `${input} = ${short(x[i])}${own ? ` ${own}` : ""}`, part: parts[i] };
    });
    const rest = order.slice(shown.length);
    if (rest.length) {
      const part = rest.reduce((sum, i) => sum + parts[i], 0);
      terms.push({ name: `${rest.length} others`, part });
    }
    const ends = [base];
    for (const { part } of terms) ends.push(ends.at(-1)! + part);
    const range = extent([value], ends) ?? [0, 1];
    const row = (
      text: string,
      from: number,
      to: number,
      number: string,
      kind = "",
    ): HTMLElement => {
      const span = range[1] - range[0] || 1;
      const place = (one: number): number => (100 * (one - range[0])) / span;
      const bar = h("span", { class: `kv-bar${to < from ? " kv-minus" : ""}` });
      bar.style.left = `${Math.min(place(from), place(to))}%`;
      bar.style.width = `${Math.abs(place(to) - place(from))}%`;
      const track = h("span", { class: "kv-bar-track" }, bar);
      track.style.setProperty("--kv-at", `${place(base)}%`);
      return h(
        "div",
        { class: `kv-bar-row${kind}` },
        h("span", { class: "kv-bar-name", title: text }, text),
        track,
        h("span", { class: "kv-number" }, number),
      );
    };
    const signed = (part: number): string => `${part > 0 ? "+" : ""}${short(part)}`;
    write(
      this.#about,
      `From the mean over the data to ${name}${unit ? ` in ${unit}` : ""}: what each input adds.`,
    );
    this.#bars.replaceChildren(
      row("mean", base, base, scientific(base)),
      ...terms.map((term, n) => row(term.name, ends[n], ends[n + 1], signed(term.part))),
      row(name, base, value, scientific(value), " kv-sum"),
    );
  }
}

/** Makes the diagnosis panel. */
export function diagnosisPanel(store: Store): Panel {
  const life = new Life();
  const { element } = new Diagnoses(store, life);
  return { title: "Diagnosis", element, destroy: () => life.end() };
}
