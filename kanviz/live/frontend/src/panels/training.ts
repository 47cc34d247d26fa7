/** Training: its options, its course, and what happened on the way. */

import type { Ask, Losses, TrainingOptions } from "../contract";
import type { Store } from "../store";
import { button, enable, h, hasFocus, row, section, write } from "../ui/dom";
import { choice, field, logSlider, numberBox, type SaidSlider, saidSlider } from "../ui/fields";
import { Life } from "../ui/life";
import { LossChart, type LossScale } from "../ui/loss_chart";
import { short } from "../ui/numbers";
import { gridControl } from "./grid";
import { notice, type Panel, PLAIN_FIT, reason, say, statusLine, tell } from "./panel";

/** Thirty drawings of the chart a second. */
const GAP_MS = 32;

/** Steps a second that can be chosen, and what a class sees by itself; "" is as fast as it goes. */
const PACES = ["", "20", "5", "1"];
const PACE_TEXTS = [
  "as fast as it goes",
  "20 steps a second",
  "5 steps a second",
  "1 step a second",
];
const PACE_OF_CLASS = "5";

const OPTIMIZERS = ["auto", "lm", "lbfgs", "adam"];
const OPTIMIZER_TEXTS = ["automatic", "Levenberg-Marquardt", "L-BFGS", "Adam"];

/** What can be changed while a fit runs. */
type Steering = Partial<Pick<TrainingOptions, "sparsity" | "entropy" | "learning_rate" | "pace">>;

