"""Which known functions a curve looks like: a question to two arrays that changes nothing."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import overload

import sympy
from jaxtyping import Float
from torch import Tensor

from kanviz.data.scaling import PLAIN, Affine
from kanviz.symbolic.affine import AffineFit, fit_affine
from kanviz.symbolic.functions import (
    LONGEST_NAME,
    Function,
    Library,
    checked,
    default_library,
    free_numbers,
)
from kanviz.symbolic.language import LARGEST_NUMBER
from kanviz.symbolic.printing import to_text
from kanviz.symbolic.projection import fit_constants
from kanviz.symbolic.samples import Numbers, Samples, prepare_samples, within_chance
from kanviz.symbolic.simplify import rounded
from kanviz.tables import ReportTable, Rows

ROUNDING = 1e-9
"""Errors below this are all the same: nothing but rounding."""

CLEARLY = 0.1
"""A small law comes before single functions where its error is below this share of theirs: a
network's curve is never quite the law, and many numbers follow what it is off by."""

NOISY = 0.7
"""What a fit leaves is noise where so much of it jumps from sample to sample: no smooth curve could
halve it, and a wave whose period is below five samples counts as noise too."""

SHOWN_DIGITS = 4


@dataclass(frozen=True)
class Suggestion(AffineFit):
    """One function that the curve may be, y = c f(a x + b) + d, beside the others.

    Parameters
    ----------
    on_front : bool
        Whether no other suggestion is at least as simple and better, or as good and simpler. Errors
        that chance explains are equal.
    """

    on_front: bool

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.name

    @property
    def complexity(self) -> int:
        """The complexity of the function."""
        return self.function.complexity

    @property
    def text(self) -> str:
        """The whole formula with rounded numbers."""
        shown = rounded(self.expression, SHOWN_DIGITS)
        ones = {one: sympy.Integer(int(one)) for one in shown.atoms(sympy.Float) if abs(one) == 1}
        return to_text(shown.xreplace(ones))


@dataclass(frozen=True)
class SuggestionTable(ReportTable[Suggestion]):
    """Suggestions, best first.

    Those whose error cannot be told from the lowest come first, the simplest of them at the top;
    the others follow by error. Shows itself as a table.

    Parameters
    ----------
    rows : tuple of Suggestion
        In this order.
    """

    rows: tuple[Suggestion, ...]

    @property
    def best(self) -> Suggestion:
        """The simplest function among those that fit the curve as well as any."""
        return self.rows[0]

    @overload
    def __getitem__(self, index: int) -> Suggestion: ...
    @overload
    def __getitem__(self, index: slice) -> "SuggestionTable": ...
    def __getitem__(self, index: int | slice) -> "Suggestion | SuggestionTable":
        """Return one suggestion, or a table of some."""
        chosen = self.rows[index]
        return SuggestionTable(chosen) if isinstance(chosen, tuple) else chosen

    @property
    def _records(self) -> tuple[Suggestion, ...]:
        return self.rows

    def _rows(self) -> Rows:
        head = ("function", "error", "r2", "complexity", "front", "formula")
        return [head, *map(_cells, self.rows)]


def _cells(row: Suggestion) -> tuple[str, ...]:
    front = "*" if row.on_front else ""
    return (row.name, f"{row.error:.2e}", f"{row.r2:.6f}", str(row.complexity), front, row.text)


def suggest(
    x: Numbers,
    y: Numbers,
    *,
    weights: Numbers | None = None,
    functions: Mapping[str, Function] | None = None,
    top: int | None = None,
) -> SuggestionTable:
    """Fit c f(a x + b) + d for each function f to samples of a curve; best first.

    Where no function is named, small laws are looked for too: sums of powers, and sums, products
    and compositions of two functions, with free constants of their own (``symbolic/laws.py``).
    Those are listed whose error is at most half that of all that is simpler.

    Parameters
    ----------
    x, y : (samples,)
        Input and output of one edge, in any unit; at least 6 samples.
    weights : (samples,), optional
        How much each sample counts; by default equally.
    functions : mapping of str to Function, optional
        What to try; by default all that are built in or registered, and small laws.
    top : int, optional
        How many suggestions to return; by default all.

    Returns
    -------
    SuggestionTable
        The answer does not depend on the units of x and y, nor on chance.

    Raises
    ------
    ValueError
        If samples are too few, differ in number or are not finite, or no function is given.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.linspace(-2, 2, 60)
    >>> lines_and_exponentials = default_library().only(["x", "exp"])
    >>> suggest(x, 3 * np.exp(0.5 * x) + 1, functions=lines_and_exponentials).best.text
    '3.0*exp(0.5*x) + 1'
    """
    samples = prepare_samples(x, y, weights)
    chosen = tuple((default_library() if functions is None else functions).values())
    if not chosen:
        raise ValueError("functions is empty. Name at least one, or leave it out to try all.")
    fits = fit_affine(chosen, samples)
    best = min(fits, key=lambda fit: fit.error)
    lowest = best.error
    if functions is None and lowest > ROUNDING and not _leaves_noise(best, samples):
        from kanviz.symbolic.laws import find_laws  # its forms are only read where they are tried

        laws = find_laws(samples, lowest)
        fits += laws
        lowest = min([lowest, *(fit.error for fit in laws if fit.error < CLEARLY * lowest)])
    limit = within_chance(lowest, len(samples.held_out.t)) + ROUNDING
    fits.sort(key=lambda fit: _rank(fit, lowest, limit))
    return SuggestionTable(tuple(_suggestion(fit, fits, lowest, limit) for fit in fits)[:top])


