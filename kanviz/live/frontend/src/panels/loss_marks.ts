/** Marks over the loss chart: what happened at a step; a click takes the network back to it. */
import type { Losses, Store } from "../contract";
import { button, h, hasFocus } from "./dom";
import type { LossScale } from "./loss_scale";

type Mark = Losses["marks"][number];

/** Marks closer than this many pixels share one button. */
const APART = 9;

export class LossMarks {
  readonly element = h("div", { class: "kv-marks" });
  /** Where several marks share a button, each gets one of its own here. */
  readonly choices = h("div", { class: "kv-choices", role: "group", hidden: true });
  private drawn: readonly Mark[] = [];
  private shape = "";
  private groups: Mark[][] = [];
  /** The group whose choices are shown. */
  private opened = -1;

  constructor(
    private readonly store: Store,
    private readonly failed: (error: unknown) => void,
    private readonly read: (text: string) => void,
  ) {
    this.choices.setAttribute("aria-label", "What happened at this step");
  }

  /** Places the marks; does nothing while marks and scale are as they were. */
  draw(marks: readonly Mark[], scale: LossScale): void {
    const shape = `${scale.width} ${scale.first} ${scale.last}`;
    if (marks === this.drawn && shape === this.shape) return;
    if (marks !== this.drawn) this.choices.hidden = true;
    this.drawn = marks;
    this.shape = shape;
    this.groups = [];
    let edge = -Infinity;
    for (const mark of marks) {
      const x = scale.x(mark.step);
      if (x - edge < APART) this.groups[this.groups.length - 1].push(mark);
      else {
        this.groups.push([mark]);
        edge = x;
      }
    }
    this.fill(scale);
  }

  /** Keeps the buttons that are there, so that the focus is not lost while a fit runs. */
  private fill(scale: LossScale): void {
    const old = [...this.element.children] as HTMLButtonElement[];
    this.groups.forEach((group, n) => {
      const one = old[n] ?? this.make(n);
      const [first] = group;
      const more = group.length > 1 ? ` and ${group.length - 1} more` : "";
      const text = `Step ${first.step}: ${first.text}${more}`;
      one.dataset.kind = first.kind;
      one.title = text;
      one.setAttribute("aria-label", `${text}. ${more ? "Choose one" : "Go there"}.`);
      one.style.left = `${scale.x(first.step)}px`;
    });
    for (const gone of old.slice(this.groups.length)) gone.remove();
  }

  private make(n: number): HTMLButtonElement {
    const one = button("", () => this.press(this.groups[n]));
    one.className = "kv-mark";
    const show = (): void => this.read(one.title);
    one.addEventListener("pointerenter", show);
    one.addEventListener("focus", show);
    for (const leave of ["pointerleave", "blur"]) {
      one.addEventListener(leave, () => this.read(""));
    }
    this.element.append(one);
    return one;
  }

  private press(group: Mark[]): void {
    if (group.length === 1) {
      this.jump(group[0]);
      return;
    }
    const made = group.map((mark) => button(mark.text, () => this.jump(mark)));
    this.opened = this.groups.indexOf(group);
    this.choices.replaceChildren(...made);
    this.choices.hidden = false;
    made[0].focus();
  }

  private jump({ position }: Mark): void {
    const from = this.element.children[this.opened];
    if (hasFocus(this.choices) && from instanceof HTMLElement) from.focus();
    this.choices.hidden = true;
    this.store.ask({ type: "jump", position }).catch(this.failed);
  }
}
