/**
 * The two pictures of a B-spline: the curve with its points and knots, and the basis functions.
 */

import { assign, s } from "../ui/dom";
import { extent, roomy, rounded, short } from "../ui/numbers";
import { Frame, type Range, serves } from "./frame";
import { Grips, type Owner } from "./grips";
import {
  combine,
  gaussians,
  greville,
  gridOf,
  multiplicity,
  type Piece,
  type Spline,
  stack,
} from "./splines";

/** What is chosen: a control point or a knot. */
export interface Chosen {
  kind: "point" | "knot";
  n: number;
}

/** Where x is, and what the functions are there. */
export interface Reading {
  x: number;
  row: readonly number[];
}

/** Pixels between knots that lie in one place. */
const STACK = 11;

export class SplinePlot {
  readonly frame = new Frame("spline", 30);
  private readonly points: Grips;
  private readonly knots: Grips;
  private readonly support = s("rect", { class: "kv-support" });
  private readonly beyond = s("path", { class: "kv-beyond" });
  private readonly bumps = s("g");
  private readonly polygon = s("path", { class: "kv-polygon" });
  private readonly curve = s("path", { class: "kv-curve" });
  private readonly part = s("path", { class: "kv-part" });
  private readonly now = s("path", { class: "kv-cursor" });
  private readonly dot = s("circle", { class: "kv-last", r: 5 });
  private shown: Range | null = null;

  constructor(points: Owner, knots: Owner) {
    this.points = new Grips(this.frame, "point", points);
    this.knots = new Grips(this.frame, "knot", knots);
    const { support, beyond, bumps, polygon, curve, part, now, dot } = this;
    this.frame.inside.append(support, beyond, bumps, now, polygon, curve, part, dot);
  }

  /** Puts the focus on a knot. */
  focusKnot(n: number): void {
    this.knots.focus(n);
  }

  /** Gives the plot its size and ranges; what is held keeps its ranges. */
  arrange(spline: Spline, width: number, across: Range, held: boolean): void {
    const heights = extent(spline.coef, [0]) ?? [0, 1];
    if (this.shown === null || !(held || serves(this.shown, heights))) {
      this.shown = rounded(roomy(heights, 0.15));
    }
    this.frame.show(width, 260, across, this.shown);
  }

  draw(spline: Spline, drawn: readonly Piece[], reading: Reading, chosen: Chosen): void {
    const { frame } = this;
    const grid = gridOf(spline.knots, spline.order);
    const within = drawn.filter(({ x }) => x[0] >= grid[0] && x[x.length - 1] <= grid[1]);
    const height = (row: readonly number[]): number => combine(row, spline.coef);
    const curve = (all: readonly Piece[]): string =>
      all.map(({ x, rows }) => frame.path(x.map((at, n) => [at, height(rows[n])]))).join("");
    this.curve.setAttribute("d", curve(within));
    const m = chosen.kind === "point" ? chosen.n : -1;
    const moved = within.filter(({ rows }) => rows.some((row) => row[m] > 0));
    this.part.setAttribute("d", curve(moved));
    shade(this.support, frame, spline, m);
    this.beyond.setAttribute("d", outside(frame, grid));
    this.drawBumps(spline, within, m);
    const places = greville(spline.knots, spline.order);
    this.polygon.setAttribute("d", frame.path(places.map((x, n) => [x, spline.coef[n]])));
    this.now.setAttribute("d", cursor(frame, reading.x));
    const [cx, cy] = [frame.x(reading.x).toFixed(2), frame.y(height(reading.row)).toFixed(2)];
    assign(this.dot, { cx, cy });
    this.drawGrips(spline, places, chosen);
  }

  /** Each function as high as its coefficient makes it: their sum is the curve. */
  private drawBumps({ coef }: Spline, within: readonly Piece[], chosen: number): void {
    const { frame } = this;
    this.bumps.replaceChildren(
      ...coef.map((c, m) =>
        s("path", {
          class: `kv-bump${m === chosen ? " kv-active" : ""}`,
          d: within
            .filter(({ rows }) => rows.some((row) => row[m] > 0))
            .map(({ x, rows }) => frame.path(x.map((at, n) => [at, c * rows[n][m]])))
            .join(""),
        }),
      ),
    );
  }

  private drawGrips({ knots, coef }: Spline, places: readonly number[], chosen: Chosen): void {
    this.points.draw(
      places.map((x, n) => ({
        x,
        y: coef[n],
        label: `Control point ${n} at x = ${short(x)}, height ${short(coef[n])}`,
        chosen: chosen.kind === "point" && chosen.n === n,
      })),
    );
    this.knots.draw(
      knots.map((x, n) => ({
        x,
        y: this.frame.y.low,
        label: `Knot ${n} at x = ${short(x)}${multiplicity(knots, n) > 1 ? ", with others" : ""}`,
        chosen: chosen.kind === "knot" && knots[chosen.n] === x,
        raised: STACK * (n - stack(knots, n)[0]),
      })),
    );
  }
}

