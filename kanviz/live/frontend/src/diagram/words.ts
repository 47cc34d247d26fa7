/** The words in the picture: names of nodes, probed values, formulas; each as large as on paper. */

import type { NodeView, Probe, Scene } from "../contract";
import { nameAndUnit } from "../names";
import { nodeName } from "../scene";
import { CAPTION, LETTERS, MARGIN, SECOND, SMALL, TIGHT } from "../tokens";
import { assign, h, s } from "../ui/dom";
import { formulaNode } from "../ui/mathml";
import { extent, rangeText, short, tidy } from "../ui/numbers";
import type { Curve, Curves } from "./curves";
import {
  cutMiddle,
  fit,
  hiddenLabels,
  type Lines,
  linesOf,
  type RowLabels,
  rowLabels,
  textWidth,
} from "./labels";
import {
  type EdgeShape,
  type Layout,
  type NodeAt,
  type NodeShape,
  type Places,
  pitchOf,
  shrunk,
} from "./layout";
import type { Camera } from "./pen";

/** Narrowest distance of nodes that have room for a number beside them. */
const NUMBERS = 44;
/** Nearest distance of two names below each other. */
const LINE = 12.5;

/** Names and numbers of nodes, as SVG text that does not grow with the zoom. */
export class NodeWords {
  readonly group = s("g", { class: "kv-node-words", "aria-hidden": "true" });
  readonly #texts = new Map<string, SVGTextElement>();
  #rows: RowLabels[] = [];
  #scale = 0;
  #nodes: NodeView[] | null = null;
  #places: Places | null = null;
  #width = 0;

  draw(scene: Scene, layout: Layout, camera: Camera, probe: Probe | null): void {
    const seen = new Set<string>();
    if (layout.bare) this.#drawBeside(scene, layout, camera, probe, seen);
    else this.#drawRows(scene, layout, camera, probe, seen);
    for (const [key, text] of this.#texts) {
      if (seen.has(key)) continue;
      text.remove();
      this.#texts.delete(key);
    }
  }

