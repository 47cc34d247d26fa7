"""Nothing hangs and nothing is half done: a few cases of the generators, and smallest inputs."""

import errno
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import torch
from desk_helpers import make_desk
from fuzz import edits
from model_helpers import bytes_of, make_model

import kanviz as kv
from kanviz import interrupts
from kanviz.edits import Became
from kanviz.interrupts import _working, end_threads, start_thread, uninterrupted
from kanviz.nn.kernels.jit import kernel, logger

ROOT = Path(__file__).parents[1]


@pytest.mark.usefixtures("unchecked")
def test_random_edits_are_done_or_not_done() -> None:
    assert edits.run(8, seed=3) == []


@pytest.mark.usefixtures("unchecked")
def test_forged_requests_are_refused_in_one_sentence_and_change_nothing() -> None:
    assert edits.run_messages(20, seed=1) == []


@pytest.mark.parametrize(("kind", "count"), [("interrupts", 2), ("exits", 2)])
def test_processes_are_broken_off_cleanly(kind: str, count: int) -> None:
    command = [sys.executable, "-m", "tests.fuzz", kind, "--count", str(count), "--seed", "5"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, check=False, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_ctrl_c_strikes_after_what_must_be_whole() -> None:
    done = []

    def nested() -> None:
        with uninterrupted():
            with uninterrupted():
                signal.raise_signal(signal.SIGINT)
                done.append("inner")
            done.append("outer")

    with pytest.raises(KeyboardInterrupt):
        nested()
    assert done == ["inner", "outer"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_ctrl_c_strikes_where_the_shield_is_lowered() -> None:
    with pytest.raises(KeyboardInterrupt), uninterrupted() as shield, shield.lowered():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_an_edit_that_ctrl_c_hits_is_done_and_told(monkeypatch: pytest.MonkeyPatch) -> None:
    model = make_model()
    heard: list[str] = []
    model.on_change(heard.append)
    capture = model.session.history._add

    def struck(*values: Any, **options: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        capture(*values, **options)

    monkeypatch.setattr(model.session.history, "_add", struck)
    with pytest.raises(KeyboardInterrupt):
        model.remove_edge((0, 0, 0))
    assert model.steps == heard == ["removed edge (0, 0, 0)"]
    monkeypatch.undo()
    model.undo()
    assert model.steps == []


def test_a_thread_leaves_the_books_when_it_is_over() -> None:
    gate = threading.Event()
    thread = start_thread(gate.wait, name="kanviz-test", stop=gate.set)
    assert thread in _working
    gate.set()
    thread.join()
    assert thread not in _working


def test_the_end_of_python_breaks_off_a_thread_that_does_not_leave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one that compiles a kernel: cut off inside C++, it would abort the process."""
    left = threading.Event()

    def work() -> None:
        try:
            while True:
                time.sleep(0.01)
        finally:
            left.set()

    monkeypatch.setattr(interrupts, "LAST_WORK", 0.1)
    thread = start_thread(work, name="kanviz-test", stop=lambda: None)
    end_threads()
    assert left.is_set()
    assert not thread.is_alive()


@pytest.mark.parametrize("height", [1e39, float("inf"), float("nan")])
def test_an_edit_that_would_leave_no_numbers_is_refused(height: float) -> None:
    model = kv.KAN([1, 1], dtype=torch.float32)
    before = bytes_of(model)
    with pytest.raises(ValueError, match=r"finite"):
        model.move_point((0, 0, 0), 2, height)
    assert bytes_of(model) == before
    assert model.steps == []


def test_an_edit_that_would_let_knots_fall_together_is_refused() -> None:
    model = kv.KAN([1, 1])
    before, after = bytes_of(model), model.copy().network
    after.layers[0].knots[0, 4] = after.layers[0].knots[0, 3]
    with pytest.raises(ValueError, match=r"knots of layer 0 would fall onto each other.*offset"):
        model.session.change(Became(after, "", "searched"))
    assert bytes_of(model) == before


def test_a_callback_that_exits_ends_neither_an_edit_nor_the_diagram(
    caplog: pytest.LogCaptureFixture,
) -> None:
    desk, _ = make_desk()

    def leave(_: str) -> None:
        sys.exit(1)

    desk.session.watch(leave)
    reply = desk.answer({"type": "remove_edge", "seq": 1, "edge": [0, 0, 0]})
    assert reply["ok"]
    assert "SystemExit" in caplog.text


@pytest.mark.parametrize("seq", [float("nan"), float("inf"), 10**400, True, "1", None])
def test_a_reply_is_json_whatever_the_number_of_its_request(seq: object) -> None:
    desk, _ = make_desk()
    reply = desk.answer({"type": "undo", "seq": seq})
    assert json.loads(json.dumps(reply, allow_nan=False))["seq"] is None


def test_a_refusal_is_short_however_long_the_request() -> None:
    desk, _ = make_desk()
    reply = desk.answer({"type": "lock", "seq": 1, "edges": [[0, 0, 0]] * 5_000})
    assert not reply["ok"]
    assert len(json.dumps(reply)) < 1000


# ---- kernels -------------------------------------------------------------------------------------


def make_kernel(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    import numba

    monkeypatch.setattr(numba.config, "CACHE_DIR", str(folder))

    def triple(x: float) -> float:
        return 3 * x

    return kernel(triple)


@pytest.mark.parametrize("damage", [b"", b"no kernel", None])
@pytest.mark.parametrize("ending", ["nbi", "nbc"])
def test_a_damaged_kernel_is_compiled_anew_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, damage: bytes | None
) -> None:
    assert make_kernel(tmp_path, monkeypatch)(2.0) == 6.0
    (path,) = tmp_path.rglob(f"*.{ending}")
    whole = path.read_bytes()
    broken = whole[:200] + bytes([whole[200] ^ 1]) + whole[201:] if damage is None else damage
    path.write_bytes(broken)
    assert make_kernel(tmp_path, monkeypatch)(2.0) == 6.0
    again = make_kernel(tmp_path, monkeypatch)
    assert again(2.0) == 6.0
    assert sum(again.stats.cache_hits.values()) == 1


def test_a_kernel_works_where_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    made = make_kernel(tmp_path, monkeypatch)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(made._cache._cache_file, "_save_data", full)
    with caplog.at_level(logging.WARNING, logger.name):
        assert made(2.0) == 6.0
    (record,) = caplog.records
    assert "cannot be kept" in record.getMessage()
    assert "No space left" in record.getMessage()


FIT = """
import sys, torch, kanviz as kv
{before}
x = torch.linspace(-1, 1, 50, dtype=torch.float64)[:, None]
model = kv.KAN([1, 2, 1], dtype=torch.float64)
loss = model.fit(x, x**2, steps=5).loss
print(0 < loss < 0.1)
"""


@pytest.mark.parametrize(
    ("before", "environment"),
    [("sys.stderr = None", {}), ("", {"NUMBA_DISABLE_JIT": "1"})],
    ids=["no stderr", "no jit"],
)
def test_a_fit_works_in_odd_surroundings(before: str, environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", FIT.format(before=before)]
    surroundings = os.environ | environment
    done = subprocess.run(command, env=surroundings, capture_output=True, check=False, text=True)
    assert done.stdout == "True\n", done.stderr
