"""Functions of SciPy as functions of tensors; SciPy is imported when one is first called."""

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor


def scipy_function(call: Callable[..., Any]) -> Callable[[Tensor], Tensor]:
    """Return a function of tensors, computed in float64 and rounded to the dtype of its input.

    Parameters
    ----------
    call : callable
        Takes the module ``scipy.special`` and one array (samples,) per input; returns an array
        (samples,).

    Returns
    -------
    callable
        Maps (samples, inputs) to (samples,). Raises an ImportError where SciPy is not installed.
    """

    def f(x: Float[Tensor, "samples inputs"]) -> Float[Tensor, " samples"]:
        columns = x.detach().cpu().double().numpy().T
        return torch.from_numpy(call(_scipy_special(), *columns)).to(x)

    return f


def _scipy_special() -> ModuleType:
    """Return scipy.special; imported only here, for kanviz works without SciPy."""
    try:
        return importlib.import_module("scipy.special")
    except ImportError as error:
        raise ImportError(
            "scipy must be installed for this function; got no such package. Run: pip install scipy"
        ) from error
