/** `.kan` files, as kanviz/files/model_file.py writes and reads them; nothing in one is ever run. */

import type { Affine, FormulaRecipe, LayerRecipe, Recipe } from "../contract";
import { featureCount } from "../math/features";
import { parseLaw } from "../math/parse";

/** What a file says of the functions that are formulas: as text, and how good it is. */
export interface Named {
  layer: number;
  i: number;
  j: number;
  name: string;
  /** f in terms of x, as kanviz writes it. */
  formula: string;
  complexity: number;
  domain: [number | null, number | null];
  quality: number | null;
}

/** A network with all that a file tells of it. */
export interface Saved {
  recipe: Recipe;
  inputNames: string[];
  outputNames: string[];
  named: Named[];
  /** Some inputs, (rows, inputs), in the network's units. */
  sample: Float64Array | null;
}

type Kind = "F64" | "F32" | "I64" | "BOOL";

interface Tensor {
  kind: Kind;
  shape: number[];
  bytes: Uint8Array;
}

const TORCH: Record<Kind, string> = {
  F64: "torch.float64",
  F32: "torch.float32",
  I64: "torch.int64",
  BOOL: "torch.bool",
};

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);

/** Writes a network as a file that `kv.load` reads. */
export function written(saved: Saved): Uint8Array {
  const tensors = tensorsOf(saved);
  const header: Record<string, unknown> = headerOf(saved);
  header.checksum = checksum(header, tensors);
  let at = 0;
  const places: Record<string, unknown> = { __metadata__: { kanviz: pythonJson(header) } };
  const names = [...tensors.keys()].sort((a, b) => size(tensors, b) - size(tensors, a));
  for (const name of names) {
    const { kind, shape, bytes } = tensors.get(name)!;
    places[name] = { dtype: kind, shape, data_offsets: [at, at + bytes.length] };
    at += bytes.length;
  }
  const text = JSON.stringify(places);
  const head = encode(text + " ".repeat((8 - (encode(text).length % 8)) % 8));
  const content = new Uint8Array(8 + head.length + at);
  new DataView(content.buffer).setBigUint64(0, BigInt(head.length), true);
  content.set(head, 8);
  let end = 8 + head.length;
  for (const name of names) {
    content.set(tensors.get(name)!.bytes, end);
    end += tensors.get(name)!.bytes.length;
  }
  return content;
}

const WIDTHS: Record<Kind, number> = { F64: 8, I64: 8, F32: 4, BOOL: 1 };

/** Numbers of eight bytes come first, so that every tensor stands at a multiple of its size. */
const size = (tensors: Map<string, Tensor>, name: string): number =>
  WIDTHS[tensors.get(name)!.kind];

function tensorsOf({ recipe, named, sample }: Saved): Map<string, Tensor> {
  const found = new Map<string, Tensor>();
  const put = (
    name: string,
    shape: number[],
    values: Float64Array | BigInt64Array | Uint8Array,
  ) => {
    const kind =
      values instanceof Float64Array ? "F64" : values instanceof Uint8Array ? "BOOL" : "I64";
    const bytes = new Uint8Array(
      values.buffer.slice(values.byteOffset, values.byteOffset + values.byteLength),
    );
    found.set(name, { kind, shape, bytes });
  };
  recipe.layers.forEach((layer, at) => {
    const { inputs, outputs, weight, knots, mask } = layer;
    const edges = [inputs, outputs];
    put(`layers.${at}.weight`, [inputs, featureCount(layer), outputs], weight);
    put(`layers.${at}.knots`, [inputs, knots.length / inputs], knots);
    put(`layers.${at}.mask`, edges, mask);
    put(`layers.${at}.frozen`, edges, new Uint8Array(inputs * outputs));
    const own = BigInt64Array.from({ length: inputs * outputs }, (_, n) => BigInt(n));
    put(`layers.${at}.leaders`, edges, own);
    const mine = named.filter((one) => one.layer === at);
    if (mine.length === 0) return;
    const column = (of: (one: Named) => number): BigInt64Array =>
      BigInt64Array.from(mine, (one) => BigInt(of(one)));
    put(
      `layers.${at}.inputs`,
      [mine.length],
      column((one) => one.i),
    );
    put(
      `layers.${at}.outputs`,
      [mine.length],
      column((one) => one.j),
    );
    const affine = mine.flatMap((one) => [...formulaOf(layer, one).affine]);
    put(`layers.${at}.affine`, [mine.length, 4], Float64Array.from(affine));
  });
  const width = recipe.layers[0].inputs;
  if (sample?.length) put("sample", [sample.length / width, width], sample);
  return found;
}

function formulaOf(layer: LayerRecipe, { i, j }: { i: number; j: number }): FormulaRecipe {
  return layer.formulas.find((one) => one.i === i && one.j === j)!;
}

