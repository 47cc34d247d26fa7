/** The grid of all splines: finer knots, or knots that follow the data. */
import type { Store } from "../store";
import { notice, tell } from "./panel";
import { button, enable, h, row, write } from "../ui/dom";
import { field, slider } from "../ui/fields";
import type { Life } from "../ui/life";
import { count } from "../ui/numbers";

/** The finest grid that the slider offers at least. */
const FINEST = 50;

/** Makes the slider for the grid size with its buttons. */
export function gridControl(store: Store, life: Life): HTMLElement {
  const line = notice();
  const shown = h("output", { class: "kv-value" });
  const size = slider({ low: 1, high: FINEST, step: 1, value: 1 }, () => draw());
  const refine = button("Refine", () => {
    void tell(store, line, { type: "refine", grid_size: Number(size.value) });
  });
  const update = button(
    "Fit knots to data",
    () => void tell(store, line, { type: "update_grid" }),
    "Move the knots to where the data are",
  );
  const draw = (): void => {
    const now = store.scene.grid_size;
    const wanted = Number(size.value);
    const text = wanted === now ? count(now, "interval") : `${now} \u2192 ${wanted} intervals`;
    write(shown, text);
    size.setAttribute("aria-valuetext", text);
    enable(refine, wanted > now);
    refine.title = wanted > now ? "Same function, finer knots" : "Choose more intervals than now";
  };
  let seen = -1;
  const follow = (): void => {
    const now = store.scene.grid_size;
    if (now === seen) return;
    seen = now;
    size.min = String(now);
    size.max = String(Math.max(FINEST, 2 * now));
    size.value = String(now);
    draw();
  };
  life.on(store, ["scene"], follow);
  follow();
  return h("div", { class: "kv-stack" }, field("Grid size", size, shown), row(refine, update), line);
}
