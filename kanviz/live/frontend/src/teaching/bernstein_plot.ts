/** The weights of the points of a Bezier curve as curves over t: Bernstein's polynomials. */
import { assign, s } from "../panels/dom";
import { bernstein } from "./bernstein";
import { Frame } from "./frame";

const PARTS = 120;

export class BernsteinPlot {
  readonly frame = new Frame("weights");
  private readonly curves = s("g");
  private readonly now = s("path", { class: "ks-now" });
  private readonly dots = s("g");
  private readonly names = s("g", { class: "ks-names" });

  constructor() {
    this.frame.inside.append(this.now, this.curves, this.dots);
    this.frame.top.append(this.names);
  }

  size(width: number, height: number): void {
    this.frame.show(width, height, [0, 1], [0, 1.08]);
  }

  draw(n: number, t: number, chosen: number): void {
    const { frame } = this;
    const ts = Array.from({ length: PARTS + 1 }, (_, i) => i / PARTS);
    const rows = ts.map((at) => bernstein(n, at));
    const mark = (i: number): string => (i === chosen ? " ks-chosen" : "");
    this.curves.replaceChildren(
      ...rows[0].map((_, i) =>
        s("path", {
          class: `ks-basis${mark(i)}`,
          d: frame.path(ts.map((at, row) => [at, rows[row][i]] as const)),
        }),
      ),
    );
    const weights = bernstein(n, t);
    this.now.setAttribute("d", `M${frame.place(t, 0)}L${frame.place(t, 1)}`);
    this.dots.replaceChildren(
      ...weights.map((weight, i) =>
        s("circle", {
          class: `ks-weight${mark(i)}`,
          r: 3.5,
          cx: frame.x(t).toFixed(2),
          cy: frame.y(weight).toFixed(2),
        }),
      ),
    );
    this.nameCurves(n, mark);
    const said = weights.map((weight, i) => `${i}: ${weight.toFixed(2)}`).join(", ");
    assign(frame.element, { "aria-label": `Weights of the points at t = ${t.toFixed(2)}: ${said}` });
  }

  /** Each curve has its number above its highest point, which lies at i / n. */
  private nameCurves(n: number, mark: (i: number) => string): void {
    this.names.replaceChildren(
      ...Array.from({ length: n + 1 }, (_, i) => {
        const at = i / n;
        const x = this.frame.x(at) + (i === 0 ? 8 : i === n ? -8 : 0);
        const y = this.frame.y(bernstein(n, at)[i]) - 6;
        const place = { x: x.toFixed(1), y: y.toFixed(1), "text-anchor": "middle" };
        return s("text", { class: mark(i).trim(), ...place }, String(i));
      }),
    );
  }
}
