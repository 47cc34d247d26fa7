/** Training and test error by step, drawn on a canvas as fast as frames come. */
import type { Store } from "../contract";
import { h, write } from "./dom";
import type { Life } from "./life";
import { LossMarks } from "./loss_marks";
import { LossScale, MARGIN, nearest } from "./loss_scale";
import { short, ticks } from "./numbers";
import { onTheme, themed } from "./theme_watch";

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
