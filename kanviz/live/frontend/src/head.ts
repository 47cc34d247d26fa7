/** The head: what the network says, how well, what goes on; and the way back. */

import { computed, signal } from "@preact/signals-core";
import type { FormulaText, Scene, Status } from "./contract";
import { atAGlance, inPieces, nameAndUnit, scientific, symbol } from "./names";
import { endOf, inNames, nodeName, shapeOf } from "./scene";
import type { LiveStore } from "./store";
import { enable, focusable, h, s, write } from "./ui/dom";
import type { Life } from "./ui/life";
import { formula, formulaNode, inside, name, plus, sign } from "./ui/mathml";

/** Asks for the formula once a network of formulas has been still for so long. */
const STILL_MS = 400;

/** Signs of a formula beyond which its letters are smaller. */
const LONG = 90;

/** Signs that no font is needed for, on a ground of 20 by 20. */
export const ICONS = {
  undo: "M4 8h8a4 4 0 0 1 0 8H8M7.5 4.5 4 8l3.5 3.5",
  redo: "M16 8H8a4 4 0 0 0 0 8h4M12.5 4.5 16 8l-3.5 3.5",
  letters: "M3 15 7 5l4 10M4.6 11.5h4.8M12.5 15l2.6-6.5 2.6 6.5M13.5 12.8h3.2",
  screen: "M3.5 7.5v-4h4M12.5 3.5h4v4M16.5 12.5v4h-4M7.5 16.5h-4v-4",
};

/** A button of the head, with a sign as its face. */
export function iconButton(
  sign: keyof typeof ICONS,
  name: string,
  press: () => void,
): HTMLButtonElement {
  const face = s(
    "svg",
    { viewBox: "0 0 20 20", "aria-hidden": "true" },
    s("path", { d: ICONS[sign] }),
  );
  const made = h(
    "button",
    { type: "button", class: "kv-icon", "aria-label": name, title: name },
    face,
  );
  made.addEventListener("click", () => {
    if (made.getAttribute("aria-disabled") !== "true") press();
  });
  return made;
}

/** Makes the head; `more` are buttons beside undo and redo. */
export function header(store: LiveStore, life: Life, more: HTMLElement[]): HTMLElement {
  const about = h("p", { class: "kv-head-about" });
  const figures = h("div", { class: "kv-head-figures", role: "group" });
  const undo = iconButton("undo", "Undo", () => void store.ask({ type: "undo" }).catch(() => {}));
  const redo = iconButton("redo", "Redo", () => void store.ask({ type: "redo" }).catch(() => {}));
  life.effect(() => {
    const { done, undone } = store.history.value;
    enable(undo, done.length > 0);
    enable(redo, undone.length > 0);
    undo.title = done.length ? `Undo: ${done.at(-1)}` : "Nothing to undo";
    redo.title = undone.length ? `Redo: ${undone[0]}` : "Nothing to redo";
  });
  life.effect(() => {
    const scene = store.scene.value;
    const parts = [scene.title, shapeOf(scene), stateOf(scene, store.status.value)];
    write(about, parts.filter(Boolean).join("  \u00b7  "));
  });
  const errors = computed(() => JSON.stringify(figuresOf(store.scene.value)));
  life.effect(() => {
    const shown = JSON.parse(errors.value) as Figure[];
    figures.setAttribute("aria-label", "How well it does now");
    figures.replaceChildren(...shown.map(figureElement));
  });
  return h(
    "div",
    { class: "kv-head" },
    h("div", { class: "kv-head-says" }, new Headline(store, life).element, about),
    figures,
    h("div", { class: "kv-head-tools" }, undo, redo, ...more),
  );
}

/** What goes on, or what was done last. */
function stateOf(scene: Scene, { state, text }: Status): string {
  if (state !== "idle") return text || state;
  const { done } = scene.history;
  // Of a fit the first part says enough; the history has the rest.
  if (done.length) return inNames(scene, done.at(-1)!.replace(/^(trained [^,]*),.*/s, "$1"));
  return scene.is_fresh ? "not trained yet" : "";
}

interface Figure {
  name: string;
  value: string;
  unit: string;
}

