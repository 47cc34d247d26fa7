/** A number on a slider, and a button that lets it run. */
import { assign, button, h, write } from "./dom";
import type { Life } from "./life";

export interface Slider {
  readonly element: HTMLElement;
  value: number;
  /** Sets how far it goes. */
  limit(low: number, high: number): void;
}

/**
 * Makes a slider with its name and its value in words.
 *
 * @param step "any", or the distance between values.
 * @param say The value as text.
 * @param changed Called when a hand moves it, not when `value` is set.
 */
export function slider(
  label: string,
  [low, high, step]: readonly [low: number, high: number, step: number | "any"],
  say: (value: number) => string,
  changed: (value: number) => void,
): Slider {
  const input = h("input", { type: "range", class: "kv-slider", min: low, max: high, step });
  const said = h("output", { class: "kv-value" });
  const name = h("span", { class: "kv-label" }, label);
  const tell = (): void => {
    write(said, say(Number(input.value)));
    assign(input, { "aria-valuetext": said.textContent });
  };
  input.addEventListener("input", () => {
    tell();
    changed(Number(input.value));
  });
  tell();
  return {
    element: h("label", { class: "kv-field" }, name, input, said),
    get value() {
      return Number(input.value);
    },
    set value(value) {
      input.value = String(value);
      tell();
    },
    limit(least, most) {
      assign(input, { min: least, max: most });
      tell();
    },
  };
}

/** Milliseconds between two steps for those who want no motion, and how many steps there are. */
const [PAUSE, STEPS] = [600, 10];

const wantsNoMotion = (): boolean =>
  typeof matchMedia === "function" && matchMedia("(prefers-reduced-motion: reduce)").matches;

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
    const gap = wantsNoMotion() ? PAUSE : 0;
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
