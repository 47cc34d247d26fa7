/** The editor of one edge: its curve by hand, by formula, or by a known function. */
import type { EdgeView, Store } from "../contract";
import { notice, reason, say } from "./asking";
import { curvePlot } from "./curve_plot";
import { focusable, h, section, write } from "./dom";
import { edgeKey, edgeName, edgeOf, openEdge } from "./edges";
import { EdgeActions } from "./edge_actions";
import { FormulaBox } from "./formula_box";
import { Handles } from "./handles";
import { Life } from "./life";
import { LossTable } from "./loss_table";
import { formulaNode } from "./mathml";
import { short } from "./numbers";
import type { Panel } from "./panel";
import { Pen } from "./stroke";
import { shapeTools } from "./shape_tools";
import { Suggestions } from "./suggestions";
import { Trial } from "./trial";

const STATES = { spline: "spline", symbolic: "formula", pruned: "removed" };

/** Name, standing and formula of the open edge. */
class Heading {
  readonly element: HTMLElement;
  private readonly name = h("h2", { class: "kv-title" });
  private readonly standing = h("p", { class: "kv-chips" });
  // It can be wider than the panel: with the focus the arrow keys scroll it.
  private readonly formula = focusable(
    h("div", { class: "kv-formula", tabindex: 0, role: "group", "aria-label": "This edge" }),
  );
  private drawn = "";

  constructor(private readonly store: Store) {
    this.element = h("div", {}, this.name, this.standing, this.formula);
  }

  draw(view: EdgeView): void {
    write(this.name, edgeName(this.store.scene, edgeOf(view)));
    const chips = [STATES[view.state], view.frozen ? "frozen" : "", view.locked ? "locked" : ""];
    const shown = chips.filter(Boolean);
    const fit = view.quality === null ? "" : `, R\u00b2 ${short(view.quality, 6)}`;
    const said = `score ${short(view.score)}${fit}`;
    const stamp = [...shown, said, view.formula].join("|");
    if (stamp === this.drawn) return;
    this.drawn = stamp;
    this.standing.replaceChildren(
      ...shown.map((text) => h("span", { class: `kv-chip kv-is-${text}` }, text)),
      h("span", { class: "kv-said" }, said),
    );
    this.formula.hidden = view.formula === null;
    if (view.formula !== null) this.formula.replaceChildren(formulaNode(view.mathml, view.formula));
  }
}

class Editor {
  readonly element: HTMLElement;
  private readonly plot;
  private readonly handles: Handles;
  private readonly pen: Pen;
  private readonly heading: Heading;
  private readonly losses: LossTable;
  private readonly actions: EdgeActions;
  private readonly suggestions: Suggestions;
  private readonly box: FormulaBox;
  private readonly trial: Trial;
  private readonly line = notice();
  private readonly body: HTMLElement;
  private readonly tools: HTMLElement;
  private readonly empty = h("p", { class: "kv-hint" });
  private readonly gone = h("p", { class: "kv-hint" }, "Restore the edge to bend it.");
  private open = "";
  private curve = "";

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    const failed = (error: unknown): void => say(this.line, reason(error), true);
    this.heading = new Heading(store);
    this.losses = new LossTable(store, life);
    this.trial = new Trial(store, this.losses, life);
    this.plot = curvePlot(store);
    this.handles = new Handles(store, this.plot, life, failed);
    this.pen = new Pen(store, this.plot, failed);
    this.actions = new EdgeActions(store);
    this.suggestions = new Suggestions(store, this.trial);
    this.box = new FormulaBox(store, this.trial, life);
    this.tools = shapeTools(store, life, failed, this.pen.button);
    this.body = this.layOut();
    this.empty.append("Select an edge in the diagram: click it, or press Enter on it.");
    this.element = h("div", { class: "kv-panel kv-editor" }, this.empty, this.body);
    const soon = life.paced(() => this.draw());
    life.on(store, ["scene", "frame", "preview", "selected"], soon);
    this.draw();
  }

  private layOut(): HTMLElement {
    const bend = [this.tools, this.gone, this.line, this.actions.element];
    const seen = h("div", { class: "kv-sticky" }, this.losses.element, this.plot.element);
    if (!this.store.local) {
      bend.push(section("Make it a formula", this.box.element, this.suggestions.element));
      bend.push(this.actions.locking);
    }
    return h("div", { class: "kv-stack" }, this.heading.element, seen, ...bend);
  }

  private draw(): void {
    const view = openEdge(this.store);
    this.empty.hidden = view !== null;
    this.body.hidden = view === null;
    if (view === null) {
      this.open = "";
      return;
    }
    this.changeEdge(view);
    this.heading.draw(view);
    this.plot.draw();
    this.handles.draw();
    this.actions.draw();
    const spline = view.state === "spline";
    this.tools.hidden = !spline;
    this.gone.hidden = view.state !== "pruned";
    if (!spline && this.pen.on) this.pen.toggle(false);
  }

  private changeEdge(view: EdgeView): void {
    const key = edgeKey(edgeOf(view));
    if (key !== this.open) {
      this.open = key;
      this.losses.open();
      this.box.clear();
      this.pen.toggle(false);
      say(this.line, "");
    }
    // Suggestions belong to a curve: another one makes them stale.
    const curve = `${key} ${this.store.scene.version}`;
    if (curve !== this.curve) this.suggestions.clear();
    this.curve = curve;
  }
}

/** Makes the editor; it shows the edge that the store says is selected. */
export function editorPanel(store: Store): Panel {
  const life = new Life();
  const { element } = new Editor(store, life);
  return { title: "Edge", element, destroy: () => life.end(), opensOn: "selected" };
}
