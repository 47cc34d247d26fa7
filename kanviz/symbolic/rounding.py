"""Shorter numbers in formulas: rounded to some digits, or replaced by a nice number nearby."""

import math

import sympy

from kanviz.checks import check_integer

DENOMINATORS = (2, 3, 4, 5, 6, 8, 10)
PI_DENOMINATORS = (2, 3, 4, 6)
MOST_PIS, MOST_PARTS = 12, 24
"""Largest multiples of pi, and numerators of fractions, that are simple."""
MOST_SHARE = 0.05
"""A number is only snapped where nice ones lie so far apart that at most this share of all numbers
between them would be snapped too, at each side."""


def rounded(expression: sympy.Expr, digits: int) -> sympy.Expr:
    """Return the expression with each decimal number rounded to so many significant digits.

    Integers, fractions, pi and e stay as they are.

    Raises
    ------
    ValueError
        If ``digits`` is below 1.

    Examples
    --------
    >>> rounded(sympy.Float(3.14159265) * sympy.Symbol("x") + sympy.pi, 3)
    3.14*x + pi
    """
    check_integer("digits", digits, 1)
    return expression.xreplace(
        {
            number: sympy.Float(f"{float(number):.{digits}g}")
            for number in expression.atoms(sympy.Float)
        }
    )


def snapped(expression: sympy.Expr, tolerance: float) -> sympy.Expr:
    """Return the expression with each decimal number replaced as by ``snap``."""
    return expression.xreplace(
        {number: snap(float(number), tolerance) for number in expression.atoms(sympy.Float)}
    )


def snap(value: float, tolerance: float) -> sympy.Expr:
    """Return the simplest nice number near ``value``, or ``value`` itself.

    Parameters
    ----------
    value : float
        Any finite number.
    tolerance : float
        Largest relative difference, between 0 and 0.1; for 0 the largest size.

    Returns
    -------
    sympy.Expr
        In this order: 0; integers; pi and e; fractions with a denominator of 2, 3, 4, 5, 6, 8 or
        10; fractions of pi; else ``value`` as a ``Float``.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> [snap(number, 1e-3) for number in (0.49999, 3.1416, -6.2831, 0.3333, 2e-5, 0.77)]
    [1/2, pi, -2*pi, 1/3, 0, 0.77]
    """
    if not math.isfinite(value) or not 0 <= tolerance <= 0.1:
        raise ValueError(
            "value must be finite and tolerance between 0 and 0.1; "
            f"got {value!r} and {tolerance!r}. Pass other numbers."
        )
    if abs(value) <= tolerance:
        return sympy.Integer(0)
    for unit, denominators in (
        (sympy.Integer(1), (1,)),
        (sympy.pi, (1,)),
        (sympy.E, (1,)),
        (sympy.Integer(1), DENOMINATORS),
        (sympy.pi, PI_DENOMINATORS),
    ):
        for denominator in denominators:
            nice = _multiple(value, tolerance, unit, denominator)
            if nice is not None:
                return nice
    return sympy.Float(value)


def _multiple(
    value: float, tolerance: float, unit: sympy.Expr, denominator: int
) -> sympy.Expr | None:
    """Return the multiple of unit / denominator that is within the tolerance, if any."""
    step = float(unit) / denominator
    times = round(value / step)
    is_far = abs(value - times * step) > tolerance * abs(value)
    is_dense = tolerance * abs(value) > MOST_SHARE * step
    most = {sympy.pi: MOST_PIS, sympy.E: 1}.get(unit, math.inf if denominator == 1 else MOST_PARTS)
    is_odd = abs(times) > most
    if times == 0 or is_far or is_dense or is_odd:
        return None
    return sympy.Rational(times, denominator) * unit
