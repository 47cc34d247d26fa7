"""Peaks that are shown one after the other: the test of continual learning.

Each phase holds samples around one peak only. What a learner says of the earlier peaks afterwards
tells what it has kept. After Z. Liu et al., "KAN: Kolmogorov-Arnold Networks", arXiv:2404.19756,
Fig. 3.4.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray
from torch import Tensor

from kanviz.checks import check_integer
from kanviz.data import Dataset, from_function

Box = tuple[tuple[float, float], ...]

CENTRES = (-0.8, -0.4, 0.0, 0.4, 0.8)
WIDTH, REACH = 0.04, 0.2
"""Standard deviation of a peak, and how far its window goes at each side of its centre: windows of
the line meet without a gap."""

CORNERS = ((-0.6, -0.6), (-0.6, 0.6), (0.0, 0.0), (0.6, -0.6), (0.6, 0.6))
APART = ((-0.8, 0.0), (-0.4, -0.8), (0.0, 0.4), (0.4, -0.4), (0.8, 0.8))
WIDTH_2D, REACH_2D = 0.035, 0.1

N_TEST = 200
POINTS, POINTS_2D = 1001, 101


@dataclass(frozen=True, eq=False)
class Peaks:
    """A function with one peak per phase, and what each phase shows of it.

    Parameters
    ----------
    f : callable
        Maps (samples, inputs) to (samples,): the sum of all peaks.
    windows : tuple of boxes
        The part of the inputs that each phase shows: one (low, high) per input.
    phases : tuple of Dataset
        Samples from each window, uniform in it.
    x : (points, inputs)
        A dense grid over [-1, 1] in each input, to judge and draw on.
    y : (points,)
        The function there.
    """

    f: Callable[[Tensor], Tensor]
    windows: tuple[Box, ...]
    phases: tuple[Dataset, ...]
    x: NDArray[np.float64]
    y: NDArray[np.float64]

    def errors(self, predicted: ArrayLike) -> NDArray[np.float64]:
        """Return the root mean square error in each window.

        Parameters
        ----------
        predicted : (points,) or (points, 1)
            What a learner gives at ``x``.

        Returns
        -------
        (phases,)
            In the unit of y, where a peak is 1 high.

        Raises
        ------
        ValueError
            If there is not one number per point.
        """
        values = np.asarray(predicted, dtype=np.float64)
        if values.shape not in ((len(self.y),), (len(self.y), 1)):
            raise ValueError(
                f"predicted must be one number for each of the {len(self.y)} points of x; got "
                f"shape {values.shape}. Pass what the learner gives at x."
            )
        squares = (values.reshape(-1) - self.y) ** 2
        return np.sqrt([squares[_inside(self.x, window)].mean() for window in self.windows])

    def rehearsing(self, points: int) -> "Peaks":
        """Return these peaks with a few samples of every earlier phase among those of each phase.

        Parameters
        ----------
        points : int
            How many of each earlier phase are kept, its first ones.

        Raises
        ------
        ValueError
            If a phase has no so many samples.
        """
        check_integer("points", points, 1)
        fewest = min(len(phase.x) for phase in self.phases)
        if points > fewest:
            raise ValueError(
                f"points must be at most {fewest} because a phase has no more samples; got "
                f"{points}. Keep fewer."
            )
        phases = (_with_first(self.phases[: n + 1], points) for n in range(len(self.phases)))
        return replace(self, phases=tuple(phases))


def five_peaks(n_train: int = 100, *, seed: int = 0, dtype: torch.dtype | None = None) -> Peaks:
    """Return five Gaussian peaks on the line, shown from left to right.

    They stand at -0.8, -0.4, 0, 0.4 and 0.8. The paper's text gives neither places nor widths; here
    the windows of the phases fill [-1, 1], and the standard deviation of a peak is a tenth of its
    window, so that nearly nothing of it (4e-6) reaches the next.

    Parameters
    ----------
    n_train : int
        Training samples per phase; each phase has 200 test samples besides.
    seed : int
        Picks the samples.
    dtype : torch.dtype, optional
        float32 or float64; torch's default if left out.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    x = np.linspace(-1, 1, POINTS)[:, None]
    centres = tuple((centre,) for centre in CENTRES)
    return _peaks(centres, WIDTH, REACH, x, n_train=n_train, seed=seed, dtype=dtype)


def five_peaks_2d(
    n_train: int = 200, *, apart: bool = False, seed: int = 0, dtype: torch.dtype | None = None
) -> Peaks:
    """Return five Gaussian peaks on the square, which kanviz adds to the paper's five on the line.

    Parameters
    ----------
    n_train : int
        Training samples per phase; each phase has 200 test samples besides.
    apart : bool
        False: four near the corners and, third, one in the middle, as on a die; windows of
        corners share their range in one input. True: no two windows share a range in any input.
    seed : int
        Picks the samples.
    dtype : torch.dtype, optional
        float32 or float64; torch's default if left out.

    Raises
    ------
    ValueError
        If a number is out of range.
    """
    side = np.linspace(-1, 1, POINTS_2D)
    x = np.stack(np.meshgrid(side, side, indexing="ij"), axis=-1).reshape(-1, 2)
    centres = APART if apart else CORNERS
    return _peaks(centres, WIDTH_2D, REACH_2D, x, n_train=n_train, seed=seed, dtype=dtype)


def _inside(x: Float[np.ndarray, "points inputs"], window: Box) -> NDArray[np.bool_]:
    """Return which points (points, inputs) lie in a box, ends included, as (points,)."""
    low, high = np.array(window).T
    within: NDArray[np.bool_] = ((x >= low) & (x <= high)).all(axis=1)
    return within


def _peaks(
    centres: Sequence[tuple[float, ...]],
    width: float,
    reach: float,
    x: NDArray[np.float64],
    *,
    n_train: int,
    seed: int,
    dtype: torch.dtype | None,
) -> Peaks:
    check_integer("seed", seed, 0)
    f = partial(_sum_of_peaks, centres=centres, width=width)
    windows = tuple(tuple((c - reach, c + reach) for c in centre) for centre in centres)
    phases = tuple(
        from_function(f, window, n_train, N_TEST, len(windows) * seed + n, dtype, normalize=False)
        for n, window in enumerate(windows)
    )
    return Peaks(f, windows, phases, x, f(torch.from_numpy(x)).numpy())


def _sum_of_peaks(
    x: Float[Tensor, "samples inputs"], centres: Sequence[tuple[float, ...]], width: float
) -> Float[Tensor, " samples"]:
    """Return the sum of Gaussian bells of height 1 and standard deviation ``width``."""
    squares = (x.unsqueeze(1) - x.new_tensor(centres)).square().sum(dim=2)
    return torch.exp(squares / (-2 * width**2)).sum(dim=1)


def _with_first(phases: Sequence[Dataset], points: int) -> Dataset:
    """Return the last phase with the first samples of those before it."""
    earlier, last = phases[:-1], phases[-1]
    x = torch.cat([last.x, *(phase.x[:points] for phase in earlier)])
    y = torch.cat([last.y, *(phase.y[:points] for phase in earlier)])
    return replace(last, x=x, y=y)
