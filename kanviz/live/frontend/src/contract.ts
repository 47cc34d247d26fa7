/**
 * What the browser and Python say to each other: the only file that both sides are built on.
 *
 * Python sends a `Scene` (the whole picture, after each change), a `Frame` (curves only, while a
 * fit runs), a `Status` (a few numbers) and a `Reply` to each `Request`. On a page without a
 * kernel the same scene lies in the page and the requests are answered in the browser.
 */

/** An edge: from node `i` of `layer` to node `j` of `layer + 1`, all from 0. */
export type Edge = readonly [layer: number, i: number, j: number];

export type EdgeState = "spline" | "symbolic" | "pruned";

export interface NodeView {
  layer: number;
  index: number;
  label: string;
  score: number;
  /** The place in the picture, each in [0, 1]; y grows from the inputs to the outputs. */
  x: number;
  y: number;
}

/** One edge as it is drawn; numbers are in the network's units. */
export interface EdgeView {
  layer: number;
  i: number;
  j: number;
  score: number;
  /** How strongly it is drawn, in [0, 1]. */
  strength: number;
  state: EdgeState;
  frozen: boolean;
  locked: boolean;
  formula: string | null;
  /** The formula as MathML, made by Python; never text of the user. */
  mathml: string | null;
  function: string | null;
  /** R^2 of the formula against the spline that it replaced. */
  quality: number | null;
  curve_x: Float64Array;
  curve_y: Float64Array;
  knots: Float64Array;
  control_x: Float64Array;
  control_y: Float64Array;
  sample_x: Float64Array;
  sample_y: Float64Array;
}

/** A formula's steps: each works on earlier ones; see kanviz/symbolic/program.py. */
export interface Step {
  op: string;
  sources: number[];
  number: number | null;
}

export interface FormulaRecipe {
  i: number;
  j: number;
  /** a, b, c, d of c f(a x + b) + d. */
  affine: [number, number, number, number];
  steps: Step[];
  output: number;
}

/** All that is needed to compute a layer; see kanviz/nn/features.py for the reference. */
export interface LayerRecipe {
  inputs: number;
  outputs: number;
  basis: string;
  spline_order: number;
  grid_size: number;
  /** Knots (or centres) beyond each end of the grid. */
  padding: number;
  uniform: boolean;
  base: "silu" | "identity" | "zero";
  extrapolation: "linear" | "zero";
  /** (inputs, n_knots) */
  knots: Float64Array;
  /** (inputs, features, outputs): basis functions, then the base function if there is one. */
  weight: Float64Array;
  /** (inputs, outputs): 1 for an edge that counts. */
  mask: Uint8Array;
  formulas: FormulaRecipe[];
}

/** All that is needed to compute the network: network x = (x - x_shift) / x_scale, and so on. */
export interface Recipe {
  layers: LayerRecipe[];
  x_shift: Float64Array;
  x_scale: Float64Array;
  y_shift: Float64Array;
  y_scale: Float64Array;
}

export interface Losses {
  /** Step numbers over all fits, and root-mean-square errors (or the loss) in the user's unit. */
  step: Float64Array;
  train: Float64Array;
  /** NaN where there is none. */
  test: Float64Array;
  name: string;
  /** What happened at a step; `position` is the place in the history to jump to. */
  marks: { step: number; kind: string; text: string; position: number }[];
}

export interface Scene {
  /** Counts scenes; a reply to an edit says the version that shows it. */
  version: number;
  title: string;
  widths: number[];
  nodes: NodeView[];
  edges: EdgeView[];
  n_edges: number;
  /** null for a network too large to send; the kernel then answers `probe`. */
  recipe: Recipe | null;
  input_names: string[];
  output_names: string[];
  /** Rows of the data, in the user's units: (rows, inputs) and (rows, outputs) or empty. */
  sample: Float64Array;
  target: Float64Array;
  /** Sentences; `done` oldest first, `undone` with the next to be redone first. */
  history: { done: string[]; undone: string[] };
  losses: Losses;
  /** Errors now, in the user's unit; null without data. */
  error: { name: string; train: number | null; test: number | null };
  /** Whether there are data, so that training, pruning in context and symbolify can be asked. */
  has_data: boolean;
  grid_size: number;
  spline_order: number;
  basis: string;
  /** Names of the known functions, for the target formula box. */
  functions: string[];
}

