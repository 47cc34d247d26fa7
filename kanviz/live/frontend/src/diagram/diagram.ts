/** The live picture of the network: it puts its parts together and draws at most once a frame. */

import type { EdgeView, Scene } from "../contract";
import { edgeOf, keyOf, sameEdge, shapeOf } from "../scene";
import type { LiveStore } from "../store";
import { h, s, wantsStill } from "../ui/dom";
import type { Life } from "../ui/life";
import { Palette } from "../ui/theme";
import { Curves } from "./curves";
import { standalone } from "./export";
import { Foot } from "./foot";
import { Hands, HOME, kept } from "./gestures";
import { type Item, Items, Roving } from "./items";
import { range } from "./labels";
import {
  type Layout,
  layout,
  type NodeAt,
  type Places,
  placesOf,
  planOf,
  type Size,
  sensibleCount,
  strongest,
  wantedHeight,
  withViews,
} from "./layout";
import { alone, edgesAt, fitsMatrix, isCrowded, isWide, matrix, matrixHeight } from "./matrix";
import { Motion } from "./motion";
import { type Look, marksOf, NO_MARKS, paintEdges } from "./painter";
import { type Camera, CanvasPen, SvgPen } from "./pen";
import { Tip } from "./tip";
import { Probing, Sampled } from "./values";
import { AxisWords, Captions, NodeWords } from "./words";

/** With more edges than this the curves are drawn on a canvas, which is faster. */
const MOST_SVG = 100;
/** Milliseconds for which a large picture is pushed while it is panned. */
const PUSHED = 110;

export class Diagram {
  readonly element: HTMLElement;
  private readonly canvas = h("canvas", { class: "kv-canvas", "aria-hidden": "true" });
  readonly #paint = s("g", { class: "kv-paint", "aria-hidden": "true" });
  readonly #world = s("g", {}, this.#paint);
  readonly #sheet = h("div", { class: "kv-sheet" });
  readonly #stage: HTMLElement;
  readonly #svg: SVGSVGElement;

  readonly #palette = new Palette();
  readonly #curves = new Curves();
  private readonly sampled: Sampled;
  readonly #items: Items;
  readonly #roving: Roving;
  readonly #words = new NodeWords();
  readonly #captions = new Captions();
  readonly #axes = new AxisWords();
  readonly #tip: Tip;
  readonly #foot: Foot;
  readonly #svgPen = new SvgPen(this.#paint);
  private readonly canvasPen: CanvasPen | null;

  private camera: Camera = HOME;
  private width = 0;
  /** Pixels of height where the whole has a height of its own, as on a full screen; else null. */
  #room: number | null = null;
  private places: Places;
  #hidesRemoved = false;
  #isOneScale = false;
  /** Edges to draw: as the user said, or as many as make sense. */
  #count: number | null = null;
  #sensible: number | null = null;
  /** Whether edges stand in matrices, not on wires. */
  #isMatrix: boolean;
  /** The node that is seen alone, and its edges in the order that they had when it was opened. */
  private lone: { at: NodeAt; order: string[] } | null = null;
  #plan = "";
  readonly #motion = new Motion();
  #layout: Layout = { width: 0, height: 0, places: [], nodes: [], edges: [] };
  /** The layout as it is seen now, on the way to that one. */
  private seen = this.#layout;
  private readonly probing: Probing;
  /** Asks for a drawing for what no signal tells: camera, size, colours, curves on their way. */
  readonly #redraw: () => void;
  readonly #push: () => void;
  /** The camera of the last picture, and when it was drawn. */
  private drawn = { camera: HOME, at: 0 };
  readonly #describe: () => void;

