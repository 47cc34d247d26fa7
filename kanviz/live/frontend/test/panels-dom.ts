/** A document for the tests of the panels; import it before anything that makes elements. */

import { JSDOM } from "jsdom";

const { window } = new JSDOM("<!doctype html><body></body>", { pretendToBeVisual: true });
const names = [
  ...["document", "Node", "Element", "HTMLElement", "HTMLInputElement", "HTMLTextAreaElement"],
  ...["SVGElement", "ShadowRoot", "DOMParser", "Event", "KeyboardEvent", "MouseEvent"],
  ...["getComputedStyle", "requestAnimationFrame", "cancelAnimationFrame", "MutationObserver"],
] as const;
for (const name of names) {
  const value = (window as unknown as Record<string, unknown>)[name];
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
}
Object.defineProperty(globalThis, "window", { value: window, configurable: true });
// jsdom has no canvas and says so on the console; the chart's numbers are tested without it.
window.HTMLCanvasElement.prototype.getContext = () => null;

/** Waits for `ms`, and for the animation frames in them. */
export const pause = (ms = 60): Promise<void> => new Promise((done) => setTimeout(done, ms));

/** Puts a panel on the page, alone. */
export function show(element: HTMLElement): HTMLElement {
  document.body.replaceChildren(element);
  return element;
}

/** The button with this text. */
export function buttonOf(root: ParentNode, text: string): HTMLButtonElement {
  const found = [...root.querySelectorAll("button")].find((one) => one.textContent === text);
  if (!found) throw new Error(`no button "${text}"`);
  return found;
}

/** Whether a button can be pressed. */
export const works = (one: Element): boolean => one.getAttribute("aria-disabled") !== "true";

/** The input in the label that begins with this text. */
export function inputOf(root: ParentNode, text: string): HTMLInputElement {
  const labels = [...root.querySelectorAll("label")];
  const label = labels.find((one) => one.textContent?.startsWith(text));
  const input = label?.querySelector<HTMLInputElement>("input, select");
  if (!input) throw new Error(`no input "${text}"`);
  return input;
}

/** Moves a slider or types into a box, as a hand does. */
export function enter(input: HTMLInputElement, value: string | number): void {
  input.value = String(value);
  input.dispatchEvent(new Event("input", { bubbles: true }));
  input.dispatchEvent(new Event("change", { bubbles: true }));
}

export function press(target: EventTarget, key: string, shiftKey = false): void {
  target.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey, bubbles: true }));
}

export function pointer(target: EventTarget, type: string, clientX = 0, clientY = 0): void {
  const init = { clientX, clientY, button: 0, bubbles: true, cancelable: true };
  target.dispatchEvent(new MouseEvent(`pointer${type}`, init));
}
