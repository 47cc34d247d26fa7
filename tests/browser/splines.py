"""A Bezier curve or B-spline in a page: its points to take hold of, and what it draws."""

from typing import TYPE_CHECKING

import numpy as np
from scipy.spatial import cKDTree

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

# Pixels of the page, as the eye has them.
READ = """(root) => {
  const svg = root.querySelector(".kv-frame");
  const { a, d, e, f } = svg.getScreenCTM();
  const seen = ([x, y]) => [a * x + e, d * y + f];
  const pairs = (text) => {
    const numbers = text.match(/-?[\\d.]+/g).map(Number);
    return numbers.flatMap((x, n) => (n % 2 ? [] : [seen([x, numbers[n + 1]])]));
  };
  const of = (kind) => [...root.querySelectorAll(`.kv-grip-${kind}`)]
    .flatMap((grip) => pairs(grip.getAttribute("transform")));
  const drawn = root.querySelector(".kv-curve").getAttribute("d");
  return { curve: drawn ? pairs(drawn) : [], points: of("point"), knots: of("knot") };
}"""


class Splines:
    """The ``at``-th teaching widget of a page."""

    def __init__(self, page: "Page", at: int = 0) -> None:
        self.page = page
        self.root = page.locator(".kv-course").nth(at)
        self.grip("point", 0).wait_for()

    def grip(self, kind: str, n: int) -> "Locator":
        """Return a control point ("point") or a knot ("knot")."""
        return self.root.locator(f".kv-grip-{kind}").nth(n)

    def button(self, name: str) -> "Locator":
        """Return a button."""
        return self.root.get_by_role("button", name=name, exact=True)

    def read(self, what: str) -> np.ndarray:
        """Return pixels (n, 2) of "points", "knots", or of the corners of the "curve"."""
        return np.array(self.root.evaluate(READ)[what])

    def draw_whole(self) -> None:
        """Let t go from 0 to 1, which draws a Bezier curve."""
        self.root.locator("input[type=range]").first.press("End")

    def words(self) -> str:
        """Return what is said of what is chosen."""
        return self.root.locator(".kv-words").first.inner_text()

    def drag(self, kind: str, n: int, across: float, down: float) -> None:
        """Drag with the mouse, by so many pixels."""
        grip = self.grip(kind, n)
        grip.scroll_into_view_if_needed()
        box = grip.locator(".kv-grip-dot").bounding_box()
        assert box is not None
        x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move(x + across, y + down, steps=8)
        self.page.mouse.up()

    def pixels(self, points: np.ndarray, curve: np.ndarray) -> np.ndarray:
        """Return where a curve belongs, given where the picture has these points.

        Fails where the picture has them elsewhere.
        """
        drawn = self.read("points")
        placed = []
        for axis in range(2):
            scale = np.polyfit(points[:, axis], drawn[:, axis], 1)
            np.testing.assert_allclose(np.polyval(scale, points[:, axis]), drawn[:, axis], atol=0.1)
            placed.append(np.polyval(scale, curve[:, axis]))
        return np.column_stack(placed)

    def apart(self, points: np.ndarray, curve: np.ndarray) -> float:
        """Return the largest distance of the drawn curve and this one, in pixels, both ways."""
        drawn, expected = _dense(self.read("curve")), _dense(self.pixels(points, curve))
        there, back = cKDTree(expected).query(drawn)[0], cKDTree(drawn).query(expected)[0]
        return float(max(there.max(), back.max()))


def _dense(line: np.ndarray) -> np.ndarray:
    """Return points along a line through corners, about a twentieth of a pixel apart."""
    steps = np.hypot(*np.diff(line, axis=0).T)
    at = np.concatenate([[0.0], np.cumsum(steps)])
    wanted = np.arange(0, at[-1], 0.05)
    return np.column_stack([np.interp(wanted, at, line[:, axis]) for axis in range(2)])
