"""A test problem and what is known about it; functions of SciPy as functions of tensors."""

import importlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.data import Dataset, from_function


@dataclass(frozen=True)
class PaperResult:
    """What the source reports for a problem; errors are root mean squares on test samples.

    Parameters
    ----------
    minimal_widths, minimal_rmse
        The smallest KAN found with an error below 1e-2, and its error.
    best_widths, best_rmse
        The KAN with the lowest error found.
    mlp_rmse
        The lowest error of a multilayer perceptron.
    """

    minimal_widths: tuple[int, ...]
    minimal_rmse: float
    best_widths: tuple[int, ...]
    best_rmse: float
    mlp_rmse: float


@dataclass(frozen=True)
class FeynmanResult:
    """What the source's table of physics formulas reports; errors as in ``PaperResult``.

    Parameters
    ----------
    human_widths, human_rmse
        A KAN built by hand from the formula.
    smallest_widths
        The smallest pruned KAN with an error below 1e-2.
    pruned_widths, pruned_rmse
        The pruned KAN with the lowest error.
    unpruned_rmse
        The lowest error of KANs of width 5 and 2 to 6 layers.
    mlp_rmse
        The lowest error of multilayer perceptrons of the same sizes.

    An error is None where the numbers that we could read of the source contradict each other.
    """

    human_widths: tuple[int, ...]
    smallest_widths: tuple[int, ...]
    pruned_widths: tuple[int, ...]
    human_rmse: float | None
    pruned_rmse: float
    unpruned_rmse: float
    mlp_rmse: float | None

    @property
    def best_rmse(self) -> float:
        """The lowest of the errors of the KANs: built by hand, pruned and unpruned."""
        known = (self.human_rmse, self.pruned_rmse, self.unpruned_rmse)
        return min(error for error in known if error is not None)


@dataclass(frozen=True)
class Problem:
    """A function to learn.

    Parameters
    ----------
    name : str
        What ``problem`` finds it by.
    title : str
        What it is.
    formula : str
        The function as plain text, in terms of ``input_names``.
    f : callable
        Maps (samples, inputs) to (samples,), in the dtype and on the device of its input.
    ranges : tuple of (low, high)
        The box to sample, one pair per input.
    input_names : tuple of str
        One per input.
    widths : tuple of int
        A network that learns it well.
    source : str
        Paper and place of the function.
    range_note : str
        Where the ranges come from.
    paper : PaperResult, FeynmanResult or None
        What the source reached, where it gives numbers.
    """

    name: str
    title: str
    formula: str
    f: Callable[[Tensor], Tensor]
    ranges: tuple[tuple[float, float], ...]
    input_names: tuple[str, ...]
    widths: tuple[int, ...]
    source: str
    range_note: str
    paper: PaperResult | FeynmanResult | None = None

    def dataset(
        self,
        n_train: int = 1000,
        n_test: int = 1000,
        seed: int = 0,
        dtype: torch.dtype | None = None,
    ) -> Dataset:
        """Return uniform samples of the problem; parameters as in ``from_function``.

        Raises
        ------
        ImportError
            If the function needs SciPy and it is not installed.
        """
        # As the papers have it: their errors are in these units.
        data = from_function(self.f, self.ranges, n_train, n_test, seed, dtype, normalize=False)
        return replace(data, input_names=self.input_names)


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
