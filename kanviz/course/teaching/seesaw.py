"""The two prices on edges: bars to drag, the bill of each price, and how it pulls at each bar."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from kanviz.course.teaching.widget import Array, Listed, TeachingWidget, finite

FEWEST, MOST = 2, 8

HIGHEST = 1.5
"""Of a bar."""

HEIGHTS = (0.3, 0.25, 0.2, 0.15, 0.1)

ALT = "Bars for the scores of edges, the bills of L1 and entropy, and how each pulls at each bar"


class Seesaw(TeachingWidget):
    """What ``seesaw`` returns: scores of the edges of a layer, and what two prices ask for them.

    Source: Liu et al., KAN: Kolmogorov-Arnold Networks, arXiv 2404.19756, equations 2.17 to 2.20.
    """

    lesson = (
        "One edge that does all, or five that share the work: which of two prices minds?",
        "drag a bar and watch the two bills; then let each price pull.",
    )

    def __init__(self, heights: Listed, *, is_shared: bool, theme: str) -> None:
        state = {"heights": _checked(heights).tolist(), "shared": bool(is_shared)}
        super().__init__("seesaw", state, title="Two prices", alt=ALT, theme=theme)

    @property
    def heights(self) -> Array:
        """The scores, (n,), as they now stand; setting them moves the picture.

        Raises
        ------
        ValueError
            When set, if they are not 2 to 8 numbers from 0 to 1.5, one of them above 0.
        """
        return np.array(self.state["heights"], dtype=np.float64)

    @heights.setter
    def heights(self, heights: Listed) -> None:
        self._update(heights=_checked(heights).tolist())

    @property
    def l1(self) -> float:
        """The sum of the scores."""
        return float(self.heights.sum())

    @property
    def entropy(self) -> float:
        """Minus the sum of p log p, with p the share of each edge in the sum."""
        shares = self._shares()
        return float(-np.sum(shares * np.log(np.where(shares > 0, shares, 1))))

    @property
    def pulls(self) -> Array:
        """How each price pulls, (2, n): minus the slope of L1 and of the entropy in each score.

        That of the entropy is (log p + entropy) / sum: up where an edge does more than most, down
        where it does less, and without end at 0.
        """
        with np.errstate(divide="ignore"):
            by_entropy = (np.log(self._shares()) + self.entropy) / self.l1
        return np.stack([-np.ones_like(by_entropy), by_entropy])

    def _shares(self) -> Array:
        heights = self.heights
        shares: Array = heights / heights.sum()
        return shares

    def _accept(self, change: Mapping[str, Any]) -> dict[str, Any]:
        wanted = {**self.state, **change}
        return {
            "heights": _checked(wanted["heights"]).tolist(),
            "shared": bool(wanted["shared"]),
        }


def seesaw(heights: Listed = HEIGHTS, *, is_shared: bool = True, theme: str = "auto") -> Seesaw:
    """Return bars that stand for the scores of edges, under the prices L1 and entropy.

    Parameters
    ----------
    heights : (n,)
        The scores, 2 to 8 numbers from 0 to 1.5.
    is_shared : bool
        Whether the edges do one job together: where one does more the others do less.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Returns
    -------
    Seesaw
        ``l1`` and ``entropy`` are the bills of ``heights`` as they now stand, ``pulls`` how each
        price pulls at each; ``to_html(path)`` a page without a kernel.

    Raises
    ------
    ValueError
        If the heights or the theme cannot be.

    Examples
    --------
    >>> one, five = seesaw([1, 0, 0, 0, 0]), seesaw([0.2] * 5)
    >>> round(one.l1, 6), round(five.l1, 6)
    (1.0, 1.0)
    >>> round(abs(one.entropy), 2), round(five.entropy, 2)
    (0.0, 1.61)
    """
    return Seesaw(heights, is_shared=is_shared, theme=theme)


def _checked(heights: Any) -> Array:
    array = finite("heights", heights)
    if not FEWEST <= len(array) <= MOST:
        raise ValueError(f"heights must be {FEWEST} to {MOST} numbers; got {len(array)}.")
    if array.min() < 0 or array.max() > HIGHEST or array.max() == 0:
        raise ValueError(
            f"heights must lie from 0 to {HIGHEST}, and one above 0; got {array.tolist()}."
        )
    return array
