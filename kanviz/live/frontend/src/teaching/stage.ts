/** What a renderer of the teaching widgets gets. */
import type { Life } from "../panels/life";
import type { Shared } from "./shared";

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
