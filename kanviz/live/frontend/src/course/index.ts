/** The teaching widgets: `render` is what anywidget, or a page, calls for each view of one. */

import type { Model } from "../store";
import { h } from "../ui/dom";
import { Life } from "../ui/life";
import { followTheme } from "../ui/theme";
import { bezier } from "./bezier";
import { bspline } from "./bspline";
import { compose } from "./compose";
import { descent } from "./descent";
import { film } from "./film";
import { forgetting } from "./forgetting";
import { layer } from "./layer";
import { lookup } from "./lookup";
import { prediction } from "./prediction";
import { seesaw } from "./seesaw";
import { type CourseTraits, type Renderer, Shared } from "./stage";

/** What draws each kind of widget. */
const KINDS: Record<string, Renderer> = {
  bezier,
  bspline,
  compose,
  descent,
  film,
  forgetting,
  layer,
  lookup,
  prediction,
  seesaw,
};

/** Draws one view into `el`; returns the function that takes it down again. */
function render({ model, el }: { model: Model<CourseTraits>; el: HTMLElement }): () => void {
  const life = new Life();
  const kind = model.get("kind");
  const renderer = KINDS[kind];
  if (!renderer) throw new Error(`kind must be one of ${Object.keys(KINDS)}; got "${kind}".`);
  const root = h("div", { class: "kv-root kv-course", role: "region", "data-kind": kind });
  el.append(root);
  life.add(() => root.remove());
  const recolor: (() => void)[] = [];
  const onTheme = (f: () => void): void => void recolor.push(f);
  renderer({ root, shared: new Shared(model, life), life, onTheme });
  followTheme(root, life, model.get("theme"), () => recolor.forEach((f) => f()));
  return () => life.end();
}

export default { render };
