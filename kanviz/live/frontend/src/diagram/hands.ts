/** What the user does with the diagram: by mouse, by touch and by keys. */

import { focusable, h } from "../panels/dom";
import type { Life } from "../panels/life";
import type { LiveStore } from "../store";
import { HOME, listenForGestures, zoomed } from "./camera";
import type { Item, Items } from "./items";
import type { Roving } from "./keys";
import type { Size } from "./layout";
import type { Camera } from "./pen";

const STEP = 1.4;

/** The view of the diagram, which gestures move. */
export interface View {
  camera(): Camera;
  size(): Size;
  move(camera: Camera): void;
}

export class Hands {
  /** To zoom and to see the whole again. */
  readonly buttons: HTMLElement;
  private readonly hint = h(
    "div",
    { class: "kd-hint" },
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
    this.buttons = this.zoomButtons();
    this.hint.hidden = true;
    stage.append(this.hint);
    this.listen();
  }

  private listen(): void {
    const { life, stage } = this;
    const { group } = this.items;
    const hide = life.later(() => (this.hint.hidden = true), 1800);
    const gestures = {
      camera: () => this.view.camera(),
      move: (camera: Camera) => this.view.move(camera),
      takesWheel: () => this.view.camera().scale > 1.001 || stage.matches(":focus-within"),
      refusedWheel: () => {
        this.hint.hidden = false;
        hide();
      },
    };
    listenForGestures(stage, life, gestures);
    life.listen(stage, "keydown", (event) => this.press(event as KeyboardEvent));
    life.listen(group, "click", (event) => this.select(this.itemAt(event)));
    life.listen(group, "pointerover", (event) => this.point(this.itemAt(event)));
    life.listen(group, "pointerout", () => this.point(null));
    // On the stage: browsers let an SVG group that listens to the focus take it.
    life.listen(stage, "focusin", (event) => this.visit(this.itemAt(event)));
    life.listen(stage, "focusout", () => this.point(null));
  }

  /** Zooms about an item, or about the middle. */
  private zoom(factor: number, item: Item | null = null): void {
    const { width, height } = this.view.size();
    const camera = this.view.camera();
    const x = item ? item.x * camera.scale + camera.x : width / 2;
    const y = item ? item.y * camera.scale + camera.y : height / 2;
    this.view.move(zoomed(camera, factor, x, y));
  }

  private zoomButtons(): HTMLElement {
    const make = (text: string, name: string, press: () => void): HTMLElement => {
      const names = { "aria-label": name, title: name };
      const element = focusable(h("button", { type: "button", ...names }, text));
      element.addEventListener("click", press);
      return element;
    };
    return h(
      "div",
      { class: "kd-zoom", role: "group", "aria-label": "Zoom" },
      make("+", "Zoom in (+)", () => this.zoom(STEP)),
      make("\u2212", "Zoom out (-)", () => this.zoom(1 / STEP)),
      make("Fit", "Fit (0)", () => this.view.move(HOME)),
    );
  }

  private itemAt(event: Event): Item | null {
    const element = (event.target as Element).closest<SVGGElement>("[data-key]");
    return this.items.list.get(element?.dataset.key ?? "") ?? null;
  }

  private point(item: Item | null): void {
    this.store.hoveredNode = item?.node ?? null;
    this.store.hovered = item?.edge ?? null;
  }

  private select(item: Item | null): void {
    if (!item) return;
    this.roving.visit(item);
    if (item.edge) this.store.selected = item.edge;
  }

  private visit(item: Item | null): void {
    if (!item) return;
    this.roving.visit(item);
    this.point(item);
    if (item.element.matches(":focus-visible")) this.reveal(item);
  }

  /** Moves the picture as far as it takes to see an item. */
  private reveal({ x, y }: Item): void {
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

  private press(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (this.pressed(event.key, this.itemAt(event))) event.preventDefault();
  }

  /** Answers a key; false for one of no meaning here. */
  private pressed(key: string, item: Item | null): boolean {
    if (key === "+" || key === "=") this.zoom(STEP, item);
    else if (key === "-") this.zoom(1 / STEP, item);
    else if (key === "0") this.view.move(HOME);
    else if (key === "Escape") this.store.selected = null;
    else if (!item) return false;
    else if (key === "Enter" || key === " ") this.select(item);
    else return this.roving.press(key, item) !== null;
    return true;
  }
}
