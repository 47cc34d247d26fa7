/** The editor of one edge: its curve by hand, by formula, or by a known function. */

import { computed } from "@preact/signals-core";
import type { Ask, Edge, EdgeView } from "../contract";
import { edgeName, edgeOf, keyOf } from "../scene";
import type { Store } from "../store";
import { curvePlot } from "../ui/curve_plot";
import { button, focusable, h, hasFocus, row, section, write } from "../ui/dom";
import { choice, field, setChoices } from "../ui/fields";
import { Life } from "../ui/life";
import { formulaNode } from "../ui/mathml";
import { short } from "../ui/numbers";
import { FormulaBox, LossTable, Suggestions, Trial } from "./candidates";
import { Handles } from "./handles";
import { notice, type Panel, reason, say, tell } from "./panel";
import { Pen, shapeTools } from "./reshape";

const STATES = { spline: "spline", symbolic: "formula", pruned: "removed" };

/** Name, standing and formula of the open edge. */
class Heading {
  readonly element: HTMLElement;
  readonly #name = h("h2", { class: "kv-title" });
  readonly #standing = h("p", { class: "kv-chips" });
  // It can be wider than the panel: with the focus the arrow keys scroll it.
  readonly #formula = focusable(
    h("div", { class: "kv-formula", tabindex: 0, role: "group", "aria-label": "This edge" }),
  );
  #drawn = "";

  constructor(private readonly store: Store) {
    this.element = h("div", {}, this.#name, this.#standing, this.#formula);
  }

  draw(view: EdgeView): void {
    write(this.#name, edgeName(this.store.scene.value, edgeOf(view)));
    const marks = [view.frozen ? "frozen" : "", view.locked ? "locked" : ""];
    const chips = [STATES[view.state], ...view.shapes, ...marks];
    const shown = chips.filter(Boolean);
    const fit = view.quality === null ? "" : `, R\u00b2 ${short(view.quality, 6)}`;
    const said = `score ${short(view.score)}${fit}`;
    this.#standing.title = "Score: its part in what the outputs do; 0 is none";
    const stamp = [...shown, said, view.formula].join("|");
    if (stamp === this.#drawn) return;
    this.#drawn = stamp;
    this.#standing.replaceChildren(
      ...shown.map((text) => h("span", { class: `kv-chip kv-is-${text}` }, text)),
      h("span", { class: "kv-said" }, said),
    );
    this.#formula.hidden = view.formula === null;
    if (view.formula !== null)
      this.#formula.replaceChildren(formulaNode(view.mathml, view.formula));
  }
}

class Editor {
  readonly element: HTMLElement;
  readonly #plot;
  readonly #handles: Handles;
  readonly #pen: Pen;
  readonly #heading: Heading;
  readonly #losses: LossTable;
  readonly #actions: EdgeActions;
  readonly #suggestions: Suggestions;
  readonly #box: FormulaBox;
  readonly #trial: Trial;
  readonly #line = notice();
  readonly #body: HTMLElement;
  readonly #tools: HTMLElement;
  readonly #empty = h("p", { class: "kv-hint" });
  readonly #gone = h("p", { class: "kv-hint" }, "Restore the edge to bend it.");

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    const failed = (error: unknown): void => say(this.#line, reason(error), true);
    this.#heading = new Heading(store);
    this.#losses = new LossTable(store, life);
    this.#trial = new Trial(store, this.#losses, life);
    this.#plot = curvePlot(store);
    this.#handles = new Handles(store, this.#plot, life, failed);
    this.#pen = new Pen(store, this.#plot, failed);
    this.#actions = new EdgeActions(store);
    this.#suggestions = new Suggestions(store, this.#trial);
    this.#box = new FormulaBox(store, this.#trial, life);
    this.#tools = shapeTools(store, this.#plot, life, failed, this.#pen.button);
    this.#body = this.#layOut();
    this.#empty.append("Select an edge in the diagram: click it, or press Enter on it.");
    this.element = h("div", { class: "kv-panel kv-editor" }, this.#empty, this.#body);
    const isOpen = computed(() => (store.open.value ? keyOf(edgeOf(store.open.value)) : ""));
    life.follow(isOpen, (key) => key && this.#begin());
    // Suggestions belong to a curve: another one makes them stale.
    const curve = computed(() => `${isOpen.value} ${store.version.value}`);
    life.follow(curve, () => this.#suggestions.clear());
    life.drawn(() => this.#draw());
  }

  #layOut(): HTMLElement {
    const bend = [this.#tools, this.#gone, this.#line, this.#actions.element];
    const seen = h("div", { class: "kv-sticky" }, this.#losses.element, this.#plot.element);
    if (!this.store.local) {
      bend.push(this.#actions.keeping);
      bend.push(section("Make it a formula", this.#box.element, this.#suggestions.element));
      bend.push(this.#actions.locking);
    }
    return h("div", { class: "kv-stack" }, this.#heading.element, seen, ...bend);
  }

  #draw(): void {
    const view = this.store.open.value;
    this.#empty.hidden = view !== null;
    this.#body.hidden = view === null;
    if (view === null) return;
    this.#heading.draw(view);
    this.#plot.draw();
    this.#handles.draw();
    this.#actions.draw();
    const spline = view.state === "spline";
    this.#tools.hidden = !spline;
    this.#gone.hidden = view.state !== "pruned";
    if (!spline && this.#pen.on) this.#pen.toggle(false);
  }

  /** Another edge is open. */
  #begin(): void {
    this.#losses.open();
    this.#box.clear();
    this.#pen.toggle(false);
    say(this.#line, "");
  }
}

/** Makes the editor; it shows the edge that the store says is selected. */
export function editorPanel(store: Store): Panel {
  const life = new Life();
  const { element } = new Editor(store, life);
  return { title: "Edge", element, destroy: () => life.end(), opensOn: "selected" };
}

// What can be done to the open edge as a whole.

type Whole = "unfix" | "remove_edge" | "restore_edge" | "freeze" | "unfreeze";

/** Shapes that a curve can keep, alone or together, as they are asked for and as they are told. */
const SHAPES = [
  ["", "any shape"],
  ["increasing", "always increasing"],
  ["decreasing", "always decreasing"],
  ["convex", "convex: bent upwards"],
  ["concave", "concave: bent downwards"],
  ["increasing convex", "increasing and convex"],
  ["increasing concave", "increasing and concave"],
  ["decreasing convex", "decreasing and convex"],
  ["decreasing concave", "decreasing and concave"],
  ["even", "even: mirrored at x = 0"],
  ["odd", "odd: turned about x = 0"],
  ["odd increasing", "odd and increasing"],
  ["odd decreasing", "odd and decreasing"],
] as const;

/** The longest list to pick a partner from. */
const MOST = 400;

/** One button and when it is of use. */
interface Action {
  button: HTMLButtonElement;
  needsKernel: boolean;
  fits(view: EdgeView): boolean;
}

/** The entry of the list for the shapes of an edge, in whatever order they were asked for. */
function keyOfShapes(shapes: readonly string[]): string {
  const same = ([key]: (typeof SHAPES)[number]): boolean =>
    key.split(" ").filter(Boolean).sort().join() === [...shapes].sort().join();
  return SHAPES.find(same)?.[0] ?? "";
}

class EdgeActions {
  readonly element: HTMLElement;
  readonly #line = notice();
  readonly #actions: Action[];
  readonly #partner = h("select", { class: "kv-box" });
  /** Apart from the rest, as it is needed more rarely. */
  readonly locking: HTMLElement;
  /** Which shape the curve keeps, whatever is learnt or dragged. */
  readonly keeping: HTMLElement;
  readonly #shape = choice(
    SHAPES.map(([key]) => key),
    (key) => this.#keep(key),
    SHAPES.map(([, text]) => text),
  );
  #partners: Edge[] = [];
  #listed = "";

  constructor(private readonly store: Store) {
    const there = (view: EdgeView): boolean => view.state !== "pruned";
    this.#actions = [
      this.#action("Back to spline", "unfix", (v) => v.state === "symbolic"),
      this.#action("Freeze", "freeze", (v) => there(v) && !v.frozen),
      this.#action("Unfreeze", "unfreeze", (v) => there(v) && v.frozen),
      this.#action("Remove", "remove_edge", there),
      this.#action("Restore", "restore_edge", (v) => !there(v)),
      {
        button: button("Unlock", () => this.#unlock()),
        needsKernel: true,
        fits: (v) => v.locked,
      },
    ];
    const lock = button("Lock", () => this.#lock(), "Let both edges share one function");
    this.locking = row(field("Lock with", this.#partner), lock);
    this.keeping = field("Stays", this.#shape);
    this.keeping.title = "A shape that the curve keeps while one trains and drags";
    this.element = h(
      "div",
      { class: "kv-stack" },
      row(...this.#actions.map((action) => action.button)),
      this.#line,
    );
  }

  /** Shows what fits the open edge now. */
  draw(): void {
    const view = this.store.open.value;
    if (view === null) return;
    const focused = this.#actions.find((action) => hasFocus(action.button));
    for (const { button: one, fits, needsKernel } of this.#actions) {
      one.hidden = !fits(view) || (needsKernel && this.store.local);
    }
    // Remove gives way to Restore, and so on: the focus goes along.
    if (focused?.button.hidden)
      this.#actions.find((action) => !action.button.hidden)?.button.focus();
    this.keeping.hidden = view.state !== "spline" || this.store.scene.value.basis !== "bspline";
    this.#shape.value = keyOfShapes(view.shapes);
    this.#listPartners(view);
    const lockable = view.state === "spline" && this.#partners.length > 0;
    this.locking.hidden = this.store.local || !lockable;
  }

  #action(text: string, type: Whole, fits: Action["fits"]): Action {
    const hint = type === "freeze" ? "Training leaves it as it is" : "";
    const made = button(text, () => this.#ask((edge) => ({ type, edge })), hint);
    return { button: made, needsKernel: type === "freeze" || type === "unfreeze", fits };
  }

  #ask(request: (edge: Edge) => Ask): void {
    const edge = this.store.selected.value;
    if (edge !== null) void tell(this.store, this.#line, request(edge));
  }

  #listPartners(view: EdgeView): void {
    const scene = this.store.scene.value;
    const isPartner = (v: EdgeView): boolean =>
      v.layer === view.layer && v.state === "spline" && (v.i !== view.i || v.j !== view.j);
    this.#partners = scene.edges.filter(isPartner).slice(0, MOST).map(edgeOf);
    const keys = this.#partners.map(keyOf);
    const listed = keys.join(" ");
    if (listed === this.#listed) return;
    this.#listed = listed;
    setChoices(
      this.#partner,
      keys,
      this.#partners.map((edge) => edgeName(scene, edge)),
    );
  }

  #keep(key: string): void {
    const shapes = key ? key.split(" ") : [];
    const { selected, open } = this.store;
    const edge = selected.value;
    if (edge === null || (!shapes.length && !open.value?.shapes.length)) return;
    void tell(this.store, this.#line, { type: "constrain", edge, shapes }).then((done) => {
      if (done === undefined) this.draw(); // refused: what holds is shown again
    });
  }

  #lock(): void {
    const partner = this.#partners.find((edge) => keyOf(edge) === this.#partner.value);
    if (partner) this.#ask((edge) => ({ type: "lock", edges: [edge, partner] }));
  }

  #unlock(): void {
    this.#ask((edge) => ({ type: "unlock", edges: [edge] }));
  }
}