function headerOf({ recipe, inputNames, outputNames, named }: Saved): Record<string, unknown> {
  const { layers, x_shift, x_scale, y_shift, y_scale } = recipe;
  const family = ({ grid_size, spline_order, basis, base, extrapolation }: LayerRecipe) => ({
    ...{ grid_size, spline_order, basis, base, extrapolation },
  });
  const scaling = (shift: Float64Array, scale: Float64Array) => ({
    shift: Array.from(shift),
    scale: Array.from(scale),
  });
  return {
    format: "kanviz",
    version: 1,
    widths: [layers[0].inputs, ...layers.map((layer) => layer.outputs)],
    layers: layers.map((layer, at) => {
      const mine = named.filter((one) => one.layer === at);
      const record = ({ name, formula, complexity, domain }: Named) => ({
        ...{ name, formula, complexity, domain },
      });
      return {
        spec: { ...family(layer), uniform: layer.uniform },
        trains: true,
        symbols: mine.length ? mine.map(record) : null,
        quality: mine.length ? mine.map((one) => one.quality) : null,
      };
    }),
    made_with: { ...family(layers[0]), dtype: "float64" },
    about: {
      input_names: inputNames,
      output_names: outputNames,
      x_scaling: scaling(x_shift, x_scale),
      y_scaling: scaling(y_shift, y_scale),
      classes: null,
      categories: {},
    },
    doubt: null,
  };
}

/** A hash of everything in the file but itself. */
function checksum(header: Record<string, unknown>, tensors: Map<string, Tensor>): string {
  const { checksum: _, ...rest } = header;
  const parts = [encode(pythonJson(rest))];
  for (const name of [...tensors.keys()].sort()) {
    const { kind, shape, bytes } = tensors.get(name)!;
    const tuple = shape.length === 1 ? `(${shape[0]},)` : `(${shape.join(", ")})`;
    parts.push(encode(`${name} ${TORCH[kind]} ${tuple}`), bytes);
  }
  return sha256(parts);
}

/** Text of JSON as Python's `json.dumps(value, sort_keys=True)` writes it. */
export function pythonJson(value: unknown): string {
  if (typeof value === "number") return pythonNumber(value);
  if (typeof value === "string")
    return JSON.stringify(value).replace(
      /[\u007f-\uffff]/g,
      (letter) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, "0")}`,
    );
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(", ")}]`;
  if (value !== null && typeof value === "object") {
    const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
    return `{${entries.map(([name, one]) => `${pythonJson(name)}: ${pythonJson(one)}`).join(", ")}}`;
  }
  return JSON.stringify(value);
}

/** A number as Python's `repr`: the same shortest digits, another exponent. */
function pythonNumber(value: number): string {
  if (Number.isInteger(value) && Math.abs(value) < 2 ** 53)
    return Object.is(value, -0) ? "-0.0" : String(value);
  const [digits, power] = value.toExponential().split("e");
  const exponent = Number(power);
  if (exponent >= -4 && exponent < 16) {
    const plain = String(value);
    return plain.includes("e")
      ? value.toFixed(digits.replace(/[-.]/g, "").length - 1 - exponent)
      : plain;
  }
  const sign = exponent < 0 ? "-" : "+";
  return `${digits}e${sign}${String(Math.abs(exponent)).padStart(2, "0")}`;
}

/** Reads a file that kanviz, or this page, wrote. */
export function readKan(content: ArrayBuffer): Saved {
  const tensors = new Map<string, Tensor>();
  let header: Header;
  try {
    const length = Number(new DataView(content).getBigUint64(0, true));
    const places = JSON.parse(new TextDecoder().decode(new Uint8Array(content, 8, length)));
    for (const [name, place] of Object.entries<Place>(places)) {
      if (name === "__metadata__") continue;
      const [from, to] = place.data_offsets;
      const bytes = new Uint8Array(content.slice(8 + length + from, 8 + length + to));
      tensors.set(name, { kind: place.dtype, shape: place.shape, bytes });
    }
    header = JSON.parse(places.__metadata__.kanviz);
  } catch {
    throw new Error("The file is no .kan file, or it is damaged.");
  }
  if (header.format !== "kanviz" || header.version > 2)
    throw new Error("The file was written by a newer kanviz.");
  if (header.version === 2)
    throw new Error(
      "The network of the file has nodes that multiply; the playground has sums only.",
    );
  try {
    return savedOf(header, tensors);
  } catch (error) {
    const why = error instanceof Error ? error.message : "";
    throw new Error(`The file cannot be shown here: ${why}`);
  }
}

interface Place {
  dtype: Kind;
  shape: number[];
  data_offsets: [number, number];
}

interface Header {
  format: string;
  version: number;
  widths: number[];
  layers: {
    spec: Pick<
      LayerRecipe,
      "grid_size" | "spline_order" | "basis" | "base" | "extrapolation" | "uniform"
    >;
    symbols: (Omit<Named, "layer" | "i" | "j" | "quality"> & { constants?: string[] })[] | null;
    quality?: (number | null)[] | null;
  }[];
  about: {
    input_names: string[];
    output_names: string[];
    x_scaling: { shift: number[]; scale: number[] };
    y_scaling: { shift: number[]; scale: number[] };
    classes?: unknown[] | null;
  };
}

