/** The formula of a network whose curves are known functions, put together and tidied. */

import type { FormulaText, Recipe } from "../contract";
import { deviation } from "../math/evaluate";
import { apply, power as powerOf } from "../math/formula";
import type { Named } from "./kan_file";

/** A sum of terms with a constant. */
interface Sum {
  terms: { c: number; atom: Atom }[];
  constant: number;
}

/** An input, or a function of a sum; of powers `fn` is "^" and the power stands beside it. */
interface Atom {
  fn: string;
  inner: Sum | null;
  /** Of an input. */
  name: string;
  power: number;
  /** What it is on some rows, which tell what is dust. */
  values: Float64Array;
}

/** Terms and constants below this share of the spread of a sum are dust of the fit. */
const DUST = 1e-4;
/** Numbers that are so near to a simple one are taken for it. */
const NEAR = 3e-4;
/** Terms of a formula that can be read. */
const MOST_TERMS = 40;
/** Rows that tell what is dust. */
const MOST_ROWS = 60;

/** Returns the formula, or null where a curve has no name; `sample` are rows in the user's units. */
export function formulaOf(
  recipe: Recipe,
  names: readonly Named[],
  inputs: readonly string[],
  sample: Float64Array,
): FormulaText | null {
  const known = new Map(names.map((one) => [[one.layer, one.i, one.j].join(), one.name]));
  const rows = Math.min(MOST_ROWS, sample.length / inputs.length);
  let nodes: Sum[] = inputs.map((name, i) => {
    const values = Float64Array.from({ length: rows }, (_, row) => sample[row * inputs.length + i]);
    return {
      terms: [{ c: 1 / recipe.x_scale[i], atom: inputAtom(name, values) }],
      constant: -recipe.x_shift[i] / recipe.x_scale[i],
    };
  });
  let isWhole = true;
  recipe.layers.forEach((layer, at) => {
    nodes = Array.from({ length: layer.outputs }, (_, j) => {
      const parts: Sum[] = [];
      for (let i = 0; i < layer.inputs; i++) {
        if (!layer.mask[i * layer.outputs + j]) continue;
        const formula = layer.formulas.find((one) => one.i === i && one.j === j);
        const name = known.get([at, i, j].join());
        if (!formula || !name) {
          isWhole = false;
          continue;
        }
        parts.push(applied(name, formula.affine, nodes[i]));
      }
      return tidy(added(parts));
    });
  });
  if (!isWhole || nodes.length !== 1) return null;
  const whole = tidy(plus(scaled(nodes[0], recipe.y_scale[0]), recipe.y_shift[0]));
  if (sizeOf(whole) > MOST_TERMS) return null;
  return {
    text: printed(whole, TEXT),
    mathml: `<math>${printed(whole, MATHML)}</math>`,
    latex: printed(whole, LATEX),
    python: printed(whole, PYTHON),
  };
}

const scaled = ({ terms, constant }: Sum, by: number): Sum => ({
  terms: terms.map(({ c, atom }) => ({ c: c * by, atom })),
  constant: constant * by,
});
const plus = (sum: Sum, constant: number): Sum => ({ ...sum, constant: sum.constant + constant });
const added = (parts: readonly Sum[]): Sum => ({
  terms: parts.flatMap((part) => part.terms),
  constant: parts.reduce((total, part) => total + part.constant, 0),
});
const sizeOf = ({ terms }: Sum): number =>
  terms.reduce((total, { atom }) => total + 1 + (atom.inner ? sizeOf(atom.inner) : 0), 0);

/** Joins equal terms, and leaves out what is dust. */
function tidy({ terms, constant }: Sum): Sum {
  const joined = new Map<string, { c: number; atom: Atom }>();
  for (const { c, atom } of terms) {
    const key = printed({ terms: [{ c: 1, atom }], constant: 0 }, TEXT);
    joined.set(key, { c: c + (joined.get(key)?.c ?? 0), atom });
  }
  const all = [...joined.values()];
  const whole = deviation(valuesOf({ terms: all, constant }), 0, 1);
  return {
    terms: all.filter(({ c, atom }) => Math.abs(c) * deviation(atom.values, 0, 1) > DUST * whole),
    constant: Math.abs(constant) > DUST * whole ? constant : 0,
  };
}

function valuesOf({ terms, constant }: Sum): Float64Array {
  const rows = terms[0]?.atom.values.length ?? 0;
  return Float64Array.from({ length: rows }, (_, row) =>
    terms.reduce((sum, { c, atom }) => sum + c * atom.values[row], constant),
  );
}

const inputAtom = (name: string, values: Float64Array): Atom => ({
  ...{ fn: "", inner: null, name, power: 1, values },
});

