/** The playground's desk: holds data and network, trains them in a worker, and answers the panels. */

import { batch, type Signal, signal } from "@preact/signals-core";
import type { Frame, LayerRecipe, Losses, Recipe, Request, Scene, Status } from "../contract";
import { type Answer, type Desk, LocalDesk } from "../local/desk";
import { edgeViews, runAll, scoresOf, type Words } from "../local/network";
import { unitsAt } from "../math/evaluate";
import { featureCount } from "../math/features";
import { DEFAULTS, type FitOptions } from "../math/fit";
import { numbersOf, widthsFor } from "../math/mlp";
import { LIBRARY } from "../math/naming";
import { uniform } from "../math/random";
import { newLayers, refined } from "../math/regrid";
import { short } from "../ui/numbers";
import { type Data, dataOf, inUnits } from "./data";
import { edgeFormula, formulaOf } from "./formula";
import { type Named, readKan, type Saved, written } from "./kan_file";
import type { Lesson } from "./lesson";
import { errorOf, sceneOf } from "./scene";
import { type OwnTable, tableData } from "./table";
import type { News, Order } from "./worker";

/** Random starts of a new network of hidden layers that is trained by Levenberg and Marquardt. */
const STARTS = 12;
const NO_LOSSES: Losses = {
  ...{ step: new Float64Array(), train: new Float64Array(), test: new Float64Array() },
  ...{ name: "RMSE", marks: [] },
};
/** Rows that a file keeps. */
const MOST_SAMPLE = 200;
const NO_WORDS: Words = new Map();

/** What listens for changes, as in anywidget's model. */
type Heard = (event: "change:scene" | "change:frame" | "change:status") => void;

export class PlaygroundDesk implements Desk {
  readonly lesson: Signal<Lesson>;
  readonly data: Signal<Data>;
  /** The network that is shown right now, also while it learns. */
  readonly recipe: Signal<Recipe>;
  readonly losses = signal<Losses>(NO_LOSSES);
  /** The errors of what is shown; null before anything was learnt. */
  readonly error = signal<{ train: number; test: number } | null>(null);
  /** The perceptron beside it: how many numbers it has, and its errors by step. */
  readonly mlp = signal<{ numbers: number; test: Float64Array } | null>(null);
  /** Rows of the user's own, in the place of the law. */
  readonly table = signal<OwnTable | null>(null);
  /** Milliseconds that the fit has worked. */
  readonly spent = signal(0);
  readonly state = signal<Status["state"]>("idle");
  /** What is wrong with the lesson; "" for nothing. */
  readonly wrong = signal("");
  frame: Frame | null = null;
  status: Partial<Status> = {};
  private desk!: LocalDesk;
  private readonly worker: Worker;
  /** Counts whole scenes, so that a frame of an old one is not taken for one of a new one. */
  private version = 0;
  private stepsBefore = 0;
  private points: { step: number; train: number; test: number; mlp: number }[] = [];
  private isFresh = true;
  /** Curves that are formulas. */
  private names: Named[] = [];
  /** What the worker does. */
  private work: "train" | "prune" | "name" = "train";
  /** Counts fits: what comes of one that was left is not heard. */
  private run = 0;

  constructor(
    lesson: Lesson,
    worker: Worker,
    private readonly tell: Heard,
  ) {
    this.worker = worker;
    const data = dataOf(lesson);
    this.lesson = signal(lesson);
    this.data = signal(data);
    const recipe = recipeOf(startOf(lesson, data), data);
    this.recipe = signal(recipe);
    this.desk = this.deskOf(recipe);
    worker.onmessage = ({ data: news }: MessageEvent<News>) => this.hear(news);
  }

  get scene(): Scene {
    return this.desk.scene;
  }

  /** Changes the lesson; the network starts anew where it cannot go on. */
  change(news: Partial<Lesson>): void {
    const before = this.lesson.peek();
    const lesson = { ...before, ...news };
    const has = (...names: (keyof Lesson)[]): boolean => names.some((name) => name in news);
    try {
      if (has("law", "low", "high", "rows", "noise", "seed")) {
        const table = has("law", "low", "high") ? null : this.table.peek();
        const data = table ? tableData(table, lesson.seed) : dataOf(lesson);
        batch(() => {
          this.table.value = table;
          this.lesson.value = lesson;
          this.data.value = data;
        });
        this.restart();
      } else {
        this.lesson.value = lesson;
        if (has("hidden", "order") || (has("grid") && this.isFresh)) this.restart();
        else if (has("grid")) this.regrid(lesson.grid);
        else if (this.state.peek() !== "idle")
          this.order({ type: "set", options: optionsOf(lesson) });
      }
      this.wrong.value = "";
    } catch (error) {
      this.wrong.value = error instanceof Error ? error.message : String(error);
    }
  }