def _leaves_noise(fit: AffineFit, samples: Samples) -> bool:
    """Return whether what a fit leaves is noise: a law that leaves half of it there is none."""
    x = samples.center + samples.half * samples.all.t
    left = (fit.function.values(x, fit.numbers) - samples.mean) / samples.scale - samples.all.z
    return samples.noise_in(left) > NOISY * fit.error


def _rank(fit: AffineFit, lowest: float, limit: float) -> tuple[float, ...]:
    """Return what sorts: equal fits first and among them the simple ones, then by error."""
    if fit.error > limit:
        return (1, fit.error)
    numbers = free_numbers(fit.function)
    # Rounded, so that functions that are the same but for a shift stay in the library's order.
    error = round(fit.error / max(lowest, ROUNDING), 4)
    return (0, fit.function.complexity, numbers, error)


def _suggestion(
    fit: AffineFit, fits: Sequence[AffineFit], lowest: float, limit: float
) -> Suggestion:
    """Return the fit with its place: on the front unless another is no worse in both, and differs.

    Errors up to ``limit`` count as ``lowest``, as they do in the order. ``asdict`` would copy the
    function, so fields are taken one by one.
    """

    def cost_of(one: AffineFit) -> tuple[int, float]:
        return one.function.complexity, lowest if one.error <= limit else one.error

    cost = cost_of(fit)
    others = map(cost_of, fits)
    is_beaten = any(
        other[0] <= cost[0] and other[1] <= cost[1] and other != cost for other in others
    )
    return Suggestion(**vars(fit), on_front=not is_beaten)


def library_of(names: Sequence[str] | None) -> Library:
    """Return the functions of these names; all that are built in or registered without any."""
    library = default_library()
    return library if names is None else library.only(names)


def function_of(
    text: str,
    affine: Affine | None,
    x: Float[Tensor, " samples"],
    y: Float[Tensor, " samples"],
    constants: Mapping[str, float] | None = None,
) -> tuple[Function, Affine, tuple[float, ...]]:
    """Return f, (a, b, c, d) and the constants of f of c f(a x + b) + d for what a user writes.

    Parameters
    ----------
    text : str
        The name of a known function, whose numbers are fitted to the curve, or any formula of x,
        which is taken as it is but for its free constants: they are fitted.
    affine : (a, b, c, d) or None
        Those to take instead.
    x, y : (samples,)
        The curve.
    constants : mapping of str to float, optional
        The free constants, instead of a fit.

    Raises
    ------
    ValueError
        If the formula cannot be read, or its free constants have other names.
    """
    library = default_library()
    if text not in library:
        function = _written(text, library)
        affine = PLAIN if affine is None else affine
        numbers = _given(function, constants)
        if function.constants and numbers is None:
            numbers = fit_constants(function, x, y, affine)
        return function, affine, numbers or ()
    _given(library[text], constants)
    if affine is None:
        best = suggest(x, y, functions=library.only([text])).best
        affine = (best.a, best.b, best.c, best.d)
    return library[text], affine, ()


def _written(text: str, library: Library) -> Function:
    """Return the function that a formula stands for."""
    name = " ".join(text.split())[:LONGEST_NAME] if isinstance(text, str) else text
    constants = library.constants_in(text)
    return checked(
        text, lambda: Function(name, library.parse(text, constants), constants=constants)
    )


def _given(function: Function, constants: Mapping[str, float] | None) -> tuple[float, ...] | None:
    """Return the free constants that a user gives, in the function's order; None without any."""
    if constants is None:
        return None
    if set(constants) != set(function.constants):
        wanted = ", ".join(function.constants) or "none"
        raise ValueError(
            f"constants must have a number for each free constant of {function.name!r}: {wanted}; "
            f"got {', '.join(map(str, constants)) or 'none'}. Leave them out to have them fitted."
        )
    for name, value in constants.items():
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not abs(value) <= LARGEST_NUMBER:
            raise ValueError(
                f"constants[{name!r}] must be a finite number of at most 1e100; got {value!r}."
            )
    return tuple(float(constants[name]) for name in function.constants)


def quality_of(
    function: Function,
    numbers: Sequence[float],
    x: Float[Tensor, " samples"],
    y: Float[Tensor, " samples"],
) -> float | None:
    """Return the R^2 of c f(a x + b) + d against a curve; None where it is no finite number.

    ``numbers`` are a, b, c, d and the free constants of f.
    """
    variance = float(y.var(correction=0))
    missed = float((function.values(x, numbers) - y).square().mean())
    quality = 1 - missed / variance if variance > 0 else math.nan
    return quality if math.isfinite(quality) else None
