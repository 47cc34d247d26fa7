/** Two prices on edges: bars to drag, the bill of each price, and how it pulls at each bar. */

import { assign, button, h, s, write } from "../ui/dom";
import { choice, field } from "../ui/fields";
import { short } from "../ui/numbers";
import { Frame } from "./frame";
import { Grips, type Owner } from "./grips";
import { playButton } from "./playing";
import { keepDrawn, type Stage, wide } from "./stage";

/** As in kanviz/course/teaching/seesaw.py. */
const HIGHEST = 1.5;
/** Free room above the highest that a bar can be. */
const ROOM = 1.15;
/** A share of a bar's place that the bar fills, and how far from its middle the arrows stand. */
const [FILLED, ASIDE] = [0.56, 0.39];
/** The length of an arrow of pull 1, and of the longest, in units of height. */
const [UNIT, LONGEST] = [0.22, 0.42];

const PRICES = ["L1", "entropy", "both"] as const;
type Price = (typeof PRICES)[number];

/** Steps of a whole run, how far the bar that is pulled hardest goes in one, and its seconds. */
const [STEPS, STRIDE, SECONDS] = [240, 0.008, 6];

export interface Bills {
  l1: number;
  entropy: number;
  /** Minus the slope of the entropy in each height. */
  pulls: number[];
}

/** What the two prices ask for scores, and how the entropy pulls; that of L1 is -1 everywhere. */
export function billsOf(heights: readonly number[]): Bills {
  const l1 = heights.reduce((sum, height) => sum + height, 0);
  const logs = heights.map((height) => Math.log(height / l1));
  const entropy = heights.reduce(
    (sum, height, n) => sum - (height > 0 ? (height / l1) * logs[n] : 0),
    0,
  );
  return { l1, entropy, pulls: logs.map((log) => (log + entropy) / l1) };
}

/**
 * The heights with one of them set. Where they share a job the others give way, all by as much,
 * as the slope of an error says that sees their sum alone.
 */
export function withHeight(
  heights: readonly number[],
  n: number,
  height: number,
  isShared: boolean,
): number[] {
  const job = heights.reduce((sum, one) => sum + one, 0);
  const highest = isShared ? Math.min(job, HIGHEST) : HIGHEST;
  const others = heights.reduce((sum, one, m) => sum + (m === n ? 0 : one), 0);
  // Someone has to do something.
  const least = !isShared && others === 0 ? 0.01 : 0;
  const set = Math.min(Math.max(height, least), highest);
  const made = heights.map((one, m) => (m === n ? set : one));
  return isShared ? balanced(made, job, n) : made;
}

/** Moves heights, all by as much, to a given sum; those at 0 stay there, `fixed` where it is. */
function balanced(heights: readonly number[], job: number, fixed = -1): number[] {
  const made = [...heights];
  for (let turn = 0; turn <= made.length; turn++) {
    const missing = job - made.reduce((sum, one) => sum + one, 0);
    if (Math.abs(missing) < 1e-12) break;
    const free = made.map((_, n) => n).filter((n) => n !== fixed && (missing > 0 || made[n] > 0));
    for (const n of free) made[n] = Math.max(0, made[n] + missing / free.length);
  }
  return made;
}

/** Where the heights are after so many small steps down a price. */
export function pulled(
  heights: readonly number[],
  price: Price,
  isShared: boolean,
  steps: number,
): number[] {
  const job = heights.reduce((sum, one) => sum + one, 0);
  let now = [...heights];
  for (let step = 0; step < steps; step++) {
    const { pulls } = billsOf(now);
    const along = now.map((height, n) => {
      if (height === 0) return 0;
      return (price === "entropy" ? 0 : -1) + (price === "L1" ? 0 : pulls[n]);
    });
    const live = now.filter((height) => height > 0).length;
    // What pulls all alike is held by the job.
    const mean = isShared ? along.reduce((sum, one) => sum + one, 0) / live : 0;
    const net = along.map((one, n) => (now[n] > 0 ? one - mean : 0));
    const hardest = Math.max(...net.map(Math.abs));
    if (hardest < 1e-9 || (live === 1 && isShared)) break;
    const scale = STRIDE / Math.max(1, hardest);
    const made = now.map((height, n) => Math.min(HIGHEST, Math.max(0, height + scale * net[n])));
    if (made.every((height) => height === 0)) break;
    now = isShared ? kept(made, job) : made;
  }
  return now;
}

