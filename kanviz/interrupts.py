"""Work is not broken off in the middle: not by Ctrl-C, and not by the end of Python.

Python raises ``KeyboardInterrupt`` wherever the main thread happens to be. Half an import of a
large package spoils it for the rest of the session, as the next import builds on the parts that are
there ("module 'numba' has no attribute 'core'"), and half an edit is none: ``uninterrupted`` lets
them finish first.

When Python ends, torch aborts the process if one of its operations still runs, and a thread that
dies with a lock in its hand lets whoever wants the lock wait for ever. So each thread of kanviz is
started by ``start_thread``, is told to end when Python does, and is waited for.
"""

import atexit
import ctypes
import functools
import importlib
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from types import FrameType
from typing import Any

INSISTS = 5.0
"""Seconds after a first Ctrl-C from which on another one strikes at once, whatever it breaks."""


class Shield:
    """What holds Ctrl-C back in one block; see ``uninterrupted``."""

    def __init__(self) -> None:
        self._outer: Callable[[int, FrameType | None], Any] | None = None
        self._held: float | None = None

    def raise_it(self) -> None:
        """Hold Ctrl-C back from now on, where Python would raise it here."""
        outer = signal.getsignal(signal.SIGINT)
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and callable(outer):  # else nothing is raised here, or not by Python
            self._outer = outer
            signal.signal(signal.SIGINT, self._hold)

    def lower(self) -> None:
        """Let Ctrl-C strike again, and now if it was held back."""
        outer, self._outer = self._outer, None
        if outer is None:
            return
        signal.signal(signal.SIGINT, outer)
        held, self._held = self._held, None
        if held is not None:
            outer(signal.SIGINT, None)

    @contextmanager
    def lowered(self) -> Iterator[None]:
        """Let Ctrl-C strike inside the block, as everywhere else."""
        self.lower()
        try:
            yield
        finally:
            self.raise_it()

    def _hold(self, number: int, frame: FrameType | None) -> None:
        now = time.monotonic()
        if self._held is None:
            self._held = now
        elif now - self._held > INSISTS and self._outer is not None:
            self._outer(number, frame)


@contextmanager
def uninterrupted() -> Iterator[Shield]:
    """Let Ctrl-C strike after the block instead of inside it.

    For short work of which half would do harm. Nothing changes in other threads, which Ctrl-C never
    reaches, or where the program deals with the signal outside Python. Blocks may be nested. Inside
    one, ``with shield.lowered():`` is for what may be broken off.

    Yields
    ------
    Shield
    """
    shield = Shield()
    shield.raise_it()
    try:
        yield shield
    finally:
        shield.lower()


@functools.cache
def load(name: str) -> None:
    """Import a module that torch would import in the middle of something else, to its end."""
    with uninterrupted():
        importlib.import_module(name)


# ---- threads -------------------------------------------------------------------------------------

LAST_WORK = 5.0
"""Seconds that all threads together may take for their last step or job when Python ends."""

LAST_CALL = 20.0
"""Seconds more for the one call of C that a thread is in which did not end by itself."""

_working: dict[threading.Thread, Callable[[], object]] = {}
"""What ends each thread that runs; a thread leaves by itself when it is over."""


def start_thread(
    run: Callable[[], object], *, name: str, stop: Callable[[], object]
) -> threading.Thread:
    """Start and return a thread that does not keep Python from ending, and is not cut off by it.

    Parameters
    ----------
    run : callable
        What the thread does. Kept until it returns.
    name : str
        Of the thread.
    stop : callable
        Makes ``run`` return soon; called in another thread, when Python ends.
    """

    def work() -> None:
        try:
            run()
        except SystemExit:  # broken off by end_threads
            pass
        finally:
            _working.pop(threading.current_thread(), None)

    thread = threading.Thread(target=work, name=name, daemon=True)
    _working[thread] = stop
    try:
        thread.start()
    except BaseException:  # no thread can be had
        _working.pop(thread, None)
        raise
    return thread


@atexit.register
def end_threads() -> None:
    """Tell all threads to end, give them a moment, and break off those that need longer.

    Such as one that compiles a kernel: half a minute, between two steps of its work. Python would
    end it inside a call of C++, which aborts the process.
    """
    working = list(_working.items())
    for _, stop in working:
        stop()
    _wait_for([thread for thread, _ in working], LAST_WORK)
    late = [thread for thread, _ in working if thread.is_alive()]
    for thread in late:
        raise_in(thread, SystemExit)
    _wait_for(late, LAST_CALL)


def raise_in(thread: threading.Thread, kind: type[BaseException]) -> None:
    """Raise an exception in another thread, at its next step of Python."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread.ident or 0), ctypes.py_object(kind)
    )


def _wait_for(threads: Sequence[threading.Thread], seconds: float) -> None:
    """Wait until all threads are over, or so long."""
    deadline = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