  /** Takes rows of the user's own, which stay in the page; null goes back to the law. */
  setTable(table: OwnTable | null): void {
    const data = table ? tableData(table, this.lesson.peek().seed) : dataOf(this.lesson.peek());
    batch(() => {
      this.table.value = table;
      this.data.value = data;
      this.wrong.value = "";
    });
    this.restart();
  }

  /** New random curves. */
  restart(): void {
    this.quiet();
    const data = this.data.peek();
    batch(() => {
      this.stepsBefore = 0;
      this.names = [];
      this.points = [];
      this.mlp.value = null;
      this.isFresh = true;
      this.losses.value = NO_LOSSES;
      this.error.value = null;
      this.spent.value = 0;
      const recipe = recipeOf(startOf(this.lesson.peek(), data), data);
      this.recipe.value = recipe;
      this.desk = this.deskOf(recipe);
    });
    this.tell("change:scene");
  }

  /** Starts a fit, or lets one that waits go on. */
  train(): void {
    if (this.state.peek() === "paused") {
      this.order({ type: "resume" });
      this.say("fitting");
      return;
    }
    const { rows, testRows } = this.data.peek();
    const { layers } = this.recipe.peek();
    const lesson = this.lesson.peek();
    const isOpen = this.isFresh && layers.length > 1 && lesson.optimizer === "lm";
    const options = { ...optionsOf(lesson), starts: isOpen ? STARTS : 1 };
    const beside = lesson.mlp ? widthsFor(layers[0].inputs, 1, numbersIn(layers)) : null;
    this.mlp.value = beside && { numbers: numbersOf(beside), test: new Float64Array() };
    this.base = this.scene;
    this.run += 1;
    this.work = "train";
    this.order({ type: "train", run: this.run, layers, rows, test: testRows, options, beside });
    this.say("fitting");
  }

  /** Takes out what is not needed, or gives curves the names of functions. */
  simplify(type: "prune" | "name"): void {
    if (this.state.peek() !== "idle") this.stop();
    const { layers } = this.recipe.peek();
    this.run += 1;
    this.work = type;
    this.base = this.scene;
    this.order({ type, run: this.run, layers, rows: this.data.peek().rows });
    this.say("searching");
  }

  /** The network as a file that `kv.load` reads. */
  file(): Uint8Array {
    if (this.state.peek() !== "idle") this.stop();
    const { inputNames, outputName, rows } = this.data.peek();
    const recipe = this.recipe.peek();
    const sample = rows.x.slice(0, MOST_SAMPLE * inputNames.length);
    return written({
      recipe,
      inputNames,
      outputNames: [outputName],
      named: this.namedNow(),
      sample,
    });
  }

  /** Shows the network of a file, with the rows of this lesson in its units. */
  open(content: ArrayBuffer): void {
    try {
      this.take(readKan(content));
      this.wrong.value = "";
    } catch (error) {
      this.wrong.value = error instanceof Error ? error.message : String(error);
    }
  }

  private take({ recipe, inputNames, outputNames, named }: Saved): void {
    const { layers } = recipe;
    const data = this.data.peek();
    const [mine, its] = [data.inputNames.length, layers[0].inputs];
    if (outputNames.length !== 1)
      throw new Error("The network of the file has more than one output.");
    if (mine !== its)
      throw new Error(
        `The network of the file takes ${its} inputs, and the law has ${mine}. Choose a law of ${its} first.`,
      );
    this.quiet();
    batch(() => {
      this.data.value = inUnits(data, recipe, inputNames, outputNames[0]);
      this.names = named;
      this.isFresh = false;
      this.recipe.value = recipe;
      const hidden = layers.slice(0, -1).map((layer) => layer.outputs);
      const { grid_size: grid, spline_order: order } = layers[0];
      this.lesson.value = { ...this.lesson.peek(), hidden, grid, order };
      this.desk = this.deskOf(recipe, this.words());
      this.show(this.scene);
    });
    this.tell("change:scene");
  }

  pause(): void {
    this.order({ type: "pause" });
    this.say("paused");
  }

  /** One step, then waits. */
  step(): void {
    if (this.state.peek() === "idle") {
      this.train();
      this.pause();
    }
    this.order({ type: "step" });
  }

  async answer(request: Request): Promise<Answer> {
    const { seq } = request;
    if (request.type === "refine") {
      this.change({ grid: request.grid_size });
      return {
        reply: { seq, ok: true, value: { version: this.scene.version } },
        scene: this.scene,
      };
    }
    // An edit during a fit ends it: the curves that are shown are those that are edited.
    if (request.type !== "probe" && this.state.peek() !== "idle") this.stop();
    const answer = this.desk.answer(request);
    if (answer.scene?.recipe) this.show(answer.scene);
    return answer;
  }

