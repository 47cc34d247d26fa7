/** The diagram as it is seen, as an SVG that needs no style sheet. */

import { CROSS, RAISED, SMALL } from "../tokens";
import { s } from "../ui/dom";
import { type Layout, shrunk } from "./layout";
import { type Look, paintEdges } from "./painter";
import { circle, cross, factorsPath } from "./paths";
import { type Camera, SvgPen } from "./pen";

const FONT = "system-ui, sans-serif";

/** Draws edges, nodes and words; formulas stand as plain text. */
export function standalone(
  look: Look,
  layout: Layout,
  camera: Camera,
  words: SVGGElement,
  title: string,
): SVGSVGElement {
  const { width, height } = layout;
  const { palette } = look;
  const move = `translate(${camera.x} ${camera.y}) scale(${camera.scale})`;
  const world = s("g", { transform: move });
  const pen = new SvgPen(world);
  paintEdges(pen, look);
  for (const node of layout.nodes) {
    const { x, y, radius, live } = node;
    const smaller = shrunk(camera.scale);
    const edge = { color: palette.mix(live ? "ink" : "pruned"), width: 1.2 };
    if (node.factors.length) pen.shape(factorsPath(node, smaller), edge, palette.mix("ink"));
    pen.shape(circle(x, y, radius / smaller), edge, palette.mix(live ? "ink" : "paper"));
    if (node.factors.length) {
      const sign = { color: palette.mix("paper"), width: 1.6 };
      pen.shape(cross(x, y, (CROSS * radius) / smaller), sign);
    }
  }
  const size = { viewBox: `0 0 ${width} ${height}`, width, height };
  return s(
    "svg",
    { xmlns: "http://www.w3.org/2000/svg", ...size, "font-family": FONT, role: "img" },
    s("title", {}, title),
    s("rect", { width, height, fill: palette.mix("paper") }),
    world,
    plainWords(words, palette.mix("ink"), palette.mix("paper")),
    formulas(look, camera, palette.mix("symbolic"), palette.mix("paper")),
  );
}

function plainWords(words: SVGGElement, color: string, ground: string): SVGGElement {
  const copy = words.cloneNode(true) as SVGGElement;
  copy.setAttribute("fill", color);
  for (const text of copy.querySelectorAll("text")) {
    text.setAttribute("font-size", text.style.fontSize || "11px");
    text.removeAttribute("style");
    haloed(text, ground);
  }
  return copy;
}

/** A formula of Python as people write it: powers above the line, roots, no stars. */
export function written(formula: string): string {
  return formula
    .replace(/\*\*(-?\d+)(?![\d.])/g, (_, power: string) =>
      power.replace(/[-0-9]/g, (one) => RAISED["-0123456789".indexOf(one)]),
    )
    .replace(/\bsqrt\(/g, "\u221a(")
    .replace(/\bpi\b/g, "\u03c0")
    .replace(/\*(?!\*)/g, "\u00b7")
    .replace(/-/g, "\u2212");
}

/** Words stand clear of lines. */
function haloed(text: SVGTextElement, ground: string): void {
  const halo: Record<string, string> = {
    stroke: ground,
    "stroke-width": "3",
    "paint-order": "stroke",
  };
  for (const [name, value] of Object.entries(halo)) text.setAttribute(name, value);
}

function formulas(
  { shapes, scale }: Look,
  camera: Camera,
  color: string,
  ground: string,
): SVGGElement {
  const shown = shapes.filter(({ view, captioned }) => captioned && view.formula);
  const texts = shown.map(({ view, slot: { box, pitch } }) => {
    const room = pitch * scale;
    const whole = written(view.formula ?? "");
    const text = 6 * whole.length < room ? whole : (view.function ?? "");
    const x = (box.left + box.width / 2) * camera.scale + camera.x;
    const y = (box.top + box.height) * camera.scale + camera.y + 13;
    const made = s("text", { x, y, "text-anchor": "middle", "font-size": SMALL }, text);
    haloed(made, ground);
    return made;
  });
  return s("g", { fill: color }, ...texts);
}
