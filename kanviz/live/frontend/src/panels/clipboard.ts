/** Copying text, with a box to copy from by hand where the page may not. */
import { notice, say } from "./asking";
import { button, h } from "./dom";

export interface Copier {
  readonly element: HTMLElement;
  copy(text: string): Promise<void>;
}

/** Makes a line that says that text was copied, or shows it selected. */
export function copier(label: string): Copier {
  const line = notice();
  const box = h("textarea", { class: "kv-code", readonly: true, rows: 6, "aria-label": label });
  const close = button("Close", () => (byHand.hidden = true));
  const byHand = h("div", { class: "kv-stack", hidden: true }, box, close);
  const copy = async (text: string): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      byHand.hidden = true;
      say(line, `${label} copied.`);
    } catch {
      // Not every host lets a page write to the clipboard.
      box.value = text;
      byHand.hidden = false;
      box.focus();
      box.select();
      say(line, "Press Ctrl+C (Cmd+C) to copy what is selected.");
    }
  };
  return { element: h("div", { class: "kv-copier" }, line, byHand), copy };
}
