/** What came of it: the law, the network and their difference as pictures, and the errors. */

import { outputs } from "../math/evaluate";
import { valueAt } from "../math/formula";
import type { Panel } from "../panels/panel";
import { pathOf } from "../ui/curve_plot";
import { h, isShown, s, section, write } from "../ui/dom";
import { Life } from "../ui/life";
import { LossChart } from "../ui/loss_chart";
import { extent, labels, linear, roomy, short } from "../ui/numbers";
import { onTheme, Palette } from "../ui/theme";
import type { Data } from "./data";
import type { PlaygroundDesk } from "./desk";
import { DRAWN } from "./table";

/** Places of a map to each side. */
const SIDE = 40;
/** Milliseconds from one drawing to the next. */
const GAP = 60;
const [WIDTH, HEIGHT] = [380, 230];
const [LEFT, RIGHT, TOP, BOTTOM] = [46, WIDTH - 8, 8, HEIGHT - 26];
const MOST_DOTS = 300;
const LEAST_POINTS = 4;

/** Makes the panel. */
export function resultPanel(desk: PlaygroundDesk): Panel {
  const life = new Life();
  const element = h(
    "div",
    // It scrolls, and nothing in it takes the focus: so it does, for the keyboard.
    { class: "kv-panel kv-result", tabindex: 0 },
    figures(desk, life),
    new Pictures(desk, life).element,
    section("Errors while it learns", errors(desk, life)),
  );
  return { title: "Result", element, destroy: () => life.end() };
}

/** The test error as a share of the spread of y, in words that a class can say. */
function figures(desk: PlaygroundDesk, life: Life): HTMLElement {
  const big = h("b", {}, "\u2013");
  const says = h("p", { class: "kv-hint" });
  life.effect(() => {
    const { train, test: fresh } = desk.error.value ?? { train: NaN, test: NaN };
    const { count } = desk.data.value.test;
    const test = count ? fresh : train;
    const spread = desk.data.value.y_scale[0];
    write(big, Number.isNaN(test) ? "\u2013" : shareText(test / spread));
    const time = desk.spent.value ? `, ${(desk.spent.value / 1000).toFixed(1)} s of work` : "";
    const both = Number.isNaN(test)
      ? "Not trained yet: press Train."
      : `of the spread of ${desk.data.value.outputName} is wrong on ` +
        `${count ? `${count.toLocaleString("en-US")} new rows` : "the rows it learns from"}. ` +
        `RMSE: training ${short(train)}${count ? `, test ${short(test)}` : ""}${time}.${rival(desk, spread)}`;
    write(says, both);
  });
  return h("div", { class: "kv-result-figure" }, big, says);
}

/** What the perceptron beside it came to. */
function rival({ mlp }: PlaygroundDesk, spread: number): string {
  const last = mlp.value?.test.at(-1);
  if (last === undefined || Number.isNaN(last)) return "";
  return ` An MLP of ${mlp.value!.numbers} numbers in the same time: ${shareText(last / spread)}.`;
}

/** A share as per cent. */
function shareText(share: number): string {
  const percent = 100 * share;
  return `${percent >= 10 ? percent.toFixed(0) : short(percent, 2)} %`;
}

