/**
 * Networks of many nodes, whose wires nobody can follow, without wires: a staircase of matrices that
 * has a small plot for each edge, or one node alone with the curves that meet at it.
 */

import type { EdgeView, Scene } from "../contract";
import { nameAndUnit } from "../names";
import { edgeOf, endOf, keyOf, nodeName, sumsOf } from "../scene";
import { CAPTION, LARGEST, LETTERS, LONGEST, NODE, RIM, SIDE, SMALL } from "../tokens";
import { plain, textWidth } from "./labels";
import {
  type Beside,
  type EdgeShape,
  inOrder,
  type Layout,
  type NodeAt,
  type NodeShape,
  type Note,
  type Places,
  type Rect,
  type Size,
  touched,
} from "./layout";

/** The smallest cell of a matrix that still tells a strong edge from a weak one, and the largest. */
const LEAST_CELL = 6;
const LARGEST_CELL = 150;
/** Heights of a matrix that is not told its own. */
const LOWEST = 300;
const HIGHEST = 860;
/** Room of a dot with its gaps. */
const DOT = 2 * NODE + 12;
/** The largest room of the names at a side, which is little where there are many narrow columns. */
const namesOf = (width: number, columns: number): number =>
  Math.max(0.22 * width - 30, Math.min(84, (width - SIDE - 2 * DOT - 30 * columns) / 2));
/** A layer of at least so many nodes, and so many edges that are there, are more than wires show. */
const MANY_NODES = 6;
const MANY_EDGES = 24;
/** Layers of more nodes than this have no room for a matrix, however wide the window. */
const MOST_NODES = 150;

/** Whether a network is so wide that a matrix tells more than wires, and is offered. */
export function isWide({ widths }: Scene): boolean {
  const isDense = widths.slice(1).some((width, layer) => width > 1 && widths[layer] > 1);
  const widest = Math.max(...widths);
  return isDense && widest >= MANY_NODES && widest <= MOST_NODES;
}

/** Whether it is so wide, with so many edges still there, that the matrix is shown first. */
export function isCrowded(scene: Scene): boolean {
  const live = scene.edges.filter((view) => view.state !== "pruned").length;
  return isWide(scene) && live >= MANY_EDGES;
}

/** The rows or columns of a layer: one for each sum that leads to it, side by side for a product. */
interface Lanes {
  count: number;
  /** The middle of each node, and the lane of each sum. */
  ofNode: number[];
  ofSum: number[];
}

function lanesOf(scene: Scene, places: Places): Lanes[] {
  return places.map((row, layer) => {
    const lanes: Lanes = { count: 0, ofNode: [], ofSum: [] };
    const there = scene.nodes.filter(
      (node) => node.layer === layer && !Number.isNaN(row[node.index]),
    );
    there.sort((a, b) => row[a.index] - row[b.index]);
    for (const { index, factors } of there) {
      const own = scene.owners[layer]?.indexOf(index) ?? index;
      const sums = factors.length ? factors : [own < 0 ? index : own];
      lanes.ofNode[index] = lanes.count + (sums.length - 1) / 2;
      for (const j of sums) lanes.ofSum[j] = lanes.count++;
    }
    return lanes;
  });
}

/** Where the lanes of a layer begin, and where its dots stand across them. */
interface Strip {
  start: number;
  dots: number;
}

interface Plan {
  cell: number;
  lanes: Lanes[];
  strips: Strip[];
  sides: Beside["side"][];
  /** Room for the names of each layer, beside its rows or above its columns. */
  rooms: number[];
  /** What a picture wants that has the width for its cells. */
  height: number;
}

/** Layers take turns: the nodes of one are rows, those of the next are columns. */
const isColumns = (layer: number): boolean => layer % 2 === 1;