/** The numbers of the head: the test error, or that of training, with its unit, and R^2. */
export function figuresOf(scene: Scene): Figure[] {
  const { error, widths } = scene;
  const part = error.test === null ? "train" : "test";
  const value = error[part];
  if (value === null) return [];
  const last = widths.length - 1;
  const isAlone = widths[last] === 1;
  const unit = isAlone ? nameAndUnit(nodeName(scene, last, 0)).unit : "";
  const word = part === "train" ? "training" : "test";
  if (error.name === "accuracy")
    return [{ name: `${word} accuracy`, value: `${(100 * value).toFixed(1)} %`, unit: "" }];
  const found = [{ name: `${word} ${error.name}`, value: scientific(value), unit }];
  const r2 = part === "test" ? error.r2_test : error.r2_train;
  if (r2 !== null) found.push({ name: `${word} R\u00b2`, value: shareText(r2), unit: "" });
  return found;
}

/** A share of variance with three digits, or five where these would all be nines. */
export function shareText(r2: number): string {
  return r2.toFixed(r2 > 0.9995 ? 5 : 3).replace("-", "\u2212");
}

function figureElement({ name, value, unit }: Figure): HTMLElement {
  return h(
    "div",
    { class: "kv-figure" },
    h("span", { class: "kv-figure-name" }, name),
    h("b", {}, value, unit ? h("small", {}, ` ${unit}`) : null),
  );
}

/** The formula of the network, or what its edges say of one. */
class Headline {
  readonly element: HTMLElement;
  /** The formula, and the version of the network that it is of. */
  readonly #known = signal<{ version: number; formula: FormulaText } | null>(null);

  constructor(
    private readonly store: LiveStore,
    life: Life,
  ) {
    // It can be larger than the head: with the focus the arrow keys scroll it.
    this.element = focusable(
      h("h2", { class: "kv-head-title", tabindex: 0, "aria-label": "What the network computes" }),
    );
    life.follow(store.scene, ({ formula, version }) => {
      if (formula && this.#known.peek()?.version !== version)
        this.#known.value = { version, formula };
    });
    const later = life.later(() => void this.#ask(), STILL_MS);
    const isReady = computed(
      () => !store.local && store.status.value.state === "idle" && isFormula(store.scene.value),
    );
    const due = computed(() => (isReady.value ? store.version.value : -1));
    life.follow(due, (wanted) => {
      if (wanted >= 0) later();
    });
    const shape = computed(() => this.#shape());
    life.effect(() => {
      void shape.value;
      this.#draw();
    });
  }

  /** All that the line depends on, so that it is not written anew for every frame. */
  #shape(): string {
    const scene = this.store.scene.value;
    const known = this.#known.value;
    if (known?.version === scene.version) return `formula ${scene.version}`;
    const masks = scene.recipe?.layers.map((layer) => layer.mask.join("")).join("|");
    const names = [scene.input_names, scene.output_names];
    return [scene.widths, names, masks ?? scene.edges.map((view) => view.state[0]).join("")].join();
  }

  #draw(): void {
    const scene = this.store.scene.peek();
    const known = this.#known.peek();
    if (known?.version !== scene.version) {
      this.#show(structure(scene));
      return;
    }
    const { mathml, text } = known.formula;
    const made = atAGlance(formulaNode(mathml, text));
    if (made instanceof Element && scene.widths.at(-1) === 1) {
      made.prepend(symbol(nodeName(scene, scene.widths.length - 1, 0)), sign("="));
    }
    this.#show(made);
  }

  /** A long one on several lines, in smaller letters. */
  #show(made: Node): void {
    this.element.classList.toggle("kv-long", made.textContent!.length > LONG);
    const isMath = made instanceof Element && made.localName === "math";
    const pieces = isMath ? inPieces(made) : [made];
    this.element.replaceChildren(...pieces.flatMap((piece, n) => (n ? [" ", piece] : [piece])));
  }

  async #ask(): Promise<void> {
    const { version } = this.store.scene.peek();
    try {
      const formula = (await this.store.ask({ type: "formula" })) as FormulaText;
      if (version === this.store.scene.peek().version) this.#known.value = { version, formula };
    } catch {
      // Then the structure stays; the panel that shows the formula says what is wrong.
    }
  }
}

/** Whether every edge that counts is a formula. */
function isFormula({ edges, n_edges }: Scene): boolean {
  const isAny = edges.some((view) => view.state === "symbolic");
  return isAny && edges.length === n_edges && edges.every((view) => view.state !== "spline");
}

// What the edges that are there say of a network: which inputs act on an output, and together.

/** Letters of functions that have no name yet. */
const LETTERS = "fghpqrsuvw";
/** Inputs named in one function; of more the first and the last. */
const MOST = 6;
/** Functions and outputs that are written out. */
const MOST_TERMS = 4;
const MOST_OUTPUTS = 2;

