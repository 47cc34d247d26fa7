/** Rows of the user's own: a file of comma separated values, which stays in the page, or points. */

import { uniform } from "../math/random";
import { type Data, type Table, withUnits } from "./data";

/** A table of numbers; the last column is what is learnt. */
export interface OwnTable {
  /** What it is called in the page. */
  title: string;
  names: string[];
  /** (rows, columns). */
  values: number[][];
  /** The ends of the inputs, where the values do not tell them. */
  ends?: [number, number];
}

/** The title of points that a hand draws. */
export const DRAWN = "Points drawn by hand";

/** Points to begin with. */
export const FIRST_POINTS: OwnTable = {
  title: DRAWN,
  names: ["x", "y"],
  values: [0.02, 0.14, 0.27, 0.38, 0.5, 0.61, 0.74, 0.86, 0.98].map((x, n) => [
    x,
    [0.1, 0.5, 0.75, 0.6, 0.3, 0.25, 0.5, 0.8, 0.7][n],
  ]),
  ends: [0, 1],
};

const [MOST_ROWS, MOST_INPUTS, LEAST_ROWS] = [5000, 8, 8];
/** Share of the rows that is kept aside to judge. */
const TEST_SHARE = 0.2;

/** Reads a file with a header line; columns that hold anything but numbers are left out. */
export function readCsv(text: string, title: string): OwnTable {
  const lines = text
    .replace(/^\ufeff/, "")
    .split(/\r?\n/)
    .filter((line) => line.trim());
  if (lines.length < 2) throw new Error("The file needs a header line and rows below it.");
  const counts = [";", "\t", ","].map((sign) => [sign, lines[0].split(sign).length] as const);
  const [sign] = counts.reduce((best, one) => (one[1] > best[1] ? one : best));
  const cells = (line: string): string[] =>
    line.split(sign).map((cell) => cell.trim().replace(/^"(.*)"$/, "$1"));
  const header = cells(lines[0]);
  const numberOf = (cell: string | undefined): number => {
    if (!cell) return NaN;
    // Where a comma does not part the cells, it is a decimal point.
    return Number(sign === "," ? cell : cell.replace(",", "."));
  };
  const rows = lines.slice(1, MOST_ROWS + 1).map((line) => cells(line).map(numberOf));
  const kept = header
    .map((_, at) => at)
    .filter((at) => rows.filter((row) => Number.isFinite(row[at])).length > rows.length / 2);
  if (kept.length < 2) throw new Error("The file needs two columns of numbers at least.");
  const chosen = [...kept.slice(0, -1).slice(0, MOST_INPUTS), kept[kept.length - 1]];
  const values = rows
    .map((row) => chosen.map((at) => row[at]))
    .filter((row) => row.every(Number.isFinite));
  if (values.length < LEAST_ROWS)
    throw new Error(
      `The file needs ${LEAST_ROWS} rows of numbers at least; it has ${values.length}.`,
    );
  const names = chosen.map((at, n) => header[at] || `x_${n + 1}`);
  if (new Set(names).size < names.length) throw new Error("Two columns of the file have one name.");
  return { title, names, values };
}

/** The rows of a table, a part of them kept aside. */
export function tableData({ names, values, ends: given }: OwnTable, seed: number): Data {
  const next = uniform(seed);
  const shuffled = values.map((row) => ({ row, at: next() })).sort((a, b) => a.at - b.at);
  // Of few points none can be spared.
  const aside = values.length >= 25 ? Math.round(TEST_SHARE * values.length) : 0;
  const width = names.length - 1;
  const part = (rows: typeof shuffled): Table => ({
    x: Float64Array.from(rows.flatMap(({ row }) => row.slice(0, width))),
    y: Float64Array.from(rows, ({ row }) => row[width]),
    count: rows.length,
  });
  const column = (i: number): number[] => values.map((row) => row[i]);
  const ends = (pick: (...all: number[]) => number, end?: number): Float64Array =>
    Float64Array.from({ length: width }, (_, i) => end ?? pick(...column(i)));
  return withUnits({
    inputNames: names.slice(0, width),
    outputName: names[width],
    ...{ law: null, low: ends(Math.min, given?.[0]), high: ends(Math.max, given?.[1]) },
    ...{ test: part(shuffled.slice(0, aside)), train: part(shuffled.slice(aside)) },
  });
}
