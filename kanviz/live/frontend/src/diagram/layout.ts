/**
 * Where everything stands, in pixels of the diagram at its normal size; y downwards. The order of
 * the nodes comes with the scene, for Python untangles; the rest is placed by the rules and the
 * constants of kanviz/layout/picture.py and slots.py, here as well because a window may change its
 * size at any time. A test holds both to the same places.
 */

import type { EdgeView, NodeView, Scene } from "../contract";
import { edgeOf, endOf, keyOf, sumsOf } from "../scene";
import {
  APART,
  CAPTION,
  CROWDED,
  DOUBLE,
  DROP,
  ENOUGH,
  FACTOR,
  FACTORS_SHARE,
  FEW_LINES,
  FILL,
  GAP,
  LARGEST,
  LEAST_BOXES,
  LINES,
  MANY,
  NEARLY,
  NODE,
  NODE_SHARE,
  PRODUCT,
  RIM,
  RISE,
  ROOMY,
  SELECTED,
  SIDE,
  SIDES,
  SLOPE,
  SMALLEST_NODE,
} from "../tokens";
import { rowLabels } from "./labels";
import { entry, leave } from "./paths";

/** Boxes smaller than this show nothing: fewer edges are drawn then. */
const SMALLEST = 10;
/** Heights of a diagram that is not told its own: it stands in a notebook beside its panels. */
const LOWEST = 520;
const HIGHEST = 860;
/** How much higher than a figure it is where there is room, for curves that can be read. */
const STRETCH = 1.3;

/** For each layer the place of each node, from the left: `places[layer][index]`. */
export type Places = number[][];

export interface NodeShape {
  view: NodeView;
  x: number;
  y: number;
  radius: number;
  /** Whether a drawn edge touches it that is not removed. */
  live: boolean;
  /** Of a product the dots below it at which the edges end. */
  factors: FactorShape[];
  /** Where its name stands, if not by the rules of a row of nodes. */
  beside?: Beside;
}

/** A name at a side of its node, as in a matrix. */
export interface Beside {
  side: "left" | "right" | "above" | "upright";
  word: string;
  room: number;
}

/** The dot of a factor: the edges to sum `j` end there. */
export interface FactorShape {
  j: number;
  x: number;
  y: number;
  radius: number;
}

/** Where the edges to a sum end. */
type EndShape = Pick<FactorShape, "x" | "y" | "radius">;

export interface EdgeShape {
  view: EdgeView;
  key: string;
  /** The node that it leads to. */
  end: number;
  slot: Slot;
  /** The lines to the box and from it. */
  into: string;
  out: string;
  /** Whether its row has room for a formula below each box. */
  captioned: boolean;
}

/** The address of a node. */
export type NodeAt = readonly [layer: number, index: number];

/** A name or a sentence at a place of its own, and the node that it is of. */
export interface Note {
  word: string;
  x: number;
  y: number;
  size: number;
  room: number;
  at: NodeAt;
}

export interface Layout {
  width: number;
  height: number;
  places: Places;
  nodes: NodeShape[];
  /** Weakest first, so that the strongest lies on top. */
  edges: EdgeShape[];
  /** Of a picture without wires: the distance of its lanes, rules along them, and its words. */
  bare?: { lane: number; rules: string; notes: Note[] };
}

/** How much smaller nodes and signs are drawn than the zoom would have them. */
export const shrunk = (scale: number): number => Math.max(1, scale / 2);

export interface Size {
  width: number;
  height: number;
}

/** The height that a diagram of this width wants; `given` is what the user wants. */
export function wantedHeight(scene: Scene, width: number, given: number | null): number {
  if (given) return Math.max(given, 200);
  const { widths } = scene;
  const last = widths.length - 1;
  let rises = 0;
  for (let layer = 1; layer <= last; layer++) {
    rises += 1 + Math.min(widths[layer - 1] * widths[layer], SELECTED) / DOUBLE;
  }
  const rows = 2 * RIM + labelRoom(scene, 0, width) + labelRoom(scene, last, width);
  const wanted = rows + STRETCH * RISE * rises + SLOPE * width * last;
  return Math.min(Math.max(wanted, LOWEST), HIGHEST);
}

