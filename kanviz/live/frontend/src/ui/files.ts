/** Text and files that leave the page: downloads, PNG pictures, the clipboard. */

import { notice, say } from "../panels/panel";
import { button, h } from "./dom";

/** Saves data under a name. */
export function download(data: Blob, name: string): void {
  const url = URL.createObjectURL(data);
  const link = h("a", { href: url, download: name });
  link.click();
  // The browser may still be reading when `click` returns.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A file name from a title: letters, digits, and dashes between them. */
export function fileName(title: string, ending: string): string {
  const plain = title
    .normalize("NFKD")
    .replace(/[^A-Za-z0-9]+/g, "-")
    .replace(/^-+|-+$/g, "");
  return `${plain || "kanviz"}.${ending}`;
}

/** Draws an SVG text as PNG, `zoom` pixels for each of its units. */
export async function pngOf(svg: string, zoom = 2): Promise<Blob> {
  const picture = new Image();
  // A data address: a page from a file may be forbidden to load blobs.
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
  await picture.decode();
  const canvas = h("canvas", {
    width: Math.round(picture.naturalWidth * zoom),
    height: Math.round(picture.naturalHeight * zoom),
  });
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) => {
    const done = (blob: Blob | null): void =>
      blob ? resolve(blob) : reject(new Error("This browser could not make the PNG."));
    canvas.toBlob(done, "image/png");
  });
}

// Copying text, with a box to copy from by hand where the page may not.

interface Copier {
  readonly element: HTMLElement;
  copy(text: string): Promise<void>;
}

/** Makes a line that says that text was copied, or shows it selected. */
export function copier(label: string): Copier {
  const line = notice();
  const box = h("textarea", { class: "kv-code", readonly: true, rows: 6, "aria-label": label });
  const close = button("Close", () => (byHand.hidden = true));
  const byHand = h("div", { class: "kv-stack", hidden: true }, box, close);
  const copy = async (text: string): Promise<void> => {
    try {
      await navigator.clipboard.writeText(text);
      byHand.hidden = true;
      say(line, `${label} copied.`);
    } catch {
      // Not every host lets a page write to the clipboard.
      box.value = text;
      byHand.hidden = false;
      box.focus();
      box.select();
      say(line, "Press Ctrl+C (Cmd+C) to copy what is selected.");
    }
  };
  return { element: h("div", { class: "kv-copier" }, line, byHand), copy };
}
