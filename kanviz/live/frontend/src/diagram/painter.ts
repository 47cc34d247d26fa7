/** Paints the edges with a pen: lines first, then the small plots, the strongest last. */

import type { Edge, EdgeView } from "../contract";
import { keyOf } from "../scene";
import type { Store } from "../store";
import {
  BADGE,
  BADGE_SHARE,
  CONNECTOR,
  CORNER,
  CORNER_SHARE,
  CROWD,
  FAINTEST,
  FLAT,
  GHOST,
  MARGIN,
  OUTLINE,
  PALER,
  READABLE,
  SLENDER,
  SOFT,
  THICK,
  THICKEST,
  THIN,
  ZERO,
} from "../tokens";
import type { Name, Palette } from "../ui/theme";
import type { Curve, Curves } from "./curves";
import { type EdgeShape, type Rect, shrunk } from "./layout";
import { circle, rings, rounded, shapeSign, snowflake } from "./paths";
import type { Pen } from "./pen";

/** How strongly the rest is drawn while a node or an edge is pointed at. */
const DIMMED = 0.45;
/** Sides of a box on the screen from which on knots, and data points, are drawn. */
const KNOTS = 84;
const POINTS = 130;
/** And from which on the ground shows where the data lie. */
const GROUND = 40;
/** Below this side a cell is too small for its curve to be read. */
const TINY = 26;

/** What is pointed at, selected or on trial: edges by their keys, "" for none. */
export interface Marks {
  selected: string;
  hovered: string;
  hoveredNode: readonly [layer: number, index: number] | null;
  doomed: ReadonlySet<string>;
  preview: { edge: Edge; curve_y: ArrayLike<number> } | null;
}

export const NO_MARKS: Marks = {
  ...{ selected: "", hovered: "", hoveredNode: null, doomed: new Set<string>(), preview: null },
};

export function marksOf(store: Store): Marks {
  const key = (edge: Edge | null): string => (edge ? keyOf(edge) : "");
  return {
    selected: key(store.selected.value),
    hovered: key(store.hovered.value),
    hoveredNode: store.hoveredNode.value,
    doomed: store.doomed.value,
    preview: store.preview.value,
  };
}

export interface Look {
  shapes: EdgeShape[];
  curves: Curves;
  palette: Palette;
  scale: number;
  /** Whether the heights of all curves of a layer are drawn at one scale. */
  isOneScale?: boolean;
  /** In a picture without wires, rules instead of them: only what is pointed at has its lines. */
  rules?: string | null;
  marks: Marks;
  /** Values of the sample at each layer of nodes, for the highlighted slice. */
  sampleAt: ((edge: Edge) => { x: Float64Array; y: Float64Array } | null) | null;
  /** What the data are at the node that an edge comes from, for its ground. */
  seenAt: (view: EdgeView) => Float64Array;
  /** The probed value on an edge, in the units of its plot. */
  probed: ((edge: Edge) => { x: number; y: number } | null) | null;
}

interface Ink {
  color: Name;
  /** Of an edge that turns into something else: the colour that it had, and how far it is. */
  turn: { from: Name; share: number } | null;
  share: number;
  thin: number;
  thick: number;
  dash?: string;
}

/** From the values of an edge to pixels within its box. */
interface Scales {
  x(value: number): number;
  y(value: number): number;
  /** Whether the curve crosses 0. */
  crosses: boolean;
  /** Whether it runs through the middle. */
  isFlat: boolean;
  /** How much of y the box is high. */
  span: number;
}

export function paintEdges(pen: Pen, look: Look): void {
  const largest = largestRanges(look);
  const inks = look.shapes.map((shape) => inkOf(shape, look));
  const share = look.shapes.length > CROWD ? PALER : 1;
  const isBare = typeof look.rules === "string";
  if (look.rules) pen.shape(look.rules, { color: look.palette.mix("hair"), width: 1 });
  look.shapes.forEach((shape, n) => {
    const isLit = inks[n].share >= 0.85 && (look.marks.hovered || look.marks.hoveredNode);
    const isWired = isBare
      ? shape.key === look.marks.hovered || isTouched(shape, look.marks)
      : true;
    if (isWired) paintLines(pen, shape, inks[n], isLit ? 1 : share, look.palette);
  });
  look.shapes.forEach((shape, n) => {
    const curve = look.curves.at(shape.key) ?? curveOf(shape);
    // A removed edge adds nothing, whatever curve it keeps for the day it comes back.
    const isGone = shape.view.state === "pruned";
    const flat = isGone && !curve.turn ? Infinity : FLAT * (largest[shape.view.layer] ?? 0);
    const span = look.isOneScale && !isGone ? largest[shape.view.layer] : null;
    const scales = scalesOf(shape, curve, flat, span);
    paintPlot(pen, shape, curve, inks[n], look, settled(scales, shape, curve));
  });
}

