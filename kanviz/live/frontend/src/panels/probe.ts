/** One row of inputs followed through the network, and slices of the data. */
import type { Probe, Store } from "../contract";
import { notice, tell } from "./asking";
import { button, h, isShown, row, section } from "./dom";
import { Life } from "./life";
import type { Panel } from "./panel";
import { ProbeInputs } from "./probe_inputs";
import { ProbeScatter } from "./probe_scatter";
import { ProbeTable } from "./probe_table";
import { ProbeTerms } from "./probe_terms";
import { Sample } from "./sample";
import { SliceBox } from "./slice_box";

class Prober {
  readonly element: HTMLElement;
  private readonly line = notice();
  private readonly toggle = button("Start", () => this.turn());
  private readonly inputs: ProbeInputs;
  private readonly terms: ProbeTerms;
  private readonly sum: HTMLElement;
  private readonly table: ProbeTable;
  private readonly scatter: ProbeScatter;
  private readonly slice: SliceBox;
  /** The row of the sample that is probed, or -1 once an input was moved by hand. */
  private picked = -1;
  /** That of the scene that is shown. */
  private version: number;

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    this.version = store.scene.version;
    const pick = (at: number): void => this.pick(at);
    this.inputs = new ProbeInputs(store, () => (this.picked = -1));
    this.terms = new ProbeTerms(store);
    this.table = new ProbeTable(store, pick);
    this.scatter = new ProbeScatter(store, pick);
    this.slice = new SliceBox(store);
    this.sum = section("What adds up", this.terms.element);
    this.toggle.classList.add("kv-main");
    this.element = h(
      "div",
      { class: "kv-panel" },
      row(this.toggle),
      this.line,
      section("Inputs", this.inputs.element),
      this.sum,
      this.folded("Pick a row of the data", this.table.element, this.scatter.element),
      this.folded("Light a slice of the data", this.slice.element),
    );
    const compute = life.paced(() => void this.compute());
    life.on(store, ["probe"], () => this.draw());
    life.on(store, ["probe", "scene", "frame"], compute);
    life.on(store, ["scene"], () => this.rebuild());
    life.resized(this.element, () => this.rebuild());
    life.on(store, ["slice"], () => {
      this.slice.follow();
      this.scatter.draw();
    });
    this.draw();
    compute();
  }

  private folded(title: string, ...parts: HTMLElement[]): HTMLElement {
    const element = h("details", { class: "kv-section" }, h("summary", {}, title), ...parts);
    element.hidden = new Sample(this.store.scene).rows === 0;
    return element;
  }

  private turn(): void {
    if (this.store.probe !== null) {
      this.picked = -1;
      this.store.probe = null;
      return;
    }
    this.picked = new Sample(this.store.scene).rows > 0 ? 0 : -1;
    this.store.probe = this.inputs.start();
  }

  private pick(at: number): void {
    this.picked = at;
    this.store.probe = new Sample(this.store.scene).input(at);
  }

  private rebuild(): void {
    const { scene } = this.store;
    if (scene.version === this.version || !isShown(this.element)) return;
    this.version = scene.version;
    this.inputs.rebuild();
    this.terms.rebuild();
    this.table.rebuild();
    this.scatter.rebuild();
    this.slice.rebuild();
  }

  private draw(): void {
    const on = this.store.probe !== null;
    this.toggle.textContent = on ? "Close the probe" : "Start the probe";
    this.toggle.setAttribute("aria-pressed", String(on));
    this.sum.hidden = !on;
    this.inputs.draw();
    this.table.mark(on ? this.picked : -1);
    this.scatter.drawHere();
  }

  private async compute(): Promise<void> {
    const { probe } = this.store;
    if (probe === null) {
      this.terms.draw(null, null);
      return;
    }
    const x = Array.from(probe);
    const values = await tell<Probe>(this.store, this.line, { type: "probe", x });
    if (values !== undefined && this.store.probe === probe) this.terms.draw(values, this.targets());
  }

  private targets(): Float64Array | null {
    const sample = new Sample(this.store.scene);
    const last = this.store.scene.widths.at(-1);
    if (this.picked < 0 || sample.outputs !== last) return null;
    return Float64Array.from({ length: sample.outputs }, (_, j) =>
      sample.at(this.picked, sample.inputs + j),
    );
  }
}

/** Makes the probe panel. */
export function probePanel(store: Store): Panel {
  const life = new Life();
  const { element } = new Prober(store, life);
  return { title: "Probe", element, destroy: () => life.end(), opensOn: "probe" };
}