function planOf(scene: Scene, size: Size, places: Places): Plan {
  const lanes = lanesOf(scene, places);
  const total = (columns: boolean, of: (layer: number) => number): number =>
    lanes.reduce((sum, _, layer) => sum + (isColumns(layer) === columns ? of(layer) : 0), 0);
  const count = (layer: number): number => lanes[layer].count;
  const [columns, rows] = [Math.max(total(true, count), 1), Math.max(total(false, count), 1)];
  const names = scene.widths.map((_, layer) => widestName(scene, layer));
  const beside = (layer: number): number => Math.min(names[layer], namesOf(size.width, columns));
  const across = (size.width - SIDE - total(false, (layer) => beside(layer) + DOT)) / columns;
  const sides = lanes.map((one, layer): Beside["side"] => {
    if (!isColumns(layer)) return layer === 0 ? "left" : "right";
    // The name of a lonely column has all the room at its left.
    return one.count === 1 ? "left" : names[layer] > across - 4 ? "upright" : "above";
  });
  const rooms = lanes.map((_, layer) => {
    if (!isColumns(layer)) return beside(layer);
    return sides[layer] === "upright" ? Math.min(names[layer], LONGEST) : across - 4;
  });
  const strip = (layer: number): number =>
    DOT + { upright: rooms[layer] + 4, above: SMALL + 2, left: 4, right: 0 }[sides[layer]];
  const up = (size.height - 2 * RIM - total(true, strip)) / rows;
  const cell = Math.min(across, up, LARGEST_CELL);
  const wide = total(false, (layer) => beside(layer) + DOT) + cell * columns;
  let x = (size.width - wide) / 2;
  let y = (size.height + total(true, strip) + cell * rows) / 2;
  const strips = lanes.map((one, layer): Strip => {
    if (isColumns(layer)) {
      const made = { start: x, dots: y - DOT / 2 };
      if (sides[layer] === "left") rooms[layer] = x;
      x += one.count * cell;
      y -= strip(layer);
      return made;
    }
    const dots = layer === 0 ? x + rooms[0] + DOT / 2 : x + DOT / 2;
    x += rooms[layer] + DOT;
    y -= one.count * cell;
    return { start: y, dots };
  });
  const height = 2 * RIM + total(true, strip) + across * rows;
  return { cell, lanes, strips, sides, rooms, height };
}

function widestName(scene: Scene, layer: number): number {
  const nodes = scene.nodes.filter((node) => node.layer === layer);
  return Math.max(...nodes.map((node) => textWidth(wordOf(scene, layer, node.index), SMALL)));
}

function wordOf(scene: Scene, layer: number, index: number): string {
  const { name, unit } = nameAndUnit(plain(nodeName(scene, layer, index)));
  return unit ? `${name} [${unit}]` : name;
}

/** Whether a matrix has cells in which something is seen. */
export const fitsMatrix = (scene: Scene, size: Size, places: Places): boolean =>
  planOf(scene, size, places).cell >= LEAST_CELL;

/** The height that a matrix of this width wants. */
export function matrixHeight(scene: Scene, width: number, places: Places): number {
  const { height } = planOf(scene, { width, height: HIGHEST }, places);
  return Math.min(Math.max(height, LOWEST), HIGHEST);
}

/**
 * Inputs are rows. What they lead to are columns, and those of the next matrix too, above it; its
 * rows go on to the matrix at its right, and so on. So a node has what goes into it at one side of
 * its dot, and where it leads at the other.
 */
