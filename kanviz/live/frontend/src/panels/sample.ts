/** The rows of the data that came with the scene, read by column: inputs, then targets. */

import type { Scene } from "../contract";
import { nodeName } from "../scene";
import { extent } from "../ui/numbers";

export class Sample {
  readonly inputs: number;
  readonly outputs: number;
  readonly rows: number;
  #found: string[] | null = null;

  constructor(private readonly scene: Scene) {
    this.inputs = scene.widths[0];
    const rows = Math.floor(scene.sample.length / this.inputs);
    this.rows = rows;
    this.outputs = rows > 0 ? Math.floor(scene.target.length / rows) : 0;
  }

  /** The names of all columns. */
  names(): string[] {
    const last = this.scene.widths.length - 1;
    // Class numbers are one column, however many outputs the network has.
    const single = this.outputs === 1 && this.scene.widths[last] > 1;
    const targets = Array.from({ length: this.outputs }, (_, j) =>
      single ? "class" : `${nodeName(this.scene, last, j)} (target)`,
    );
    return [...this.inputNames(), ...targets];
  }

  /** Looked up once: there may be many, and they are asked often. */
  inputNames(): string[] {
    this.#found ??= Array.from({ length: this.inputs }, (_, i) => nodeName(this.scene, 0, i));
    return this.#found;
  }

  /**
   * Inputs that are the categories of one column of a table, as "material=copper" is: 0 or 1, and at
   * most one of them 1.
   */
  categories(): { name: string; columns: number[]; texts: string[] }[] {
    const groups = new Map<string, number[]>();
    this.inputNames().forEach((name, column) => {
      const at = name.indexOf("=");
      if (at > 0) groups.set(name.slice(0, at), [...(groups.get(name.slice(0, at)) ?? []), column]);
    });
    const names = this.inputNames();
    return [...groups]
      .filter(([, columns]) => columns.length > 1 && this.#areOneOf(columns))
      .map(([name, columns]) => ({
        ...{ name, columns },
        texts: columns.map((column) => names[column].slice(name.length + 1)),
      }));
  }

  #areOneOf(columns: number[]): boolean {
    for (let row = 0; row < this.rows; row++) {
      const values = columns.map((column) => this.at(row, column));
      if (values.some((value) => value !== 0 && value !== 1)) return false;
      if (values.reduce((a, b) => a + b) > 1) return false;
    }
    return this.rows > 0;
  }

  at(row: number, column: number): number {
    const { inputs, outputs, scene } = this;
    if (column < inputs) return scene.sample[row * inputs + column];
    return scene.target[row * outputs + column - inputs];
  }

  input(row: number): Float64Array {
    return this.scene.sample.slice(row * this.inputs, (row + 1) * this.inputs);
  }

  column(column: number): Float64Array {
    return Float64Array.from({ length: this.rows }, (_, row) => this.at(row, column));
  }

  /** The range of an input in the user's units; without data, that of its knots. */
  range(column: number): [number, number] {
    const found = extent(this.column(column));
    if (found !== null && found[1] > found[0]) return found;
    const view = this.scene.edges.find((v) => v.layer === 0 && v.i === column);
    return extent(view?.knots ?? []) ?? [-1, 1];
  }
}
