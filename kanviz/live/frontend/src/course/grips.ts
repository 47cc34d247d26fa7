/** Points that are moved with the mouse, a finger or the arrow keys. */

import { assign, focusable, s } from "../ui/dom";
import { type Drag, draggable } from "../ui/drag";
import type { Frame } from "./frame";

const KEYS: Record<string, readonly [across: number, up: number]> = {
  ArrowLeft: [-1, 0],
  ArrowRight: [1, 0],
  ArrowUp: [0, 1],
  ArrowDown: [0, -1],
};

/** Pixels that one press of an arrow key moves a point; ten times as many with Shift. */
const STEP = 2;

/** What stands at one point. */
export interface Grip {
  x: number;
  y: number;
  /** What a screen reader says of it. */
  label: string;
  chosen: boolean;
  /** Pixels by which it is drawn above its place, where several lie on each other. */
  raised?: number;
  /** Radius of the disc around it, which shows how much it weighs. */
  halo?: number;
}

/** What the owner of the points does. */
export interface Owner {
  /** Moves point n to (x, y), as far as it may go; returns which point is moved. */
  move(n: number, x: number, y: number, byKey: boolean): number;
  choose(n: number): void;
  /** A press of another key on point n; returns whether it meant something. */
  press?(n: number, key: string): boolean;
  /** While true the plot must keep its ranges. */
  hold(held: boolean): void;
}

export class Grips {
  private readonly made: SVGGElement[] = [];
  /** Where each is drawn, in pixels. */
  private places: [across: number, up: number][] = [];

  constructor(
    private readonly frame: Frame,
    private readonly name: string,
    private readonly owner: Owner,
  ) {}

  /** Draws as many points as there are. */
  draw(grips: readonly Grip[]): void {
    while (this.made.length < grips.length) this.made.push(this.make(this.made.length));
    for (const gone of this.made.splice(grips.length)) gone.remove();
    const { x, y } = this.frame;
    this.places = grips.map((grip) => [x(grip.x), y(grip.y) - (grip.raised ?? 0)]);
    this.made.forEach((made, n) => this.place(made, grips[n], this.places[n]));
  }

  focus(n: number): void {
    this.made[n]?.focus();
  }

  private make(n: number): SVGGElement {
    const shape =
      this.name === "knot"
        ? s("path", { class: "kv-grip-dot", d: "M0 -6L5 0L0 6L-5 0Z" })
        : s("circle", { class: "kv-grip-dot", r: 5 });
    const grip = focusable(
      s(
        "g",
        { class: `kv-grip kv-grip-${this.name}`, role: "button", tabindex: 0 },
        s("circle", { class: "kv-grip-halo" }),
        s("circle", { class: "kv-grip-reach", r: 12 }),
        shape,
      ),
    );
    assign(grip, { "aria-roledescription": "movable point" });
    draggable(grip, (press) => this.grab(grip, n, press));
    grip.addEventListener("keydown", (event) => this.press(n, event));
    grip.addEventListener("focus", () => this.owner.choose(n));
    this.frame.top.append(grip);
    return grip;
  }

  private place(made: SVGGElement, grip: Grip, [across, up]: [number, number]): void {
    assign(made, {
      transform: `translate(${across.toFixed(2)} ${up.toFixed(2)})`,
      "aria-label": grip.label,
    });
    assign(made.firstElementChild!, { r: (grip.halo ?? 0).toFixed(1) });
    made.classList.toggle("kv-active", grip.chosen);
  }

  private grab(grip: SVGGElement, n: number, press: PointerEvent): Drag {
    grip.focus();
    const [x, y] = this.frame.at(press);
    const [across, up] = this.places[n];
    // From where the pointer pressed to the middle of the point.
    const aside = [this.frame.x.invert(across) - x, this.frame.y.invert(up) - y];
    let held = n;
    this.owner.hold(true);
    return {
      move: (event) => {
        const [toX, toY] = this.frame.at(event);
        held = this.owner.move(held, toX + aside[0], toY + aside[1], false);
      },
      end: () => this.owner.hold(false),
    };
  }

  private press(n: number, event: KeyboardEvent): void {
    const way = KEYS[event.key];
    if (way === undefined) {
      if (this.owner.press?.(n, event.key)) event.preventDefault();
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const [across, up] = this.places[n];
    const step = STEP * (event.shiftKey ? 10 : 1);
    const moved = this.owner.move(
      n,
      this.frame.x.invert(across + step * way[0]),
      this.frame.y.invert(up - step * way[1]),
      true,
    );
    if (moved !== n) this.focus(moved);
  }
}
