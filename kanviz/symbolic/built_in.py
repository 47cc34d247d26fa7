"""The functions that kanviz comes with, and the library that ``register`` adds to."""

from kanviz.symbolic.library import INFINITY, Function, Library, Registry
from kanviz.symbolic.parse import parse

_TABLE = (
    # name, formula, complexity
    ("0", "0", 0),
    ("x", "x", 1),
    ("x^2", "x**2", 2),
    ("x^3", "x**3", 3),
    ("x^4", "x**4", 3),
    ("x^5", "x**5", 3),
    ("exp", "exp(x)", 2),
    ("sin", "sin(x)", 2),
    ("cos", "cos(x)", 2),
    ("abs", "abs(x)", 3),
    ("sgn", "sgn(x)", 3),
    ("relu", "relu(x)", 3),
    ("tanh", "tanh(x)", 3),
    ("sigmoid", "1/(1 + exp(-x))", 3),
    ("softplus", "log(1 + exp(x))", 4),
    ("silu", "x/(1 + exp(-x))", 4),
    ("sinh", "sinh(x)", 3),
    ("cosh", "cosh(x)", 3),
    ("gaussian", "exp(-x**2)", 3),
    ("1/(1+x^2)", "1/(1 + x**2)", 4),
    ("arctan", "arctan(x)", 4),
    ("arcsinh", "arcsinh(x)", 4),
    ("erf", "erf(x)", 4),
    ("sinc", "sinc(x)", 4),
    ("J0", "J0(x)", 5),
    ("J1", "J1(x)", 5),
)

_ON_A_DOMAIN = (
    # name, formula, complexity, low, high
    ("1/x", "1/x", 2, 0.0, INFINITY),
    ("1/x^2", "x**-2", 2, 0.0, INFINITY),
    ("1/x^3", "x**-3", 3, 0.0, INFINITY),
    ("1/x^4", "x**-4", 4, 0.0, INFINITY),
    ("1/x^5", "x**-5", 5, 0.0, INFINITY),
    ("sqrt", "sqrt(x)", 2, 0.0, INFINITY),
    ("1/sqrt(x)", "1/sqrt(x)", 2, 0.0, INFINITY),
    ("x^1.5", "x**(3/2)", 4, 0.0, INFINITY),
    ("log", "log(x)", 2, 0.0, INFINITY),
    ("arccosh", "arccosh(x)", 4, 1.0, INFINITY),
    ("tan", "tan(x)", 3, -1.5707963267948966, 1.5707963267948966),
    ("arcsin", "arcsin(x)", 4, -1.0, 1.0),
    ("arccos", "arccos(x)", 4, -1.0, 1.0),
    ("arctanh", "arctanh(x)", 4, -1.0, 1.0),
)

BUILT_IN = Library(
    tuple(Function(name, parse(text), complexity) for name, text, complexity in _TABLE)
    + tuple(
        Function(name, parse(text), complexity, (low, high))
        for name, text, complexity, low, high in _ON_A_DOMAIN
    )
)
"""All functions that kanviz comes with. Complexities are those of pykan 0.2.8 where it has them."""

REGISTRY = Registry(BUILT_IN)
"""The library of this process: the one thing in kanviz that a call changes for all that follow.

It is only ever read when a user asks for suggestions or names a function. A model keeps the
formula itself, so it works and is saved without what was registered.
"""

register = REGISTRY.register


def default_library() -> Library:
    """Return the built-in functions and those registered so far."""
    return REGISTRY.library
