/** The one state of a view: the scene, what is pointed at, and the requests on their way. */
import { isFilled, unpack } from "./codec";
import type { Ask, Edge, Frame, Losses, Reply, Request, Scene, Status } from "./contract";
import { LocalDesk } from "./local/desk";
import { probe } from "./math/evaluate";
import { Outbox } from "./outbox";
import { bent, keyOf, placeOf, withFrame } from "./scene";

/** What every part of the front end works with. */
export interface Store {
  readonly scene: Scene;
  readonly status: Status;
  /** True on a page without a kernel. */
  readonly local: boolean;
  /** What is asked right now is shown by many parts at once. */
  selected: Edge | null;
  hovered: Edge | null;
  hoveredNode: readonly [layer: number, index: number] | null;
  /** The probed input row in the user's units, or null while the probe is closed. */
  probe: Float64Array | null;
  /** Rows of `scene.sample` that are highlighted, or null. */
  slice: Uint8Array | null;
  /** A curve drawn over an edge before it is taken. */
  preview: { edge: Edge; curve_y: ArrayLike<number> } | null;
  /** Edges that the pruning slider would remove, each as its three numbers: "0,1,2". */
  doomed: ReadonlySet<string>;
  /** Calls `f` after each change of these; returns the function that ends it. */
  on(
    what:
      | "scene" | "frame" | "status" | "selected" | "hovered" | "probe" | "slice" | "preview"
      | "doomed",
    f: () => void,
  ): () => void;
  /** Sends a request; at most three edits are on their way, of those waiting the latest wins. */
  ask(request: Ask): Promise<unknown>;
  /** Bends an edge in the picture at once; `ask` makes it true. */
  bend(edge: Edge, control_y: ArrayLike<number>): void;
}

type Event = Parameters<Store["on"]>[0];

const IDLE: Status = { state: "idle", text: "", progress: null, error: "", answered: 0 };

/** The types of requests that change the network, of which only a few may be on their way. */
const EDITS = new Set<Ask["type"]>([
  ...(["move_point", "set_curve", "fix", "unfix", "remove_edge", "restore_edge"] as const),
  ...(["freeze", "unfreeze", "remove_node", "restore_node", "lock", "unlock"] as const),
  ...(["refine", "update_grid", "prune", "undo", "redo", "jump"] as const),
]);

export class LiveStore implements Store {
  scene: Scene;
  status: Status;
  frame: Frame | null = null;
  /** The losses as the last scene brought them; frames add to them. */
  private told: Losses;
  readonly local: boolean;

  private readonly events = new Emitter<Event>();
  private readonly edits: Outbox;
  private readonly others: Outbox;
  private readonly desk: LocalDesk | null;
  /** Heights that a hand gave and Python has not answered yet. */
  private readonly held = new Map<string, { edge: Edge; control_y: ArrayLike<number> }>();
  private readonly now = {
    selected: null as Edge | null,
    hovered: null as Edge | null,
    hoveredNode: null as readonly [number, number] | null,
    probe: null as Float64Array | null,
    slice: null as Uint8Array | null,
    preview: null as Store["preview"],
    doomed: new Set<string>() as ReadonlySet<string>,
  };
  // Replies reach all views of a model, in all browsers: a start at random keeps ours apart.
  private seq = Math.floor(Math.random() * 2 ** 40);

  constructor(private readonly model: Model) {
    this.scene = unpack<Scene>(model.get("scene") as DataView);
    this.told = this.scene.losses;
    this.status = { ...IDLE, ...(model.get("status") as Partial<Status> | undefined) };
    this.local = model.get("local") === true;
    this.desk = this.local ? new LocalDesk(this.scene) : null;
    this.edits = this.outbox(this.local ? 1 : 3);
    this.others = this.outbox(this.local ? 1 : 8);
    model.on("change:scene", this.onScene);
    model.on("change:frame", this.onFrame);
    model.on("change:status", this.onStatus);
    model.on("msg:custom", this.onMessage);
    this.onFrame();
  }

  on(what: Event, f: () => void): () => void {
    return this.events.on(what, f);
  }

  ask(request: Ask): Promise<unknown> {
    const { recipe } = this.scene;
    if (request.type === "probe" && recipe && this.status.state === "idle") {
      return Promise.resolve(probe(recipe, request.x));
    }
    const isEdit = EDITS.has(request.type);
    const answer = (isEdit ? this.edits : this.others).push(request);
    return isEdit && "edge" in request ? this.holding(request.edge, answer) : answer;
  }

  bend(edge: Edge, control_y: ArrayLike<number>): void {
    this.held.set(keyOf(edge), { edge, control_y: Float64Array.from(control_y) });
    this.scene = bent(this.scene, edge, control_y);
    this.events.emit("frame");
  }

  /** Whether the edge follows a hand, ahead of Python. */
  isHeld(edge: Edge): boolean {
    return this.held.has(keyOf(edge));
  }

  /** Whether a request has been on its way for longer than an idle kernel takes. */
  get overdue(): boolean {
    return this.edits.overdue || this.others.overdue;
  }

  /** Ends everything that this store started. */
  destroy(): void {
    this.model.off("change:scene", this.onScene);
    this.model.off("change:frame", this.onFrame);
    this.model.off("change:status", this.onStatus);
    this.model.off("msg:custom", this.onMessage);
    this.edits.close();
    this.others.close();
    this.events.clear();
  }