export function matrix(scene: Scene, size: Size, places: Places, views: EdgeView[]): Layout {
  const plan = planOf(scene, size, places);
  const { cell, lanes, strips } = plan;
  const middle = (layer: number, lane: number): number => strips[layer].start + (lane + 0.5) * cell;
  const used = touched(scene, views);
  const there = scene.nodes.filter((view) => lanes[view.layer].ofNode[view.index] !== undefined);
  const nodes = there.map((view): NodeShape => {
    const { layer, index } = view;
    const [along, across] = [middle(layer, lanes[layer].ofNode[index]), strips[layer].dots];
    const at = (lane: number): [number, number] =>
      isColumns(layer) ? [lane, across] : [across, lane];
    const [x, y] = at(along);
    const radius = Math.max(Math.min(NODE, 0.3 * cell), 1.5);
    const factors = view.factors.map((j) => {
      const [dx, dy] = at(middle(layer, lanes[layer].ofSum[j]));
      const [back, down] = isColumns(layer) ? [0, NODE] : [-NODE, 0];
      return { j, x: dx + back, y: dy + down, radius: 0.6 * radius };
    });
    const word = wordOf(scene, layer, index);
    const [side, room] = [plan.sides[layer], plan.rooms[layer]];
    const live = used.has(`${layer},${index}`);
    return { view, x, y, radius, live, factors, beside: { side, word, room } };
  });
  const shape = (view: EdgeView): EdgeShape[] => {
    const { layer, i, j } = view;
    const [from, to] = [lanes[layer].ofNode[i], lanes[layer + 1].ofSum[j]];
    if (from === undefined || to === undefined) return [];
    const [along, across] = [middle(layer, from), middle(layer + 1, to)];
    const [x, y] = isColumns(layer) ? [along, across] : [across, along];
    const side = cell - Math.max(cell >= 100 ? 18 : 0.1 * cell, 1);
    const box = { left: x - side / 2, top: y - side / 2, width: side, height: side };
    const ends = [strips[layer].dots, strips[layer + 1].dots];
    return [
      {
        ...{ view, key: keyOf(edgeOf(view)), end: endOf(scene, layer + 1, j) },
        slot: { box, pitch: cell, lowest: false, highest: false },
        into: isColumns(layer)
          ? line(x, ends[0], x, box.top + side)
          : line(ends[0], y, box.left, y),
        out: isColumns(layer) ? line(box.left + side, y, ends[1], y) : line(x, box.top, x, ends[1]),
        captioned: false,
      },
    ];
  };
  const edges = inOrder(views.flatMap(shape));
  const bare = { lane: cell, rules: rulesOf(plan), notes: [] };
  return { ...size, places, nodes, edges, bare };
}

const line = (x: number, y: number, u: number, v: number): string =>
  `M${x.toFixed(2)},${y.toFixed(2)}L${u.toFixed(2)},${v.toFixed(2)}`;

/** A rule along each row and column, by which the eye finds them where edges are removed. */
function rulesOf({ cell, lanes, strips }: Plan): string {
  let d = "";
  for (let layer = 0; layer + 1 < lanes.length; layer++) {
    const [rows, columns] = isColumns(layer) ? [layer + 1, layer] : [layer, layer + 1];
    const [left, top] = [strips[columns].start, strips[rows].start];
    const [right, bottom] = [left + cell * lanes[columns].count, top + cell * lanes[rows].count];
    for (let n = 0; n < lanes[rows].count; n++) {
      d += line(left, top + (n + 0.5) * cell, right, top + (n + 0.5) * cell);
    }
    for (let n = 0; n < lanes[columns].count; n++) {
      d += line(left + (n + 0.5) * cell, top, left + (n + 0.5) * cell, bottom);
    }
  }
  return d;
}

// One node alone.

/** Above each curve stands where it comes from, or leads; below it are its formula or its axis. */
const HEAD = 22;
const FOOT = CAPTION;
/** The row of the node itself. */
const SELF = 44;
/** Between two curves. */
const BETWEEN = 16;

/** The edges that meet at a node, the strongest first. */
export function edgesAt(scene: Scene, [layer, index]: NodeAt): EdgeView[] {
  const meets = (view: EdgeView): boolean =>
    (view.layer === layer && view.i === index) ||
    (view.layer === layer - 1 && endOf(scene, layer, view.j) === index);
  const rank = (view: EdgeView): number => (view.state === "pruned" ? -1 : view.score);
  return scene.edges.filter(meets).sort((a, b) => rank(b) - rank(a));
}

