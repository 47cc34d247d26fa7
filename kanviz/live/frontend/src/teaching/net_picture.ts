/** A picture of a network that glides from one moment to the next; drawn as the diagram is. */
import type { Scene } from "../contract";
import { Curves } from "../diagram/curves";
import { layout, sensibleCount, strongest, type Layout } from "../diagram/layout";
import { HOME } from "../diagram/camera";
import { natural, untangled, type Places } from "../diagram/order";
import { paintEdges } from "../diagram/painter";
import { Palette } from "../diagram/palette";
import { SvgPen } from "../diagram/pen";
import { Captions, NodeWords } from "../diagram/words";
import { assign, h, s } from "../panels/dom";
import type { Life } from "../panels/life";
import { StillStore } from "./frames";
import { wantsStill } from "./scrubber";

/** Height by width, and in pixels for one band of edges more than another. */
const LOWEST = 250;
const BAND = 165;

export class NetPicture {
  readonly element: HTMLElement;
  private readonly store = new StillStore();
  private readonly palette = new Palette();
  private readonly curves = new Curves();
  private readonly words = new NodeWords(this.store);
  private readonly captions = new Captions();
  private readonly paint = s("g");
  private readonly nodes = s("g");
  private readonly pen = new SvgPen(this.paint);
  private readonly svg: SVGSVGElement;
  private readonly nextFrame: () => void;
  private layout: Layout = { width: 0, height: 0, nodes: [], edges: [] };
  private places: Places = [];

  /** `last` decides how the nodes stand: there the network is most worth reading. */
  constructor(
    life: Life,
    private readonly last: Scene,
  ) {
    this.svg = s("svg", { class: "kt-net-svg", role: "img" });
    this.svg.append(this.paint, this.nodes, this.words.group);
    this.element = h("div", { class: "kt-net" }, this.svg, this.captions.element);
    this.nextFrame = life.paced(() => this.draw(performance.now()));
    life.resized(this.element, () => this.arrange());
  }

  /** Goes to another moment; `words` say what is seen. */
  show(scene: Scene, words: string): void {
    const isFirst = !this.layout.width;
    this.store.scene = scene;
    this.svg.setAttribute("aria-label", `Network [${scene.widths.join(", ")}]. ${words}`);
    const still = isFirst || wantsStill();
    this.curves.aim(scene, performance.now(), () => still);
    this.arrange();
  }

  /** Reads the colours again. */
  recolor(): void {
    if (this.palette.read(this.element)) this.nextFrame();
  }

  private arrange(): void {
    const { scene } = this.store;
    const width = this.element.clientWidth;
    if (!width || !scene.widths.length) return;
    const size = { width, height: LOWEST + BAND * (scene.widths.length - 2) };
    this.places = this.placesOf(scene);
    const count = sensibleCount(this.last, size, this.placesOf(this.last));
    this.layout = layout(scene, size, this.places, strongest(scene, count));
    assign(this.svg, { viewBox: `0 0 ${size.width} ${size.height}`, height: size.height });
    this.nextFrame();
  }

  private placesOf(scene: Scene): Places {
    const isLike = String(scene.widths) === String(this.last.widths);
    return isLike ? untangled(this.last, natural(scene.widths)) : natural(scene.widths);
  }

  private draw(now: number): void {
    const isMoving = this.curves.step(now);
    const { layout: shown, curves, palette, store } = this;
    this.pen.begin();
    paintEdges(this.pen, {
      ...{ shapes: shown.edges, curves, palette, store, scale: 1, sampleAt: null, probed: null },
    });
    this.pen.end();
    this.drawNodes();
    this.words.draw(shown, HOME, null);
    this.captions.draw(shown, HOME);
    if (isMoving) this.nextFrame();
  }

  private drawNodes(): void {
    const circles = this.layout.nodes.map(({ x, y, radius, live }) =>
      s("circle", { class: live ? "kt-node" : "kt-node kt-bare", cx: x, cy: y, r: radius }),
    );
    this.nodes.replaceChildren(...circles);
  }
}
