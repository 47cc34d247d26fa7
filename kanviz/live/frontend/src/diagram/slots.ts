/**
 * The places of the small plots between two rows of nodes: squares, none overlapping. The edges
 * into one node stand together as a block below it, as in kanviz/views/slots.py.
 */

const FILL = 0.8;
const GAP = 0.5;
const ROOMY = 1.7;
const NEARLY = 0.9;
const CROWDED = 0.7;

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
export function edgeSlots(ends: End[], targetX: number[], area: Rect, largest: number): Slot[] {
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