/** Pixels between two neighbours in a row of nodes. */
export const pitchOf = (scene: Scene, layer: number, width: number): number =>
  (width - 2 * SIDE) / scene.widths[layer];

/** The height of the labels of a layer. */
function labelRoom(scene: Scene, layer: number, width: number): number {
  const nodes = scene.nodes.filter((node) => node.layer === layer);
  return rowLabels(nodes, pitchOf(scene, layer, width)).height;
}

/**
 * The order of the nodes as the scene has it.
 *
 * @param isCompact whether hidden nodes without an edge have no place: then the others close up.
 */
export function placesOf(scene: Scene, isCompact = false): Places {
  const last = scene.widths.length - 1;
  const used = isCompact ? touched(scene, scene.edges) : null;
  return scene.widths.map((width, layer) => {
    const isHidden = layer > 0 && layer < last;
    const row = scene.nodes.filter(
      (node) => node.layer === layer && !(used && isHidden && !used.has(nodeKey(node))),
    );
    const places = new Array<number>(width).fill(NaN);
    const sorted = row.slice().sort((a, b) => a.x - b.x || a.index - b.index);
    sorted.forEach((node, place) => {
      places[node.index] = place;
    });
    return places;
  });
}

const nodeKey = (node: NodeView): string => `${node.layer},${node.index}`;

/** The nodes that an edge touches which is not removed. */
export function touched(scene: Scene, views: readonly EdgeView[]): Set<string> {
  const used = new Set<string>();
  for (const { layer, i, j, state } of views) {
    if (state === "pruned") continue;
    used.add(`${layer},${i}`).add(`${layer + 1},${endOf(scene, layer, j)}`);
  }
  return used;
}

/** How many nodes of a layer have a place. */
const countOf = (row: number[]): number => row.filter((place) => !Number.isNaN(place)).length;

/** How many of the strongest edges can be drawn such that each still shows something. */
export function sensibleCount(scene: Scene, size: Size, places: Places): number {
  let count = scene.edges.length;
  while (count > 40) {
    const found = layout(scene, size, places, strongest(scene, count)).edges;
    if (found.every((edge) => edge.slot.box.width >= SMALLEST)) break;
    count = Math.floor(0.8 * count);
  }
  return count;
}

/** The strongest edges of a scene; equal ones as they come, and of each layer at least one. */
export function strongest(scene: Scene, count: number): EdgeView[] {
  if (count >= scene.edges.length) return scene.edges;
  const ranked = scene.edges.slice().sort((a, b) => b.strength - a.strength);
  const first = new Map<number, EdgeView>();
  for (const view of ranked) if (!first.has(view.layer)) first.set(view.layer, view);
  return [...new Set([...first.values(), ...ranked])].slice(0, Math.max(count, first.size));
}

/** Places all nodes and the given edges. */
export function layout(scene: Scene, size: Size, places: Places, views: EdgeView[]): Layout {
  const { width } = size;
  const top = labelRoom(scene, scene.widths.length - 1, width) + RIM;
  const height = size.height - top - labelRoom(scene, 0, width) - RIM;
  const frame = { left: SIDE, top, width: width - 2 * SIDE, height };
  const nodes = nodeShapes(scene, places, views, frame);
  const rows: NodeShape[][] = scene.widths.map(() => []);
  for (const node of nodes) rows[node.view.layer][node.view.index] = node;
  const edges = rows.slice(1).flatMap((upper, layer) => {
    const here = views.filter((view) => view.layer === layer);
    const owners = Array.from({ length: sumsOf(scene, layer) }, (_, j) => endOf(scene, layer, j));
    return band(here, rows[layer], upper, owners, frame, places);
  });
  return { ...size, places, nodes, edges: inOrder(edges) };
}

/** Sorts edges, the weakest first. */
export function inOrder(edges: EdgeShape[]): EdgeShape[] {
  const rank = ({ view }: EdgeShape): number => (view.state === "pruned" ? -1 : view.strength);
  return edges.sort((a, b) => rank(a) - rank(b));
}

