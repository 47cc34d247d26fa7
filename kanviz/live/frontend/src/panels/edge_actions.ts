/** What can be done to the open edge as a whole. */
import type { Ask, Edge, EdgeView, Store } from "../contract";
import { notice, tell } from "./asking";
import { button, h, hasFocus, row } from "./dom";
import { edgeKey, edgeName, edgeOf, openEdge } from "./edges";
import { field, setChoices } from "./fields";

type Whole = "unfix" | "remove_edge" | "restore_edge" | "freeze" | "unfreeze";

/** The longest list to pick a partner from. */
const MOST = 400;

/** One button and when it is of use. */
interface Action {
  button: HTMLButtonElement;
  needsKernel: boolean;
  fits(view: EdgeView): boolean;
}

export class EdgeActions {
  readonly element: HTMLElement;
  private readonly line = notice();
  private readonly actions: Action[];
  private readonly partner = h("select", { class: "kv-box" });
  /** Apart from the rest, as it is needed more rarely. */
  readonly locking: HTMLElement;
  private partners: Edge[] = [];
  private listed = "";

  constructor(private readonly store: Store) {
    const there = (view: EdgeView): boolean => view.state !== "pruned";
    this.actions = [
      this.action("Back to spline", "unfix", (v) => v.state === "symbolic"),
      this.action("Freeze", "freeze", (v) => there(v) && !v.frozen),
      this.action("Unfreeze", "unfreeze", (v) => there(v) && v.frozen),
      this.action("Remove", "remove_edge", there),
      this.action("Restore", "restore_edge", (v) => !there(v)),
      {
        button: button("Unlock", () => this.unlock()),
        needsKernel: true,
        fits: (v) => v.locked,
      },
    ];
    const lock = button("Lock", () => this.lock(), "Let both edges share one function");
    this.locking = row(field("Lock with", this.partner), lock);
    this.element = h(
      "div",
      { class: "kv-stack" },
      row(...this.actions.map((action) => action.button)),
      this.line,
    );
  }

  /** Shows what fits the open edge now. */
  draw(): void {
    const view = openEdge(this.store);
    if (view === null) return;
    const focused = this.actions.find((action) => hasFocus(action.button));
    for (const { button: one, fits, needsKernel } of this.actions) {
      one.hidden = !fits(view) || (needsKernel && this.store.local);
    }
    // Remove gives way to Restore, and so on: the focus goes along.
    if (focused?.button.hidden) this.actions.find((action) => !action.button.hidden)?.button.focus();
    this.listPartners(view);
    const lockable = view.state === "spline" && this.partners.length > 0;
    this.locking.hidden = this.store.local || !lockable;
  }

  private action(text: string, type: Whole, fits: Action["fits"]): Action {
    const made = button(text, () => this.ask((edge) => ({ type, edge })));
    return { button: made, needsKernel: type === "freeze" || type === "unfreeze", fits };
  }

  private ask(request: (edge: Edge) => Ask): void {
    const edge = this.store.selected;
    if (edge !== null) void tell(this.store, this.line, request(edge));
  }

  private listPartners(view: EdgeView): void {
    const { scene } = this.store;
    const isPartner = (v: EdgeView): boolean =>
      v.layer === view.layer && v.state === "spline" && (v.i !== view.i || v.j !== view.j);
    this.partners = scene.edges.filter(isPartner).slice(0, MOST).map(edgeOf);
    const keys = this.partners.map(edgeKey);
    const listed = keys.join(" ");
    if (listed === this.listed) return;
    this.listed = listed;
    setChoices(
      this.partner,
      keys,
      this.partners.map((edge) => edgeName(scene, edge)),
    );
  }

  private lock(): void {
    const partner = this.partners.find((edge) => edgeKey(edge) === this.partner.value);
    if (partner) this.ask((edge) => ({ type: "lock", edges: [edge, partner] }));
  }

  private unlock(): void {
    this.ask((edge) => ({ type: "unlock", edges: [edge] }));
  }
}
