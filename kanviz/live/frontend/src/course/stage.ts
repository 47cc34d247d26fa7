/**
 * What a renderer of the teaching widgets gets: its element, and the state it shares with Python.
 */

import type { Model } from "../store";
import type { Life } from "../ui/life";

export interface Stage {
  /** The element to draw into; it carries the theme's colours. */
  readonly root: HTMLElement;
  /** The widget's `state`. */
  readonly shared: Shared;
  /** Ends what lives longer than the view. */
  readonly life: Life;
  /** Calls `f` when the colours change; what style sheets colour needs it not. */
  onTheme(f: () => void): void;
}

export type Renderer = (stage: Stage) => void;

const [NARROWEST, WIDEST] = [300, 1100];

/** How many pixels a picture may be wide in `root`. */
export function wide(root: HTMLElement): number {
  const { paddingLeft, paddingRight } = getComputedStyle(root);
  const free = root.clientWidth - (parseFloat(paddingLeft) || 0) - (parseFloat(paddingRight) || 0);
  return Math.floor(Math.min(Math.max(free, NARROWEST), WIDEST));
}

/** Calls `draw` now, after each change of the state, and when `root` gets another width. */
export function keepDrawn({ root, shared, life }: Stage, draw: () => void): void {
  let drawn = 0;
  const look = life.paced(() => {
    if (wide(root) !== drawn) drawAll();
  });
  const drawAll = (): void => {
    drawn = wide(root);
    draw();
  };
  shared.onChange(drawAll);
  life.resized(root, look);
  drawAll();
}

// The state that a view shares with Python and with the other views of its widget.

type State = Record<string, unknown>;

/** The traits of a teaching widget, as a notebook or a page gives them. */
export interface CourseTraits {
  kind: string;
  theme: string;
  state: State;
}

/** The last message of a view that Python has heard, as it stands in the state. */
interface Heard {
  view: string;
  turn: number;
}

/** Milliseconds after which an answer is no longer waited for; a page without a kernel has none. */
const PATIENCE = 500;

export class Shared {
  private own: State;
  private readonly view = Math.random().toString(36).slice(2);
  /** How often this view has changed something; what of it was sent, and what was heard. */
  private turn = 0;
  private sent = 0;
  private heard = 0;
  private sentAt = 0;
  private readonly listeners: (() => void)[] = [];
  private readonly due: State = {};
  private readonly send: () => void;

  constructor(
    private readonly model: Model<CourseTraits>,
    life: Life,
  ) {
    this.own = { ...model.get("state") };
    this.send = life.paced(() => this.sendNow(), 30);
    const changed = (): void => this.hear();
    model.on("change:state", changed);
    life.add(() => model.off("change:state", changed));
  }

  /** One value of the state. */
  get<T>(name: string): T {
    return this.own[name] as T;
  }

  /** Calls `f` after each change, from here or from Python. */
  onChange(f: () => void): void {
    this.listeners.push(f);
  }

  /** Changes values: here at once, and in Python soon. A page without a kernel stops at here. */
  set(change: State): void {
    Object.assign(this.own, change);
    Object.assign(this.due, change);
    this.turn += 1;
    this.send();
    this.tell();
  }

  /** One message is on its way at a time: a busy kernel must not find a heap of them. */
  private sendNow(): void {
    const now = performance.now();
    if (this.sent > this.heard && now - this.sentAt < PATIENCE) {
      this.send();
      return;
    }
    [this.sent, this.sentAt] = [this.turn, now];
    const change = { ...this.due };
    for (const name of Object.keys(change)) delete this.due[name];
    this.model.send({ type: "change", view: this.view, turn: this.turn, change });
  }

  /** An answer to an earlier part of a drag must not throw the point back. */
  private hear(): void {
    const state = this.model.get("state");
    const heard = state.heard as Heard | undefined;
    if (heard?.view === this.view) {
      this.heard = heard.turn;
      if (heard.turn < this.turn) return;
    }
    this.own = { ...state };
    this.tell();
  }

  private tell(): void {
    for (const f of this.listeners) f();
  }
}
