/** A store for the tests of the panels: no kernel, every request kept, answers given by the test. */
import type { Store } from "../src/store";
import type { Ask, Edge, EdgeView, NodeView, Scene, Status } from "../src/contract";
import { between } from "../src/panels/reshape";

type Event = Parameters<Store["on"]>[0];

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
    ...{ formula: null, mathml: null, function: null, quality: null },
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
      ...{ layer, index, score: 1, x: (index + 1) / (width + 1), y: layer / 2 },
      label: layer === 0 ? names[index] : layer === widths.length - 1 ? "f" : "",
    })),
  );
}

/** A scene of a [2, 2, 1] network with a history, losses and 30 rows of data. */
export function makeScene(more: Partial<Scene> = {}): Scene {
  const edges: Edge[] = [[0, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 1], [1, 0, 0], [1, 1, 0]];
  const step = even(60, 0, 59);
  const train = step.map((n) => 0.5 * Math.exp(-n / 9) + 2e-4);
  return {
    ...{ version: 1, title: "a test", widths: [2, 2, 1], n_edges: 6, recipe: null },
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
    error: { name: "RMSE", train: 2.1e-4, test: 0.0031 },
    ...{ has_data: true, grid_size: 5, spline_order: 3, basis: "bspline" },
    functions: ["sin", "exp", "x^2"],
    ...more,
  };
}

const IDLE: Status = { state: "idle", text: "", progress: null, error: "", answered: 0 };

/** What a test answers to a request; throwing refuses it. */
export type Answers = (request: Ask) => unknown;

export class FakeStore implements Store {
  readonly asked: Ask[] = [];
  readonly bends: Float64Array[] = [];
  status = IDLE;
  hovered: Edge | null = null;
  hoveredNode: readonly [number, number] | null = null;
  private readonly listeners = new Map<Event, Set<() => void>>();
  private readonly now = {
    selected: null as Edge | null,
    probe: null as Float64Array | null,
    slice: null as Uint8Array | null,
    preview: null as Store["preview"],
    doomed: new Set<string>() as ReadonlySet<string>,
  };

  constructor(
    public scene: Scene = makeScene(),
    private readonly answers: Answers = () => null,
    readonly local = false,
  ) {}

  get listening(): number {
    return [...this.listeners.values()].reduce((sum, set) => sum + set.size, 0);
  }

  on(what: Event, f: () => void): () => void {
    const set = this.listeners.get(what) ?? new Set();
    this.listeners.set(what, set.add(f));
    return () => set.delete(f);
  }

  emit(what: Event): void {
    for (const f of [...(this.listeners.get(what) ?? [])]) f();
  }

  async ask(request: Ask): Promise<unknown> {
    this.asked.push(request);
    return this.answers(request);
  }

  /** The requests of one type, in order. */
  of<T extends Ask["type"]>(type: T): Extract<Ask, { type: T }>[] {
    return this.asked.filter((one): one is Extract<Ask, { type: T }> => one.type === type);
  }

  bend(edge: Edge, control_y: ArrayLike<number>): void {
    const heights = Float64Array.from(control_y);
    this.bends.push(heights);
    this.change({
      edges: this.scene.edges.map((view) =>
        String([view.layer, view.i, view.j]) === String(edge)
          ? {
              ...view,
              control_y: heights,
              curve_y: view.curve_x.map((x) => between(view.control_x, heights, x)),
            }
          : view,
      ),
    }, "frame");
  }

  /** Shows another scene, as Python would. */
  change(more: Partial<Scene>, event: Event = "scene"): void {
    this.scene = { ...this.scene, ...more };
    this.emit(event);
  }

  say(status: Partial<Status>): void {
    this.status = { ...this.status, ...status };
    this.emit("status");
  }

  private put<K extends keyof FakeStore["now"]>(name: K, value: FakeStore["now"][K]): void {
    this.now[name] = value;
    this.emit(name);
  }

  get selected() { return this.now.selected; }
  set selected(value) { this.put("selected", value); }
  get probe() { return this.now.probe; }
  set probe(value) { this.put("probe", value); }
  get slice() { return this.now.slice; }
  set slice(value) { this.put("slice", value); }
  get preview() { return this.now.preview; }
  set preview(value) { this.put("preview", value); }
  get doomed() { return this.now.doomed; }
  set doomed(value) { this.put("doomed", value); }
}