  #drawRows(
    scene: Scene,
    layout: Layout,
    camera: Camera,
    probe: Probe | null,
    seen: Set<string>,
  ): void {
    this.#chooseRows(scene, layout, camera.scale);
    for (const shape of this.#apart(scene, layout, camera)) {
      const pitch = camera.scale * pitchOf(scene, shape.view.layer, layout.width);
      this.#drawName(scene, shape, camera, seen);
      if (probe && pitch > NUMBERS) this.#drawNumber(scene, shape, camera, probe, seen);
    }
  }

  /** The words of a picture without wires: beside rows, above columns, and notes; values with them. */
  #drawBeside(
    scene: Scene,
    layout: Layout,
    camera: Camera,
    probe: Probe | null,
    seen: Set<string>,
  ): void {
    const last = scene.widths.length - 1;
    const kindOf = (layer: number): string =>
      layer > 0 && layer < last ? "kv-small" : "kv-node-name";
    const valued = (word: string, [layer, index]: NodeAt, room: number): string => {
      const whole = probe ? `${word} = ${short(probe.nodes[layer][index])}` : word;
      return textWidth(whole, SMALL) <= room ? whole : cutMiddle(word, room, SMALL);
    };
    const { scale } = camera;
    const lane = layout.bare?.lane ?? 0;
    for (const shape of this.#apart(scene, layout, camera)) {
      const { beside, view } = shape;
      if (!beside) continue;
      const room = beside.room * scale;
      const at: NodeAt = [view.layer, view.index];
      const isAside = beside.side === "left" || beside.side === "right";
      const hasTwo = isAside && textWidth(beside.word, SMALL) > room && lane * scale > 2.2 * SMALL;
      const value = probe ? `= ${short(probe.nodes[view.layer][view.index])}` : "";
      const [word, second]: Lines = !hasTwo
        ? [valued(beside.word, at, room), ""]
        : value
          ? [cutMiddle(beside.word, room, SMALL), value]
          : linesOf(nodeName(scene, ...at), room, SMALL);
      const [x, middle] = onScreen(shape, camera);
      const y = second ? middle - 0.5 * SECOND : middle;
      const gap = (shape.radius * scale) / shrunk(scale) + 5;
      const text = this.#text(`name ${view.layer},${view.index}`, word, seen);
      text.setAttribute("class", kindOf(view.layer));
      text.style.fontSize = `${SMALL}px`;
      const [edge, anchor] = beside.side === "left" ? [x - gap, "end"] : [x + gap, "start"];
      if (second) this.#drawSecond(second, view, [edge, y + 4 + SECOND], seen, anchor);
      if (isAside) place(text, edge, y + 4, anchor);
      else if (beside.side === "above") place(text, x, y - gap, "middle");
      else place(text, x + 0.35 * SMALL, y - gap, "start", true);
    }
    layout.bare?.notes.forEach((note, n) => {
      const [x, y] = onScreen(note, camera);
      const word = note.size > SMALL ? note.word : valued(note.word, note.at, note.room * scale);
      const text = this.#text(`note ${n}`, fit(word, note.room * scale, note.size), seen);
      text.setAttribute("class", "kv-node-name");
      text.style.fontSize = `${note.size}px`;
      place(text, x, y, "start");
    });
  }

  #chooseRows(scene: Scene, layout: Layout, scale: number): void {
    const { places, width } = layout;
    const isSame = this.#scale === scale && this.#width === width && this.#places === places;
    if (isSame && this.#nodes === scene.nodes) return;
    Object.assign(this, { scale, width, places, nodes: scene.nodes });
    this.#rows = scene.widths.map((_, layer) => {
      const nodes = scene.nodes.filter((node) => node.layer === layer);
      const pitch = scale * pitchOf(scene, layer, width);
      if (layer === 0 || layer === scene.widths.length - 1) return rowLabels(nodes, pitch);
      return hiddenLabels(nodes, pitch);
    });
  }

  /** The nodes in sight; of a tight row only those that leave room for each other. */
  #apart(scene: Scene, layout: Layout, camera: Camera): NodeShape[] {
    const kept: NodeShape[] = [];
    const taken = scene.widths.map(() => [] as number[]);
    const shapes = layout.nodes.filter((shape) => inSight(shape, layout, camera));
    for (const shape of shapes.sort(
      (a, b) => Number(b.live) - Number(a.live) || b.view.score - a.view.score,
    )) {
      const { layer } = shape.view;
      const pitch = layout.bare?.lane ?? pitchOf(scene, layer, layout.width);
      const nearest = layout.bare ? LINE : TIGHT * SMALL;
      const isTight = camera.scale * pitch < nearest;
      // In a matrix the nodes of every second layer stand below each other.
      const x = (layout.bare && layer % 2 === 0 ? shape.y : shape.x) * camera.scale;
      if (isTight && (!shape.live || taken[layer].some((other) => Math.abs(other - x) < nearest)))
        continue;
      taken[layer].push(x);
      kept.push(shape);
    }
    return kept;
  }

  #drawName(scene: Scene, shape: NodeShape, camera: Camera, seen: Set<string>): void {
    const { view } = shape;
    const row = this.#rows[view.layer];
    const [word, second] = wordsOf(row, view);
    if (!word) return;
    const last = scene.widths.length - 1;
    const isHidden = view.layer > 0 && view.layer < last;
    const below = view.layer === 0;
    const [x, y] = onScreen(shape, camera);
    const gap = (shape.radius * camera.scale) / shrunk(camera.scale) + 6;
    const text = this.#text(`name ${view.layer},${view.index}`, word, seen);
    text.setAttribute("class", isHidden ? "kv-small" : "kv-node-name");
    if (isHidden) place(text, x + gap, y + 4, "start");
    else if (!row.upright) {
      const base = y + (below ? gap + 0.75 * LETTERS : -gap - (second ? SECOND : 0));
      place(text, x, base, "middle");
      if (second) this.#drawSecond(second, view, [x, base + SECOND], seen);
    } else place(text, x + 0.35 * SMALL, y + (below ? gap : -gap), below ? "end" : "start", true);
    text.style.fontSize = `${row.upright || isHidden ? SMALL : LETTERS}px`;
  }

  #drawSecond(
    word: string,
    view: NodeView,
    at: [number, number],
    seen: Set<string>,
    anchor = "middle",
  ): void {
    const text = this.#text(`second ${view.layer},${view.index}`, word, seen);
    text.setAttribute("class", "kv-small");
    place(text, ...at, anchor);
    text.style.fontSize = `${SMALL}px`;
  }

  #drawNumber(
    scene: Scene,
    shape: NodeShape,
    camera: Camera,
    probe: Probe,
    seen: Set<string>,
  ): void {
    const { layer, index } = shape.view;
    const value = short(probe.nodes[layer][index]);
    const [x, y] = onScreen(shape, camera);
    const text = this.#text(`value ${layer},${index}`, value, seen);
    text.setAttribute("class", "kv-node-value");
    const isHidden = layer > 0 && layer < scene.widths.length - 1;
    const lower = isHidden && this.#rows[layer].words.has(shape.view) ? 17 : 4;
    place(text, x + (shape.radius * camera.scale) / shrunk(camera.scale) + 5, y + lower, "start");
  }

  #text(key: string, word: string, seen: Set<string>): SVGTextElement {
    let text = this.#texts.get(key);
    if (!text) {
      text = s("text");
      this.#texts.set(key, text);
      this.group.append(text);
    }
    if (text.textContent !== word) text.textContent = word;
    seen.add(key);
    return text;
  }
}

