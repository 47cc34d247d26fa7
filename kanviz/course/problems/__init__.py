"""Named test problems of the field: a function, where to sample it, and what others reached.

The toy functions, the fifteen special functions and the 27 formulas of Feynman's lectures are those
of Z. Liu et al., "KAN: Kolmogorov-Arnold Networks", arXiv:2404.19756, section 3 (Tables 1 and 2).
"""

from kanviz.course.mlp import step_seconds
from kanviz.course.problems.catalogue import names, problem
from kanviz.course.problems.feynman import feynman_problems
from kanviz.course.problems.record import FeynmanResult, PaperResult, Problem
from kanviz.course.problems.special import special_functions
from kanviz.course.problems.stored import Comparison, Results, comparison, results
from kanviz.course.problems.toy import toy_functions

__all__ = [
    "Comparison",
    "FeynmanResult",
    "PaperResult",
    "Problem",
    "Results",
    "comparison",
    "feynman_problems",
    "names",
    "problem",
    "results",
    "special_functions",
    "step_seconds",
    "toy_functions",
]