const curveOf = ({ view }: EdgeShape): Curve => ({
  x: view.curve_x,
  y: view.curve_y,
  strength: view.strength,
});

function largestRanges({ shapes }: Look): number[] {
  const largest: number[] = [];
  for (const { view } of shapes) {
    const [low, high] = ends(view.curve_y);
    largest[view.layer] = Math.max(largest[view.layer] ?? 0, high - low);
  }
  return largest;
}

function ends(values: ArrayLike<number>): [number, number] {
  let [low, high] = [Infinity, -Infinity];
  for (let at = 0; at < values.length; at++) {
    if (values[at] < low) low = values[at];
    if (values[at] > high) high = values[at];
  }
  return [low, high];
}

/** Maps a curve into its box, which is `span` high or as high as it; a flat one is in the middle. */
function scalesOf(shape: EdgeShape, curve: Curve, flat = 0, span: number | null = null): Scales {
  const { left, top, width } = shape.slot.box;
  const room = (1 - 2 * MARGIN) * width;
  const [x0, x1] = ends(curve.x);
  const [low, high] = ends(curve.y);
  const isFlat = !(high - low > flat);
  const middle = (low + high) / 2;
  const [y0, y1] = span ? [middle - span / 2, middle + span / 2] : [low, high];
  return {
    x: (value) => left + width / 2 + (x1 > x0 ? ((value - x0) / (x1 - x0) - 0.5) * room : 0),
    y: (value) => top + width / 2 - (isFlat ? 0 : ((value - y0) / (y1 - y0) - 0.5) * room),
    crosses: !isFlat && y0 < 0 && y1 > 0,
    isFlat,
    span: isFlat ? 0 : y1 - y0,
  };
}

/** The scales of an edge that is being removed, whose curve sinks to the middle, or comes back. */
function settled(scales: Scales, { view, slot }: EdgeShape, { turn }: Curve): Scales {
  if (!turn || (view.state === "pruned") === (turn.from === "pruned")) return scales;
  const middle = slot.box.top + slot.box.height / 2;
  const share = view.state === "pruned" ? 1 - turn.share : turn.share;
  return {
    ...scales,
    y: (value) => middle + share * (scales.y(value) - middle),
    span: share * scales.span,
  };
}

/** Colour and width of an edge, after its state and what is pointed at. */
function inkOf(shape: EdgeShape, { marks, curves, scale }: Look): Ink {
  const { view, slot } = shape;
  const curve = curves.at(shape.key);
  const strength = curve?.strength ?? view.strength;
  const slender = Math.min(THICKEST, SLENDER + (slot.box.width * scale) / 100);
  const isGone = view.state === "pruned";
  const above = isGone ? 0 : Math.max(0, (strength - FAINTEST) / (1 - FAINTEST));
  const thick = (THIN + THICK * above) * slender;
  const isDoomed = marks.doomed.has(shape.key);
  const color = isDoomed ? "warn" : view.state;
  const plain = isGone ? GHOST : READABLE + (1 - READABLE) * above;
  const dash = view.state === "pruned" || isDoomed ? "3 2.5" : undefined;
  const turn = !isDoomed && curve?.turn ? curve.turn : null;
  const share = lit(shape, marks, plain);
  return { color, turn, share, thin: CONNECTOR * thick, thick, dash };
}

/** The colour of an ink at `share` of its strength. */
function tint({ color, turn, share }: Ink, palette: Palette, part = 1, ground?: Name): string {
  const from = turn ? { name: turn.from, share: 1 - turn.share } : null;
  return palette.mix(color, part * share, ground, from);
}

function isTouched({ view, end }: EdgeShape, { hoveredNode }: Marks): boolean {
  if (!hoveredNode) return false;
  const [at, index] = hoveredNode;
  return (view.layer === at && view.i === index) || (view.layer + 1 === at && end === index);
}

/** What is pointed at stands out, all the rest steps back. */
function lit(shape: EdgeShape, marks: Marks, plain: number): number {
  const { key } = shape;
  if (marks.hoveredNode) {
    return isTouched(shape, marks) ? Math.max(plain, 0.85) : DIMMED * plain;
  }
  if (key === marks.hovered || key === marks.selected) return 1;
  return marks.hovered ? 0.5 * plain : plain;
}

