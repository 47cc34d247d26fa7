/** A candidate for the open edge, shown over its curve before it is taken. */
import type { Ask, Edge, Preview, Store } from "../contract";
import { sameEdge } from "./edges";
import type { Life } from "./life";
import type { LossTable } from "./loss_table";

type Question = Extract<Ask, { type: "preview" }>;

export class Trial {
  private wanted: Question | null = null;
  private readonly askSoon: () => void;

  constructor(
    private readonly store: Store,
    private readonly losses: LossTable,
    life: Life,
  ) {
    this.askSoon = life.later(() => void this.askNow(), 200);
    life.add(() => this.clear());
  }

  /** Shows a curve that is known already, and asks for the errors that it would give. */
  show(edge: Edge, formula: string, numbers: number[], curve_y: ArrayLike<number>): void {
    this.store.preview = { edge, curve_y };
    this.losses.show(null);
    this.wanted = { type: "preview", edge, formula, numbers };
    this.askSoon();
  }

  /** Asks for the curve of a typed formula; rejects with what is wrong with it. */
  async ask(edge: Edge, formula: string): Promise<void> {
    this.wanted = { type: "preview", edge, formula, numbers: null };
    await this.askNow();
  }

  clear(): void {
    this.wanted = null;
    if (this.store.preview !== null) this.store.preview = null;
    this.losses.show(null);
  }

  private async askNow(): Promise<void> {
    const question = this.wanted;
    if (question === null) return;
    const answer = (await this.store.ask(question)) as Preview | undefined;
    const late = question !== this.wanted || !sameEdge(question.edge, this.store.selected);
    if (late || answer === undefined) return;
    this.store.preview = { edge: question.edge, curve_y: answer.curve_y };
    this.losses.show(answer);
  }
}
