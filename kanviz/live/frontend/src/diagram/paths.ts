/** Lines of the picture as SVG path texts, as kanviz/views/paths.py draws them. */

import { SIGNS } from "../tokens";
import type { NodeShape, Rect, Slot } from "./layout";

export interface Point {
  x: number;
  y: number;
}

const at = (x: number, y: number): string => `${round(x)},${round(y)}`;
const round = (value: number): number => Math.round(value * 100) / 100;

/** A bend from one point to another, upright at both. */
function swing(from: Point, to: Point): string {
  const middle = (from.y + to.y) / 2;
  return `C${at(from.x, middle)} ${at(to.x, middle)} ${at(to.x, to.y)}`;
}

const run = (x: number, y: number): string => `L${at(x, y)}`;

/** How far from a box the lines of its column run: a third of the gap. */
const lane = (slot: Slot): number => (slot.pitch - slot.box.width) / 3;

const level = (box: Rect): number => box.top + box.height / 2;
const middle = (box: Rect): number => box.left + box.width / 2;

/** The line from a node below to the box; `floor` is below all boxes, `foot` where it ends. */
export function entry(start: Point, slot: Slot, foot: number, floor: number): string {
  const from = `M${at(start.x, start.y)}`;
  const { box } = slot;
  if (slot.lowest) {
    const turn = { x: middle(box), y: floor };
    return from + swing(start, turn) + run(turn.x, foot);
  }
  const gap = lane(slot);
  const x = box.left - gap;
  const y = level(box);
  const corner = `Q${at(x, y)} ${at(box.left, y)}`;
  return from + swing(start, { x, y: floor }) + run(x, y + gap) + corner;
}

/** The line from the box to a node above; `ceiling` is above all boxes. */
export function leave(slot: Slot, end: Point, ceiling: number): string {
  const { box } = slot;
  if (slot.highest) {
    const turn = { x: middle(box), y: ceiling };
    return `M${at(turn.x, box.top)}${run(turn.x, ceiling)}${swing(turn, end)}`;
  }
  const gap = lane(slot);
  const x = box.left + box.width + gap;
  const y = level(box);
  const corner = `Q${at(x, y)} ${at(x, y - gap)}`;
  const start = `M${at(box.left + box.width, y)}`;
  return start + corner + run(x, ceiling) + swing({ x, y: ceiling }, end);
}

/** A rectangle with round corners. */
export function rounded(box: Rect, corner: number): string {
  const { left, top, width, height } = box;
  const arc = (dx: number, dy: number): string => `a${corner},${corner} 0 0 1 ${dx},${dy}`;
  return (
    `M${at(left + corner, top)}h${round(width - 2 * corner)}${arc(corner, corner)}` +
    `v${round(height - 2 * corner)}${arc(-corner, corner)}` +
    `h${round(2 * corner - width)}${arc(-corner, -corner)}` +
    `v${round(2 * corner - height)}${arc(corner, -corner)}z`
  );
}

/** A full circle. */
export function circle(x: number, y: number, radius: number): string {
  const arc = `a${round(radius)},${round(radius)} 0 1 0`;
  return `M${at(x - radius, y)}${arc} ${round(2 * radius)},0${arc} ${round(-2 * radius)},0z`;
}

/** The sign of a frozen edge: three strokes through (x, y). */
export function snowflake(x: number, y: number, radius: number): string {
  return [Math.PI / 2, Math.PI / 6, -Math.PI / 6]
    .map((turn) => [radius * Math.cos(turn), radius * Math.sin(turn)])
    .map(([dx, dy]) => `M${at(x - dx, y - dy)}L${at(x + dx, y + dy)}`)
    .join("");
}

/** The sign of a node that multiplies: two strokes through (x, y). */
export function cross(x: number, y: number, radius: number): string {
  const arm = radius * Math.SQRT1_2;
  return [1, -1]
    .map((way) => `M${at(x - arm, y - way * arm)}L${at(x + arm, y + way * arm)}`)
    .join("");
}

/** The dots of a product's factors, each with its line to the product; all so much smaller. */
export function factorsPath({ x, y, factors }: NodeShape, smaller: number): string {
  return factors
    .map((dot) => `${circle(dot.x, dot.y, dot.radius / smaller)}M${at(dot.x, dot.y)}L${at(x, y)}`)
    .join("");
}

/** The sign of edges locked to one function: two linked rings. */
export function rings(x: number, y: number, radius: number): string {
  const shift = 0.45 * radius;
  return circle(x - shift, y, 0.62 * radius) + circle(x + shift, y, 0.62 * radius);
}

/** The sign of a shape that a curve keeps, about a middle. */
export function shapeSign(shape: string, middle: Point, radius: number): string {
  const line: readonly number[] = SIGNS[shape as keyof typeof SIGNS] ?? [];
  let d = "";
  for (let n = 0; n < line.length; n += 2) {
    const [x, y] = [middle.x + radius * line[n], middle.y + radius * line[n + 1]];
    d += `${n ? "L" : "M"}${at(x, y)}`;
  }
  return d;
}
