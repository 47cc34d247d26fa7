"""A formula as people read it, with the check that it still is the model's."""

from collections.abc import Callable
from dataclasses import replace

from jaxtyping import Float
from torch import Tensor

from kanviz.data.about import About
from kanviz.nn.network import Network
from kanviz.symbolic.formula import Formula
from kanviz.symbolic.of_network import check_formula, difference_of, formula_of

MOST_DIGITS = 16
"""As many as tell float64 numbers of everyday size apart."""

SLACK = 100.0
"""Moving each number by a share may move the outputs by this many times it, as sums and powers
add up; what moves them more has broken the formula."""

MOST_ERROR = 0.1


def formula_to_read(
    network: Network,
    about: About,
    x: Float[Tensor, "samples inputs"],
    *,
    digits: int | None,
    snap: float,
    simplify: float,
) -> Formula:
    """Return what a network computes, compared with it on x, see ``KAN.formula``.

    Parameters
    ----------
    network : Network
        In float64; is only read.
    about : About
        Names and units of its inputs and outputs.
    x : (samples, inputs)
        In the network's units.
    digits, snap, simplify
        See ``KAN.formula``.

    Raises
    ------
    ArithmeticError
        If formula and network differ on x.
    """
    exact = formula_of(network, about)
    check_formula(exact, network, about, x)

    def error(candidate: Formula) -> float:
        return difference_of(candidate, network, about, x)

    return shown(exact, error, digits=digits, snap=snap, simplify=simplify)


def shown(
    exact: Formula,
    error: Callable[[Formula], float],
    *,
    digits: int | None,
    snap: float,
    simplify: float,
) -> Formula:
    """Return the formula with nice, short numbers, in a short form, and its error.

    Numbers within the share ``snap`` of a nice one become it, and all are rounded to ``digits``.
    Where that breaks the formula (beyond ``SLACK`` times the share, or 10 %), fewer are snapped and
    more digits kept, down to the exact formula.

    Parameters
    ----------
    exact : Formula
        What the model computes.
    error : callable
        The largest difference of a formula from the model, as a share of the outputs' size.
    digits, snap, simplify
        See ``KAN.formula``.
    """
    nice, off = _nice(exact, error, snap, simplify)
    if digits is None:
        return replace(nice, error=off)
    most = off + min(MOST_ERROR, SLACK * 10.0**-digits)
    for count in range(digits, MOST_DIGITS):
        short = nice.rounded(count)
        if (found := error(short)) <= most:
            return replace(short, error=found)
    return replace(nice, error=off)


def _nice(
    exact: Formula, error: Callable[[Formula], float], snap: float, simplify: float
) -> tuple[Formula, float]:
    """Return the formula with nice numbers in a short form, and its error."""
    shares = (snap, snap / 100, snap / 1e4) if snap > 0 else ()
    for share in (*shares, 0.0):
        formula = exact
        if share > 0:
            formula = formula.expanded().with_unit_terms().snapped(share)
        if simplify > 0:
            formula = formula.simplified(simplify)
        if share > 0:
            formula = formula.snapped(share)
        off = error(formula)
        if off <= max(1e-6, min(MOST_ERROR, SLACK * share)):
            return formula, off
    return exact, error(exact)  # to shorten it left a domain
