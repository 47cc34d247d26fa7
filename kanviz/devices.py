"""Torch's default device is for the tensors that a user makes, not for ours.

``torch.set_default_device("cuda")`` makes each new tensor of a session there. Our work makes
tensors beside those that it is given: on their device where it says so, else on the CPU. So at the
public boundary the default is the CPU again, whatever it is outside.
"""

import functools
import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from typing import ParamSpec, TypeVar

import torch

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound=type)

CPU = torch.device("cpu")

_outside: ContextVar[torch.device] = ContextVar("_outside", default=CPU)
"""The default device of who called."""


def on_cpu(function: Callable[P, R]) -> Callable[P, R]:
    """Let a function make its tensors on the CPU where it does not say otherwise.

    >>> zeros = on_cpu(torch.zeros)
    >>> with torch.device("meta"):
    ...     zeros(2), torch.zeros(2)
    (tensor([0., 0.]), tensor(..., device='meta', size=(2,)))
    """

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        default = torch.get_default_device()
        if default == CPU:
            return function(*args, **kwargs)
        outside = _outside.set(default)
        try:
            with CPU:
                return function(*args, **kwargs)
        finally:
            _outside.reset(outside)

    return call


@contextmanager
def users_default() -> Iterator[None]:
    """Make tensors on the user's default device again, where the user's code runs inside ours."""
    default = _outside.get()
    with nullcontext() if default == CPU else default:
        yield


def made_on_default(function: Callable[P, R]) -> Callable[P, R]:
    """Do as ``on_cpu``, for what makes a model: with ``device=None`` on the default device.

    As torch's own modules are.
    """
    inner = on_cpu(function)

    @functools.wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> R:
        if kwargs.get("device") is None and (default := torch.get_default_device()) != CPU:
            kwargs["device"] = default
        return inner(*args, **kwargs)

    return call


def all_on_cpu(*left_out: str) -> Callable[[C], C]:
    """Let all public methods of a class make their tensors on the CPU; see ``on_cpu``.

    Parameters
    ----------
    *left_out : str
        Methods that make no tensor, or only beside those that they are given.
    """

    def of(owner: C) -> C:
        for name, member in list(vars(owner).items()):
            if name.startswith("_") or name in left_out:
                continue
            if inspect.isfunction(member):
                setattr(owner, name, on_cpu(member))
            elif isinstance(member, classmethod | staticmethod):
                setattr(owner, name, type(member)(on_cpu(member.__func__)))
        return owner

    return of
