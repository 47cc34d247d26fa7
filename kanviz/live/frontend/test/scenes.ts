/** Networks to draw: of one edge, packed, with a model that carries it; and of any widths. */

import assert from "node:assert/strict";
import type { EdgeView, LayerRecipe, Request, Scene } from "../src/contract";
import type { CourseTraits } from "../src/course/stage";
import type { EdgeShape, Size } from "../src/diagram/layout";
import { LayerMaker } from "../src/math/evaluate";
import type { Model } from "../src/store";

const KNOTS = Float64Array.from({ length: 12 }, (_, m) => -1 + ((m - 3) * 2) / 5);

export function layer(): LayerRecipe {
  return {
    inputs: 1,
    outputs: 1,
    basis: "bspline",
    spline_order: 3,
    grid_size: 5,
    padding: 3,
    uniform: true,
    base: "zero",
    extrapolation: "linear",
    knots: KNOTS,
    weight: Float64Array.from({ length: 8 }, (_, m) => Math.sin(m)),
    mask: new Uint8Array([1]),
    formulas: [],
    owners: [],
  };
}

export function view(): EdgeView {
  const curve_x = Float64Array.from({ length: 21 }, (_, n) => -1 + n / 10);
  return {
    ...{ layer: 0, i: 0, j: 0, score: 1, strength: 1, state: "spline" as const },
    ...{ frozen: false, locked: false, formula: null, mathml: null, function: null, quality: null },
    band: null,
    shapes: [],
    curve_x,
    curve_y: new LayerMaker(layer()).curve(0, 0, curve_x),
    knots: KNOTS.slice(3, 9),
    control_x: new Float64Array(8),
    control_y: layer().weight,
    sample_x: curve_x.slice(0, 3),
    sample_y: new LayerMaker(layer()).curve(0, 0, curve_x.slice(0, 3)),
  };
}

export function scene(): Scene {
  const one = Float64Array.of(1);
  const zero = Float64Array.of(0);
  const sample = Float64Array.from({ length: 50 }, (_, n) => -1 + n / 25);
  return {
    ...{ version: 1, title: "", widths: [1, 1], n_edges: 1, edges: [view()], owners: [] },
    nodes: [0, 1].map((at) => ({
      layer: at,
      index: 0,
      label: "",
      score: 1,
      x: 0.5,
      y: at,
      factors: [],
    })),
    recipe: { layers: [layer()], x_shift: zero, x_scale: one, y_shift: zero, y_scale: one },
    ...{ input_names: ["x"], output_names: ["y"], sample, target: sample.slice() },
    history: { done: ["trained"], undone: [] },
    losses: { step: zero, train: zero, test: zero, name: "RMSE", marks: [] },
    error: { name: "RMSE", train: 1, test: 2, r2_train: 0.9, r2_test: 0.8 },
    ...{ rows: [40, 10], notes: [], formula: null, is_fresh: false },
    ...{ has_data: true, grid_size: 5, spline_order: 3, basis: "bspline", functions: [] },
  };
}

/** Packs as Python does; arrays become lists of places. */
export function packed(record: unknown): DataView {
  const parts: Uint8Array[] = [];
  let size = 0;
  const text = JSON.stringify(record, (_, value) => {
    if (!(value instanceof Float64Array) && !(value instanceof Uint8Array)) return value;
    const kind = value instanceof Float64Array ? "f8" : "u1";
    const place = { $: kind, at: size, n: value.length };
    const bytes = new Uint8Array(Math.ceil(value.byteLength / 8) * 8);
    bytes.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
    parts.push(bytes);
    size += bytes.length;
    return place;
  });
  const head = new TextEncoder().encode(text.padEnd(Math.ceil((4 + text.length) / 8) * 8 - 4));
  // Three bytes before it all, as a message may lie anywhere in its buffer.
  const all = new Uint8Array(3 + 4 + head.length + size);
  new DataView(all.buffer).setUint32(3, head.length, true);
  all.set(head, 7);
  let at = 7 + head.length;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return new DataView(all.buffer, 3);
}

export interface Fake {
  model: Model & Model<CourseTraits>;
  sent: Request[];
  fire(event: string, ...args: unknown[]): void;
  listeners(): number;
}

/** A model as a notebook gives it, with all that goes through it in sight. */
export function fakeModel(values: Record<string, unknown>): Fake {
  const heard: { event: string; f: (...args: never[]) => void }[] = [];
  const sent: Request[] = [];
  const model = {
    get: (name: string) => values[name],
    on: (event: string, f: (...args: never[]) => void) => void heard.push({ event, f }),
    off: (event: string, f: unknown) => {
      const at = heard.findIndex((one) => one.event === event && one.f === f);
      if (at >= 0) heard.splice(at, 1);
    },
    send: (message: unknown) => void sent.push(message as Request),
  };
  const fire = (event: string, ...args: unknown[]): void => {
    for (const one of [...heard]) if (one.event === event) one.f(...(args as never[]));
  };
  return { model: model as Fake["model"], sent, fire, listeners: () => heard.length };
}

/** A network of these widths and edges, as far as places are made from it. */
export function network(widths: number[], edges: [number, number, number][]): Scene {
  const nodes = widths.flatMap((width, layer) =>
    Array.from({ length: width }, (_, index) => ({
      ...{ layer, index, label: `n${index}`, score: 1, factors: [] as number[] },
      ...{ x: (index + 0.5) / width, y: layer / (widths.length - 1) },
    })),
  );
  const views = edges.map(([layer, i, j], n) => ({
    ...{ layer, i, j, score: 1, state: "spline" },
    strength: 1 - n / 1e4,
  }));
  return { widths, nodes, edges: views as unknown as EdgeView[], owners: [] } as unknown as Scene;
}

/** All edges of a network. */
export const full = (widths: number[]): [number, number, number][] =>
  widths
    .slice(1)
    .flatMap((after, layer) =>
      Array.from({ length: widths[layer] * after }, (_, n): [number, number, number] => [
        layer,
        Math.floor(n / after),
        n % after,
      ]),
    );

/** Checks that no two plots overlap or leave the picture. */
export function apart(edges: EdgeShape[], { width, height }: Size): void {
  const boxes = edges.map((edge) => edge.slot.box).sort((a, b) => a.top - b.top);
  boxes.forEach((a, n) => {
    assert.ok(a.left >= 0 && a.left + a.width <= width + 1e-6);
    assert.ok(a.top >= 0 && a.top + a.height <= height + 1e-6);
    for (const b of boxes.slice(n + 1)) {
      const aside = a.left + a.width <= b.left + 1e-6 || b.left + b.width <= a.left + 1e-6;
      assert.ok(aside || a.top + a.height <= b.top + 1e-6);
    }
  });
}
