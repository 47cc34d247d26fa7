"""Formulas: functions that an edge may become, text, computing, suggestions, a network's formula.

Knows nothing of models, files or pictures.
"""

from kanviz.symbolic.affine import AffineFit
from kanviz.symbolic.built_in import BUILT_IN, default_library, register
from kanviz.symbolic.compose import compose, spline_symbol
from kanviz.symbolic.formula import Formula
from kanviz.symbolic.library import Function, Library, make_function
from kanviz.symbolic.parse import parse
from kanviz.symbolic.program import Curve, Program, compile_expressions, curve
from kanviz.symbolic.rounding import rounded, snap, snapped
from kanviz.symbolic.simplify import simplified
from kanviz.symbolic.suggest import Suggestion, SuggestionTable, suggest
from kanviz.symbolic.text import to_text

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
    "register",
    "rounded",
    "simplified",
    "snap",
    "snapped",
    "spline_symbol",
    "suggest",
    "to_text",
]
