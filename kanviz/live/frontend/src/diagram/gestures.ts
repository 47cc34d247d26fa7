/** What the user does with the diagram: by mouse, by touch and by keys; zoom and pan. */

import { sameEdge } from "../scene";
import type { LiveStore } from "../store";
import { focusable, h, hasFocus, isShown } from "../ui/dom";
import { hold } from "../ui/drag";
import type { Life } from "../ui/life";
import type { Item, Items, Roving } from "./items";
import type { NodeAt, Size } from "./layout";
import type { Camera } from "./pen";

const STEP = 1.4;

/** The view of the diagram, which gestures move. */
export interface View {
  camera(): Camera;
  size(): Size;
  move(camera: Camera): void;
  /** Shows one node alone, or all; and which one is shown so. */
  show(at: NodeAt | null): void;
  shown(): NodeAt | null;
  /** Goes from wires to a matrix or back, where there is one. */
  turn(): void;
}

export class Hands {
  /** To zoom and to see the whole again. */
  readonly buttons: HTMLElement;
  readonly #hint = h(
    "div",
    { class: "kv-wheel-hint" },
    "Ctrl + wheel zooms; after a click into the picture the wheel alone does",
  );

  constructor(
    private readonly store: LiveStore,
    private readonly life: Life,
    private readonly stage: HTMLElement,
    private readonly items: Items,
    private readonly roving: Roving,
    private readonly view: View,
  ) {
    this.buttons = this.#zoomButtons();
    this.#hint.hidden = true;
    stage.append(this.#hint);
    this.#listen();
  }

  #listen(): void {
    const { life, stage } = this;
    const { group } = this.items;
    const hide = life.later(() => (this.#hint.hidden = true), 1800);
    const gestures = {
      camera: () => this.view.camera(),
      move: (camera: Camera) => this.view.move(camera),
      takesWheel: () => this.view.camera().scale > 1.001 || stage.matches(":focus-within"),
      refusedWheel: () => {
        this.#hint.hidden = false;
        hide();
      },
    };
    listenForGestures(stage, life, gestures);
    life.listen(stage, "keydown", (event) => this.#press(event as KeyboardEvent));
    life.listen(group, "click", (event) => this.#select(this.#itemAt(event)));
    life.listen(group, "pointerover", (event) => this.#point(this.#itemAt(event)));
    life.listen(group, "pointerout", () => this.#point(null));
    // On the stage: browsers let an SVG group that listens to the focus take it.
    life.listen(stage, "focusin", (event) => this.#visit(this.#itemAt(event)));
    life.listen(stage, "focusout", () => this.#point(null));
  }

  /** Zooms about an item, or about the middle. */
  #zoom(factor: number, item: Item | null = null): void {
    const { width, height } = this.view.size();
    const camera = this.view.camera();
    const x = item ? item.x * camera.scale + camera.x : width / 2;
    const y = item ? item.y * camera.scale + camera.y : height / 2;
    this.view.move(zoomed(camera, factor, x, y));
  }

  #zoomButtons(): HTMLElement {
    const make = (text: string, name: string, press: () => void): HTMLElement => {
      const names = { "aria-label": name, title: name };
      const element = focusable(h("button", { type: "button", ...names }, text));
      element.addEventListener("click", press);
      return element;
    };
    return h(
      "div",
      { class: "kv-zoom", role: "group", "aria-label": "Zoom" },
      make("+", "Zoom in (+)", () => this.#zoom(STEP)),
      make("\u2212", "Zoom out (-)", () => this.#zoom(1 / STEP)),
      make("Fit", "Fit (0)", () => this.view.move(HOME)),
    );
  }

  #itemAt(event: Event): Item | null {
    const element = (event.target as Element).closest<SVGGElement>("[data-key]");
    return this.items.list.get(element?.dataset.key ?? "") ?? null;
  }

  #point(item: Item | null): void {
    this.store.hoveredNode.value = item?.node ?? null;
    this.store.hovered.value = item?.edge ?? null;
  }

  #select(item: Item | null): void {
    if (!item) return;
    this.roving.visit(item);
    if (item.edge) this.store.select(item.edge);
    else if (item.node)
      this.#show(item.node.join() === this.view.shown()?.join() ? null : item.node);
  }

  /** Shows a node alone, or all; the focus stays on a node where it was in the picture. */
  #show(at: NodeAt | null): void {
    const had = hasFocus(this.stage);
    const old = this.view.shown();
    this.view.show(at);
    const item = this.items.list.get((at ?? old ?? []).join());
    if (had && item && !hasFocus(item.element)) item.element.focus();
  }

  /** Goes on to the next node that has edges, or to the one before. */
  #step(by: number): void {
    const { nodes } = this.store.scene.peek();
    const shown = this.view.shown()?.join();
    const at = nodes.findIndex((node) => `${node.layer},${node.index}` === shown);
    const next = nodes[(at + by + nodes.length) % nodes.length];
    if (at >= 0) this.#show([next.layer, next.index]);
  }

  #visit(item: Item | null): void {
    if (!item) return;
    this.roving.visit(item);
    this.#point(item);
    if (item.element.matches(":focus-visible")) this.#reveal(item);
  }

  /** Moves the picture as far as it takes to see an item. */
  #reveal({ x, y }: Item): void {
    const camera = this.view.camera();
    const { width, height } = this.view.size();
    const shift = (at: number, room: number): number =>
      Math.min(Math.max(at, 0.08 * room), 0.92 * room) - at;
    const dx = shift(x * camera.scale + camera.x, width);
    const dy = shift(y * camera.scale + camera.y, height);
    if (camera.scale > 1 && (dx || dy)) {
      this.view.move({ ...camera, x: camera.x + dx, y: camera.y + dy });
    }
  }

  /** Closes the open edge; then goes back from one node to all. */
  #leave(): void {
    if (this.store.selected.peek()) this.store.select(null);
    else if (this.view.shown()) this.#show(null);
  }

  #press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.#pressed(event.key, this.#itemAt(event))) event.preventDefault();
  }

  /** Opens an edge or a node; once more on an open edge goes on to its editor. */
  #enter(item: Item): void {
    const isOpen = sameEdge(item.edge, this.store.selected.peek());
    this.#select(item);
    if (!isOpen || !item.edge) return;
    const parts = (this.stage.closest(".kv-root") ?? this.stage).querySelectorAll<HTMLElement>(
      ".kv-editor :is(.kv-handle, button, input)",
    );
    [...parts].find(isShown)?.focus();
  }

  /** Answers a key; false for one of no meaning here. */
  #pressed(key: string, item: Item | null): boolean {
    if (key === "+" || key === "=") this.#zoom(STEP, item);
    else if (key === "-") this.#zoom(1 / STEP, item);
    else if (key === "0") this.view.move(HOME);
    else if (key === "Escape") this.#leave();
    else if (key === "m") this.view.turn();
    else if (key === "PageDown" && this.view.shown()) this.#step(1);
    else if (key === "PageUp" && this.view.shown()) this.#step(-1);
    else if (!item) return false;
    else if (key === "Enter" || key === " ") this.#enter(item);
    else return this.roving.press(key, item) !== null;
    return true;
  }
}

