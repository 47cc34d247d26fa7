/** Moves through the frames of something: a slider, a button that plays them, the arrow keys. */
import { assign, button, focusable, h, write } from "../ui/dom";
import { slider } from "../ui/fields";
import type { Life } from "../ui/life";

/** Milliseconds that a whole film takes, and each of its frames at least and at most. */
const WHOLE = 10_000;
const SHORTEST = 60;
const LONGEST = 900;

interface Reel {
  count: number;
  /** What a frame is called: "step". */
  label: string;
  /** What the present frame shows. */
  caption(at: number): string;
}

/** Whether the user wants things to jump rather than to move. */
export const wantsStill = (): boolean =>
  typeof matchMedia === "function" && matchMedia("(prefers-reduced-motion: reduce)").matches;

/** Lets what is too wide scroll by itself, by keys too. */
export function scrolling(element: HTMLElement, name: string): HTMLElement {
  const names = { class: "kt-scroll", role: "region", "aria-label": name, tabindex: 0 };
  return focusable(h("div", names, element));
}

export class Scrubber {
  /** The slider and the button. */
  readonly element: HTMLElement;
  /** What the present frame shows, in words. */
  readonly caption = h("p", { class: "kt-caption" });
  /** The present frame, from 0. */
  at = 0;
  private readonly input: HTMLInputElement;
  private readonly shown = h("output", { class: "kv-value kt-place" });
  private readonly play: HTMLButtonElement;
  private timer: ReturnType<typeof setInterval> | undefined;

  /** `show` is called with each frame that becomes the present one. */
  constructor(
    life: Life,
    private readonly reel: Reel,
    private readonly show: (at: number) => void,
  ) {
    const range = { low: 0, high: Math.max(0, reel.count - 1), step: 1, value: 0 };
    this.input = slider(range, (at) => {
      this.pause();
      this.go(at);
    });
    this.input.setAttribute("aria-label", reel.label);
    this.play = button("Play", () => this.toggle());
    this.play.classList.add("kt-play");
    this.play.addEventListener("keydown", (event) => this.arrow(event));
    this.element = h("div", { class: "kt-scrubber" }, this.play, this.input, this.shown);
    this.element.hidden = reel.count < 2;
    life.add(() => this.pause());
  }

  /** Makes a frame the present one; the nearest there is. */
  go(wanted: number): void {
    this.at = Math.min(Math.max(Math.round(wanted), 0), this.reel.count - 1);
    this.input.value = String(this.at);
    const place = `${this.reel.label} ${this.at + 1} of ${this.reel.count}`;
    write(this.shown, place);
    const words = this.reel.caption(this.at);
    this.input.setAttribute("aria-valuetext", `${place}: ${words}`);
    write(this.caption, words);
    this.show(this.at);
  }

  private arrow(event: KeyboardEvent): void {
    const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    this.pause();
    this.go(this.at + by);
  }

  private toggle(): void {
    if (this.timer !== undefined) {
      this.pause();
      return;
    }
    if (this.at === this.reel.count - 1) this.go(0);
    const { count } = this.reel;
    const pace = Math.min(Math.max(WHOLE / count, SHORTEST), LONGEST);
    // A long fit is not played step by step.
    const by = Math.max(1, Math.round((count * SHORTEST) / WHOLE));
    this.timer = setInterval(() => this.next(by), pace);
    this.mark();
  }

  private next(by: number): void {
    this.go(this.at + by);
    if (this.at === this.reel.count - 1) this.pause();
  }

  private pause(): void {
    clearInterval(this.timer);
    this.timer = undefined;
    this.mark();
  }

  private mark(): void {
    const isPlaying = this.timer !== undefined;
    write(this.play, isPlaying ? "Pause" : "Play");
    assign(this.play, { "aria-label": `${isPlaying ? "Pause" : "Play"} the ${this.reel.label}s` });
  }
}
