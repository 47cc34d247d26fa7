/** The lower picture of a B-spline: its basis functions, their sum, and Gaussians beside. */
import { assign, s } from "../panels/dom";
import { gaussians, type Piece } from "./basis";
import { Frame, type Range } from "./frame";
import { gridOf } from "./knots";
import type { Spline } from "./spline_edits";
import { cursor, outside, shade, type Chosen, type Reading } from "./spline_plot";

export class BasisPlot {
  readonly frame = new Frame("basis");
  private readonly support = s("rect", { class: "ks-support" });
  private readonly beyond = s("path", { class: "ks-beyond" });
  private readonly radial = s("g");
  private readonly curves = s("g");
  private readonly sum = s("path", { class: "ks-total" });
  private readonly now = s("path", { class: "ks-now" });
  private readonly dots = s("g");
  private readonly names = s("g", { class: "ks-names" });

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
    const mark = (n: number): string => (n === m ? " ks-chosen" : "");
    const path = (all: readonly Piece[], height: (row: readonly number[]) => number): string =>
      all.map((each) => frame.path(each.x.map((at, n) => [at, height(each.rows[n])]))).join("");
    this.curves.replaceChildren(
      ...spline.coef.map((_, n) =>
        s("path", {
          class: `ks-basis${mark(n)}`,
          d: path(drawn.filter(({ rows }) => rows.some((row) => row[n] > 0)), (row) => row[n]),
        }),
      ),
    );
    this.sum.setAttribute("d", path(drawn, (row) => row.reduce((a, b) => a + b, 0)));
    this.now.setAttribute("d", cursor(frame, x));
    this.dots.replaceChildren(
      ...row.flatMap((value, n) => {
        const at = { cx: frame.x(x).toFixed(2), cy: frame.y(value).toFixed(2) };
        return value > 0 ? [s("circle", { class: `ks-weight${mark(n)}`, r: 3.5, ...at })] : [];
      }),
    );
    const grid = gridOf(spline.knots, spline.order);
    shade(this.support, frame, spline, m);
    this.beyond.setAttribute("d", outside(frame, grid));
    this.drawGaussians(hasGaussians ? spline : null, drawn);
    this.name(grid, hasGaussians);
    assign(frame.element, { "aria-label": `${spline.coef.length} basis functions, which sum to 1` });
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
    const curves = rows[0].map((_, m) => s("path", { class: "ks-radial", d: path((row) => row[m]) }));
    const total = path((row) => row.reduce((a, b) => a + b, 0));
    this.radial.replaceChildren(...curves, s("path", { class: "ks-radial ks-total", d: total }));
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
      ...(hasGaussians ? [label("sum of the Gaussians", 1.78, "ks-of-radial")] : []),
    );
  }
}
