"""A Bezier curve with points to drag, de Casteljau's construction, and Bernstein's weights."""

from collections.abc import Mapping
from math import comb
from typing import Any

import numpy as np

from kanviz.course.teaching.widget import Array, Listed, Places, TeachingWidget, finite

FEWEST, MOST = 2, 10

POINTS = ((0.0, 0.1), (0.3, 0.95), (1.1, 1.0), (1.5, 0.15))
"""What is drawn where no points are given."""

ALT = "A Bezier curve, the construction of one of its points, and the weights of its control points"


class Bezier(TeachingWidget):
    """What ``bezier`` returns."""

    lesson = (
        "Through which of its points does the curve go?",
        "drag the points; press Play and watch the last point draw the curve.",
    )

    def __init__(self, points: Listed, *, theme: str = "auto") -> None:
        state = {"points": _checked(points).tolist()}
        super().__init__("bezier", state, title="Bezier curve", alt=ALT, theme=theme)

    @property
    def points(self) -> Array:
        """The control points, (n, 2), as they now stand; setting them moves the picture.

        Raises
        ------
        ValueError
            When set, if they are not 2 to 10 rows of two finite numbers.
        """
        return np.array(self.state["points"], dtype=np.float64)

    @points.setter
    def points(self, points: Listed) -> None:
        self._update(points=_checked(points).tolist())

    def curve(self, t: Places) -> Array:
        """Return points of the curve.

        Parameters
        ----------
        t : (*shape)
            From 0, the first control point, to 1, the last; beyond, the same polynomials go on.

        Returns
        -------
        (*shape, 2)
            The sum of C(n, i) (1 - t)^(n - i) t^i p_i (Farin, Curves and Surfaces for CAGD, ch. 5).
        """
        points, t = self.points, np.asarray(t, dtype=np.float64)
        n = len(points) - 1
        weights = [comb(n, i) * (1 - t) ** (n - i) * t**i for i in range(n + 1)]
        return np.stack(weights, axis=-1) @ points

    def _accept(self, change: Mapping[str, Any]) -> dict[str, Any]:
        return {"points": _checked(change["points"]).tolist()}


def bezier(points: Listed | None = None, *, theme: str = "auto") -> Bezier:
    """Return a Bezier curve whose control points can be dragged.

    Parameters
    ----------
    points : (n, 2), optional
        Two to ten control points; four by default.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Returns
    -------
    Bezier
        ``points`` are the control points as they now stand, ``curve(t)`` the curve,
        ``to_html(path)`` a page without a kernel.

    Raises
    ------
    ValueError
        If the points or the theme cannot be.

    Examples
    --------
    >>> curve = bezier([(0, 0), (1, 2), (2, 0)])
    >>> curve.curve(0.5)
    array([1., 1.])
    """
    return Bezier(POINTS if points is None else points, theme=theme)


def _checked(points: Any) -> Array:
    array = finite("points", points, axes=2)
    if array.shape[1] != 2:
        raise ValueError(f"points must be pairs (x, y); got shape {array.shape}.")
    if not FEWEST <= len(array) <= MOST:
        raise ValueError(f"points must be {FEWEST} to {MOST} rows; got {len(array)}.")
    return array