function paintLines(pen: Pen, shape: EdgeShape, ink: Ink, share: number, palette: Palette): void {
  const stroke = { color: tint(ink, palette, share), width: ink.thin, dash: ink.dash };
  pen.shape(shape.into, stroke);
  pen.shape(shape.out, stroke);
}

function paintPlot(
  pen: Pen,
  shape: EdgeShape,
  curve: Curve,
  ink: Ink,
  look: Look,
  scales: Scales,
): void {
  const { palette, marks, scale } = look;
  const { view } = shape;
  const { box } = shape.slot;
  const side = box.width * scale;
  const color = tint(ink, palette);
  const corner = Math.min(CORNER, CORNER_SHARE * box.width) / shrunk(scale);
  const isSelected = marks.selected === shape.key;
  const outline = isSelected
    ? { color: palette.mix("accent"), width: 2.2 }
    : { color: tint(ink, palette, OUTLINE), width: ink.thin, dash: ink.dash };
  // In a cell too small for a curve its ground says how strong the edge is.
  const strength = view.state === "pruned" ? 0 : (curve.strength - FAINTEST) / (1 - FAINTEST);
  const isTiny = typeof look.rules === "string" && side < TINY;
  const ground = isTiny ? palette.mix(ink.color, 0.6 * strength, "panel") : palette.mix("panel");
  pen.shape(rounded(box, corner), outline, ground);
  if (side > GROUND && view.state !== "pruned") paintGround(pen, shape, curve, look);
  paintBand(pen, shape, curve, scales, tint(ink, palette, SOFT, "panel"));
  if (scales.crosses) paintZero(pen, shape, scales, palette);
  if (side > KNOTS) paintKnots(pen, shape, scales, curve, look);
  if (side > POINTS) paintPoints(pen, shape, scales, look);
  pen.line(keptPoints(curve, scales, box), { color, width: ink.thick, round: true });
  paintExtras(pen, shape, curve, scales, look);
  paintBadges(pen, shape, look);
}

/** The points of curves where they were drawn last: in most pictures few are others than before. */
const drawnPoints = new WeakMap<Curve, { box: Rect; span: number; points: Float64Array }>();

function keptPoints(curve: Curve, scales: Scales, box: Rect): Float64Array {
  const before = drawnPoints.get(curve);
  if (before?.box === box && before.span === scales.span) return before.points;
  const points = polyline(curve, scales);
  drawnPoints.set(curve, { box, span: scales.span, points });
  return points;
}

function polyline(curve: Curve, scales: Scales): Float64Array {
  const points = new Float64Array(2 * curve.x.length);
  for (let at = 0; at < curve.x.length; at++) {
    points[2 * at] = scales.x(curve.x[at]);
    points[2 * at + 1] = scales.y(curve.y[at]);
  }
  return points;
}

/** Where the true curve may be, as far as the box reaches. */
function paintBand(pen: Pen, shape: EdgeShape, curve: Curve, scales: Scales, fill: string): void {
  const { band, state } = shape.view;
  if (!band || scales.isFlat || state === "pruned" || band.length !== curve.y.length) return;
  const side = (sign: number): Float64Array =>
    clipped(polyline({ ...curve, y: curve.y.map((y, n) => y + sign * band[n]) }, scales), shape);
  const [upper, lower] = [side(1), side(-1)];
  const point = (points: Float64Array, n: number): string =>
    `${points[2 * n].toFixed(2)},${points[2 * n + 1].toFixed(2)}`;
  const there = Array.from(band, (_, n) => point(upper, n));
  const back = Array.from(band, (_, n) => point(lower, n)).reverse();
  pen.shape(`M${[...there, ...back].join("L")}Z`, null, fill);
}

/** Bins along a curve, and how high the fullest is drawn, as a part of the box. */
const BINS = 20;
const GROUND_SHARE = 0.16;

/** Where the data lie, as a profile along the bottom of the box. */
function paintGround(pen: Pen, shape: EdgeShape, curve: Curve, look: Look): void {
  const { left, top, width, height } = shape.slot.box;
  const bins = binsOf(look.seenAt(shape.view), curve.x);
  const most = Math.max(...bins);
  if (!(most > 0)) return;
  const step = ((1 - 2 * MARGIN) * width) / BINS;
  const start = left + MARGIN * width;
  const bottom = top + height;
  const up = (n: number): string => (bottom - (GROUND_SHARE * height * bins[n]) / most).toFixed(2);
  let d = `M${start.toFixed(2)},${bottom.toFixed(2)}`;
  for (let n = 0; n < BINS; n++) d += `V${up(n)}H${(start + (n + 1) * step).toFixed(2)}`;
  pen.shape(`${d}V${bottom.toFixed(2)}Z`, null, look.palette.mix("muted", 0.28, "panel"));
}

