/** Losses on a logarithmic axis, with a mark at the present frame and where the grid got finer. */
import { assign, h, s } from "../ui/dom";
import type { Life } from "../ui/life";
import { short, ticks } from "../ui/numbers";

export interface Chart {
  steps: number[];
  /** One number per step, by name. */
  lines: Record<string, number[]>;
  /** First steps of grid levels. */
  marks: { step: number; grid: number }[];
}

const MARGIN = { left: 44, right: 12, top: 20, bottom: 22 };
/** Pixels that the text of a mark needs. */
const TEXT = 46;

/** Powers of ten of the smallest and the largest positive number, at least a decade apart. */
export function decades(lines: number[][]): [low: number, high: number] {
  const powers = lines.flat().filter((value) => value > 0).map(Math.log10);
  const low = Math.min(...powers);
  const high = Math.max(...powers);
  if (!(high >= low)) return [-1, 0];
  const more = Math.max(0, 1 - (high - low)) / 2 + 0.04 * (high - low);
  return [low - more, high + more];
}

/** Path through the positive numbers of a line; the pen is lifted at the others. */
export function lossPath(
  values: number[],
  x: (at: number) => number,
  y: (value: number) => number,
): string {
  let pen = "M";
  let d = "";
  values.forEach((value, at) => {
    if (value > 0) d += `${pen}${x(at).toFixed(1)} ${y(value).toFixed(1)}`;
    pen = value > 0 ? "L" : "M";
  });
  return d;
}

export class LossLines {
  readonly element: HTMLElement;
  private readonly svg = s("svg", { class: "kt-losses", role: "img" });
  private readonly ground = s("g");
  private readonly now = s("g");
  private readonly range: [number, number];
  private width = 0;
  private at = 0;

  constructor(
    life: Life,
    private readonly chart: Chart,
    private readonly height: number,
    pick: (at: number) => void,
  ) {
    this.range = decades(Object.values(chart.lines));
    this.svg.append(this.ground, this.now);
    const names = Object.keys(chart.lines);
    const keys = names.map((name, n) =>
      h("span", { class: `kt-key kt-key-${n}` }, s("svg", {}, s("path", { d: "M0 5h22" })), name),
    );
    this.element = h("div", { class: "kt-chart" }, this.svg, h("p", { class: "kt-keys" }, ...keys));
    this.svg.addEventListener("pointerdown", (event) => {
      this.svg.setPointerCapture?.(event.pointerId);
      pick(this.nearest(event.offsetX));
    });
    this.svg.addEventListener("pointermove", (event) => {
      if (event.buttons) pick(this.nearest(event.offsetX));
    });
    life.resized(this.element, () => this.resize());
  }

  /** Puts the mark at a frame. */
  show(at: number): void {
    this.at = at;
    const values = Object.entries(this.chart.lines).map(([name, all]) => `${name} ${short(all[at])}`);
    const said = `${values.join(", ")} at step ${this.chart.steps[at]}`;
    assign(this.svg, { "aria-label": `Losses on a logarithmic axis: ${said}` });
    this.drawNow();
  }

  private resize(): void {
    const width = this.svg.clientWidth || this.element.clientWidth;
    if (!width || width === this.width) return;
    this.width = width;
    assign(this.svg, { viewBox: `0 0 ${width} ${this.height}`, height: this.height });
    this.drawGround();
    this.drawNow();
  }

  private x(at: number): number {
    const { steps } = this.chart;
    const share = (steps[at] - steps[0]) / (steps[steps.length - 1] - steps[0] || 1);
    return MARGIN.left + share * (this.width - MARGIN.left - MARGIN.right);
  }

  private y(value: number): number {
    const [low, high] = this.range;
    const inner = this.height - MARGIN.top - MARGIN.bottom;
    return MARGIN.top + ((high - Math.log10(value)) / (high - low)) * inner;
  }

  /** The frame nearest to a place across. */
  private nearest(across: number): number {
    let best = 0;
    this.chart.steps.forEach((_, at) => {
      if (Math.abs(this.x(at) - across) < Math.abs(this.x(best) - across)) best = at;
    });
    return best;
  }

  private drawGround(): void {
    const lines = Object.values(this.chart.lines).map((values, n) =>
      s("path", {
        class: `kt-loss kt-loss-${n}`,
        d: lossPath(values, (at) => this.x(at), (value) => this.y(value)),
      }),
    );
    this.ground.replaceChildren(...this.grid(), ...this.across(), ...this.marks(), ...lines);
  }

  private grid(): SVGElement[] {
    const [low, high] = this.range;
    const every = Math.max(1, Math.ceil((high - low) / (this.height / 34)));
    const parts: SVGElement[] = [];
    for (let power = Math.ceil(low); power <= high; power++) {
      if (power % every !== 0) continue;
      const y = Math.round(this.y(10 ** power)) + 0.5;
      const right = this.width - MARGIN.right;
      parts.push(s("path", { class: "kt-hair", d: `M${MARGIN.left} ${y}H${right}` }));
      const place = { x: MARGIN.left - 6, y: y + 4, "text-anchor": "end" };
      parts.push(s("text", place, short(Number(`1e${power}`), 1)));
    }
    return parts;
  }

  private across(): SVGElement[] {
    const { steps } = this.chart;
    const [first, last] = [steps[0], steps[steps.length - 1]];
    const inner = this.width - MARGIN.left - MARGIN.right;
    return ticks(first, last, 5)
      .filter(Number.isInteger)
      .map((step) => {
        const x = MARGIN.left + ((step - first) / (last - first || 1)) * inner;
        return s("text", { x, y: this.height - 5, "text-anchor": "middle" }, String(step));
      });
  }

  private marks(): SVGElement[] {
    const parts: SVGElement[] = [];
    let free = -Infinity;
    this.chart.marks.forEach(({ step, grid }, n) => {
      const x = this.x(this.chart.steps.indexOf(step));
      if (n > 0) {
        const down = this.height - MARGIN.bottom;
        parts.push(s("path", { class: "kt-refined", d: `M${x} ${MARGIN.top - 4}V${down}` }));
      }
      const left = Math.min(x, this.width - TEXT);
      if (left < free) return; // the line stays, its text would cover the one before
      free = left + TEXT;
      parts.push(s("text", { class: "kt-grid-size", x: left, y: 12 }, `G = ${grid}`));
    });
    return parts;
  }

  private drawNow(): void {
    if (!this.width) return;
    const x = this.x(this.at);
    const line = s("path", {
      class: "kt-now",
      d: `M${x} ${MARGIN.top}V${this.height - MARGIN.bottom}`,
    });
    const dots = Object.values(this.chart.lines)
      .map((values) => values[this.at])
      .filter((value) => value > 0)
      .map((value) => s("circle", { class: "kt-now-dot", cx: x, cy: this.y(value), r: 4 }));
    this.now.replaceChildren(line, ...dots);
  }
}
