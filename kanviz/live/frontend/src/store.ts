/**
 * The one state of a view. What is the case stands in signals, what follows from it in computed ones,
 * and drawing in effects (see `Life`), which run again when a signal changes that they have read.
 */

import type { AnyModel } from "@anywidget/types";
import { batch, computed, type ReadonlySignal, type Signal, signal } from "@preact/signals-core";
import { isFilled, unpack } from "./codec";
import type * as contract from "./contract";
import type { Ask, Edge, EdgeView, Frame, Losses, Reply, Request, Scene, Status } from "./contract";
import { type Desk, LocalDesk } from "./local/desk";
import { userProbe } from "./math/evaluate";
import { Outbox } from "./outbox";
import { withPatch } from "./patch";
import { bent, edgeOf, findEdge, keyOf, type Patch, patched, patchOf } from "./scene";

/** The widget's traits, as a notebook or a page gives them. */
export interface Traits {
  scene: DataView;
  /** What is another since the scene; empty where nothing is. */
  patch: DataView;
  frame: DataView;
  status: Partial<Status>;
  local: boolean;
  /** Answers in the place of Python, on a page that can do more than be edited. */
  desk?: Desk;
  /** Pixels of the picture; null for what fits it. */
  height: number | null;
  theme: string;
}

/** What of anywidget's model the front end needs: a page without a kernel has no more. */
export type Model<T extends object = Traits> = Pick<AnyModel<T>, "get" | "on" | "off" | "send">;

/** Pictures that a film keeps, and numbers in them: of more, every second one goes. */
const MOST_FRAMES = 150;
const MOST_NUMBERS = 3_000_000;

/** Pictures of a fit, which of them is looked back at, and the edges that they are of. */
interface FilmStrip {
  frames: readonly Frame[];
  at: number | null;
  of: string;
}

const NO_FILM: FilmStrip = { frames: [], at: null, of: "" };

const drawnOf = (scene: Scene): string => scene.edges.map((view) => keyOf(edgeOf(view))).join(" ");

const LOST = "The kernel of this diagram is gone: run the cell again.";

const IDLE: Status = { state: "idle", text: "", progress: null, error: "", answered: 0 };

/** What every part of the front end works with. */
export abstract class Store {
  readonly scene: Signal<Scene>;
  readonly status = signal<Status>(IDLE);
  /** Whether a request has been on its way for longer than an idle kernel takes. */
  readonly overdue = signal(false);
  /** Whether the kernel that made the model is gone: then there is nothing to ask. */
  readonly lost = signal(false);
  /** What is asked right now is shown by many parts at once. */
  readonly selected = signal<Edge | null>(null);
  readonly hovered = signal<Edge | null>(null);
  readonly hoveredNode = signal<readonly [layer: number, index: number] | null>(null);
  /** The probed input row in the user's units, or null while the probe is closed. */
  readonly probe = signal<Float64Array | null>(null);
  /** Rows of `scene.sample` that are highlighted, or null. */
  readonly slice = signal<Uint8Array | null>(null);
  /** A curve drawn over an edge before it is taken. */
  readonly preview = signal<{ edge: Edge; curve_y: ArrayLike<number> } | null>(null);
  /** Pictures of the last fit, oldest first, and which of them is looked back at. */
  readonly film = signal(NO_FILM);
  /** Edges that the pruning slider would remove, each as its three numbers: "0,1,2". */
  readonly doomed = signal<ReadonlySet<string>>(new Set());

  /** The selected edge as it is drawn; null if none is, or if it is not among those drawn. */
  readonly open: ReadonlySignal<EdgeView | null>;
  /** Parts of the scene that stay the same objects while curves move. */
  readonly version: ReadonlySignal<number>;
  readonly losses: ReadonlySignal<Losses>;
  readonly history: ReadonlySignal<Scene["history"]>;

  constructor(
    scene: Scene,
    /** True on a page without a kernel. */
    readonly local: boolean,
  ) {
    this.scene = signal(scene);
    this.open = computed(() => findEdge(this.scene.value, this.selected.value));
    this.version = computed(() => this.scene.value.version);
    this.losses = computed(() => this.scene.value.losses);
    this.history = computed(() => this.scene.value.history);
  }

  /** Selects an edge; one that is selected already wants to be seen again. */
  select(edge: Edge | null): void {
    this.selected.value = edge && [...edge];
  }

  /** The errors of now, of the kind that tells what an edit does: a page measures its own rows. */
  measured(): Scene["error"] {
    return this.scene.peek().error;
  }

  /** Sends a request; at most three edits are on their way, of those waiting the latest wins. */
  abstract ask(request: Ask): Promise<unknown>;

