/** The curves as they are drawn now: on their way, in a few frames, to what the scene says. */

import type { Edge, EdgeView, Scene } from "../contract";
import { edgeOf, keyOf } from "../scene";

export interface Curve {
  x: Float64Array;
  y: Float64Array;
  strength: number;
}

interface Moving {
  from: Curve;
  to: Curve;
  now: Curve;
  start: number;
}

const SHORTEST = 60;
const LONGEST = 180;

export class Curves {
  #moving = new Map<string, Moving>();
  #duration = LONGEST;
  #last = 0;

  /**
   * Takes the curves of a scene as where to go.
   *
   * @param still whether curves jump: without animation, or an edge that a hand holds.
   */
  aim(scene: Scene, now: number, still: (edge: Edge) => boolean): void {
    // As long as the time between two frames of a fit, so that movement never stops between them.
    this.#duration = Math.min(Math.max(now - this.#last, SHORTEST), LONGEST);
    this.#last = now;
    const before = this.#moving;
    this.#moving = new Map(
      scene.edges.map((view) => {
        const edge = edgeOf(view);
        return [keyOf(edge), aimed(view, before.get(keyOf(edge)), now, still(edge))];
      }),
    );
  }

  /** Moves all curves to where they are at `now`; true while one is on its way. */
  step(now: number): boolean {
    let isMoving = false;
    for (const one of this.#moving.values()) {
      if (one.now === one.to) continue;
      const share = Math.min((now - one.start) / this.#duration, 1);
      one.now = share < 1 ? between(one.from, one.to, Math.max(share, 0)) : one.to;
      isMoving ||= share < 1;
    }
    return isMoving;
  }

  at(key: string): Curve | undefined {
    return this.#moving.get(key)?.now;
  }
}

function aimed(view: EdgeView, before: Moving | undefined, now: number, still: boolean): Moving {
  const to = { x: view.curve_x, y: view.curve_y, strength: view.strength };
  const isSame = before && before.to.y === to.y && before.to.x === to.x;
  if (isSame && before.to.strength === to.strength) return before;
  if (still || !before || before.now.y.length !== to.y.length)
    return { from: to, to, now: to, start: now };
  return { from: before.now, to, now: before.now, start: now };
}

function between(a: Curve, b: Curve, share: number): Curve {
  const mix = (p: Float64Array, q: Float64Array): Float64Array =>
    p.map((value, at) => value + share * (q[at] - value));
  return {
    x: mix(a.x, b.x),
    y: mix(a.y, b.y),
    strength: a.strength + share * (b.strength - a.strength),
  };
}
