/** Towards a small network: fewer edges, another grid, formulas for curves. */
import type { Done, Store } from "../contract";
import { notice, say, tell } from "./asking";
import { button, enable, h, row, section } from "./dom";
import { gridControl } from "./grid";
import { Life } from "./life";
import { Outcome, sceneOf } from "./outcome";
import type { Panel } from "./panel";
import { pruningSlider } from "./pruning";
import { statusLine } from "./status_line";

type Search = "prune_in_context" | "symbolify";

const STATES = { prune_in_context: "pruned", symbolify: "symbolic" } as const;

/** The two searches that take a while: they share progress, outcome and the wish to be alone. */
class Searches {
  readonly buttons: Record<Search, HTMLButtonElement>;
  readonly outcome: Outcome;
  private readonly line = notice();
  private running = false;

  constructor(
    private readonly store: Store,
    private readonly life: Life,
  ) {
    this.outcome = new Outcome(store, life);
    const make = (text: string, type: Search): HTMLButtonElement =>
      button(text, () => void this.run(type));
    this.buttons = {
      prune_in_context: make("Prune and refit", "prune_in_context"),
      symbolify: make("Find formulas", "symbolify"),
    };
    life.on(store, ["status", "scene"], () => this.draw());
    this.draw();
  }

  progress(): HTMLElement {
    const status = statusLine(this.store, this.life, ["searching"]);
    return h("div", { class: "kv-stack" }, status, this.line, this.outcome.element);
  }

  private draw(): void {
    const free = this.store.status.state === "idle" && this.store.scene.has_data && !this.running;
    for (const one of Object.values(this.buttons)) enable(one, free);
  }

  private async run(type: Search): Promise<void> {
    const before = this.store.scene;
    this.running = true;
    this.outcome.hide();
    say(this.line, "");
    this.draw();
    const answer = await tell<Done>(this.store, this.line, { type });
    this.running = false;
    this.draw();
    if (answer === undefined) return;
    const after = await sceneOf(this.store, this.life, answer.version);
    this.outcome.show(before, after, STATES[type], this.buttons[type]);
  }
}

/** Makes the panel of pruning, grid and formulas; it needs a kernel. */
export function simplifyPanel(store: Store): Panel {
  const life = new Life();
  const searches = new Searches(store, life);
  const hint = (text: string): HTMLElement => h("p", { class: "kv-hint" }, text);
  const element = h(
    "div",
    { class: "kv-panel" },
    section("Remove the weakest edges", pruningSlider(store, life)),
    section(
      "Search with refitting",
      hint("Edges go, weakest first, each with a short refit, as long as the error holds."),
      row(searches.buttons.prune_in_context),
      hint("Edges get the simplest function with which the whole network stays as good."),
      row(searches.buttons.symbolify),
      searches.progress(),
    ),
    section("Grid", gridControl(store, life)),
  );
  return { title: "Simplify", element, destroy: () => life.end() };
}
