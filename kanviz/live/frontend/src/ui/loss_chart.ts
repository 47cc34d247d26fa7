/** Training and test error by step, drawn on a canvas as fast as frames come. */
import type { Store } from "../store";
import { button, h, hasFocus, write } from "./dom";
import type { Life } from "./life";
import { short, ticks } from "./numbers";
import { onTheme, themed } from "./theme";
import type { Losses } from "../contract";

const HEIGHT = 190;
/** Thirty drawings a second. */
const GAP_MS = 32;

class LossChart {
  readonly element: HTMLElement;
  private readonly canvas = h("canvas", { class: "kv-canvas", role: "img" });
  private readonly reading = h("p", { class: "kv-reading" });
  private readonly frame: HTMLElement;
  private readonly marks: LossMarks;
  private readonly scale = new LossScale();
  /** The place under the pointer, or -1. */
  private pointed = -1;
  /** What the mark says that has the pointer or the focus. */
  private marked = "";

  constructor(
    private readonly store: Store,
    life: Life,
    failed: (error: unknown) => void,
  ) {
    this.marks = new LossMarks(store, failed, (text) => {
      this.marked = text;
      this.read();
    });
    this.frame = h("div", { class: "kv-chart" }, this.canvas, this.marks.element);
    const parts = [this.frame, this.marks.choices, this.reading];
    this.element = h("div", { class: "kv-stack" }, ...parts);
    const draw = life.paced(() => this.draw(), GAP_MS);
    life.on(store, ["scene", "frame"], draw);
    life.resized(this.frame, draw);
    onTheme(life, draw);
    this.canvas.addEventListener("pointermove", (event) => this.point(event.offsetX));
    this.canvas.addEventListener("pointerleave", () => this.point(-1));
    draw();
  }

  private point(x: number): void {
    const { step } = this.store.scene.losses;
    this.pointed = x < 0 ? -1 : nearest(step, this.scale.stepAt(x));
    this.draw();
  }

  /** Writes what a mark says, or the numbers at the pointer, or those of now. */
  private read(): void {
    const { step, train, test } = this.store.scene.losses;
    const n = this.pointed >= 0 ? this.pointed : step.length - 1;
    const numbers = n < 0 ? "No training yet." : this.sentence(step[n], train[n], test[n]);
    write(this.reading, this.marked || numbers);
  }

  private sentence(step: number, train: number, test: number): string {
    const second = Number.isNaN(test) ? "" : `, test ${short(test)}`;
    return `Step ${step}: ${this.store.scene.losses.name} train ${short(train)}${second}`;
  }

  private draw(): void {
    const width = this.frame.clientWidth;
    const pen = width > 0 ? this.pen(width) : null;
    this.read();
    if (pen === null) return;
    const { losses } = this.store.scene;
    this.scale.fit(losses, width, HEIGHT);
    this.marks.draw(losses.marks, this.scale);
    pen.clearRect(0, 0, width, HEIGHT);
    this.drawAxes(pen);
    this.line(pen, losses.train, "--kv-train", "#1f5fa8", []);
    this.line(pen, losses.test, "--kv-test", "#b84a08", [5, 3]);
    this.drawPointed(pen);
    this.canvas.setAttribute("aria-label", `Errors while training. ${this.reading.textContent}`);
  }

  /** Returns what draws on the canvas, sized for this screen. */
  private pen(width: number): CanvasRenderingContext2D | null {
    const ratio = globalThis.devicePixelRatio || 1;
    const [across, down] = [Math.round(width * ratio), Math.round(HEIGHT * ratio)];
    if (this.canvas.width !== across || this.canvas.height !== down) {
      [this.canvas.width, this.canvas.height] = [across, down];
    }
    const pen = this.canvas.getContext("2d");
    pen?.setTransform(ratio, 0, 0, ratio, 0, 0);
    return pen;
  }

  private color(name: string, fallback: string): string {
    return themed(this.canvas, name, fallback);
  }

