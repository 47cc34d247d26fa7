/** What a panel must end when it goes, and how often it may work until then. */
import type { Store } from "../store";

type Event = Parameters<Store["on"]>[0];

export class Life {
  private readonly ends: (() => void)[] = [];
  private over = false;

  /** Calls `end` when the panel goes. */
  add(end: () => void): void {
    this.ends.push(end);
  }

  /** Calls `f` after each of these changes of the store. */
  on(store: Store, events: readonly Event[], f: () => void): void {
    for (const event of events) this.add(store.on(event, f));
  }

  /** Listens to what lives longer than the panel. */
  listen(target: EventTarget, type: string, f: (event: globalThis.Event) => void): void {
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
      if (!this.over) waiting ||= requestAnimationFrame(run);
    };
  }

  /** Returns a function that runs `f` once it has not been called for `pause` ms. */
  later(f: () => void, pause: number): () => void {
    let waiting: ReturnType<typeof setTimeout> | undefined;
    this.add(() => clearTimeout(waiting));
    return () => {
      clearTimeout(waiting);
      if (!this.over) waiting = setTimeout(f, pause);
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
    this.over = true;
    for (const end of this.ends.splice(0)) end();
  }
}
