/** The grid of all splines: finer knots, or knots that follow the data. */

import { computed } from "@preact/signals-core";
import type { Store } from "../store";
import { button, enable, h, row } from "../ui/dom";
import { saidSlider } from "../ui/fields";
import type { Life } from "../ui/life";
import { count } from "../ui/numbers";
import { notice, tell } from "./panel";

/** The finest grid that the slider offers at least. */
const FINEST = 50;

/** Makes the slider for the grid size with its buttons. */
export function gridControl(store: Store, life: Life): HTMLElement {
  const line = notice();
  const now = computed(() => store.scene.value.grid_size);
  const say = (wanted: number): string =>
    wanted === now.value ? count(wanted, "interval") : `${now.value} \u2192 ${wanted} intervals`;
  const size = saidSlider("Grid size", { low: 1, high: FINEST, step: 1, value: 1 }, say, () =>
    draw(),
  );
  const refine = button("Refine", () => {
    void tell(store, line, { type: "refine", grid_size: size.value });
  });
  const update = button(
    "Fit knots to data",
    () => void tell(store, line, { type: "update_grid" }),
    "Move the knots to where the data are",
  );
  const draw = (): void => {
    const isFiner = size.value > now.value;
    enable(refine, isFiner);
    refine.title = isFiner ? "Same function, finer knots" : "Choose more intervals than now";
  };
  life.follow(now, (intervals) => {
    size.limit(intervals, Math.max(FINEST, 2 * intervals));
    size.value = intervals;
    draw();
  });
  return h("div", { class: "kv-stack" }, size.element, row(refine, update), line);
}
