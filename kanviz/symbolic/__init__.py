"""Formulas: functions that an edge may become, text, computing, suggestions, a network's formula.

Knows nothing of models, files or pictures. The one room that imports sympy, which takes a second or
two to load: other rooms import this one inside the functions that need it.
"""

from kanviz.symbolic.affine import AffineFit
from kanviz.symbolic.formula import Formula, compose, formula_of, spline_symbol
from kanviz.symbolic.functions import (
    BUILT_IN,
    Function,
    Library,
    default_library,
    make_function,
    register_function,
)
from kanviz.symbolic.parse import parse
from kanviz.symbolic.printing import to_mathml, to_text
from kanviz.symbolic.program import Curve, Program, compile_expressions, curve
from kanviz.symbolic.simplify import rounded, simplified, snap, snapped
from kanviz.symbolic.suggest import Suggestion, SuggestionTable, suggest
from kanviz.symbolic.symbol_report import EdgeReport, ParetoTable, SymbolReport
from kanviz.symbolic.symbolify import symbolify

__all__ = [
    "BUILT_IN",
    "AffineFit",
    "Curve",
    "EdgeReport",
    "Formula",
    "Function",
    "Library",
    "ParetoTable",
    "Program",
    "Suggestion",
    "SuggestionTable",
    "SymbolReport",
    "compile_expressions",
    "compose",
    "curve",
    "default_library",
    "formula_of",
    "make_function",
    "parse",
    "register_function",
    "rounded",
    "simplified",
    "snap",
    "snapped",
    "spline_symbol",
    "suggest",
    "symbolify",
    "to_mathml",
    "to_text",
]
