from collections.abc import Callable
from typing import Any

import numba
import pytest
from nn_helpers import threads

from kanviz.nn.compiled import compiled, over_batch


def test_parts_of_a_batch_cover_it_once_and_an_error_comes_out() -> None:
    seen: list[tuple[int, int]] = []
    with threads(2):
        over_batch(lambda start, stop: seen.append((start, stop)), 5)
        assert sorted(seen) == [(0, 2), (2, 5)]
        with pytest.raises(ZeroDivisionError):
            over_batch(lambda start, stop: 1 // start, 5)


def test_a_kernel_compiles_where_no_folder_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def no_folder(function: Callable[..., Any], **options: Any) -> Any:
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(function, **options)

    def double(x: float) -> float:
        return 2 * x

    monkeypatch.setattr(numba, "njit", no_folder)
    assert compiled(double)(1.5) == 3.0
