/** What was done, in sentences, and the way back to any place. */

import { inNames } from "../scene";
import type { Store } from "../store";
import { button, enable, h, row, write } from "../ui/dom";
import { copier } from "../ui/files";
import { Life } from "../ui/life";
import { notice, type Panel, tell } from "./panel";

class HistoryList {
  readonly element: HTMLElement;
  readonly #line = notice();
  readonly #list = h("ol", { class: "kv-history", start: 0 });
  readonly #steps: HTMLButtonElement[] = [];
  readonly #undo = button("Undo", () => this.#ask("undo"));
  readonly #redo = button("Redo", () => this.#ask("redo"));
  #current = -1;

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    const python = copier("Python");
    const copy = button("Copy as Python", () => void this.#copy(python.copy));
    copy.hidden = store.local;
    this.element = h(
      "div",
      { class: "kv-panel" },
      row(this.#undo, this.#redo, copy),
      this.#line,
      python.element,
      this.#list,
    );
    life.effect(() => this.#draw());
  }

  #ask(type: "undo" | "redo"): void {
    void tell(this.store, this.#line, { type });
  }

  async #copy(take: (text: string) => Promise<void>): Promise<void> {
    const script = await tell<string>(this.store, this.#line, { type: "script" });
    if (script !== undefined) await take(script);
  }

  #draw(): void {
    const { done, undone } = this.store.history.value;
    const sentences = ["start", ...done, ...undone];
    while (this.#steps.length < sentences.length)
      this.#steps.push(this.#makeStep(this.#steps.length));
    for (const gone of this.#steps.splice(sentences.length)) gone.parentElement?.remove();
    sentences.forEach((text, n) => this.#place(this.#steps[n], text, n, done.length));
    enable(this.#undo, done.length > 0);
    enable(this.#redo, undone.length > 0);
    if (this.#current !== done.length) {
      this.#current = done.length;
      // Only within the list: the notebook around it must not jump.
      const at = this.#steps[done.length].parentElement as HTMLElement;
      this.#list.scrollTop = at.offsetTop - this.#list.clientHeight / 2;
    }
  }

  #makeStep(position: number): HTMLButtonElement {
    const go = button("", () => void tell(this.store, this.#line, { type: "jump", position }));
    go.className = "kv-step";
    go.append(h("span"), h("small"));
    this.#list.append(h("li", { value: position }, go));
    return go;
  }

  #place(go: HTMLButtonElement, text: string, n: number, now: number): void {
    write(go.children[0], inNames(this.store.scene.value, text));
    write(go.children[1], n === now ? "now" : n > now ? "undone" : "");
    go.classList.toggle("kv-undone", n > now);
    if (n === now) go.setAttribute("aria-current", "step");
    else go.removeAttribute("aria-current");
  }
}

/** Makes the history panel. */
export function historyPanel(store: Store): Panel {
  const life = new Life();
  const { element } = new HistoryList(store, life);
  return { title: "History", element, destroy: () => life.end() };
}
