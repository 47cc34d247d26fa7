/** The data by two chosen columns; a click probes the nearest row. */
import type { Store } from "../contract";
import { assign, h, row, s } from "./dom";
import { choice, field, setChoices } from "./fields";
import { extent, labels, linear, roomy } from "./numbers";
import { Sample } from "./sample";

const WIDTH = 340;
const HEIGHT = 210;
const LEFT = 44;
const BOTTOM = HEIGHT - 24;

export class ProbeScatter {
  readonly element: HTMLElement;
  private readonly across = choice([], () => this.draw());
  private readonly up = choice([], () => this.draw());
  private readonly axes = s("g", { class: "kv-axes" });
  private readonly dots = s("path", { class: "kv-samples" });
  private readonly sliced = s("path", { class: "kv-samples kv-sliced" });
  private readonly here = s("circle", { class: "kv-here", r: 6 });
  private readonly svg: SVGSVGElement;
  private sample: Sample;
  private x = linear(0, 1, LEFT, WIDTH - 8);
  private y = linear(0, 1, BOTTOM, 8);

  constructor(
    private readonly store: Store,
    private readonly pick: (row: number) => void,
  ) {
    this.sample = new Sample(store.scene);
    const ground = { x: LEFT, y: 8, width: WIDTH - LEFT - 8, height: BOTTOM - 8 };
    this.svg = s(
      "svg",
      { class: "kv-plot kv-scatter", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
      s("rect", { class: "kv-plot-ground", ...ground }),
      ...[this.axes, this.dots, this.sliced, this.here],
    );
    this.svg.addEventListener("click", (event) => this.choose(event));
    const picks = row(field("Across", this.across), field("Up", this.up));
    this.element = h("div", { class: "kv-stack" }, picks, this.svg);
    this.rebuild();
  }

  /** Takes over a new scene. */
  rebuild(): void {
    this.sample = new Sample(this.store.scene);
    const names = this.sample.names();
    const keys = names.map((_, c) => String(c));
    const isNew = this.up.options.length === 0;
    setChoices(this.across, keys, names);
    setChoices(this.up, keys, names);
    if (isNew && keys.length > 1) this.up.value = "1";
    this.element.hidden = this.sample.rows === 0 || names.length < 2;
    this.draw();
  }

  draw(): void {
    if (this.element.hidden) return;
    const [across, up] = [Number(this.across.value), Number(this.up.value)];
    const [xs, ys] = [this.sample.column(across), this.sample.column(up)];
    this.x = linear(...roomy(extent(xs), 0.04), LEFT, WIDTH - 8);
    this.y = linear(...roomy(extent(ys), 0.05), BOTTOM, 8);
    const names = this.sample.names();
    this.svg.setAttribute("aria-label", `${names[up]} against ${names[across]}; pick in the table`);
    this.drawAxes();
    const { slice } = this.store;
    this.dots.setAttribute("d", this.points(xs, ys, (n) => !slice?.[n]));
    this.sliced.setAttribute("d", slice ? this.points(xs, ys, (n) => slice[n] === 1) : "");
    this.drawHere(across, up);
  }

  /** Shows where the probed row is; a target that it has not is not shown. */
  drawHere(across = Number(this.across.value), up = Number(this.up.value)): void {
    const { probe } = this.store;
    const both = probe !== null && across < this.sample.inputs && up < this.sample.inputs;
    this.here.toggleAttribute("hidden", !both);
    if (both) assign(this.here, { cx: this.x(probe[across]), cy: this.y(probe[up]) });
  }

  private points(xs: Float64Array, ys: Float64Array, shown: (n: number) => boolean): string {
    let path = "";
    for (let n = 0; n < xs.length; n++) {
      if (shown(n)) path += `M${this.x(xs[n]).toFixed(1)} ${this.y(ys[n]).toFixed(1)}h0`;
    }
    return path;
  }

  private drawAxes(): void {
    const below = labels(this.x.low, this.x.high, 5).map(({ value, text }) =>
      s("text", { x: this.x(value), y: HEIGHT - 7, "text-anchor": "middle" }, text),
    );
    const beside = labels(this.y.low, this.y.high, 4).map(({ value, text }) =>
      s("text", { x: LEFT - 6, y: this.y(value) + 4, "text-anchor": "end" }, text),
    );
    this.axes.replaceChildren(...below, ...beside);
  }

  private choose(event: MouseEvent): void {
    const seen = this.svg.getBoundingClientRect();
    const ratio = WIDTH / (seen.width || WIDTH);
    const [px, py] = [(event.clientX - seen.left) * ratio, (event.clientY - seen.top) * ratio];
    const [across, up] = [Number(this.across.value), Number(this.up.value)];
    let best = -1;
    let least = Infinity;
    for (let n = 0; n < this.sample.rows; n++) {
      const dx = this.x(this.sample.at(n, across)) - px;
      const dy = this.y(this.sample.at(n, up)) - py;
      if (dx * dx + dy * dy < least) [best, least] = [n, dx * dx + dy * dy];
    }
    if (best >= 0) this.pick(best);
  }
}
