// Written by `python -m kanviz.live.contract` from kanviz/live/contract.py: change that.

/** An edge: from node `i` of `layer` to sum `j` of `layer + 1`, all from 0. */
export type Edge = readonly [layer: number, i: number, j: number];

export type EdgeState = "spline" | "symbolic" | "pruned";

/** What a hand did to a curve, as the history has it. */
export type How = "drew" | "smoothed" | "flattened" | "shifted" | "scaled" | "reshaped";

/** a, b, c, d of c f(a x + b) + d. */
export type Affine = [a: number, b: number, c: number, d: number];

/**
 * One node: where it stands in the network, what it is called and how much it matters.
 *
 * `x` and `y` are the place in the picture, each in [0, 1]; `y` grows from the inputs (0) to
 * the outputs (1). `score` is the node score of `kanviz.analysis.attribution`, at least 0.
 * `factors` are the sums that are multiplied in it now, at least two, by the `j` of their
 * edges; empty where it is a sum.
 */
export interface NodeView {
  layer: number;
  index: number;
  label: string;
  score: number;
  x: number;
  y: number;
  factors: number[];
}

/** One edge as it is drawn: in the user's units where it meets an input or an output. */
export interface EdgeView {
  layer: number;
  i: number;
  j: number;
  curve_x: Float64Array;
  curve_y: Float64Array;
  knots: Float64Array;
  control_x: Float64Array;
  control_y: Float64Array;
  sample_x: Float64Array;
  sample_y: Float64Array;
  score: number;
  strength: number;
  state: EdgeState;
  frozen: boolean;
  locked: boolean;
  formula: string | null;
  quality: number | null;
  function: string | null;
  band: Float64Array | null;
  shapes: string[];
  /** The formula as MathML, made by Python; never text of the user. */
  mathml: string | null;
}

/**
 * One operation of a formula, named as in `kanviz.symbolic.safe.SAFE`.
 *
 * `sources` are the earlier steps that it works on; `number` is a constant, an exponent, an
 * order or which input.
 */
export interface StepRecipe {
  op: string;
  sources: number[];
  number: number | null;
}

/** Edge (i, j) as c f(a x + b) + d; f is in `steps`, its value that of step `output`. */
export interface FormulaRecipe {
  i: number;
  j: number;
  affine: Affine;
  steps: StepRecipe[];
  output: number;
}

/**
 * One layer; `kanviz.nn.features` says how its functions are computed.
 *
 * Parameters
 * ----------
 * inputs, outputs : int
 *     Its numbers of nodes below and of sums; without products the sums are the nodes above.
 * basis, spline_order, grid_size, base, extrapolation, uniform
 *     The family of functions, see `kanviz.nn.spec.FunctionSpec`.
 * padding : int
 *     Knots or centres beyond each end of the base grid.
 * knots : (inputs, n_knots) float64
 *     Extended knots, or the centres of a radial basis.
 * weight : (inputs, features, outputs) float64
 *     Coefficients of the basis functions, then of the base function if there is one; those of
 *     removed edges too.
 * mask : (inputs, outputs) uint8
 *     1 for an edge that counts.
 * formulas : tuple of FormulaRecipe
 *     The edges that are formulas; their splines rest.
 * owners : tuple of int
 *     The node above that each sum is a factor of; empty where each sum is a node. A node is the
 *     product of its sums with an edge that counts, 0 without any.
 */
export interface LayerRecipe {
  inputs: number;
  outputs: number;
  basis: string;
  spline_order: number;
  grid_size: number;
  padding: number;
  uniform: boolean;
  base: "silu" | "identity" | "zero";
  extrapolation: "linear" | "zero";
  knots: Float64Array;
  weight: Float64Array;
  mask: Uint8Array;
  formulas: FormulaRecipe[];
  owners: number[];
}

/**
 * A network: its layers, inputs first, and the units of its data.
 *
 * Parameters
 * ----------
 * layers : tuple of LayerRecipe
 *     One per layer.
 * x_shift, x_scale : (inputs,) float64
 *     The network takes (x - x_shift) / x_scale for x in the user's units.
 * y_shift, y_scale : (outputs,) float64
 *     What it gives times y_scale plus y_shift is in the user's units.
 */
