/** A formula typed for the open edge: a preview once typing stops, Enter takes it. */
import type { Store } from "../contract";
import { notice, reason, say, tell } from "./asking";
import { button, h, row } from "./dom";
import { field } from "./fields";
import type { Life } from "./life";
import type { Trial } from "./trial";

const PAUSE_MS = 350;

export class FormulaBox {
  readonly element: HTMLElement;
  private readonly line = notice();
  private readonly names = h("p", { class: "kv-hint" });
  private readonly input = h("input", {
    type: "text",
    class: "kv-box kv-wide",
    placeholder: "sin(2*x)+1",
    spellcheck: "false",
    autocomplete: "off",
  });

  constructor(
    private readonly store: Store,
    private readonly trial: Trial,
    life: Life,
  ) {
    const later = life.later(() => void this.preview(), PAUSE_MS);
    this.input.addEventListener("input", later);
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") void this.take();
      else if (event.key === "Escape") this.clear();
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
    const take = button("Fix", () => void this.take(), "Make the edge this formula");
    this.names.append(`Known: ${store.scene.functions.join(", ")}.`);
    const known = h("details", {}, h("summary", {}, "Functions"), this.names);
    this.element = h(
      "div",
      { class: "kv-stack" },
      row(field("Formula", this.input), take),
      this.line,
      known,
    );
  }

  /** Empties the box. */
  clear(): void {
    this.input.value = "";
    this.mark("");
    this.trial.clear();
  }

  private mark(wrong: string): void {
    this.input.setAttribute("aria-invalid", String(wrong !== ""));
    say(this.line, wrong, wrong !== "");
    if (wrong !== "") this.line.scrollIntoView?.({ block: "nearest" });
  }

  private async preview(): Promise<void> {
    const formula = this.input.value.trim();
    const edge = this.store.selected;
    if (edge === null || formula === "") {
      this.mark("");
      this.trial.clear();
      return;
    }
    try {
      await this.trial.ask(edge, formula);
      this.mark("");
    } catch (error) {
      if (this.input.value.trim() !== formula) return;
      this.trial.clear();
      this.mark(reason(error));
    }
  }

  private async take(): Promise<void> {
    const formula = this.input.value.trim();
    const edge = this.store.selected;
    if (edge === null || formula === "") return;
    this.mark("");
    await tell(this.store, this.line, { type: "fix", edge, formula, numbers: null });
    const wrong = this.line.classList.contains("kv-wrong");
    this.input.setAttribute("aria-invalid", String(wrong));
    if (!wrong) this.clear();
  }
}