/** The sum again, by those that are left. */
function kept(heights: readonly number[], job: number): number[] {
  const live = heights.filter((height) => height > 0).length;
  const missing = (job - heights.reduce((sum, one) => sum + one, 0)) / live;
  return heights.map((height) => (height > 0 ? height + missing : 0));
}

export function seesaw(stage: Stage): void {
  new Seesaw(stage).start();
}

class Seesaw implements Owner {
  private chosen = 0;
  private price: Price = "entropy";
  /** A run: where it began, and how much of it is done. */
  private run = { from: [] as number[], share: 0 };
  private readonly frame = new Frame("seesaw", 12);
  private readonly bars = s("g");
  private readonly arrows = s("g", { class: "kv-pulls" });
  private readonly names = s("g", { class: "kv-names" });
  private readonly grips = new Grips(this.frame, "bar", this);
  private readonly bills = h("div", { class: "kv-bills" });
  private readonly words = h("p", { class: "kv-words", "aria-live": "polite" });
  private readonly shared = h("input", { type: "checkbox" });

  constructor(private readonly stage: Stage) {
    this.frame.inside.append(this.bars, this.arrows);
    this.frame.top.append(this.names);
  }

  start(): void {
    const { root, life, shared } = this.stage;
    this.begin();
    const count = this.heights.length;
    const job = (): number => this.heights.reduce((sum, one) => sum + one, 0);
    const even = button("All equal", () => this.set(Array(count).fill(job() / count)));
    const one = button("One does all", () =>
      this.set(this.heights.map((_, n) => (n === 0 ? Math.min(job(), HIGHEST) : 0))),
    );
    const price = choice(PRICES, (name) => {
      this.price = name as Price;
      this.begin();
    });
    price.value = this.price;
    const play = playButton(
      life,
      SECONDS,
      () => this.run.share,
      (share) => this.go(share),
    );
    this.shared.addEventListener("change", () => {
      shared.set({ shared: this.shared.checked });
      this.begin();
    });
    const check = h("label", { class: "kv-check" }, this.shared, "One job: the sum stays");
    root.append(
      h("div", { class: "kv-tools" }, even, one, check),
      h("div", { class: "kv-frame-stack" }, this.frame.element),
      h("div", { class: "kv-tools" }, field("Let pull", price), play),
      this.bills,
      this.words,
    );
    assign(root, { "aria-label": "Two prices" });
    keepDrawn(this.stage, () => this.draw());
  }

  // What a hand does.

  move(n: number, _x: number, y: number): number {
    this.set(withHeight(this.heights, n, y, this.isShared));
    return n;
  }

  choose(n: number): void {
    this.chosen = n;
    this.draw();
  }

  hold(): void {
    // The axes never change.
  }

  private get heights(): number[] {
    return this.stage.shared.get<number[]>("heights");
  }

  private get isShared(): boolean {
    return this.stage.shared.get<boolean>("shared");
  }

  /** How high a bar can be. */
  private get highest(): number {
    const job = this.heights.reduce((sum, one) => sum + one, 0);
    return this.isShared ? Math.min(job, HIGHEST) : HIGHEST;
  }

  private set(heights: number[]): void {
    this.stage.shared.set({ heights });
    this.begin();
  }

  private begin(): void {
    this.run = { from: this.heights, share: 0 };
  }

  private go(share: number): void {
    // A run that is over begins where it ended.
    if (share < this.run.share) this.begin();
    this.run.share = share;
    const steps = Math.round(share * STEPS);
    this.stage.shared.set({ heights: pulled(this.run.from, this.price, this.isShared, steps) });
  }