  /** `height` is that of the picture in pixels, null for what fits it. */
  constructor(
    private readonly store: LiveStore,
    life: Life,
    private readonly height: number | null,
  ) {
    this.sampled = new Sampled(store);
    this.#items = new Items(store);
    this.probing = new Probing(store);
    this.#roving = new Roving(this.#items);
    this.#tip = new Tip(store, this.sampled);
    this.#foot = new Foot(store, (count) => this.#choose(count), {
      hide: (isHidden) => this.#hide(isHidden),
      equal: (isOn) => {
        this.#isOneScale = isOn;
        this.#redraw();
      },
      matrix: (isMatrix) => this.#turn(isMatrix),
      alone: (at) => this.#show(at),
    });
    this.#isMatrix = isCrowded(store.scene.peek());
    this.places = placesOf(store.scene.peek());
    this.#world.append(this.#items.group);
    this.#svg = s("svg", { class: "kv-svg", role: "group" }, this.#world);
    this.#svg.append(this.#axes.group, this.#words.group);
    this.#sheet.append(this.canvas, this.#svg, this.#captions.element, this.#tip.element);
    this.#stage = h("div", { class: "kv-stage" }, this.#sheet);
    const hands = new Hands(store, life, this.#stage, this.#items, this.#roving, {
      camera: () => this.camera,
      size: () => this.#layout,
      move: (camera) => this.#move(camera),
      show: (at) => this.#show(at),
      shown: () => this.lone?.at ?? null,
      turn: () => this.#foot.offersMatrix && this.#turn(!this.#isMatrix),
    });
    this.#foot.element.append(hands.buttons);
    this.element = h("div", { class: "kv-diagram" }, this.#stage, this.#foot.element);
    const context = this.canvas.getContext?.("2d");
    this.canvasPen = context ? new CanvasPen(context) : null;
    // After a burst of changes: nobody wants each of them read out.
    this.#describe = life.later(
      () => this.#items.describe(this.#layout, (...at) => this.#valuesOf(...at)),
      200,
    );
    life.follow(store.scene, (scene) => this.#aim(scene));
    life.follow(store.version, () => this.#take());
    life.effect(() => this.#items.mark());
    life.effect(() => void this.probing.refresh());
    this.#redraw = life.drawn(() => this.#draw(performance.now()));
    this.#push = life.paced(() => this.#pushed(performance.now()));
    life.resized(this.element, () => this.#resize());
  }

  /** Reads the colours again, as after a change of the theme; at once, for paper waits no frame. */
  recolor(): void {
    if (this.#palette.read(this.element)) this.#draw(performance.now());
  }

  /** Looks at the picture from elsewhere. */
  #move(camera: Camera): void {
    const { scale } = this.camera;
    this.#stage.style.touchAction = camera.scale > 1.001 ? "none" : "";
    this.camera = kept(camera, this.#layout.width, this.#layout.height);
    const isLarge = this.#layout.edges.length > MOST_SVG;
    if (isLarge && this.camera.scale === scale) this.#push();
    else this.#redraw();
  }

  // What changed.

  #resize(): void {
    const { clientWidth } = this.element;
    const filled = this.#filled();
    if (clientWidth === this.width && filled === this.#room) return;
    this.width = clientWidth;
    this.#room = filled;
    this.#sensible = null;
    this.#arrange();
  }

  /** The height that is left for the picture where the explorer fills its container. */
  #filled(): number | null {
    const isFilled = getComputedStyle(this.element).getPropertyValue("--kv-fills").trim() === "1";
    if (!isFilled) return null;
    return Math.max(240, this.element.clientHeight - this.#foot.element.offsetHeight);
  }

  #choose(count: number): void {
    this.#count = count;
    this.#arrange();
  }

  /** Leaves removed edges, and hidden nodes without any, out of the picture, or draws them. */
  #hide(isHidden: boolean): void {
    this.#hidesRemoved = isHidden;
    this.#take();
  }

  /** Shows the network as matrices, or with its wires. */
  #turn(isMatrix: boolean): void {
    this.lone = null;
    this.#isMatrix = isMatrix;
    this.#sensible = null;
    this.camera = HOME;
    this.#arrange();
  }

  /** Shows one node with its curves alone; null: the whole network. */
  #show(at: NodeAt | null): void {
    const order = at ? edgesAt(this.store.scene.peek(), at).map((view) => keyOf(edgeOf(view))) : [];
    this.lone = at && order.length ? { at, order } : null;
    this.camera = HOME;
    this.#arrange();
  }

  /** Another scene: its nodes may stand elsewhere. */
  #take(): void {
    const scene = this.store.scene.peek();
    this.places = placesOf(scene, this.#hidesRemoved);
    if (this.lone && !(this.lone.at[1] < scene.widths[this.lone.at[0]])) this.lone = null;
    this.#arrange();
  }

  /** Lets the curves go where the scene has them; those of other edges stay as they are. */
  #aim(scene: Scene): void {
    const still = wantsStill();
    this.#curves.aim(scene, performance.now(), (edge) => still || this.store.isHeld(edge));
    this.#layout = withViews(this.#layout, scene);
  }

  /** Places everything, anew only where something has another place than before. */
  #arrange(): void {
    const { width } = this;
    if (!width) return;
    const scene = this.store.scene.peek();
    const size = { width, height: Math.round(this.#heightOf(scene)) };
    this.#sensible ??= this.#sensibly(scene, size);
    const all = strongest(scene, this.#count ?? this.#sensible);
    const views = this.#hidesRemoved ? all.filter((view) => view.state !== "pruned") : all;
    const { lone } = this;
    const kind = lone
      ? `node ${lone.at.join()} ${lone.order.join(";")}`
      : String(this.#drawsMatrix);
    const plan = planOf(scene, size, views, this.places, kind);
    if (plan !== this.#plan) this.#build(size, views);
    this.#plan = plan;
    this.#foot.draw(this.#layout.edges, { lone: lone?.at ?? null, isMatrix: this.#isMatrix });
    this.#describe();
    this.#redraw();
  }

  /** Whether the matrix is wanted, and has the room. */
  get #drawsMatrix(): boolean {
    return this.#isMatrix && this.#foot.offersMatrix;
  }

  /** The height of the picture; whether a matrix is offered depends on the same sizes. */
  #heightOf(scene: Scene): number {
    const { width, places } = this;
    const wide = isWide(scene);
    const tall = wide ? (this.#room ?? this.height ?? matrixHeight(scene, width, places)) : 0;
    this.#foot.offersMatrix = wide && fitsMatrix(scene, { width, height: tall }, places);
    if (this.#drawsMatrix && !this.lone) return Math.max(tall, 200);
    return this.#room ?? wantedHeight(scene, width, this.height);
  }

  /** How many edges are drawn if nobody says: a matrix has room for all. */
  #sensibly(scene: Scene, size: Size): number {
    return this.#drawsMatrix ? scene.edges.length : sensibleCount(scene, size, this.places);
  }

  #build(size: Size, views: EdgeView[]): void {
    const before = this.#layout;
    this.#layout = this.#placed(size, views);
    if (!wantsStill()) this.#motion.begin(before, this.#layout, performance.now());
    this.#stage.style.height = `${size.height}px`;
    this.#svg.setAttribute("viewBox", `0 0 ${size.width} ${size.height}`);
    this.#svg.setAttribute("aria-label", nameOf(this.store.scene.peek()));
    this.#items.arrange(this.#layout);
    this.#items.mark();
    this.#roving.refresh();
  }

  /** All places, in the kind of picture that is wanted. */
  #placed(size: Size, views: EdgeView[]): Layout {
    const scene = this.store.scene.peek();
    if (this.lone) {
      const { at, order } = this.lone;
      const rank = new Map(order.map((key, n) => [key, n]));
      const place = (view: EdgeView): number => rank.get(keyOf(edgeOf(view))) ?? order.length;
      const own = edgesAt(scene, at).filter(
        (view) => !this.#hidesRemoved || view.state !== "pruned",
      );
      return alone(
        scene,
        size,
        at,
        own.sort((a, b) => place(a) - place(b)),
      );
    }
    return (this.#drawsMatrix ? matrix : layout)(scene, size, this.places, views);
  }

  #valuesOf(layer: number, index: number): string {
    return range(this.sampled.atNode(layer, index) ?? []);
  }

  // Drawing.

  #look(): Look {
    const { store, sampled, probing } = this;
    return {
      shapes: this.seen.edges,
      rules: this.seen.bare?.rules ?? null,
      curves: this.#curves,
      palette: this.#palette,
      scale: this.camera.scale,
      isOneScale: this.#isOneScale,
      marks: marksOf(store),
      seenAt: (view) => this.sampled.seenBy(view),
      sampleAt: store.slice.value ? (edge) => sampled.onEdge(edge) : null,
      probed: probing.values.value ? (edge) => probing.onEdge(edge) : null,
    };
  }

  /** A large picture that is only panned is pushed, and drawn anew a few times a second. */
  #pushed(now: number): void {
    const { camera, drawn } = this;
    if (now - drawn.at >= PUSHED) {
      this.#redraw();
      return;
    }
    const [x, y] = [camera.x - drawn.camera.x, camera.y - drawn.camera.y];
    this.#sheet.style.transform = `translate(${x}px, ${y}px)`;
    if (x || y) this.#push();
  }

  #draw(now: number): void {
    const scene = this.store.scene.value;
    const { camera } = this;
    if (!this.#layout.width) return;
    this.drawn = { camera, at: now };
    this.#sheet.style.transform = "";
    const wasMoving = this.#motion.isMoving;
    const shown = this.#motion.at(this.#layout, now);
    this.seen = shown;
    if (wasMoving) this.#items.arrange(shown);
    const isMoving = this.#curves.step(now) || this.#motion.isMoving;
    this.#world.setAttribute(
      "transform",
      `translate(${camera.x} ${camera.y}) scale(${camera.scale})`,
    );
    this.#items.zoom(shown, camera.scale);
    this.#drawEdges();
    this.#words.draw(scene, shown, camera, this.probing.values.value);
    this.#axes.draw(scene, shown, camera, this.#curves);
    this.#captions.draw(shown, camera, this.#axes.between);
    this.#tip.draw(this.#pointed(), camera, shown);
    if (isMoving) this.#redraw();
  }

  #drawEdges(): void {
    const { canvas, canvasPen, seen: shown } = this;
    const onCanvas = canvasPen !== null && shown.edges.length > MOST_SVG;
    canvas.hidden = !onCanvas;
    this.#svgPen.begin();
    if (onCanvas) {
      const ratio = globalThis.devicePixelRatio || 1;
      const [width, height] = [Math.round(shown.width * ratio), Math.round(shown.height * ratio)];
      if (canvas.width !== width) canvas.width = width;
      if (canvas.height !== height) canvas.height = height;
      canvasPen.begin(this.camera, ratio);
      paintEdges(canvasPen, this.#look());
    } else paintEdges(this.#svgPen, this.#look());
    this.#svgPen.end();
  }

  #pointed(): Item | null {
    const { hovered, hoveredNode, selected } = this.store;
    // Of the open edge the panel beside says all, and a tip would lie over its neighbours.
    if (sameEdge(hovered.value, selected.value) && hovered.value) return null;
    const at = hovered.value ?? hoveredNode.value;
    return this.#items.list.get(at?.join() ?? "") ?? null;
  }

  /** Returns the picture as it is seen, as an SVG that stands alone. */
  picture(): SVGSVGElement {
    const scene = this.store.scene.value;
    const title = scene.title || nameOf(scene);
    // What is pointed at, selected or probed belongs to the screen.
    const look = { ...this.#look(), marks: NO_MARKS, sampleAt: null, probed: null };
    return standalone(look, this.#layout, this.camera, this.#words.group, title);
  }
}

const nameOf = (scene: Scene): string => `Kolmogorov-Arnold network ${shapeOf(scene)}`;