/** Counted once for each array of values: most pictures show the same as the one before. */
const counted = new WeakMap<Float64Array, { low: number; high: number; bins: number[] }>();

function binsOf(values: Float64Array, x: Float64Array): number[] {
  const [low, high] = [x[0], x[x.length - 1]];
  const before = counted.get(values);
  if (before && before.low === low && before.high === high) return before.bins;
  const bins = new Array<number>(BINS).fill(0);
  for (const value of values) {
    const at = Math.floor((BINS * (value - low)) / (high - low));
    if (at >= -1 && at <= BINS) bins[Math.min(Math.max(at, 0), BINS - 1)]++;
  }
  counted.set(values, { low, high, bins });
  return bins;
}

function paintZero(pen: Pen, { slot }: EdgeShape, scales: Scales, palette: Palette): void {
  const { left, width } = slot.box;
  const y = scales.y(0);
  pen.line(Float64Array.of(left + ZERO * width, y, left + (1 - ZERO) * width, y), {
    color: palette.mix("hair"),
    width: 0.8,
  });
}

/** The knots as ticks along the bottom, where the data reach. */
function paintKnots(pen: Pen, shape: EdgeShape, scales: Scales, curve: Curve, look: Look): void {
  const { view, slot } = shape;
  if (view.state !== "spline") return;
  const [low, high] = ends(curve.x);
  const bottom = slot.box.top + slot.box.height;
  let d = "";
  for (const knot of view.knots) {
    if (knot < low || knot > high) continue;
    d += `M${scales.x(knot).toFixed(2)},${bottom}v${(-0.05 * slot.box.height).toFixed(2)}`;
  }
  if (d) pen.shape(d, { color: look.palette.mix("muted", 0.8), width: 1 });
}

function paintPoints(pen: Pen, shape: EdgeShape, scales: Scales, look: Look): void {
  const { sample_x, sample_y } = shape.view;
  const points = polyline({ x: sample_x, y: sample_y, strength: 1 }, scales);
  pen.dots(points, 1.8, look.palette.mix("muted", 0.55, "panel"));
}

/** The highlighted slice of the sample, the curve on trial, and the probed value. */
function paintExtras(pen: Pen, shape: EdgeShape, curve: Curve, scales: Scales, look: Look): void {
  const { marks, palette } = look;
  const { layer, i, j } = shape.view;
  const slice = look.sampleAt?.([layer, i, j]);
  if (slice) pen.dots(polyline({ ...slice, strength: 1 }, scales), 1.6, palette.mix("accent", 0.8));
  if (marks.preview && keyOf(marks.preview.edge) === shape.key) {
    const y = Float64Array.from(marks.preview.curve_y);
    if (y.length === curve.x.length) {
      const points = clipped(polyline({ ...curve, y }, scales), shape);
      pen.line(points, { color: palette.mix("accent"), width: 1.8, dash: "4 3", round: true });
    }
  }
  const probed = look.probed?.([layer, i, j]);
  if (!probed || shape.view.state === "pruned") return;
  const at = clipped(Float64Array.of(scales.x(probed.x), scales.y(probed.y)), shape);
  const size = Math.min(4, Math.max(2.2, 0.07 * shape.slot.box.width * look.scale));
  pen.dots(at, size + 1.2, palette.mix("paper"));
  pen.dots(at, size, palette.mix("accent"));
}

/** Holds points within the box of their edge. */
function clipped(points: Float64Array, { slot }: EdgeShape): Float64Array {
  const { left, top, width, height } = slot.box;
  return points.map((value, at) =>
    at % 2
      ? Math.min(Math.max(value, top), top + height)
      : Math.min(Math.max(value, left), left + width),
  );
}

/** Signs on the corners: frozen at the upper right, locked at the upper left, shapes below. */
function paintBadges(pen: Pen, { view, slot }: EdgeShape, { palette, scale }: Look): void {
  const { left, top, width, height } = slot.box;
  const radius = Math.min(BADGE, BADGE_SHARE * width) / shrunk(scale);
  const badge = (x: number, d: string, y = top): void => {
    pen.shape(circle(x, y, radius), null, palette.mix("paper"));
    pen.shape(d, { color: palette.mix("ink"), width: 1 });
  };
  if (view.frozen) badge(left + width, snowflake(left + width, top, 0.75 * radius));
  if (view.locked) badge(left, rings(left, top, 0.75 * radius));
  view.shapes?.forEach((shape, n) => {
    const at = { x: left + width - 2.4 * n * radius, y: top + height };
    badge(at.x, shapeSign(shape, at, 0.65 * radius), at.y);
  });
}