  private outbox(places: number): Outbox {
    const wire = {
      send: (request: Request) => this.send(request),
      taken: () => this.status.answered,
      isPatient: (taken: number) => this.status.state !== "idle" || this.status.answered > taken,
      changed: () => this.events.emit("status"),
    };
    return new Outbox(wire, places, () => ++this.seq);
  }

  private send(request: Request): void {
    if (!this.desk) {
      this.model.send(request);
      return;
    }
    const { desk } = this;
    // Later, so that a drag is drawn before the whole network is computed.
    setTimeout(() => {
      const { reply, scene } = desk.answer(request);
      if (scene) this.show(scene);
      this.onMessage({ type: "reply", ...reply });
    });
  }

  private readonly onScene = (): void => {
    const data = this.model.get("scene");
    if (this.desk) this.show(this.desk.scene);
    else if (isFilled(data)) this.show(unpack<Scene>(data));
  };

  private show(scene: Scene): void {
    this.scene = scene;
    this.told = scene.losses;
    this.frame = null;
    for (const { edge, control_y } of this.held.values()) {
      const view = this.scene.edges[placeOf(this.scene, edge)];
      if (view?.control_y.length === control_y.length)
        this.scene = bent(this.scene, edge, control_y);
      else this.held.delete(keyOf(edge));
    }
    const rows = scene.sample.length / (scene.widths[0] || 1);
    if (this.now.slice && this.now.slice.length !== rows) this.slice = null;
    this.events.emit("scene");
  }

  private readonly onFrame = (): void => {
    const data = this.model.get("frame");
    if (!isFilled(data)) return;
    const frame = unpack<Frame>(data);
    if (frame.version !== this.scene.version) return;
    this.frame = frame;
    this.scene = withFrame(this.scene, frame, new Set(this.held.keys()), this.told);
    this.events.emit("frame");
  };

  private readonly onStatus = (): void => {
    this.status = { ...IDLE, ...(this.model.get("status") as Partial<Status>) };
    this.events.emit("status");
  };

  private readonly onMessage = (message: { type?: string } & Partial<Reply>): void => {
    if (message?.type !== "reply") return;
    const reply = message as Reply;
    if (!this.edits.reply(reply)) this.others.reply(reply);
  };

  /** An edge whose last edit is answered shows what Python has, at once if that went wrong. */
  private async holding(edge: Edge, answer: Promise<unknown>): Promise<unknown> {
    const key = keyOf(edge);
    const letGo = (): boolean =>
      !this.edits.has((ask) => "edge" in ask && keyOf(ask.edge) === key) && this.held.delete(key);
    try {
      const value = await answer;
      letGo();
      return value;
    } catch (error) {
      if (letGo()) this.onScene();
      throw error;
    }
  }

  get selected(): Edge | null {
    return this.now.selected;
  }
  set selected(edge: Edge | null) {
    this.put("selected", edge, "selected");
  }
  get hovered(): Edge | null {
    return this.now.hovered;
  }
  set hovered(edge: Edge | null) {
    this.put("hovered", edge, "hovered");
  }
  get hoveredNode(): readonly [number, number] | null {
    return this.now.hoveredNode;
  }
  set hoveredNode(node: readonly [number, number] | null) {
    this.put("hoveredNode", node, "hovered");
  }
  get probe(): Float64Array | null {
    return this.now.probe;
  }
  set probe(row: Float64Array | null) {
    this.put("probe", row, "probe");
  }
  get slice(): Uint8Array | null {
    return this.now.slice;
  }
  set slice(rows: Uint8Array | null) {
    this.put("slice", rows, "slice");
  }
  get preview(): Store["preview"] {
    return this.now.preview;
  }
  set preview(curve: Store["preview"]) {
    this.put("preview", curve, "preview");
  }
  get doomed(): ReadonlySet<string> {
    return this.now.doomed;
  }
  set doomed(edges: ReadonlySet<string>) {
    this.put("doomed", edges, "doomed");
  }

  /**
   * Takes a value over and tells it, unless nothing is another. Selecting an edge again is told: it
   * is a wish to see it.
   */
  private put<K extends keyof LiveStore["now"]>(
    name: K,
    value: LiveStore["now"][K],
    event: Event,
  ): void {
    const before = this.now[name];
    this.now[name] = value;
    const isSame =
      event === "hovered" ? String(before) === String(value) : before === null && value === null;
    if (!isSame) this.events.emit(event);
  }
}

/** Who listens to what. */
class Emitter<Event extends string> {
  private readonly listeners = new Map<Event, Set<() => void>>();

  /** Calls `f` after each such event; returns the function that ends it. */
  on(event: Event, f: () => void): () => void {
    const heard = this.listeners.get(event) ?? new Set();
    this.listeners.set(event, heard);
    // Wrapped, so that one function may listen twice.
    const call = (): void => f();
    heard.add(call);
    return () => heard.delete(call);
  }

  emit(event: Event): void {
    for (const call of [...(this.listeners.get(event) ?? [])]) call();
  }

  clear(): void {
    this.listeners.clear();
  }
}

/** What a notebook (or a page) gives us of the widget's model. */
export interface Model {
  get(name: string): unknown;
  on(event: string, f: (...args: never[]) => void): void;
  off(event: string, f: (...args: never[]) => void): void;
  send(message: unknown): void;
}
