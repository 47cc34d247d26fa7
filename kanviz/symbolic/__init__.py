"""Formulas: functions that an edge may become, text, computing, suggestions, a network's formula.

Knows nothing of models, files or pictures.
"""

from kanviz.symbolic.affine import AffineFit
from kanviz.symbolic.formula import Formula, compose, spline_symbol
from kanviz.symbolic.functions import (
    BUILT_IN,
    Function,
    Library,
    default_library,
    make_function,
    register_function,
)
from kanviz.symbolic.parse import parse
from kanviz.symbolic.printing import to_text
from kanviz.symbolic.program import Curve, Program, compile_expressions, curve
from kanviz.symbolic.simplify import rounded, simplified, snap, snapped
from kanviz.symbolic.suggest import Suggestion, SuggestionTable, suggest

__all__ = [
    "BUILT_IN",
    "AffineFit",
    "Curve",
    "Formula",
    "Function",
    "Library",
    "Program",
    "Suggestion",
    "SuggestionTable",
    "compile_expressions",
    "compose",
    "curve",
    "default_library",
    "make_function",
    "parse",
    "register_function",
    "rounded",
    "simplified",
    "snap",
    "snapped",
    "spline_symbol",
    "suggest",
    "to_text",
]
