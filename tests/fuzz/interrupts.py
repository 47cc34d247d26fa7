"""Calls that Ctrl-C breaks off at any instant, and programs that end at any moment.

What must hold: whatever was broken off is done or not done, nothing stays locked, the session can
go on; a program that ends does end. Each case is a process of its own, forked from one that has
imported kanviz but nothing that kanviz loads later. Instants are counted in seconds of the
processor, so that a busy machine is hit in the same places. Loading takes most of a case's time, so
all but one in four are forked from a process that has loaded it.
"""

import contextlib
import importlib
import io
import os
import random
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from types import FrameType
from typing import Any

PATIENCE = 180.0
"""Seconds after which a process counts as hung: many times what the slowest takes."""

HITS = 25
"""Of one process, where what is hit takes milliseconds."""

Cases = list[tuple[str, Callable[[int], list[str]], int]]
"""Name, what is done with a seed and returns the faults, and the seed."""

COLD = 4
"""One case in so many loads everything itself."""


def run(count: int, seed: int) -> list[str]:
    """Return the faults of ``count`` interrupted calls: half of them in a first fit."""
    firsts = count // 2
    cases: Cases = [("first fit", hit_first_fit, seed + number) for number in range(firsts)]
    rest = -(-(count - firsts) // HITS)
    cold = -(-firsts // COLD)
    edits: Cases = [("edits", hit_edits, seed + number) for number in range(rest)]
    faults = _in_processes(cases[:cold])
    _load()
    return faults + _in_processes(cases[cold:] + edits)


def run_exits(count: int, seed: int) -> list[str]:
    """Return the faults of ``count`` programs that end."""
    cases: Cases = [("exit", end, seed + number) for number in range(count)]
    cold = -(-count // COLD)
    faults = _in_processes(cases[:cold], ends=True)
    _load()
    return faults + _in_processes(cases[cold:], ends=True)


def _load() -> None:
    """Load what the first fit and the first diagram of a process load; no thread may be begun."""
    for name in ("torch._dynamo", "kanviz.nn.kernels.dense", "kanviz.live.explorer", "sympy"):
        importlib.import_module(name)


# ---- interrupts ----------------------------------------------------------------------------------


def hit_first_fit(seed: int) -> list[str]:
    """Hit the first fit of a process, then see that all goes on as if nothing had been."""
    import kanviz as kv

    rng = random.Random(seed)
    (x, y), model = _data(), kv.KAN([2, 3, 1], seed=seed)
    watch = rng.random() < 0.5
    explorer: Any = model.explore((x, y)) if watch else None
    options: dict[str, Any] = {"optimizer": rng.choice(["lm", "adam"]), "steps": 40}
    faults = _hit(rng.uniform(0, 4), lambda: model.fit(x, y, progress=False, **options))
    faults += _faults_of(model)
    try:
        report = kv.KAN([2, 3, 1]).fit(x, y, steps=40, progress=False)
        if not report.loss < 0.05:
            faults.append(f"the next fit ends with the loss {report.loss}")
        model.fit(x, y, steps=5, progress=False)
        model.suggest((0, 0, 0), functions=["sin"])
        if model.session.history.now.state.is_of(model.network) is False:
            faults.append("the network is not what the history says")
    except Exception:  # noqa: BLE001 - which it is, is the question
        faults.append(traceback.format_exc(limit=-5))
    if explorer is not None:
        explorer.close()
    return faults


def hit_edits(seed: int) -> list[str]:
    """Hit edits, undo and prune again and again; each must be done or not done."""
    import torch

    import kanviz as kv

    rng = random.Random(seed)
    x, y = _data()
    model = kv.KAN([2, 3, 1], dtype=torch.float64)
    model.fit(x, y, steps=20, progress=False)
    model.prune((x, y))
    model.undo()
    fit = model.fit(x, y, steps=10**6, optimizer="adam", background=True, progress=False)
    if rng.random() < 0.7:
        fit.stop()
        fit.wait()
    calls: dict[str, Callable[[], object]] = {
        "prune": lambda: model.prune((x, y), tolerance=10.0),
        "undo": model.undo,
        "redo": model.redo,
        "remove": lambda: model.remove_edge((0, rng.randrange(2), rng.randrange(3))),
        "refine": lambda: model.refine(rng.choice([5, 7, 10])),
        "update": lambda: model.update_grid(x, grid_eps=0.5),
        "move": lambda: model.move_point((0, 0, 0), 2, rng.random()),
        "fix": lambda: model.fix((1, 2, 0), "sin", affine=(1.0, 0.0, 1.0, 0.0)),
        "jump": lambda: model.session.jump(rng.randrange(len(model.steps) + 1)),
        "fit": lambda: model.fit(x, y, steps=4, progress=False),
        "copy": model.copy,
    }
    longest = {"prune": 0.3, "fit": 0.05}
    faults: list[str] = []
    for _ in range(HITS):
        name = rng.choice(list(calls))
        instant = rng.uniform(0, longest.get(name, 0.006))
        faults += [f"{name}: {fault}" for fault in _hit(instant, calls[name])]
        faults += [f"{name}: {fault}" for fault in _faults_of(model)]
        if faults:
            break
    if model.running_fit is not None:
        model.running_fit.stop()
    return faults


def _hit(instant: float, call: Callable[[], object]) -> list[str]:
    """Make a call, interrupted after so many seconds of the processor."""

    def strike(_: int, __: FrameType | None) -> None:
        signal.raise_signal(signal.SIGINT)

    signal.signal(signal.SIGPROF, strike)
    try:
        signal.setitimer(signal.ITIMER_PROF, max(instant, 1e-6))
        call()
    except KeyboardInterrupt:
        pass
    except (ValueError, IndexError, RuntimeError) as error:  # nothing to undo, removed already ...
        if not isinstance(error, ValueError | IndexError) and "running already" not in str(error):
            return [traceback.format_exc(limit=-5)]
    except Exception:  # noqa: BLE001 - which it is, is the question
        return [traceback.format_exc(limit=-5)]
    finally:
        with contextlib.suppress(KeyboardInterrupt):
            signal.setitimer(signal.ITIMER_PROF, 0)
    return []


def _faults_of(model: Any) -> list[str]:
    """Return what an interrupt has left behind."""
    faults = []
    if model.running_fit is not None and model.running_fit.state in ("done", "failed"):
        faults.append("a fit that is over counts as running")
    done = threading.Event()

    def edit() -> None:
        with contextlib.suppress(ValueError):
            model.freeze(0)
        done.set()

    thread = threading.Thread(target=edit, daemon=True)
    thread.start()
    if not done.wait(60):
        return ["other threads wait for ever"]
    thread.join()
    if any("outside" in step for step in model.steps):
        faults.append(f"a step was half done: {model.steps}")
    return faults


def _data() -> tuple[Any, Any]:
    import torch

    x = 2 * torch.rand(80, 2, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) - 1
    return x, torch.sin(3 * x[:, :1]) + x[:, 1:] ** 2


# ---- ends of programs ----------------------------------------------------------------------------


def end(seed: int) -> list[str]:
    """Do what a program may do last; its process then ends as Python does."""
    import kanviz as kv

    rng = random.Random(seed)
    x, y = _data()
    model = kv.KAN([2, 3, 1])
    explorer = model.explore((x, y) if rng.random() < 0.5 else None)
    if rng.random() < 0.3:
        model.remove_edge((0, 0, 0))
    fit = None
    if rng.random() < 0.4:
        fit = model.fit(x, y, optimizer="adam", steps=10**6, background=True, progress=False)
        time.sleep(rng.random())
        if rng.random() < 0.3:
            fit.pause()
    if rng.random() < 0.8:
        explorer.close()
    if rng.random() < 0.2:
        explorer.close()
    if rng.random() < 0.2:
        del explorer, model
    return []


# ---- processes -----------------------------------------------------------------------------------


def _in_processes(cases: Cases, *, ends: bool = False) -> list[str]:
    """Run each case in a process, one after the other; return their faults."""
    import kanviz  # noqa: F401 - the processes share it

    faults = []
    for name, case, seed in cases:
        reader, writer = os.pipe()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            os.close(reader)
            _live(case, seed, writer, ends=ends)
        os.close(writer)
        code, text = _wait(pid, reader)
        if code != 0 or text:
            faults.append(f"{name}, seed {seed}: exit {code} {text}")
    return faults


def _live(case: Callable[[int], list[str]], seed: int, writer: int, *, ends: bool) -> None:
    """Be the process of a case, and end: as Python ends, or, to spare time, at once."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stderr = io.StringIO()  # a KeyboardInterrupt in a callback of Python's own is printed there
    try:
        faults = case(seed)
    except BaseException:  # noqa: BLE001 - which it is, is the question
        faults = [traceback.format_exc(limit=-8)]
    os.write(writer, "; ".join(faults).encode()[:60_000])
    os.close(writer)
    if not ends:
        os._exit(0)
    sys.exit(0)  # through all of Python's own endings


def _wait(pid: int, reader: int) -> tuple[int | str, str]:
    """Return how a process ended and what it wrote; end it where it hangs."""
    begin = time.monotonic()
    status = None
    while status is None and time.monotonic() - begin < PATIENCE:
        found, code = os.waitpid(pid, os.WNOHANG)
        status = code if found else None
        time.sleep(0.02)
    if status is None:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    with os.fdopen(reader, "rb") as pipe:
        text = pipe.read().decode()
    return ("hung" if status is None else os.waitstatus_to_exitcode(status)), text
