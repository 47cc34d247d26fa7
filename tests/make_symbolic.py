"""Points and random expressions that the tests of formulas share."""

import numpy as np
import sympy
import torch
from hypothesis import strategies as st
from torch import Tensor

from kanviz.symbolic.functions import Function
from kanviz.symbolic.language import X

UNARY = (
    sympy.sin,
    sympy.cos,
    sympy.exp,
    sympy.tanh,
    sympy.atan,
    sympy.asinh,
    sympy.Abs,
    sympy.erf,
    sympy.log,
    sympy.sqrt,
    sympy.asin,
    sympy.acosh,
    sympy.atanh,
    sympy.sinh,
    sympy.sinc,
    sympy.tan,
    lambda u: sympy.Max(0, u),
    lambda u: sympy.besselj(0, u),
    lambda u: sympy.besselj(1, u),
)
BINARY = (
    lambda u, v: u + v,
    lambda u, v: u - v,
    lambda u, v: u * v,
    lambda u, v: u / (1 + v**2),
)
EXPONENTS = (2, 3, -1, -2, 0.5, -1.5, sympy.Rational(3, 2), sympy.Rational(1, 3))


def extreme_numbers(dtype: torch.dtype) -> Tensor:
    """Return finite numbers of both signs, dense at 0 and 1 and to the ends of the type."""
    sizes = [
        *10.0 ** np.arange(-320, 308.5, 0.5),
        *(1 + sign * 10.0**-k for k in range(17) for sign in (-1, 1)),
        np.pi / 2,
        np.pi,
        float(torch.finfo(dtype).max),
        0.0,
    ]
    values = torch.tensor(sizes, dtype=torch.float64)
    values = values[values <= torch.finfo(dtype).max].to(dtype)
    return torch.cat([values, -values])


def inner_points(function: Function, count: int = 40) -> Tensor:
    """Return float64 numbers well inside the domain of a function."""
    low, high = function.domain
    low = max(low, -3.1)
    high = min(high, low + 4 if low > -3.1 else 2.9)
    margin = 0.01 * (high - low)
    return torch.linspace(low + margin, high - margin, count, dtype=torch.float64)


def expressions(depth: int = 3) -> st.SearchStrategy[sympy.Expr]:
    """Return a strategy for expressions in ``X`` that kanviz can compute."""
    numbers = st.sampled_from(
        [sympy.Integer(2), sympy.Rational(1, 3), sympy.Float(0.7), sympy.Float(-1.25), sympy.pi]
    )
    leaves = st.just(X) | numbers.map(lambda number: number * X) | numbers

    def extend(inner: st.SearchStrategy[sympy.Expr]) -> st.SearchStrategy[sympy.Expr]:
        with_x = inner.filter(lambda expression: expression.has(X))
        return (
            st.builds(lambda f, u: f(u), st.sampled_from(UNARY), with_x)
            | st.builds(lambda f, u, v: f(u, v), st.sampled_from(BINARY), inner, inner)
            | st.builds(lambda u, p: u**p, with_x, st.sampled_from(EXPONENTS))
        )

    return st.recursive(leaves, extend, max_leaves=depth).filter(_is_real)


def _is_real(expression: sympy.Expr) -> bool:
    return not expression.has(sympy.I, sympy.zoo, sympy.nan, sympy.oo, sympy.Piecewise)
