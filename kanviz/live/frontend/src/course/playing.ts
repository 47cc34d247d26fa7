/** What moves by itself: a share that runs to 1, and a scrubber through the frames of something. */

import { assign, button, h, wantsStill, write } from "../ui/dom";
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

export class Scrubber {
  /** The slider and the button. */
  readonly element: HTMLElement;
  /** What the present frame shows, in words. */
  readonly caption = h("p", { class: "kv-moment" });
  /** The present frame, from 0. */
  at = 0;
  private readonly input: HTMLInputElement;
  private readonly shown = h("output", { class: "kv-value kv-place" });
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
    this.play.classList.add("kv-play");
    this.play.addEventListener("keydown", (event) => this.arrow(event));
    this.element = h("div", { class: "kv-scrubber" }, this.play, this.input, this.shown);
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

/** Milliseconds between two steps for those who want no motion, and how many steps there are. */
const [PAUSE, STEPS] = [600, 10];

/**
 * Makes a button that lets a share run from where it is to 1, in so many seconds from 0 to 1;
 * it comes to rest at a hundredth.
 *
 * Who wants no motion gets ten steps, each a picture that stands still.
 */
export function playButton(
  life: Life,
  seconds: number,
  read: () => number,
  show: (share: number) => void,
): HTMLButtonElement {
  let last = 0;
  let runs = false;
  const made = button("Play", () => (runs ? stop() : start()));
  const turn = (on: boolean): void => {
    runs = on;
    write(made, on ? "Stop" : "Play");
  };
  const stop = (): void => {
    if (runs) show(Math.round(100 * read()) / 100);
    turn(false);
  };
  const advance = life.paced(() => {
    const now = performance.now();
    const gap = wantsStill() ? PAUSE : 0;
    if (runs && now - last >= gap) {
      const share = Math.min(1, read() + (gap ? 1 / STEPS : (now - last) / 1000 / seconds));
      last = now;
      show(share);
      if (share === 1) stop();
    }
    if (runs) advance();
  });
  const start = (): void => {
    if (read() >= 1) show(0);
    turn(true);
    last = performance.now();
    advance();
  };
  life.add(() => turn(false));
  return made;
}
