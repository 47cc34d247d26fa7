import gc
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from model_helpers import bytes_of, fit_briefly, make_data, make_model, until
from patch_reader import patched
from type_checks import type_checks_off

from kanviz.live.explorer import INTERVAL, MOST_SHARE, Explorer, keep_routes
from kanviz.live.packing import unpack
from kanviz.model import KAN
from kanviz.snapshot import Edge
from kanviz.symbolic.symbol_report import EdgeReport, SymbolReport

PATIENCE = 60.0
"""Seconds after which a test gives up."""

MOVE = {"type": "move_point", "edge": [0, 0, 0], "m": 2, "drag": 1}


class Clock:
    """A clock for the explorer that only tests move: seconds that passed, and this thread's own."""

    def __init__(self) -> None:
        self.now, self.used = time.perf_counter(), 0.0

    def perf_counter(self) -> float:
        return self.now

    def thread_time(self) -> float:
        return self.used


class Browser:
    """What a browser sees of an explorer, and how it asks: a comm without a kernel."""

    def __init__(self, explorer: Explorer, monkeypatch: pytest.MonkeyPatch) -> None:
        self.explorer = explorer
        self.replies: list[dict[str, Any]] = []
        self.seen: list[tuple[str, Any]] = []
        monkeypatch.setattr(explorer, "send", lambda content: self.replies.append(content))
        self.scene = unpack(explorer.scene)
        for name in ("scene", "patch", "frame"):
            explorer.observe(self._note, name)

    def _note(self, change: Any) -> None:
        name, content = change["name"], change["new"]
        if not content:
            return
        record = unpack(content)
        if name == "scene":
            self.scene = record
        elif name == "patch":  # what the browser then shows
            record = patched(self.scene, record)
        kind = "frame" if name == "frame" else "picture"
        self.seen.append((kind, record))

    def ask(self, seq: int = 0, **request: Any) -> None:
        self.explorer._handle_custom_msg({**request, "seq": seq}, [])

    def scenes(self) -> list[dict[str, Any]]:
        """Return what was shown, one picture after the other."""
        return [value for name, value in self.seen if name == "picture"]


@pytest.fixture
def model() -> KAN:
    return make_model()


@pytest.fixture
def browser(model: KAN, monkeypatch: pytest.MonkeyPatch) -> Iterator[Browser]:
    explorer = model.explore(make_data())
    yield Browser(explorer, monkeypatch)
    explorer.close()


