/** The lines below the diagram: how it is looked at, what the signs mean, how much is drawn. */

import { nodeName } from "../scene";
import type { Store } from "../store";
import { assign, focusable, h, s, write } from "../ui/dom";
import type { EdgeShape, NodeAt } from "./layout";
import { isWide } from "./matrix";
import { rings, snowflake } from "./paths";

/** With more edges than this a slider says how many are drawn, up to the second. */
const MANY = 60;
const MOST = 1000;

/** What the switches turn. */
interface Turns {
  hide(isHidden: boolean): void;
  equal(isOn: boolean): void;
  matrix(isMatrix: boolean): void;
  alone(at: NodeAt | null): void;
}

export class Foot {
  /** Whether there is room for a matrix. */
  offersMatrix = false;
  readonly element = h("div", { class: "kv-foot" });
  readonly #key = h("div", { class: "kv-signs" });
  readonly #note = h("span", { class: "kv-left-out" });
  readonly #slider = h("input", { type: "range", min: 1, class: "kv-count" });
  readonly #number = h("output", {});
  readonly #net: HTMLButtonElement;
  readonly #matrix: HTMLButtonElement;
  readonly #single: HTMLButtonElement;
  readonly #node = h("select", { class: "kv-lone", "aria-label": "Node" });
  readonly #kinds: HTMLElement;
  #listed = "";
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
    turn: Turns,
  ) {
    this.#net = kind("Net", "All nodes, and the wires between them", () => turn.matrix(false));
    this.#matrix = kind("Matrix", "A row or column for each node, no wires (m)", () =>
      turn.matrix(true),
    );
    this.#single = kind("One node", "What a node adds up, and where it leads", () =>
      turn.alone(this.#chosen ?? this.#strongestNode()),
    );
    this.#node.addEventListener("change", () => turn.alone(this.#chosen));
    const names = { class: "kv-zoom kv-kinds", role: "group", "aria-label": "Picture" };
    this.#kinds = h("div", names, this.#net, this.#matrix, this.#single);
    this.#hiding = toggle("Hide removed", turn.hide);
    this.#equal = toggle("Same scale", turn.equal);
    this.#equal.title = "Draw the heights of all curves of a layer at one scale";
    this.#slider.addEventListener("input", () => choose(this.#slider.valueAsNumber));
    this.#slider.addEventListener("change", () => this.#askForMore());
    this.element.append(
      this.#kinds,
      this.#node,
      this.#key,
      this.#hiding,
      this.#equal,
      this.#choice,
      this.#note,
    );
  }

  draw(shapes: EdgeShape[], how: { lone: NodeAt | null; isMatrix: boolean }): void {
    this.#drawKinds(how);
    const { edges, n_edges } = this.store.scene.value;
    const most = this.store.local ? edges.length : Math.max(edges.length, Math.min(n_edges, MOST));
    this.#choice.hidden = most <= MANY || how.lone !== null;
    assign(this.#slider, { max: most });
    if (this.#slider.valueAsNumber !== shapes.length) this.#slider.value = String(shapes.length);
    write(this.#number, String(shapes.length));
    const { edges: all } = this.store.scene.value;
    const gone = all.filter((view) => view.state === "pruned").length;
    this.#hiding.hidden = gone === 0;
    this.#equal.hidden = all.length < 2;
    const isHiding = this.#hiding.getAttribute("aria-pressed") === "true";
    write(this.#note, how.lone ? "" : leftOut(shapes.length + (isHiding ? gone : 0), n_edges));
    this.#drawKey(shapes);
  }

  get #chosen(): NodeAt | null {
    const [layer, index] = this.#node.value.split(",").map(Number);
    return this.#node.value ? [layer, index] : null;
  }

  /** The hidden node that matters most, or the first output. */
  #strongestNode(): NodeAt {
    const { nodes, widths } = this.store.scene.peek();
    const last = widths.length - 1;
    const inner = nodes.filter(({ layer }) => layer > 0 && (layer < last || last === 1));
    const best = inner.reduce((found, one) => (one.score > found.score ? one : found));
    return [best.layer, best.index];
  }

  #drawKinds({ lone, isMatrix }: { lone: NodeAt | null; isMatrix: boolean }): void {
    const scene = this.store.scene.value;
    const isOffered = isWide(scene);
    this.#kinds.hidden = !isOffered && lone === null;
    this.#matrix.hidden = !this.offersMatrix;
    const now = lone ? this.#single : isMatrix && this.offersMatrix ? this.#matrix : this.#net;
    for (const one of [this.#net, this.#matrix, this.#single]) {
      one.setAttribute("aria-pressed", String(one === now));
    }
    this.#node.hidden = lone === null;
    if (lone === null) return;
    const key = scene.nodes.map(({ layer, index, label }) => `${layer},${index} ${label}`).join();
    if (key !== this.#listed) {
      this.#listed = key;
      const choices = scene.nodes.map(({ layer, index }) =>
        h("option", { value: `${layer},${index}` }, nodeName(scene, layer, index)),
      );
      this.#node.replaceChildren(...choices);
    }
    this.#node.value = lone.join();
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

/** A button for one kind of picture. */
function kind(word: string, hint: string, choose: () => void): HTMLButtonElement {
  const made = focusable(
    h("button", { type: "button", title: hint, "aria-pressed": "false" }, word),
  );
  made.addEventListener("click", choose);
  return made;
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
