/** The cheat sheet of keys: "?" opens it, Escape closes it. */

import { button, h } from "../ui/dom";
import { Life } from "../ui/life";

type Row = readonly [keys: string, does: string];

const GROUPS: readonly (readonly [title: string, rows: readonly Row[]])[] = [
  [
    "Everywhere",
    [
      ["Tab, Shift+Tab", "next or previous part"],
      ["?", "this list"],
      ["Escape", "close, or leave a field as it was"],
    ],
  ],
  [
    "Control points, ends of a slice",
    [
      ["\u2191 \u2193", "1 % of the range"],
      ["Shift+\u2191 \u2193", "10 % of the range"],
    ],
  ],
  [
    "Edge editor",
    [
      ["Enter in the formula box", "fix the edge to the formula"],
      ["Tab through suggestions", "show each over the curve"],
      ["Enter on a suggestion", "take it"],
    ],
  ],
];

interface KeyHelp {
  open(): void;
  destroy(): void;
}

/** Whether a key belongs to the field that it was pressed in. */
function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  const typed = ["text", "number", "search"];
  if (target instanceof HTMLInputElement) return typed.includes(target.type);
  return target instanceof HTMLTextAreaElement || target.isContentEditable;
}

function sheet(groups: typeof GROUPS, close: () => void): HTMLDialogElement {
  const lists = groups.map(([title, rows]) => {
    const pairs = rows.flatMap(([keys, does]) => [
      h("dt", {}, h("kbd", {}, keys)),
      h("dd", {}, does),
    ]);
    return h("div", {}, h("h3", { class: "kv-heading" }, title), h("dl", {}, ...pairs));
  });
  return h(
    "dialog",
    { class: "kv-keys", "aria-label": "Keys" },
    h("h2", { class: "kv-title" }, "Keys"),
    h("div", { class: "kv-keys-columns" }, ...lists),
    button("Close", close),
  );
}

/** Lets "?" open the cheat sheet from anywhere in `root`; `more` are the keys of other parts. */
export function keyHelp(root: HTMLElement, more: typeof GROUPS = []): KeyHelp {
  const life = new Life();
  let before: HTMLElement | null = null;
  const dialog = sheet([...more, ...GROUPS], () => dialog.close());
  root.append(dialog);
  const open = (): void => {
    if (dialog.open) return;
    const active = (root.getRootNode() as Document | ShadowRoot).activeElement;
    before =
      active instanceof HTMLElement || active instanceof SVGElement
        ? (active as HTMLElement)
        : null;
    // Modal: the browser keeps the focus inside, and Escape closes.
    dialog.showModal();
    dialog.querySelector("button")?.focus();
  };
  dialog.addEventListener("close", () => before?.focus());
  dialog.addEventListener("keydown", (event) => {
    event.stopPropagation();
    // One thing can be focused in it, so Tab has nowhere to go.
    if (event.key === "Tab") event.preventDefault();
  });
  life.listen(root, "keydown", (event) => {
    const { key, target, ctrlKey, metaKey, altKey } = event as KeyboardEvent;
    if (key !== "?" || ctrlKey || metaKey || altKey || isTyping(target)) return;
    event.preventDefault();
    event.stopPropagation();
    open();
  });
  life.add(() => dialog.remove());
  return { open, destroy: () => life.end() };
}
