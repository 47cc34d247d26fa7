"""An input falls into an interval, k + 1 bumps light up, k + 1 rows are read: whatever the grid."""

from collections.abc import Mapping
from typing import Any

from kanviz.checks import check_integer
from kanviz.course.teaching.bspline import HIGHEST_ORDER, bspline
from kanviz.course.teaching.widget import Array, TeachingWidget, finite

MOST_INTERVALS = 2000

ALT = "An input on a grid, the bumps above it, and the rows of coefficients that it reads"


class Lookup(TeachingWidget):
    """What ``lookup`` returns: a grid of equal intervals from -1 to 1, and one input on it."""

    lesson = (
        "A grid of 2000 intervals has 2003 coefficients. How many of them does one input need?",
        "move x, then make the grid finer and look at the two bills.",
    )

    def __init__(self, x: float, grid_size: int, spline_order: int, *, theme: str) -> None:
        state = _checked(x, grid_size, spline_order)
        super().__init__("lookup", state, title="Look it up", alt=ALT, theme=theme)

    @property
    def interval(self) -> int:
        """The interval of x, found by one subtraction and one division."""
        size = int(self.state["grid_size"])
        return min(int((self.state["x"] + 1) * size / 2), size - 1)

    @property
    def rows(self) -> range:
        """The coefficients that x reads: those of the bumps above its interval."""
        return range(self.interval, self.interval + self.state["order"] + 1)

    @property
    def bumps(self) -> Array:
        """The values of these bumps at x, (k + 1,); they add up to 1."""
        size, order = self.state["grid_size"], self.state["order"]
        # The same bumps on a grid of one interval, since all bumps have one shape.
        share = (self.state["x"] + 1) * size / 2 - self.interval
        values: Array = bspline(grid_size=1, spline_order=order).basis(2 * share - 1)
        return values

    def _accept(self, change: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {**self.state, **change}
        return _checked(wanted["x"], wanted["grid_size"], wanted["order"])


def lookup(
    x: float = 0.3, *, grid_size: int = 8, spline_order: int = 3, theme: str = "auto"
) -> Lookup:
    """Return a picture of what one input reads of a spline's coefficients.

    Parameters
    ----------
    x : float
        The input, from -1 to 1.
    grid_size : int
        Intervals G, 1 to 2000.
    spline_order : int
        The degree k, 0 to 5.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Returns
    -------
    Lookup
        ``interval``, ``rows`` and ``bumps`` of x as it now is; ``to_html(path)`` a page without a
        kernel.

    Raises
    ------
    ValueError
        If a number is out of range, or there is no such theme.

    Examples
    --------
    >>> looked = lookup(0.3, grid_size=2000)
    >>> looked.interval, list(looked.rows)
    (1300, [1300, 1301, 1302, 1303])
    >>> bool(abs(looked.bumps.sum() - 1) < 1e-12)
    True
    """
    return Lookup(x, grid_size, spline_order, theme=theme)


def _checked(x: Any, grid_size: Any, order: Any) -> dict[str, Any]:
    place = float(finite("x", [x])[0])
    if not -1 <= place <= 1:
        raise ValueError(f"x must lie from -1 to 1; got {place}.")
    for name, value, low, high in (
        ("grid_size", grid_size, 1, MOST_INTERVALS),
        ("spline_order", order, 0, HIGHEST_ORDER),
    ):
        check_integer(name, value, low)
        if value > high:
            raise ValueError(f"{name} must be at most {high}; got {value}.")
    return {"x": place, "grid_size": grid_size, "order": order}
