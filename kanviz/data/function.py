"""A dataset from a function: uniform random samples of its inputs, and its values there."""

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.checks import check_integer, seeded
from kanviz.data.arrays import choose_dtype
from kanviz.data.dataset import Dataset, default_names
from kanviz.data.scaling import Scaling
from kanviz.devices import on_cpu


@on_cpu
def from_function(
    f: Callable[[Tensor], Any],
    ranges: Sequence[tuple[float, float]],
    n_train: int = 1000,
    n_test: int = 1000,
    seed: int = 0,
    dtype: torch.dtype | None = None,
    *,
    normalize: bool = True,
) -> Dataset:
    """Sample a function uniformly over a box.

    Parameters
    ----------
    f : callable
        Maps a tensor (samples, inputs) to a tensor or array (samples,) or (samples, outputs).
    ranges : sequence of (low, high)
        The box, one pair per input, in the unit of that input.
    n_train : int
        Number of training samples, at least 2.
    n_test : int
        Number of test samples; 0 for none.
    seed : int
        Picks the samples. They are drawn in float64 from a generator of their own, so they are the
        same for every ``dtype`` up to rounding and whatever else the program draws.
    dtype : torch.dtype, optional
        float32 or float64; torch's default if None.
    normalize : bool
        Scale the box of the inputs to (-1, 1), where networks have their first grids, and the
        targets to mean 0 and standard deviation 1. The scaling is kept in the dataset: a model that
        is fitted to it takes and gives the user's units.

    Raises
    ------
    ValueError
        If a range is empty or not finite, or ``f`` returns another shape or a number that is not
        finite.

    Examples
    --------
    >>> from_function(lambda x: x[:, 0] * x[:, 1], [(-1, 1), (0, 2)], n_train=100, n_test=50)
    Dataset: 100 training and 50 test samples, float32 on cpu
      inputs (2): x_1, x_2
      outputs (1): y
    """
    check_integer("n_train", n_train, 2)
    check_integer("n_test", n_test, 0)
    low, high = _bounds(ranges)
    generator = seeded(seed)
    unit = torch.rand(n_train + n_test, len(low), generator=generator, dtype=torch.float64)
    x = (low + (high - low) * unit).to(choose_dtype(dtype))
    y = _values(f, x)
    names = default_names("x", x.shape[1]), default_names("y", y.shape[1])
    data = Dataset(
        x=x[:n_train],
        y=y[:n_train],
        x_test=x[n_train:] if n_test else None,
        y_test=y[n_train:] if n_test else None,
        input_names=names[0],
        output_names=names[1],
        x_scaling=Scaling.identity(x.shape[1], x),
        y_scaling=Scaling.identity(y.shape[1], y),
    )
    if not normalize:
        return data
    return data.scaled(Scaling((low + high) / 2, (high - low) / 2), Scaling.standard(data.y))


def _bounds(ranges: Any) -> tuple[Float[Tensor, " inputs"], Float[Tensor, " inputs"]]:
    """Return the low and the high ends, or raise a ValueError."""
    try:
        bounds = torch.as_tensor(ranges, dtype=torch.float64)
    except (TypeError, ValueError):
        bounds = torch.empty(0)
    is_box = bounds.ndim == 2 and len(bounds) > 0 and bounds.shape[1] == 2
    if not is_box or not bounds.isfinite().all() or not (bounds[:, 0] < bounds[:, 1]).all():
        raise ValueError(
            "ranges must be one (low, high) pair per input, with low < high and both finite; "
            f"got {ranges!r}. Write for example [(-1, 1), (0, 2)]."
        )
    return bounds[:, 0], bounds[:, 1]


def _n_required(f: Callable[[Tensor], Any]) -> int:
    """Return how many arguments ``f`` cannot do without; 1 where it does not tell."""
    try:
        parameters = inspect.signature(f).parameters.values()
    except (TypeError, ValueError):  # built-in functions need not say
        return 1
    positional = {inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD}
    return sum(p.kind in positional and p.default is p.empty for p in parameters)


def _values(
    f: Callable[[Tensor], Any], x: Float[Tensor, "samples inputs"]
) -> Float[Tensor, "samples outputs"]:
    """Return ``f(x)`` as a checked (samples, outputs) tensor."""
    if (n := _n_required(f)) > 1:
        raise TypeError(
            f"f must take one tensor of shape (samples, inputs); it takes {n} arguments. Write "
            "lambda x: x[:, 0] * x[:, 1] for lambda a, b: a * b."
        )
    with torch.no_grad():
        values = torch.as_tensor(f(x.clone()))
    if values.ndim not in (1, 2) or len(values) != len(x) or values.is_complex():
        raise ValueError(
            f"f must return real numbers of shape ({len(x)},) or ({len(x)}, outputs) for inputs of "
            f"shape {tuple(x.shape)}; got {values.dtype} of shape {tuple(values.shape)}. "
            "Take columns with x[:, 0], x[:, 1] and so on."
        )
    y = values.to(dtype=x.dtype, device=x.device).reshape(len(x), -1)
    bad = (~y.isfinite()).nonzero()
    if len(bad):
        row, column = bad[0].tolist()
        raise ValueError(
            f"f must be finite on its ranges; got {y[row, column].item()} at x = "
            f"{tuple(x[row].tolist())}. Narrow the ranges."
        )
    return y
