"""What the edge functions of a layer are made of, in one small frozen record."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, get_args

from kanviz.checks import check_choice, check_integer

BasisName = Literal[
    "bspline",
    "gaussian",
    "matern32",
    "matern52",
    "multiquadric",
    "inverse_multiquadric",
    "inverse_quadratic",
]
BaseName = Literal["silu", "identity", "zero"]
Extrapolation = Literal["linear", "zero"]

MAX_SPLINE_ORDER = 10
RADIAL_PADDING = 2

MOST_WEIGHTS = 2 * 10**8
"""Of a layer: 1.6 GB in float64, and training takes several times as much."""


@dataclass(frozen=True)
class FunctionSpec:
    """The family of functions that a layer's edges are taken from.

    Parameters
    ----------
    grid_size : int
        Number of intervals G of the base grid, at least 1.
    spline_order : int
        Polynomial degree k of a B-spline, 0 to 10; radial bases do not use it.
    basis : str
        ``"bspline"`` or a radial basis (``"gaussian"``, ``"matern32"``, ``"matern52"``,
        ``"multiquadric"``, ``"inverse_multiquadric"``, ``"inverse_quadratic"``).
    base : str
        The base function b(x) beside the basis: ``"silu"``, ``"identity"`` or ``"zero"``.
    extrapolation : str
        ``"linear"``: outside the grid the basis goes on along its tangent. ``"zero"``: that tangent
        fades to nothing over half the grid's length, so only the base function is left.
    uniform : bool
        Whether each input's knots are equally spaced, which allows the closed form.

    Raises
    ------
    ValueError
        If a number is out of range or a name is unknown.
    """

    grid_size: int = 5
    spline_order: int = 3
    basis: BasisName = "bspline"
    base: BaseName = "silu"
    extrapolation: Extrapolation = "linear"
    uniform: bool = True

    def __post_init__(self) -> None:
        """Check every field once, here."""
        check_integer("grid_size", self.grid_size, 1)
        check_integer("spline_order", self.spline_order, 0)
        if self.spline_order > MAX_SPLINE_ORDER:
            raise ValueError(
                f"spline_order must be at most {MAX_SPLINE_ORDER} because higher degrees lose all "
                f"digits; got {self.spline_order}. Lower it, or raise grid_size instead."
            )
        check_choice("basis", self.basis, get_args(BasisName))
        check_choice("base", self.base, get_args(BaseName))
        check_choice("extrapolation", self.extrapolation, get_args(Extrapolation))

    def check_size(self, in_features: int, out_features: int) -> None:
        """Raise a ValueError if so many edges of this family are more than a layer may have."""
        count = in_features * out_features * self.n_features
        if count > MOST_WEIGHTS:
            raise ValueError(
                f"A layer may have at most {MOST_WEIGHTS:,} weights; got {count:,} for "
                f"{in_features} inputs, {out_features} outputs and {self.grid_size} intervals. "
                "Choose fewer nodes or a coarser grid."
            )

    @cached_property
    def is_spline(self) -> bool:
        """Whether the basis is a B-spline."""
        return self.basis == "bspline"

    @cached_property
    def has_base(self) -> bool:
        """Whether the weight has a row for the base function."""
        return self.base != "zero"

    @cached_property
    def padding(self) -> int:
        """Knots beyond the base grid at each side: k for a B-spline, 2 centres for a radial basis.

        Without centres beyond its ends a radial basis cannot even follow a straight line there.
        """
        return self.spline_order if self.is_spline else RADIAL_PADDING

    @cached_property
    def n_basis(self) -> int:
        """Number of basis functions: G + k for a B-spline, G + 5 for a radial basis."""
        return self.grid_size + (self.spline_order if self.is_spline else 2 * RADIAL_PADDING + 1)

    @cached_property
    def n_features(self) -> int:
        """Rows of the weight per input: the basis functions, then the base function if any."""
        return self.n_basis + int(self.has_base)