  // The picture.

  private draw(): void {
    const { heights, frame } = this;
    const count = heights.length;
    frame.show(wide(this.stage.root), 280, [0, count], [0, ROOM * this.highest]);
    this.shared.checked = this.isShared;
    const bills = billsOf(heights);
    const ground = frame.y(0);
    this.bars.replaceChildren(
      ...heights.map((height, n) => {
        const [left, right] = [frame.x(n + 0.5 - FILLED / 2), frame.x(n + 0.5 + FILLED / 2)];
        const top = frame.y(height);
        const size = { x: left, y: top, width: right - left, height: ground - top };
        return s("rect", { class: `kv-bar-tall${n === this.chosen ? " kv-active" : ""}`, ...size });
      }),
    );
    this.arrows.replaceChildren(
      ...heights.flatMap((height, n) => [
        this.arrow(n + 0.5 - ASIDE, height, height > 0 ? -1 : 0, "kv-by-l1"),
        this.arrow(n + 0.5 + ASIDE, height, height > 0 ? bills.pulls[n] : 0, "kv-by-entropy"),
      ]),
    );
    this.grips.draw(
      heights.map((height, n) => ({
        ...{ x: n + 0.5, y: height, chosen: n === this.chosen },
        label: `Edge ${n + 1}: score ${short(height)}`,
      })),
    );
    this.names.replaceChildren(
      ...heights.map((height, n) => {
        const place = { x: frame.x(n + 0.5).toFixed(1), y: (frame.y(height) - 13).toFixed(1) };
        return s("text", { ...place, "text-anchor": "middle" }, height.toFixed(2));
      }),
    );
    this.drawBills(bills, count);
  }

  /** An arrow from the top of a bar: which way, and how hard, a price pulls. */
  private arrow(x: number, height: number, pull: number, kind: string): SVGElement {
    const { frame } = this;
    const length = Math.sign(pull) * Math.min(Math.abs(pull) * UNIT, LONGEST);
    const [across, from, to] = [frame.x(x), frame.y(height), frame.y(Math.max(0, height + length))];
    const head = Math.sign(to - from) * Math.min(6, Math.abs(to - from));
    const tip = `M${across - 4} ${to - head}L${across} ${to}L${across + 4} ${to - head}`;
    const path = from === to ? "" : `M${across} ${from}V${to}${tip}`;
    return s("path", { class: kind, d: path });
  }

  private drawBills({ l1, entropy }: Bills, count: number): void {
    const bill = (kind: string, name: string, value: number, most: number): HTMLElement => {
      const key = s(
        "svg",
        { class: "kv-pulls" },
        s("path", { class: kind, d: "M2 6h18m-5 -4l5 4l-5 4" }),
      );
      const shown = { max: most, value: Math.max(0, value), "aria-label": name };
      return h(
        "div",
        { class: "kv-bill" },
        h("span", {}, key, name),
        h("progress", { class: "kv-progress", ...shown }),
        h("b", {}, value.toFixed(2)),
      );
    };
    this.bills.replaceChildren(
      bill("kv-by-l1", "L1: the sum", l1, HIGHEST),
      bill("kv-by-entropy", "entropy: how the work is shared", entropy, Math.log(count)),
    );
    write(this.words, this.sentence());
  }

  private sentence(): string {
    const { heights } = this;
    const live = heights.filter((height) => height > 0).length;
    const high = Math.max(...heights) - Math.min(...heights.filter((height) => height > 0));
    if (live === 1) return "One edge does it all: the entropy is 0, and L1 what it was.";
    if (high < 1e-6)
      return "All alike: the entropy is as large as it can be, and pulls at none of them. Move one a little, and let it pull.";
    return "L1 pulls at every edge alike. The entropy lifts those that do more than most, and presses the others down, the harder the smaller they are.";
  }
}