/** A function of a sum, with its values; of powers `fn` is "^". */
function atomOf(fn: string, inner: Sum, power = 1): Atom {
  const values = valuesOf(inner).map((value) =>
    fn === "^" ? powerOf(value, power) : apply(fn, [value], null),
  );
  return { fn, inner, name: "", power, values };
}

/** c f(a u + b) + d, with what can be taken out of f taken out. */
function applied(name: string, [a, b, c, d]: readonly number[], u: Sum): Sum {
  const z = tidy(plus(scaled(u, a), b));
  if (!z.terms.length) return { terms: [], constant: d };
  const made = (factor: number, fn: string, inner: Sum, power = 1, more = 0): Sum => ({
    terms: [{ c: factor, atom: atomOf(fn, inner, power) }],
    constant: d + more,
  });
  const lead = z.terms[0].c;
  const unit = tidy(scaled(z, 1 / lead));
  const power = POWERS[name];
  if (name === "x") return plus(scaled(z, c), d);
  if (name === "exp") return made(c * Math.exp(z.constant), "exp", { ...z, constant: 0 });
  if (power === 2 && z.terms.length === 1) {
    // (t + q)^2 = t^2 + 2 q t + q^2, which joins what others bring.
    const { atom } = z.terms[0];
    const q = unit.constant;
    const square =
      atom.fn === "^" && atom.inner
        ? atomOf("^", atom.inner, 2 * atom.power)
        : atomOf("^", { terms: [{ c: 1, atom }], constant: 0 }, 2);
    const size = c * lead ** 2;
    return {
      terms: [
        { c: size, atom: square },
        { c: 2 * q * size, atom },
      ],
      constant: d + size * q * q,
    };
  }
  if (power !== undefined) {
    const isFree = Number.isInteger(power) || lead > 0;
    return isFree ? made(c * lead ** power, "^", unit, power) : made(c, "^", z, power);
  }
  if (name === "abs") return made(c * Math.abs(lead), "abs", unit);
  if (name === "log" && lead > 0) return made(c, "log", unit, 1, c * Math.log(lead));
  if (name === "gaussian") return made(c, "exp", tidy(negativeSquare(z)));
  if (name === "1/(1+x^2)") return made(c, "^", tidy(plus(scaled(negativeSquare(z), -1), 1)), -1);
  if (name === "sin" || name === "cos") {
    const [sign, fn, inner] = waved(name, z);
    return made(sign * c, fn, inner);
  }
  return made(c, name, z);
}

const POWERS: Record<string, number> = {
  "x^2": 2,
  "x^3": 3,
  "x^4": 4,
  "1/x": -1,
  "1/x^2": -2,
  sqrt: 0.5,
};

function negativeSquare(z: Sum): Sum {
  return applied("x^2", [1, 0, -1, 0], z);
}

/** A sine or cosine with as little phase as may be. */
function waved(name: "sin" | "cos", z: Sum): [sign: number, fn: string, inner: Sum] {
  // As a sine: cos z = sin(z + pi/2); then z has a first factor above 0.
  let inner = name === "cos" ? plus(z, Math.PI / 2) : z;
  let sign = 1;
  if (inner.terms[0].c < 0) [inner, sign] = [scaled(inner, -1), -1];
  const turns = Math.round((2 * inner.constant) / Math.PI);
  const rest = inner.constant - (turns * Math.PI) / 2;
  const quarter = ((turns % 4) + 4) % 4;
  if (quarter >= 2) sign = -sign;
  const small = Math.abs(rest) < 10 * NEAR ? 0 : rest;
  return [sign, quarter % 2 ? "cos" : "sin", { ...inner, constant: small }];
}

/** A number as people would write it, with the text of what it is near to. */
function simple(value: number): { digits: string; pi: boolean } {
  const size = Math.abs(value);
  for (const [unit, pi] of [
    [1, false],
    [Math.PI, true],
  ] as const) {
    for (const parts of [1, 2, 4]) {
      const n = Math.round((size * parts) / unit);
      if (n > 0 && n <= 40 * parts && Math.abs((n * unit) / parts - size) < NEAR * size)
        return { digits: String(n / parts), pi };
    }
  }
  const text =
    size >= 1e5 || size < 1e-3 ? size.toExponential(2) : String(Number(size.toPrecision(4)));
  return { digits: text, pi: false };
}

/** How a kind of text writes its parts. */
interface Style {
  number(digits: string): string;
  pi: string;
  name(name: string): string;
  call(fn: string, inner: string): string;
  power(base: string, isPlain: boolean, power: number): string;
  times: string;
  plus: string;
  minus: string;
}

