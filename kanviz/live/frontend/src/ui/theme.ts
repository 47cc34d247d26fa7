/** Light and dark: which of them is around us, and its colours for a canvas and for SVG files. */

import type { Life } from "./life";

const FONT = "kanviz math";

/**
 * Marks `root` with the theme around it, now and whenever that changes; then calls `changed`.
 *
 * @param wanted "light" or "dark" where the user chose one.
 */
export function followTheme(
  root: HTMLElement,
  life: Life,
  wanted: unknown,
  changed: () => void,
): void {
  const look = (): void => {
    // Outside of the page there are no colours: notebooks draw first and put it in afterwards.
    if (!root.isConnected) return;
    lendFont(root);
    const chosen = wanted === "light" || wanted === "dark" ? wanted : null;
    root.classList.toggle("kv-chosen", chosen !== null);
    root.dataset.kvTheme = chosen ?? (isDark(root) ? "dark" : "light");
    changed();
  };
  onTheme(life, look);
  // On paper it is always light.
  life.listen(window, "beforeprint", () => {
    root.dataset.kvTheme = "light";
    root.classList.add("kv-chosen");
    changed();
  });
  life.listen(window, "afterprint", look);
  life.resized(root, look);
  look();
}

/** Lends the document the font of a style sheet in a shadow root, where nobody looks for fonts. */
function lendFont(root: HTMLElement): void {
  const home = root.getRootNode();
  if (
    !(home instanceof ShadowRoot) ||
    [...document.fonts].some(({ family }) => family.includes(FONT))
  )
    return;
  const rules = [...home.styleSheets, ...home.adoptedStyleSheets].flatMap((s) => [...s.cssRules]);
  for (const rule of rules) {
    const { style } = rule as CSSFontFaceRule;
    if (rule instanceof CSSFontFaceRule && style.getPropertyValue("font-family").includes(FONT))
      document.fonts.add(new FontFace(FONT, style.getPropertyValue("src")));
  }
}

/** What a notebook says, else the ground that we stand on, else the system. */
function isDark(root: HTMLElement): boolean {
  const { body, documentElement } = document;
  if (body.dataset.jpThemeLight) return body.dataset.jpThemeLight === "false";
  for (const element of [body, documentElement]) {
    const words = [
      ...element.classList,
      element.dataset.theme ?? "",
      element.dataset.vscodeThemeKind ?? "",
    ];
    if (words.some((word) => /(^|-)dark$/.test(word))) return true;
    if (words.some((word) => /(^|-)light$/.test(word))) return false;
  }
  const light = groundLight(root);
  if (light !== null) return light < 0.5;
  return typeof matchMedia === "function" && matchMedia("(prefers-color-scheme: dark)").matches;
}

/** How light the nearest ground around `root` is, from 0 to 1; null where all is see-through. */
function groundLight(root: HTMLElement): number | null {
  for (let at: Element | null = root.parentElement; at; at = above(at)) {
    const parts =
      getComputedStyle(at)
        .backgroundColor.match(/[\d.]+/g)
        ?.map(Number) ?? [];
    const [r, g, b, alpha = 1] = parts;
    if (parts.length >= 3 && alpha > 0.5) return (0.299 * r + 0.587 * g + 0.114 * b) / 255;
  }
  return null;
}

function above(element: Element): Element | null {
  if (element.parentElement) return element.parentElement;
  const root = element.getRootNode();
  return root instanceof ShadowRoot ? root.host : null;
}

// Colours for a canvas, which no style sheet reaches.

/** Reads a colour or other variable of the theme as `element` sees it now. */
export function themed(element: Element, name: string, fallback: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim() || fallback;
}

/** Calls `f` when the system or Jupyter goes from light to dark or back. */
export function onTheme(life: Life, f: () => void): void {
  if (typeof matchMedia === "function") {
    for (const query of ["(prefers-color-scheme: dark)", "(forced-colors: active)"])
      life.listen(matchMedia(query), "change", f);
  }
  if (typeof MutationObserver === "undefined") return;
  const observer = new MutationObserver(f);
  const attributeFilter = ["class", "data-jp-theme-light", "data-jp-theme-name", "data-theme"];
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true, attributeFilter });
  }
  life.add(() => observer.disconnect());
}

// The colours of the style sheet as numbers, for the canvas and for SVG that stands alone.

const NAMES = [
  "paper",
  "panel",
  "ink",
  "muted",
  "hair",
  "spline",
  "symbolic",
  "pruned",
  "accent",
  "warn",
  "good",
] as const;
export type Name = (typeof NAMES)[number];

type Rgb = readonly [number, number, number];
const GREY: Rgb = [128, 128, 128];

export class Palette {
  #colors = new Map<Name, Rgb>();
  #mixed = new Map<string, string>();

  /** Reads the colours that apply within `root`; true if one is another than before. */
  read(root: HTMLElement): boolean {
    const probe = document.createElement("span");
    probe.hidden = true;
    root.append(probe);
    const before = this.#colors;
    this.#colors = new Map(NAMES.map((name) => [name, colorOf(probe, name)]));
    probe.remove();
    this.#mixed.clear();
    return NAMES.some((name) => String(before.get(name)) !== String(this.#colors.get(name)));
  }

  /**
   * Returns `share` of a colour laid on paper. Pale lines are mixed rather than see-through: many
   * of them over each other stay pale.
   *
   * @param from Another colour of which the first has a part, on its way from one to the other.
   */
  mix(
    name: Name,
    share = 1,
    ground: Name = "paper",
    from: { name: Name; share: number } | null = null,
  ): string {
    const way = from ? `${from.name} ${Math.round(from.share * 20)}` : "";
    const key = `${name} ${ground} ${Math.round(share * 50)} ${way}`;
    let found = this.#mixed.get(key);
    if (!found) {
      const own = this.#colors.get(name) ?? GREY;
      const old = (from && this.#colors.get(from.name)) ?? own;
      const top = own.map((c, n) => c + (from?.share ?? 0) * (old[n] - c));
      const under = this.#colors.get(ground) ?? [255, 255, 255];
      const parts = top.map((c, n) => Math.round(c * share + under[n] * (1 - share)));
      found = `rgb(${parts.join(", ")})`;
      this.#mixed.set(key, found);
    }
    return found;
  }
}

function colorOf(probe: HTMLElement, name: Name): Rgb {
  probe.style.color = `var(--kv-${name})`;
  const parts = getComputedStyle(probe)
    .color.match(/[\d.]+/g)
    ?.map(Number);
  return parts && parts.length >= 3 ? [parts[0], parts[1], parts[2]] : [128, 128, 128];
}
