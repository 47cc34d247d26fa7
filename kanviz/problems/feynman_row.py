"""One of Feynman's formulas as a problem, and the ranges that several share."""

from collections.abc import Callable
from math import pi

from torch import Tensor

from kanviz.problems.feynman_table import TABLE_2
from kanviz.problems.record import Problem

SOURCE = "arXiv:2404.19756, Table 2"

UNIT = (0.0, 1.0)
SIGNED = (-1.0, 1.0)
TURN = (0.0, 2 * pi)
HALF_TO_2 = (0.5, 2.0)
QUARTER_TO_4 = (0.25, 4.0)

PYKAN = "As in pykan for the formula with units."


def row(
    name: str,
    title: str,
    formula: str,
    f: Callable[..., Tensor],
    ranges: dict[str, tuple[float, float]],
    note: str,
    widths: tuple[int, ...] = (2, 5, 1),
) -> Problem:
    """Return one entry.

    Parameters
    ----------
    name, title, formula
        As in ``Problem``; the name is the paper's.
    f : callable
        Takes one column (samples,) per input, in the order of ``ranges``.
    ranges : dict
        Name of each input to its (low, high).
    note : str
        Where the ranges come from.
    widths : tuple of int
        A network that learns it well.
    """
    return Problem(
        name=name,
        title=title,
        formula=formula,
        f=lambda x: f(*x.unbind(dim=1)),
        ranges=tuple(ranges.values()),
        input_names=tuple(ranges),
        widths=widths,
        source=SOURCE,
        range_note=note,
        paper=TABLE_2[name],
    )
