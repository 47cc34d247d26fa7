"""All problems by name."""

from kanviz.checks import check_choice
from kanviz.course.problems.feynman import feynman_problems
from kanviz.course.problems.record import Problem
from kanviz.course.problems.special import special_functions
from kanviz.course.problems.toy import toy_functions


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
    known = {entry.name: entry for entry in _every()}
    check_choice("name", name, tuple(known))
    return known[name]


def names() -> tuple[str, ...]:
    """Return the names of all problems: toy functions, special functions, Feynman's formulas."""
    return tuple(entry.name for entry in _every())


def _every() -> tuple[Problem, ...]:
    return (*toy_functions(), *special_functions(), *feynman_problems())