function nodeShapes(scene: Scene, places: Places, views: EdgeView[], frame: Rect): NodeShape[] {
  const used = touched(scene, views);
  const counts = places.map(countOf);
  const placed = scene.nodes.filter((view) => !Number.isNaN(places[view.layer][view.index]));
  return placed.map((view) => {
    const width = counts[view.layer];
    const share = (places[view.layer][view.index] + 0.5) / width;
    const room = frame.width / width;
    const shape = {
      view,
      x: frame.left + share * frame.width,
      y: frame.top + (1 - view.y) * frame.height,
      radius: Math.max(Math.min(NODE, NODE_SHARE * room), SMALLEST_NODE),
      live: used.has(nodeKey(view)),
      factors: [],
    };
    return view.factors.length ? multiplying(shape, room) : shape;
  });
}

/** The shape of a product: larger, and its factors in a row below it. */
function multiplying(shape: NodeShape, room: number): NodeShape {
  const { factors } = shape.view;
  const plain = shape.radius;
  const step = Math.min(APART * plain, (FACTORS_SHARE * room) / (factors.length - 1));
  const left = shape.x - (step * (factors.length - 1)) / 2;
  const [y, radius] = [shape.y + DROP * plain, FACTOR * plain];
  const dots = factors.map((j, n) => ({ j, x: left + n * step, y, radius }));
  return { ...shape, radius: PRODUCT * plain, factors: dots };
}

/** The edges between two rows of nodes. */
function band(
  views: EdgeView[],
  lower: NodeShape[],
  upper: NodeShape[],
  owners: number[],
  frame: Rect,
  places: Places,
): EdgeShape[] {
  if (!views.length) return [];
  const hasFormula = views.some((view) => view.state === "symbolic");
  // Nodes without a place have left holes.
  const ends = owners.map((node, j): EndShape | undefined => {
    const shape = upper[node];
    return shape?.factors.find((dot) => dot.j === j) ?? shape;
  });
  const slots = bandSlots(views, lower, ends, frame, places, hasFormula ? CAPTION : 0);
  const isRow = slots.every((slot) => slot.lowest && slot.highest);
  const captioned = hasFormula && isRow;
  const floor =
    Math.max(...slots.map(({ box }) => box.top + box.height)) + (captioned ? CAPTION : 0);
  const ceiling = Math.min(...slots.map(({ box }) => box.top));
  return views.map((view, n) => {
    const slot = slots[n];
    const [start, end] = [lower[view.i], ends[view.j]!];
    const hasWords = captioned && view.state === "symbolic" && view.formula;
    const foot = slot.box.top + slot.box.height + (hasWords ? CAPTION : 0);
    return {
      view,
      key: keyOf(edgeOf(view)),
      end: owners[view.j],
      slot,
      // From and to the middle of a node, which lies on top.
      into: entry(start, slot, foot, floor),
      out: leave(slot, end, ceiling),
      captioned,
    };
  });
}

/** The boxes: the side where lines go further aside gets more of the height. */
function bandSlots(
  views: EdgeView[],
  lower: NodeShape[],
  upper: (EndShape | undefined)[],
  frame: Rect,
  places: Places,
  caption: number,
): Slot[] {
  const there = upper.flatMap((end) => (end ? [end] : []));
  const high = Math.max(...there.map((end) => end.y + end.radius));
  const low = Math.min(...Object.values(lower).map((node) => node.y - node.radius));
  const height = Math.max(low - high, 1);
  const lines = views.length > MANY ? FEW_LINES : LINES;
  const room = Math.max((1 - lines) * height, height - ENOUGH);
  const area = { ...frame, top: 0, height: Math.max(room - caption, LEAST_BOXES * height) };
  const row = places[views[0].layer];
  const ranks = ranksOf(upper);
  const ends = views.map(({ i, j }, n) => ({ from: row[i], to: ranks[j], n }));
  const targetX = there.map((end) => end.x).sort((a, b) => a - b);
  const slots = edgeSlots(ends, targetX, area, LARGEST);
  let [above, below] = [height / 2, height / 2];
  views.forEach((view, n) => {
    const x = slots[n].box.left + slots[n].box.width / 2;
    above = Math.max(above, Math.abs(x - upper[view.j]!.x));
    below = Math.max(below, Math.abs(x - lower[view.i].x));
  });
  const share = Math.min(Math.max(above / (above + below), SIDES[0]), SIDES[1]);
  const bottom = Math.max(...slots.map(({ box }) => box.top + box.height)) + caption;
  const shift = high + share * (height - bottom);
  return slots.map((slot) => ({ ...slot, box: { ...slot.box, top: slot.box.top + shift } }));
}

