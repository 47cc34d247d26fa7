import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, wait
from itertools import pairwise
from pathlib import Path
from types import FunctionType
from typing import Any, cast

import numba
import pytest
from nn_helpers import threads

from kanviz.nn.kernels import jit
from kanviz.nn.kernels.jit import kernel, over_parts, parts_of, sum_over_parts
from kanviz.nn.kernels.plan import BLOCK

SAMPLES, INPUTS = 20_000, 4  # more numbers than one thread takes


def test_parts_of_a_batch_cover_it_once_and_an_error_comes_out() -> None:
    seen: list[tuple[int, int]] = []

    def work(start: int, stop: int) -> float:
        seen.append((start, stop))
        return 1 / start

    with threads(2):
        with pytest.raises(ZeroDivisionError):
            over_parts(work, SAMPLES, INPUTS)
        seen.clear()
        over_parts(lambda start, stop: seen.append((start, stop)), SAMPLES, INPUTS)
    bounds = sorted(seen)
    assert len(bounds) == 2
    assert (bounds[0][0], bounds[-1][1]) == (0, SAMPLES)
    assert all(before == after for (_, before), (after, _) in pairwise(bounds))


def test_a_small_batch_is_one_part() -> None:
    assert parts_of(5, 3) == [(0, 5)]
    assert parts_of(0, 3) == [(0, 0)]
    assert len(parts_of(70, 10_000)) == 1  # no less than a block of samples


@pytest.mark.parametrize("samples", [513, 1000, 20_000, 1_000_003])
def test_parts_are_whole_blocks_that_cover_a_batch(samples: int) -> None:
    parts = parts_of(samples, 50)
    assert 1 < len(parts) <= 32
    assert (parts[0][0], parts[-1][1]) == (0, samples)
    assert all(before == after for (_, before), (after, _) in pairwise(parts))
    assert all(start % BLOCK == 0 for start, _ in parts)


@pytest.mark.parametrize("number", [1, 2, 4])
def test_parts_are_added_in_order_whichever_thread_ends_first(number: int) -> None:
    def work(start: int, stop: int) -> list[int]:
        time.sleep(0.01 if start == 0 else 0)
        return [start, stop]

    with threads(number):
        found = sum_over_parts(work, SAMPLES, INPUTS)
    assert found == sorted(found)
    assert found[::2] == [start for start, _ in parts_of(SAMPLES, INPUTS)]


def test_a_kernel_compiles_where_no_folder_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    njit = numba.njit

    def no_folder(function: Callable[..., Any], **options: Any) -> Any:
        if options.pop("cache", False):
            raise RuntimeError("cannot cache function: no locator available")
        return njit(function, **options)

    def double(x: float) -> float:
        return 2 * x

    monkeypatch.setattr(numba, "njit", no_folder)
    assert kernel(double)(1.5) == 3.0


def twice(x: float) -> float:
    """Return what no kernel of the package computes."""
    return 2 * x


def test_a_kernel_that_another_process_compiles_is_waited_for_and_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    theirs, ours = (cast("Any", kernel(FunctionType(twice.__code__, {}))) for _ in range(2))
    assert theirs(1.5) == 3.0
    (folder,) = (tmp_path / "cache").iterdir()
    (lock,) = folder.glob("*.lock")
    kept = [path.rename(tmp_path / path.name) for path in folder.glob("*.nb?")]
    assert len(kept) == 2
    with lock.open() as file, ThreadPoolExecutor(1) as pool:
        fcntl.flock(file, fcntl.LOCK_EX)
        found = pool.submit(ours, 1.5)
        assert wait([found], timeout=0.2).not_done
        for path in kept:
            path.rename(folder / path.name)
        fcntl.flock(file, fcntl.LOCK_UN)
        assert found.result(timeout=60) == 3.0
    assert (sum(ours.stats.cache_hits.values()), sum(ours.stats.cache_misses.values())) == (1, 0)
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)  # nobody holds it still


def test_threads_that_want_one_kernel_unlock_its_file_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(numba.config, "CACHE_DIR", str(tmp_path / "cache"))
    flock = fcntl.flock

    def slowly(number: int, what: int) -> None:
        flock(number, what)
        time.sleep(0.02 if what == fcntl.LOCK_UN else 0)

    monkeypatch.setattr(fcntl, "flock", slowly)
    wanted: Any = kernel(FunctionType(twice.__code__, {}))
    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(wanted, [1.5] * 4)) == [3.0] * 4


def test_a_process_that_was_stopped_while_it_compiles_is_not_waited_for_without_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")
    monkeypatch.setattr(jit, "PATIENCE", 0.05)
    with (tmp_path / "a.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert jit._locked(file.name) is None
