/** The controls of the playground: data, network and training, in the order in which they are used. */

import { button, enable, h, row, write } from "../ui/dom";
import { choice, field, logSlider, numberBox, saidSlider, setChoices } from "../ui/fields";
import { download } from "../ui/files";
import type { Life } from "../ui/life";
import { count } from "../ui/numbers";
import type { PlaygroundDesk } from "./desk";
import { LAWS } from "./laws";
import { MOST_LAYERS, MOST_NODES, rangeAndShape } from "./lesson";
import { DRAWN, FIRST_POINTS, readCsv } from "./table";

/** What an own formula is called in the list. */
const OWN = "A formula of your own";
const MOST_ROWS = 5000;
/** Numbers of a network that trains at a pleasant pace. */
const MOST_NUMBERS = 600;

/** A part of the controls that `hide=` in the address takes away by its name. */
function part(
  name: string,
  title: string,
  hide: readonly string[],
  ...parts: HTMLElement[]
): HTMLElement {
  const details = h("details", { class: "kv-section kv-play-part", open: true, "data-part": name });
  details.append(h("summary", {}, title), h("div", { class: "kv-stack" }, ...parts));
  details.hidden = hide.includes(name);
  return details;
}

/** Makes the controls. */
export function controls(desk: PlaygroundDesk, life: Life): HTMLElement {
  const { hide } = desk.lesson.peek();
  return h(
    "div",
    { class: "kv-panel kv-play-controls" },
    part("data", "Data", hide, ...dataControls(desk, life)),
    part("network", "Network", hide, ...networkControls(desk, life)),
    part("training", "Training", hide, ...trainingControls(desk, life)),
    part("reading", "Read it", hide, ...readingControls(desk, life)),
  );
}

function dataControls(desk: PlaygroundDesk, life: Life): HTMLElement[] {
  const known = [...LAWS.map(({ name }) => name), DRAWN, OWN];
  const list = choice(known, (name) => {
    const law = LAWS.find((one) => one.name === name);
    if (law) desk.change(rangeAndShape(law));
    else if (name === DRAWN) {
      desk.change({ hidden: [] });
      desk.setTable(FIRST_POINTS);
    } else if (name === OWN) {
      desk.setTable(null);
      box.focus();
    }
  });
  const input = h("input", {
    type: "file",
    accept: ".csv,.txt,.tsv",
    hidden: true,
    "aria-label": "A CSV file",
  });
  input.addEventListener("change", () => {
    const [file] = input.files ?? [];
    if (file) void takeFile(desk, file);
    input.value = "";
  });
  const csv = button(
    "CSV\u2026",
    () => input.click(),
    "Rows of your own, which stay in this page; the last column is learnt",
  );
  list.setAttribute("aria-label", "Law");
  const box = h("input", { type: "text", class: "kv-box kv-wide", spellcheck: "false" });
  box.setAttribute("aria-label", "The law as a formula");
  box.addEventListener("change", () => desk.change({ law: box.value }));
  const [low, high] = (["low", "high"] as const).map((end) =>
    numberBox(0, { low: -1e6, step: "any" }, (value) => desk.change({ [end]: value ?? 0 })),
  );
  const wrong = h("p", { class: "kv-notice kv-wrong", role: "alert" });
  const rows = numberBox(1000, { low: 10, step: 1 }, (n) =>
    desk.change({ rows: Math.min(n ?? 10, MOST_ROWS) }),
  );
  const noise = saidSlider(
    "Noise",
    { low: 0, high: 50, step: 1, value: 0 },
    (n) => `${n} %`,
    (n) => soon({ noise: n / 100 }),
  );
  const pair = h("div", { class: "kv-play-pair" }, field("from", low), field("to", high));
  const rowsField = field("Rows", rows);
  let due: Parameters<PlaygroundDesk["change"]>[0] = {};
  const send = life.later(() => {
    desk.change(due);
    due = {};
  }, 150);
  const soon = (news: typeof due): void => {
    Object.assign(due, news);
    send();
  };
  life.effect(() => {
    const lesson = desk.lesson.value;
    const table = desk.table.value;
    const law = LAWS.find(({ formula }) => formula === lesson.law);
    const isFile = table !== null && table.title !== DRAWN;
    setChoices(list, isFile ? [...known, table.title] : known);
    list.value = table?.title ?? law?.name ?? OWN;
    for (const one of [box, pair, rowsField, noise.element]) one.hidden = table !== null;
    box.value = lesson.law;
    low.value = String(lesson.low);
    high.value = String(lesson.high);
    rows.value = String(lesson.rows);
    noise.value = Math.round(100 * lesson.noise);
  });
  life.effect(() => write(wrong, desk.wrong.value));
  return [
    h("div", { class: "kv-play-law" }, list, csv, input),
    box,
    pair,
    wrong,
    rowsField,
    noise.element,
  ];
}