export interface Recipe {
  layers: LayerRecipe[];
  x_shift: Float64Array;
  x_scale: Float64Array;
  y_shift: Float64Array;
  y_scale: Float64Array;
}

/** What happened at a step; `position` is the place in the history to jump to. */
export interface Mark {
  step: number;
  kind: string;
  text: string;
  position: number;
}

/** The errors over all fits. */
export interface Losses {
  /** Step numbers, and root-mean-square errors (or the loss) in the user's unit. */
  step: Float64Array;
  train: Float64Array;
  /** NaN where there is none. */
  test: Float64Array;
  name: string;
  marks: Mark[];
}

/** Sentences; `done` oldest first, `undone` with the next to be redone first. */
export interface History {
  done: string[];
  undone: string[];
}

/** Errors now, in the user's unit; null without data. */
export interface ErrorNow {
  name: string;
  train: number | null;
  test: number | null;
  /** Shares of the variance that are explained; null for classes too. */
  r2_train: number | null;
  r2_test: number | null;
}

/** The whole picture. */
export interface Scene {
  /** Counts changes; a reply to an edit says the version that shows it. */
  version: number;
  title: string;
  widths: number[];
  nodes: NodeView[];
  edges: EdgeView[];
  n_edges: number;
  /** The node of a layer that each sum is, or is a factor of; empty without any products. */
  owners: number[][];
  /** null for a network too large to send; the kernel then answers `probe`. */
  recipe: Recipe | null;
  input_names: string[];
  output_names: string[];
  /** Rows of the data, in the user's units: (rows, inputs) and (rows, outputs) or empty. */
  sample: Float64Array;
  target: Float64Array;
  history: History;
  losses: Losses;
  error: ErrorNow;
  /** Whether there are data, so that training, pruning in context and symbolify can be asked. */
  has_data: boolean;
  /** Whether the model has learnt nothing yet; edits by hand are no learning. */
  is_fresh: boolean;
  /** Of the training and of the test part; 0 where there are none. */
  rows: number[];
  /** Sentences on what was done to the data: columns left out, rows with gaps. */
  notes: string[];
  /** Of the network as it is in this scene, for a page, which cannot ask; else null. */
  formula: FormulaText | null;
  grid_size: number;
  spline_order: number;
  basis: string;
  /** Names of the known functions, for the target formula box. */
  functions: string[];
}

/**
 * What the sample visits at a node from which edges leave: its range, and a few rows of it.
 *
 * At an input in the user's units.
 */
export interface Visited {
  layer: number;
  i: number;
  low: number;
  high: number;
  sample: Float64Array;
}

/** An edge of the recipe that is another, drawn or not; the browser computes its curve. */
export interface EdgeChange {
  layer: number;
  i: number;
  j: number;
  /** The edge's column of `LayerRecipe.weight`, in the network's units as the recipe is. */
  weight: Float64Array;
  live: boolean;
  /** What it computes where it is a formula, removed or not. */
  program: FormulaRecipe | null;
  state: EdgeState;
  frozen: boolean;
  locked: boolean;
  formula: string | null;
  mathml: string | null;
  function: string | null;
  quality: number | null;
}

/** Points and marks that came since the scene; of its marks the first `kept` still hold. */
export interface LossTail {
  step: Float64Array;
  train: Float64Array;
  test: Float64Array;
  kept: number;
  marks: Mark[];
}

/** The history since the scene: of its `done` the first `kept` still hold. */
export interface HistoryTail {
  kept: number;
  done: string[];
  undone: string[];
}

/**
 * All that is another since a scene, so that one patch and its scene are the whole picture.
 *
 * Which edges are drawn, the knots and the names are as they were.
 */
