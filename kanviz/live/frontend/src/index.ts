/** The explorer: `render` is what anywidget, or a page, calls for each view of a model. */

import { Diagram } from "./diagram/diagram";
import { Tabs, header, statusBar } from "./frame";
import type { Model } from "./model";
import { keyHelp, panels } from "./panels";
import { h } from "./panels/dom";
import { Life } from "./panels/life";
import { LiveStore } from "./store";
import { followTheme } from "./theme";

type Keys = NonNullable<Parameters<typeof keyHelp>[1]>;

const KEYS: Keys = [
  [
    "Diagram",
    [
      ["\u2190 \u2192 \u2191 \u2193", "from edge to edge and node to node"],
      ["Home, End", "first or last edge"],
      ["Enter", "open the edge"],
      ["Escape", "close the edge"],
      ["+ \u2212", "nearer, farther"],
      ["0", "the whole picture"],
    ],
  ],
];

/** Draws one view of a model into `el`; returns the function that takes it down again. */
function render({ model, el }: { model: Model; el: HTMLElement }): () => void {
  const life = new Life();
  const store = new LiveStore(model);
  life.add(() => store.destroy());
  const height = model.get("height");
  const diagram = new Diagram(store, life, typeof height === "number" ? height : null);
  const parts = panels(store, () => new XMLSerializer().serializeToString(diagram.picture()));
  for (const panel of parts) life.add(() => panel.destroy());
  const tabs = new Tabs(parts, life);
  const root = h("div", { class: "kv-root", role: "region", "aria-label": "Network explorer" });
  const help = keyHelp(root, KEYS);
  life.add(() => help.destroy());
  const body = h("div", { class: "ke-body" }, diagram.element, tabs.element);
  root.prepend(
    header(store, life),
    body,
    statusBar(store, life, () => help.open()),
  );
  el.append(root);
  life.add(() => root.remove());
  followTheme(root, life, model.get("theme"), () => diagram.recolor());
  life.on(store, ["selected"], () => store.selected && tabs.openFor("selected"));
  const stamp = (): string => (root.dataset.version = String(store.scene.version));
  stamp();
  life.on(store, ["scene"], stamp);
  return () => life.end();
}

export default { render };
