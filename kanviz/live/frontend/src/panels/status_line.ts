/** What goes on in the kernel: words and a bar. What goes wrong stands in the line at the foot. */
import type { Status, Store } from "../contract";
import { h, write } from "./dom";
import type { Life } from "./life";

/** Makes the line; it shows itself only in the states given. */
export function statusLine(
  store: Store,
  life: Life,
  states: readonly Status["state"][],
): HTMLElement {
  const text = h("p", { class: "kv-reading", "aria-live": "off" });
  const bar = h("progress", { class: "kv-progress", max: 1, "aria-label": "progress" });
  const element = h("div", { class: "kv-status" }, bar, text);
  const draw = (): void => {
    const { state, progress } = store.status;
    element.hidden = !states.includes(state);
    write(text, store.status.text);
    if (progress === null) bar.removeAttribute("value");
    else bar.value = progress;
  };
  life.on(store, ["status"], draw);
  draw();
  return element;
}
