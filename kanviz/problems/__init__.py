"""Named test problems of the field: a function, where to sample it, and what others reached.

The toy functions and the fifteen special functions are those of Z. Liu et al., "KAN:
Kolmogorov-Arnold Networks", arXiv:2404.19756, sections 3.1 and 3.2 (Table 1).
"""

from kanviz.checks import check_choice
from kanviz.problems.record import PaperResult, Problem
from kanviz.problems.special import special_functions
from kanviz.problems.toy import toy_functions

__all__ = ["PaperResult", "Problem", "names", "problem", "special_functions", "toy_functions"]


def problem(name: str) -> Problem:
    """Return the problem of that name; ``names`` lists them.

    Raises
    ------
    ValueError
        If there is none, naming the nearest.

    Examples
    --------
    >>> problem("toy_exp_sin").formula
    'exp(sin(pi*x_1) + x_2**2)'
    """
    known = {entry.name: entry for entry in (*toy_functions(), *special_functions())}
    check_choice("name", name, tuple(known))
    return known[name]


def names() -> tuple[str, ...]:
    """Return the names of all problems: the toy functions, then the special functions."""
    return tuple(entry.name for entry in (*toy_functions(), *special_functions()))
