/** The colours of the style sheet as numbers, for the canvas and for SVG that stands alone. */

export const NAMES = [
  "paper",
  "panel",
  "ink",
  "muted",
  "hair",
  "spline",
  "symbolic",
  "pruned",
  "accent",
  "warn",
] as const;
export type Name = (typeof NAMES)[number];

type Rgb = readonly [number, number, number];

export class Palette {
  private colors = new Map<Name, Rgb>();
  private mixed = new Map<string, string>();

  /** Reads the colours that apply within `root`; true if one is another than before. */
  read(root: HTMLElement): boolean {
    const probe = document.createElement("span");
    probe.hidden = true;
    root.append(probe);
    const before = this.colors;
    this.colors = new Map(NAMES.map((name) => [name, colorOf(probe, name)]));
    probe.remove();
    this.mixed.clear();
    return NAMES.some((name) => String(before.get(name)) !== String(this.colors.get(name)));
  }

  /**
   * Returns `share` of a colour laid on paper. Pale lines are mixed rather than see-through: many
   * of them over each other stay pale.
   */
  mix(name: Name, share = 1, ground: Name = "paper"): string {
    const key = `${name} ${ground} ${Math.round(share * 50)}`;
    let found = this.mixed.get(key);
    if (!found) {
      const top = this.colors.get(name) ?? [128, 128, 128];
      const under = this.colors.get(ground) ?? [255, 255, 255];
      const parts = top.map((c, n) => Math.round(c * share + under[n] * (1 - share)));
      found = `rgb(${parts.join(", ")})`;
      this.mixed.set(key, found);
    }
    return found;
  }
}

function colorOf(probe: HTMLElement, name: Name): Rgb {
  probe.style.color = `var(--kv-${name})`;
  const parts = getComputedStyle(probe)
    .color.match(/[\d.]+/g)
    ?.map(Number);
  return parts && parts.length >= 3 ? [parts[0], parts[1], parts[2]] : [128, 128, 128];
}