  /** Shows a picture of the film in the place of the network as it is; null: what is. */
  lookBack(_at: number | null): void {}

  /** Bends an edge in the picture at once; `ask` makes it true. */
  abstract bend(edge: Edge, control_y: ArrayLike<number>): void;

  /** Whether the edge follows a hand, ahead of Python. */
  isHeld(_edge: Edge): boolean {
    return false;
  }
}

/** The types of requests that change the network, of which only a few may be on their way. */
const EDITS = new Set<Ask["type"]>([
  ...(["move_point", "set_curve", "fix", "unfix", "remove_edge", "restore_edge"] as const),
  ...(["freeze", "unfreeze", "remove_node", "restore_node", "lock", "unlock"] as const),
  ...(["constrain", "refine", "update_grid", "prune", "undo", "redo", "jump"] as const),
]);

export class LiveStore extends Store {
  /** The scene as Python sent it: patches and frames are told from it. */
  #base: Scene;
  /** The losses as the last scene or patch brought them; frames add to the points of the scene. */
  #told: Losses;
  readonly #edits: Outbox;
  readonly #others: Outbox;
  private readonly desk: Desk | null;
  /** Heights that a hand gave and Python has not answered yet. */
  readonly #held = new Map<string, { edge: Edge; control_y: ArrayLike<number> }>();
  // Replies reach all views of a model, in all browsers: a start at random keeps ours apart.
  #seq = Math.floor(Math.random() * 2 ** 40);

  constructor(private readonly model: Model) {
    const own = model.get("desk") ?? null;
    super(own?.scene ?? unpack<Scene>(model.get("scene")), model.get("local") === true);
    this.#base = this.scene.peek();
    this.#told = this.#base.losses;
    this.desk = own ?? (this.local ? new LocalDesk(this.#base) : null);
    this.#edits = this.#outbox(this.local ? 1 : 3);
    this.#others = this.#outbox(this.local ? 1 : 8);
    for (const [event, f] of this.#heard) model.on(event, f);
    this.#onStatus();
    this.#onPatch();
    this.#onFrame();
  }

  override ask(request: Ask): Promise<unknown> {
    if (this.lost.peek() && request.type !== "probe") return Promise.reject(new Error(LOST));
    const { recipe } = this.scene.peek();
    if (request.type === "probe" && recipe && this.status.peek().state === "idle") {
      return Promise.resolve(userProbe(recipe, request.x));
    }
    const isEdit = EDITS.has(request.type);
    const answer = (isEdit ? this.#edits : this.#others).push(request);
    return isEdit && "edge" in request ? this.#holding(request.edge, answer) : answer;
  }

  override measured(): Scene["error"] {
    return this.desk?.measured ?? super.measured();
  }

  override bend(edge: Edge, control_y: ArrayLike<number>): void {
    this.#held.set(keyOf(edge), { edge, control_y: Float64Array.from(control_y) });
    const view = bent(this.scene.peek(), edge, control_y);
    if (view) this.#patch({ edges: [view] });
  }

  override lookBack(at: number | null): void {
    const film = this.film.peek();
    if (film.at === at) return;
    if (at === null) {
      this.#onScene();
      return;
    }
    const scene = this.scene.peek();
    if (film.of !== drawnOf(scene)) {
      this.film.value = NO_FILM;
      return;
    }
    this.film.value = { ...film, at };
    const { edges } = patchOf(film.frames[at], scene, this.#told, () => false);
    this.#patch({ edges });
  }

  /** Keeps a picture of a fit; those of another fit, or of other edges, go. */
  #keep(frame: Frame): void {
    let { frames } = this.film.peek();
    const last = frames.at(-1);
    const of = drawnOf(this.#base);
    const isSame = last?.version === frame.version && of === this.film.peek().of;
    if (!isSame) frames = [];
    const most = Math.min(MOST_FRAMES, MOST_NUMBERS / (frame.curve_y.length || 1));
    if (frames.length >= most) frames = frames.filter((_, n) => n % 2 === 0);
    this.film.value = { frames: [...frames, frame], at: null, of };
  }

  override isHeld(edge: Edge): boolean {
    return this.#held.has(keyOf(edge));
  }

  /** Ends everything that this store started. */
  destroy(): void {
    for (const [event, f] of this.#heard) this.model.off(event, f);
    this.#edits.close();
    this.#others.close();
  }

  // Scenes and patches in.

  /** Takes a scene over that Python, or the page itself, made whole. */
  #take(scene: Scene): void {
    this.#base = scene;
    this.#told = scene.losses;
    const patch = this.#latestPatch();
    if (patch) this.#apply(patch);
    else this.#show(scene);
  }

  /** The patch of this scene, if there is one. */
  #latestPatch(): contract.Patch | null {
    const data = this.model.get("patch");
    if (!isFilled(data)) return null;
    const patch = unpack<contract.Patch>(data);
    return patch.since === this.#base.version ? patch : null;
  }

  #apply(patch: contract.Patch): void {
    const scene = withPatch(this.#base, patch);
    this.#told = { ...this.#base.losses, marks: scene.losses.marks };
    this.#show(scene);
  }

  /** Shows a scene; edges that a hand holds stay bent. */
  #show(scene: Scene): void {
    const edges: EdgeView[] = [];
    for (const { edge, control_y } of this.#held.values()) {
      const view = bent(scene, edge, control_y);
      if (view) edges.push(view);
      else this.#held.delete(keyOf(edge));
    }
    batch(() => {
      this.scene.value = patched(scene, { edges });
      if (this.film.peek().at !== null) this.film.value = { ...this.film.peek(), at: null };
      const rows = scene.sample.length / (scene.widths[0] || 1);
      if (this.slice.peek()?.length !== rows) this.slice.value = null;
    });
  }

  /** Changes what a patch names; all else stays the same objects, and is not drawn anew. */
  #patch(patch: Patch): void {
    this.scene.value = patched(this.scene.peek(), patch);
  }

  readonly #onScene = (): void => {
    const data = this.model.get("scene");
    if (this.desk) this.#take(this.desk.scene);
    else if (isFilled(data)) this.#take(unpack<Scene>(data));
  };

  readonly #onPatch = (): void => {
    const patch = this.#latestPatch();
    if (patch) this.#apply(patch);
  };

