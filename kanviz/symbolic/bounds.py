"""Bounds of time and memory for sympy, which may take hours over a line of text."""

import contextlib
import ctypes
import sys
import threading
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


class _OverError(SystemExit):
    """The time or the memory of a computation is used up.

    A kind of ``SystemExit``, for a thread that is about to end keeps quiet about that alone.
    """


class _Worker(threading.Thread):
    """A thread that keeps what its work raised."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(name="kanviz formula", daemon=True)
        self.work = work
        self.failure: BaseException | None = None

    def run(self) -> None:
        """Do the work."""
        try:
            self.work()
        except _OverError:
            pass
        except BaseException as error:  # noqa: BLE001  # raised where it was asked for
            self.failure = error


def run_within(seconds: float, work: Callable[[], object]) -> bool:
    """Run something in pure Python that may take too long; return whether it came to its end.

    It runs in a thread of its own, in which an exception is raised when the time is over or the
    process has grown by ``MOST_MEMORY``. sympy is pure Python, so that ends it at its next step.
    """
    thread = _Worker(work)
    end, memory = time.monotonic() + seconds, most_memory()
    thread.start()
    try:
        while thread.is_alive() and time.monotonic() < end:
            thread.join(min(0.05, max(0.0, end - time.monotonic())))
            if most_memory() - memory > MOST_MEMORY:
                break
    finally:
        is_whole = not thread.is_alive()
        # More than once: sympy may have been in a handler that swallowed the first.
        for _ in range(40):
            if not thread.is_alive():
                break
            ctypes.pythonapi.PyThreadState_SetAsyncExc(
                ctypes.c_ulong(thread.ident or 0), ctypes.py_object(_OverError)
            )
            thread.join(0.05)
    if thread.failure is not None:
        raise thread.failure
    return is_whole


MOST_MEMORY = 400 * 2**20
"""Bytes by which a formula may make the process larger."""


def most_memory() -> int:
    """Return the largest size that this process has had, in bytes; 0 where that is unknown."""
    if sys.platform == "win32":
        return 0
    import resource

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def in_time(seconds: float, work: Callable[[], T], problem: str) -> T:
    """Return what something in pure Python returns; ValueError with ``problem`` if not in time.

    >>> in_time(5.0, lambda: 2 + 2, "Too hard.")
    4
    """
    found: list[T] = []
    with contextlib.suppress(RecursionError):
        run_within(seconds, lambda: found.append(work()))
    if not found:
        raise ValueError(problem)
    return found[0]
