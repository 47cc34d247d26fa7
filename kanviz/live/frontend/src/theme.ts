/** Whether it is light or dark around us; a style sheet cannot tell from within a shadow root. */

import type { Life } from "./panels/life";
import { onTheme } from "./panels/theme_watch";

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
    const chosen = wanted === "light" || wanted === "dark" ? wanted : null;
    root.classList.toggle("kv-chosen", chosen !== null);
    root.dataset.kvTheme = chosen ?? (isDark(root) ? "dark" : "light");
    changed();
  };
  onTheme(life, look);
  life.resized(root, look);
  look();
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
