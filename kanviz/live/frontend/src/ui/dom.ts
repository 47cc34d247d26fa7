/** Elements without a framework. Text goes in as text, never as HTML. */

type Child = Node | string | null;
type Attributes = Record<string, string | number | boolean | null>;

const SVG = "http://www.w3.org/2000/svg";
const FOCUSABLE = new Set(["button", "input", "select", "textarea", "summary", "dialog", "a"]);

/**
 * Keeps Jupyter's single-key shortcuts from firing while `element` has the focus; the mark works
 * only on the focused element itself, not on those around it.
 */
export function focusable<E extends Element>(element: E): E {
  element.setAttribute("data-lm-suppress-shortcuts", "true");
  return element;
}

/** Sets attributes; false and null take one away, true leaves it without a value. */
export function assign(element: Element, attributes: Attributes): void {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : String(value));
  }
}

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  assign(element, attributes);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Makes an HTML element. */
export function h<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const element = fill(document.createElement(tag), attributes, children);
  return FOCUSABLE.has(tag) ? focusable(element) : element;
}

/** Makes an SVG element. */
export function s<K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] {
  return fill(document.createElementNS(SVG, tag), attributes, children);
}

/** Makes a button; `hint` says more than its text. */
export function button(text: string, press: () => void, hint = ""): HTMLButtonElement {
  const element = h("button", { type: "button", class: "kv-button", title: hint || null }, text);
  element.addEventListener("click", () => {
    if (element.getAttribute("aria-disabled") !== "true") press();
  });
  return element;
}

/** Lets a button work or not. It keeps the focus, which the attribute `disabled` would take. */
export function enable(element: HTMLButtonElement, works: boolean): void {
  assign(element, { "aria-disabled": works ? null : "true" });
}

/** Whether the focus is in `element`, also within a shadow root. */
export function hasFocus(element: Element): boolean {
  const { activeElement } = element.getRootNode() as Document | ShadowRoot;
  return activeElement instanceof Element && element.contains(activeElement);
}

/** Whether `element` can be seen, so that what nobody sees need not be drawn. */
export const isShown = (element: Element): boolean => element.checkVisibility?.() ?? true;

/** Makes a titled section of a panel. */
export function section(title: string, ...children: Child[]): HTMLElement {
  return h(
    "section",
    { class: "kv-section" },
    h("h3", { class: "kv-heading" }, title),
    ...children,
  );
}

/** Lays children in a row that wraps. */
export function row(...children: Child[]): HTMLElement {
  return h("div", { class: "kv-row" }, ...children);
}

/** Writes `text` only where it changes, so that nothing is laid out in vain. */
export function write(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Lets what is too wide scroll by itself, by keys too. */
export function scrolling(element: HTMLElement, name: string): HTMLElement {
  const names = { class: "kv-scroll", role: "region", "aria-label": name, tabindex: 0 };
  return focusable(h("div", names, element));
}

/** Whether the user wants things to jump rather than to move. */
export const wantsStill = (): boolean =>
  typeof matchMedia === "function" && matchMedia("(prefers-reduced-motion: reduce)").matches;
