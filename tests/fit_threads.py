"""Fits in the background that tests hold where they want them."""

import time
from collections.abc import Callable
from typing import Any

from model_helpers import make_data

from kanviz.model import KAN
from kanviz.model.fit_handle import FitHandle

PATIENCE = 20.0
"""Seconds after which a test gives up."""


def wait_until(condition: Callable[[], bool]) -> None:
    """Return once the condition holds; fail if that takes too long."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came true"
        time.sleep(0.001)


def start(model: KAN, *, pause_at: int | None = None, **options: Any) -> FitHandle:
    """Start a fit in the background; with ``pause_at``, return when it rests after that step."""

    def pause(progress: Any) -> None:
        fit = model.running_fit
        if fit is not None and progress.step == pause_at:
            fit.pause()

    settings: dict[str, Any] = {"optimizer": "lm", "steps": 40, "starts": 1, "progress": False}
    if pause_at is not None:
        settings["callbacks"] = [pause]
    data = options.pop("data", None) or make_data()
    fit = model.fit(data, background=True, **{**settings, **options})
    assert isinstance(fit, FitHandle)
    if pause_at is not None:
        wait_until(lambda: fit.state == "paused")
        with fit.gate.held():
            pass
    return fit