function wordsOf(row: RowLabels | undefined, view: NodeView): readonly [string, string] {
  const found = row?.words.get(view);
  // A scene may have come since the row was chosen.
  return found ?? [row?.words.size ? fit(view.label, 64, SMALL) : "", ""];
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
  readonly #captions = new Map<string, Caption>();

  /** Draws them between the ends of the axes that stand on their line. */
  draw(layout: Layout, camera: Camera, ends: ReadonlyMap<string, number> = new Map()): void {
    const unused = new Set(this.#captions.keys());
    for (const shape of layout.edges) {
      if (shape.view.state !== "symbolic" || !shape.view.formula) continue;
      unused.delete(shape.key);
      const isBare = layout.bare !== undefined;
      this.#place(this.#caption(shape), shape, camera, isBare, ends.get(shape.key));
    }
    for (const key of unused) {
      this.#captions.get(key)?.element.remove();
      this.#captions.delete(key);
    }
  }

  #caption({ key, view }: EdgeShape): Caption {
    const content = `${view.formula}\n${view.function ?? ""}`;
    let found = this.#captions.get(key);
    if (found?.content === content) return found;
    found?.element.remove();
    const whole = h("span", {}, formulaNode(view.mathml, view.formula ?? ""));
    const name = h("span", { class: "kv-function" }, view.function ?? "");
    const element = h("div", { class: "kv-caption" }, whole, name);
    this.element.append(element);
    const guess = textWidth(view.formula ?? "", SMALL);
    found = { element, content, widths: [whole.offsetWidth || guess, name.offsetWidth] };
    this.#captions.set(key, found);
    return found;
  }

  #place(
    { element, widths }: Caption,
    { slot, captioned }: EdgeShape,
    camera: Camera,
    isBare: boolean,
    between?: number,
  ): void {
    const { box, pitch } = slot;
    const room = Math.min(pitch * camera.scale, between ?? Infinity) - 4;
    const isRoomy = captioned || (!isBare && 0.25 * box.height * camera.scale > CAPTION);
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

/** Narrowest box on the screen whose axes are labelled. */
const LABELLED = 96;

/** The ends of the axes of large boxes: where a curve begins and ends, and how high it goes. */
export class AxisWords {
  readonly group = s("g", { class: "kv-axis-words", "aria-hidden": "true" });
  /** What is free between the two ends of an axis, around its middle, by edge. */
  readonly between = new Map<string, number>();
  readonly #texts: SVGTextElement[] = [];
  #used = 0;

  draw(scene: Scene, layout: Layout, camera: Camera, curves: Curves): void {
    this.#used = 0;
    this.between.clear();
    for (const shape of layout.edges) {
      const { box } = shape.slot;
      if (box.width * camera.scale < LABELLED || shape.view.state === "pruned") continue;
      this.#label(scene, shape, camera, curves.at(shape.key) ?? shape.view);
    }
    for (const text of this.#texts.splice(this.#used)) text.remove();
  }

  #label(scene: Scene, shape: EdgeShape, camera: Camera, curve: Drawn): void {
    const { box } = shape.slot;
    const [x, y] = "curve_x" in curve ? [curve.curve_x, curve.curve_y] : [curve.x, curve.y];
    const [low, high] = [x[0], x[x.length - 1]];
    const [least, most] = extent(y) ?? [0, 0];
    const [left, bottom] = onScreen({ x: box.left, y: box.top + box.height }, camera);
    const right = left + box.width * camera.scale;
    const top = bottom - box.height * camera.scale;
    const { unit } = nameAndUnit(nodeName(scene, shape.view.layer, shape.view.i));
    const ends = [tidy(low, high), `${tidy(high, low)}${unit ? ` ${unit}` : ""}`];
    const room = right - left - 8;
    const hasRoom = textWidth(ends.join("  "), SMALL) < room && !shape.captioned;
    if (hasRoom) {
      this.#put(ends[0], left + 2, bottom + SMALL + 1, "start");
      this.#put(ends[1], right - 2, bottom + SMALL + 1, "end");
      const longest = Math.max(...ends.map((end) => textWidth(end, SMALL)));
      this.between.set(shape.key, right - left - 2 * longest - 8);
    }
    if (most > least && MARGIN * (right - left) > SMALL + 1) {
      const span = rangeText(least, most).replace(" to ", " \u2026 ");
      if (textWidth(span, SMALL) < right - left)
        this.#put(span, left + 5, top + SMALL + 1, "start");
    }
  }

  #put(word: string, x: number, y: number, anchor: string): void {
    let text = this.#texts[this.#used];
    if (!text) {
      text = s("text");
      this.#texts.push(text);
      this.group.append(text);
    }
    this.#used++;
    if (text.textContent !== word) text.textContent = word;
    place(text, x, y, anchor);
    text.style.fontSize = `${SMALL}px`;
  }
}

type Drawn = Curve | EdgeShape["view"];
