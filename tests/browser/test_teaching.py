"""Bezier curves and B-splines in JupyterLab and as pages: what is drawn is what SciPy computes."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.interpolate import BPoly, BSpline

from browser.chromium import WAIT, Console
from browser.diagram import Diagram
from browser.notebook import Notebook
from browser.pages import faults
from browser.splines import Splines
from kanviz.course import teaching

if TYPE_CHECKING:
    from playwright.sync_api import Page

Open = Callable[..., Notebook]
Note = Callable[..., None]

MOST = 0.5
"""Pixels that the drawn curve may be away from SciPy's."""

START = "from kanviz.course import teaching\nw = teaching."


def bezier_of(points: Any) -> np.ndarray:
    """Return a dense Bezier curve, by SciPy."""
    curve = BPoly(np.array(points)[:, np.newaxis, :], [0, 1])
    return np.asarray(curve(np.linspace(0, 1, 3000)))


def bspline_of(knots: Any, coef: Any, order: int) -> np.ndarray:
    """Return a dense B-spline over its grid, by SciPy."""
    x = np.linspace(knots[order], knots[-1 - order], 6001)[:-1]
    return np.column_stack([x, BSpline(knots, coef, order)(x)])


def the_page(page: "Page", widget: Any, folder: Path) -> tuple[Splines, Console]:
    """Open the page of a widget."""
    console = Console(page)
    widget.to_html(folder / "widget.html")
    page.set_default_timeout(WAIT)
    page.goto((folder / "widget.html").as_uri())
    return Splines(page), console


def test_a_bezier_curve_in_jupyterlab_is_pythons(notebook: Open, note: Note) -> None:
    at = notebook(f"{START}bezier()\nw", "w")
    at.run(0)
    at.run(1)
    first, second = Splines(at.page), Splines(at.page, 1)
    first.draw_whole()
    second.draw_whole()
    before = at.value("w.points.tolist()")
    first.drag("point", 1, 40, 30)
    at.until("float(w.points[1, 0])", lambda x: x > 0.35)
    points = np.array(at.until("w.points.tolist()", lambda now: _rests(first, now)))
    assert points[[0, 2, 3]].tolist() == np.array(before)[[0, 2, 3]].tolist()
    apart = first.apart(points, bezier_of(points))
    np.testing.assert_allclose(
        at.value("w.curve([0.3]).tolist()"), BPoly(points[:, np.newaxis, :], [0, 1])([0.3])
    )
    at.until("len(w.points)", lambda _: _rests(second, points))
    note("Bezier curve in Lab", pixels_from_scipy=apart)
    assert apart <= MOST
    at.python("w.points = [(0, 0), (1, 2), (2, -1), (3, 2), (4, 0)]")
    at.wait("n => document.querySelectorAll('.kv-grip-point').length === n", 10)
    points = np.array(at.value("w.points.tolist()"))
    assert first.apart(points, bezier_of(points)) <= MOST
    assert second.apart(points, bezier_of(points)) <= MOST
    assert at.console.errors == []


def _rests(splines: Splines, points: Any) -> bool:
    """Whether the picture has its points where Python has them."""
    try:
        splines.pixels(np.array(points), np.array(points))
    except AssertionError:
        return False
    return True


def test_a_b_spline_in_jupyterlab_is_pythons(notebook: Open, note: Note, artefacts: Path) -> None:
    at = notebook(f"{START}bspline()\nw")
    at.run(0)
    splines = Splines(at.page)
    before = at.value("w.coef.tolist()")
    splines.drag("point", 3, 0, -45)
    coef = at.until("w.coef.tolist()", lambda now: now[3] > before[3] + 0.3)
    assert [n for n in range(8) if coef[n] != before[n]] == [3]
    assert "Control point 3 moves the curve from x = \u22121 to 0.6" in splines.words()
    at.until("w.points.tolist()", lambda now: _rests(splines, now))
    worst = 0.0
    for order in (3, 1, 2, 4, 5, 3):
        splines.button(str(order)).click()
        at.until(f"w.spline_order == {order}", bool)
        worst = max(worst, _apart(at, splines))
    across = splines.read("knots")
    splines.drag("knot", 5, float(across[6, 0] - across[5, 0]) - 3, 0)
    knots = at.until("w.knots.tolist()", lambda now: now[5] == now[6])
    assert "2 knots in one place: the curve is C\u00b9 there" in splines.words()
    worst = max(worst, _apart(at, splines))
    note("B-spline in Lab", pixels_from_scipy=worst)
    assert worst <= MOST
    at.page.screenshot(path=artefacts / "teaching_bspline_lab.png")
    knots[5] = 0.1
    at.python(f"w.knots = {knots}")
    splines.root.get_by_label("Knot 5 at x = 0.1").wait_for()
    assert _apart(at, splines) <= MOST
    assert at.console.errors == []


