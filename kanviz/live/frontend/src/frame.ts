/** What stands around the diagram: title and errors, tabs of panels, the status line. */

import type { LiveStore } from "./store";
import { focusable, h, write } from "./panels/dom";
import type { Life } from "./panels/life";
import { short } from "./panels/numbers";
import type { Panel } from "./panels/panel";

/** The title, and the errors of now. */
export function header(store: LiveStore, life: Life): HTMLElement {
  const title = h("span", {});
  const shape = h("span", { class: "ke-shape" });
  const errors = h("div", { class: "ke-errors", role: "group" });
  const draw = (): void => {
    const { scene } = store;
    write(title, scene.title || "Kolmogorov-Arnold network");
    const widths = `[${scene.widths.join(", ")}]`;
    write(shape, scene.title.includes(widths) ? "" : widths);
    const { name, train, test } = scene.error;
    const hasAny = train !== null || test !== null;
    errors.setAttribute("aria-label", `${name} now`);
    errors.replaceChildren(
      ...(hasAny ? [h("span", {}, name), part("train", train), part("test", test)] : []),
    );
  };
  life.on(store, ["scene", "frame"], draw);
  draw();
  return h("div", { class: "ke-head" }, h("h2", { class: "ke-title" }, title, shape), errors);
}

function part(name: string, error: number | null): HTMLElement {
  const element = h("span", {}, `${name} `, h("b", {}, short(error)));
  element.hidden = error === null;
  return element;
}

/** A list of tabs with the panel of one of them below. */
export class Tabs {
  readonly element: HTMLElement;
  private readonly tabs: HTMLButtonElement[];
  private readonly pages: HTMLElement[];

  constructor(
    private readonly panels: Panel[],
    life: Life,
  ) {
    // Ids must differ between views, also of one model in one page.
    const id = `kv-${Math.random().toString(36).slice(2)}`;
    this.tabs = panels.map((panel, n) => this.tab(panel, n, id));
    this.pages = panels.map((panel, n) => {
      const names = { id: `${id}-page-${n}`, "aria-labelledby": `${id}-tab-${n}` };
      return h("div", { role: "tabpanel", ...names }, panel.element);
    });
    const list = h(
      "div",
      { class: "ke-tabs", role: "tablist", "aria-label": "Panels" },
      ...this.tabs,
    );
    life.listen(list, "keydown", (event) => this.press(event as KeyboardEvent));
    this.element = h(
      "div",
      { class: "ke-side" },
      list,
      h("div", { class: "ke-panels" }, ...this.pages),
    );
    this.open(0);
  }

  /** Opens the panel that wants to be seen then. */
  openFor(what: Panel["opensOn"]): void {
    const n = this.panels.findIndex((panel) => panel.opensOn === what);
    if (n >= 0) this.open(n);
  }

  private open(n: number): void {
    this.tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === n));
      tab.setAttribute("tabindex", at === n ? "0" : "-1");
      this.pages[at].hidden = at !== n;
    });
  }

  private tab({ title }: Panel, n: number, id: string): HTMLButtonElement {
    const names = { id: `${id}-tab-${n}`, "aria-controls": `${id}-page-${n}` };
    const tab = focusable(
      h("button", { type: "button", class: "ke-tab", role: "tab", ...names }, title),
    );
    tab.addEventListener("click", () => this.open(n));
    return tab;
  }

  private press(event: KeyboardEvent): void {
    const at = this.tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
    const last = this.tabs.length - 1;
    const steps: Record<string, number> = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.open(next);
    this.tabs[next].focus();
  }
}

/** What goes on, what went wrong, and whether the kernel is too busy to answer. */
export function statusBar(store: LiveStore, life: Life, help: () => void): HTMLElement {
  const text = h("span", { "aria-live": "off" });
  const bar = h("progress", { max: 1, "aria-label": "progress" });
  const late = h("span", { class: "ke-late", role: "status" });
  const wrong = h("span", { class: "ke-wrong", role: "alert" });
  const button = focusable(h("button", { type: "button", class: "ke-help" }, "?"));
  button.setAttribute("aria-label", "Keys");
  button.addEventListener("click", help);
  const draw = (): void => {
    const { status } = store;
    const words =
      status.text || (store.local ? "this page runs on its own, without a kernel" : "ready");
    write(text, words);
    bar.hidden = status.progress === null || status.state === "idle";
    if (status.progress !== null) bar.value = status.progress;
    write(late, store.overdue ? "the kernel is busy: applied when the cell ends" : "");
    write(wrong, status.error);
  };
  life.on(store, ["status"], draw);
  draw();
  return h("div", { class: "ke-status" }, bar, text, late, wrong, button);
}