  /** Takes over what an edit made. */
  private show({ recipe, error, is_fresh }: Scene): void {
    batch(() => {
      if (recipe) this.recipe.value = recipe;
      this.error.value = is_fresh ? null : { train: error.train ?? NaN, test: error.test ?? NaN };
    });
  }

  /** Ends a fit with the network as it is shown. */
  private stop(): void {
    this.quiet();
    this.keep(`trained ${this.points.at(-1)?.step ?? 0} steps`);
  }

  /** The scene that the frames are told from. */
  private base: Scene | null = null;

  private hear(news: News): void {
    if (this.state.peek() === "idle" || news.run !== this.run) return;
    if (news.type === "failed") {
      this.say("idle", news.text);
      return;
    }
    const data = this.data.peek();
    const recipe = recipeOf(news.layers, data);
    const scale = data.y_scale[0];
    for (const { step, train, test, mlp } of news.losses)
      this.points.push({
        step: this.stepsBefore + step,
        train: Math.sqrt(train) * scale,
        test: Math.sqrt(test) * scale,
        mlp: Math.sqrt(mlp) * scale,
      });
    batch(() => {
      this.recipe.value = recipe;
      this.spent.value = news.spent;
      if (news.losses.length) {
        this.losses.value = this.column();
        this.besides();
        this.error.value = this.points.at(-1) ?? null;
      }
    });
    if (this.work !== "train") {
      this.simplified(news, recipe);
      return;
    }
    if (news.type === "done") {
      const { train, test } = errorOf(recipe, data);
      const mlp = this.points.at(-1)?.mlp ?? NaN;
      this.points.push({
        ...{ step: this.stepsBefore + news.step, train: train!, test: test ?? NaN, mlp },
      });
      this.besides();
      this.stepsBefore += news.step;
      this.losses.value = this.column();
      this.say("idle");
      this.keep(`trained ${news.step} steps`);
      return;
    }
    this.frame = this.frameOf(recipe);
    this.tell("change:frame");
    const what = news.step
      ? `step ${this.stepsBefore + news.step}`
      : `trying start ${news.start + 1} of ${news.starts}`;
    const last = this.points.at(-1);
    const error = last && news.step ? `, test error ${short(last.test)}` : "";
    this.status = { state: this.state.peek(), text: what + error, progress: null, error: "" };
    this.tell("change:status");
  }

  private simplified(news: News, recipe: Recipe): void {
    if (news.type !== "done") {
      this.frame = this.frameOf(recipe);
      this.tell("change:frame");
      const text = this.work === "prune" ? "takes out what is not needed" : "looks for names";
      this.status = { state: "searching", text, progress: null, error: "" };
      this.tell("change:status");
      return;
    }
    for (const { known, ...place } of news.names ?? []) {
      const { name, formula, complexity, domain } = LIBRARY.find((one) => one.name === known)!;
      this.names.push({ ...place, name, formula, complexity, domain });
    }
    const { edges } = this.base ?? this.scene;
    const gone = countOf(recipe) - edges.filter((view) => view.state === "pruned").length;
    const named = news.names?.length ?? 0;
    const sentence =
      this.work === "prune" ? `took out ${gone} curves` : `named ${named} of the curves`;
    this.say("idle");
    this.keep(sentence);
  }

  /** Makes what is shown the network, as one step of the history. */
  private keep(sentence: string): void {
    this.isFresh = false;
    const recipe = this.recipe.peek();
    this.desk.put(this.draw(recipe, this.words()), sentence);
    this.show(this.scene);
    this.frame = null;
    this.tell("change:scene");
  }

  private regrid(grid: number): void {
    if (this.state.peek() !== "idle") this.stop();
    const recipe = this.recipe.peek();
    this.recipe.value = { ...recipe, layers: refined(recipe.layers, grid) };
    this.keep(`gave every curve ${grid} intervals`);
  }

  /** The curves that are formulas now, also after edits. */
  private namedNow(): Named[] {
    const { layers } = this.recipe.peek();
    return this.names.filter(({ layer, i, j }) => {
      const { mask, outputs, formulas } = layers[layer];
      return mask[i * outputs + j] && formulas.some((one) => one.i === i && one.j === j);
    });
  }

