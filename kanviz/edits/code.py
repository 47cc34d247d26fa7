"""How calls and their values are written as Python, for scripts."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

MAX_NUMBERS = 64
"""Longest tensor that is written out."""


def as_code(value: object, name: str) -> str:
    """Return Python that gives ``value``, or ``name`` where only the user's own code can.

    >>> as_code([3, 5.0], "grids"), as_code(torch.float64, "dtype"), as_code(len, "loss")
    ('[3, 5.0]', 'torch.float64', 'loss')
    """
    if isinstance(value, Tensor) and value.numel() <= MAX_NUMBERS:
        return f"torch.tensor({value.tolist()}, dtype={value.dtype})"
    if isinstance(value, torch.device):
        return repr(str(value))
    if isinstance(value, list | tuple):
        return name if name in [as_code(item, name) for item in value] else repr(value)
    if isinstance(value, type) and issubclass(value, torch.optim.Optimizer):
        is_torchs = getattr(torch.optim, value.__name__, None) is value
        return f"torch.optim.{value.__name__}" if is_torchs else name
    if isinstance(value, dict):
        return name if name in [as_code(item, name) for item in value.values()] else repr(value)
    is_plain = value is None or isinstance(value, bool | int | float | str | torch.dtype)
    return repr(value) if is_plain else name


def call_code(function: str, *arguments: str, **options: object) -> str:
    """Return the call of a function: arguments as they are, options as ``as_code`` writes them.

    >>> call_code("model.fit", "data", steps=20, optimizer=torch.optim.SGD)
    'model.fit(data, steps=20, optimizer=torch.optim.SGD)'
    """
    written = [f"{name}={as_code(value, name)}" for name, value in options.items()]
    return f"{function}({', '.join([*arguments, *written])})"


def options_given(function: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those values that are not the defaults of the function's parameters."""
    defaults = {name: p.default for name, p in inspect.signature(function).parameters.items()}

    def is_default(name: str, value: object) -> bool:
        default = defaults.get(name, inspect.Parameter.empty)
        return type(value) is type(default) and bool(value == default)

    return {name: value for name, value in values.items() if not is_default(name, value)}
