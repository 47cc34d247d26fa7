"""One network with one lock and one history: whoever edits it goes through here."""

import copy
import logging
import threading
from collections.abc import Callable
from typing import Any, TypeVar

from kanviz.data.about import About
from kanviz.edits import Edit
from kanviz.history import History
from kanviz.nn.network import Network

logger = logging.getLogger(__name__)

Result = TypeVar("Result")
Watcher = Callable[[str], object]


class Workbench:
    """Applies edits one at a time, remembers them, and tells watchers.

    Threads may share it. While a fit runs the network can be looked at, for training goes on in a
    copy, but not edited. Copies and pickles leave out the watchers.

    Parameters
    ----------
    network : Network
        Edited in place from now on.
    about : About
        What is known of the data.
    start : str
        Python that makes the model as it is now, for ``History.script``.
    """

    def __init__(self, network: Network, about: About, start: str) -> None:
        self.network = network
        self.history = History(network, about, start)
        self._forget_threads()

    def do(self, edit: Edit[Result], *, about: About | None = None) -> Result:
        """Apply an edit, remember it and tell; if it raises, nothing is changed.

        ``about`` takes the place of what is known of the data, where the edit brings news of it.
        """
        with self.lock:
            self._check_free()
            result = self.history.do(self.network, edit, about=about)
            self._tell(edit.sentence())
        return result

    def train(self, run: Callable[[Network], Edit[None]], about: About) -> None:
        """Let ``run`` train a copy, and take that over as one step; ``about`` is of its data.

        Raises
        ------
        RuntimeError
            If a fit is running already.
        """
        with self.lock:
            self._check_free()
            self._is_fitting = True
            work = copy.deepcopy(self.network)
        try:
            edit = run(work)
            with self.lock:
                self.history.do(self.network, edit, about=about)
        finally:
            self._is_fitting = False
        with self.lock:
            self._tell(edit.sentence())

    def undo(self) -> str:
        """Take back the last step and return its sentence; IndexError if there is none."""
        with self.lock:
            self._check_free()
            sentence = self.history.undo(self.network)
            self._tell(f"undid: {sentence}")
        return sentence

    def redo(self) -> str:
        """Do again the step undone last and return its sentence; IndexError if there is none."""
        with self.lock:
            self._check_free()
            sentence = self.history.redo(self.network)
            self._tell(f"redid: {sentence}")
        return sentence

    def watch(self, callback: Watcher) -> Callable[[], None]:
        """Call ``callback(sentence)`` after each change; return the function that ends this."""
        key = object()
        self._watchers[key] = callback
        return lambda: self._watchers.pop(key, None) and None

    def _tell(self, sentence: str) -> None:
        """Tell every watcher; the change has happened, so an error of theirs is only logged."""
        for callback in list(self._watchers.values()):
            try:
                callback(sentence)
            except Exception:
                logger.exception("A watcher failed after this change: %s", sentence)

    def _check_free(self) -> None:
        if self._is_fitting:
            raise RuntimeError(
                "model must not be changed while it is being fitted; got a change during fit. "
                "Wait until fit returns, or stop it with a callback that returns False."
            )

    def _forget_threads(self) -> None:
        self.lock = threading.RLock()
        self._watchers: dict[object, Watcher] = {}
        self._is_fitting = False

    def __getstate__(self) -> dict[str, Any]:
        return {"network": self.network, "history": self.history}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._forget_threads()
