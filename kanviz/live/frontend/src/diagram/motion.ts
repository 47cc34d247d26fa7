/** The way of a picture from one layout to the next, so that the eye keeps what it looks at. */

import type { EdgeShape, Layout, NodeShape, Rect } from "./layout";

/** Milliseconds that nodes and boxes take to another place. */
const LASTS = 220;
/** With more edges than this a picture jumps: many that cross teach the eye nothing. */
const MOST = 300;

export class Motion {
  #from: Layout | null = null;
  #start = 0;

  /** Lets the picture go to another layout from where it is at `now`. */
  begin(from: Layout, to: Layout, now: number): void {
    const isSmall = Math.max(from.edges.length, to.edges.length) <= MOST;
    const isSame = from.width === to.width && from.edges.length > 0;
    this.#from = isSmall && isSame ? this.at(from, now) : null;
    this.#start = now;
  }

  /** Whether a picture is on its way. */
  get isMoving(): boolean {
    return this.#from !== null;
  }

  /** Returns the layout that is seen at `now` on the way to `to`; at the end that itself. */
  at(to: Layout, now: number): Layout {
    const share = (now - this.#start) / LASTS;
    if (!this.#from || share >= 1) {
      this.#from = null;
      return to;
    }
    return between(this.#from, to, eased(Math.max(share, 0)));
  }
}

/** Slow at both ends. */
const eased = (share: number): number => share * share * (3 - 2 * share);

function between(from: Layout, to: Layout, share: number): Layout {
  const edges = new Map(from.edges.map((shape) => [shape.key, shape]));
  const nodes = new Map(from.nodes.map((shape) => [keyOf(shape), shape]));
  return {
    ...to,
    edges: to.edges.map((shape) => edgeBetween(edges.get(shape.key), shape, share)),
    nodes: to.nodes.map((shape) => nodeBetween(nodes.get(keyOf(shape)), shape, share)),
  };
}

const keyOf = ({ view }: NodeShape): string => `${view.layer},${view.index}`;
const mix = (a: number, b: number, share: number): number => a + share * (b - a);

function edgeBetween(from: EdgeShape | undefined, to: EdgeShape, share: number): EdgeShape {
  if (!from) return to;
  const box = boxBetween(from.slot.box, to.slot.box, share);
  const into = pathBetween(from.into, to.into, share);
  const out = pathBetween(from.out, to.out, share);
  return { ...to, slot: { ...to.slot, box }, into, out };
}

function boxBetween(a: Rect, b: Rect, share: number): Rect {
  return {
    left: mix(a.left, b.left, share),
    top: mix(a.top, b.top, share),
    width: mix(a.width, b.width, share),
    height: mix(a.height, b.height, share),
  };
}

const NUMBER = /-?\d+(?:\.\d+)?/g;

/** A path between two of the same strokes; of others none, until the picture has arrived. */
export function pathBetween(a: string, b: string, share: number): string {
  if (a.replace(NUMBER, "") !== b.replace(NUMBER, "")) return "";
  const from = a.match(NUMBER) ?? [];
  let at = 0;
  return b.replace(NUMBER, (to) => mix(Number(from[at++]), Number(to), share).toFixed(2));
}

function nodeBetween(from: NodeShape | undefined, to: NodeShape, share: number): NodeShape {
  if (!from) return to;
  const x = mix(from.x, to.x, share);
  const y = mix(from.y, to.y, share);
  const radius = mix(from.radius, to.radius, share);
  const factors = to.factors.map((dot) => ({ ...dot, x: dot.x + x - to.x, y: dot.y + y - to.y }));
  return { ...to, x, y, radius, factors };
}