function savedOf({ widths, layers, about }: Header, tensors: Map<string, Tensor>): Saved {
  if (about.classes) throw new Error("it tells classes apart; the playground learns numbers.");
  const named: Named[] = [];
  const recipes = layers.map((record, at): LayerRecipe => {
    const take = (name: string): Float64Array => numbersOf(tensors, `layers.${at}.${name}`);
    const [inputs, outputs] = [widths[at], widths[at + 1]];
    const { spec, symbols } = record;
    const formulas = (symbols ?? []).map((one, n): FormulaRecipe => {
      if (one.constants?.length) throw new Error(`${one.name} has constants of its own.`);
      const [i, j] = [take("inputs")[n], take("outputs")[n]];
      const affine = Array.from(take("affine").subarray(4 * n, 4 * n + 4)) as Affine;
      named.push({ ...one, layer: at, i, j, quality: record.quality?.[n] ?? null });
      return { i, j, affine, ...programOf(one.formula) };
    });
    const padding = spec.basis === "bspline" ? spec.spline_order : 2;
    const mask = Uint8Array.from(take("mask"));
    const owners: number[] = [];
    const layer = {
      ...spec,
      inputs,
      outputs,
      owners,
      padding,
      knots: take("knots"),
      mask,
      formulas,
    };
    const made: LayerRecipe = { ...layer, weight: take("weight") };
    if (
      made.weight.length !== inputs * featureCount(made) * outputs ||
      mask.length !== inputs * outputs
    )
      throw new Error("its numbers do not fit its widths.");
    return made;
  });
  const row = (values: number[]): Float64Array => Float64Array.from(values);
  const recipe: Recipe = {
    layers: recipes,
    x_shift: row(about.x_scaling.shift),
    x_scale: row(about.x_scaling.scale),
    y_shift: row(about.y_scaling.shift),
    y_scale: row(about.y_scaling.scale),
  };
  const sample = tensors.has("sample") ? numbersOf(tensors, "sample") : null;
  return { recipe, inputNames: about.input_names, outputNames: about.output_names, named, sample };
}

/** The steps of a function of x, whose formula may name no input, as that of a constant. */
export function programOf(formula: string): Pick<FormulaRecipe, "steps" | "output"> {
  const { inputs, steps, output } = parseLaw(formula);
  if (inputs.length !== 1 || inputs[0] !== "x") throw new Error(`${formula} is no function of x.`);
  return { steps, output };
}

function numbersOf(tensors: Map<string, Tensor>, name: string): Float64Array {
  const tensor = tensors.get(name);
  if (!tensor) throw new Error(`it has no ${name}.`);
  const { buffer } = tensor.bytes;
  if (tensor.kind === "F64") return new Float64Array(buffer as ArrayBuffer);
  if (tensor.kind === "F32") return Float64Array.from(new Float32Array(buffer as ArrayBuffer));
  if (tensor.kind === "I64")
    return Float64Array.from(new BigInt64Array(buffer as ArrayBuffer), Number);
  return Float64Array.from(tensor.bytes);
}

/** SHA-256 (FIPS 180-4); the browser's own is not there on every page from a file or a class's server. */
export function sha256(parts: readonly Uint8Array[]): string {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const blocks = new Uint8Array(Math.ceil((length + 9) / 64) * 64);
  let at = 0;
  for (const part of parts) {
    blocks.set(part, at);
    at += part.length;
  }
  blocks[at] = 0x80;
  const view = new DataView(blocks.buffer);
  view.setBigUint64(blocks.length - 8, BigInt(8 * length));
  const { keys, start } = constants();
  const state = start.slice();
  const w = new Uint32Array(64);
  for (let block = 0; block < blocks.length; block += 64) {
    for (let n = 0; n < 16; n++) w[n] = view.getUint32(block + 4 * n);
    for (let n = 16; n < 64; n++) {
      const [a, b] = [w[n - 15], w[n - 2]];
      const low = turned(a, 7) ^ turned(a, 18) ^ (a >>> 3);
      const high = turned(b, 17) ^ turned(b, 19) ^ (b >>> 10);
      w[n] = w[n - 16] + low + w[n - 7] + high;
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let n = 0; n < 64; n++) {
      const one =
        h + (turned(e, 6) ^ turned(e, 11) ^ turned(e, 25)) + ((e & f) ^ (~e & g)) + keys[n] + w[n];
      const two = (turned(a, 2) ^ turned(a, 13) ^ turned(a, 22)) + ((a & b) ^ (a & c) ^ (b & c));
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + one) >>> 0, c, b, a, (one + two) >>> 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, n) => (state[n] += word));
  }
  return Array.from(state, (word) => word.toString(16).padStart(8, "0")).join("");
}

const turned = (word: number, by: number): number => (word >>> by) | (word << (32 - by));

/** The first 32 bits of the fractional parts of roots of the first primes. */
function constants(): { keys: Uint32Array; start: Uint32Array } {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((p) => n % p)) primes.push(n);
  const part = (root: number): number => Math.floor((root % 1) * 2 ** 32);
  return {
    keys: Uint32Array.from(primes, (p) => part(Math.cbrt(p))),
    start: Uint32Array.from(primes.slice(0, 8), (p) => part(Math.sqrt(p))),
  };
}