/**
 * The edges that count, layer by layer, each as the pair of nodes that it joins; null where not all
 * are known.
 */
function liveEdges(scene: Scene): [number, number][][] | null {
  const { recipe, edges, widths } = scene;
  if (recipe) {
    return recipe.layers.map(({ mask, inputs, outputs }, layer) =>
      Array.from({ length: inputs * outputs }, (_, at): [number, number] => [
        Math.floor(at / outputs),
        endOf(scene, layer, at % outputs),
      ]).filter((_, at) => mask[at]),
    );
  }
  if (edges.length < scene.n_edges) return null;
  return widths
    .slice(1)
    .map((_, layer) =>
      edges
        .filter((view) => view.layer === layer && view.state !== "pruned")
        .map(({ i, j }): [number, number] => [i, endOf(scene, layer, j)]),
    );
}

/**
 * For an output the sets of inputs that act on it, each set in a function of its own: f(a) + g(b, c).
 * Null where that is not known.
 */
export function termsOf(scene: Scene, output: number): number[][] | null {
  const layers = liveEdges(scene);
  if (layers === null) return null;
  // The inputs that reach each node of the layer before the last.
  let reach = Array.from({ length: scene.widths[0] }, (_, i) => new Set([i]));
  for (const [layer, edges] of layers.slice(0, -1).entries()) {
    const next = Array.from({ length: scene.widths[layer + 1] }, () => new Set<number>());
    for (const [i, j] of edges) for (const input of reach[i]) next[j].add(input);
    reach = next;
  }
  const groups: Set<number>[] = [];
  for (const [i, j] of layers[layers.length - 1]) {
    if (j !== output || reach[i].size === 0) continue;
    // Sets that share an input cannot be told apart from outside.
    const mine = new Set(reach[i]);
    for (const other of groups.filter((group) => [...group].some((one) => mine.has(one)))) {
      for (const one of other) mine.add(one);
      groups.splice(groups.indexOf(other), 1);
    }
    groups.push(mine);
  }
  return groups.map((group) => [...group].sort((a, b) => a - b)).sort((a, b) => a[0] - b[0]);
}

/** The structure as mathematics: "y = f(a) + g(b, c)", a row for each output. */
export function structure(scene: Scene): Element {
  const last = scene.widths.length - 1;
  const outputs = scene.widths[last];
  if (scene.error.name === "accuracy") return classes(scene);
  const all = Array.from({ length: scene.widths[0] }, (_, i) => i);
  let used = 0;
  const rows = Array.from({ length: Math.min(outputs, MOST_OUTPUTS) }, (_, output) => {
    const terms = termsOf(scene, output) ?? [all];
    const shown = terms.slice(0, MOST_TERMS).flatMap((inputs, n) => {
      const letter = name(LETTERS[used++ % LETTERS.length]);
      const call = [letter, inside(...listed(inputs.map((i) => nodeName(scene, 0, i))))];
      return n ? [plus(), ...call] : call;
    });
    if (!terms.length) shown.push(name("constant"));
    if (terms.length > MOST_TERMS) shown.push(plus(), sign("\u2026"));
    return [symbol(nodeName(scene, last, output)), sign("="), ...shown];
  });
  const parts = rows.flatMap((row, n) => (n ? [sign(","), gap(), ...row] : row));
  if (outputs > MOST_OUTPUTS) parts.push(sign(","), sign("\u2026"));
  return formula(...parts);
}

/** Of classes only which inputs decide. */
function classes(scene: Scene): Element {
  const outputs = Array.from({ length: scene.widths.at(-1)! }, (_, j) => termsOf(scene, j));
  const known = new Set(outputs.flatMap((terms) => terms?.flat() ?? []));
  const all = Array.from({ length: scene.widths[0] }, (_, i) => i);
  const inputs = outputs.includes(null) ? all : all.filter((i) => known.has(i));
  const names = inputs.map((i) => nodeName(scene, 0, i));
  return formula(symbol("class"), sign("="), name("f"), inside(...listed(names)));
}

function gap(): Element {
  const made = sign("");
  made.setAttribute("lspace", "1em");
  return made;
}

/** Names between commas; of many the first ones and the last. */
function listed(names: string[]): Element[] {
  const few = names.length > MOST ? [...names.slice(0, MOST - 2), "\u2026", names.at(-1)!] : names;
  return few.flatMap((one, n) => (n ? [sign(","), symbol(one)] : [symbol(one)]));
}