  private drawAxes(pen: CanvasRenderingContext2D): void {
    const { scale } = this;
    const [left, right] = [MARGIN.left, scale.width - MARGIN.right];
    pen.lineWidth = 1;
    pen.strokeStyle = this.color("--kv-hair", "#d9dfe7");
    pen.fillStyle = this.color("--kv-muted", "#5b6775");
    pen.font = `11px ${getComputedStyle(this.canvas).fontFamily}`;
    pen.textAlign = "right";
    const every = Math.max(1, Math.ceil((scale.high - scale.low) / 6));
    for (let power = Math.ceil(scale.low); power <= scale.high; power++) {
      if (power % every !== 0) continue;
      const y = Math.round(scale.y(10 ** power)) + 0.5;
      pen.beginPath();
      pen.moveTo(left, y);
      pen.lineTo(right, y);
      pen.stroke();
      pen.fillText(decade(power), left - 6, y + 4);
    }
    pen.textAlign = "center";
    for (const step of ticks(scale.first, scale.last, 5)) {
      if (Number.isInteger(step)) pen.fillText(String(step), scale.x(step), scale.height - 7);
    }
  }

  /** Draws one error; points that fall on the same pixel are drawn as their range. */
  private line(
    pen: CanvasRenderingContext2D,
    values: Float64Array,
    name: string,
    fallback: string,
    dash: number[],
  ): void {
    const { step } = this.store.scene.losses;
    pen.strokeStyle = this.color(name, fallback);
    pen.lineWidth = 1.6;
    pen.setLineDash(dash);
    pen.beginPath();
    let pixel = NaN;
    let [least, most, drawn] = [0, 0, 0];
    for (let n = 0; n < values.length; n++) {
      if (!(values[n] > 0)) continue;
      const [x, y] = [Math.round(2 * this.scale.x(step[n])) / 2, this.scale.y(values[n])];
      if (x === pixel && y >= least && y <= most) continue;
      least = x === pixel ? Math.min(least, y) : y;
      most = x === pixel ? Math.max(most, y) : y;
      if (Number.isNaN(pixel)) pen.moveTo(x, y);
      else pen.lineTo(x, y);
      pixel = x;
      drawn++;
    }
    // A single number, as of a test error measured once, makes no line.
    if (drawn === 1) pen.rect(pixel - 1.5, least - 1.5, 3, 3);
    pen.stroke();
    pen.setLineDash([]);
  }

  private drawPointed(pen: CanvasRenderingContext2D): void {
    const { step } = this.store.scene.losses;
    if (this.pointed < 0 || this.pointed >= step.length) return;
    const x = Math.round(this.scale.x(step[this.pointed])) + 0.5;
    pen.strokeStyle = this.color("--kv-muted", "#5b6775");
    pen.beginPath();
    pen.moveTo(x, MARGIN.top);
    pen.lineTo(x, this.scale.height - MARGIN.bottom);
    pen.stroke();
  }
}

/** "0.01" or "1e-5": the text of a power of ten. */
const decade = (power: number): string => short(Number(`1e${power}`), 1);

/** Makes the loss chart with its legend; `failed` gets what goes wrong with a jump. */
export function lossChart(
  store: Store,
  life: Life,
  failed: (error: unknown) => void,
): HTMLElement {
  const chart = new LossChart(store, life, failed);
  const legend = h(
    "p",
    { class: "kv-legend" },
    h("span", { class: "kv-key kv-key-train" }, "training"),
    h("span", { class: "kv-key kv-key-test" }, "test"),
    h("span", { class: "kv-key kv-key-mark" }, "edit, refine or prune: click to go there"),
  );
  return h("div", { class: "kv-stack" }, chart.element, legend);
}

// Where the loss chart puts a step and an error: steps evenly, errors by their logarithm.

export const MARGIN = { left: 44, right: 10, top: 18, bottom: 24 };

/** Mutable, and refilled in place: it is needed thirty times a second. */
export class LossScale {
  width = 0;
  height = 0;
  first = 0;
  last = 1;
  /** Powers of ten. */
  low = -1;
  high = 0;

  fit(losses: Losses, width: number, height: number): void {
    this.width = width;
    this.height = height;
    const { step } = losses;
    this.first = step.length ? step[0] : 0;
    this.last = step.length ? Math.max(step[step.length - 1], this.first + 1) : 1;
    this.low = Infinity;
    this.high = -Infinity;
    this.include(losses.train);
    this.include(losses.test);
    if (this.low > this.high) [this.low, this.high] = [-1, 0];
    // At least a decade, so that noise at the end of a fit does not look like news.
    if (this.high - this.low < 1) {
      const middle = (this.low + this.high) / 2;
      [this.low, this.high] = [middle - 0.5, middle + 0.5];
    }
    const room = 0.04 * (this.high - this.low);
    this.low -= room;
    this.high += room;
  }

