"""One KAN layer: a learnable function on every edge, added up at every output."""

from dataclasses import replace
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.checks import check_integer
from kanviz.nn.basis import extend_knots, uniform_points
from kanviz.nn.edges import EdgeFunctions
from kanviz.nn.features import features
from kanviz.nn.initialise import initial_weight
from kanviz.nn.inputs import GridRange, bounds, check_like
from kanviz.nn.kernels import edge_sum
from kanviz.nn.regrid import functions_from_arrays, refined, refitted
from kanviz.nn.spec import FunctionSpec
from kanviz.nn.ties import tied_points


class KANLayer(EdgeFunctions):
    """A layer of one-variable functions, usable alone inside any torch network.

    Output j is the sum over inputs i of phi_ij(x_i), with phi(x) = w_b b(x) + sum_m c_m B_m(x)
    (Liu et al., KAN, 2024, eq. 2.10-2.12, with w_s folded into c). ``EdgeFunctions`` tells what it
    holds.

    Parameters
    ----------
    in_features, out_features : int
        Numbers of inputs and outputs, at least 1.
    grid_size, spline_order, basis, base, extrapolation
        The family of functions, see ``FunctionSpec``.
    grid_range : (low, high) or tensor (in_features, 2)
        The base interval of all inputs or of each, in the unit of x.
    init : str
        ``"auto"``, ``"zero"``, ``"identity"`` or ``"linear"``, see ``initial_weight``.
    generator : torch.Generator, optional
        CPU generator of the random numbers; without one a new generator with seed 0 is used.
    dtype, device
        As in torch.

    Raises
    ------
    ValueError
        If a width, a grid or a name is out of its range.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        grid_size: int = 5,
        spline_order: int = 3,
        basis: str = "bspline",
        base: str = "silu",
        extrapolation: str = "linear",
        grid_range: GridRange = (-1.0, 1.0),
        init: str = "auto",
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
    ) -> None:
        check_integer("in_features", in_features, 1)
        check_integer("out_features", out_features, 1)
        spec = FunctionSpec(grid_size, spline_order, basis, base, extrapolation)  # type: ignore[arg-type]
        low, high = bounds(grid_range, in_features)
        knots = extend_knots(uniform_points(low, high, grid_size), spec.padding)
        source = torch.Generator().manual_seed(0) if generator is None else generator
        weight = initial_weight(init, knots, out_features, spec, source)
        like = torch.empty(0, dtype=dtype, device=device)
        super().__init__(knots.to(like), weight.to(like), spec)

    @classmethod
    def from_arrays(
        cls,
        knots: Any,
        coef: Any,
        base_weight: Any = None,
        *,
        base: str = "silu",
        extrapolation: str = "linear",
    ) -> "KANLayer":
        """Return a layer of B-splines that were trained elsewhere.

        On the base interval every edge is the same function, to rounding; beyond it
        ``extrapolation`` says how it goes on, which libraries do differently.

        Parameters
        ----------
        knots : (in_features, G + 2k + 1) or (G + 2k + 1,)
            Extended knots, k beyond each end of the base interval; one row for all inputs or each.
            Where those beyond the ends stand is free, they may be repeated.
        coef : (in_features, out_features, G + k)
            Heights of the control points; float32 or float64, which the layer takes over. The
            spline order k follows from the number of knots.
        base_weight : (in_features, out_features), optional
            Factors of the base function; without them there is none.
        base, extrapolation : str
            See ``FunctionSpec``.

        Raises
        ------
        ValueError, TypeError
            If shapes do not fit together, knots do not increase, or a number is not finite.

        Examples
        --------
        >>> layer = KANLayer.from_arrays(torch.arange(-3.0, 9.0), torch.ones(2, 1, 8))
        >>> layer(torch.tensor([[0.5, 4.5]]))  # splines of equal coefficients are constant
        tensor([[2.0000]], grad_fn=<...>)
        """
        functions = functions_from_arrays(
            knots, coef, base_weight, base=base, extrapolation=extrapolation
        )
        inputs, _, outputs = functions.weight.shape
        layer = cls(inputs, outputs, init="zero", dtype=functions.weight.dtype)
        layer.replace(*functions)
        return layer.to(functions.weight.device)

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Return the layer's outputs for x of shape (..., in_features)."""
        self.check_input(x)
        outputs: Tensor = edge_sum(x, self.knots, self.live_weight(), self.spec)
        if self.symbols is None:
            return outputs
        return outputs.index_add(-1, self.symbols.outputs, self.symbol_outputs(x))

    def features(
        self, x: Float[Tensor, "*batch inputs"], *, derivative: int = 0
    ) -> Float[Tensor, "*batch inputs features"]:
        """Return the features of each input, or their derivatives in x."""
        return features(x, self.knots, self.spec, derivative=derivative)

    def edge_outputs(
        self, x: Float[Tensor, "*batch inputs"], *, derivative: int = 0
    ) -> Float[Tensor, "*batch inputs outputs"]:
        """Return the value (or a derivative) of every edge function, before the sum."""
        self.check_input(x)
        columns = self.features(x, derivative=derivative)
        values = torch.einsum("...if,ifo->...io", columns, self.live_weight())
        if self.symbols is None:
            return values
        place = self.symbols.inputs * self.out_features + self.symbols.outputs
        extra = self.symbol_outputs(x, derivative=derivative)
        return values.flatten(-2).index_add(-1, place, extra).view_as(values)

    def symbol_outputs(
        self, x: Float[Tensor, "*batch inputs"], *, derivative: int = 0
    ) -> Float[Tensor, "*batch symbols"]:
        """Return the value (or a derivative) of every symbolic edge; 0 for a removed one."""
        symbols = self.symbols
        if symbols is None:
            return x[..., :0]
        affine = self.affine
        fixed = self.frozen[symbols.inputs, symbols.outputs].unsqueeze(-1)
        values: Tensor = symbols(
            x, torch.where(fixed, affine.detach(), affine), derivative=derivative
        )
        return values * self.mask[symbols.inputs, symbols.outputs]

    def refine(self, grid_size: int) -> float:
        """Give every edge ``grid_size`` intervals; keep the functions.

        For a B-spline and a multiple of the present grid size this is exact knot insertion, also
        beyond the grid; otherwise the best fit. Returns the largest root-mean-square change of an
        edge on the grid, in the unit of the outputs: 0.0 where it is exact.
        """
        new, change = refined(self._functions(), grid_size)
        self.replace(*new)
        return change

    def update_grid(
        self,
        x: Float[Tensor, "samples inputs"],
        *,
        grid_eps: float = 1.0,
        margin: float = 0.01,
    ) -> float:
        """Move the knots to the data and refit the functions.

        ``grid_eps`` 1 gives uniform knots over the range of x, 0 its quantiles; ``margin`` is the
        part of the range added at each side. Inputs of locked edges get the knots of their joint
        sample. Returns the largest root-mean-square change of an edge on the new grid, in the unit
        of the outputs.
        """
        if not 0 <= grid_eps <= 1:
            raise ValueError(f"grid_eps must be from 0 to 1; got {grid_eps!r}. Choose another.")
        self.check_input(x)
        sample, size = x.detach().double(), self.spec.grid_size
        points = tied_points(sample, self.leaders, size, grid_eps=grid_eps, margin=margin)
        return self.move_knots(points, uniform=grid_eps == 1)

    def move_knots(self, points: Float[Tensor, "inputs points"], *, uniform: bool) -> float:
        """Refit the functions on other grid points (float64), as many; return the change.

        ``uniform`` says that the points of each input are equally spaced.
        """
        new, change = refitted(self._functions(), points, replace(self.spec, uniform=uniform))
        self.replace(*new)
        return change

    def check_input(self, x: Tensor) -> None:
        """Raise unless x is floating point, of the layer's dtype, with in_features columns."""
        check_like(x, self.in_features, self.weight)

    def extra_repr(self) -> str:
        """Say the sizes and the family, as torch prints them."""
        spec = self.spec
        order = f", spline_order={spec.spline_order}" if spec.is_spline else ""
        return (
            f"{self.in_features}, {self.out_features}, grid_size={spec.grid_size}{order}, "
            f"basis={spec.basis!r}, base={spec.base!r}"
        )
