"""What a user writes for one edge, as a function with its four numbers."""

from collections.abc import Sequence

from jaxtyping import Float
from torch import Tensor

from kanviz.symbolic.built_in import default_library
from kanviz.symbolic.library import Function, Library
from kanviz.symbolic.suggest import suggest

Affine = tuple[float, float, float, float]


def library_of(names: Sequence[str] | None) -> Library:
    """Return the functions of these names; all that are built in or registered without any."""
    library = default_library()
    return library if names is None else library.only(names)


def function_of(
    text: str,
    numbers: Affine | None,
    x: Float[Tensor, " samples"],
    y: Float[Tensor, " samples"],
) -> tuple[Function, Affine]:
    """Return f and (a, b, c, d) of c f(a x + b) + d for what a user writes.

    Parameters
    ----------
    text : str
        The name of a known function, whose numbers are fitted to the curve, or any formula of x,
        which is taken as it is.
    numbers : (a, b, c, d) or None
        Those to take instead.
    x, y : (samples,)
        The curve.

    Raises
    ------
    ValueError
        If the formula cannot be read.
    """
    library = default_library()
    if text not in library:
        function = Function(text.strip()[:40], library.parse(text))
        return function, numbers or (1.0, 0.0, 1.0, 0.0)
    if numbers is None:
        best = suggest(x, y, functions=library.only([text])).best
        numbers = (best.a, best.b, best.c, best.d)
    return library[text], numbers


def quality_of(
    function: Function,
    numbers: Affine,
    x: Float[Tensor, " samples"],
    y: Float[Tensor, " samples"],
) -> float | None:
    """Return the R^2 of c f(a x + b) + d against a curve; None for a constant one."""
    a, b, c, d = numbers
    variance = float(y.var(correction=0))
    missed = float((c * function.torch(a * x + b) + d - y).square().mean())
    return 1 - missed / variance if variance > 0 else None
