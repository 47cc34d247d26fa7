/** The playground: a KAN that learns in the page, without a kernel and without a network. */

import { explorer } from "../index";
import type { Model, Traits } from "../store";
import { h, write } from "../ui/dom";
import { Life } from "../ui/life";
import { followTheme } from "../ui/theme";
import { controls, playBar, takeFile } from "./controls";
import { PlaygroundDesk } from "./desk";
import { hashOf, lessonOf, PLAIN } from "./lesson";
import { resultPanel } from "./result";
import script from "./worker?worker";

type Listener = () => void;

/** What the page is told by Python. */
interface Told {
  theme: string;
  /** The lesson as an address has it, for where the address says none. */
  lesson: string;
}

/** Draws the playground into `el`; returns the function that takes it down again. */
function render({ model, el }: { model: Model<Told>; el: HTMLElement }): () => void {
  const life = new Life();
  const theme = model.get("theme");
  const url = URL.createObjectURL(new Blob([script], { type: "text/javascript" }));
  const worker = new Worker(url);
  life.add(() => worker.terminate());
  life.add(() => URL.revokeObjectURL(url));
  const listeners = new Map<string, Listener[]>();
  const tell = (event: string): void => {
    for (const f of listeners.get(event) ?? []) f();
  };
  const { desk, wrong } = deskOf(location.hash || model.get("lesson"), worker, tell);
  // What the explorer takes for a widget's model: its traits are those of the desk.
  const traits = (): Partial<Traits> => ({ desk, local: true, theme, status: desk.status });
  const own = {
    get: (name: keyof Traits) => traits()[name],
    on: (event: string, f: Listener) =>
      void listeners.set(event, [...(listeners.get(event) ?? []), f]),
    off: () => undefined,
    send: () => undefined,
  } as unknown as Model;
  const root = h("div", { class: "kv-root kv-playground" });
  const stage = h("div", { class: "kv-play-stage" });
  const side = h(
    "aside",
    { class: "kv-play-side", "aria-label": "Controls" },
    controls(desk, life),
  );
  root.append(heading(desk, life), side, stage);
  el.append(root);
  life.add(() => root.remove());
  const { end } = explorer({ model: own, el: stage }, () => [resultPanel(desk)]);
  life.add(end);
  followTheme(root, life, theme, () => undefined);
  if (wrong) desk.wrong.value = wrong;
  for (const type of ["dragover", "drop"])
    life.listen(root, type, (event) => {
      event.preventDefault();
      const [file] = (event as DragEvent).dataTransfer?.files ?? [];
      if (type === "drop" && file) void takeFile(desk, file);
    });
  life.effect(() => {
    const hash = hashOf(desk.lesson.value);
    // A page in a frame may not change its address.
    try {
      history.replaceState(null, "", hash || location.pathname + location.search);
    } catch {
      // Then the address stays as it is.
    }
  });
  life.listen(window, "hashchange", () => desk.change(lessonOf(location.hash)));
  return () => life.end();
}

/** The desk of a lesson; where that cannot be, of the plain one. */
function deskOf(
  hash: string,
  worker: Worker,
  tell: (event: string) => void,
): { desk: PlaygroundDesk; wrong: string } {
  const lesson = lessonOf(hash);
  try {
    return { desk: new PlaygroundDesk(lesson, worker, tell), wrong: "" };
  } catch (error) {
    const wrong = error instanceof Error ? error.message : String(error);
    return { desk: new PlaygroundDesk(PLAIN, worker, tell), wrong };
  }
}

function heading(desk: PlaygroundDesk, life: Life): HTMLElement {
  const title = h("h1", {});
  const question = h("p", { class: "kv-play-question" });
  const says = h("p", {});
  const answer = h("details", { class: "kv-play-answer" }, h("summary", {}, "Answer"), says);
  const bar = h("div", { class: "kv-panel kv-play-bar" }, playBar(desk, life));
  life.effect(() => {
    const lesson = desk.lesson.value;
    write(says, lesson.answer);
    answer.hidden = !lesson.answer;
    write(title, lesson.title || "KAN playground");
    write(
      question,
      lesson.question ||
        "Which curves must be added, and added again, to make the law? Press Train and watch.",
    );
  });
  return h("header", { class: "kv-play-head" }, h("div", {}, title, question, answer), bar);
}

export default { render };
