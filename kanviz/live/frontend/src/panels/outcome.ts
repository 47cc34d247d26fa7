/** What a search did, told from the scenes before and after it, to be kept or undone. */
import type { EdgeState, EdgeView, Scene, Store } from "../contract";
import { notice, tell } from "./asking";
import { button, h, hasFocus, row } from "./dom";
import { edgeKey, edgeName, edgeOf } from "./edges";
import type { Life } from "./life";
import { formulaNode } from "./mathml";
import { change, count, short } from "./numbers";

/** The longest list that is shown. */
const MOST = 100;

/** Resolves once the scene of `version` is there; Python answers before or after it sends it. */
export function sceneOf(store: Store, life: Life, version: number): Promise<Scene> {
  return new Promise((resolve) => {
    const look = (): boolean => {
      if (store.scene.version < version) return false;
      resolve(store.scene);
      return true;
    };
    if (look()) return;
    const end = store.on("scene", () => void (look() && end()));
    life.add(end);
  });
}

/** Returns the edges that came to `state` between two scenes. */
export function came(before: Scene, after: Scene, state: EdgeState): EdgeView[] {
  const old = new Map(before.edges.map((view) => [edgeKey(edgeOf(view)), view.state]));
  return after.edges.filter(
    (view) => view.state === state && old.get(edgeKey(edgeOf(view))) !== state,
  );
}

export class Outcome {
  readonly element = h("div", { class: "kv-stack kv-outcome", hidden: true });
  private readonly line = notice();
  private done = -1;
  private asked: HTMLElement | null = null;

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    // Undo means this outcome only as long as nothing else was done.
    life.on(store, ["scene"], () => {
      if (this.store.scene.history.done.length !== this.done) this.hide();
    });
  }

  /** Shows what came of a search; `asked` is the button that began it. */
  show(before: Scene, after: Scene, state: "pruned" | "symbolic", asked: HTMLElement): void {
    this.asked = asked;
    this.done = after.history.done.length;
    const edges = came(before, after, state);
    const verb = state === "pruned" ? "Removed" : "Made formulas of";
    const part = after.error.test === null ? "train" : "test";
    const errors = change(before.error[part], after.error[part]);
    const keep = button("Keep", () => this.hide());
    const undo = button("Undo", () => void this.undo(), "Give back the network as it was");
    this.element.replaceChildren(
      h("p", {}, `${verb} ${count(edges.length, "edge")}: ${part} error ${errors}.`),
      h("ul", { class: "kv-list" }, ...edges.slice(0, MOST).map((view) => item(after, view))),
      ...(edges.length > MOST ? [h("p", {}, `and ${edges.length - MOST} more`)] : []),
      row(keep, undo),
      this.line,
    );
    this.element.hidden = false;
    if (hasFocus(asked)) keep.focus();
  }

  hide(): void {
    if (hasFocus(this.element)) this.asked?.focus();
    this.element.hidden = true;
  }

  private async undo(): Promise<void> {
    await tell(this.store, this.line, { type: "undo" });
  }
}

function item(scene: Scene, view: EdgeView): HTMLLIElement {
  const name = edgeName(scene, edgeOf(view));
  if (view.formula === null) return h("li", {}, name);
  const fit = view.quality === null ? "" : ` (R\u00b2 ${short(view.quality, 6)})`;
  const formula = h("span", { class: "kv-formula" }, formulaNode(view.mathml, view.formula));
  return h("li", {}, `${name}: `, formula, fit);
}