def _apart(at: Notebook, splines: Splines) -> float:
    """Return how far the drawn curve is from SciPy's, on what Python has."""
    points = np.array(at.until("w.points.tolist()", lambda now: _rests(splines, now)))
    knots, coef, order = at.value("(w.knots.tolist(), w.coef.tolist(), w.spline_order)")
    expected = bspline_of(np.array(knots), np.array(coef), order)
    x = expected[::100, 0]
    np.testing.assert_allclose(at.value(f"w.curve({x.tolist()}).tolist()"), expected[::100, 1])
    return splines.apart(points, expected)


def test_a_bezier_curve_on_a_page_moves_without_a_kernel(
    page: "Page", tmp_path: Path, note: Note, artefacts: Path
) -> None:
    widget = teaching.bezier()
    splines, console = the_page(page, widget, tmp_path)
    points = widget.points
    assert page.locator(".kv-curve").get_attribute("d") == ""  # the answer is not given away
    splines.draw_whole()
    assert splines.apart(points, bezier_of(points)) <= MOST
    start = splines.read("points")
    splines.drag("point", 2, -60, 70)
    moved = splines.read("points") - start
    np.testing.assert_allclose(moved[2], [-60, 70], atol=0.1)
    np.testing.assert_allclose(moved[[0, 1, 3]], 0, atol=0.01)
    scale = (start[3, 0] - start[0, 0]) / (points[3, 0] - points[0, 0])
    points[2] += np.array([-60, -70]) / scale
    apart = splines.apart(points, bezier_of(points))
    note("Bezier curve on a page", pixels_from_scipy=apart)
    assert apart <= MOST
    splines.button("Add a point").click()
    drawn = splines.read("points")
    assert len(drawn) == 5
    assert faults(Diagram(page)) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector('.kv-course[data-kv-theme="dark"]')
    assert faults(Diagram(page)) == []
    page.screenshot(path=artefacts / "teaching_bezier_dark.png")
    assert console.errors == []


def test_a_b_spline_on_a_page_moves_without_a_kernel(
    page: "Page", tmp_path: Path, note: Note, artefacts: Path
) -> None:
    widget = teaching.bspline()
    splines, console = the_page(page, widget, tmp_path)
    knots, coef, points = widget.knots, widget.coef, widget.points
    assert splines.apart(points, bspline_of(knots, coef, 3)) <= MOST
    start = splines.read("points")
    splines.drag("point", 4, 10, 50)  # up and down only
    moved = splines.read("points") - start
    np.testing.assert_allclose(moved[4], [0, 50], atol=0.1)
    height = np.polyfit(start[:, 1], points[:, 1], 1)[0]
    coef[4] += 50 * height
    points[:, 1] = coef
    apart = splines.apart(points, bspline_of(knots, coef, 3))
    note("B-spline on a page", pixels_from_scipy=apart)
    assert apart <= MOST
    assert faults(Diagram(page)) == []
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector('.kv-course[data-kv-theme="dark"]')
    splines.button("Gaussians beside").click()
    assert faults(Diagram(page)) == []
    page.screenshot(path=artefacts / "teaching_bspline_dark.png")
    assert console.errors == []


@pytest.mark.parametrize("kind", ["bezier", "bspline"])
def test_all_is_done_with_the_keys_alone(page: "Page", tmp_path: Path, kind: str) -> None:
    splines, console = the_page(page, getattr(teaching, kind)(), tmp_path)
    start = splines.read("points")
    for _ in range(40):
        page.keyboard.press("Tab")
        if splines.grip("point", 1).evaluate("grip => grip === document.activeElement"):
            break
    ring = splines.grip("point", 1).locator(".kv-grip-reach")
    assert ring.evaluate("ring => getComputedStyle(ring).stroke") != "none"
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Shift+ArrowUp")
    np.testing.assert_allclose((splines.read("points") - start)[1], [0, -22], atol=0.1)
    if kind == "bezier":
        page.keyboard.press("Delete")
        assert len(splines.read("points")) == 3
    slider = splines.root.get_by_role("slider").first
    slider.focus()
    before = slider.input_value()
    page.keyboard.press("ArrowRight")
    assert slider.input_value() != before
    play = splines.button("Play")
    play.focus()
    page.keyboard.press("Enter")
    splines.button("Stop").wait_for()
    assert console.errors == []


def test_a_narrow_page_shows_all_of_it(page: "Page", tmp_path: Path) -> None:
    page.set_viewport_size({"width": 380, "height": 800})
    for kind in ("bezier", "bspline"):
        splines, console = the_page(page, getattr(teaching, kind)(), tmp_path)
        wide: bool = splines.root.evaluate(
            """root => [...root.querySelectorAll("*")].some((element) =>
              element.getBoundingClientRect().right > root.getBoundingClientRect().right + 1)"""
        )
        assert not wide
        assert console.errors == []