@pytest.fixture
def clock(browser: Browser, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Stop the time of the explorer, once it rests."""
    until(lambda: not browser.explorer._is_sending)
    clock = Clock()
    monkeypatch.setattr("kanviz.live.explorer.time", clock)
    return clock


def test_an_explorer_starts_with_the_picture_of_its_model(model: KAN, browser: Browser) -> None:
    scene = unpack(browser.explorer.scene)
    assert scene["widths"] == [2, 3, 1]
    assert scene["has_data"] is True
    assert browser.explorer.status["answered"] == 0
    assert browser.explorer.frame == b""


def test_requests_are_answered_in_order_once(model: KAN, browser: Browser) -> None:
    for seq in range(20):
        browser.ask(seq, **MOVE, height=seq / 10)
    browser.ask(20, type="nonsense")
    until(lambda: len(browser.replies) == 21)
    assert [reply["seq"] for reply in browser.replies] == list(range(21))
    assert [reply["ok"] for reply in browser.replies] == [True] * 20 + [False]
    assert model.network.layers[0].weight[0, 2, 0].item() == 1.9
    assert len(model.steps) == 1
    until(lambda: browser.explorer.status["answered"] == 21)


def test_a_reply_names_a_version_that_is_shown(model: KAN, browser: Browser) -> None:
    browser.ask(1, **MOVE, height=0.7)
    until(lambda: bool(browser.replies))
    version = browser.replies[0]["value"]["version"]
    until(lambda: bool(browser.scenes()) and browser.scenes()[-1]["version"] >= version)
    edge = browser.scenes()[-1]["edges"][0]
    assert edge["control_y"][2] == 0.7


def test_what_is_done_in_a_cell_is_shown(model: KAN, browser: Browser) -> None:
    model.remove_edge((0, 0, 0))
    until(lambda: bool(browser.scenes()))
    assert browser.scenes()[-1]["edges"][0]["state"] == "pruned"
    model.undo()
    until(lambda: browser.scenes()[-1]["edges"][0]["state"] == "spline")


def test_many_changes_make_few_pictures_and_the_last_is_shown(
    model: KAN, browser: Browser, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    is_over, shown = threading.Event(), list[float]()

    def wait(seconds: float) -> None:
        clock.now += max(0.0, seconds)
        assert is_over.wait(PATIENCE)

    def shows(height: float) -> bool:
        scenes = browser.scenes()
        return bool(scenes) and scenes[-1]["edges"][0]["control_y"][2] == height

    monkeypatch.setattr(browser.explorer._pictures, "wait", wait)
    for name in ("scene", "patch"):
        browser.explorer.observe(lambda _: shown.append(clock.now), name)
    for burst in range(3):
        is_over.clear()
        for n in range(100):
            model.move_point((0, 0, 0), 2, burst + n / 100)
        is_over.set()
        until(partial(shows, burst + 0.99))
    assert len(browser.scenes()) <= 6
    assert all(b - a > 0.999 * INTERVAL for a, b in pairwise(shown))


def test_a_fit_in_a_cell_moves_the_picture_while_it_runs(model: KAN, browser: Browser) -> None:
    fit_briefly(model)
    until(lambda: bool(browser.scenes()))
    assert "frame" in [name for name, _ in browser.seen]
    assert browser.scenes()[-1]["losses"]["step"].size > 0
    assert browser.explorer.status["state"] == "idle"


def test_frames_take_a_small_share_of_a_fit(
    browser: Browser, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[float] = []

    def frame() -> None:
        clock.now += 0.05  # of which others had more than half
        clock.used += 0.02
        made.append(clock.now)

    monkeypatch.setattr(browser.explorer._desk, "frame", frame)
    end = clock.now + 1.0
    while clock.now < end:
        browser.explorer._told("step")
        clock.now += 0.001
    assert len(made) == 3
    assert all(b - a >= 0.02 / MOST_SHARE for a, b in pairwise(made))


def test_several_explorers_show_one_model(monkeypatch: pytest.MonkeyPatch, model: KAN) -> None:
    pair = [Browser(model.explore(), monkeypatch) for _ in range(2)]
    pair[0].ask(1, type="remove_edge", edge=[0, 0, 0])
    until(lambda: all(browser.scenes() for browser in pair))
    pair[0].explorer.close()
    pair[1].ask(2, type="undo")
    until(lambda: bool(pair[1].replies))
    assert model.steps == []
    pair[1].explorer.close()


def test_after_close_nothing_is_left_behind(model: KAN, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kanviz.live.explorer.LINGER", 0.05)
    explorer = model.explore(make_data())
    browser = Browser(explorer, monkeypatch)
    browser.ask(1, **MOVE, height=0.7)
    until(lambda: bool(browser.replies))
    explorer.close()
    until(lambda: not [t for t in threading.enumerate() if "kanviz-" in t.name])
    assert not model.session._watchers
    assert not model.session._fit_watchers
    assert explorer.comm is None
    seen = len(browser.seen)
    model.remove_edge((0, 0, 0))
    browser.ask(2, type="undo")
    assert (len(browser.seen), len(model.steps)) == (seen, 2)


def test_a_closed_explorer_lets_its_model_go(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model()
    explorer = model.explore()
    alive = weakref.ref(model)
    explorer.close()
    del model, explorer

    def is_gone() -> bool:
        gc.collect()
        return alive() is None

    until(is_gone)  # its thread may still be at the first picture


def test_threads_end_when_there_is_nothing_to_do(
    model: KAN, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("kanviz.live.explorer.LINGER", 0.05)
    for seq in range(2):
        browser.ask(seq, **MOVE, height=0.1)
        until(lambda: bool(browser.replies))
        until(lambda: not [t for t in threading.enumerate() if "kanviz-" in t.name])
    assert len(browser.replies) == 2


def test_a_long_search_tells_how_far_it_is(
    model: KAN, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[dict[str, Any]] = []
    browser.explorer.observe(lambda change: said.append(change["new"]), "status")
    go_on = threading.Event()

    def symbolify(data: object, *, on_edge: Callable[[EdgeReport], None]) -> SymbolReport:
        with model.session.at_rest():
            report = EdgeReport(Edge(0, 1, 2), "sin", 1.0, 1.0, ())
            on_edge(report)
            assert go_on.wait(20)
            return SymbolReport((report,), 1.0, 1.0, 1.0)

    monkeypatch.setattr(model, "symbolify", symbolify, raising=False)
    browser.ask(1, **MOVE, height=0.3)
    browser.ask(2, type="symbolify")
    until(lambda: any(status["progress"] is not None for status in said))
    assert said[-1]["state"] == "searching"
    assert said[-1]["text"] == "Naming the curves: 1 of 9, x_2 to h1.2: sin"
    assert said[-1]["progress"] == pytest.approx(1 / 9)
    go_on.set()
    until(lambda: len(browser.replies) == 2)
    assert browser.replies[1]["value"]["edges"][0]["chosen"] == "sin"
    until(lambda: browser.explorer.status["state"] == "idle")
    until(lambda: bool(browser.scenes()))


def test_a_picture_that_cannot_be_drawn_leaves_the_last_and_says_why(
    model: KAN, browser: Browser
) -> None:
    layer = model.network.layers[0]
    layer.weight.data[0, 0, 0] = float("inf")
    model.session._watchers.tell("broken from outside")
    until(lambda: "weight of edge (0, 0, 0) must be finite" in browser.explorer.status["error"])
    assert browser.scenes() == []
    layer.weight.data[0, 0, 0] = 0.0
    model.remove_edge((0, 1, 1))
    until(lambda: bool(browser.scenes()))
    assert browser.explorer.status["error"] == ""


def test_a_notebook_without_kernel_shows_a_still_picture(model: KAN, browser: Browser) -> None:
    with type_checks_off():
        shown, details = browser.explorer._repr_mimebundle_()
    assert shown["image/png"].startswith(b"\x89PNG")
    assert shown["text/html"].startswith("<img alt=")
    assert shown["text/plain"] == repr(model)
    assert shown["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert "image/png" in details


def test_no_image_is_made_of_a_large_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("kanviz.views.figure.network_figure", None)  # none may be asked for
    with type_checks_off():
        explorer = KAN([20, 3, 1]).explore()
        shown, details = explorer._repr_mimebundle_()
        explorer.close()
    assert "image/png" not in shown | details
    assert shown["text/html"].startswith("<img alt=")


def test_exploring_changes_nothing(rng_untouched: None) -> None:
    with type_checks_off():
        model = make_model()
        before = bytes_of(model), model.steps
        model.explore(make_data()).close()
        # Its thread, too, is to end before types are checked again, which draws random numbers.
        until(lambda: not [t for t in threading.enumerate() if "kanviz-" in t.name])
        assert (bytes_of(model), model.steps) == before


def test_messages_take_the_way_that_the_browser_asks_for(
    model: KAN, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Line:
        """A comm as ipykernel 7.4 has it."""

        comm_id, kernel = "1", None

        def _reply_subshell_for(self, data: object, default: object) -> object:
            return "the one that spoke last"

        def __getattr__(self, name: str) -> Any:
            return lambda *_, **__: None

    line = Line()
    explorer = model.explore()
    monkeypatch.setattr(Explorer, "comm", line)
    keep_routes(explorer)
    assert line._reply_subshell_for({}, "the one asked for") == "the one asked for"
    monkeypatch.undo()
    explorer.close()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"theme": "blue"}, "theme must be one of 'auto', 'light', 'dark'"),
        ({"height": 5}, "height must be an integer of at least 200"),
        ({"data": make_data}, "x"),
    ],
)
def test_a_wrong_option_is_named(options: dict[str, Any], message: str, model: KAN) -> None:
    with type_checks_off(), pytest.raises((ValueError, TypeError), match=message):
        model.explore(**options)
    assert not model.session._watchers
