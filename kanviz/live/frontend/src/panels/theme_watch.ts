/** Colours for a canvas, which no style sheet reaches. */
import type { Life } from "./life";

/** Reads a colour or other variable of the theme as `element` sees it now. */
export function themed(element: Element, name: string, fallback: string): string {
  return getComputedStyle(element).getPropertyValue(name).trim() || fallback;
}

/** Calls `f` when the system or Jupyter goes from light to dark or back. */
export function onTheme(life: Life, f: () => void): void {
  if (typeof matchMedia === "function") {
    life.listen(matchMedia("(prefers-color-scheme: dark)"), "change", f);
  }
  if (typeof MutationObserver === "undefined") return;
  const observer = new MutationObserver(f);
  const attributeFilter = ["class", "data-jp-theme-light", "data-jp-theme-name", "data-theme"];
  for (const element of [document.documentElement, document.body]) {
    observer.observe(element, { attributes: true, attributeFilter });
  }
  life.add(() => observer.disconnect());
}
