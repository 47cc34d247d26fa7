"""One spline learns: an arrow at each control point, steps down the slope, and one that solves."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kanviz.checks import check_integer
from kanviz.course.teaching.bspline import BSpline, bspline
from kanviz.course.teaching.widget import Array, Listed, TeachingWidget, finite

MOST_POINTS = 400

DAMPING = 1e-9
"""Of the Levenberg-Marquardt step, in units of the mean of the squares: next to nothing."""

ALT = "Data, a spline with an arrow at each control point, and the loss of each step"


class Descent(TeachingWidget):
    """What ``descent`` returns.

    The loss is the mean of the squared residuals r = y - s(x). Its slope in a coefficient is
    -2 mean(r B_m(x)): the residuals under one bump, weighted by it.
    """

    lesson = (
        "How does a curve learn from points, and why are 300 steps not enough?",
        "one step, then 300 of them, then start again and solve at once.",
    )

    def __init__(self, spline: BSpline, x: Array, y: Array, rate: float, *, theme: str) -> None:
        self._x, self._y = x, y
        self._rows = spline.basis(x)
        state = {
            "order": spline.spline_order,
            "knots": spline.knots.tolist(),
            "coef": spline.coef.tolist(),
            "x": x.tolist(),
            "y": y.tolist(),
            "rate": float(rate),
        }
        super().__init__("descent", state, title="How a spline learns", alt=ALT, theme=theme)

    @property
    def coef(self) -> Array:
        """The control points, (G + k,), as they now stand; setting them moves the picture.

        Raises
        ------
        ValueError
            When set, if they are not as many finite numbers as there were.
        """
        return np.array(self.state["coef"], dtype=np.float64)

    @coef.setter
    def coef(self, coef: Listed) -> None:
        self._update(coef=self._checked(coef).tolist())

    @property
    def loss(self) -> float:
        """The mean of the squared residuals."""
        return float(np.mean(self._residuals() ** 2))

    @property
    def arrows(self) -> Array:
        """Minus the slope of the loss in each coefficient, (G + k,): 2 mean(r B_m(x))."""
        arrows: Array = 2 * self._rows.T @ self._residuals() / len(self._x)
        return arrows

    @property
    def fastest(self) -> float:
        """The rate beyond which the steps swing out: 2 over the largest curvature of the loss."""
        return float(2 / self._curvatures()[-1])

    @property
    def condition(self) -> float:
        """The largest curvature of the loss over the smallest."""
        curvatures = self._curvatures()
        return float(curvatures[-1] / curvatures[0])

    def step(self, n: int = 1) -> "Descent":
        """Take n steps of gradient descent: each coefficient along its arrow, times ``rate``."""
        check_integer("n", n, 1)
        for _ in range(n):
            self.coef = self.coef + self.state["rate"] * self.arrows
        return self

    def levenberg_step(self) -> "Descent":
        """Take one step of Levenberg and Marquardt: solve for all coefficients at once."""
        rows = self._rows
        normal = rows.T @ rows + DAMPING * len(rows) * np.eye(rows.shape[1])
        self.coef = self.coef + np.linalg.solve(normal, rows.T @ self._residuals())
        return self

    def _residuals(self) -> Array:
        residuals: Array = self._y - self._rows @ self.coef
        return residuals

    def _curvatures(self) -> Array:
        """Eigenvalues of the loss's second derivative, smallest first."""
        second = 2 * self._rows.T @ self._rows / len(self._x)
        curvatures: Array = np.linalg.eigvalsh(second).astype(np.float64)
        return curvatures

    def _checked(self, coef: Any) -> Array:
        found = finite("coef", coef)
        if len(found) != self._rows.shape[1]:
            raise ValueError(f"coef must have {self._rows.shape[1]} values; got {len(found)}.")
        return found

    def _accept(self, change: Mapping[str, Any]) -> dict[str, Any]:
        accepted: dict[str, Any] = {}
        if "coef" in change:
            accepted["coef"] = self._checked(change["coef"]).tolist()
        if "rate" in change:
            accepted["rate"] = float(finite("rate", [change["rate"]])[0])
        return accepted


def descent(
    x: Listed | None = None,
    y: Listed | None = None,
    *,
    grid_size: int = 8,
    spline_order: int = 3,
    rate: float | None = None,
    theme: str = "auto",
) -> Descent:
    """Return data and a spline that learns them step by step, with an arrow at each control point.

    Parameters
    ----------
    x, y : (points,), optional
        At most 400 points with x from -1 to 1; by default a wave.
    grid_size, spline_order : int
        Intervals G from -1 to 1, and the degree k.
    rate : float, optional
        What an arrow is multiplied by in a step; by default half of ``fastest``.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Returns
    -------
    Descent
        ``coef``, ``arrows`` and ``loss`` as they now are; ``step(n)`` and ``levenberg_step()``
        do what the buttons do; ``to_html(path)`` a page without a kernel.

    Raises
    ------
    ValueError
        If x and y do not fit together or leave the grid, or a number cannot be.

    Examples
    --------
    >>> learner = descent(grid_size=4)
    >>> before = learner.loss
    >>> learner.step(300).loss < before
    True
    >>> learner.levenberg_step().loss < 0.01 * before
    True
    """
    if (x is None) != (y is None):
        raise ValueError("x and y must be given together; got one of them. Pass both, or none.")
    if x is None:
        places: Array = np.linspace(-1, 1, 60)
        heights: Array = np.sin(4 * places) + 0.4 * places
    else:
        places, heights = finite("x", x), finite("y", y)
    if len(places) != len(heights) or not 2 <= len(places) <= MOST_POINTS:
        raise ValueError(
            f"x and y must be 2 to {MOST_POINTS} points each; got {len(places)} and {len(heights)}."
        )
    if np.abs(places).max() > 1:
        raise ValueError(f"x must lie from -1 to 1; got {places.min():.3g} to {places.max():.3g}.")
    spline = bspline(spline_order=spline_order, grid_size=grid_size)
    spline.coef = np.zeros_like(spline.coef)
    learner = Descent(spline, places, heights, 0.0, theme=theme)
    chosen = learner.fastest / 2 if rate is None else float(finite("rate", [rate])[0])
    if chosen <= 0:
        raise ValueError(f"rate must be above 0; got {rate!r}. Try {learner.fastest / 2:.2g}.")
    learner._update(rate=chosen)
    return learner
