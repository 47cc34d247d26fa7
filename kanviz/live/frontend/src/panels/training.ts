/** Training: its options, its course, and what happened on the way. */
import type { Store } from "../store";
import { gridControl } from "./grid";
import { notice, reason, say, statusLine, tell, type Panel } from "./panel";
import type { Ask, TrainingOptions } from "../contract";
import { button, enable, h, row, section } from "../ui/dom";
import { choice, field, logSlider, numberBox } from "../ui/fields";
import { Life } from "../ui/life";
import { lossChart } from "../ui/loss_chart";

const OPTIMIZERS = ["auto", "lm", "lbfgs", "adam"];
const OPTIMIZER_TEXTS = ["automatic", "Levenberg-Marquardt", "L-BFGS", "Adam"];

/** What can be changed while a fit runs. */
type Steering = Partial<Pick<TrainingOptions, "sparsity" | "entropy" | "learning_rate">>;

class Training {
  readonly element: HTMLElement;
  private readonly options: TrainingOptions = {
    optimizer: "auto",
    steps: 100,
    sparsity: 0,
    entropy: 2,
    learning_rate: null,
  };
  private readonly line = notice();
  private readonly start: HTMLButtonElement;
  private readonly pause: HTMLButtonElement;
  private readonly step: HTMLButtonElement;
  private readonly stop: HTMLButtonElement;
  /** What cannot be changed while a fit runs. */
  private fixed: (HTMLInputElement | HTMLSelectElement)[] = [];
  private readonly steer: () => void;
  private changed: Steering = {};

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    this.start = button("Start", () => this.train(), "Train the network on its data");
    this.start.classList.add("kv-main");
    this.pause = button("Pause", () => this.ask({ type: this.paused ? "resume" : "pause" }));
    this.step = button("Step", () => this.ask({ type: "step" }), "Make one step, then wait");
    this.stop = button("Stop", () => this.ask({ type: "stop" }), "End the fit; keep what it found");
    this.steer = life.later(() => this.send(), 120);
    const failed = (error: unknown): void => say(this.line, reason(error), true);
    this.element = h(
      "div",
      { class: "kv-panel" },
      row(this.start, this.pause, this.step, this.stop),
      statusLine(store, life, ["fitting", "paused"]),
      this.line,
      lossChart(store, life, failed),
      this.makeOptions(),
      section("Grid", gridControl(store, life)),
    );
    life.on(store, ["status", "scene"], () => this.draw());
    this.draw();
  }

  private get paused(): boolean {
    return this.store.status.state === "paused";
  }

  private makeOptions(): HTMLElement {
    const { options } = this;
    const optimizer = choice(
      OPTIMIZERS,
      (name) => (options.optimizer = name),
      OPTIMIZER_TEXTS,
    );
    const steps = numberBox(options.steps, { low: 1, step: 1 }, (n) => (options.steps = n ?? 1));
    const rate = numberBox(
      null,
      { low: 0, step: "any", none: "automatic" },
      (value) => this.change({ learning_rate: value === 0 ? null : value }),
    );
    const entropy = numberBox(
      options.entropy,
      { low: 0, step: "any" },
      (value) => this.change({ entropy: value ?? 0 }),
    );
    this.fixed = [optimizer, steps];
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
      logSlider("Sparsity \u03bb", powers, 0, (sparsity) => this.change({ sparsity })),
    );
  }

  /** Takes an option over, and tells a fit that runs. */
  private change(news: Steering): void {
    Object.assign(this.options, news);
    const { state } = this.store.status;
    if (state !== "fitting" && state !== "paused") return;
    Object.assign(this.changed, news);
    this.steer();
  }

  private send(): void {
    const options = this.changed;
    this.changed = {};
    if (Object.keys(options).length > 0) this.ask({ type: "set_training", options });
  }

  private train(): void {
    this.ask({ type: "train", options: { ...this.options } });
  }

  private ask(request: Ask): void {
    void tell(this.store, this.line, request);
  }

  private draw(): void {
    const { state } = this.store.status;
    const running = state === "fitting" || state === "paused";
    enable(this.start, state === "idle" && this.store.scene.has_data);
    this.start.title = this.store.scene.has_data
      ? "Train the network on its data"
      : "Training needs data: model.explore(data)";
    enable(this.pause, running);
    this.pause.textContent = this.paused ? "Resume" : "Pause";
    enable(this.step, this.paused);
    enable(this.stop, running);
    for (const input of this.fixed) input.disabled = running;
  }
}

/** Makes the training panel; it needs a kernel. */
export function trainingPanel(store: Store): Panel {
  const life = new Life();
  const { element } = new Training(store, life);
  return { title: "Train", element, destroy: () => life.end() };
}
