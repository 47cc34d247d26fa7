/** All that a teacher can set, and how it stands in the address of the page. */

import { LAWS } from "./laws";

/** A prepared lesson. */
export interface Lesson {
  /** The law as text; the rows are drawn from it. */
  law: string;
  /** The ends of every input. */
  low: number;
  high: number;
  /** Rows to learn from. */
  rows: number;
  /** The standard deviation of noise, as a share of that of the law. */
  noise: number;
  /** Nodes of the hidden layers. */
  hidden: number[];
  grid: number;
  order: number;
  optimizer: "lm" | "adam";
  steps: number;
  sparsity: number;
  smoothing: number;
  /** 1: a perceptron of as many numbers learns beside it. */
  mlp: number;
  /** Of the rows and of the first curves. */
  seed: number;
  /** Parts that are hidden, by name. */
  hide: string[];
  title: string;
  question: string;
  answer: string;
}

export const PLAIN: Lesson = {
  ...{ law: LAWS[0].formula, low: -1, high: 1, rows: 1000, noise: 0 },
  ...{ hidden: [5], grid: 5, order: 3, optimizer: "lm", steps: 150, sparsity: 0, smoothing: 0 },
  ...{ mlp: 0, seed: 0, hide: [], title: "", question: "", answer: "" },
};

/** What a number of a lesson may be. */
const LIMITS: Partial<Record<keyof Lesson, readonly [low: number, high: number]>> = {
  low: [-1e6, 1e6],
  high: [-1e6, 1e6],
  rows: [10, 5000],
  noise: [0, 2],
  grid: [1, 40],
  order: [1, 5],
  steps: [1, 2000],
  sparsity: [0, 1],
  smoothing: [0, 1],
  seed: [0, 1e9],
  mlp: [0, 1],
};
/** Nodes of a layer, and layers, at most. */
export const [MOST_NODES, MOST_LAYERS] = [8, 4];

/** Reads a lesson from an address's part after `#`; what it does not say stays as it is. */
export function lessonOf(hash: string): Lesson {
  const lesson: Lesson = { ...PLAIN };
  const given = new URLSearchParams(hash.replace(/^#/, ""));
  const law = LAWS.find(({ formula }) => formula === given.get("law"));
  if (law) Object.assign(lesson, rangeAndShape(law));
  for (const [name, text] of given) {
    if (name === "hide") lesson.hide = text.split(",").filter(Boolean);
    else if (name === "hidden") lesson.hidden = widthsOf(text) ?? lesson.hidden;
    else if (name === "optimizer") lesson.optimizer = text === "adam" ? "adam" : "lm";
    else if (["law", "title", "question", "answer"].includes(name))
      Object.assign(lesson, { [name]: text });
    else if (Object.hasOwn(LIMITS, name)) {
      const [low, high] = LIMITS[name as keyof Lesson]!;
      const value = Number(text);
      const isWhole = Number.isInteger(PLAIN[name as keyof Lesson]) && !FREE.has(name);
      if (text !== "" && Number.isFinite(value)) {
        const held = Math.min(Math.max(value, low), high);
        Object.assign(lesson, { [name]: isWhole ? Math.round(held) : held });
      }
    }
  }
  return lesson;
}

/** Numbers that need not be whole. */
const FREE = new Set(["low", "high", "noise", "sparsity", "smoothing"]);

function widthsOf(text: string): number[] | null {
  const found = text === "" ? [] : text.split(",").map(Number);
  const isSound = found.every((n) => Number.isInteger(n) && n >= 1 && n <= MOST_NODES);
  return isSound && found.length <= MOST_LAYERS ? found : null;
}

/** What a known law brings with it. */
export function rangeAndShape({ formula, range, widths }: (typeof LAWS)[number]): Partial<Lesson> {
  return { law: formula, low: range[0], high: range[1], hidden: widths.slice(1, -1) };
}

/** The lesson as an address has it: only what is another than the plain one. */
export function hashOf(lesson: Lesson): string {
  const known = LAWS.find(({ formula }) => formula === lesson.law);
  const plain: Lesson = { ...PLAIN, ...(known ? rangeAndShape(known) : {}) };
  const given = new URLSearchParams();
  for (const name of Object.keys(PLAIN) as (keyof Lesson)[]) {
    const isOther = String(lesson[name]) !== String(plain[name]);
    if (isOther || (name === "law" && lesson.law !== PLAIN.law))
      given.set(name, String(lesson[name]));
  }
  const text = given.toString();
  return text && `#${text}`;
}
