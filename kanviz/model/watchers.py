"""Who wants to hear of something, and how they are told."""

import logging
from collections.abc import Callable
from typing import Generic, TypeVar

logger = logging.getLogger(__name__)

News = TypeVar("News")


class Watchers(Generic[News]):
    """Callbacks that are called in order; what they raise is logged and stops nobody.

    Threads may share it.

    Parameters
    ----------
    failure : str
        What is logged, with the news, where one of them raises.
    """

    def __init__(self, failure: str = "A watcher failed after this change") -> None:
        self._failure = failure
        self._callbacks: dict[object, Callable[[News], object]] = {}

    def __bool__(self) -> bool:
        """Return whether anybody listens."""
        return bool(self._callbacks)

    def add(self, callback: Callable[[News], object]) -> Callable[[], None]:
        """Call ``callback(news)`` from now on; return the function that ends this."""
        key = object()
        self._callbacks[key] = callback
        return lambda: self._callbacks.pop(key, None) and None

    def tell(self, news: News) -> None:
        """Tell everybody, in the order in which they came."""
        for callback in tuple(self._callbacks.values()):
            try:
                callback(news)
            except Exception:
                logger.exception("%s: %s", self._failure, news)
