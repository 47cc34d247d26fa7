/** What a panel must end when it goes, and how often it may work until then. */

import { effect, type ReadonlySignal, signal } from "@preact/signals-core";

export class Life {
  readonly #ends: (() => void)[] = [];
  #over = false;

  /** Calls `end` when the panel goes. */
  add(end: () => void): void {
    this.#ends.push(end);
  }

  /** Runs `f` now, and again whenever a signal changes that it has read. */
  effect(f: () => void): void {
    this.add(effect(() => f()));
  }

  /** Calls `f` now, and again whenever this one signal changes, whatever else `f` reads. */
  follow<T>(what: ReadonlySignal<T>, f: (value: T) => void): void {
    this.add(what.subscribe(f));
  }

  /**
   * Draws now, and again in an animation frame after a signal has changed that the drawing read, at
   * most every `gap` ms. Returns what asks for a drawing for any other reason.
   */
  drawn(draw: () => void, gap = 0): () => void {
    const turn = signal(0);
    let isDue = true;
    const next = this.paced(() => {
      isDue = true;
      turn.value += 1;
    }, gap);
    // Run by a change it only asks for its turn; run by its turn it draws, and so reads anew.
    this.effect(() => {
      void turn.value;
      if (isDue) {
        isDue = false;
        draw();
      } else next();
    });
    return next;
  }

  /** Listens to what lives longer than the panel. */
  listen(target: EventTarget, type: string, f: (event: Event) => void): void {
    target.addEventListener(type, f);
    this.add(() => target.removeEventListener(type, f));
  }

  /** Returns a function that runs `f` in the next animation frame, `gap` ms after the last. */
  paced(f: () => void, gap = 0): () => void {
    let waiting = 0;
    let last = -Infinity;
    const run = (now: number): void => {
      if (now - last < gap) {
        waiting = requestAnimationFrame(run);
        return;
      }
      waiting = 0;
      last = now;
      f();
    };
    this.add(() => cancelAnimationFrame(waiting));
    return () => {
      if (!this.#over) waiting ||= requestAnimationFrame(run);
    };
  }

  /** Returns a function that runs `f` once it has not been called for `pause` ms. */
  later(f: () => void, pause: number): () => void {
    let waiting: ReturnType<typeof setTimeout> | undefined;
    this.add(() => clearTimeout(waiting));
    return () => {
      clearTimeout(waiting);
      if (!this.#over) waiting = setTimeout(f, pause);
    };
  }

  /** Calls `f` when `element` gets another size, as when its tab opens. */
  resized(element: Element, f: () => void): void {
    if (typeof ResizeObserver === "undefined") return;
    const observer = new ResizeObserver(f);
    observer.observe(element);
    this.add(() => observer.disconnect());
  }

  /** Ends all. */
  end(): void {
    this.#over = true;
    for (const end of this.#ends.splice(0)) end();
  }
}
