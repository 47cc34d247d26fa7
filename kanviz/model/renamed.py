"""Names and calls of 0.1 that are others now: each gives one sentence that says what to write."""

import functools
from collections.abc import Callable
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

ATTRIBUTES = {"history": "steps"}
"""Attributes of a model that are called otherwise now."""


def refuse_old_names(owner: str, name: str) -> None:
    """Raise an AttributeError for an attribute of 0.1.

    >>> refuse_old_names("KAN", "history")
    Traceback (most recent call last):
    AttributeError: KAN.history is called steps now.
    """
    if name in ATTRIBUTES:
        raise AttributeError(f"{owner}.{name} is called {ATTRIBUTES[name]} now.")


def renamed(**names: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function raise a TypeError for options of 0.1: ``old="new"``."""

    def around(function: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            for old in names.keys() & kwargs.keys():
                raise TypeError(
                    f"{function.__name__} has no option {old!r}: it is called {names[old]!r} now."
                )
            return function(*args, **kwargs)

        return call

    return around


def one_address(example: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a method raise a TypeError where an address comes as several numbers, as in 0.1."""

    def around(method: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if len(args) > 2 or {"layer", "i", "j"} & kwargs.keys():
                raise TypeError(
                    f"{method.__name__} takes one address. Write {method.__name__}({example})."
                )
            return method(*args, **kwargs)

        return call

    return around
