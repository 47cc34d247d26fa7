/** Formulas that people type, read into the steps that `formula.ts` interprets: no text is run. */

import type { StepRecipe } from "../contract";
import { isUnary, type Program } from "./formula";

/** A typed formula: its inputs by name, and how it is computed. */
export interface Law extends Program {
  inputs: string[];
}

const CONSTANTS: Record<string, number> = { pi: Math.PI, "\u03c0": Math.PI, e: Math.E };

/** What people write for operations of another name. */
const ALIASES: Record<string, string> = {
  ln: "log",
  asin: "arcsin",
  acos: "arccos",
  atan: "arctan",
  asinh: "arcsinh",
  acosh: "arccosh",
  atanh: "arctanh",
  sign: "sgn",
};

/** Letters of a formula at most: longer ones are no law. */
const MOST_LETTERS = 400;
const MOST_INPUTS = 8;

/**
 * Reads a formula such as `exp(sin(pi*x_1) + x_2^2)`. Names that are neither functions nor constants
 * are inputs, in alphabetical order.
 *
 * @throws Error that says what is wrong with the text.
 */
export function parseLaw(text: string): Law {
  return new Parser(text).law();
}

type Token = { kind: "number" | "name" | "sign"; text: string };

function tokensOf(text: string): Token[] {
  if (text.length > MOST_LETTERS)
    throw new Error(`The formula may have at most ${MOST_LETTERS} letters.`);
  const pattern =
    /\s*(?:(\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?)|([\p{L}_][\p{L}\d_]*)|(\*\*|[-+*/^(),\u2212\u00b7]))/uy;
  const tokens: Token[] = [];
  while (pattern.lastIndex < text.trimEnd().length) {
    const at = pattern.lastIndex;
    const found = pattern.exec(text);
    if (!found)
      throw new Error(`The formula has a sign that is not known: "${text.slice(at).trim()[0]}".`);
    const [, number, name, sign] = found;
    if (number !== undefined) tokens.push({ kind: "number", text: number });
    else if (name !== undefined) tokens.push({ kind: "name", text: name });
    else {
      const plain: Record<string, string> = { "**": "^", "\u2212": "-", "\u00b7": "*" };
      tokens.push({ kind: "sign", text: plain[sign] ?? sign });
    }
  }
  return tokens;
}

class Parser {
  private readonly tokens: Token[];
  private at = 0;
  private readonly steps: StepRecipe[] = [];
  private readonly inputs: string[];

  constructor(text: string) {
    this.tokens = tokensOf(text);
    const names = this.tokens.filter(
      ({ kind, text: name }, n) =>
        kind === "name" && !Object.hasOwn(CONSTANTS, name) && this.tokens[n + 1]?.text !== "(",
    );
    this.inputs = [...new Set(names.map((token) => token.text))].sort((a, b) =>
      a.localeCompare(b, "en", { numeric: true }),
    );
  }

  law(): Law {
    if (this.tokens.length === 0) throw new Error("Type a formula, such as x_1*x_2.");
    const { length } = this.inputs;
    if (length === 0) throw new Error("The formula needs an input, such as x.");
    if (length > MOST_INPUTS)
      throw new Error(`The formula may have at most ${MOST_INPUTS} inputs; it has ${length}.`);
    const output = this.sum();
    if (this.at < this.tokens.length)
      throw new Error(`The formula ends too early: "${this.tokens[this.at].text}" is left over.`);
    return { inputs: this.inputs, steps: this.steps, output };
  }

  private step(op: string, sources: number[] = [], number: number | null = null): number {
    return this.steps.push({ op, sources, number }) - 1;
  }

  private constant(value: number): number {
    return this.step("constant", [], value);
  }

  /** Takes the next token if it is one of these signs. */
  private takes(...signs: string[]): string | null {
    const token = this.tokens[this.at];
    if (token?.kind !== "sign" || !signs.includes(token.text)) return null;
    this.at += 1;
    return token.text;
  }

  private sum(): number {
    let value = this.product();
    for (;;) {
      const sign = this.takes("+", "-");
      if (!sign) return value;
      const other = this.product();
      value = this.step("add", [value, sign === "+" ? other : this.negative(other)]);
    }
  }

  private negative(value: number): number {
    return this.step("multiply", [this.constant(-1), value]);
  }

  private product(): number {
    let value = this.signed();
    for (;;) {
      const sign = this.takes("*", "/");
      if (!sign) return value;
      const other = this.signed();
      value = this.step("multiply", [
        value,
        sign === "*" ? other : this.step("power", [other], -1),
      ]);
    }
  }

  private signed(): number {
    if (this.takes("-")) return this.negative(this.signed());
    if (this.takes("+")) return this.signed();
    return this.power();
  }

  private power(): number {
    const base = this.atom();
    if (!this.takes("^")) return base;
    const before = this.steps.length;
    const exponent = this.signed();
    const number = this.constantAt(exponent, before);
    if (number !== null) {
      this.steps.length = before;
      return this.step("power", [base], number);
    }
    const product = this.step("multiply", [exponent, this.step("log", [base])]);
    return this.step("exp", [product]);
  }

  /** The value of steps from `from` on that hold no input; null for others. */
  private constantAt(at: number, from: number): number | null {
    const step = this.steps[at];
    if (at < from) return null;
    if (step.op === "constant") return step.number;
    const parts = step.sources.map((source) => this.constantAt(source, from));
    if (parts.length === 0 || parts.includes(null)) return null;
    const numbers = parts as number[];
    if (step.op === "multiply") return numbers.reduce((a, b) => a * b);
    if (step.op === "add") return numbers.reduce((a, b) => a + b);
    return step.op === "power" ? numbers[0] ** (step.number ?? 1) : null;
  }

  private atom(): number {
    const token = this.tokens[this.at];
    if (!token) throw new Error("The formula stops in the middle.");
    this.at += 1;
    if (token.kind === "number") return this.constant(Number(token.text));
    if (token.kind === "name") return this.named(token.text);
    if (token.text !== "(")
      throw new Error(`The formula has "${token.text}" where a number or a name must stand.`);
    const value = this.sum();
    this.close();
    return value;
  }

  private close(): void {
    if (!this.takes(")")) throw new Error("A parenthesis of the formula is not closed.");
  }

  private named(name: string): number {
    if (!this.takes("(")) {
      if (Object.hasOwn(CONSTANTS, name)) return this.constant(CONSTANTS[name]);
      return this.step("input", [], this.inputs.indexOf(name));
    }
    const values = [this.sum()];
    while (this.takes(",")) values.push(this.sum());
    this.close();
    return this.call(name.toLowerCase(), values);
  }

  private call(name: string, values: number[]): number {
    const op = Object.hasOwn(ALIASES, name) ? ALIASES[name] : name;
    if ((op === "max" || op === "min") && values.length === 2) {
      const gap = this.step("abs", [this.step("add", [values[0], this.negative(values[1])])]);
      const all = [...values, op === "max" ? gap : this.negative(gap)];
      return this.step("multiply", [this.constant(0.5), this.step("add", all)]);
    }
    if (values.length !== 1)
      throw new Error(`${name} takes one number; the formula gives it ${values.length}.`);
    if (op === "sqrt") return this.step("power", values, 0.5);
    if (op === "j0" || op === "j1") return this.step("bessel", values, op === "j0" ? 0 : 1);
    if (isUnary(op)) return this.step(op, values);
    throw new Error(
      `The formula has a function that is not known: "${name}". Known are exp, log, sin, cos, tan, tanh, sqrt, abs, max and others.`,
    );
  }
}
