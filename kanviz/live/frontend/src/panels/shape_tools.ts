/** Smooth, flatten, shift and scale: a new curve at the points of the old one. */
import type { Edge, EdgeView, Store } from "../contract";
import { button, h, row } from "./dom";
import { newDrag, openEdge } from "./edges";
import { field, slider } from "./fields";
import type { Life } from "./life";
import { extent } from "./numbers";
import { flattened, guess, scaled, shifted, smoothed } from "./shapes";

type Failed = (error: unknown) => void;

/** A slider's gesture: the curve as it was when it began. */
interface Gesture {
  edge: Edge;
  before: EdgeView;
  drag: number;
}

/** Bends the edge to `wanted` in the picture at once, and asks Python for it. */
function bendTo(
  store: Store,
  gesture: Gesture,
  wanted: Float64Array,
  failed: Failed,
): void {
  const { edge, before, drag } = gesture;
  const [x, y] = [Array.from(before.curve_x), Array.from(wanted)];
  store.bend(edge, guess(before, wanted));
  store.ask({ type: "set_curve", edge, x, y, drag }).catch(failed);
}

function begin(store: Store): Gesture | null {
  const view = openEdge(store);
  if (view === null || store.selected === null || view.state !== "spline") return null;
  const before = {
    ...view,
    curve_y: view.curve_y.slice(),
    control_y: view.control_y.slice(),
  };
  return { edge: store.selected, before, drag: newDrag() };
}

function once(
  store: Store,
  text: string,
  hint: string,
  shape: (view: EdgeView) => Float64Array,
  failed: Failed,
): HTMLButtonElement {
  return button(
    text,
    () => {
      const gesture = begin(store);
      if (gesture !== null) bendTo(store, gesture, shape(gesture.before), failed);
    },
    hint,
  );
}

/** A slider that springs back to the middle: it says how far to go from where the curve was. */
function spring(
  store: Store,
  life: Life,
  label: string,
  shape: (view: EdgeView, share: number) => Float64Array,
  failed: Failed,
): HTMLElement {
  let gesture: Gesture | null = null;
  const act = life.paced(() => {
    const share = Number(input.value) / 100;
    if (gesture !== null) bendTo(store, gesture, shape(gesture.before, share), failed);
  });
  const input = slider({ low: -100, high: 100, step: 1, value: 0 }, () => {
    gesture ??= begin(store);
    act();
  });
  // Keys make one small step each, so the gesture lasts as long as the slider keeps the focus.
  const end = (): void => {
    if (gesture !== null && input.value !== "0") {
      const share = Number(input.value) / 100;
      bendTo(store, gesture, shape(gesture.before, share), failed);
    }
    gesture = null;
    input.value = "0";
  };
  input.addEventListener("pointerup", end);
  input.addEventListener("blur", end);
  return field(label, input);
}

/** Makes the tools for the open edge, in rows; `first` begins the row of buttons. */
export function shapeTools(
  store: Store,
  life: Life,
  failed: Failed,
  first: HTMLElement,
): HTMLElement {
  const height = (view: EdgeView): number => {
    const [low, high] = extent(view.curve_y) ?? [0, 1];
    return high - low || 1;
  };
  const buttons = row(
    first,
    once(store, "Smooth", "Take out wiggles", (v) => smoothed(v.curve_y), failed),
    once(
      store,
      "Flatten",
      "Half of the way to its straight line",
      (v) => flattened(v.curve_x, v.curve_y),
      failed,
    ),
  );
  const springs = row(
    spring(store, life, "Shift", (v, t) => shifted(v.curve_y, t * height(v)), failed),
    spring(store, life, "Scale", (v, t) => scaled(v.curve_y, 2 ** (2 * t)), failed),
  );
  return h("div", { class: "kv-stack" }, buttons, springs);
}