/** The place of each end in its row, from the left. */
function ranksOf(ends: (EndShape | undefined)[]): number[] {
  const there = [...ends.keys()].filter((j) => ends[j]);
  there.sort((a, b) => ends[a]!.x - ends[b]!.x || a - b);
  const ranks: number[] = [];
  there.forEach((j, place) => (ranks[j] = place));
  return ranks;
}

/** The same places with the edges and nodes of a newer scene; what is as before is the same object. */
export function withViews(before: Layout, scene: Scene): Layout {
  const edges = new Map(scene.edges.map((view) => [keyOf(edgeOf(view)), view]));
  const nodes = new Map(scene.nodes.map((view) => [`${view.layer},${view.index}`, view]));
  const renewed = <S extends { view: unknown }>(shape: S, view: S["view"] | undefined): S =>
    view === undefined || view === shape.view ? shape : { ...shape, view };
  return {
    ...before,
    edges: before.edges.map((shape) => renewed(shape, edges.get(shape.key))),
    nodes: before.nodes.map((shape) =>
      renewed(shape, nodes.get(`${shape.view.layer},${shape.view.index}`)),
    ),
  };
}

/** All that places depend on, as a text: where it is the same, nothing moves. */
export function planOf(
  scene: Scene,
  size: Size,
  views: EdgeView[],
  places: Places,
  kind = "",
): string {
  const edges = views.map((v) => `${v.layer},${v.i},${v.j}${v.state[0]}${v.formula ? 1 : 0}`);
  const factors = scene.owners.length ? scene.nodes.map((node) => node.factors) : [];
  const { width, height } = size;
  return [kind, width, height, String(places), factors.join(";"), ...edges].join(" ");
}

// The places of the small plots between two rows of nodes: squares, none overlapping. The edges
// into one node stand together as a block below it, as in kanviz/views/slots.py.

export interface Rect {
  left: number;
  top: number;
  width: number;
  height: number;
}

/** The place of one plot; `pitch` is the distance of neighbouring columns. */
export interface Slot {
  box: Rect;
  pitch: number;
  /** Whether no other box of its column stands below, or above. */
  lowest: boolean;
  highest: boolean;
}

/** An edge by the places of its ends. */
export interface End {
  from: number;
  to: number;
  /** Which edge of the caller's it is. */
  n: number;
}

interface Grid {
  cell: number;
  pitch: number;
  /** Columns of every block. */
  columns: number[];
}

/** Returns the slot of each edge, in the order of `ends`; `targetX[to]` is the x of its node. */
function edgeSlots(ends: End[], targetX: number[], area: Rect, largest: number): Slot[] {
  if (!ends.length) return [];
  const ordered = ends.slice().sort((a, b) => a.to - b.to || a.from - b.from);
  let blocks = grouped(ordered);
  const most = Math.max(...blocks.map((block) => block.length));
  const perBlock = (rows: number): number[] =>
    blocks.map((block) => Math.ceil(block.length / rows));
  let grid = bestGrid(perBlock, most, area, largest);
  const single = (rows: number): number[] =>
    new Array<number>(Math.ceil(ends.length / rows)).fill(1);
  const packed = bestGrid(single, ends.length, area, largest);
  if (grid.cell < CROWDED * packed.cell) {
    grid = packed;
    blocks = parts(ordered, packed.columns.length);
  }
  return placed(ends.length, blocks, grid, targetX, area);
}

