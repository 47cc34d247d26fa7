"""The bar of a fit says how far it came."""

import pytest
from model_helpers import make_data, make_model

from kanviz.training.report import Progress


def stop(progress: Progress) -> bool:
    return progress.step < 3


def interrupt(_: Progress) -> bool:
    raise KeyboardInterrupt


def test_a_fit_that_ends_early_has_a_full_bar(capsys: pytest.CaptureFixture[str]) -> None:
    make_model().fit(make_data(), steps=100, starts=1, callbacks=[stop])
    bar = capsys.readouterr().err
    assert "100%" in bar
    assert " 3/3 " in bar


def test_a_fit_that_is_broken_off_has_not(capsys: pytest.CaptureFixture[str]) -> None:
    make_model().fit(make_data(), steps=100, starts=1, callbacks=[interrupt])
    assert "100%" not in capsys.readouterr().err