/** Takes a file that was chosen or dropped: a network, or rows. */
export async function takeFile(desk: PlaygroundDesk, file: File): Promise<void> {
  if (file.name.endsWith(".kan")) {
    desk.open(await file.arrayBuffer());
    return;
  }
  try {
    desk.setTable(readCsv(await file.text(), file.name));
  } catch (error) {
    desk.wrong.value = error instanceof Error ? error.message : String(error);
  }
}

function networkControls(desk: PlaygroundDesk, life: Life): HTMLElement[] {
  const shape = h("div", { class: "kv-play-shape", role: "group", "aria-label": "Widths" });
  const numbers = h("p", { class: "kv-hint" });
  const grid = saidSlider("Intervals G", { low: 1, high: 40, step: 1, value: 5 }, String, (n) =>
    later({ grid: n }),
  );
  const order = saidSlider("Degree k", { low: 1, high: 5, step: 1, value: 3 }, String, (n) =>
    later({ order: n }),
  );
  let due: Parameters<PlaygroundDesk["change"]>[0] = {};
  const send = life.later(() => {
    desk.change(due);
    due = {};
  }, 150);
  const later = (news: typeof due): void => {
    Object.assign(due, news);
    send();
  };
  const set = (hidden: number[]): void => desk.change({ hidden });
  life.effect(() => {
    const { hidden, grid: g, order: k } = desk.lesson.value;
    const width = desk.data.value.inputNames.length;
    const widths = [width, ...hidden, 1];
    const edges = widths.slice(1).reduce((sum, n, at) => sum + n * widths[at], 0);
    const many = edges * (g + k + 1);
    shape.replaceChildren(...layers(widths, hidden, set));
    grid.value = g;
    order.value = k;
    const slow = many > MOST_NUMBERS ? " That is many for a page: it will be slow." : "";
    write(
      numbers,
      `${count(edges, "curve")} of ${g + k + 1} numbers: ${many} numbers to learn.${slow}`,
    );
  });
  return [shape, grid.element, order.element, numbers];
}

/** The widths from the inputs to the output, the hidden ones with their buttons. */
function layers(
  widths: number[],
  hidden: number[],
  set: (hidden: number[]) => void,
): HTMLElement[] {
  const changed = (at: number, by: number): number[] =>
    hidden.map((n, place) => (place === at ? n + by : n)).filter((n) => n > 0);
  const press = (
    text: string,
    name: string,
    works: boolean,
    after: () => number[],
  ): HTMLElement => {
    const one = button(text, () => set(after()), name);
    one.setAttribute("aria-label", name);
    enable(one, works);
    return one;
  };
  const end = (n: number, name: string): HTMLElement =>
    h("span", { class: "kv-play-end" }, h("b", {}, String(n)), h("small", {}, name));
  const made = hidden.map((n, at) =>
    h(
      "span",
      { class: "kv-play-layer" },
      press("+", `More nodes in hidden layer ${at + 1}`, n < MOST_NODES, () => changed(at, 1)),
      h("b", {}, String(n)),
      press(
        "\u2212",
        n === 1 ? `Remove hidden layer ${at + 1}` : `Fewer nodes in hidden layer ${at + 1}`,
        true,
        () => changed(at, -1),
      ),
    ),
  );
  const more = press("+ layer", "One more hidden layer", hidden.length < MOST_LAYERS, () => [
    ...hidden,
    2,
  ]);
  more.classList.add("kv-play-more");
  const arrow = (): HTMLElement =>
    h("span", { class: "kv-play-arrow", "aria-hidden": "true" }, "\u2192");
  return [
    end(widths[0], "in"),
    ...made.flatMap((layer) => [arrow(), layer]),
    ...[arrow(), end(1, "out"), more],
  ];
}