class Pictures {
  readonly element: HTMLElement;
  private readonly palette = new Palette();
  private readonly maps = ["law", "network", "difference"].map((name) => {
    const canvas = h("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": name });
    const note = h("small", {});
    const caption = h("figcaption", {}, h("span", {}, name), note);
    return { canvas, note, figure: h("figure", {}, canvas, caption) };
  });
  private readonly row = h("div", { class: "kv-maps" }, ...this.maps.map((map) => map.figure));
  private readonly axes = s("g", { class: "kv-axes" });
  private readonly truth = s("path", { class: "kv-curve kv-truth" });
  private readonly curve = s("path", { class: "kv-curve" });
  private readonly dots = s("path", { class: "kv-samples" });
  private readonly plot = s(
    "svg",
    { class: "kv-plot", viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" },
    ...[this.axes, this.dots, this.truth, this.curve],
  );
  private readonly key = h("p", { class: "kv-legend" });
  private scales: [ReturnType<typeof linear>, ReturnType<typeof linear>] | null = null;
  private wanted: { data: Data; x: Float64Array; y: Float64Array } | null = null;

  constructor(
    private readonly desk: PlaygroundDesk,
    life: Life,
  ) {
    this.element = h("div", { class: "kv-stack" }, this.row, this.plot, this.key);
    this.plot.addEventListener("pointerdown", (event) => this.press(event));
    const draw = life.drawn(() => this.draw(), GAP);
    life.resized(this.element, draw);
    onTheme(life, draw);
  }

  private draw(): void {
    const data = this.desk.data.value;
    const recipe = this.desk.recipe.value;
    const inputs = data.inputNames.length;
    this.row.hidden = inputs !== 2;
    this.plot.toggleAttribute("hidden", inputs === 2);
    // The network is the old one until its own scene comes.
    if (recipe.layers[0].inputs !== inputs || !isShown(this.element)) return;
    this.palette.read(this.element);
    if (inputs === 2) this.drawMaps(data, (x) => outputs(recipe, x));
    else if (inputs === 1) this.drawCurve(data, (x) => outputs(recipe, x));
    else this.drawAgainst(data, (x) => outputs(recipe, x));
  }

  /** Places over the inputs with what the law says there; made once for each table. */
  private places(data: Data, count: number): { x: Float64Array; y: Float64Array } {
    if (this.wanted?.data === data) return this.wanted;
    const { low, high, law } = data;
    const at = (i: number, share: number): number => low[i] + (high[i] - low[i]) * share;
    const x =
      low.length === 1
        ? Float64Array.from({ length: count }, (_, n) => at(0, n / (count - 1)))
        : Float64Array.from({ length: 2 * count * count }, (_, n) => {
            const place = n >> 1;
            const along = n % 2 ? count - 1 - Math.floor(place / count) : place % count;
            return at(n % 2, (along + 0.5) / count);
          });
    const width = low.length;
    const y = Float64Array.from({ length: x.length / width }, (_, n) =>
      law ? valueAt(law, x.subarray(n * width, (n + 1) * width)) : NaN,
    );
    this.wanted = { data, x, y };
    return this.wanted;
  }

  private drawMaps(data: Data, network: (x: Float64Array) => Float64Array): void {
    const { x, y: truth } = this.places(data, SIDE);
    const found = network(x);
    const hasLaw = data.law !== null;
    const [low, high] = extent(hasLaw ? truth : found) ?? [0, 1];
    const left = found.map((value, at) => value - truth[at]);
    const most = left.reduce((top, value) => Math.max(top, Math.abs(value)), 0);
    const shade = (value: number): string =>
      this.palette.mix("spline", 0.05 + 0.9 * clamp((value - low) / (high - low || 1)), "panel");
    const wrong = (value: number): string =>
      this.palette.mix(
        value > 0 ? "symbolic" : "spline",
        clamp(Math.abs(value) / (most || 1)),
        "panel",
      );
    const [law, mine, difference] = this.maps;
    law.figure.hidden = difference.figure.hidden = !hasLaw;
    paint(law.canvas, truth, shade);
    paint(mine.canvas, found, shade);
    paint(difference.canvas, left, wrong);
    write(difference.note, ` up to ${short(most, 2)}`);
    const [a, b] = data.inputNames;
    write(
      this.key,
      `${a} to the right, ${b} upwards; darker is more. The difference has a scale of its own.`,
    );
  }

  private drawCurve(data: Data, network: (x: Float64Array) => Float64Array): void {
    const { x, y: truth } = this.places(data, 161);
    const found = network(x);
    const { train, law } = data;
    const across = linear(...roomy([x[0], x[x.length - 1]], 0.02), LEFT, RIGHT);
    const up = linear(...roomy(extent(train.y, law ? truth : found), 0.06), BOTTOM, TOP);
    this.scales = [across, up];
    const isDrawn = this.desk.table.value?.title === DRAWN;
    this.plot.classList.toggle("kv-drawable", isDrawn);
    this.truth.setAttribute("d", law ? pathOf(x, truth, across, up) : "");
    this.curve.setAttribute("d", pathOf(x, found, across, up));
    this.scatter(train.x, train.y, across, up);
    this.drawAxes(across, up);
    this.plot.setAttribute("aria-label", `${data.outputName} against ${data.inputNames[0]}`);
    write(
      this.key,
      `Line: the network.${law ? " Dashed: the law." : ""} Dots: the rows it learns from.${isDrawn ? " Click to add one, or to take one away." : ""}`,
    );
  }

  /** What the network says against what is true, for more than two inputs. */
  private drawAgainst(data: Data, network: (x: Float64Array) => Float64Array): void {
    const { test } = data;
    const found = network(test.x);
    const ends = roomy(extent(test.y), 0.06);
    const [across, up] = [linear(...ends, LEFT, RIGHT), linear(...ends, BOTTOM, TOP)];
    this.truth.setAttribute("d", pathOf(ends, ends, across, up));
    this.curve.setAttribute("d", "");
    this.scatter(test.y, found, across, up);
    this.drawAxes(across, up);
    this.plot.setAttribute("aria-label", "What the network says against what is true");
    write(
      this.key,
      "New rows: what is true to the right, what the network says upwards. On the line it is right.",
    );
  }

  /** Adds a point to those that are drawn by hand, or takes the one away that is there. */
  private press(event: PointerEvent): void {
    const table = this.desk.table.peek();
    if (table?.title !== DRAWN || !this.scales) return;
    const box = this.plot.getBoundingClientRect();
    const [px, py] = [
      ((event.clientX - box.left) * WIDTH) / box.width,
      ((event.clientY - box.top) * HEIGHT) / box.height,
    ];
    const [across, up] = this.scales;
    const near = ([x, y]: number[]): boolean => Math.hypot(across(x) - px, up(y) - py) < 8;
    const left = table.values.filter((point) => !near(point));
    const isNew = left.length === table.values.length;
    const point = [Math.min(1, Math.max(0, across.invert(px))), up.invert(py)];
    const values = isNew ? [...left, point] : left;
    if (values.length >= LEAST_POINTS) this.desk.setTable({ ...table, values });
  }

  private scatter(
    x: Float64Array,
    y: Float64Array,
    across: (value: number) => number,
    up: (value: number) => number,
  ): void {
    const step = Math.max(1, Math.ceil(x.length / MOST_DOTS));
    let d = "";
    for (let n = 0; n < x.length; n += step)
      d += `M${across(x[n]).toFixed(1)} ${up(y[n]).toFixed(1)}h0`;
    this.dots.setAttribute("d", d);
  }

  private drawAxes(across: ReturnType<typeof linear>, up: ReturnType<typeof linear>): void {
    const below = labels(across.low, across.high, 5).map(({ value, text }) =>
      s("text", { x: across(value).toFixed(1), y: BOTTOM + 18, "text-anchor": "middle" }, text),
    );
    const beside = labels(up.low, up.high, 4).flatMap(({ value, text }) => [
      s("path", { d: `M${LEFT} ${up(value).toFixed(1)}H${RIGHT}` }),
      s("text", { x: LEFT - 6, y: up(value) + 4, "text-anchor": "end" }, text),
    ]);
    this.axes.replaceChildren(...beside, ...below);
  }
}