function placed(count: number, blocks: End[][], grid: Grid, targetX: number[], area: Rect): Slot[] {
  const wanted = blocks.map(
    (block) => block.reduce((sum, end) => sum + targetX[end.to], 0) / block.length,
  );
  const fitted = tightened(grid, wanted, area);
  const sizes = fitted.columns.map((columns) => (columns + GAP) * fitted.pitch);
  const middles = spread(wanted, sizes, area.left, area.left + area.width);
  const slots = new Array<Slot>(count);
  blocks.forEach((block, at) => {
    fillBlock(parts(block, fitted.columns[at]), middles[at], fitted, area.top, slots);
  });
  return slots;
}

function grouped(ordered: End[]): End[][] {
  const blocks: End[][] = [];
  for (const end of ordered) {
    if (blocks.at(-1)?.[0].to === end.to) blocks.at(-1)!.push(end);
    else blocks.push([end]);
  }
  return blocks;
}

/** The stacking with the fewest rows whose squares are nearly as large as the best. */
function bestGrid(
  columns: (rows: number) => number[],
  most: number,
  area: Rect,
  largest: number,
): Grid {
  const grids: Grid[] = [];
  for (let rows = 1; rows <= most; rows++) {
    const counts = columns(rows);
    const room = area.width / (counts.reduce((a, b) => a + b) + GAP * counts.length);
    const cell = Math.min(room, area.height / rows, largest / FILL);
    grids.push({ cell, pitch: Math.min(room, ROOMY * cell), columns: counts });
  }
  const best = Math.max(...grids.map((grid) => grid.cell));
  return grids.find((grid) => grid.cell >= NEARLY * best)!;
}

/** Moves columns together as far as it takes for each block to stand where it is wanted. */
function tightened(grid: Grid, wanted: number[], area: Rect): Grid {
  const halves = grid.columns.map((columns) => (columns + GAP) / 2);
  const rooms = wanted.slice(1).map((b, n) => (b - wanted[n]) / (halves[n] + halves[n + 1]));
  const last = wanted.length - 1;
  rooms.push((wanted[0] - area.left) / halves[0]);
  rooms.push((area.left + area.width - wanted[last]) / halves[last]);
  return { ...grid, pitch: Math.max(grid.cell, Math.min(grid.pitch, ...rooms)) };
}

/** Cuts a list into `n` parts of nearly equal length. */
function parts<T>(items: T[], n: number): T[][] {
  const cut = (part: number): number => Math.floor((part * items.length) / n);
  return Array.from({ length: n }, (_, part) => items.slice(cut(part), cut(part + 1)));
}

function fillBlock(stacks: End[][], middle: number, grid: Grid, top: number, slots: Slot[]): void {
  const side = FILL * grid.cell;
  stacks.forEach((stack, column) => {
    const left = middle + (column - (stacks.length - 1) / 2) * grid.pitch - side / 2;
    stack.forEach((end, row) => {
      const box = { left, top: top + row * grid.cell, width: side, height: side };
      const lowest = row === stack.length - 1;
      slots[end.n] = { box, pitch: grid.pitch, lowest, highest: row === 0 };
    });
  });
}

/**
 * Middles of intervals that keep their order, do not overlap, stay in [low, high] and are nearest
 * to what is wanted in least squares: isotonic regression by pooling neighbours that collide (Best,
 * Chakravarti, Active set algorithms for isotonic regression, 1990).
 */
export function spread(wanted: number[], sizes: number[], low: number, high: number): number[] {
  const offsets = [0];
  for (let n = 1; n < sizes.length; n++)
    offsets.push(offsets[n - 1] + (sizes[n - 1] + sizes[n]) / 2);
  const pools: { mean: number; count: number }[] = [];
  wanted.forEach((want, n) => {
    let pool = { mean: want - offsets[n], count: 1 };
    while (pools.length && pools.at(-1)!.mean > pool.mean) {
      const before = pools.pop()!;
      const count = before.count + pool.count;
      pool = { mean: (before.mean * before.count + pool.mean * pool.count) / count, count };
    }
    pools.push(pool);
  });
  const level = pools.flatMap(({ mean, count }) => new Array<number>(count).fill(mean));
  const first = low + sizes[0] / 2;
  const last = high - sizes[sizes.length - 1] / 2 - offsets[offsets.length - 1];
  return level.map((z, n) => Math.min(Math.max(z, first), last) + offsets[n]);
}
