"""Where a fit that runs in one thread lets the others in: between two of its steps."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

LOOK_AGAIN = 0.1
"""Seconds after which a waiting fit looks up, so that Ctrl-C ends it on every system."""


class Gate:
    """Others hold the fit here, pause it, or grant it single steps; all calls are thread-safe.

    The fit takes no lock of anybody's while others hold it here, so they can take what they like.
    """

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._n_holders = 0
        self._is_resting = self._is_granted = self._is_stopped = False
        self.is_paused = False
        self.is_over = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Wait until the fit rests here or is over, and keep it here inside the block."""
        with self._change:
            self._n_holders += 1
        try:
            with self._change:
                self._change.wait_for(lambda: self._is_resting or self.is_over)
            yield
        finally:
            with self._change:
                self._n_holders -= 1
                self._change.notify_all()

    def pause(self) -> None:
        """Make the fit wait here from its next passage on."""
        self._set(is_paused=not self._is_stopped)

    def resume(self) -> None:
        """Let it go on."""
        self._set(is_paused=False)

    def step(self) -> None:
        """Let it take one more step and then wait."""
        self._set(is_paused=not self._is_stopped, _is_granted=True)

    def stop(self) -> None:
        """Never again let it wait for ``resume``; who holds it still holds it."""
        self._set(is_paused=False, _is_stopped=True)

    def finish(self) -> None:
        """Say that the fit is over: nobody need wait for it any more."""
        self._set(is_paused=False, is_over=True)

    def pass_through(self, *, took_step: bool) -> None:
        """Wait while others want it to; called by the fit between two steps.

        ``took_step`` says whether what lies behind was one, and so uses up a granted step.
        """
        if not (self._n_holders or self.is_paused):  # nearly always: no lock, no wait
            return
        with self._change:
            self._is_granted &= not took_step
            self._is_resting = True
            self._change.notify_all()
            try:
                while self._n_holders or (self.is_paused and not self._is_granted):
                    self._change.wait(LOOK_AGAIN)
            finally:
                self._is_resting = False

    def _set(self, **values: bool) -> None:
        with self._change:
            if not self.is_over:
                self.__dict__.update(values)
            self._change.notify_all()
