/** The theorem by hand: curves to choose for the edges of [2, n, 1] until the sum is the target. */

import { assign, button, enable, h, s, write } from "../ui/dom";
import { choice, field } from "../ui/fields";
import { short } from "../ui/numbers";
import { Palette } from "../ui/theme";
import { keepDrawn, type Stage } from "./stage";

type Node = [left: string, right: string, top: string];

/** What an edge may be; see kanviz/course/teaching/compose.py. */
export const CURVES: Record<string, (x: number) => number> = {
  "0": () => 0,
  x: (x) => x,
  "-x": (x) => -x,
  "x/2": (x) => x / 2,
  "-x/2": (x) => -x / 2,
  "x^2": (x) => x * x,
  "-x^2": (x) => -x * x,
  "x^2/4": (x) => (x * x) / 4,
  "-x^2/4": (x) => (-x * x) / 4,
  abs: Math.abs,
  sqrt: (x) => Math.sqrt(Math.max(x, 0)),
  log: (x) => Math.log(Math.max(x, 1e-12)),
  "-log": (x) => -Math.log(Math.max(x, 1e-12)),
  exp: (x) => Math.exp(Math.min(x, 30)),
};

interface Puzzle {
  target(x: number, y: number): number;
  low: number;
  high: number;
  par: number;
}

export const PUZZLES: Record<string, Puzzle> = {
  sum: { target: (x, y) => x + y, low: -1, high: 1, par: 1 },
  "product of positive numbers": { target: (x, y) => x * y, low: 0.1, high: 2, par: 1 },
  "quotient of positive numbers": { target: (x, y) => x / y, low: 0.5, high: 2, par: 1 },
  distance: { target: Math.hypot, low: -1, high: 1, par: 1 },
  product: { target: (x, y) => x * y, low: -1, high: 1, par: 2 },
  maximum: { target: Math.max, low: -1, high: 1, par: 2 },
};

const MOST_NODES = 3;
const SIDE = 24;
const SOLVED = 1e-9;
const [WIDTH, HEIGHT] = [64, 34];

/** What the nodes give, and the target, on a lattice: rows from above. */
export function maps(puzzle: Puzzle, nodes: readonly Node[]): [found: number[], wanted: number[]] {
  const { low, high, target } = puzzle;
  const at = (n: number): number => low + ((high - low) * (n + 0.5)) / SIDE;
  const found: number[] = [];
  const wanted: number[] = [];
  for (let row = SIDE - 1; row >= 0; row--) {
    for (let column = 0; column < SIDE; column++) {
      const [x, y] = [at(column), at(row)];
      const sums = nodes.map(([a, b, top]) => CURVES[top](CURVES[a](x) + CURVES[b](y)));
      found.push(sums.reduce((total, value) => total + value, 0));
      wanted.push(target(x, y));
    }
  }
  return [found, wanted];
}

