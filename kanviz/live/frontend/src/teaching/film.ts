/** A film of a network, and the staircase of grid extension, which is one with its losses beside. */
import { h } from "../panels/dom";
import { scenesOf } from "./frames";
import { LossLines, type Chart } from "./loss_lines";
import { NetPicture } from "./net_picture";
import { Scrubber } from "./scrubber";
import type { Stage } from "./stage";

/** Heights of the losses below a film, beside it, and alone. */
const BELOW = 130;
const BESIDE = 300;

export function film({ root, shared, life, onTheme }: Stage): void {
  const text = shared.get<string | null>("frames");
  const scenes = text ? scenesOf(text) : [];
  const captions = shared.get<string[]>("captions");
  const shown = shared.get<number[]>("shown");
  const chart = shared.get<Chart | null>("chart");
  const isStaircase = (chart?.marks.length ?? 0) > 0;

  const picture = scenes.length ? new NetPicture(life, scenes[scenes.length - 1]) : null;
  const losses = chart
    ? new LossLines(life, chart, isStaircase ? BESIDE : BELOW, (at) => scrubber.go(at))
    : null;
  const label = shared.get<string>("label");
  const reel = { count: captions.length, label, caption: (at: number) => captions[at] };
  const scrubber = new Scrubber(life, reel, (at) => {
    picture?.show(scenes[shown[at]], captions[at]);
    losses?.show(at);
  });

  const parts = [picture?.element, losses?.element].filter((part) => part !== undefined);
  const body = h("div", { class: isStaircase && picture ? "kt-film kt-beside" : "kt-film" });
  body.append(...parts);
  root.setAttribute("aria-label", isStaircase ? "Grid extension" : "Film of a network");
  root.append(scrubber.caption, body, scrubber.element);
  if (picture) onTheme(() => picture.recolor());
  scrubber.go(0);
}
