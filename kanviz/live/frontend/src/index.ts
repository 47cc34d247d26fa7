/** The explorer: `render` is what anywidget, or a page, calls for each view of a model. */

import { Diagram } from "./diagram/diagram";
import { header, iconButton } from "./head";
import { keyHelp, panels } from "./panels/index";
import type { Panel } from "./panels/panel";
import { LiveStore, type Model } from "./store";
import { focusable, h, write } from "./ui/dom";
import { Life } from "./ui/life";
import { followTheme } from "./ui/theme";

type Keys = NonNullable<Parameters<typeof keyHelp>[1]>;

const KEYS: Keys = [
  [
    "Diagram",
    [
      ["\u2190 \u2192 \u2191 \u2193", "from edge to edge and node to node"],
      ["Home, End", "first or last edge"],
      ["Enter", "open the edge, once more: edit it; on a node, see it alone"],
      ["Page Up, Page Down", "then the node before, the next one"],
      ["Escape", "close the edge; from its editor, back to it; all nodes again"],
      ["m", "a matrix in the place of wires, or back"],
      ["+ \u2212", "nearer, farther"],
      ["0", "the whole picture"],
      ["Ctrl+Z, Ctrl+Y", "undo, redo"],
    ],
  ],
];

/** Where a view is drawn, and of what. */
interface Place {
  model: Model;
  el: HTMLElement;
}

/** Draws one view of a model into `el`; returns the function that takes it down again. */
function render(place: Place): () => void {
  return explorer(place).end;
}

/**
 * The same for a page that has panels of its own, which come first, and looks at the store.
 *
 * @param own Makes them.
 */
export function explorer(
  { model, el }: Place,
  own: (store: LiveStore) => Panel[] = () => [],
): { store: LiveStore; end: () => void } {
  const life = new Life();
  const store = new LiveStore(model);
  life.add(() => store.destroy());
  const diagram = new Diagram(store, life, model.get("height") ?? null);
  const picture = (): string => new XMLSerializer().serializeToString(diagram.picture());
  const parts = [...own(store), ...panels(store, picture)];
  for (const panel of parts) life.add(() => panel.destroy());
  const tabs = new Tabs(parts, life);
  const root = h("div", { class: "kv-root", role: "region", "aria-label": "Network explorer" });
  const help = keyHelp(root, KEYS);
  life.add(() => help.destroy());
  const body = h("div", { class: "kv-body" }, diagram.element, tabs.element);
  root.prepend(
    header(store, life, roomButtons(root, life)),
    body,
    statusBar(store, life, () => help.open()),
  );
  // A page is ours: there the diagram has the window. In a notebook it is one cell of many.
  root.classList.toggle("kv-alone", store.local);
  el.append(root);
  life.add(() => root.remove());
  followTheme(root, life, model.get("theme"), () => diagram.recolor());
  life.listen(root, "keydown", (event) => {
    undoByKey(store, event as KeyboardEvent);
    backByKey(root, event as KeyboardEvent);
  });
  life.effect(() => {
    if (store.selected.value) tabs.openFor("selected");
  });
  life.effect(() => {
    root.dataset.version = String(store.version.value);
  });
  return { store, end: () => life.end() };
}

export default { render };

// What stands around the diagram: tabs of panels, the status line; the head has a file of its own.

/** Ctrl+Z takes the last step back and Ctrl+Y, or Ctrl+Shift+Z, does it again; not while typing. */
function undoByKey(store: LiveStore, event: KeyboardEvent): void {
  const { target } = event;
  const isTyping =
    target instanceof HTMLTextAreaElement ||
    (target instanceof HTMLInputElement && ["text", "number", "search"].includes(target.type));
  if (!(event.ctrlKey || event.metaKey) || event.altKey || isTyping) return;
  const key = event.key.toLowerCase();
  const isRedo = key === "y" || (key === "z" && event.shiftKey);
  if (!isRedo && key !== "z") return;
  event.preventDefault();
  event.stopPropagation();
  // What goes wrong is told in the status line; nothing to undo is no fault.
  store.ask({ type: isRedo ? "redo" : "undo" }).catch(() => undefined);
}

/** Escape goes from the editor back to its edge in the picture; a field takes its own first. */
function backByKey(root: HTMLElement, { key, target, defaultPrevented }: KeyboardEvent): void {
  if (key !== "Escape" || defaultPrevented || !(target as Element).closest(".kv-editor")) return;
  root.querySelector<SVGElement>(".kv-edge[aria-pressed=true]")?.focus();
}