/** What a node adds up, in large plots below it, and where it leads, above it. */
export function alone(scene: Scene, size: Size, at: NodeAt, views: EdgeView[]): Layout {
  const [layer] = at;
  const into = views.filter((view) => view.layer < layer);
  const out = views.filter((view) => view.layer === layer);
  const room = { width: size.width - 2 * SIDE, height: size.height - 2 * RIM - SELF };
  const grid = tiling(into.length, out.length, room);
  const rows = (count: number): number => Math.ceil(count / grid.columns);
  const step = { x: grid.side + BETWEEN, y: grid.side + HEAD + FOOT };
  const used = step.y * (rows(into.length) + rows(out.length)) + SELF;
  const top = (size.height - used) / 2;
  const self = top + step.y * rows(out.length) + SELF / 2;
  const nodes = new Map<string, NodeShape>();
  const notes: Note[] = [];
  const put = (there: NodeAt, x: number, y: number, radius: number): void => {
    const key = there.join();
    const view = scene.nodes.find((node) => node.layer === there[0] && node.index === there[1]);
    if (view && !nodes.has(key)) {
      nodes.set(key, { view, x, y, radius, live: true, factors: [] });
    }
  };
  const said = sayingOf(scene, at, into.length, out.length);
  const from = (size.width - textWidth(said, LETTERS) - 3 * NODE) / 2;
  const start = Math.max(from, SIDE);
  put(at, start, self, 1.4 * NODE);
  notes.push({
    ...{ x: start + 3 * NODE, y: self + 5, size: LETTERS, at, word: said },
    room: size.width - start - 3 * NODE,
  });
  const tiles = (group: EdgeView[], from: number): EdgeShape[] => {
    const columns = Math.min(grid.columns, group.length);
    const left = (size.width - columns * step.x + BETWEEN) / 2;
    return group.map((view, n): EdgeShape => {
      const x = left + (n % columns) * step.x;
      const y = from + Math.floor(n / columns) * step.y + HEAD;
      const other: NodeAt =
        view.layer < layer
          ? [view.layer, view.i]
          : [view.layer + 1, endOf(scene, view.layer + 1, view.j)];
      put(other, x + NODE, y - HEAD / 2, NODE);
      const which = factorOf(scene, view);
      const word = wordOf(scene, ...other) + (which ? ` (factor ${which})` : "");
      notes.push({
        ...{ x: x + 2 * NODE + 6, y: y - HEAD / 2 + 4, size: SMALL, at: other },
        ...{ word, room: grid.side - 2 * NODE - 6 },
      });
      const box: Rect = { left: x, top: y, width: grid.side, height: grid.side };
      const slot = { box, pitch: step.x, lowest: true, highest: true };
      const named = { view, key: keyOf(edgeOf(view)), end: endOf(scene, view.layer + 1, view.j) };
      return { ...named, slot, into: "", out: "", captioned: view.state === "symbolic" };
    });
  };
  const edges = inOrder([...tiles(out, top), ...tiles(into, self + SELF / 2)]);
  const places = scene.widths.map((width) => new Array<number>(width).fill(NaN));
  return {
    ...{ ...size, places, nodes: [...nodes.values()], edges },
    bare: { lane: step.x, rules: "", notes },
  };
}

/** What a node does with its curves, in a few words. */
function sayingOf(scene: Scene, [layer, index]: NodeAt, below: number, above: number): string {
  const name = wordOf(scene, layer, index);
  const curves = (count: number): string => (count === 1 ? "the curve" : `the ${count} curves`);
  if (!below) return `${name} goes into ${curves(above)} above`;
  const node = scene.nodes.find((one) => one.layer === layer && one.index === index);
  const verb = node?.factors.length ? "multiplies sums of" : "adds up";
  // Of a large network only the strongest edges are here.
  const isPart = scene.edges.length < scene.n_edges;
  return isPart
    ? `${name} ${verb} more curves than the ${below} strongest, below`
    : `${name} ${verb} ${curves(below)} below`;
}

/** Which factor of a product an edge goes to, from 1; 0 where its end is a plain sum. */
function factorOf(scene: Scene, { layer, j }: EdgeView): number {
  if (sumsOf(scene, layer) === scene.widths[layer + 1]) return 0;
  const end = endOf(scene, layer + 1, j);
  const node = scene.nodes.find((one) => one.layer === layer + 1 && one.index === end);
  return (node?.factors.indexOf(j) ?? -1) + 1;
}

/** As many columns as make the largest squares of two groups below each other. */
function tiling(below: number, above: number, room: Size): { columns: number; side: number } {
  let best = { columns: 1, side: 0 };
  for (let columns = 1; columns <= Math.max(below, above, 1); columns++) {
    const rows = Math.ceil(below / columns) + Math.ceil(above / columns);
    const across = room.width / columns - BETWEEN;
    const side = Math.min(across, room.height / rows - HEAD - FOOT, LARGEST);
    if (side > best.side) best = { columns, side };
  }
  return best;
}
