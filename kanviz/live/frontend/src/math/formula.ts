/** Formulas as lists of steps, which are interpreted: no text is ever run. */

import type { FormulaRecipe } from "../contract";
import { apply, bounded } from "./functions";

/** Returns the value c f(a x + b) + d of a fixed edge. */
export function formulaAt(formula: FormulaRecipe, x: number): number {
  const [a, b, c, d] = formula.affine;
  const z = bounded(a * x + b);
  const values: number[] = [];
  for (const step of formula.steps) {
    if (step.op === "input") values.push(z);
    else if (step.op === "constant") values.push(bounded(step.number ?? 0));
    else
      values.push(
        apply(
          step.op,
          step.sources.map((source) => values[source]),
          step.number,
        ),
      );
  }
  return c * values[formula.output] + d;
}