  /** What the formulas of edges read like, in the user's units. */
  private words(): Words {
    const recipe = this.recipe.peek();
    return new Map(
      this.namedNow().map(({ layer, i, j, name, quality }) => {
        const { shift, scale, size } = unitsAt(recipe, [layer, i, j]);
        const [a, b, c, d] = recipe.layers[layer].formulas.find(
          (one) => one.i === i && one.j === j,
        )!.affine;
        const affine = [a / scale, b - (a * shift) / scale, c * size, d * size];
        const view = this.scene.edges.find(
          (one) => one.layer === layer && one.i === i && one.j === j,
        );
        const places = view?.curve_x ?? Float64Array.of(-1, 0, 1);
        const words = { ...edgeFormula(name, affine, places), function: name, quality };
        return [[layer, i, j].join(), words];
      }),
    );
  }

  private deskOf(recipe: Recipe, words = NO_WORDS): LocalDesk {
    return new LocalDesk(this.draw(recipe, words), (now) => errorOf(now, this.data.peek()));
  }

  private draw(recipe: Recipe, words: Words): Scene {
    // Above all that were shown, also of a desk before this one.
    this.version = Math.max(this.version, this.desk?.scene.version ?? 0) + 1;
    const scene = sceneOf(recipe, this.data.peek(), this.around(), words);
    return { ...scene, version: this.version };
  }

  private around(): Pick<Scene, "history" | "losses" | "is_fresh" | "title" | "formula"> {
    const losses = this.losses.peek();
    const { inputNames, train } = this.data.peek();
    const formula = formulaOf(this.recipe.peek(), this.namedNow(), inputNames, train.x);
    return {
      history: { done: [], undone: [] },
      losses,
      is_fresh: this.isFresh,
      title: "",
      formula,
    };
  }

  private besides(): void {
    if (this.mlp.peek() === null) return;
    const test = Float64Array.from(this.points, ({ mlp }) => mlp);
    this.mlp.value = { numbers: this.mlp.peek()!.numbers, test };
  }

  private column(): Losses {
    const { points } = this;
    const of = (name: "step" | "train" | "test"): Float64Array =>
      Float64Array.from(points, (point) => point[name]);
    return { ...NO_LOSSES, step: of("step"), train: of("train"), test: of("test") };
  }

  /** The curves as they are now, told from the scene that is shown. */
  private frameOf(recipe: Recipe): Frame {
    const scene = this.base ?? this.scene;
    const run = runAll(recipe, scene.sample);
    const views = edgeViews(scene, recipe, run, scoresOf(recipe, run, "backward"), this.words(), 0);
    const points = views[0].curve_y.length;
    const curve_y = new Float32Array(points * views.length);
    views.forEach((view, n) => curve_y.set(view.curve_y, n * points));
    const since = this.points.filter(({ step }) => step > (scene.losses.step.at(-1) ?? 0));
    return {
      version: scene.version,
      low: Float64Array.from(views, (view) => view.curve_x[0]),
      high: Float64Array.from(views, (view) => view.curve_x[points - 1]),
      curve_y,
      strength: Float32Array.from(views, (view) => view.strength),
      score: Float32Array.from(views, (view) => view.score),
      step: Float64Array.from(since, ({ step }) => step),
      train: Float64Array.from(since, ({ train }) => train),
      test: Float64Array.from(since, ({ test }) => test),
    };
  }

  private say(state: Status["state"], error = ""): void {
    this.state.value = state;
    this.status = { state, text: state === "paused" ? "waits" : "", progress: null, error };
    this.tell("change:status");
  }

  /** Ends a fit without a word. */
  private quiet(): void {
    this.order({ type: "stop" });
    if (this.state.peek() !== "idle") this.say("idle");
    this.frame = null;
  }

  private order(order: Order): void {
    this.worker.postMessage(order);
  }
}

function startOf({ hidden, grid, order, seed }: Lesson, data: Data): LayerRecipe[] {
  const widths = [data.inputNames.length, ...hidden, 1];
  return newLayers(widths, { size: grid, order }, uniform(seed + 77));
}

/** Numbers of the curves that are there. */
const numbersIn = (layers: readonly LayerRecipe[]): number =>
  layers.reduce((sum, layer) => sum + layer.mask.filter(Boolean).length * featureCount(layer), 0);

/** How many edges of a network are removed. */
const countOf = ({ layers }: Recipe): number =>
  layers.reduce((sum, { mask }) => sum + mask.filter((live) => !live).length, 0);

function recipeOf(layers: LayerRecipe[], data: Data): Recipe {
  const { x_shift, x_scale, y_shift, y_scale } = data;
  return { layers, x_shift, x_scale, y_shift, y_scale };
}

function optionsOf({ optimizer, steps, sparsity, smoothing, seed }: Lesson): FitOptions {
  return { ...DEFAULTS, optimizer, steps, sparsity, smoothing, seed };
}
