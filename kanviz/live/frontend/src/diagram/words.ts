/** The words in the picture: names of nodes, probed values, formulas; each as large as on paper. */

import type { NodeView, Probe, Scene } from "../contract";
import { assign, h, s } from "../ui/dom";
import { formulaNode } from "../ui/mathml";
import { short } from "../ui/numbers";
import { fit, LETTERS, type RowLabels, rowLabels, SMALL, textWidth, tooTight } from "./labels";
import { CAPTION, type EdgeShape, type Layout, type NodeShape, shrunk } from "./layout";
import type { Camera } from "./pen";
import { probedValue } from "./values";

/** Narrowest distance of nodes that have room for a number beside them. */
const NUMBERS = 44;

/** Names and numbers of nodes, as SVG text that does not grow with the zoom. */
export class NodeWords {
  readonly group = s("g", { class: "kv-node-words", "aria-hidden": "true" });
  private readonly texts = new Map<string, SVGTextElement>();
  private rows: RowLabels[] = [];
  private scale = 0;
  private nodes: NodeView[] | null = null;

  draw(scene: Scene, layout: Layout, camera: Camera, probe: Probe | null): void {
    this.chooseRows(scene, layout, camera.scale);
    const seen = new Set<string>();
    const inner = layout.width * camera.scale;
    for (const shape of this.apart(scene, layout, camera)) {
      const pitch = inner / scene.widths[shape.view.layer];
      this.drawName(scene, shape, camera, seen);
      if (probe && pitch > NUMBERS) this.drawNumber(scene, shape, camera, probe, seen);
    }
    for (const [key, text] of this.texts) {
      if (seen.has(key)) continue;
      text.remove();
      this.texts.delete(key);
    }
  }

  private chooseRows(scene: Scene, layout: Layout, scale: number): void {
    if (this.scale === scale && this.nodes === scene.nodes) return;
    this.scale = scale;
    this.nodes = scene.nodes;
    this.rows = scene.widths.map((width, layer) => {
      const nodes = scene.nodes.filter((node) => node.layer === layer);
      return rowLabels(nodes, (layout.width * scale * 0.95) / width);
    });
  }

  /** The nodes in sight; of a tight row only those that leave room for each other. */
  private apart({ widths }: Scene, layout: Layout, camera: Camera): NodeShape[] {
    const kept: NodeShape[] = [];
    const taken = widths.map(() => [] as number[]);
    const shapes = layout.nodes.filter((shape) => inSight(shape, layout, camera));
    for (const shape of shapes.sort(
      (a, b) => Number(b.live) - Number(a.live) || b.view.score - a.view.score,
    )) {
      const { layer } = shape.view;
      const isTight = tooTight((layout.width * camera.scale) / widths[layer]);
      const x = shape.x * camera.scale;
      if (
        isTight &&
        (!shape.live || taken[layer].some((other) => Math.abs(other - x) < 1.3 * SMALL))
      )
        continue;
      taken[layer].push(x);
      kept.push(shape);
    }
    return kept;
  }

  private drawName(scene: Scene, shape: NodeShape, camera: Camera, seen: Set<string>): void {
    const { view } = shape;
    const row = this.rows[view.layer];
    const word = wordOf(row, view);
    if (!word) return;
    const last = scene.widths.length - 1;
    const isHidden = view.layer > 0 && view.layer < last;
    const below = view.layer === 0;
    const [x, y] = onScreen(shape, camera);
    const gap = (shape.radius * camera.scale) / shrunk(camera.scale) + (row.upright ? 5 : 6);
    const text = this.text(`name ${view.layer},${view.index}`, word, seen);
    text.setAttribute("class", isHidden ? "kv-small" : "kv-node-name");
    if (isHidden) place(text, x + gap, y + 4, "start");
    else if (!row.upright) place(text, x, y + (below ? gap + 0.75 * LETTERS : -gap), "middle");
    else place(text, x + 0.35 * SMALL, y + (below ? gap : -gap), below ? "end" : "start", true);
    text.style.fontSize = `${row.upright || isHidden ? SMALL : LETTERS}px`;
  }

