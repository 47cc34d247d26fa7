"""One KAN layer: a learnable function on every edge, added up at every output."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from kanviz.checks import check_integer
from kanviz.nn.features import evaluate, features
from kanviz.nn.initialise import initial_weight
from kanviz.nn.inputs import GridRange, bounds, check_like
from kanviz.nn.knots import (
    adapted_points,
    extend_knots,
    greville_points,
    insertion_matrix,
    is_uniform,
    subdivide,
    uniform_points,
)
from kanviz.nn.least_squares import fit_coefficients
from kanviz.nn.spec import FunctionSpec
from kanviz.nn.symbols import SymbolicEdges


class KANLayer(nn.Module):
    """A layer of one-variable functions, usable alone inside any torch network.

    Output j is the sum over inputs i of phi_ij(x_i), with phi(x) = w_b b(x) + sum_m c_m B_m(x)
    (Liu et al., KAN, 2024, eq. 2.10-2.12, with w_s folded into c).

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

    Attributes
    ----------
    weight : (in_features, n_features, out_features)
        Coefficients of the basis functions and, last, of the base function.
    knots : (in_features, G + 2k + 1)
        Extended knots; for a radial basis its (in_features, G + 5) centres.
    mask : (in_features, out_features) bool
        False where an edge is removed: it adds 0 and gets no gradient, its weight stays.
    frozen : (in_features, out_features) bool
        True where an edge does not learn.
    symbols : SymbolicEdges or None
        The edges that are formulas; their splines rest meanwhile.

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
        super().__init__()
        check_integer("in_features", in_features, 1)
        check_integer("out_features", out_features, 1)
        self.in_features, self.out_features = in_features, out_features
        self.spec = FunctionSpec(grid_size, spline_order, basis, base, extrapolation)  # type: ignore[arg-type]
        low, high = bounds(grid_range, in_features)
        knots = extend_knots(uniform_points(low, high, grid_size), self.spec.padding)
        source = torch.Generator().manual_seed(0) if generator is None else generator
        weight = initial_weight(init, knots, out_features, self.spec, source)
        like = torch.empty(0, dtype=dtype, device=device)
        self.weight = nn.Parameter(weight.to(like))
        self.register_buffer("knots", knots.to(like))
        everywhere = torch.ones(in_features, out_features, dtype=torch.bool, device=like.device)
        self.register_buffer("mask", everywhere)
        self.register_buffer("frozen", ~everywhere)
        self.knots: Tensor
        self.mask: Tensor
        self.frozen: Tensor
        self.symbols: SymbolicEdges | None = None
        self._note_standing()
        self.register_load_state_dict_post_hook(_after_load)

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Return the layer's outputs for x of shape (..., in_features)."""
        self.check_input(x)
        outputs: Tensor = evaluate(x, self.knots, self.live_weight(), self.spec)
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
        affine = symbols.affine
        fixed = self.frozen[symbols.inputs, symbols.outputs].unsqueeze(-1)
        values: Tensor = symbols(
            x, torch.where(fixed, affine.detach(), affine), derivative=derivative
        )
        return values * self.mask[symbols.inputs, symbols.outputs]

    def live_weight(self) -> Float[Tensor, "inputs features outputs"]:
        """Return the weight with 0 at every edge that is removed or symbolic.

        Frozen edges get no gradient through it. It is the parameter itself where all edges are
        live splines.
        """
        weight: Tensor = self.weight
        if self._any_frozen:
            weight = torch.where(self.frozen.unsqueeze(1), weight.detach(), weight)
        return weight if self._all_splines else weight * self.spline_mask.unsqueeze(1)

    @property
    def spline_mask(self) -> Bool[Tensor, "inputs outputs"]:
        """True where the edge is a live spline: neither removed nor symbolic."""
        if self.symbols is None:
            return self.mask
        where = self.symbols.inputs, self.symbols.outputs
        return self.mask.index_put(where, self.mask.new_zeros(()))

    def set_mask(self, mask: Bool[Tensor, "inputs outputs"]) -> None:
        """Say which edges are live; the functions of the others are kept but not used."""
        self.mask = mask.to(self.weight.device)
        self._note_standing()

    def set_frozen(self, frozen: Bool[Tensor, "inputs outputs"]) -> None:
        """Say which edges do not learn."""
        self.frozen = frozen.to(self.weight.device)
        self._note_standing()

    def set_symbols(self, symbols: SymbolicEdges | None) -> None:
        """Say which edges are formulas; their splines are kept but not used."""
        self.symbols = None if symbols is None else symbols.to(self.weight)
        self._note_standing()

    def _note_standing(self) -> None:
        """Remember as plain booleans what would cost a look at the tensors in every forward."""
        known = self.mask.device.type != "meta"
        self._all_splines = not known or bool(self.spline_mask.all())
        self._any_frozen = known and bool(self.frozen.any())

    @property
    def coef(self) -> Float[Tensor, "inputs outputs basis"]:
        """Heights of the control points of every edge; a view of ``weight``."""
        return self.weight[:, : self.spec.n_basis].mT

    @property
    def base_weight(self) -> Float[Tensor, "inputs outputs"]:
        """Factor of the base function of every edge; zeros where the layer has none."""
        return self.weight[:, -1] if self.spec.has_base else torch.zeros_like(self.weight[:, 0])

    @property
    def grid_points(self) -> Float[Tensor, "inputs points"]:
        """The G + 1 points of each input's base grid, a view of ``knots``."""
        return self.knots[:, self.spec.padding : self.spec.padding + self.spec.grid_size + 1]

    @property
    def control_points(self) -> Float[Tensor, "inputs basis"]:
        """The x position that belongs to each coefficient."""
        if not self.spec.is_spline:
            return self.knots
        return greville_points(self.knots, self.spec.spline_order)

    def refine(self, grid_size: int) -> float:
        """Give every edge ``grid_size`` intervals; keep the functions.

        For a B-spline and a multiple of the present grid size this is exact knot insertion, also
        beyond the grid; otherwise the best fit. Returns the largest root-mean-square change of an
        edge on the grid, in the unit of the outputs: 0.0 where it is exact.
        """
        spec = replace(self.spec, grid_size=grid_size)
        points = subdivide(self.grid_points.double(), grid_size)
        if not spec.is_spline or grid_size % self.spec.grid_size:
            return self._refit(points, spec)
        new = extend_knots(points, spec.spline_order)
        matrix = insertion_matrix(self.knots.double(), new, spec.spline_order)
        n_basis = self.spec.n_basis
        coef = matrix @ self.weight[:, :n_basis].detach().double()
        self.replace(new, torch.cat([coef, self.weight[:, n_basis:].detach()], dim=1), spec)
        return 0.0

    def update_grid(
        self,
        x: Float[Tensor, "samples inputs"],
        *,
        grid_eps: float = 1.0,
        margin: float = 0.01,
    ) -> float:
        """Move the knots to the data and refit the functions.

        ``grid_eps`` 1 gives uniform knots over the range of x, 0 its quantiles; ``margin`` is the
        part of the range added at each side. Returns the largest root-mean-square change of an
        edge on the new grid and the data, in the unit of the outputs.
        """
        if not 0 <= grid_eps <= 1:
            raise ValueError(f"grid_eps must be from 0 to 1; got {grid_eps!r}. Choose another.")
        self.check_input(x)
        points = adapted_points(
            x.detach().double(), self.spec.grid_size, grid_eps=grid_eps, margin=margin
        )
        return self._refit(points, replace(self.spec, uniform=grid_eps == 1))

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

    @torch.no_grad()
    def _refit(self, points: Tensor, spec: FunctionSpec) -> float:
        """Fit the functions on new grid points (float64) and return the largest change."""
        knots = extend_knots(points, spec.padding)
        share = torch.linspace(0, 1, 8 * max(spec.n_basis, self.spec.n_basis) + 1)
        x = torch.lerp(points[:, :1], points[:, -1:], share.to(points)).T
        n_basis = self.spec.n_basis
        old = features(x, self.knots.double(), self.spec)[..., :n_basis]
        curves = torch.einsum("sif,ifo->sio", old, self.weight[:, :n_basis].double())
        coef, error = fit_coefficients(x, curves, knots, spec)
        self.replace(knots, torch.cat([coef, self.weight[:, n_basis:]], dim=1), spec)
        return float(error.max())

    def replace(
        self,
        knots: Float[Tensor, "inputs knots"],
        weight: Float[Tensor, "inputs features outputs"],
        spec: FunctionSpec,
    ) -> None:
        """Take over new functions; dtype, device, mask and requires_grad stay."""
        old = self.weight
        self.knots = knots.to(old)
        self.weight = nn.Parameter(weight.to(old), requires_grad=old.requires_grad)
        self.spec = spec


def _after_load(layer: KANLayer, _: object) -> None:
    """Look again at what a loaded state says; a function by name, so that layers pickle."""
    layer._note_standing()
    if not layer.knots.is_meta:
        layer.spec = replace(layer.spec, uniform=is_uniform(layer.grid_points))
