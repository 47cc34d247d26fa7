"""Shapes that a spline keeps: increasing, decreasing, convex, concave, even, odd.

A B-spline is as monotone and as convex as the polygon of its control points: its derivative is the
spline of their slopes, (c[m+1] - c[m]) / (g[m+1] - g[m]) between the Greville points g, and a
spline of coefficients of one sign has that sign (de Boor, A Practical Guide to Splines, 2001,
chapter X, eq. 15, and chapter XI, the variation diminishing property). So a shape holds wherever
the curve goes if the coefficients have it; that is sufficient and, for monotone and convex splines
of order 3 and more, a little more than necessary. It is even or odd about the middle of a
symmetric grid if the coefficients are.

Coefficients are brought back to a shape after every step of a fit and after every edit:

- monotone: the nearest monotone coefficients, by pooling adjacent violators (Ayer et al., Annals of
  Mathematical Statistics 26, 1955, 641-647), which is the projection in the sense of least squares;
- convex: the same for the slopes, each weighted by how far its points are apart, and the
  coefficients summed up from them around the mean that they had;
- even, odd: the mean with their mirror image.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

Shape = Literal["increasing", "decreasing", "convex", "concave", "even", "odd"]

OPPOSITE: dict[str, tuple[str, ...]] = {
    "increasing": ("decreasing", "even"),
    "decreasing": ("increasing", "even"),
    "convex": ("concave",),
    "concave": ("convex",),
    "even": ("odd", "increasing", "decreasing"),
    "odd": ("even",),
}
"""What a shape leaves of a curve together with another is a straight line, or nothing."""


@dataclass(frozen=True)
class Constraint:
    """Shapes that the spline of an edge keeps.

    Parameters
    ----------
    shapes : tuple of str
        One or more that go together.
    centre : float
        What x an even or odd curve is even or odd about, in the unit of the layer's input.
    """

    shapes: tuple[Shape, ...]
    centre: float = 0.0

    @property
    def is_mirrored(self) -> bool:
        """Whether the curve is its own mirror image, which takes a symmetric grid."""
        return "even" in self.shapes or "odd" in self.shapes


def held(coef: Sequence[float], points: Sequence[float], shapes: Sequence[str]) -> list[float]:
    """Return coefficients near the given ones with which a spline has the shapes.

    Parameters
    ----------
    coef : (basis,)
    points : (basis,)
        Where the control points are, increasing; for even and odd symmetric about the centre.
    shapes : sequence of str
        As of ``Constraint``.

    Examples
    --------
    >>> held([0.0, 2.0, 1.0, 4.0], [0.0, 1.0, 2.0, 3.0], ["increasing"])
    [0.0, 1.5, 1.5, 4.0]
    >>> held([0.0, 2.0, 1.0, 4.0], [0.0, 1.0, 2.0, 3.0], ["even"])
    [2.0, 1.5, 1.5, 2.0]
    """
    found = list(coef)
    mirror = found[::-1]
    if "even" in shapes:
        found = [(one + other) / 2 for one, other in zip(found, mirror, strict=True)]
    if "odd" in shapes:
        found = [(one - other) / 2 for one, other in zip(found, mirror, strict=True)]
    rises, falls = "increasing" in shapes, "decreasing" in shapes
    sign = -1.0 if "concave" in shapes else 1.0
    if "convex" in shapes or "concave" in shapes:
        widths = [after - before for before, after in pairwise(points)]
        slopes = [
            (after - before) / width
            for (before, after), width in zip(pairwise(found), widths, strict=True)
        ]
        wanted = [sign * slope for slope in isotonic([sign * slope for slope in slopes], widths)]
        if rises:
            wanted = [max(slope, 0.0) for slope in wanted]
        if falls:
            wanted = [min(slope, 0.0) for slope in wanted]
        return found if wanted == slopes else _summed(found, wanted, widths)
    if rises:
        return isotonic(found, [1.0] * len(found))
    if falls:
        return [-one for one in isotonic([-one for one in found], [1.0] * len(found))]
    return found


def isotonic(values: Sequence[float], weights: Sequence[float]) -> list[float]:
    """Return the values that do not fall and are nearest to the given ones in weighted squares.

    >>> isotonic([1.0, 3.0, 2.0, 2.0], [1.0, 1.0, 1.0, 2.0])
    [1.0, 2.25, 2.25, 2.25]
    """
    blocks: list[tuple[float, float, int]] = []  # of each its mean, its weight, how many
    for value, weight in zip(values, weights, strict=True):
        block = (value, weight, 1)
        while blocks and blocks[-1][0] > block[0]:
            mean, other, count = blocks.pop()
            total = other + block[1]
            block = ((mean * other + block[0] * block[1]) / total, total, count + block[2])
        blocks.append(block)
    return [mean for mean, _, count in blocks for _ in range(count)]


def _summed(coef: Sequence[float], slopes: Sequence[float], widths: Sequence[float]) -> list[float]:
    """Return coefficients with other slopes and the mean that they had."""
    found = [0.0]
    for slope, width in zip(slopes, widths, strict=True):
        found.append(found[-1] + slope * width)
    lift = (sum(coef) - sum(found)) / len(found)
    return [one + lift for one in found]
