/** The lines below the diagram: what the signs mean, and how many edges are drawn. */

import type { Store } from "../store";
import { assign, focusable, h, s, write } from "../ui/dom";
import type { EdgeShape } from "./layout";
import { rings, snowflake } from "./paths";

/** With more edges than this a slider says how many are drawn, up to the second. */
const MANY = 60;
const MOST = 1000;

export class Foot {
  readonly element = h("div", { class: "kv-foot" });
  readonly #key = h("div", { class: "kv-signs" });
  readonly #note = h("span", { class: "kv-left-out" });
  readonly #slider = h("input", { type: "range", min: 1, class: "kv-count" });
  readonly #number = h("output", {});
  readonly #hiding: HTMLButtonElement;
  readonly #equal: HTMLButtonElement;
  readonly #choice = h(
    "label",
    { class: "kv-count-choice" },
    "Edges drawn",
    this.#slider,
    this.#number,
  );

  constructor(
    private readonly store: Store,
    choose: (count: number) => void,
    turn: { hide: (isHidden: boolean) => void; equal: (isOn: boolean) => void },
  ) {
    this.#hiding = toggle("Hide removed", turn.hide);
    this.#equal = toggle("Same scale", turn.equal);
    this.#equal.title = "Draw the heights of all curves of a layer at one scale";
    this.#slider.addEventListener("input", () => choose(this.#slider.valueAsNumber));
    this.#slider.addEventListener("change", () => this.#askForMore());
    this.element.append(this.#key, this.#hiding, this.#equal, this.#choice, this.#note);
  }

  draw(shapes: EdgeShape[]): void {
    const { edges, n_edges } = this.store.scene.value;
    const most = this.store.local ? edges.length : Math.max(edges.length, Math.min(n_edges, MOST));
    this.#choice.hidden = most <= MANY;
    assign(this.#slider, { max: most });
    if (this.#slider.valueAsNumber !== shapes.length) this.#slider.value = String(shapes.length);
    write(this.#number, String(shapes.length));
    const { edges: all } = this.store.scene.value;
    const gone = all.filter((view) => view.state === "pruned").length;
    this.#hiding.hidden = gone === 0;
    this.#equal.hidden = all.length < 2;
    const isHiding = this.#hiding.getAttribute("aria-pressed") === "true";
    write(this.#note, leftOut(shapes.length + (isHiding ? gone : 0), n_edges));
    this.#drawKey(shapes);
  }

  /** Edges that did not come with the scene are in the kernel only. */
  #askForMore(): void {
    const count = this.#slider.valueAsNumber;
    if (this.store.local || count <= this.store.scene.value.edges.length) return;
    // What goes wrong is told in the status line.
    this.store.ask({ type: "show", max_edges: count }).catch(() => undefined);
  }

  #drawKey(shapes: EdgeShape[]): void {
    const states = new Set(shapes.map(({ view }) => view.state));
    const entries = [
      states.has("spline") && line("spline", "spline"),
      states.has("symbolic") && line("symbolic", "formula"),
      states.has("pruned") && line("pruned", "removed"),
      shapes.some(({ view }) => view.frozen) && sign("frozen", snowflake(7, 7, 5)),
      shapes.some(({ view }) => view.locked) && sign("locked together", rings(7, 7, 5)),
    ].filter((entry) => entry !== false);
    const isPlain = states.size === 1 && states.has("spline") && entries.length === 1;
    this.#key.replaceChildren(...(isPlain ? [] : entries));
  }
}

/** A button that is on or off. */
function toggle(word: string, turn: (isOn: boolean) => void): HTMLButtonElement {
  const made = focusable(
    h("button", { type: "button", class: "kv-hide", "aria-pressed": "false" }, word),
  );
  made.addEventListener("click", () => {
    const isOn = made.getAttribute("aria-pressed") !== "true";
    made.setAttribute("aria-pressed", String(isOn));
    turn(isOn);
  });
  return made;
}

/** Says how many edges are not drawn; nothing when all are. */
export function leftOut(drawn: number, total: number): string {
  if (drawn === total) return "";
  const text = (n: number): string => n.toLocaleString("en-US");
  return `the strongest ${text(drawn)} of ${text(total)} edges; ${text(total - drawn)} left out`;
}

function line(state: string, word: string): HTMLElement {
  const mark = s("svg", { width: 20, height: 14 }, s("path", { d: "M1,7h18" }));
  return h("span", { class: `kv-sign kv-sign-${state}` }, mark, word);
}

function sign(word: string, d: string): HTMLElement {
  return h(
    "span",
    { class: "kv-sign" },
    s("svg", { width: 14, height: 14 }, s("path", { d })),
    word,
  );
}
