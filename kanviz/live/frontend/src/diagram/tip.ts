/** What is said of the edge or node that is pointed at, beside it. */

import type { EdgeView, Scene } from "../contract";
import { edgeName, edgeOf, findEdge, nodeName } from "../scene";
import type { Store } from "../store";
import { h, s } from "../ui/dom";
import { bars, counts } from "../ui/histogram";
import { formulaNode } from "../ui/mathml";
import { short } from "../ui/numbers";
import type { Item } from "./items";
import { range, standing } from "./labels";
import type { Camera } from "./pen";
import type { Sampled } from "./values";

const BINS = 24;
const GAP = 12;

export class Tip {
  readonly element = h("div", { class: "kv-tip", "aria-hidden": "true" });
  /** What is shown, of which scene: another of either is told anew. */
  #shown: { item: Item; scene: Scene } | null = null;

  constructor(
    private readonly store: Store,
    private readonly sampled: Sampled,
  ) {
    this.element.hidden = true;
  }

  /** Shows what there is to say of `item`, or nothing. */
  draw(item: Item | null, camera: Camera, size: { width: number; height: number }): void {
    const { element, store } = this;
    element.hidden = item === null;
    if (!item) {
      this.#shown = null;
      return;
    }
    const scene = store.scene.value;
    if (this.#shown?.item !== item || this.#shown.scene !== scene) {
      element.replaceChildren(...this.#content(item));
    }
    this.#shown = { item, scene };
    this.#place(item, camera, size);
  }

  #content(item: Item): Node[] {
    if (item.node) return this.#ofNode(...item.node);
    const view = findEdge(this.store.scene.value, item.edge);
    return view ? this.#ofEdge(view) : [];
  }

  #ofEdge(view: EdgeView): Node[] {
    const scene = this.store.scene.value;
    const rows: [string, string | Node][] = [
      ["state", standing(view)],
      ["score", short(view.score)],
    ];
    if (view.formula) rows.push(["formula", formulaNode(view.mathml, view.formula)]);
    if (view.quality !== null) rows.push(["R\u00b2", view.quality.toFixed(5)]);
    rows.push(["x", range(view.curve_x)], ["y", range(view.curve_y)]);
    if (view.band) rows.push(["95 % band", `\u00b1 ${short(Math.max(...view.band), 2)} at most`]);
    return [title(edgeName(scene, edgeOf(view))), table(rows)];
  }

  #ofNode(layer: number, index: number): Node[] {
    const scene = this.store.scene.value;
    const node = scene.nodes.find((one) => one.layer === layer && one.index === index);
    const rows: [string, string][] = [["score", short(node?.score)]];
    if (node?.factors.length) rows.unshift(["node", `product of ${node.factors.length} sums`]);
    const values = this.sampled.atNode(layer, index);
    if (values) rows.push(["values", range(values)]);
    const parts: Node[] = [title(nodeName(scene, layer, index)), table(rows)];
    if (values) parts.push(histogram(values));
    return parts;
  }

  #place(item: Item, camera: Camera, size: { width: number; height: number }): void {
    const { element } = this;
    const x = item.x * camera.scale + camera.x;
    const y = item.y * camera.scale + camera.y;
    const aside = item.reach * camera.scale + GAP;
    const { offsetWidth: width, offsetHeight: height } = element;
    const isRight = x + aside + width < size.width;
    const left = isRight ? x + aside : Math.max(4, x - aside - width);
    const top = Math.min(Math.max(4, y - height / 2), Math.max(4, size.height - height - 4));
    element.style.transform = `translate(${Math.round(left)}px, ${Math.round(top)}px)`;
  }
}

const title = (text: string): Node => h("div", { class: "kv-tip-title" }, text);

function table(rows: [string, string | Node][]): Node {
  const cells = rows.flatMap(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]);
  return h("dl", {}, ...cells);
}

function histogram(values: Float64Array): SVGSVGElement {
  const [width, height] = [168, 42];
  const base = s("path", { d: `M0,${height + 0.5}h${width}` });
  const made = bars(counts(values, BINS), { x: 0, y: 0, width, height });
  return s("svg", { class: "kv-tip-histogram", width, height: height + 1 }, ...made, base);
}
