"""The page of a model from a file, with no kernel and no network."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
from model_helpers import make_data, make_model

import kanviz
from browser.pages import ModelPage, faults, unreadable
from kanviz.model import KAN
from kanviz.theme import DARK, LIGHT

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

Note = Callable[..., None]

HOSTILE = (
    "<img src=x onerror=window.hacked=1>",
    "<script>window.hacked=1</script>",
    "</script><script>window.hacked=1</script>",
    "$x$",
    "\\(\\frac{1}{2}\\)",
    "__import__('os')",
    "javascript:window.hacked=1",
    "'\"><svg onload=window.hacked=1>",
    "{{constructor.constructor('window.hacked=1')()}}",
    "&lt;b&gt; &amp; ]]>",
)


def _spline() -> KAN:
    return make_model()


def _radial() -> KAN:
    return make_model(basis="gaussian")


def _linear() -> KAN:
    return make_model(spline_order=1, extrapolation="zero")


def _symbolic() -> KAN:
    model = make_model()
    for n, (i, j) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]):
        formula = ("sin", "x^2", "exp(-x)", "tanh", "abs", "cos(2*x) + 1")[n]
        model.fix((0, i, j), formula, affine=(1.3, -0.2, 0.7, 0.1))
    for j, formula in enumerate(("sqrt", "log", "x^3")):
        model.fix((1, j, 0), formula, affine=(0.4, 2.5, 1.1, -0.3))
    return model


def _mixed() -> KAN:
    model = make_model()
    model.fix((0, 0, 0), "sin", affine=(2.0, 0.1, 1.5, 0.0))
    model.remove_edge((0, 1, 1))
    model.lock([(0, 0, 2), (0, 1, 2)])
    model.freeze((1, 0, 0))
    return model


@pytest.mark.parametrize("make", [_spline, _radial, _linear, _symbolic, _mixed])
def test_the_probe_computes_what_python_does(
    make: Callable[[], KAN], page: "Page", tmp_path: Path, note: Note
) -> None:
    at = ModelPage(page, make(), tmp_path / "model.html")
    at.start_probe()
    found, rate = at.probe(np.random.default_rng(0).uniform(size=(100, 2)))
    apart = 0.0
    for each in found:
        expected = at.expected(each["x"], each["node"])
        values = [*sorted(each["values"][:-1]), each["values"][-1]]
        np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)
        apart = max(apart, float(np.abs(np.subtract(values, expected)).max()))
    note(f"probe, {make.__name__}", per_second=rate, largest_difference=apart)
    assert at.console.errors == []


def test_the_page_shows_and_edits_the_model(page: "Page", tmp_path: Path) -> None:
    model = _mixed()
    at = ModelPage(page, model, tmp_path / "model.html", title="Mixed")
    assert page.locator("#kanviz-still").is_hidden()
    snapshot = model.snapshot()
    assert at.diagram.root.locator(".kv-edge").count() == snapshot.n_edges
    words = {"spline": "spline", "symbolic": "formula", "pruned": "removed"}
    for edge in snapshot.edges:
        at.diagram.is_now(words[edge.state], *edge.edge)
    at.diagram.open(0, 1, 0)
    before = at.diagram.height(2)
    at.diagram.drag(2, -25)
    after = at.diagram.height(2)
    assert after > before
    _agrees(at, (0, 1, 0), after)
    at.diagram.tab("History")
    at.diagram.button("Undo").click()
    at.diagram.open(0, 1, 0)
    page.wait_for_function(
        "y => Math.abs(document.querySelectorAll('.kv-handle')[2].ariaValueNow - y) < 1e-12",
        arg=before,
    )
    assert at.console.errors == []


def _agrees(at: ModelPage, edge: tuple[int, int, int], height: float) -> None:
    """Check that the page computes what Python does after the same edit."""
    at.model.move_point(edge, 2, height)
    at.start_probe()
    for each in at.probe(np.random.default_rng(1).uniform(size=(8, 2)))[0]:
        expected = at.expected(each["x"], each["node"])
        values = [*sorted(each["values"][:-1]), each["values"][-1]]
        np.testing.assert_allclose(values, expected, rtol=1e-6, atol=1e-6)


def test_hostile_names_are_text(page: "Page", tmp_path: Path) -> None:
    x = torch.rand(40, len(HOSTILE), dtype=torch.float64)
    data = kanviz.from_arrays(x, x[:, :1], input_names=HOSTILE, output_names=HOSTILE[:1])
    model = KAN([len(HOSTILE), 2, 1], dtype=torch.float64)
    model.fit(data, steps=1, progress=False)
    at = ModelPage(page, model, tmp_path / "model.html", title=HOSTILE[0])
    assert HOSTILE[0] in at.diagram.root.locator(".kv-head-about").inner_text()
    for n, name in enumerate(HOSTILE):
        at.diagram.open(0, n, 0)
        at.diagram.root.locator(".kv-editor .kv-title").filter(has_text=name).wait_for()
    at.start_probe()
    at.diagram.tab("History")
    at.diagram.tab("Export")
    assert page.evaluate("window.hacked") is None
    assert at.diagram.root.locator("img, script, b:text('&')").count() == 0
    assert at.console.errors == []


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_page_has_no_serious_fault_of_access(theme: str, page: "Page", tmp_path: Path) -> None:
    page.emulate_media(color_scheme=theme)  # type: ignore[arg-type]
    model = _mixed()
    model.fit(make_data(), steps=1, progress=False)
    at = ModelPage(page, model, tmp_path / "model.html")
    assert faults(at.diagram) == []
    at.diagram.open(0, 0, 0)
    assert faults(at.diagram) == []
    at.start_probe()
    assert faults(at.diagram) == []
    for tab in ("History", "Export"):
        at.diagram.tab(tab)
        assert faults(at.diagram) == []


def _named(widths: list[int]) -> KAN:
    """Return a network whose inputs have long names with units."""
    x = torch.rand(60, widths[0], dtype=torch.float64)
    names = [f"Temperature of plate {n} [K]" if n % 2 else f"x{n}" for n in range(widths[0])]
    data = kanviz.from_arrays(x, x[:, :1].expand(-1, widths[-1]), input_names=names)
    model = KAN(widths, dtype=torch.float64)
    model.fit(data, steps=1, progress=False)
    return model


def _classes() -> KAN:
    x = torch.rand(80, 3, dtype=torch.float64)
    birds = np.array(["Adelie", "Gentoo", "Chinstrap", "Macaroni"])
    data = kanviz.from_arrays(x, birds[2 * (x[:, 0] > 0.5) + 1 * (x[:, 1] > 0.5)])
    model = KAN([3, 4, 4], dtype=torch.float64)
    model.fit(data, steps=1, progress=False)
    return model


@pytest.mark.parametrize("shape", [(6, 8, 4, 1), (20, 30, 10), (1, 1), None])
def test_every_word_of_the_picture_can_be_read(
    shape: tuple[int, ...] | None, page: "Page", tmp_path: Path, artefacts: Path
) -> None:
    model = _named(list(shape)) if shape else _classes()
    at = ModelPage(page, model, tmp_path / "model.html")
    name = "_".join(map(str, shape)) if shape else "classes"
    for width, theme in ((1280, "light"), (380, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=theme, reduced_motion="reduce")  # type: ignore[arg-type]
        for kind in ("Matrix", "Net", "One node"):
            button = at.diagram.root.locator(".kv-kinds button").filter(has_text=kind)
            if button.is_visible():
                button.click()
            elif kind != "Net":
                continue
            page.evaluate(
                "() => new Promise((f) => requestAnimationFrame(() => setTimeout(f, 50)))"
            )
            page.screenshot(path=artefacts / f"{name}_{width}_{kind}.png")
            assert unreadable(at.diagram) == []
    assert at.console.errors == []


def test_one_node_is_seen_alone_by_mouse_and_by_keys(page: "Page", tmp_path: Path) -> None:
    at = ModelPage(page, _named([6, 8, 4, 1]), tmp_path / "model.html")
    root, keys = at.diagram.root, page.keyboard
    edges = root.locator(".kv-edge")
    assert root.locator(".kv-kinds [aria-pressed=true]").inner_text() == "Matrix"
    assert edges.count() == 84
    root.locator('.kv-node[data-key="1,3"] circle').last.click()
    page.wait_for_function("document.querySelectorAll('.kv-edge').length === 10")
    assert root.locator(".kv-lone").input_value() == "1,3"
    assert root.locator(".kv-node-words").filter(has_text="adds up the 6 curves below").count() == 1
    keys.press("PageDown")
    page.wait_for_function("document.querySelector('.kv-lone').value === '1,4'")
    assert page.evaluate("document.activeElement.dataset.key") == "1,4"
    keys.press("Escape")
    page.wait_for_function("document.querySelectorAll('.kv-edge').length === 84")
    keys.press("m")
    page.wait_for_function(
        "document.querySelector('.kv-kinds [aria-pressed=true]').textContent === 'Net'"
    )
    keys.press("Enter")
    page.wait_for_function("document.querySelectorAll('.kv-edge').length === 10")
    assert at.console.errors == []


FONT = "[...document.fonts].filter(f => f.family.includes('kanviz math')).map(f => f.status)"


def test_formulas_have_a_font_with_the_tables_of_mathematics(page: "Page", tmp_path: Path) -> None:
    at = ModelPage(page, _symbolic(), tmp_path / "model.html")
    at.diagram.root.locator("math msqrt").first.wait_for(state="attached")
    page.wait_for_function(f"() => {FONT}.includes('loaded')", timeout=20_000)
    assert at.console.errors == []  # the page's own policy lets it in


SMALL = """(root) => [...root.querySelectorAll("button, input, select, summary, .kv-slice-end")]
  .filter((one) => one.checkVisibility())
  .map((one) => [one, one.getBoundingClientRect()])
  .filter(([one, { width, height }]) => width < 24 || height < 24)
  .map(([one, { width, height }]) => `${one.outerHTML.slice(0, 80)} ${width} x ${height}`)"""


def _swipe(page: "Page", x: float, y: float, by: float) -> None:
    """Move one finger down; wait until the page has followed for at least the half of it."""
    before: float = page.evaluate("scrollY")
    touch = page.context.new_cdp_session(page)
    for n in range(11):
        kind = "touchMove" if n else "touchStart"
        points = [{"x": x, "y": y + by * n / 10}]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("most => scrollY < most", arg=before - by / 2, timeout=10_000)


def test_one_finger_scrolls_past_every_plot_and_hits_every_control(
    chromium: "Browser", tmp_path: Path, artefacts: Path
) -> None:
    context = chromium.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    )
    page = context.new_page()
    at = ModelPage(page, _spline(), tmp_path / "model.html", x=make_data())
    root = at.diagram.root
    root.locator(".kv-edge rect").first.tap()
    plots = {"Edge": ".kv-plot", "Diagnosis": ".kv-scatter", "Probe": ".kv-histogram"}
    for tab, selector in plots.items():
        root.get_by_role("tab", name=tab, exact=True).tap()
        for fold in root.locator("summary").filter(visible=True).all():
            fold.tap()
        plot = root.locator(selector).filter(visible=True).first
        plot.wait_for()
        plot.evaluate("(plot) => plot.scrollIntoView({ block: 'center' })")
        box = plot.bounding_box()
        assert box is not None
        _swipe(page, box["x"] + 0.37 * box["width"], box["y"] + 0.8 * box["height"], 120)
        assert root.evaluate(SMALL) == [], tab
        page.screenshot(path=artefacts / f"finger_{tab}.png")
    context.close()
    assert at.console.errors == []


def test_names_beside_a_matrix_have_a_second_line_on_a_phone(page: "Page", tmp_path: Path) -> None:
    page.set_viewport_size({"width": 380, "height": 844})
    names = ["Temperature [K]", "pressure [Pa]", *(f"material={m}" for m in ("steel", "copper"))]
    x = torch.rand(60, 6, dtype=torch.float64)
    data = kanviz.from_arrays(x, x[:, :1], input_names=[*names, "a", "b"], output_names=["q [W]"])
    model = KAN([6, 4, 1], dtype=torch.float64)
    model.fit(data, steps=1, progress=False)
    at = ModelPage(page, model, tmp_path / "model.html")
    assert at.diagram.root.locator(".kv-kinds [aria-pressed=true]").inner_text() == "Matrix"
    words = at.diagram.root.locator(".kv-node-words text").all_text_contents()
    assert {"K", "pressure", "Pa", "material=", "steel", "copper"} <= {*words}, words
    assert unreadable(at.diagram) == []


def test_forced_colours_tell_what_cannot_be_pressed(page: "Page", tmp_path: Path) -> None:
    page.emulate_media(forced_colors="active")
    at = ModelPage(page, _spline(), tmp_path / "model.html")
    color = "one => getComputedStyle(one).color"
    buttons = at.diagram.root.locator(".kv-panel .kv-button")
    off = buttons.filter(has_text="Redo")
    on = buttons.filter(has_text="SVG")
    assert off.get_attribute("aria-disabled", timeout=20_000) == "true"
    assert off.evaluate(color) != on.evaluate(color, timeout=20_000)


def test_the_picture_gets_smaller_with_its_window(page: "Page", tmp_path: Path) -> None:
    page.set_viewport_size({"width": 2000, "height": 1300})
    at = ModelPage(page, _spline(), tmp_path / "model.html")
    page.set_viewport_size({"width": 1280, "height": 760})
    page.wait_for_function(
        """() => document.querySelector(".kv-foot").getBoundingClientRect().bottom
          <= document.querySelector(".kv-statusbar").getBoundingClientRect().top + 1""",
        timeout=20_000,
    )
    assert at.console.errors == []


def test_a_dark_page_is_light_on_paper_before_the_next_frame(page: "Page", tmp_path: Path) -> None:
    page.emulate_media(color_scheme="dark")
    at = ModelPage(page, _spline(), tmp_path / "model.html")
    ground = """document.querySelector(".kv-paint path[fill^=rgb]").getAttribute("fill")"""
    page.wait_for_function(f"() => !!({ground})")
    dark, light = page.evaluate(
        f"() => {{ const before = {ground}; dispatchEvent(new Event('beforeprint'));"
        f" return [before, {ground}]; }}"
    )
    as_rgb = [f"rgb{tuple(bytes.fromhex(one.panel[1:]))}" for one in (DARK, LIGHT)]
    assert [dark, light] == as_rgb
    assert at.console.errors == []


def test_the_page_is_used_by_keys_alone(page: "Page", tmp_path: Path) -> None:
    at = ModelPage(page, _spline(), tmp_path / "model.html")
    keys = page.keyboard
    at.diagram.tab_to(".kv-edge")  # the strongest
    keys.press("ArrowRight")
    keys.press("Enter")
    at.diagram.root.locator(".kv-editor .kv-title").filter(visible=True).wait_for()
    at.diagram.tab_to(".kv-handle")
    before = at.diagram.height(0)
    keys.press("ArrowUp")
    keys.press("ArrowUp")
    page.wait_for_function(
        "height => Number(document.querySelector('.kv-handle').ariaValueNow) > height", arg=before
    )
    at.diagram.tab_to("[role=tab]", back=True)
    keys.press("ArrowRight")
    at.diagram.tab_to("button:text('Start the probe')")
    keys.press("Enter")
    at.diagram.button("Close the probe").wait_for()
    at.diagram.tab_to("[role=tab]", back=True)
    keys.press("ArrowRight")
    at.diagram.tab_to("button:text('Undo')")
    keys.press("Enter")
    at.diagram.root.locator(".kv-undone").wait_for()
    keys.press("?")
    page.locator("dialog[open]").wait_for()
    keys.press("Escape")
    page.locator("dialog[open]").wait_for(state="detached")
    for _ in range(60):  # no trap: the focus leaves the diagram
        if page.evaluate("!document.activeElement.closest('.kv-root')"):
            break
        keys.press("Tab")
    assert page.evaluate("!document.activeElement.closest('.kv-root')")
    assert at.console.errors == []
