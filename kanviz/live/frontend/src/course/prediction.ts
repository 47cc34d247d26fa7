/** A question whose answer opens once a guess is committed, and then stands beside it. */

import { button, h, write } from "../ui/dom";
import { choice, field } from "../ui/fields";
import { short } from "../ui/numbers";
import type { Stage } from "./stage";

type Value = number | string | null;

/** A guess within this factor is close; see kanviz/course/teaching/prediction.py. */
const CLOSE = 1.25;

export function prediction({ root, shared }: Stage): void {
  const question = shared.get<string>("question");
  const unit = shared.get<string>("unit");
  const choices = shared.get<string[]>("choices");
  const input = choices.length
    ? choice(["", ...choices], () => {}, ["choose", ...choices])
    : h("input", { type: "text", inputmode: "decimal", class: "kv-box", autocomplete: "off" });
  const hint = h("p", { class: "kv-words kv-quiet", role: "status" });
  const commit = (): void => {
    const typed = input.value.trim();
    const guess = choices.length ? typed : Number(typed.replace(",", "."));
    if (typed === "" || (typeof guess === "number" && !Number.isFinite(guess))) {
      write(hint, choices.length ? "Choose first." : "Type a number first, such as 0.01 or 1e-4.");
      input.focus();
      return;
    }
    // A page without a kernel has its answer sealed in it; a kernel sends it for the guess.
    const sealed = shared.get<Value | undefined>("sealed");
    shared.set(sealed === undefined ? { guess } : { guess, answer: sealed });
  };
  const press = button("Commit", commit, "Then the answer opens");
  press.classList.add("kv-main");
  input.addEventListener("keydown", (event) => {
    if ((event as KeyboardEvent).key === "Enter") commit();
  });
  const asked = h(
    "div",
    { class: "kv-tools kv-guess-box" },
    field(unit ? `Your guess, ${unit}` : "Your guess", input),
    press,
  );
  const opened = h("dl", { class: "kv-opened" });
  const open = button("Open the answer", () => shared.set({ guess: shared.get("guess") }));
  root.setAttribute("aria-label", "Prediction");
  root.append(h("p", { class: "kv-question" }, question), asked, hint, opened, open);
  const draw = (): void => {
    const guess = shared.get<Value>("guess");
    asked.hidden = hint.hidden = guess !== null;
    const answer = shared.get<Value>("answer");
    opened.hidden = guess === null;
    open.hidden = guess === null || answer !== null;
    if (guess === null) return;
    const beside = compared(guess, answer);
    const row = (name: string, value: string): HTMLElement =>
      h("div", {}, h("dt", {}, name), h("dd", {}, value));
    opened.replaceChildren(
      row("your guess", said(guess, unit)),
      row("measured", answer === null ? "not yet: run on" : said(answer, unit)),
      ...(beside ? [row("so it was", beside)] : []),
    );
  };
  shared.onChange(draw);
  draw();
}

const said = (value: Value, unit: string): string =>
  (typeof value === "number" ? short(value) : String(value)) + (unit ? ` ${unit}` : "");

/** Says how a guess stands to what was measured. */
export function compared(guess: Value, answer: Value): string {
  if (answer === null || guess === null) return "";
  if (guess === answer) return "right";
  if (typeof guess === "string" || typeof answer === "string") return "not so";
  if (guess * answer <= 0) return `off by ${short(Math.abs(guess - answer))}`;
  const ratio = guess / answer;
  const far = Math.max(ratio, 1 / ratio);
  if (far <= CLOSE) return "close";
  return `${short(far, 2)} times too ${ratio > 1 ? "large" : "small"}`;
}