/** Marks where the function of a control point is not zero. */
function shade(rect: SVGRectElement, frame: Frame, spline: Spline, m: number): void {
  const { knots, order } = spline;
  const [from, to] = m < 0 ? [0, 0] : [frame.x(knots[m]), frame.x(knots[m + order + 1])];
  const [top, bottom] = [frame.y(frame.y.high), frame.y(frame.y.low)];
  assign(rect, { x: from.toFixed(1), width: (to - from).toFixed(1), y: top, height: bottom - top });
}

/** What lies beyond the grid, at both sides. */
export function outside(frame: Frame, [low, high]: readonly [number, number]): string {
  const [top, bottom] = [frame.y(frame.y.high), frame.y(frame.y.low)];
  const box = (from: number, to: number): string =>
    `M${frame.x(from).toFixed(1)} ${top}H${frame.x(to).toFixed(1)}V${bottom}H${frame.x(from).toFixed(1)}Z`;
  return box(frame.x.low, low) + box(high, frame.x.high);
}

/** The line at x. */
const cursor = ({ x, y }: Frame, at: number): string =>
  `M${x(at).toFixed(1)} ${y(y.low)}V${y(y.high)}`;

// The lower picture of a B-spline: its basis functions, their sum, and Gaussians beside.

export class BasisPlot {
  readonly frame = new Frame("basis");
  private readonly support = s("rect", { class: "kv-support" });
  private readonly beyond = s("path", { class: "kv-beyond" });
  private readonly radial = s("g");
  private readonly curves = s("g");
  private readonly sum = s("path", { class: "kv-total" });
  private readonly now = s("path", { class: "kv-cursor" });
  private readonly dots = s("g");
  private readonly names = s("g", { class: "kv-names" });

  constructor() {
    const { support, beyond, radial, now, curves, sum, dots } = this;
    this.frame.inside.append(support, beyond, now, radial, curves, sum, dots);
    this.frame.top.append(this.names);
  }

  arrange(width: number, across: Range, hasGaussians: boolean): void {
    this.frame.show(width, hasGaussians ? 200 : 160, across, [0, hasGaussians ? 2.1 : 1.25]);
  }

  draw(
    spline: Spline,
    drawn: readonly Piece[],
    { x, row }: Reading,
    chosen: Chosen,
    hasGaussians: boolean,
  ): void {
    const { frame } = this;
    const m = chosen.kind === "point" ? chosen.n : -1;
    const mark = (n: number): string => (n === m ? " kv-active" : "");
    const path = (all: readonly Piece[], height: (row: readonly number[]) => number): string =>
      all.map((each) => frame.path(each.x.map((at, n) => [at, height(each.rows[n])]))).join("");
    this.curves.replaceChildren(
      ...spline.coef.map((_, n) =>
        s("path", {
          class: `kv-basis${mark(n)}`,
          d: path(
            drawn.filter(({ rows }) => rows.some((row) => row[n] > 0)),
            (row) => row[n],
          ),
        }),
      ),
    );
    this.sum.setAttribute(
      "d",
      path(drawn, (row) => row.reduce((a, b) => a + b, 0)),
    );
    this.now.setAttribute("d", cursor(frame, x));
    this.dots.replaceChildren(
      ...row.flatMap((value, n) => {
        const at = { cx: frame.x(x).toFixed(2), cy: frame.y(value).toFixed(2) };
        return value > 0 ? [s("circle", { class: `kv-weight${mark(n)}`, r: 3.5, ...at })] : [];
      }),
    );
    const grid = gridOf(spline.knots, spline.order);
    shade(this.support, frame, spline, m);
    this.beyond.setAttribute("d", outside(frame, grid));
    this.drawGaussians(hasGaussians ? spline : null, drawn);
    this.name(grid, hasGaussians);
    assign(frame.element, {
      "aria-label": `${spline.coef.length} basis functions, which sum to 1`,
    });
  }

  /** On the grid they hardly ever sum to the same: near 1.77, but not everywhere. */
  private drawGaussians(spline: Spline | null, drawn: readonly Piece[]): void {
    if (spline === null) {
      this.radial.replaceChildren();
      return;
    }
    const { knots, order } = spline;
    const grid = gridOf(knots, order);
    const size = knots.length - 1 - 2 * order;
    const xs = drawn.flatMap(({ x }) => x);
    const rows = xs.map((x) => gaussians(grid, size, x));
    const path = (height: (row: readonly number[]) => number): string =>
      this.frame.path(xs.map((x, n) => [x, height(rows[n])]));
    const curves = rows[0].map((_, m) =>
      s("path", { class: "kv-radial", d: path((row) => row[m]) }),
    );
    const total = path((row) => row.reduce((a, b) => a + b, 0));
    this.radial.replaceChildren(...curves, s("path", { class: "kv-radial kv-total", d: total }));
  }

  private name([low]: readonly [number, number], hasGaussians: boolean): void {
    const label = (text: string, height: number, kind: string): SVGElement =>
      s(
        "text",
        {
          class: kind,
          x: this.frame.x(low) + 6,
          y: (this.frame.y(height) - 6).toFixed(1),
        },
        text,
      );
    this.names.replaceChildren(
      label("sum of all: 1", 1, ""),
      ...(hasGaussians ? [label("sum of the Gaussians", 1.78, "kv-of-radial")] : []),
    );
  }
}
