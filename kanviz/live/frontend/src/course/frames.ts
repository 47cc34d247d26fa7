/** Pictures of a network as Python packs them, made into scenes that the diagram's parts draw. */

import { unpack } from "../codec";
import type { EdgeView, NodeView, Scene } from "../contract";

/** What Python sends of an edge; see kanviz/course/teaching/widget.py. */
export interface EdgeFrame
  extends Pick<
    EdgeView,
    | "layer"
    | "i"
    | "j"
    | "score"
    | "strength"
    | "state"
    | "frozen"
    | "locked"
    | "formula"
    | "function"
  > {
  curve_x: Float32Array;
  curve_y: Float32Array;
}

interface Frame {
  widths: number[];
  nodes: NodeView[];
  edges: EdgeFrame[];
  n_edges: number;
}

/** Reads what Python packed into a text. */
export function unpacked<T>(text: string): T {
  return unpack<T>(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);
}

const NONE = new Float64Array();

/** An edge with all that a diagram asks of one. */
function viewOf(edge: EdgeFrame): EdgeView {
  return {
    ...edge,
    curve_x: Float64Array.from(edge.curve_x),
    curve_y: Float64Array.from(edge.curve_y),
    ...{ mathml: null, quality: null, knots: NONE, control_x: NONE, control_y: NONE },
    ...{ sample_x: NONE, sample_y: NONE, band: null, shapes: [] },
  };
}

/** Reads the pictures of a film. */
export function scenesOf(text: string): Scene[] {
  return unpacked<{ frames: Frame[] }>(text).frames.map((frame, version) => ({
    ...EMPTY,
    ...frame,
    version,
    edges: frame.edges.map(viewOf),
  }));
}

/** What a film does not say of its network. */
export const EMPTY: Scene = {
  ...{
    version: 0,
    title: "",
    widths: [],
    nodes: [],
    edges: [],
    n_edges: 0,
    owners: [],
    recipe: null,
  },
  ...{ input_names: [], output_names: [], sample: NONE, target: NONE },
  history: { done: [], undone: [] },
  losses: { step: NONE, train: NONE, test: NONE, name: "", marks: [] },
  error: { name: "", train: null, test: null, r2_train: null, r2_test: null },
  ...{ rows: [0, 0], notes: [], formula: null, is_fresh: false },
  ...{ has_data: false, grid_size: 0, spline_order: 0, basis: "", functions: [] },
};