export function compose({ root, shared, life, onTheme }: Stage): void {
  const palette = new Palette();
  const canvas = (name: string): HTMLCanvasElement =>
    h("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": name, class: "kv-map" });
  const [mine, goal] = [canvas("what it gives"), canvas("the target")];
  const figure = (made: HTMLCanvasElement, text: string): HTMLElement =>
    h("figure", {}, made, h("figcaption", {}, text));
  const names = Object.keys(PUZZLES);
  const pick = choice(names, (puzzle) => shared.set({ puzzle }));
  const rows = h("div", { class: "kv-nodes" });
  const words = h("p", { class: "kv-words", role: "status" });
  const formula = h("p", { class: "kv-words kv-composed" });
  const nodes = (): Node[] => shared.get<Node[]>("nodes");
  const add = button("Add a node", () => shared.set({ nodes: [...nodes(), ["x", "0", "0"]] }));
  const drop = button("Remove a node", () => shared.set({ nodes: nodes().slice(0, -1) }));
  root.setAttribute("aria-label", "Compose");
  root.append(
    h("div", { class: "kv-tools" }, field("Target", pick), add, drop),
    rows,
    formula,
    h("div", { class: "kv-maps" }, figure(mine, "what it gives"), figure(goal, "the target")),
    words,
  );
  const set = (n: number, k: number, curve: string): void =>
    shared.set({
      nodes: nodes().map((node, m) => node.map((c, i) => (m === n && i === k ? curve : c))),
    });
  let built = -1;
  let selects: HTMLSelectElement[][] = [];
  let sketches: SVGPathElement[][] = [];
  const build = (count: number): void => {
    built = count;
    selects = [];
    sketches = [];
    rows.replaceChildren(
      ...Array.from({ length: count }, (_, n) => {
        const labels = ["x\u2081 through", "x\u2082 through", "their sum through"];
        const chosen = labels.map((_, k) =>
          choice(Object.keys(CURVES), (curve) => set(n, k, curve)),
        );
        const drawn = labels.map(() => s("path", { class: "kv-curve" }));
        selects.push(chosen);
        sketches.push(drawn);
        const edges = labels.map((label, k) =>
          h(
            "div",
            { class: "kv-edge-choice" },
            field(label, chosen[k]),
            s("svg", { width: WIDTH, height: HEIGHT, "aria-hidden": "true" }, drawn[k]),
          ),
        );
        return h("fieldset", {}, h("legend", {}, `Node ${n + 1}`), ...edges);
      }),
    );
  };
  const draw = (): void => {
    const now = nodes();
    const puzzle = PUZZLES[shared.get<string>("puzzle")];
    if (now.length !== built) build(now.length);
    pick.value = shared.get<string>("puzzle");
    now.forEach((node, n) =>
      node.forEach((curve, k) => {
        selects[n][k].value = curve;
        sketches[n][k].setAttribute("d", sketch(CURVES[curve], puzzle));
      }),
    );
    enable(add, now.length < MOST_NODES);
    enable(drop, now.length > 1);
    const [found, wanted] = maps(puzzle, now);
    palette.read(root);
    const [low, high] = [Math.min(...wanted), Math.max(...wanted)];
    for (const [made, values] of [
      [mine, found],
      [goal, wanted],
    ] as const) {
      paint(made, values, (value) =>
        palette.mix("spline", 0.05 + 0.9 * clamp((value - low) / (high - low || 1)), "panel"),
      );
    }
    const error = Math.sqrt(
      found.reduce((sum, value, n) => sum + (value - wanted[n]) ** 2, 0) / found.length,
    );
    write(formula, `y = ${now.map(text).join(" + ").replaceAll("+ -", "\u2212 ")}`);
    const par = `${puzzle.par} node${puzzle.par > 1 ? "s" : ""}`;
    const solved =
      now.length > puzzle.par
        ? `Solved; it can be done with ${par}.`
        : "Solved, with the fewest nodes.";
    write(words, error < SOLVED ? solved : `Off by ${short(error)}. It can be done with ${par}.`);
    assign(words, { "data-solved": error < SOLVED });
  };
  onTheme(draw);
  keepDrawn({ root, shared, life, onTheme }, draw);
}

const clamp = (value: number): number => Math.min(Math.max(value, 0), 1);

/** A node as people write it: exp(log(x1) + log(x2)). */
function text([left, right, top]: Node): string {
  const of = (curve: string, x: string): string =>
    /^-?[a-z]{3,}$/.test(curve) ? `${curve}(${x})` : curve.replace("x", x);
  const parts = [of(left, "x\u2081"), of(right, "x\u2082")].filter((part) => part !== "0");
  const sum = parts.join(" + ").replace("+ -", "\u2212 ") || "0";
  return of(top, top === "x" || /^-?[a-z]{3,}$/.test(top) ? sum : `(${sum})`);
}

function sketch(curve: (x: number) => number, { low, high }: Puzzle): string {
  const values = Array.from({ length: 33 }, (_, n) => curve(low + ((high - low) * n) / 32));
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const up = (value: number): number =>
    most > least ? HEIGHT - 4 - ((value - least) / (most - least)) * (HEIGHT - 8) : HEIGHT / 2;
  return values
    .map((value, n) => `${n ? "L" : "M"}${((n * WIDTH) / 32).toFixed(1)} ${up(value).toFixed(1)}`)
    .join("");
}

function paint(
  canvas: HTMLCanvasElement,
  values: readonly number[],
  shade: (v: number) => string,
): void {
  const pen = canvas.getContext("2d");
  if (!pen) return;
  values.forEach((value, n) => {
    pen.fillStyle = shade(value);
    pen.fillRect(n % SIDE, Math.floor(n / SIDE), 1, 1);
  });
}
