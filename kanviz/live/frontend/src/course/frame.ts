/** A plot of its own size in pixels: axes with numbers, a clipped inside, and a layer on top. */

import { assign, s } from "../ui/dom";
import { labels, linear, type Scale } from "../ui/numbers";

export type Range = readonly [low: number, high: number];

const LEFT = 40;
const RIGHT = 10;
const TOP = 8;

export class Frame {
  /** For what must not be drawn beyond the axes. */
  readonly inside = s("svg", { class: "kv-frame-inside" });
  /** For points to take hold of. */
  readonly top = s("g");
  readonly element: SVGSVGElement;
  x: Scale = linear(0, 1, LEFT, LEFT + 1);
  y: Scale = linear(0, 1, TOP + 1, TOP);
  private readonly ground = s("rect", { class: "kv-frame-ground" });
  private readonly axes = s("g", { class: "kv-frame-axes" });
  private width = 0;

  /** @param below Room below the plot for the numbers of its axis, in pixels. */
  constructor(
    name: string,
    private readonly below = 24,
  ) {
    const parts = [this.ground, this.axes, this.inside, this.top];
    this.element = s("svg", { class: `kv-frame kv-frame-${name}`, role: "group" }, ...parts);
  }

  /** Lets the plot have this size, and show these ranges. */
  show(width: number, height: number, across: Range, up: Range): void {
    this.width = width;
    const [right, bottom] = [width - RIGHT, height - this.below];
    this.x = linear(...across, LEFT, right);
    this.y = linear(...up, bottom, TOP);
    assign(this.element, { width, height, viewBox: `0 0 ${width} ${height}` });
    const box = { x: LEFT, y: TOP, width: right - LEFT, height: bottom - TOP };
    assign(this.ground, box);
    assign(this.inside, { ...box, viewBox: `${LEFT} ${TOP} ${box.width} ${box.height}` });
    this.drawAxes(right, bottom);
  }

  /** The size of the part that shows something. */
  static inner(width: number, height: number, below = 24): [width: number, height: number] {
    return [width - LEFT - RIGHT, height - TOP - below];
  }

  /** Where a pointer is, in the units of the axes. */
  at(event: MouseEvent): [x: number, y: number] {
    const seen = this.element.getBoundingClientRect();
    const ratio = this.width / (seen.width || this.width);
    return [
      this.x.invert((event.clientX - seen.left) * ratio),
      this.y.invert((event.clientY - seen.top) * ratio),
    ];
  }

  /** The path through points of the plot's units. */
  path(points: readonly (readonly [x: number, y: number])[]): string {
    return points.map(([x, y], n) => `${n ? "L" : "M"}${this.place(x, y)}`).join("");
  }

  /** A point in pixels, as a path has it. */
  place(x: number, y: number): string {
    return `${this.x(x).toFixed(2)} ${this.y(y).toFixed(2)}`;
  }

  private drawAxes(right: number, bottom: number): void {
    const nBelow = Math.max(2, Math.round((right - LEFT) / 90));
    const nBeside = Math.max(2, Math.round((bottom - TOP) / 50));
    const beside = labels(this.y.low, this.y.high, nBeside).map(({ value, text }) =>
      s(
        "g",
        { transform: `translate(${LEFT} ${this.y(value).toFixed(2)})` },
        s("line", { x2: right - LEFT }),
        s("text", { x: -7, y: 4, "text-anchor": "end" }, text),
      ),
    );
    const under = labels(this.x.low, this.x.high, nBelow).map(({ value, text }) =>
      s(
        "text",
        { x: this.x(value).toFixed(2), y: bottom + this.below - 7, "text-anchor": "middle" },
        text,
      ),
    );
    this.axes.replaceChildren(...beside, ...(this.below >= 20 ? under : []));
  }
}

/** Whether a range that was shown still serves: it holds what is there, which is not lost in it. */
export const serves = (shown: Range, now: Range): boolean =>
  holds(shown, now) && now[1] - now[0] >= (shown[1] - shown[0]) / 5;

export const holds = (shown: Range, now: Range): boolean =>
  shown[0] <= now[0] && now[1] <= shown[1];
