"""The bar of a fit says how far it came."""

import pytest
from model_helpers import make_data, make_model

from kanviz.training.report import Progress


def interrupt(_: Progress) -> bool:
    raise KeyboardInterrupt


def test_a_fit_that_ends_early_has_a_full_bar(capsys: pytest.CaptureFixture[str]) -> None:
    report = make_model().fit(make_data(), steps=10_000, optimizer="lm", starts=1, curvature=1e-2)
    assert report.n_steps < 10_000
    assert f"100%|##########| {report.n_steps}/{report.n_steps}" in _ascii(capsys.readouterr().err)


def test_a_fit_that_is_broken_off_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    make_model().fit(make_data(), steps=100, starts=1, callbacks=[interrupt])
    assert "100%" not in capsys.readouterr().err


def _ascii(text: str) -> str:
    return text.replace("\u2588", "#")