/** To give the diagram the whole screen, and letters that are read from the last row. */
function roomButtons(root: HTMLElement, life: Life): HTMLElement[] {
  const projector = iconButton("letters", "Large letters, for a projector", () => {
    const isOn = root.classList.toggle("kv-projector");
    projector.setAttribute("aria-pressed", String(isOn));
  });
  projector.setAttribute("aria-pressed", "false");
  const screen = iconButton("screen", "Full screen", () => {
    if (document.fullscreenElement) void document.exitFullscreen();
    else void root.requestFullscreen();
  });
  screen.hidden = typeof root.requestFullscreen !== "function";
  life.listen(document, "fullscreenchange", () => {
    const { activeElement } = root.getRootNode() as Document | ShadowRoot;
    const isOn = root.matches(":fullscreen");
    root.classList.toggle("kv-filling", isOn);
    screen.setAttribute("aria-label", isOn ? "Leave full screen" : "Full screen");
    screen.title = screen.getAttribute("aria-label")!;
    (activeElement as HTMLElement | null)?.focus?.();
  });
  return [projector, screen];
}

/** A list of tabs with the panel of one of them below. */
class Tabs {
  readonly element: HTMLElement;
  readonly #tabs: HTMLButtonElement[];
  readonly #pages: HTMLElement[];

  constructor(
    private readonly panels: Panel[],
    life: Life,
  ) {
    // Ids must differ between views, also of one model in one page.
    const id = `kv-${Math.random().toString(36).slice(2)}`;
    this.#tabs = panels.map((panel, n) => this.#tab(panel, n, id));
    this.#pages = panels.map((panel, n) => {
      const names = { id: `${id}-page-${n}`, "aria-labelledby": `${id}-tab-${n}` };
      return h("div", { role: "tabpanel", ...names }, panel.element);
    });
    const list = h(
      "div",
      { class: "kv-tabs", role: "tablist", "aria-label": "Panels" },
      ...this.#tabs,
    );
    life.listen(list, "keydown", (event) => this.#press(event as KeyboardEvent));
    this.element = h(
      "div",
      { class: "kv-side" },
      list,
      h("div", { class: "kv-panels" }, ...this.#pages),
    );
    this.#open(0);
  }

  /** Opens the panel that wants to be seen then. */
  openFor(what: Panel["opensOn"]): void {
    const n = this.panels.findIndex((panel) => panel.opensOn === what);
    if (n >= 0) this.#open(n);
  }

  #open(n: number): void {
    this.#tabs.forEach((tab, at) => {
      tab.setAttribute("aria-selected", String(at === n));
      tab.setAttribute("tabindex", at === n ? "0" : "-1");
      this.#pages[at].hidden = at !== n;
    });
  }

  #tab({ title }: Panel, n: number, id: string): HTMLButtonElement {
    const names = { id: `${id}-tab-${n}`, "aria-controls": `${id}-page-${n}` };
    const tab = focusable(
      h("button", { type: "button", class: "kv-tab", role: "tab", ...names }, title),
    );
    tab.addEventListener("click", () => this.#open(n));
    return tab;
  }

  #press(event: KeyboardEvent): void {
    const at = this.#tabs.findIndex((tab) => tab.getAttribute("aria-selected") === "true");
    const last = this.#tabs.length - 1;
    const steps: Record<string, number> = {
      ArrowRight: at === last ? 0 : at + 1,
      ArrowLeft: at === 0 ? last : at - 1,
      Home: 0,
      End: last,
    };
    const next = steps[event.key];
    if (next === undefined) return;
    event.preventDefault();
    this.#open(next);
    this.#tabs[next].focus();
  }
}

/** What goes on, what went wrong, and whether the kernel is too busy to answer. */
function statusBar(store: LiveStore, life: Life, help: () => void): HTMLElement {
  const text = h("span", { "aria-live": "off" });
  const bar = h("progress", { max: 1, "aria-label": "progress" });
  const late = h("span", { class: "kv-late", role: "status" });
  const wrong = h("span", { class: "kv-statusbar-wrong", role: "alert" });
  const button = focusable(h("button", { type: "button", class: "kv-help" }, "?"));
  button.setAttribute("aria-label", "Keys");
  button.addEventListener("click", help);
  const draw = (): void => {
    const status = store.status.value;
    const rest = store.local ? "this page runs on its own, without a kernel" : "ready";
    const isLost = store.lost.value;
    write(
      text,
      isLost ? "no kernel: looking only; run the cell again to go on" : status.text || rest,
    );
    bar.hidden = status.progress === null || status.state === "idle";
    if (status.progress !== null) bar.value = status.progress;
    write(late, store.overdue.value ? "the kernel is busy: applied when the cell ends" : "");
    write(wrong, status.error);
  };
  life.effect(draw);
  return h("div", { class: "kv-statusbar" }, bar, text, late, wrong, button);
}
