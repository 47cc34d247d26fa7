"""A thread that is there only while there is work: jobs one after the other, then it ends."""

import atexit
import functools
import logging
import threading
import weakref
from collections import deque
from collections.abc import Callable

logger = logging.getLogger(__name__)

LINGER = 2.0
"""Seconds without a job after which the thread ends; the next job starts another."""

LAST_JOB = 5.0
"""Seconds that the last job may take when Python ends."""


class Courier:
    """Runs jobs in the order in which they come; all methods may be called from any thread.

    When Python ends it is closed, and the present job is given a moment: torch ends the process
    with an abort if one of its operations runs while Python goes away.

    Parameters
    ----------
    name : str
        Of its threads.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._change = threading.Condition()
        self._jobs: deque[Callable[[], object]] = deque()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._at_exit = functools.partial(_end_with_python, weakref.ref(self))
        atexit.register(self._at_exit)

    def put(self, job: Callable[[], object]) -> None:
        """Have a job run, soon; an error of it is only logged. Does nothing once closed."""
        with self._change:
            if self._is_closed:
                return
            self._jobs.append(job)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
                self._thread.start()
            self._change.notify_all()

    def wait(self, seconds: float) -> None:
        """Sleep inside a job, but not beyond ``close``."""
        with self._change:
            self._change.wait_for(lambda: self._is_closed, seconds)

    def close(self) -> None:
        """Drop the jobs that have not begun; the thread ends after the present one."""
        with self._change:
            self._is_closed = True
            self._jobs.clear()
            self._change.notify_all()
        atexit.unregister(self._at_exit)

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._jobs) or self._is_closed, LINGER)
                if not self._jobs:
                    self._thread = None
                    return
                job = self._jobs.popleft()
            try:
                job()
            except Exception:
                logger.exception("A job of the live diagram failed.")
            del job  # or it would be kept alive while the thread waits


def _end_with_python(courier: weakref.ref[Courier]) -> None:
    """Close what still runs when Python ends, and wait for its job."""
    running = courier()
    if running is None:
        return
    thread = running._thread
    running.close()
    if thread is not None:
        thread.join(LAST_JOB)
