/** What Python computed for these tests; without it they are skipped. */

import { readFileSync } from "node:fs";
import { unpack } from "../src/codec";

const path = process.env.KANVIZ_FIXTURE;

export const skip = path ? false : "tests/test_frontend.py makes the fixture";

export function fixture<T>(): T {
  const bytes = readFileSync(path!);
  return unpack<T>(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength));
}
