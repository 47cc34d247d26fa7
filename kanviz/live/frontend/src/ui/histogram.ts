/** How often values fall where, as numbers and as bars. */

import { s } from "./dom";
import { extent } from "./numbers";

/** Counts values in bins of equal width from the least to the greatest. */
export function counts(values: ArrayLike<number>, bins: number): number[] {
  const [low, high] = extent(values) ?? [0, 1];
  const found = new Array<number>(bins).fill(0);
  const width = (high - low) / bins || 1;
  for (let n = 0; n < values.length; n++) {
    found[Math.min(Math.floor((values[n] - low) / width), bins - 1)]++;
  }
  return found;
}

/** A bar for each count within a box; what is there can be seen, however little it is. */
export function bars(
  found: readonly number[],
  box: { x: number; y: number; width: number; height: number },
  kindOf: (bin: number) => string | null = () => null,
): SVGRectElement[] {
  const most = Math.max(1, ...found);
  const step = box.width / found.length;
  return found.map((count, bin) => {
    const height = count ? Math.max(1, (count / most) * box.height) : 0;
    const place = { x: box.x + bin * step + 0.5, y: box.y + box.height - height };
    return s("rect", { class: kindOf(bin), ...place, width: step - 1, height });
  });
}
