/** The curves as they are drawn now: on their way, in a few frames, to what the scene says. */

import type { Edge, EdgeState, EdgeView, Scene } from "../contract";
import { edgeOf, keyOf } from "../scene";

export interface Curve {
  x: Float64Array;
  y: Float64Array;
  strength: number;
  /** Of one that becomes a formula, say: what it was, and how far it is on the way, from 0 to 1. */
  turn?: { from: EdgeState; share: number };
}

interface Moving {
  from: Curve;
  to: Curve;
  now: Curve;
  start: number;
  state: EdgeState;
  /** What it was, while it becomes something else. */
  was: EdgeState | null;
}

const SHORTEST = 60;
const LONGEST = 180;
/** Milliseconds in which an edge turns from a spline to a formula, or is removed. */
const TURN = 220;

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
      const lasts = one.was ? TURN : this.#duration;
      const share = Math.min((now - one.start) / lasts, 1);
      one.now = share < 1 ? between(one.from, one.to, Math.max(share, 0)) : one.to;
      if (share < 1 && one.was) one.now.turn = { from: one.was, share: Math.max(share, 0) };
      isMoving ||= share < 1;
    }
    return isMoving;
  }

  at(key: string): Curve | undefined {
    return this.#moving.get(key)?.now;
  }
}

function aimed(view: EdgeView, before: Moving | undefined, now: number, still: boolean): Moving {
  const { state } = view;
  const to = { x: view.curve_x, y: view.curve_y, strength: view.strength };
  const isSame = before && before.to.y === to.y && before.to.x === to.x && before.state === state;
  if (isSame && before.to.strength === to.strength) return before;
  if (still || !before || before.now.y.length !== to.y.length)
    return { from: to, to, now: to, start: now, state, was: null };
  const { turn, ...from } = before.now;
  const was = before.state === state ? (turn?.from ?? null) : before.state;
  return { from, to, now: before.now, start: now, state, was };
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
