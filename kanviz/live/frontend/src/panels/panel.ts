/**
 * What a panel of the right-hand column is, and how all of them ask Python and say what happened.
 */

import type { Ask, Status, TrainingOptions } from "../contract";
import type { Store } from "../store";
import { button, h, write } from "../ui/dom";
import type { Life } from "../ui/life";

/** What a panel of the right-hand column is; `panels/index.ts` lists them all. */
export interface Panel {
  /** One or two words for its tab. */
  title: string;
  element: HTMLElement;
  /** Ends every listener and timer that the panel started. */
  destroy(): void;
  /** Its tab opens by itself when an edge gets selected, or when the probe opens. */
  opensOn?: "selected" | "probe";
}

/** How a fit is asked for that nobody has options for. */
export const PLAIN_FIT: TrainingOptions = {
  optimizer: "auto",
  steps: 100,
  sparsity: 0,
  entropy: 2,
  learning_rate: null,
  pace: null,
  hold: false,
};

// Asking Python, with what went wrong shown beside the button that asked.

/** Makes a line that says what happened; screen readers read it out. */
export function notice(): HTMLElement {
  return h("p", { class: "kv-notice", role: "status" });
}

export function say(line: HTMLElement, text: string, wrong = false): void {
  line.classList.toggle("kv-wrong", wrong);
  write(line, text);
}

export const reason = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);

/** Asks and returns the answer, or undefined after showing in `line` why there is none. */
export async function tell<T = unknown>(
  store: Store,
  line: HTMLElement,
  request: Ask,
): Promise<T | undefined> {
  try {
    const value = (await store.ask(request)) as T;
    if (line.classList.contains("kv-wrong")) say(line, "");
    return value;
  } catch (error) {
    say(line, reason(error), true);
    return undefined;
  }
}

// What goes on in the kernel: words and a bar. What goes wrong stands in the line at the foot.

/** Makes the line; it shows itself only in the states given. */
export function statusLine(
  store: Store,
  life: Life,
  states: readonly Status["state"][],
): HTMLElement {
  const text = h("p", { class: "kv-reading", "aria-live": "off" });
  const bar = h("progress", { class: "kv-progress", max: 1, "aria-label": "progress" });
  const line = notice();
  const cancel = button("Cancel", () => void tell(store, line, { type: "cancel" }));
  cancel.title = "Break the search off; the network stays as it was";
  const element = h("div", { class: "kv-status" }, bar, text, cancel, line);
  const draw = (): void => {
    const { state, progress } = store.status.value;
    element.hidden = !states.includes(state);
    cancel.hidden = state !== "searching";
    write(text, store.status.value.text);
    if (progress === null) bar.removeAttribute("value");
    else bar.value = progress;
  };
  life.effect(draw);
  return element;
}