function trainingControls(desk: PlaygroundDesk, life: Life): HTMLElement[] {
  const names = ["lm", "adam"] as const;
  const how = choice(names, (name) => desk.change({ optimizer: name as "lm" | "adam" }), [
    "Levenberg-Marquardt",
    "Adam",
  ]);
  const steps = numberBox(150, { low: 1, step: 1 }, (n) =>
    desk.change({ steps: Math.min(n ?? 1, 5000) }),
  );
  const lesson = desk.lesson.peek();
  const sparsity = logSlider("Sparsity \u03bb", { low: -5, high: -1 }, lesson.sparsity, (value) =>
    desk.change({ sparsity: value }),
  );
  const smoothing = logSlider("Smoothing", { low: -6, high: 0 }, lesson.smoothing, (value) =>
    desk.change({ smoothing: value }),
  );
  life.effect(() => {
    how.value = desk.lesson.value.optimizer;
    steps.value = String(desk.lesson.value.steps);
  });
  const box = h("input", { type: "checkbox" });
  box.addEventListener("change", () => desk.change({ mlp: Number(box.checked) }));
  life.effect(() => {
    box.checked = desk.lesson.value.mlp === 1;
  });
  const beside = h("label", { class: "kv-play-check" }, box, "An MLP of as many numbers beside it");
  return [field("Method", how), field("Steps", steps), sparsity, smoothing, beside];
}

/** Towards a formula, and the network as a file. */
function readingControls(desk: PlaygroundDesk, life: Life): HTMLElement[] {
  const prune = button(
    "1 Prune",
    () => desk.simplify("prune"),
    "Take out curves, weakest first, as long as a short training keeps the error",
  );
  const name = button(
    "2 Name curves",
    () => desk.simplify("name"),
    "Look for the known function that each curve may be",
  );
  const save = button(
    "Save .kan",
    () => {
      const content = desk.file() as Uint8Array<ArrayBuffer>;
      download(new Blob([content], { type: "application/octet-stream" }), "playground.kan");
    },
    "The network as a file: kv.load opens it in Python",
  );
  const input = h("input", {
    type: "file",
    accept: ".kan",
    hidden: true,
    "aria-label": "A .kan file",
  });
  input.addEventListener("change", async () => {
    const [file] = input.files ?? [];
    if (file) desk.open(await file.arrayBuffer());
    input.value = "";
  });
  const open = button("Open .kan", () => input.click(), "A network that kanviz or this page saved");
  life.effect(() => {
    const isIdle = desk.state.value === "idle";
    for (const one of [prune, name]) enable(one, isIdle);
  });
  return [row(prune, name), row(save, open, input)];
}

/** Train, wait, step, start anew. */
export function playBar(desk: PlaygroundDesk, life: Life): HTMLElement {
  const run = button("Train", () =>
    desk.state.peek() === "fitting" ? desk.pause() : desk.train(),
  );
  run.classList.add("kv-main", "kv-play-run");
  const step = button("Step", () => desk.step(), "One step of training");
  const anew = button(
    "New start",
    () => desk.change({ seed: desk.lesson.peek().seed + 1 }),
    "Other rows, other first curves",
  );
  life.effect(() => {
    const state = desk.state.value;
    write(run, state === "fitting" ? "Pause" : state === "paused" ? "Go on" : "Train");
    enable(run, state !== "searching");
    enable(step, state === "idle" || state === "paused");
  });
  return row(run, step, anew);
}