  readonly #onFrame = (): void => {
    const data = this.model.get("frame");
    const frame = this.desk?.frame ?? (isFilled(data) ? unpack<Frame>(data) : null);
    if (frame?.version !== this.#base.version) return;
    this.#keep(frame);
    this.#patch(patchOf(frame, this.scene.peek(), this.#told, (view) => this.isHeld(edgeOf(view))));
  };

  readonly #onStatus = (): void => {
    this.lost.value = false; // a kernel that says something is there, again
    this.status.value = { ...IDLE, ...this.model.get("status") };
  };

  /** The line to the kernel is closed, as after its restart: it says so, and nothing waits. */
  readonly #onLost = (): void => {
    this.lost.value = true;
    this.#edits.giveUp(LOST);
    this.#others.giveUp(LOST);
    this.#held.clear();
    this.#onScene();
  };

  readonly #onMessage = (message: { type?: string } & Partial<Reply>): void => {
    if (message?.type !== "reply") return;
    const reply = message as Reply;
    if (!this.#edits.reply(reply)) this.#others.reply(reply);
  };

  readonly #heard = [
    ["change:scene", this.#onScene],
    ["change:patch", this.#onPatch],
    ["change:frame", this.#onFrame],
    ["change:status", this.#onStatus],
    ["msg:custom", this.#onMessage],
    // Of ipywidgets: the line opens with the model and closes once.
    ["comm_live_update", this.#onLost],
  ] as const;

  // Requests out.

  #outbox(places: number): Outbox {
    const wire = {
      send: (request: Request) => this.#send(request),
      taken: () => this.status.peek().answered,
      isPatient: (taken: number) => {
        const { state, answered } = this.status.peek();
        return state !== "idle" || answered > taken;
      },
      changed: () => {
        this.overdue.value = this.#edits.overdue || this.#others.overdue;
      },
    };
    return new Outbox(wire, places, () => ++this.#seq);
  }

  #send(request: Request): void {
    if (!this.desk) {
      try {
        this.model.send(request);
      } catch {
        this.#onLost();
      }
      return;
    }
    const { desk } = this;
    // Later, so that a drag is drawn before the whole network is computed.
    setTimeout(async () => {
      const { reply, scene } = await desk.answer(request);
      if (scene) this.#take(scene);
      this.#onMessage({ type: "reply", ...reply });
    });
  }

  /** An edge whose last edit is answered shows what Python has, at once if that went wrong. */
  async #holding(edge: Edge, answer: Promise<unknown>): Promise<unknown> {
    const key = keyOf(edge);
    const letGo = (): boolean =>
      !this.#edits.has((ask) => "edge" in ask && keyOf(ask.edge) === key) && this.#held.delete(key);
    try {
      const value = await answer;
      letGo();
      return value;
    } catch (error) {
      if (letGo()) this.#onScene();
      throw error;
    }
  }
}
