/** A store for the tests of the panels: no kernel, every request kept, answers given by the test. */

import { Signal, signal } from "@preact/signals-core";
import type { Ask, Edge, EdgeView, NodeView, Scene, Status } from "../src/contract";
import { between } from "../src/panels/reshape";
import { findEdge, type Patch, patched } from "../src/scene";
import { Store } from "../src/store";

const even = (n: number, low: number, high: number): Float64Array =>
  Float64Array.from({ length: n }, (_, k) => low + ((high - low) * k) / (n - 1));

/** An edge whose control points lie on `f`, with the curve drawn straight between them. */
export function edgeView(edge: Edge, f: (x: number) => number, more = {}): EdgeView {
  const [layer, i, j] = edge;
  const control_x = even(8, -1.2, 1.2);
  const control_y = control_x.map(f);
  const curve_x = even(61, -1, 1);
  const sample_x = even(40, -0.98, 0.97);
  const on = (x: Float64Array): Float64Array => x.map((at) => between(control_x, control_y, at));
  return {
    ...{ layer, i, j, score: 0.5, strength: 0.8, state: "spline", frozen: false, locked: false },
    ...{ formula: null, mathml: null, function: null, quality: null, band: null, shapes: [] },
    ...{ curve_x, curve_y: on(curve_x), knots: even(6, -1, 1), control_x, control_y },
    ...{ sample_x, sample_y: on(sample_x) },
    ...more,
  };
}

const SHAPES: readonly ((x: number) => number)[] = [
  (x) => Math.sin(3 * x),
  (x) => x * x - 0.3,
  (x) => 0.4 * x,
  (x) => Math.exp(x) - 1,
  (x) => 0.2 * Math.cos(5 * x),
  (x) => -x,
];

function nodes(widths: number[], names: string[]): NodeView[] {
  return widths.flatMap((width, layer) =>
    Array.from({ length: width }, (_, index) => ({
      ...{ layer, index, score: 1, x: (index + 1) / (width + 1), y: layer / 2, factors: [] },
      label: layer === 0 ? names[index] : layer === widths.length - 1 ? "f" : "",
    })),
  );
}

/** A scene of a [2, 2, 1] network with a history, losses and 30 rows of data. */
export function makeScene(more: Partial<Scene> = {}): Scene {
  const edges: Edge[] = [
    [0, 0, 0],
    [0, 0, 1],
    [0, 1, 0],
    [0, 1, 1],
    [1, 0, 0],
    [1, 1, 0],
  ];
  const step = even(60, 0, 59);
  const train = step.map((n) => 0.5 * Math.exp(-n / 9) + 2e-4);
  return {
    ...{ version: 1, title: "a test", widths: [2, 2, 1], n_edges: 6, recipe: null, owners: [] },
    nodes: nodes([2, 2, 1], ["x", "y"]),
    edges: edges.map((edge, n) => edgeView(edge, SHAPES[n], { score: 1 - n / 10 })),
    ...{ input_names: ["x", "y"], output_names: ["f"] },
    sample: Float64Array.from({ length: 60 }, (_, n) => Math.sin(7.3 * n + (n % 2))),
    target: Float64Array.from({ length: 30 }, (_, n) => Math.cos(n)),
    history: { done: ["trained 60 steps", "removed edge (0, 1, 1)"], undone: ["pruned 2 edges"] },
    losses: {
      ...{ step, train, test: train.map((e) => 1.3 * e), name: "RMSE" },
      marks: [{ step: 30, kind: "refine", text: "refined the grid to 10", position: 1 }],
    },
    error: errors(2.1e-4, 0.0031),
    ...{ rows: [300, 100], notes: [], formula: null, is_fresh: false },
    ...{ has_data: true, grid_size: 5, spline_order: 3, basis: "bspline" },
    functions: ["sin", "exp", "x^2"],
    ...more,
  };
}

/** Errors of numbers, with nothing known of what they explain. */
export const errors = (train: number | null, test: number | null): Scene["error"] => ({
  ...{ name: "RMSE", train, test, r2_train: null, r2_test: null },
});

const COMPUTED = new Set(["open", "version", "losses", "history"]);

/** What a test answers to a request; throwing refuses it. */
export type Answers = (request: Ask) => unknown;

export class FakeStore extends Store {
  readonly asked: Ask[] = [];
  readonly bends: Float64Array[] = [];
  /** How many of its signals have someone who listens. */
  listening = 0;

  constructor(
    first: Scene = makeScene(),
    private readonly answers: Answers = () => null,
    local = false,
  ) {
    super(first, local);
    const heard = {
      watched: () => void this.listening++,
      unwatched: () => void this.listening--,
    };
    for (const [name, one] of Object.entries(this)) {
      if (!(one instanceof Signal) || COMPUTED.has(name)) continue;
      Object.assign(this, { [name]: signal(one.peek(), heard) });
    }
  }

  override async ask(request: Ask): Promise<unknown> {
    this.asked.push(request);
    return this.answers(request);
  }

  /** The requests of one type, in order. */
  of<T extends Ask["type"]>(type: T): Extract<Ask, { type: T }>[] {
    return this.asked.filter((one): one is Extract<Ask, { type: T }> => one.type === type);
  }

  override bend(edge: Edge, control_y: ArrayLike<number>): void {
    const heights = Float64Array.from(control_y);
    this.bends.push(heights);
    const view = findEdge(this.scene.peek(), edge);
    if (!view) return;
    const curve_y = view.curve_x.map((x) => between(view.control_x, heights, x));
    this.move({ edges: [{ ...view, control_y: heights, curve_y }] });
  }

  /** Shows another scene, as Python would. */
  change(more: Partial<Scene>): void {
    const scene = this.scene.peek();
    this.scene.value = { ...scene, version: scene.version + 1, ...more };
  }

  /** Changes parts of the same scene, as a hand or a frame of a fit does. */
  move(patch: Patch): void {
    this.scene.value = patched(this.scene.peek(), patch);
  }

  say(status: Partial<Status>): void {
    this.status.value = { ...this.status.peek(), ...status };
  }
}
