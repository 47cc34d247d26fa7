"""A B-spline with knots and control points to drag, its basis functions, and their sum."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kanviz.checks import check_integer
from kanviz.course.teaching.widget import Array, Listed, Places, TeachingWidget, finite

HIGHEST_ORDER = 5
MOST_INTERVALS = 50

ALT = "A B-spline over its basis functions, with its knots and control points"


class BSpline(TeachingWidget):
    """What ``bspline`` returns."""

    lesson = (
        "When one control point moves, how much of the curve moves with it?",
        "choose an order, drag a point, push one knot onto its neighbour.",
    )

    def __init__(
        self, knots: Listed, coef: Listed, spline_order: int, *, theme: str = "auto"
    ) -> None:
        state = _checked(knots, coef, spline_order)
        super().__init__("bspline", state, title="B-spline", alt=ALT, theme=theme)

    @property
    def spline_order(self) -> int:
        """The polynomial degree k."""
        return int(self.state["order"])

    @property
    def knots(self) -> Array:
        """All knots, (G + 2k + 1,); setting them, as many as there were, moves the picture.

        Raises
        ------
        ValueError
            When set, if a spline of this order cannot have them.
        """
        return np.array(self.state["knots"], dtype=np.float64)

    @knots.setter
    def knots(self, knots: Listed) -> None:
        self._update(**_checked(knots, self.coef, self.spline_order))

    @property
    def coef(self) -> Array:
        """The heights of the control points, (G + k,); setting them moves the picture.

        Raises
        ------
        ValueError
            When set, if they are not as many finite numbers as there were.
        """
        return np.array(self.state["coef"], dtype=np.float64)

    @coef.setter
    def coef(self, coef: Listed) -> None:
        self._update(**_checked(self.knots, coef, self.spline_order))

    @property
    def points(self) -> Array:
        """The control points, (G + k, 2): each x is the mean of k knots, each y a coefficient.

        For k = 0 the x are the middles of the intervals. With y = x at all of them the spline is
        the straight line y = x (Greville's points; de Boor, A Practical Guide to Splines, ch. IX).
        """
        knots, k = self.knots, self.spline_order
        if k == 0:
            x = (knots[1:] + knots[:-1]) / 2
        else:
            x = np.lib.stride_tricks.sliding_window_view(knots[1:-1], k).mean(axis=-1)
        return np.column_stack([x, self.coef])

    def basis(self, x: Places) -> Array:
        """Return all basis functions.

        Parameters
        ----------
        x : (*shape)
            Points; at a knot where a function jumps the value is that from the right.

        Returns
        -------
        (*shape, G + k)
            The functions, which sum to 1 on the grid, ``knots[k]`` to ``knots[k + G]``. By the
            recursion of Cox and de Boor (de Boor, A Practical Guide to Splines, ch. IX).
        """
        knots, k = self.knots, self.spline_order
        x = np.asarray(x, dtype=np.float64)[..., np.newaxis]
        holds = (knots[:-1] <= x) & (x < knots[1:])
        # The last point of the grid belongs to the interval before it.
        last = np.arange(len(knots) - 1) == np.flatnonzero(knots < knots[-1 - k])[-1]
        values = np.where(x == knots[-1 - k], last, holds).astype(np.float64)
        for degree in range(1, k + 1):
            width = knots[degree:] - knots[:-degree]
            share = np.divide(1.0, width, out=np.zeros_like(width), where=width > 0)
            rise = (x - knots[: -degree - 1]) * share[:-1] * values[..., :-1]
            fall = (knots[degree + 1 :] - x) * share[1:] * values[..., 1:]
            values = rise + fall
        return values

    def curve(self, x: Places) -> Array:
        """Return the spline: the sum of the basis functions with the coefficients.

        Parameters
        ----------
        x : (*shape)
            Points of the grid, ``knots[k]`` to ``knots[k + G]``.

        Returns
        -------
        (*shape)
            The values; NaN beyond the grid.
        """
        knots, k = self.knots, self.spline_order
        x = np.asarray(x, dtype=np.float64)
        inside = (knots[k] <= x) & (x <= knots[-1 - k])
        return np.where(inside, self.basis(x) @ self.coef, np.nan)

    def _accept(self, change: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {**self.state, **change}
        return _checked(wanted["knots"], wanted["coef"], wanted["order"])


def bspline(
    knots: Listed | None = None,
    coef: Listed | None = None,
    spline_order: int = 3,
    grid_size: int = 5,
    *,
    theme: str = "auto",
) -> BSpline:
    """Return a B-spline whose knots and control points can be dragged.

    Parameters
    ----------
    knots : (G + 2k + 1,), optional
        None below the one before; the grid is the part from ``knots[k]`` to ``knots[k + G]``. By
        default ``grid_size`` equal intervals from -1 to 1, and k more knots at each side: as the
        edges of a KAN have them.
    coef : (G + k,), optional
        Height of each control point; by default a wave.
    spline_order : int
        The polynomial degree k, 0 to 5.
    grid_size : int
        Intervals G where no knots are given.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Returns
    -------
    BSpline
        ``knots``, ``coef`` and ``points`` as they now stand, ``basis(x)`` and ``curve(x)``,
        ``to_html(path)`` a page without a kernel.

    Raises
    ------
    ValueError
        If a spline cannot have these knots, coefficients or order, or if there is no such theme.

    Examples
    --------
    >>> spline = bspline(coef=[0, 0, 0, 1, 0, 0, 0, 0])
    >>> spline.curve([-0.6, 0.0])
    array([0.16666667, 0.47916667])
    """
    if knots is None:
        _check_sizes(spline_order, grid_size)
        step = 2 / grid_size
        knots = -1 + step * np.arange(-spline_order, grid_size + spline_order + 1)
    if coef is None:
        n = np.size(np.asarray(knots)) - spline_order - 1
        coef = np.round(0.8 * np.sin(0.6 + 1.9 * np.arange(n)), 2)
    return BSpline(knots, coef, spline_order, theme=theme)


def _check_sizes(spline_order: object, grid_size: object = 1) -> None:
    for name, value, low, high in (
        ("spline_order", spline_order, 0, HIGHEST_ORDER),
        ("grid_size", grid_size, 1, MOST_INTERVALS),
    ):
        check_integer(name, value, low)
        if isinstance(value, int) and value > high:
            raise ValueError(f"{name} must be at most {high}; got {value}. Choose a lower one.")


def _checked(knots: Any, coef: Any, spline_order: Any) -> dict[str, Any]:
    """Return the state of the widget, once all of it is known to be right."""
    _check_sizes(spline_order)
    knots, coef, k = finite("knots", knots), finite("coef", coef), int(spline_order)
    if not 1 <= len(knots) - 2 * k - 1 <= MOST_INTERVALS:
        raise ValueError(
            f"knots must be G + 2k + 1 for a grid of G = 1 to {MOST_INTERVALS} intervals; "
            f"got {len(knots)} for spline_order={k}."
        )
    if (np.diff(knots) < 0).any():
        raise ValueError(f"knots must not decrease; got {knots.tolist()}. Sort them.")
    if not knots[k] < knots[-1 - k]:
        raise ValueError(
            f"knots must leave a grid between knots[{k}] and knots[-{k + 1}]; "
            f"got {knots[k]} for both."
        )
    most = int(np.unique(knots, return_counts=True)[1].max())
    if most > k + 1:
        raise ValueError(f"knots must be at most {k + 1} in one place; got {most} of them equal.")
    if len(coef) != len(knots) - k - 1:
        raise ValueError(
            f"coef must have {len(knots) - k - 1} values because there are {len(knots)} knots and "
            f"spline_order={k}; got {len(coef)}."
        )
    return {"order": k, "knots": knots.tolist(), "coef": coef.tolist()}