  private include(values: Float64Array): void {
    for (let n = 0; n < values.length; n++) {
      const value = values[n];
      if (!(value > 0) || value === Infinity) continue;
      const power = Math.log10(value);
      if (power < this.low) this.low = power;
      if (power > this.high) this.high = power;
    }
  }

  x(step: number): number {
    const inner = this.width - MARGIN.left - MARGIN.right;
    return MARGIN.left + ((step - this.first) / (this.last - this.first)) * inner;
  }

  y(value: number): number {
    const inner = this.height - MARGIN.top - MARGIN.bottom;
    const share = (Math.log10(value) - this.low) / (this.high - this.low);
    return MARGIN.top + (1 - share) * inner;
  }

  /** The step at a place across. */
  stepAt(x: number): number {
    const inner = this.width - MARGIN.left - MARGIN.right;
    return this.first + ((x - MARGIN.left) / inner) * (this.last - this.first);
  }
}

/** The place in `step` (increasing) that is nearest to `wanted`; -1 if there is none. */
export function nearest(step: Float64Array, wanted: number): number {
  if (step.length === 0) return -1;
  let low = 0;
  let high = step.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (step[middle] <= wanted) low = middle;
    else high = middle;
  }
  return wanted - step[low] <= step[high] - wanted ? low : high;
}

// Marks over the loss chart: what happened at a step; a click takes the network back to it.

type Mark = Losses["marks"][number];

/** Marks closer than this many pixels share one button. */
const APART = 9;

export class LossMarks {
  readonly element = h("div", { class: "kv-marks" });
  /** Where several marks share a button, each gets one of its own here. */
  readonly choices = h("div", { class: "kv-choices", role: "group", hidden: true });
  private drawn: readonly Mark[] = [];
  private shape = "";
  private groups: Mark[][] = [];
  /** The group whose choices are shown. */
  private opened = -1;

  constructor(
    private readonly store: Store,
    private readonly failed: (error: unknown) => void,
    private readonly read: (text: string) => void,
  ) {
    this.choices.setAttribute("aria-label", "What happened at this step");
  }

  /** Places the marks; does nothing while marks and scale are as they were. */
  draw(marks: readonly Mark[], scale: LossScale): void {
    const shape = `${scale.width} ${scale.first} ${scale.last}`;
    if (marks === this.drawn && shape === this.shape) return;
    if (marks !== this.drawn) this.choices.hidden = true;
    this.drawn = marks;
    this.shape = shape;
    this.groups = [];
    let edge = -Infinity;
    for (const mark of marks) {
      const x = scale.x(mark.step);
      if (x - edge < APART) this.groups[this.groups.length - 1].push(mark);
      else {
        this.groups.push([mark]);
        edge = x;
      }
    }
    this.fill(scale);
  }

  /** Keeps the buttons that are there, so that the focus is not lost while a fit runs. */
  private fill(scale: LossScale): void {
    const old = [...this.element.children] as HTMLButtonElement[];
    this.groups.forEach((group, n) => {
      const one = old[n] ?? this.make(n);
      const [first] = group;
      const more = group.length > 1 ? ` and ${group.length - 1} more` : "";
      const text = `Step ${first.step}: ${first.text}${more}`;
      one.dataset.kind = first.kind;
      one.title = text;
      one.setAttribute("aria-label", `${text}. ${more ? "Choose one" : "Go there"}.`);
      one.style.left = `${scale.x(first.step)}px`;
    });
    for (const gone of old.slice(this.groups.length)) gone.remove();
  }

  private make(n: number): HTMLButtonElement {
    const one = button("", () => this.press(this.groups[n]));
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

  private press(group: Mark[]): void {
    if (group.length === 1) {
      this.jump(group[0]);
      return;
    }
    const made = group.map((mark) => button(mark.text, () => this.jump(mark)));
    this.opened = this.groups.indexOf(group);
    this.choices.replaceChildren(...made);
    this.choices.hidden = false;
    made[0].focus();
  }

  private jump({ position }: Mark): void {
    const from = this.element.children[this.opened];
    if (hasFocus(this.choices) && from instanceof HTMLElement) from.focus();
    this.choices.hidden = true;
    this.store.ask({ type: "jump", position }).catch(this.failed);
  }
}
