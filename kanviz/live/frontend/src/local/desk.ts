/** Answers requests on a page without a kernel, with a history of its own. */

import type { Edge, Frame, Recipe, Reply, Request, Scene } from "../contract";
import { userProbe } from "../math/evaluate";
import { edgeOf, keyOf } from "../scene";
import { contributions, diagnosis } from "./diagnosis";
import { type Change, changed } from "./edits";
import {
  edgeViews,
  errorOf,
  type Metric,
  metricOf,
  nodeViews,
  type Run,
  runAll,
  scoresOf,
  type Words,
} from "./network";

interface Moment {
  scene: Scene;
  run: Run;
}

interface Step {
  sentence: string;
  /** The moment on the other side of the step. */
  moment: Moment;
  drag?: number;
}

export interface Answer {
  reply: Reply;
  /** The scene after an edit. */
  scene?: Scene;
}

/** What answers in the place of Python. */
export interface Desk {
  readonly scene: Scene;
  /** The curves of a fit that runs. */
  readonly frame?: Frame | null;
  /** What edits are measured by, where that is another error than the scene tells at first. */
  readonly measured?: Scene["error"];
  answer(request: Request): Answer | Promise<Answer>;
}

const NEEDS_KERNEL =
  "This page has no kernel, so it cannot do that. Open the model in a notebook to go on.";
const NO_RECIPE =
  "This network is too large to be computed in the page. Open the model in a notebook to edit it.";

/** What is told of the errors of a network; by default that of the rows that are shown. */
export type Judge = (recipe: Recipe, run: Run, scene: Scene) => Scene["error"];

const NO_ERROR = { train: null, test: null, r2_train: null, r2_test: null };

const shownError: Judge = (recipe, run, scene) => ({
  ...NO_ERROR,
  name: "RMSE of the rows shown",
  train: errorOf(recipe, run, scene.target),
});

export class LocalDesk implements Desk {
  #moment: Moment | null = null;
  private readonly done: Step[] = [];
  private undone: Step[] = [];
  readonly #words: Words;
  #metric: Metric = "backward";

  constructor(
    private readonly first: Scene,
    private readonly judge: Judge = shownError,
  ) {
    this.#words = new Map(first.edges.map((view) => [keyOf(edgeOf(view)), view]));
  }

  /** The scene as it is after all edits. */
  get scene(): Scene {
    return this.#moment?.scene ?? this.first;
  }

  get measured(): Scene["error"] {
    const { scene } = this;
    if (!scene.recipe) return scene.error;
    return this.judge(scene.recipe, this.#now().run, scene);
  }

  answer(request: Request): Answer {
    const { seq } = request;
    const before = this.scene;
    try {
      const value = this.#value(request);
      const { scene } = this;
      return { reply: { seq, ok: true, value }, ...(scene === before ? {} : { scene }) };
    } catch (error) {
      return { reply: { seq, ok: false, error: (error as Error).message } };
    }
  }

  /** Takes a scene over that was made elsewhere, as by training, as one step. */
  put(scene: Scene, sentence: string): void {
    this.done.push({ sentence, moment: this.#now() });
    this.undone = [];
    for (const view of scene.edges)
      if (view.state === "symbolic") this.#words.set(keyOf(edgeOf(view)), view);
    const run = runAll(scene.recipe as Recipe, scene.sample);
    this.#moment = { run, scene: this.#told(scene) };
  }

  #value(request: Request): unknown {
    const { recipe } = this.scene;
    if (!recipe) throw new Error(NO_RECIPE);
    if (request.type === "probe") return userProbe(recipe, request.x);
    if (request.type === "diagnosis") return diagnosis(this.scene, recipe, request.output);
    if (request.type === "contributions") return contributions(this.scene, recipe, request);
    if (request.type === "undo" || request.type === "redo") this.#move(request.type === "undo");
    else if (request.type === "jump") this.#jump(request.position);
    else {
      this.#checkLocks(request);
      const change = changed(recipe, request);
      if (!change) throw new Error(NEEDS_KERNEL);
      this.#take(change);
    }
    return { version: this.scene.version };
  }

  /** Edges that share a function change together, which takes more than the recipe says. */
  #checkLocks(request: Request): void {
    const edge: Edge | null = "edge" in request ? request.edge : null;
    const isLocked = this.scene.edges.some(
      (view) => view.locked && edge?.join() === keyOf(edgeOf(view)),
    );
    const bends = ["move_point", "set_curve", "unfix"].includes(request.type);
    if (bends && isLocked) throw new Error(`Locked edges change together. ${NEEDS_KERNEL}`);
    const isShaped = this.scene.edges.some(
      (view) => view.shapes.length > 0 && edge?.join() === keyOf(edgeOf(view)),
    );
    if (bends && isShaped) throw new Error(`This edge keeps its shape. ${NEEDS_KERNEL}`);
  }

  #take(change: Change): void {
    const now = this.#now();
    const last = this.done.at(-1);
    const joins = change.drag !== undefined && last?.drag === change.drag && !this.undone.length;
    if (!joins) this.done.push({ ...change, moment: now });
    this.undone = [];
    this.#moment = this.#show(now, change.recipe, change.from);
  }

  /** Goes a step back or forth. */
  #move(back: boolean): void {
    const [from, to] = back ? [this.done, this.undone] : [this.undone, this.done];
    const step = from.pop();
    if (!step) {
      const limit = "In this page steps can be undone that were made in it.";
      throw new Error(`There is nothing to ${back ? "undo" : "redo"}. ${limit}`);
    }
    to.push({ ...step, moment: this.#now() });
    this.#moment = { ...step.moment, scene: this.#told(step.moment.scene) };
  }

  #jump(position: number): void {
    const start = this.first.history.done.length;
    const end = start + this.done.length + this.undone.length;
    if (position < start || position > end) {
      throw new Error("This page can go back to the moment when it was made, and no further.");
    }
    while (start + this.done.length > position) this.#move(true);
    while (start + this.done.length < position) this.#move(false);
  }

  #now(): Moment {
    if (this.#moment) return this.#moment;
    const recipe = this.first.recipe as Recipe;
    const run = runAll(recipe, this.first.sample);
    this.#metric = metricOf(this.first, recipe, run);
    return { scene: this.first, run };
  }

  #show(before: Moment, recipe: Recipe, from: number): Moment {
    const { scene } = before;
    const run = runAll(recipe, scene.sample, before.run, from);
    const found = scoresOf(recipe, run, this.#metric);
    const edges = edgeViews(scene, recipe, run, found, this.#words, from);
    const nodes = nodeViews(scene.nodes, recipe, found);
    const error = this.judge(recipe, run, scene);
    return { run, scene: this.#told({ ...scene, recipe, edges, nodes, error, formula: null }) };
  }

  /** The scene with the history as it is now, as a new version. */
  #told(scene: Scene): Scene {
    const { done, undone } = this;
    const history = {
      done: [...this.first.history.done, ...done.map((step) => step.sentence)],
      undone: undone.map((step) => step.sentence).reverse(),
    };
    return { ...scene, version: this.scene.version + 1, history };
  }
}
