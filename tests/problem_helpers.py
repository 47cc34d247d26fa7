"""Points all over the ranges of a problem, and the check that nothing runs away on them."""

import torch
from torch import Tensor

from kanviz.course.problems import Problem

MOST_POINTS = 10_000


def make_points(entry: Problem) -> Tensor:
    """Return points all over the ranges of a problem, edges and corners included."""
    count = 9 if 9 ** len(entry.ranges) <= MOST_POINTS else 4
    axes = [torch.linspace(low, high, count, dtype=torch.float64) for low, high in entry.ranges]
    return torch.cartesian_prod(*axes)


def check_it_and_its_slopes_are_bounded(entry: Problem) -> None:
    x = make_points(entry)
    assert bool(entry.f(x).isfinite().all())
    # A singularity within or at an edge would let this grow without bound with the step.
    for column, (low, high) in enumerate(entry.ranges):
        slopes = []
        for step in (1e-4, 1e-6):
            near = x.clone()
            inward = 1 - 2 * (x[:, column] > (low + high) / 2).double()
            near[:, column] += step * (high - low) * inward
            slopes.append(((entry.f(near) - entry.f(x)) / step).abs().max())
        assert slopes[1] < 1.5 * slopes[0] + 1e-3
