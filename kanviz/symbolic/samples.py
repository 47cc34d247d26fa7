"""The samples of one curve, ready to fit: checked, sorted, split and brought to unit size."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.checks import check_finite

FEWEST_SAMPLES = 6
MOST_SAMPLES = 3000
"""More than these say nothing new about a curve with four numbers; they are thinned out evenly."""

CHANCE = 8.0
"""Two errors on n held-out samples are equal if their ratio is below 1 + 8 / n. A fit that misses
the curve by delta where the noise is sigma has an error sqrt(1 + delta^2 / sigma^2) times larger;
chance alone makes that uncertain by delta / (sigma sqrt(n)). At delta = 4 sigma / sqrt(n) the first
is 1 + 8 / n, and 4 times the second's share in it: smaller differences can well be chance."""

Numbers = Tensor | np.ndarray | Sequence[float]


@dataclass(frozen=True, eq=False)
class Subset:
    """Some samples in unit size: t from -1 to 1, z with mean 0 and standard deviation 1 overall.

    Parameters
    ----------
    t, z, weights : (samples,)
        float64; the weights sum to 1.
    """

    t: Float[Tensor, " samples"]
    z: Float[Tensor, " samples"]
    weights: Float[Tensor, " samples"]

    def thinned(self, most: int) -> "Subset":
        """Return at most so many of the samples, evenly spread over their order."""
        if len(self.t) <= most:
            return self
        chosen = torch.linspace(0, len(self.t) - 1, most).round().long()
        weights = self.weights[chosen]
        return Subset(self.t[chosen], self.z[chosen], weights / weights.sum())


@dataclass(frozen=True, eq=False)
class Samples:
    """One curve's samples, sorted by x.

    Parameters
    ----------
    all : Subset
        All of them.
    train, held_out : Subset
        Two thirds and one third: every third sample in the order of x is held out.
    center, half : float
        t = (x - center) / half; ``half`` is half the range of x (1 for a constant x).
    mean, scale : float
        z = (y - mean) / scale; weighted mean and standard deviation of y (1 for a constant y).
    """

    all: Subset
    train: Subset
    held_out: Subset
    center: float
    half: float
    mean: float
    scale: float

    def noise_in(self, heights: Float[Tensor, " samples"]) -> float:
        """Return how far heights at all samples are off the lines between their neighbours.

        Of a smooth curve with independent errors it is the standard deviation of the errors,
        whatever the curve is (Gasser, Sroka and Jennen-Steinmetz, Biometrika 73, 1986, eq. 1).
        """
        t, weights = self.all.t, self.all.weights[1:-1]
        after, wide = t[2:] - t[1:-1], t[2:] - t[:-2]
        share = torch.where(wide > 0, after / wide, 0.5)
        off = heights[1:-1] - share * heights[:-2] - (1 - share) * heights[2:]
        squares = off.square() / (1 + share.square() + (1 - share).square())
        return float((weights @ squares / weights.sum()).sqrt())


def prepare_samples(x: Numbers, y: Numbers, weights: Numbers | None = None) -> Samples:
    """Return the samples ready to fit.

    Parameters
    ----------
    x, y : (samples,)
        Input and output of one edge, in any unit; at least 6 samples.
    weights : (samples,), optional
        How much each sample counts, at least 0; by default equally.

    Raises
    ------
    ValueError
        If shapes differ, samples are too few, or a number is not finite.
    """
    x, y = _column("x", x), _column("y", y)
    w = torch.ones_like(x) if weights is None else _column("weights", weights)
    _check_lengths(x, y, w)
    kept = (w > 0).nonzero().squeeze(1)
    kept = kept[torch.argsort(x[kept], stable=True)]
    if len(kept) > MOST_SAMPLES:
        kept = kept[torch.linspace(0, len(kept) - 1, MOST_SAMPLES).round().long()]
    x, y, w = x[kept], y[kept], w[kept] / w[kept].sum()
    center, half = float((x[0] + x[-1]) / 2), float((x[-1] - x[0]) / 2) or 1.0
    mean = float(w @ y)
    scale = float((w @ (y - mean) ** 2).sqrt())
    if scale <= 1e-14 * float(y.abs().max()):  # only rounding is left
        scale, y = 1.0, torch.full_like(y, mean)
    t, z = ((x - center) / half).clamp(-1, 1), (y - mean) / scale
    is_held_out = torch.arange(len(x)) % 3 == 1
    train, held_out = (
        Subset(t[part], z[part], w[part] / w[part].sum()) for part in (~is_held_out, is_held_out)
    )
    return Samples(Subset(t, z, w), train, held_out, center, half, mean, scale)


def within_chance(error: float, n_held_out: int) -> float:
    """Return up to where an error on so many held-out samples cannot be told from ``error``.

    >>> within_chance(0.5, 80)
    0.55
    """
    return error * (1 + CHANCE / n_held_out)


def _column(name: str, values: Numbers) -> Tensor:
    """Return numbers as one row of float64 on the CPU."""
    if isinstance(values, Tensor):
        column = values.detach().cpu().double()
    else:
        column = torch.from_numpy(np.array(values, dtype=np.float64))
    if column.ndim != 1:
        raise ValueError(
            f"{name} must have shape (samples,); got {tuple(column.shape)}. Pass one column."
        )
    check_finite(name, column)
    return column


def _check_lengths(x: Tensor, y: Tensor, w: Tensor) -> None:
    if not len(x) == len(y) == len(w):
        raise ValueError(
            f"x, y and weights must have the same length; got {len(x)}, {len(y)} and {len(w)}. "
            "Pass one value per sample."
        )
    if float(w.min() if len(w) else 0) < 0:
        raise ValueError(
            f"weights must be at least 0; got {float(w.min())}. Use 0 to leave a sample out."
        )
    count = int((w > 0).sum())
    if count < FEWEST_SAMPLES:
        raise ValueError(
            f"A curve needs at least {FEWEST_SAMPLES} samples of weight above 0; got {count}."
        )
