import assert from "node:assert/strict";
import { test } from "node:test";
import { historyPanel } from "../src/panels/history";
import { keyHelp, panels } from "../src/panels/index";
import { outPanel } from "../src/panels/out";
import { fileName } from "../src/ui/files";
import { formulaNode } from "../src/ui/mathml";
import { labels, rangeText, short, ticks } from "../src/ui/numbers";
import { buttonOf, pause, press, show, works } from "./panels-dom";
import { FakeStore, makeScene } from "./panels-store";

const NO_ROWS = { x: [], measured: [], predicted: [], guess: null, test: [] };
const SVG = () => "<svg/>";

function clipboard(writeText: (text: string) => Promise<void>): void {
  Object.defineProperty(globalThis, "navigator", {
    value: { clipboard: { writeText } },
    configurable: true,
  });
}

test("the history lists its sentences, marks the present one, and jumps by click", () => {
  const store = new FakeStore();
  const root = show(historyPanel(store).element);
  const steps = [...root.querySelectorAll<HTMLElement>(".kv-step")];
  assert.deepEqual(
    steps.map((step) => step.textContent),
    ["start", "trained 60 steps", "removed edge y \u2192 h1.1now", "pruned 2 edgesundone"],
  );
  assert.equal(steps[2].getAttribute("aria-current"), "step");
  steps[1].click();
  steps[3].click();
  assert.deepEqual(store.asked, [
    { type: "jump", position: 1 },
    { type: "jump", position: 3 },
  ]);
  store.change({ history: { done: [], undone: [] } });
  assert.equal(root.querySelectorAll("li").length, 1);
  assert.ok(!works(buttonOf(root, "Undo")) && !works(buttonOf(root, "Redo")));
  const asked = store.asked.length;
  buttonOf(root, "Undo").click();
  assert.equal(store.asked.length, asked);
});

test("copy as Python goes to the clipboard, or into a box where it may not", async () => {
  const store = new FakeStore(makeScene(), () => "model.fit(data)");
  const root = show(historyPanel(store).element);
  const copied: string[] = [];
  clipboard(async (text) => void copied.push(text));
  buttonOf(root, "Copy as Python").click();
  await pause(20);
  assert.deepEqual(copied, ["model.fit(data)"]);
  clipboard(() => Promise.reject(new Error("not here")));
  buttonOf(root, "Copy as Python").click();
  await pause(20);
  const box = root.querySelector("textarea")!;
  assert.equal(box.value, "model.fit(data)");
  assert.equal(box.closest("[hidden]"), null);
  assert.equal(box.selectionEnd - box.selectionStart, box.value.length);
});

test("the formula is shown and copied until the network is another", async () => {
  const formula = { text: "sin(x)", mathml: "", latex: "\\sin x", python: "np.sin(x)" };
  const store = new FakeStore(makeScene(), () => formula);
  const root = show(outPanel(store, SVG).element);
  const copied: string[] = [];
  clipboard(async (text) => void copied.push(text));
  buttonOf(root, "Show the formula").click();
  await pause(20);
  assert.equal(root.querySelector(".kv-block")!.textContent, "sin(x)");
  buttonOf(root, "Copy LaTeX").click();
  buttonOf(root, "Copy Python").click();
  assert.deepEqual(copied, ["\\sin x", "np.sin(x)"]);
  store.change({ version: 2 });
  assert.equal(root.querySelector<HTMLElement>(".kv-block")!.hidden, true);
});

test("on a page only the picture goes out, and no panel needs a kernel", () => {
  const store = new FakeStore(makeScene(), () => null, true);
  const root = show(outPanel(store, SVG).element);
  assert.deepEqual(
    [...root.querySelectorAll("button")].map((b) => b.textContent),
    ["SVG", "PNG"],
  );
  const titles = panels(store, SVG).map((panel) => panel.title);
  assert.deepEqual(titles, ["Overview", "Edge", "Probe", "Diagnosis", "History", "Export"]);
});

