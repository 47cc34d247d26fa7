/**
 * Requests on their way: few at once, so that a drag never gets ahead of the kernel.
 *
 * Requests go out in order. While all places are taken a request waits, and one that says the same
 * thing with newer numbers takes its place; both then get the same answer.
 */

import type { Ask, Reply, Request } from "./contract";

/** Milliseconds after which an idle kernel without an answer counts as busy with a cell. */
const PATIENCE = 1500;

interface Entry {
  key: string;
  ask: Ask;
  settle: { resolve(value: unknown): void; reject(error: Error): void }[];
}

interface Flying extends Entry {
  timer: ReturnType<typeof setTimeout>;
  overdue: boolean;
}

interface Wire {
  send(request: Request): void;
  /** A number that grows with each request that the kernel takes. */
  taken(): number;
  /** Whether an answer may take long: a fit or a search runs, or the kernel took the request. */
  isPatient(taken: number): boolean;
  /** Called when `overdue` may have changed. */
  changed(): void;
}

export class Outbox {
  readonly #waiting: Entry[] = [];
  readonly #flying = new Map<number, Flying>();

  constructor(
    private readonly wire: Wire,
    private readonly places: number,
    private readonly nextSeq: () => number,
  ) {}

  /** Whether a request has had no answer for longer than an idle kernel takes. */
  get overdue(): boolean {
    return [...this.#flying.values()].some((entry) => entry.overdue);
  }

  /** Whether a request that `test` accepts is not answered yet. */
  has(test: (ask: Ask) => boolean): boolean {
    return [...this.#waiting, ...this.#flying.values()].some((entry) => test(entry.ask));
  }

  push(ask: Ask): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const key = keyOf(ask);
      const last = this.#waiting.at(-1);
      if (key && last?.key === key) {
        last.ask = ask;
        last.settle.push({ resolve, reject });
        return;
      }
      this.#waiting.push({ key, ask, settle: [{ resolve, reject }] });
      this.#flush();
    });
  }

  /** Settles the request that `reply` answers; false if it is none of ours. */
  reply(reply: Reply): boolean {
    const entry = this.#flying.get(reply.seq);
    if (!entry) return false;
    clearTimeout(entry.timer);
    this.#flying.delete(reply.seq);
    for (const { resolve, reject } of entry.settle) {
      if (reply.ok) resolve(reply.value);
      else reject(new Error(reply.error));
    }
    this.#flush();
    this.wire.changed();
    return true;
  }

  /** Refuses everything that is on its way, for no answer will come. */
  giveUp(why: string): void {
    const entries = [...this.#flying.values(), ...this.#waiting];
    this.close();
    for (const { settle } of entries) for (const { reject } of settle) reject(new Error(why));
    this.wire.changed();
  }

  /** Gives up everything that is on its way. */
  close(): void {
    for (const entry of this.#flying.values()) clearTimeout(entry.timer);
    this.#flying.clear();
    this.#waiting.length = 0;
  }

  #flush(): void {
    while (this.#waiting.length && this.#taken() < this.places)
      this.#launch(this.#waiting.shift()!);
  }

  /** Requests that hold a place; one that is overdue lets the next go. */
  #taken(): number {
    return [...this.#flying.values()].filter((entry) => !entry.overdue).length;
  }

  #launch(entry: Entry): void {
    const seq = this.nextSeq();
    this.#flying.set(seq, { ...entry, overdue: false, timer: this.#watch(seq, this.wire.taken()) });
    this.wire.send({ ...entry.ask, seq });
  }

  #watch(seq: number, taken: number): ReturnType<typeof setTimeout> {
    return setTimeout(() => {
      const entry = this.#flying.get(seq);
      if (!entry) return;
      if (this.wire.isPatient(taken)) {
        entry.timer = this.#watch(seq, taken);
        return;
      }
      entry.overdue = true;
      this.wire.changed();
      this.#flush();
    }, PATIENCE);
  }
}

/** Requests of the same key replace each other; "" for one that must arrive as it is. */
function keyOf(ask: Ask): string {
  switch (ask.type) {
    case "move_point":
      return [ask.type, ask.edge, ask.m, ask.drag].join();
    case "set_curve":
      return [ask.type, ask.edge, ask.drag].join();
    case "set_training":
      return [ask.type, Object.keys(ask.options).sort()].join();
    case "preview":
    case "probe":
      return ask.type;
    default:
      return "";
  }
}