const clamp = (share: number): number => Math.min(Math.max(share, 0), 1);

function paint(
  canvas: HTMLCanvasElement,
  values: Float64Array,
  colorOf: (value: number) => string,
): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  values.forEach((value, at) => {
    pen.fillStyle = colorOf(value);
    pen.fillRect(at % SIDE, Math.floor(at / SIDE), 1, 1);
  });
}

/** Training and test error by step. */
function errors(desk: PlaygroundDesk, life: Life): HTMLElement {
  const chart = new LossChart({ height: 170, lifts: false, dots: false });
  const key = (kind: string, text: string): HTMLElement =>
    h("span", { class: `kv-key kv-key-${kind}` }, text);
  const other = key("mlp", "MLP, new rows");
  const draw = life.drawn(() => {
    const { step, train, test, name } = desk.losses.value;
    const beside = desk.mlp.value;
    other.hidden = beside === null;
    const lines = [train, test, beside?.test ?? []];
    if (!chart.draw({ step, lines, name })) return;
    const last = test.at(-1);
    chart.describe(
      last === undefined
        ? "No errors yet"
        : `Errors by step; the last test error is ${short(last)}`,
    );
  }, GAP);
  life.resized(chart.element, draw);
  const legend = h("p", { class: "kv-legend" });
  legend.append(key("train", "training"), key("test", "test"), other);
  return h("div", { class: "kv-stack" }, chart.element, legend);
}