export interface Patch {
  /** The version of the scene. */
  since: number;
  version: number;
  /** Of `scene.edges`, in their order. */
  score: Float32Array;
  /** Of `scene.nodes`, in their order. */
  node_score: Float32Array;
  visited: Visited[];
  edges: EdgeChange[];
  /** Edges whole, where the scene has no recipe; then `visited` and `edges` are empty. */
  views: EdgeView[];
  history: HistoryTail;
  losses: LossTail;
  error: ErrorNow;
}

/** The curves of the drawn edges while a fit runs, in the order of `scene.edges`. */
export interface Frame {
  /** The scene whose edges these are. */
  version: number;
  /** The ends of each curve along x; its points are equally spaced, as many as in the scene. */
  low: Float64Array;
  high: Float64Array;
  /** (edges, points). */
  curve_y: Float32Array;
  strength: Float32Array;
  score: Float32Array;
  /** New points of the loss chart since the last scene. */
  step: Float64Array;
  train: Float64Array;
  test: Float64Array;
}

/** What goes on. */
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

/** How to train; Python takes those that are there. */
export interface TrainingOptions {
  optimizer: string;
  steps: number;
  sparsity: number;
  entropy: number;
  learning_rate: number | null;
  /** Steps a second at most, to be watched; null: as fast as it goes. */
  pace: number | null;
  /** Whether the fit waits after its first step; only where it starts. */
  hold: boolean;
}

/**
 * The `value` of the reply to each edit, to `scene`, `show` and each training request.
 *
 * The first picture that shows it has at least this version. Questions are answered by the records
 * below (`suggest`: Suggestion[]; `script` and `page`: string).
 */
export interface Done {
  version: number;
}

/** Edges that pruning took out together, and the errors before and after. */
export interface Try {
  edges: Edge[];
  score: number;
  before: number;
  after: number | null;
  removed: boolean;
}

/** What `prune_in_context` tried, in order. */
export interface Pruned {
  version: number;
  tried: Try[];
}

/** What `symbolify` chose for an edge; `chosen` null: it stays a spline. */
export interface Choice {
  edge: Edge;
  chosen: string | null;
  before: number;
  after: number;
}

/** What `symbolify` did, edge by edge, and the errors before and after. */
export interface Symbolified {
  version: number;
  edges: Choice[];
  before: number;
  after: number;
}

/** A function that an edge may be. */
export interface Suggestion {
  name: string;
  formula: string;
  mathml: string;
  /** R^2 on held-out points. */
  r2: number;
  complexity: number;
  on_front: boolean;
  /** a, b, c, d and the free constants of the function. */
  numbers: number[];
  /** At the edge's curve_x. */
  curve_y: number[];
}

/** A curve and the errors as they would be with a formula on an edge. */
export interface Preview {
  curve_y: number[];
  train: number | null;
  test: number | null;
}

/** What goes at a step of pruning, and the errors after it, without a refit. */
export interface PlanStep {
  edges: Edge[];
  score: number;
  train: number | null;
  test: number | null;
}

/** Pruning step by step, weakest first. */
export interface Plan {
  steps: PlanStep[];
}

/** A formula in the forms in which people take it away. */
export interface FormulaText {
  text: string;
  mathml: string;
  latex: string;
  python: string;
}

/**
 * Values of every node and edge for one input row, all in the user's units.
 *
 * Of the last edges too: they and the mean of the output add up to it.
 */
export interface Probe {
  nodes: number[][];
  /** Per layer, (inputs, outputs) row by row. */
  edges: number[][];
}

/**
 * What the data say of an output and what the network says, row by row, training rows first.
 *
 * Of many rows evenly chosen ones; all in the user's units.
 */
export interface Diagnosis {
  /** (rows, inputs) row by row. */
  x: number[];
  /** Numbers of classes for a classifier. */
  measured: number[];
  /** For a classifier how sure it is of the right class, from 0 to 1. */
  predicted: number[];
  /** The likeliest classes; null for numbers. */
  guess: number[] | null;
  /** Whether a row is of the test part. */
  test: boolean[];
}

/**
 * What leads from the mean of the network over the data to what it says of a row.
 *
 * In the unit of the output; of a classifier in that of its scores.
 */
