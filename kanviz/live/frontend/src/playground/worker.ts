/** Trains in a thread of its own, so that the page stays quick. */

import type { LayerRecipe } from "../contract";
import { DEFAULTS, type FitOptions, fit, type Moment, varianceOf } from "../math/fit";
import { adam, minimise } from "../math/levenberg";
import { Perceptron } from "../math/mlp";
import { uniform } from "../math/random";
import { type Name, named, pruned } from "../math/simplify";
import type { Rows } from "../math/trainable";

/** What the page asks. */
export type Order =
  | {
      type: "train";
      run: number;
      layers: LayerRecipe[];
      rows: Rows;
      test: Rows;
      options: FitOptions;
      beside: number[] | null;
    }
  | { type: "prune" | "name"; run: number; layers: LayerRecipe[]; rows: Rows }
  | { type: "set"; options: Partial<FitOptions> }
  | { type: "pause" | "resume" | "step" | "stop" };

/** What the worker tells. */
export interface News {
  type: "moment" | "done" | "failed";
  /** Which fit. */
  run: number;
  layers: LayerRecipe[];
  step: number;
  start: number;
  starts: number;
  /** The mean squared errors of the steps since the last news, in units of the network. */
  losses: { step: number; train: number; test: number; mlp: number }[];
  /** Milliseconds of work. */
  spent: number;
  text: string;
  /** The names that curves were given. */
  names?: Found[];
}

/** A name, as plain values: functions of a worker cannot be sent. */
export type Found = Omit<Name, "known"> & { known: string };

/** Milliseconds from one picture to the next. */
const GAP = 33;

let running: { stop: boolean; paused: boolean; single: boolean; options: FitOptions } | null = null;
const post = (news: News): void => (self as unknown as Worker).postMessage(news);

/** Lets messages in. */
const { port1, port2 } = new MessageChannel();
const waiting: (() => void)[] = [];
port1.onmessage = () => waiting.shift()?.();
const breathe = (): Promise<void> =>
  new Promise((go) => {
    waiting.push(go);
    port2.postMessage(0);
  });
const rest = (ms: number): Promise<void> => new Promise((go) => setTimeout(go, ms));

async function train(order: Extract<Order, { type: "train" }>): Promise<void> {
  const mine = { stop: false, paused: false, single: false, options: { ...order.options } };
  running = mine;
  const { rows, test } = order;
  const ran = fit(order.layers, rows, mine.options);
  const rival = order.beside && rivalOf(order.beside, rows, mine.options);
  let [spent, shown, last]: [number, number, Moment | null] = [0, 0, null];
  let losses: News["losses"] = [];
  const judges = test.count ? test : rows;
  const blank = { run: order.run, step: 0, start: 0, starts: 0, text: "" };
  for (;;) {
    while (mine.paused && !mine.single && !mine.stop) await rest(15);
    mine.single = false;
    if (mine.stop) break;
    const begin = performance.now();
    const next = ran.next();
    spent += performance.now() - begin;
    if (next.done) {
      post({ ...blank, type: "done", layers: next.value, losses, spent, step: last?.step ?? 0 });
      if (running === mine) running = null;
      return;
    }
    rival?.follow(spent);
    last = next.value;
    const now = performance.now();
    const mean = (part: Rows): number =>
      part.count ? last!.network.loss(part) / part.y.length : NaN;
    if (last.step > 0 && now - shown >= GAP)
      losses.push({
        step: last.step,
        train: mean(rows),
        test: mean(test),
        mlp: rival ? rival.error(judges) : NaN,
      });
    if (now - shown >= GAP) {
      const { step, start, starts, network } = last;
      post({
        ...blank,
        type: "moment",
        layers: network.recipes(),
        step,
        start,
        starts,
        losses,
        spent,
      });
      losses = [];
      shown = now;
    }
    await breathe();
  }
  if (last && running === mine)
    post({
      ...blank,
      type: "done",
      layers: last.network.recipes(),
      losses,
      spent,
      step: last.step,
    });
  if (running === mine) running = null;
}

/** A perceptron that is trained in the same way, and given as much time. */
function rivalOf(widths: number[], rows: Rows, { optimizer, rate, seed }: FitOptions) {
  const model = new Perceptron(widths, uniform(seed + 5));
  const problem = { model, rows, forms: [], unit: 1 / (rows.y.length * varianceOf(rows)) };
  const ran = optimizer === "lm" ? minimise(problem, 1e9) : adam(problem, 1e9, rate);
  let [spent, isDone] = [0, false];
  return {
    follow(time: number): void {
      while (!isDone && spent < time) {
        const begin = performance.now();
        isDone = ran.next().done === true;
        spent += performance.now() - begin;
      }
    },
    error: (part: Rows): number => model.loss(part) / part.y.length,
  };
}

/** Prunes, or names the curves, with the network shown on the way. */
async function simplify(order: Extract<Order, { type: "prune" | "name" }>): Promise<void> {
  const mine = { stop: false, paused: false, single: false, options: DEFAULTS };
  running = mine;
  const { run, layers, rows } = order;
  const blank = { run, step: 0, start: 0, starts: 0, losses: [], spent: 0, text: "" };
  const ran = order.type === "prune" ? pruned(layers, rows) : named(layers, rows);
  let shown = 0;
  for (;;) {
    const next = ran.next();
    if (mine.stop) break;
    if (next.done) {
      const names = "names" in next.value ? next.value.names : [];
      const found = names.map((one) => ({ ...one, known: one.known.name }));
      post({ ...blank, type: "done", layers: next.value.layers, names: found });
      break;
    }
    const now = performance.now();
    if (now - shown >= GAP) {
      post({ ...blank, type: "moment", layers: next.value.network.recipes() });
      shown = now;
    }
    await breathe();
  }
  if (running === mine) running = null;
}

self.onmessage = ({ data }: MessageEvent<Order>) => {
  if (data.type === "train" || data.type === "prune" || data.type === "name") {
    if (running) running.stop = true;
    const work = data.type === "train" ? train(data) : simplify(data as never);
    work.catch((error: unknown) => {
      const blank = { layers: [], step: 0, start: 0, starts: 0, losses: [], spent: 0 };
      const text = error instanceof Error ? error.message : String(error);
      post({ ...blank, type: "failed", run: data.run, text });
    });
    return;
  }
  if (!running) return;
  if (data.type === "set") Object.assign(running.options, data.options);
  else if (data.type === "stop") running.stop = true;
  else if (data.type === "step") running.single = true;
  else running.paused = data.type === "pause";
};