// Zoom and pan: by wheel, pinch, drag and buttons.

const NEAREST = 40;
const FARTHEST = 0.5;
/** Pixels that a pointer moves before a press becomes a drag. */
const SLACK = 4;

export const HOME: Camera = { scale: 1, x: 0, y: 0 };

/** A camera whose picture is `factor` times as large, with the point (x, y) staying put. */
export function zoomed(camera: Camera, factor: number, x: number, y: number): Camera {
  const scale = Math.min(Math.max(camera.scale * factor, FARTHEST), NEAREST);
  const change = scale / camera.scale;
  return { scale, x: x - (x - camera.x) * change, y: y - (y - camera.y) * change };
}

/** A camera from which at least a part of the picture is seen. */
export function kept(camera: Camera, width: number, height: number): Camera {
  const within = (at: number, room: number): number =>
    Math.min(Math.max(at, 0.3 * room - room * camera.scale), 0.7 * room);
  return { ...camera, x: within(camera.x, width), y: within(camera.y, height) };
}

interface Gestures {
  camera(): Camera;
  move(camera: Camera): void;
  /** Whether a plain wheel zooms; otherwise it scrolls the notebook. */
  takesWheel(): boolean;
  refusedWheel(): void;
}

/** Listens for gestures on `stage` as long as `life` lasts. */
function listenForGestures(stage: HTMLElement, life: Life, gestures: Gestures): void {
  const hands = new Pointers(stage, gestures);
  life.listen(stage, "wheel", (event) => hands.wheel(event as WheelEvent));
  life.listen(stage, "pointerdown", (event) => hands.down(event as PointerEvent));
  // On its way down, so that nothing else hears the click that ends a drag.
  const click = (event: Event): void => hands.click(event);
  stage.addEventListener("click", click, true);
  life.add(() => stage.removeEventListener("click", click, true));
}

