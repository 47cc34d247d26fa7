/** Asking Python, with what went wrong shown beside the button that asked. */
import type { Ask, Store } from "../contract";
import { h, write } from "./dom";

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
