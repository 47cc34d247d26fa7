"""Errors of a network in the numbers that a user thinks in."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Errors:
    """Errors on the training and the test part of the data.

    Parameters
    ----------
    name : str
        ``"RMSE"``: the root of the mean squared error over all outputs, in the user's units; or
        ``"loss"`` for classes and for a loss of the user's own.
    train : float
    test : float or None
        None where the data have no test part.
    """

    name: str
    train: float
    test: float | None
