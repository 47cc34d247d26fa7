"""A live diagram in a page: its parts by their roles, as a user finds them."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

Address = tuple[int, int, int]

# From a pointer's move to the frame after the scene that answers it: the way to Python and back.
# The caller holds a control point with the mouse. Moves go up and down.
MEASURE = """async ([root, count]) => {
  const handle = root.getRootNode().activeElement;
  const frame = () => new Promise(requestAnimationFrame);
  const box = handle.getBoundingClientRect();
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  const times = [];
  const draws = [];
  for (let n = 0; n < count; n++) {
    await new Promise((next) => setTimeout(next, 40));
    const drawn = root.querySelector(".kv-handle:focus").getAttribute("aria-valuenow");
    const clientY = y + (n % 2 ? 25 : -25) + n / 10;
    const start = performance.now();
    const changed = new Promise((done, fail) => {
      const watch = new MutationObserver(() => { watch.disconnect(); done(); });
      watch.observe(root, { attributeFilter: ["data-version"] });
      setTimeout(() => fail(new Error("no answer")), 10000);
    });
    const at = { clientX: x, clientY, bubbles: true, pointerId: 1 };  // that of the mouse
    handle.dispatchEvent(new PointerEvent("pointermove", at));
    if (handle.getAttribute("aria-valuenow") === drawn) throw new Error("the point stays");
    await frame();
    draws.push(performance.now() - start);
    await changed;
    await frame();
    times.push(performance.now() - start);
  }
  return [times, draws];
}"""

# The step in the line at the foot comes with each picture of a fit.
COUNT = """async (root) => {
  let count = 0;
  const watch = new MutationObserver(() => { count += 1; });
  const line = root.querySelector(".kv-statusbar");
  watch.observe(line, { subtree: true, childList: true, characterData: true });
  const start = performance.now();
  await new Promise((next) => setTimeout(next, 1500));
  watch.disconnect();
  return (1000 * count) / (performance.now() - start);
}"""

# Moves of the pointer in each frame, as a hand makes them; the caller holds the picture.
PAN = """async (root, [x, y]) => {
  const target = document.elementFromPoint(x, y);
  const frame = () => new Promise(requestAnimationFrame);
  const start = await frame();
  let now = start;
  let count = 0;
  for (; now - start < 1500; count++) {
    const at = { clientX: x + 3 * count, clientY: y + count, bubbles: true, buttons: 1 };
    target.dispatchEvent(new PointerEvent("pointermove", { ...at, pointerId: 1, isPrimary: true }));
    now = await frame();
  }
  return (1000 * count) / (now - start);
}"""

SLIDE = """(input, share) => {
  const [low, high] = [Number(input.min), Number(input.max)];
  input.value = String(low + share * (high - low));
  input.dispatchEvent(new Event("input", { bubbles: true }));
}"""


class Diagram:
    """The ``at``-th live diagram of a page; a prediction is none."""

    def __init__(self, page: "Page", at: int = 0) -> None:
        self.page = page
        self.root = page.locator(".kv-root:not([data-kind=prediction])").nth(at)

    def edge(self, *address: int) -> "Locator":
        """Return the element of an edge (three numbers) or a node (two)."""
        return self.root.locator(f'[data-key="{",".join(map(str, address))}"]')

    def button(self, name: str) -> "Locator":
        """Return the button of this name that is seen."""
        return self.root.get_by_role("button", name=name, exact=True).filter(visible=True).first

    def tab(self, name: str) -> None:
        """Open a panel."""
        self.root.get_by_role("tab", name=name, exact=True).click()

    def open(self, *address: int) -> None:
        """Open an edge in the editor."""
        self.edge(*address).locator("rect").click()
        self.root.locator(".kv-editor .kv-title").filter(visible=True).wait_for()

    def handle(self, m: int) -> "Locator":
        """Return a control point of the open edge."""
        return self.root.locator(".kv-handle").nth(m)

    def height(self, m: int) -> float:
        """Return where a control point is drawn."""
        return float(self.handle(m).get_attribute("aria-valuenow") or "nan")

    def grab(self, m: int) -> tuple[float, float]:
        """Take hold of a control point with the mouse; return where it is."""
        handle = self.handle(m)
        handle.scroll_into_view_if_needed()
        box = handle.locator("circle").last.bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.root.locator(".kv-handle:focus").wait_for()
        return x, y

    def drag(self, m: int, by: float) -> None:
        """Drag a control point up or down, in pixels."""
        x, y = self.grab(m)
        self.page.mouse.move(x, y + by, steps=6)
        self.page.mouse.up()

    def measure(self, m: int, count: int) -> tuple[list[float], list[float]]:
        """Return milliseconds of so many moves: to Python's answer, and to the own drawing."""
        self.grab(m)
        times, draws = self.root.evaluate(f"(root, count) => ({MEASURE})([root, count])", count)
        self.page.mouse.up()
        return times, draws

    def field(self, name: str) -> "Locator":
        """Return the field of this name that is seen."""
        label = self.page.locator(".kv-label").filter(has_text=name)
        row = self.root.locator(".kv-field").filter(has=label, visible=True).first
        return row.locator("input, select")

    def fill(self, name: str, text: str) -> None:
        """Write into a field, and leave it."""
        self.field(name).fill(text)
        self.field(name).press("Tab")

    def choose(self, name: str, value: str) -> None:
        """Choose from a list."""
        self.field(name).select_option(value)

    def frames_while_panning(self) -> float:
        """Zoom in, move the picture with the mouse for a second; return frames per second."""
        self.button("Zoom in (+)").click()
        self.button("Zoom in (+)").click()
        stage = self.root.locator(".kv-stage")
        stage.scroll_into_view_if_needed()
        box = stage.bounding_box()
        assert box is not None
        x, y = box["x"] + 20, max(box["y"], 120) + 60  # below Lab's own bars
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        found: float = self.root.evaluate(PAN, [x, y])
        self.page.mouse.up()
        return found

    def start_training(self, optimizer: str = "adam", steps: int = 1_000_000) -> None:
        """Start a fit, by default one that lasts until it is stopped."""
        self.tab("Train")
        self.choose("Optimizer", optimizer)
        self.fill("Steps", str(steps))
        self.button("Start").click()
        self.says("step ")

    def tab_to(self, selector: str, *, back: bool = False) -> None:
        """Press Tab until such an element has the focus."""
        wanted = self.root.locator(selector).filter(visible=True)
        for _ in range(60):
            self.page.keyboard.press("Shift+Tab" if back else "Tab")
            if wanted.evaluate_all("found => found.some((each) => each.matches(':focus'))"):
                return
        raise AssertionError(f"no {selector} takes the focus")

    def tab_by_keys(self, name: str) -> None:
        """Go along the tabs, one of which has the focus, to the one of this name."""
        wanted = self.root.get_by_role("tab", name=name, exact=True)
        for _ in range(8):
            if wanted.get_attribute("aria-selected") == "true":
                return
            self.page.keyboard.press("ArrowRight")
        raise AssertionError(f"no tab {name}")

    def slide(self, name: str, share: float) -> None:
        """Put a slider somewhere from its left end (0) to its right (1), as by one click."""
        box = self.field(name)
        box.evaluate(SLIDE, share)

    def shows(self, text: str) -> None:
        """Wait until the open panel shows this."""
        self.root.locator(".kv-panels").get_by_text(text).filter(visible=True).first.wait_for()

    def hides(self, text: str) -> None:
        """Wait until no step of the history that is done says this; its panel must be open."""
        done = self.root.locator(".kv-step:not(.kv-undone)").filter(has_text=text)
        done.first.wait_for(state="hidden")

    def says(self, text: str) -> None:
        """Wait until the line at the foot says this."""
        self.root.locator(".kv-statusbar").filter(has_text=text).wait_for()

    def updates_per_second(self) -> float:
        """Return how often a picture of a fit comes, counted for a while."""
        found: float = self.root.evaluate(COUNT)
        return found

    def history(self) -> list[str]:
        """Return the sentences of the history that are done; its panel must be open."""
        done = self.root.locator(".kv-history .kv-step:not(.kv-undone) span")
        return done.all_text_contents()[1:]

    def words(self) -> str:
        """Return what the line at the foot says."""
        return self.root.locator(".kv-statusbar").inner_text()

    def is_now(self, word: str, *address: int) -> None:
        """Wait until a screen reader says this of an edge: "spline", "formula" or "removed"."""
        key = ",".join(map(str, address))
        found = self.root.locator(f'[data-key="{key}"][aria-label*=", {word}"]')
        found.wait_for(state="attached")


def bends(diagram: Diagram) -> None:
    """Check that a drag moves a curve, that Python writes it down, and that it is undone."""
    diagram.open(0, 0, 0)
    before = diagram.height(3)
    diagram.drag(3, -30)
    assert diagram.height(3) > before
    diagram.tab("History")
    diagram.shows("moved point 3")
    diagram.button("Undo").click()
    diagram.hides("moved point 3")
