/** One view from first paint to the last listener. */

import assert from "node:assert/strict";
import { test } from "node:test";
import explorer from "../src/index";
import { pause, press } from "./panels-dom";
import { type Fake, fakeModel, packed, scene } from "./scenes";

/** Tells at once that an element is 700 pixels wide. */
class Observer {
  constructor(private readonly f: () => void) {}
  observe(element: Element): void {
    Object.defineProperty(element, "clientWidth", { value: 700, configurable: true });
    queueMicrotask(this.f);
  }
  disconnect(): void {}
}
Object.assign(globalThis, { ResizeObserver: Observer });

async function open(change: object = {}): Promise<Fake & { el: HTMLElement; end: () => void }> {
  const fake = fakeModel({ scene: packed({ ...scene(), ...change }), theme: "dark" });
  const el = document.createElement("div");
  document.body.replaceChildren(el);
  const end = explorer.render({ model: fake.model, el });
  await pause();
  return { ...fake, el, end };
}

const one = (el: ParentNode, selector: string): HTMLElement => {
  const found = el.querySelector<HTMLElement>(selector);
  assert.ok(found, selector);
  return found;
};

test("a view shows every edge and node, with a name for those who do not see it", async () => {
  const { el, end } = await open();
  assert.equal(el.querySelectorAll(".kv-edge").length, 1);
  assert.equal(el.querySelectorAll(".kv-node").length, 2);
  assert.equal(one(el, ".kv-root").dataset.kvTheme, "dark");
  // Drawn in a frame of its own, which a busy machine gives late.
  for (let n = 0; n < 200 && !el.querySelector(".kv-paint path"); n++) await pause(25);
  assert.ok(one(el, ".kv-paint path").getAttribute("d"));
  await pause(250);
  assert.match(one(el, ".kv-edge").getAttribute("aria-label")!, /^Edge from h0.0 to/);
  end();
});

test("an edge opens by Enter and closes by Escape, and arrows lead to the nodes", async () => {
  const { el, end } = await open();
  const edge = one(el, ".kv-edge");
  edge.focus();
  press(edge, "Enter");
  assert.equal(edge.getAttribute("aria-pressed"), "true");
  press(edge, "Escape");
  assert.equal(edge.getAttribute("aria-pressed"), "false");
  press(edge, "ArrowUp");
  assert.equal((document.activeElement as HTMLElement).dataset.key, "1,0");
  end();
});

test("Enter on the open edge goes on to its editor, and Escape back to it", async () => {
  const { el, end } = await open();
  const edge = one(el, ".kv-edge");
  edge.focus();
  press(edge, "Enter");
  assert.equal(document.activeElement, edge);
  await pause(100);
  press(edge, "Enter");
  const at = document.activeElement!;
  assert.ok(at.matches(".kv-editor .kv-handle"), at.outerHTML);
  press(at, "Escape");
  assert.equal(document.activeElement, edge);
  assert.equal(edge.getAttribute("aria-pressed"), "true");
  end();
});

test("everything that takes the focus keeps the notebook's shortcuts away", async () => {
  const { el, end } = await open();
  const reachable = el.querySelectorAll("button, input, select, textarea, [tabindex]");
  assert.ok(reachable.length > 10);
  for (const element of reachable) {
    assert.equal(element.getAttribute("data-lm-suppress-shortcuts"), "true", element.outerHTML);
  }
  end();
});

test("a hostile title and hostile names are shown as they are", async () => {
  const hostile = '<img src=x onerror="globalThis.hit=1">';
  const nodes = scene().nodes.map((node) => ({ ...node, label: hostile }));
  const { el, end } = await open({ title: hostile, nodes });
  assert.ok(one(el, ".kv-head-about").textContent!.startsWith(hostile));
  assert.equal(el.querySelectorAll("img").length, 0);
  end();
});

test("nothing is left of a view that is gone", async () => {
  const { el, end, listeners } = await open();
  assert.ok(listeners() > 0);
  end();
  await pause();
  assert.equal(listeners(), 0);
  assert.equal(el.children.length, 0);
});

test("two views of one model hear the same news, each with what it points at", async () => {
  const { el, end, model } = await open();
  const other = document.createElement("div");
  el.after(other);
  const endOther = explorer.render({ model, el: other });
  await pause();
  press(one(el, ".kv-edge"), "Enter");
  assert.equal(one(other, ".kv-edge").getAttribute("aria-pressed"), "false");
  end();
  assert.equal(other.querySelectorAll(".kv-edge").length, 1);
  endOther();
});