export interface Contributions {
  base: number;
  /** One per input; with the base they add up to the value. */
  parts: number[];
  value: number;
}

/**
 * What the browser may ask; Python answers each with a `Reply` of the same `seq`.
 *
 * Edits come first: each is one step of the history, and a `drag` number joins a burst into one.
 * Then what steers training, searches that take seconds, and questions, which change nothing.
 */
export type Ask =
  /** Move a control point. */
  | { type: "move_point"; edge: Edge; m: number; height: number; drag: number }
  /** Bend an edge through points; `how` is what the history says of it. */
  | { type: "set_curve"; edge: Edge; x: number[]; y: number[]; drag: number; how: How }
  /** Make an edge a formula; without numbers (a, b, c, d, free constants) Python fits them. */
  | { type: "fix"; edge: Edge; formula: string; numbers: number[] | null }
  /** Give a formula its spline back. */
  | { type: "unfix"; edge: Edge }
  /** Take an edge out. */
  | { type: "remove_edge"; edge: Edge }
  /** Bring an edge back. */
  | { type: "restore_edge"; edge: Edge }
  /** Keep an edge from learning. */
  | { type: "freeze"; edge: Edge }
  /** Let an edge learn again. */
  | { type: "unfreeze"; edge: Edge }
  /** Let an edge keep shapes, such as "increasing"; none: it is free again. */
  | { type: "constrain"; edge: Edge; shapes: string[] }
  /** Take out all edges at a node. */
  | { type: "remove_node"; layer: number; index: number }
  /** Bring back all edges at a node. */
  | { type: "restore_node"; layer: number; index: number }
  /** Let edges share one function. */
  | { type: "lock"; edges: Edge[] }
  /** Let locked edges go their own way. */
  | { type: "unlock"; edges: Edge[] }
  /** Give every edge so many intervals. */
  | { type: "refine"; grid_size: number }
  /** Move the knots to the data. */
  | { type: "update_grid" }
  /** Take out these edges as one step. */
  | { type: "prune"; edges: Edge[] }
  /** Take back the last step. */
  | { type: "undo" }
  /** Do again what was undone last. */
  | { type: "redo" }
  /** Undo or redo until so many steps are done. */
  | { type: "jump"; position: number }
  /** Start a fit. */
  | { type: "train"; options: TrainingOptions }
  /** Change how the running fit goes on. */
  | { type: "set_training"; options: Partial<TrainingOptions> }
  /** Let the fit wait. */
  | { type: "pause" }
  /** Let it go on. */
  | { type: "resume" }
  /** Let it take one more step and wait. */
  | { type: "step" }
  /** End it with the best that it found. */
  | { type: "stop" }
  /** Prune by trying each edge inside the network; progress comes as status. */
  | { type: "prune_in_context" }
  /** Try formulas edge by edge; progress comes as status. */
  | { type: "symbolify" }
  /** Break off the search that runs, if there is one: the network stays as it was. */
  | { type: "cancel" }
  /** Ask which functions an edge may be. */
  | { type: "suggest"; edge: Edge }
  /** Ask what a formula would do. */
  | { type: "preview"; edge: Edge; formula: string; numbers: number[] | null }
  /** Ask what pruning would take, step by step. */
  | { type: "plan" }
  /** Ask what happens to one row, in the user's units. */
  | { type: "probe"; x: number[] }
  /** Ask how an output does row by row. */
  | { type: "diagnosis"; output: number }
  /** Ask what each input adds to an output at one row, in the user's units. */
  | { type: "contributions"; x: number[]; output: number }
  /** Ask for the formula of the network. */
  | { type: "formula" }
  /** Ask for Python that does all this. */
  | { type: "script" }
  /** Ask for the page that needs no kernel. */
  | { type: "page" }
  /** Ask for the whole picture once more. */
  | { type: "scene" }
  /** How many edges are drawn at most, the strongest of each layer; null: as Python thinks fit. */
  | { type: "show"; max_edges: number | null };

export type Request = Ask & { seq: number };

export type Reply =
  | { seq: number; ok: true; value: unknown }
  | { seq: number; ok: false; error: string };