/** The curves of the drawn edges while a fit runs, in the order of `scene.edges`. */
export interface Frame {
  /** The scene whose edges these are. */
  version: number;
  /** (edges, points): the same number of points as in the scene. */
  curve_x: Float32Array;
  curve_y: Float32Array;
  strength: Float32Array;
  score: Float32Array;
  /** New points of the loss chart since the last scene. */
  step: Float64Array;
  train: Float64Array;
  test: Float64Array;
}

export interface Status {
  /** `fitting`: a fit that this browser can steer; `searching`: pruning or symbolify. */
  state: "idle" | "fitting" | "paused" | "searching";
  /** What goes on, in words: "step 120 of 300, RMSE 2.1e-4". */
  text: string;
  /** In [0, 1] or null. */
  progress: number | null;
  /** The last thing that went wrong, one sentence; "" for none. */
  error: string;
  /** Counts requests that Python has taken; tells that the kernel is alive. */
  answered: number;
}

export interface TrainingOptions {
  optimizer: string;
  steps: number;
  sparsity: number;
  entropy: number;
  learning_rate: number | null;
}

/** What the browser may ask; Python answers each with a `Reply` of the same `seq`. */
export type Ask =
  // Edits: each is one step of the history; a `drag` number joins a burst into one step.
  | { type: "move_point"; edge: Edge; m: number; height: number; drag: number }
  | { type: "set_curve"; edge: Edge; x: number[]; y: number[]; drag: number }
  | { type: "fix"; edge: Edge; formula: string; numbers: number[] | null }
  | { type: "unfix"; edge: Edge }
  | { type: "remove_edge" | "restore_edge" | "freeze" | "unfreeze"; edge: Edge }
  | { type: "remove_node" | "restore_node"; layer: number; index: number }
  | { type: "lock" | "unlock"; edges: Edge[] }
  | { type: "refine"; grid_size: number }
  | { type: "update_grid" }
  | { type: "prune"; edges: Edge[] }
  | { type: "undo" | "redo" }
  | { type: "jump"; position: number }
  // Training.
  | { type: "train"; options: TrainingOptions }
  | { type: "set_training"; options: Partial<TrainingOptions> }
  | { type: "pause" | "resume" | "step" | "stop" }
  // Searches that take seconds: progress comes as status, the result as the reply.
  | { type: "prune_in_context" }
  | { type: "symbolify" }
  // Questions: they change nothing.
  | { type: "suggest"; edge: Edge }
  | { type: "preview"; edge: Edge; formula: string; numbers: number[] | null }
  | { type: "plan" }
  | { type: "probe"; x: number[] }
  | { type: "formula" }
  | { type: "script" }
  | { type: "page" }
  | { type: "scene" }
  /** How many edges are drawn at most, the strongest of each layer; null: as Python thinks fit. */
  | { type: "show"; max_edges: number | null };

export type Request = Ask & { seq: number };

/**
 * The `value` of the reply to each edit, to `scene`, `show` and to each training request: the first
 * scene that shows it has at least this version. Questions are answered by the records below
 * (`suggest`: Suggestion[]; `script` and `page`: string).
 */
export interface Done {
  version: number;
}

/** What `prune_in_context` tried, in order. */
export interface Pruned extends Done {
  tried: { edges: Edge[]; score: number; before: number; after: number | null; removed: boolean }[];
}

/** What `symbolify` chose for each edge; `chosen` null: it stays a spline. */
export interface Symbolified extends Done {
  edges: { edge: Edge; chosen: string | null; before: number; after: number }[];
  before: number;
  after: number;
}

export interface Suggestion {
  name: string;
  formula: string;
  mathml: string;
  /** R^2 on held-out points. */
  r2: number;
  complexity: number;
  on_front: boolean;
  numbers: [number, number, number, number];
  /** At the edge's curve_x. */
  curve_y: number[];
}

export interface Preview {
  curve_y: number[];
  train: number | null;
  test: number | null;
}

/** Pruning step by step: what goes at each, weakest first, and the errors after it, no refit. */
export interface Plan {
  steps: { edges: Edge[]; score: number; train: number | null; test: number | null }[];
}

export interface FormulaText {
  text: string;
  mathml: string;
  latex: string;
  python: string;
}

/** Values of every node and edge for one input row, in the network's units. */
export interface Probe {
  nodes: number[][];
  /** Per layer, (inputs, outputs) row by row. */
  edges: number[][];
}

export type Reply =
  | { seq: number; ok: true; value: unknown }
  | { seq: number; ok: false; error: string };
