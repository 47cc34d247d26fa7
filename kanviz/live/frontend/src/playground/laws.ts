/** The laws that the playground offers, each with a network that can learn it. */

export interface KnownLaw {
  name: string;
  formula: string;
  /** The ends of every input. */
  range: readonly [low: number, high: number];
  widths: readonly number[];
}

const UNIT = [-1, 1] as const;

export const LAWS: readonly KnownLaw[] = [
  {
    name: "Sum inside an exponential",
    formula: "exp(sin(pi*x_1) + x_2^2)",
    range: UNIT,
    widths: [2, 5, 1],
  },
  { name: "Product", formula: "x_1*x_2", range: UNIT, widths: [2, 2, 1] },
  { name: "Distance", formula: "sqrt(x_1^2 + x_2^2)", range: UNIT, widths: [2, 3, 1] },
  { name: "Sum of two curves", formula: "sin(pi*x_1) + x_2^2", range: UNIT, widths: [2, 1] },
  {
    name: "Adding velocities",
    formula: "(x_1 + x_2)/(1 + x_1*x_2)",
    range: [-0.9, 0.9],
    widths: [2, 3, 1],
  },
  { name: "Bell", formula: "exp(-3*(x_1^2 + x_2^2))", range: UNIT, widths: [2, 2, 1] },
  { name: "Waves", formula: "sin(4*x_1)*cos(3*x_2)", range: UNIT, widths: [2, 4, 1] },
  { name: "Maximum", formula: "max(x_1, x_2)", range: UNIT, widths: [2, 3, 1] },
  { name: "Two lenses", formula: "1/(1/x_1 + 1/x_2)", range: [1, 5], widths: [2, 3, 1] },
  { name: "Three inputs", formula: "x_1*x_2 + x_3^2", range: UNIT, widths: [3, 3, 1] },
  {
    name: "Four inputs, three layers",
    formula: "exp((sin(pi*(x_1^2 + x_2^2)) + sin(pi*(x_3^2 + x_4^2)))/2)",
    range: UNIT,
    widths: [4, 2, 1, 1],
  },
  { name: "One input: a damped wave", formula: "exp(-x)*sin(3*x)", range: [0, 6], widths: [1, 1] },
  { name: "One input: Runge's curve", formula: "1/(1 + 25*x^2)", range: UNIT, widths: [1, 1] },
  { name: "One input: a step", formula: "tanh(20*x)", range: UNIT, widths: [1, 1] },
];