test("mathematics keeps known tags only, and never what could run or load", () => {
  const hostile =
    '<math xmlns="http://www.w3.org/1998/Math/MathML" onclick="run()"><mi href="javascript:run()">x</mi>' +
    "<script>run()</script><mtext><img src='x' onerror='run()'/>a</mtext></math>";
  const made = formulaNode(hostile, "x") as Element;
  assert.equal(
    made.outerHTML.replace(/ xmlns="[^"]*"/, ""),
    "<math><mi>x</mi><mtext>a</mtext></math>",
  );
  const broken = formulaNode("<math><mi>", "<b>x</b>") as Element;
  assert.equal(broken.outerHTML, "<code>&lt;b&gt;x&lt;/b&gt;</code>");
});

test("everything that takes the focus keeps Jupyter's shortcuts away and has a name", async () => {
  for (const local of [false, true]) {
    const store = new FakeStore(
      makeScene(),
      ({ type }) => (type === "diagnosis" ? NO_ROWS : []),
      local,
    );
    const roots = panels(store, SVG).map((panel) => panel.element);
    store.select([0, 0, 0]);
    await pause();
    const takes = "button, input, select, textarea, summary, a, dialog, [tabindex]";
    for (const element of roots.flatMap((root) => [...root.querySelectorAll(takes)])) {
      assert.equal(element.getAttribute("data-lm-suppress-shortcuts"), "true", element.outerHTML);
      const label = element.getAttribute("aria-label") ?? element.closest("label")?.textContent;
      const isNamed = label || element.textContent;
      assert.ok(isNamed || element.getAttribute("tabindex") === "-1", element.outerHTML);
    }
  }
});

test("hostile names are text everywhere", async () => {
  const bad = "<img src=x onerror=alert(1)>";
  const scene = makeScene({ title: bad, functions: [bad], history: { done: [bad], undone: [] } });
  scene.nodes = scene.nodes.map((node) => ({ ...node, label: bad }));
  scene.edges[0] = { ...scene.edges[0], state: "symbolic", formula: bad, mathml: null };
  const store = new FakeStore(scene);
  const list = panels(store, SVG);
  store.select([0, 0, 0]);
  await pause();
  const roots = list.map((panel) => panel.element);
  assert.ok(roots.every((root) => root.querySelector("img") === null));
  assert.ok(roots[0].textContent!.includes(bad));
});

test("panels that are destroyed listen no more", async () => {
  const store = new FakeStore();
  const list = panels(store, SVG);
  await pause();
  assert.ok(store.listening > 0);
  for (const panel of list) panel.destroy();
  assert.equal(store.listening, 0);
  store.change({});
});

test("the cheat sheet opens on ? but not while typing, and gives the focus back", () => {
  // jsdom has no modal dialogs.
  const proto = document.createElement("dialog").constructor.prototype;
  proto.showModal = function () {
    this.open = true;
  };
  proto.close = function () {
    this.open = false;
    this.dispatchEvent(new Event("close"));
  };
  const root = show(document.createElement("div"));
  const input = document.createElement("input");
  const other = document.createElement("button");
  root.append(input, other);
  const help = keyHelp(root);
  const dialog = root.querySelector("dialog")!;
  press(input, "?");
  assert.equal(dialog.open, false);
  other.focus();
  press(other, "?");
  assert.equal(dialog.open, true);
  assert.equal(document.activeElement, buttonOf(dialog, "Close"));
  buttonOf(dialog, "Close").click();
  assert.equal(document.activeElement, other);
  help.destroy();
  assert.equal(root.querySelector("dialog"), null);
});

test("numbers are short, with a true minus, and a dash for none", () => {
  const texts = [0, -1.23456, 0.00031, 1e-5, 123456, null, NaN, Infinity].map((x) => short(x));
  assert.deepEqual(texts, [
    "0",
    "\u22121.23",
    "3.1e\u22124",
    "1e\u22125",
    "1.23e5",
    "\u2013",
    "\u2013",
    "\u221e",
  ]);
  assert.deepEqual(ticks(-1, 1, 4), [-1, -0.5, 0, 0.5, 1]);
  assert.deepEqual(ticks(3, 3), [3]);
  const close = labels(-0.5761, -0.5751, 4).map((label) => label.text);
  assert.equal(new Set(close).size, close.length);
  assert.equal(rangeText(1, 1.0002), "1 to 1.0002");
});

test("a file name holds nothing but letters, digits and dashes", () => {
  assert.equal(fileName("../my <model> \u00fc", "svg"), "my-model-u.svg");
  assert.equal(fileName("\u6a21\u578b", "png"), "kanviz.png");
});