class Training {
  readonly element: HTMLElement;
  private readonly options: TrainingOptions = { ...PLAIN_FIT };
  readonly #line = notice();
  readonly #start: HTMLButtonElement;
  readonly #pause: HTMLButtonElement;
  readonly #step: HTMLButtonElement;
  readonly #stop: HTMLButtonElement;
  /** What cannot be changed while a fit runs. */
  #fixed: (HTMLInputElement | HTMLSelectElement)[] = [];
  readonly #pace = choice(PACES, (pace) => this.#hurry(pace), PACE_TEXTS);
  #isPaceChosen = false;
  readonly #steer: () => void;
  #changed: Steering = {};

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    this.#start = button("Start", () => this.#train(), "Train the network on its data");
    this.#start.classList.add("kv-main");
    this.#pause = button("Pause", () => this.#ask({ type: this.#paused ? "resume" : "pause" }));
    this.#step = button("Step", () => this.#oneStep(), "Make one step, then wait");
    this.#stop = button(
      "Stop",
      () => this.#ask({ type: "stop" }),
      "End the fit; keep what it found",
    );
    this.#steer = life.later(() => this.#send(), 120);
    const failed = (error: unknown): void => say(this.#line, reason(error), true);
    this.element = h(
      "div",
      { class: "kv-panel" },
      row(this.#start, this.#pause, this.#step, this.#stop),
      statusLine(store, life, ["fitting", "paused"]),
      this.#line,
      field("Speed", this.#pace),
      new TrainingChart(store, life, failed).element,
      new Film(store, life).element,
      this.#makeOptions(),
      section("Grid", gridControl(store, life)),
    );
    life.effect(() => this.#draw());
  }

  get #paused(): boolean {
    return this.store.status.value.state === "paused";
  }

  #makeOptions(): HTMLElement {
    const { options } = this;
    const optimizer = choice(OPTIMIZERS, (name) => (options.optimizer = name), OPTIMIZER_TEXTS);
    const steps = numberBox(options.steps, { low: 1, step: 1 }, (n) => (options.steps = n ?? 1));
    const rate = numberBox(null, { low: 1e-9, step: "any", none: "automatic" }, (value) =>
      this.#change({ learning_rate: value }),
    );
    const entropy = numberBox(options.entropy, { low: 0, step: "any" }, (value) =>
      this.#change({ entropy: value ?? 0 }),
    );
    this.#fixed = [optimizer, steps];
    const powers = { low: -6, high: 0 };
    return section(
      "Options",
      h(
        "div",
        { class: "kv-grid-fields" },
        field("Optimizer", optimizer),
        field("Steps", steps),
        field("Learning rate", rate),
        field("Entropy", entropy),
      ),
      logSlider("Sparsity \u03bb", powers, 0, (sparsity) => this.#change({ sparsity })),
      h(
        "p",
        { class: "kv-hint" },
        "Sparsity is the price of strong edges; entropy makes a few of them cheaper than many weak ones.",
      ),
    );
  }

  /** Takes an option over, and tells a fit that runs. */
  #change(news: Steering): void {
    Object.assign(this.options, news);
    const { state } = this.store.status.value;
    if (state !== "fitting" && state !== "paused") return;
    Object.assign(this.#changed, news);
    this.#steer();
  }

  #send(): void {
    const options = this.#changed;
    this.#changed = {};
    if (Object.keys(options).length > 0) this.#ask({ type: "set_training", options });
  }

  #hurry(pace: string): void {
    this.#isPaceChosen = true;
    this.#change({ pace: pace ? Number(pace) : null });
  }

  /** One step of the fit that waits, or the first of a new one. */
  #oneStep(): void {
    if (this.#paused) this.#ask({ type: "step" });
    else this.#train(true);
  }

  #train(hold = false): void {
    // Before a class a fit is there to be watched.
    if (!this.#isPaceChosen && this.element.closest(".kv-projector")) {
      this.#pace.value = PACE_OF_CLASS;
      this.#hurry(PACE_OF_CLASS);
    }
    const wrong = this.element.querySelector<HTMLInputElement>("input:invalid");
    if (wrong) {
      const name = wrong.closest("label")?.querySelector(".kv-label")?.textContent ?? "A number";
      say(this.#line, `${name}: ${wrong.validationMessage || "must be another number"}`, true);
      wrong.focus();
      return;
    }
    say(this.#line, "");
    this.#ask({ type: "train", options: { ...this.options, hold } });
  }

  #ask(request: Ask): void {
    void tell(this.store, this.#line, request);
  }

  #draw(): void {
    const { state } = this.store.status.value;
    const running = state === "fitting" || state === "paused";
    enable(this.#start, state === "idle" && this.store.scene.value.has_data);
    this.#start.title = this.store.scene.value.has_data
      ? "Train the network on its data"
      : "Training needs data: model.explore(data)";
    enable(this.#pause, running);
    this.#pause.textContent = this.#paused ? "Resume" : "Pause";
    enable(this.#step, this.#paused || (state === "idle" && this.store.scene.value.has_data));
    enable(this.#stop, running);
    for (const input of this.#fixed) input.disabled = running;
  }
}

/** Training and test error by step, as fast as frames come, with marks and a reading. */
class TrainingChart {
  readonly element: HTMLElement;
  readonly #chart = new LossChart({ height: 190, lifts: false, dots: false });
  readonly #reading = h("p", { class: "kv-reading" });
  readonly #marks: LossMarks;
  /** The place under the pointer, or -1. */
  #pointed = -1;
  /** What the mark says that has the pointer or the focus. */
  #marked = "";

  constructor(
    private readonly store: Store,
    life: Life,
    failed: (error: unknown) => void,
  ) {
    this.#marks = new LossMarks(store, failed, (text) => {
      this.#marked = text;
      this.#read();
    });
    const frame = this.#chart.element;
    const key = (kind: string, text: string): HTMLElement =>
      h("span", { class: `kv-key kv-key-${kind}` }, text);
    const legend = h("p", { class: "kv-legend" });
    legend.append(
      key("train", "training"),
      key("test", "test"),
      key("mark", "edit, refine or prune: click to go there"),
    );
    const parts = [frame, this.#marks.choices, this.#reading];
    this.element = h(
      "div",
      { class: "kv-stack" },
      h("div", { class: "kv-stack" }, ...parts),
      legend,
    );
    frame.append(this.#marks.element);
    life.resized(
      frame,
      life.drawn(() => this.#draw(), GAP_MS),
    );
    frame.addEventListener("pointermove", (event) => this.#point(this.#chart.placeOf(event)));
    frame.addEventListener("pointerleave", () => this.#point(-1));
  }

  #point(at: number): void {
    this.#pointed = at;
    this.#chart.point(at);
    this.#read();
  }

  /** Writes what a mark says, or the numbers at the pointer, or those of now. */
  #read(): void {
    const { step, train, test } = this.store.losses.value;
    const n = this.#pointed >= 0 ? this.#pointed : step.length - 1;
    const numbers =
      n < 0 ? "No training since this was opened." : this.#sentence(step[n], train[n], test[n]);
    write(this.#reading, this.#marked || numbers);
  }

  #sentence(step: number, train: number, test: number): string {
    const second = Number.isNaN(test) ? "" : `, test ${short(test)}`;
    return `Step ${step}: ${this.store.losses.value.name} train ${short(train)}${second}`;
  }

  #draw(): void {
    this.#read();
    const { step, train, test, marks, name } = this.store.losses.value;
    const breaks = marks.filter((mark) => mark.kind === "fit").map((mark) => mark.step);
    if (!this.#chart.draw({ step, lines: [train, test], name, breaks })) return;
    this.#marks.draw(marks, this.#chart.scale);
    this.#chart.describe(`Errors while training. ${this.#reading.textContent}`);
  }
}

/** Looking back at what was learnt: the curves as they were, without a change to the network. */
class Film {
  readonly element: HTMLElement;
  readonly #slider: SaidSlider;

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    const range = { low: 0, high: 1, step: 1, value: 1 };
    this.#slider = saidSlider(
      "Look back",
      range,
      (n) => this.#words(n),
      (n) => this.#show(n),
    );
    this.element = h("div", { class: "kv-film" }, this.#slider.element);
    this.#slider.input.addEventListener("change", () => this.#leave());
    this.#slider.input.addEventListener("blur", () => this.#leave());
    life.effect(() => this.#draw());
  }

  #draw(): void {
    const { frames, at } = this.store.film.value;
    const isRunning = this.store.status.value.state === "fitting";
    this.element.hidden = frames.length < 2 || isRunning;
    this.#slider.limit(0, frames.length);
    this.#slider.value = at ?? frames.length;
  }

  #words(n: number): string {
    const { frames } = this.store.film.peek();
    return n < frames.length ? `step ${frames[n].step.at(-1) ?? 0}` : "now";
  }

  #show(n: number): void {
    this.store.lookBack(n < this.store.film.peek().frames.length ? n : null);
  }

  /** What is looked back at stays as long as the slider has the focus. */
  #leave(): void {
    if (!hasFocus(this.#slider.input)) this.store.lookBack(null);
  }
}

type Mark = Losses["marks"][number];

/** Marks closer than this many pixels share one button. */
const APART = 9;

/** Marks over the chart: what happened at a step; a click takes the network back to it. */
export class LossMarks {
  readonly element = h("div", { class: "kv-marks" });
  /** Where several marks share a button, each gets one of its own here. */
  readonly choices = h("div", { class: "kv-choices", role: "group", hidden: true });
  #drawn: readonly Mark[] = [];
  #groups: Mark[][] = [];
  /** The group whose choices are shown. */
  #opened = -1;

  constructor(
    private readonly store: Store,
    private readonly failed: (error: unknown) => void,
    private readonly read: (text: string) => void,
  ) {
    this.choices.setAttribute("aria-label", "What happened at this step");
  }

  draw(marks: readonly Mark[], scale: LossScale): void {
    if (marks !== this.#drawn) this.choices.hidden = true;
    this.#drawn = marks;
    this.#groups = [];
    let edge = -Infinity;
    for (const mark of marks) {
      const x = scale.x(mark.step);
      if (x - edge < APART) this.#groups[this.#groups.length - 1].push(mark);
      else {
        this.#groups.push([mark]);
        edge = x;
      }
    }
    this.#fill(scale);
  }

  /** Keeps the buttons that are there, so that the focus is not lost while a fit runs. */
  #fill(scale: LossScale): void {
    const old = [...this.element.children] as HTMLButtonElement[];
    this.#groups.forEach((group, n) => {
      const one = old[n] ?? this.#make(n);
      const [first] = group;
      const more = group.length > 1 ? ` and ${group.length - 1} more` : "";
      const text = `Step ${first.step}: ${first.text}${more}`;
      one.dataset.kind = first.kind;
      one.title = text;
      one.setAttribute("aria-label", `${text}. ${more ? "Choose one" : "Go there"}.`);
      one.style.left = `${scale.x(first.step)}px`;
    });
    for (const gone of old.slice(this.#groups.length)) gone.remove();
  }

  #make(n: number): HTMLButtonElement {
    const one = button("", () => this.#press(this.#groups[n]));
    one.className = "kv-mark";
    const show = (): void => this.read(one.title);
    one.addEventListener("pointerenter", show);
    one.addEventListener("focus", show);
    for (const leave of ["pointerleave", "blur"]) {
      one.addEventListener(leave, () => this.read(""));
    }
    this.element.append(one);
    return one;
  }

  #press(group: Mark[]): void {
    if (group.length === 1) {
      this.#jump(group[0]);
      return;
    }
    const made = group.map((mark) => button(mark.text, () => this.#jump(mark)));
    this.#opened = this.#groups.indexOf(group);
    this.choices.replaceChildren(...made);
    this.choices.hidden = false;
    made[0].focus();
  }

  #jump({ position }: Mark): void {
    const from = this.element.children[this.#opened];
    if (hasFocus(this.choices) && from instanceof HTMLElement) from.focus();
    this.choices.hidden = true;
    this.store.ask({ type: "jump", position }).catch(this.failed);
  }
}

/** Makes the training panel; it needs a kernel. */
export function trainingPanel(store: Store): Panel {
  const life = new Life();
  const { element } = new Training(store, life);
  return { title: "Train", element, destroy: () => life.end() };
}
