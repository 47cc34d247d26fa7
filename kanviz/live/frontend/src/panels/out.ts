/** Taking things out: the picture, the formula, the page. */

import type { FormulaText } from "../contract";
import type { Store } from "../store";
import { button, focusable, h, row, section } from "../ui/dom";
import { copier, download, fileName, pngOf } from "../ui/files";
import { Life } from "../ui/life";
import { formulaNode } from "../ui/mathml";
import { notice, type Panel, reason, say, tell } from "./panel";

/** Returns the diagram as it is seen, as the text of an SVG file. */
export type ExportSvg = (store: Store) => string;

/** The picture as a file. */
function pictures(store: Store, exportSvg: ExportSvg): HTMLElement {
  const line = notice();
  const save = async (ending: "svg" | "png"): Promise<void> => {
    try {
      const text = exportSvg(store);
      const data =
        ending === "svg" ? new Blob([text], { type: "image/svg+xml" }) : await pngOf(text);
      const name = fileName(store.scene.value.title, ending);
      download(data, name);
      say(line, `Saved ${name}.`);
    } catch (error) {
      say(line, reason(error), true);
    }
  };
  const buttons = row(
    button("SVG", () => void save("svg"), "The diagram as you see it, as vectors"),
    button("PNG", () => void save("png"), "The diagram as you see it, as pixels"),
  );
  return section("Picture", buttons, line);
}

/** The formula of the whole network; a new scene makes it old. */
class FormulaView {
  readonly element: HTMLElement;
  readonly #line = notice();
  // It can be wider than the panel: with the focus the arrow keys scroll it.
  readonly #shown = focusable(
    h("div", {
      class: "kv-formula kv-block",
      tabindex: 0,
      role: "group",
      "aria-label": "The network",
    }),
  );
  readonly #copies: HTMLElement;
  #formula: FormulaText | null = null;

  constructor(
    private readonly store: Store,
    life: Life,
  ) {
    const latex = copier("LaTeX");
    const python = copier("Python");
    this.#copies = h(
      "div",
      { class: "kv-stack" },
      row(
        button("Copy LaTeX", () => void latex.copy(this.#formula?.latex ?? "")),
        button("Copy Python", () => void python.copy(this.#formula?.python ?? "")),
      ),
      latex.element,
      python.element,
    );
    const show = button("Show the formula", () => void this.#ask());
    this.element = section("Formula", row(show), this.#line, this.#shown, this.#copies);
    life.follow(store.version, () => this.#clear());
  }

  #clear(): void {
    this.#formula = null;
    this.#copies.hidden = true;
    this.#shown.hidden = true;
    this.#shown.replaceChildren();
  }

  async #ask(): Promise<void> {
    say(this.#line, "Working it out\u2026");
    const { version } = this.store.scene.value;
    const formula = await tell<FormulaText>(this.store, this.#line, { type: "formula" });
    if (formula === undefined) return;
    say(this.#line, "");
    if (version !== this.store.scene.value.version) return;
    this.#formula = formula;
    this.#shown.replaceChildren(formulaNode(formula.mathml, formula.text));
    this.#shown.hidden = false;
    this.#copies.hidden = false;
  }
}

/** The page without a kernel, as Python writes it. */
function pages(store: Store): HTMLElement {
  const line = notice();
  const save = async (): Promise<void> => {
    say(line, "Writing the page\u2026");
    const page = await tell<string>(store, line, { type: "page" });
    if (page === undefined) return;
    const name = fileName(store.scene.value.title, "html");
    download(new Blob([page], { type: "text/html" }), name);
    say(line, `Saved ${name}.`);
  };
  const hint = "The same diagram as one file: it needs neither kernel nor network.";
  return section("Page", h("p", { class: "kv-hint" }, hint), row(button("HTML", save)), line);
}

/** Makes the panel of exports. */
export function outPanel(store: Store, exportSvg: ExportSvg): Panel {
  const life = new Life();
  const element = h("div", { class: "kv-panel" }, pictures(store, exportSvg));
  if (!store.local) element.append(new FormulaView(store, life).element, pages(store));
  return { title: "Export", element, destroy: () => life.end() };
}
