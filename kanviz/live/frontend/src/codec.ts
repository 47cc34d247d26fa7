/**
 * Reads what Python packs: a JSON text with the arrays behind it.
 *
 * The bytes are a little-endian uint32 (the length of the text), the text, padded such that both
 * take a multiple of 8 bytes, then the arrays, each at a multiple of 8. In the text an array stands
 * as `{"$": "f8" | "f4" | "u1", "at": offset after the padding, "n": length}`.
 */

type Packed = Float64Array | Float32Array | Uint8Array;

interface Place {
  $: "f8" | "f4" | "u1";
  at: number;
  n: number;
}

const KINDS = { f8: Float64Array, f4: Float32Array, u1: Uint8Array };

/** Returns what was packed; the bytes may begin at any offset of their buffer and are copied. */
export function unpack<T>(data: DataView | ArrayBuffer): T {
  const view = data instanceof ArrayBuffer ? new DataView(data) : data;
  const end = view.byteOffset + view.byteLength;
  const bytes = (view.buffer as ArrayBuffer).slice(view.byteOffset, end);
  const length = view.getUint32(0, true);
  const text = new TextDecoder().decode(new Uint8Array(bytes, 4, length));
  const start = Math.ceil((4 + length) / 8) * 8;
  return JSON.parse(text, (_, value) => (isPlace(value) ? array(bytes, start, value) : value)) as T;
}

function isPlace(value: unknown): value is Place {
  return typeof value === "object" && value !== null && "$" in value;
}

function array(bytes: ArrayBuffer, start: number, place: Place): Packed {
  return new KINDS[place.$](bytes, start + place.at, place.n);
}

/** Whether there are bytes at all: a trait that was never set is empty. */
export function isFilled(data: unknown): data is DataView {
  return data instanceof DataView && data.byteLength > 4;
}