  private drawNumber(
    scene: Scene,
    shape: NodeShape,
    camera: Camera,
    probe: Probe,
    seen: Set<string>,
  ): void {
    const { layer, index } = shape.view;
    const value = short(probedValue(scene, probe, layer, index));
    const [x, y] = onScreen(shape, camera);
    const text = this.text(`value ${layer},${index}`, value, seen);
    text.setAttribute("class", "kv-node-value");
    const isHidden = layer > 0 && layer < scene.widths.length - 1;
    const lower = isHidden && shape.view.label ? 17 : 4;
    place(text, x + (shape.radius * camera.scale) / shrunk(camera.scale) + 5, y + lower, "start");
  }

  private text(key: string, word: string, seen: Set<string>): SVGTextElement {
    let text = this.texts.get(key);
    if (!text) {
      text = s("text");
      this.texts.set(key, text);
      this.group.append(text);
    }
    if (text.textContent !== word) text.textContent = word;
    seen.add(key);
    return text;
  }
}

function wordOf(row: RowLabels | undefined, view: NodeView): string {
  const found = row?.words.get(view);
  // A scene may have come since the row was chosen.
  return found ?? (row?.words.size ? fit(view.label, 64, SMALL) : "");
}

function place(text: SVGTextElement, x: number, y: number, anchor: string, upright = false): void {
  const turn = upright ? " rotate(-90)" : "";
  const move = `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
  assign(text, { transform: move + turn, "text-anchor": anchor });
}

const onScreen = ({ x, y }: { x: number; y: number }, camera: Camera): [number, number] => [
  x * camera.scale + camera.x,
  y * camera.scale + camera.y,
];

function inSight(shape: NodeShape, layout: Layout, camera: Camera): boolean {
  const [x, y] = onScreen(shape, camera);
  return x > -40 && y > -40 && x < layout.width + 40 && y < layout.height + 40;
}

interface Caption {
  element: HTMLElement;
  content: string;
  /** Width of the formula and of the name alone. */
  widths: [number, number];
}

/** The formulas below the boxes; where there is no room the function's name, or nothing. */
export class Captions {
  readonly element = h("div", { class: "kv-captions", "aria-hidden": "true" });
  private readonly captions = new Map<string, Caption>();

  draw(layout: Layout, camera: Camera): void {
    const unused = new Set(this.captions.keys());
    for (const shape of layout.edges) {
      if (shape.view.state !== "symbolic" || !shape.view.formula) continue;
      unused.delete(shape.key);
      this.place(this.caption(shape), shape, camera);
    }
    for (const key of unused) {
      this.captions.get(key)?.element.remove();
      this.captions.delete(key);
    }
  }

  private caption({ key, view }: EdgeShape): Caption {
    const content = `${view.formula}\n${view.function ?? ""}`;
    let found = this.captions.get(key);
    if (found?.content === content) return found;
    found?.element.remove();
    const whole = h("span", {}, formulaNode(view.mathml, view.formula ?? ""));
    const name = h("span", { class: "kv-function" }, view.function ?? "");
    const element = h("div", { class: "kv-caption" }, whole, name);
    this.element.append(element);
    const guess = textWidth(view.formula ?? "", SMALL);
    found = { element, content, widths: [whole.offsetWidth || guess, name.offsetWidth] };
    this.captions.set(key, found);
    return found;
  }

  private place(
    { element, widths }: Caption,
    { slot, captioned }: EdgeShape,
    camera: Camera,
  ): void {
    const { box, pitch } = slot;
    const room = pitch * camera.scale - 4;
    const isRoomy = captioned || 0.25 * box.height * camera.scale > CAPTION;
    const level = !isRoomy
      ? "none"
      : widths[0] <= room
        ? "whole"
        : widths[1] <= room
          ? "name"
          : "none";
    element.dataset.show = level;
    const [x, y] = onScreen({ x: box.left + box.width / 2, y: box.top + box.height }, camera);
    const at = `${x.toFixed(1)}px, ${(y + 2).toFixed(1)}px`;
    element.style.transform = `translate(${at}) translateX(-50%)`;
  }
}