class Pointers {
  readonly #pointers = new Map<number, Point>();
  #dragging = false;

  constructor(
    private readonly stage: HTMLElement,
    private readonly gestures: Gestures,
  ) {}

  wheel(event: WheelEvent): void {
    if (!event.ctrlKey && !event.metaKey && !this.gestures.takesWheel()) {
      this.gestures.refusedWheel();
      return;
    }
    event.preventDefault();
    const { x, y } = this.#place(event);
    // A pinch on a touch pad comes as a wheel with ctrl, in small steps.
    const speed = event.ctrlKey ? 0.01 : 0.002;
    const step = event.deltaMode === 1 ? 16 * event.deltaY : event.deltaY;
    const factor = Math.exp(-Math.min(Math.max(speed * step, -0.5), 0.5));
    this.gestures.move(zoomed(this.gestures.camera(), factor, x, y));
  }

  down(press: PointerEvent): void {
    if (press.button !== 0) return;
    const id = press.pointerId;
    this.#pointers.set(id, this.#place(press));
    this.#dragging = this.#pointers.size > 1;
    const move = (event: PointerEvent): void => this.#moved(event);
    const drag = { move, end: () => void this.#pointers.delete(id) };
    hold(this.stage, press, drag, this.#dragging ? 0 : SLACK);
  }

  #moved(event: PointerEvent): void {
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    const now = this.#place(event);
    this.#dragging = true;
    const other = [...this.#pointers].find(([id]) => id !== event.pointerId)?.[1];
    this.#pointers.set(event.pointerId, now);
    // One finger scrolls the page, as long as the whole picture is seen.
    const isScroll = event.pointerType === "touch" && this.gestures.camera().scale <= 1.001;
    if (!other && isScroll) return;
    if (other) this.#pinch(before, now, other);
    else this.#pan(now.x - before.x, now.y - before.y);
  }

  /** The click that ends a drag selects nothing. */
  click(event: Event): void {
    if (this.#dragging) event.stopPropagation();
    this.#dragging = false;
  }

  #pan(dx: number, dy: number): void {
    const camera = this.gestures.camera();
    this.gestures.move({ ...camera, x: camera.x + dx, y: camera.y + dy });
  }

  #pinch(before: Point, now: Point, other: Point): void {
    const size = (p: Point): number => Math.hypot(p.x - other.x, p.y - other.y) || 1;
    const middle = { x: (now.x + other.x) / 2, y: (now.y + other.y) / 2 };
    const factor = size(now) / size(before);
    const camera = zoomed(this.gestures.camera(), factor, middle.x, middle.y);
    const shift = { x: (now.x - before.x) / 2, y: (now.y - before.y) / 2 };
    this.gestures.move({ ...camera, x: camera.x + shift.x, y: camera.y + shift.y });
  }

  #place(event: MouseEvent): Point {
    const { left, top, width } = this.stage.getBoundingClientRect();
    // For a projector the whole is drawn larger than its own pixels.
    const ratio = this.stage.offsetWidth / width || 1;
    return { x: (event.clientX - left) * ratio, y: (event.clientY - top) * ratio };
  }
}

interface Point {
  x: number;
  y: number;
}