function printed({ terms, constant }: Sum, style: Style): string {
  const parts = terms.map(({ c, atom }) => {
    const { digits, pi } = simple(c);
    const factors = [
      ...(digits === "1" ? [] : [style.number(digits)]),
      ...(pi ? [style.pi] : []),
      atomText(atom, style),
    ];
    return { negative: c < 0, text: factors.join(style.times) };
  });
  if (constant !== 0 || !parts.length) {
    const { digits, pi } = simple(constant);
    const text = [
      ...(pi && digits === "1" ? [] : [style.number(constant ? digits : "0")]),
      ...(pi ? [style.pi] : []),
    ];
    parts.push({ negative: constant < 0, text: text.join(style.times) });
  }
  // What is positive comes first.
  parts.sort((one, two) => Number(one.negative) - Number(two.negative));
  return parts
    .map(
      ({ negative, text }, n) =>
        (n ? (negative ? style.minus : style.plus) : negative ? style.minus.trim() : "") + text,
    )
    .join("");
}

function atomText({ fn, inner, name, power }: Atom, style: Style): string {
  if (inner === null) return style.name(name);
  const [only] = inner.terms;
  const isPlain =
    inner.terms.length === 1 && inner.constant === 0 && only.c === 1 && only.atom.fn !== "^";
  const text = printed(inner, style);
  if (fn !== "^") return style.call(fn, text);
  return power === 0.5 ? style.call("sqrt", text) : style.power(text, isPlain, power);
}

const TEXT: Style = {
  number: (digits) => digits,
  pi: "pi",
  name: (name) => name,
  call: (fn, inner) => `${fn}(${inner})`,
  power: (base, isPlain, power) =>
    `${isPlain ? base : `(${base})`}^${power < 0 ? `(${power})` : power}`,
  times: "*",
  plus: " + ",
  minus: " - ",
};

const NUMPY: Record<string, string> = { abs: "abs", arctan: "arctan" };

const PYTHON: Style = {
  ...TEXT,
  pi: "np.pi",
  call: (fn, inner) => `np.${NUMPY[fn] ?? fn}(${inner})`,
  power: (base, isPlain, power) =>
    `${isPlain ? base : `(${base})`}**${power < 0 ? `(${power})` : power}`,
};

const LATEX: Style = {
  number: (digits) =>
    digits.replace(/e([-+]?)(\d+)/, (_, sign, n) => ` \\cdot 10^{${sign === "-" ? "-" : ""}${n}}`),
  pi: "\\pi",
  name: (name) => name.replace(/^(.*?)_?(\d+)$/, "$1_{$2}"),
  call: (fn, inner) =>
    fn === "sqrt"
      ? `\\sqrt{${inner}}`
      : fn === "abs"
        ? `\\left|${inner}\\right|`
        : `\\${fn === "log" ? "ln" : fn}\\left(${inner}\\right)`,
  power: (base, isPlain, power) =>
    power === -1 ? `\\frac{1}{${base}}` : `${isPlain ? base : `\\left(${base}\\right)`}^{${power}}`,
  times: " ",
  plus: " + ",
  minus: " - ",
};

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
const paren = (inner: string): string =>
  `<mrow><mo stretchy="false">(</mo>${inner}<mo stretchy="false">)</mo></mrow>`;

const MATHML: Style = {
  number: (digits) => {
    const [front, power] = digits.split("e");
    const base = `<mn>${front}</mn>`;
    return power === undefined
      ? base
      : `${base}<mo>\u00b7</mo><msup><mn>10</mn><mn>${Number(power)}</mn></msup>`;
  },
  pi: "<mi>\u03c0</mi>",
  name: (name) => {
    const found = /^(.*?)_?(\d+)$/.exec(name);
    return found?.[1]
      ? `<msub><mi>${escaped(found[1])}</mi><mn>${found[2]}</mn></msub>`
      : `<mi>${escaped(name)}</mi>`;
  },
  call: (fn, inner) =>
    fn === "sqrt"
      ? `<msqrt>${inner}</msqrt>`
      : fn === "abs"
        ? `<mrow><mo stretchy="false">|</mo>${inner}<mo stretchy="false">|</mo></mrow>`
        : `<mi>${fn}</mi>${paren(inner)}`,
  power: (base, isPlain, power) =>
    power === -1
      ? `<mfrac><mn>1</mn><mrow>${base}</mrow></mfrac>`
      : `<msup><mrow>${isPlain ? base : paren(base)}</mrow><mn>${power}</mn></msup>`,
  times: '<mspace width="0.15em"/>',
  plus: '<mo form="infix">+</mo>',
  minus: '<mo form="infix">\u2212</mo>',
};

/** One edge, in the user's units as its curve is, over the places of the curve. */
export function edgeFormula(
  name: string,
  affine: readonly number[],
  places: Float64Array,
): { formula: string; mathml: string } {
  const x: Sum = { terms: [{ c: 1, atom: inputAtom("x", places) }], constant: 0 };
  const made = tidy(applied(name, affine, x));
  return { formula: printed(made, TEXT), mathml: `<math>${printed(made, MATHML)}</math>` };
}
