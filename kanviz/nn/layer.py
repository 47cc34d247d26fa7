"""One KAN layer: a learnable function on every edge, added up at every output."""

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, get_args

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from kanviz.checks import check_holds_numbers, check_integer, short
from kanviz.devices import made_on_default, on_cpu
from kanviz.nn.basis import extend_knots, greville_points, is_uniform, uniform_points
from kanviz.nn.constraints import Constraint, held
from kanviz.nn.features import features
from kanviz.nn.initialise import InitName, initial_weight
from kanviz.nn.kernels import edge_sum
from kanviz.nn.nodes import Nodes
from kanviz.nn.regrid import Functions, functions_from_arrays, grid_points, refined, refitted
from kanviz.nn.spec import BaseName, BasisName, Extrapolation, FunctionSpec
from kanviz.nn.symbols import (
    EdgeFunction,
    SymbolicEdges,
    near_phase,
    with_formula,
    without_formula,
)
from kanviz.nn.ties import (
    common_points,
    group_at,
    groups_of,
    leaders_of,
    shared,
    tied_knots,
    tied_points,
    tied_rows,
    tied_weight,
)
from kanviz.renamed import LAYER, renamed

GridRange = tuple[float, float] | Float[Tensor, "inputs 2"]


@dataclass(frozen=True, eq=False)
class LayerState:
    """Everything that makes a ``KANLayer`` what it is; nothing in it is ever written to.

    Parameters
    ----------
    spec : FunctionSpec
        The family of functions.
    weight : (in_features, n_features, out_features)
        Coefficients of the basis functions and the base function.
    knots : (in_features, knots)
        Extended knots, or the centres of a radial basis.
    mask : (in_features, out_features) bool
        False where an edge is removed.
    frozen : (in_features, out_features) bool
        True where an edge does not learn.
    leaders : (in_features, out_features) int64
        Whose function each edge uses, see ``KANLayer``.
    symbols : SymbolicEdges or None
        The edges that are formulas.
    trains : bool
        ``requires_grad`` of the weight.
    constraints : mapping of (input, output) to Constraint
        The shapes that edges keep.
    products : tuple of int
        Of how many outputs of the edges each product is made, see ``KANLayer``.
    """

    spec: FunctionSpec
    weight: Float[Tensor, "inputs features outputs"]
    knots: Float[Tensor, "inputs knots"]
    mask: Bool[Tensor, "inputs outputs"]
    frozen: Bool[Tensor, "inputs outputs"]
    leaders: Int[Tensor, "inputs outputs"]
    symbols: SymbolicEdges | None
    trains: bool
    constraints: Mapping[tuple[int, int], Constraint] = field(default_factory=dict)
    products: tuple[int, ...] = ()

    @classmethod
    def of(
        cls,
        knots: Float[Tensor, "inputs knots"],
        weight: Float[Tensor, "inputs features outputs"],
        spec: FunctionSpec,
        products: tuple[int, ...] = (),
    ) -> "LayerState":
        """Return the state of a layer whose edges are live splines that learn, each its own."""
        n_in, _, n_out = weight.shape
        everywhere = torch.ones(n_in, n_out, dtype=torch.bool, device=weight.device)
        leaders = leaders_of([], n_in, n_out).to(weight.device)
        return cls(
            spec,
            weight,
            knots,
            everywhere,
            ~everywhere,
            leaders,
            None,
            trains=True,
            products=products,
        )

    @property
    def nodes(self) -> Nodes:
        """The nodes that the layer makes of its sums."""
        return Nodes(self.mask.shape[1] - sum(self.products), self.products)

    @property
    def is_finite(self) -> bool:
        """Whether all numbers are finite, those of removed edges too."""
        for tensor in self.tensors:
            is_told = tensor.is_floating_point() and not tensor.is_meta
            if is_told and not bool(tensor.isfinite().all()):
                return False
        return True

    @property
    def has_grid(self) -> bool:
        """Whether the knots of every input increase, as they must."""
        return self.knots.is_meta or bool((self.knots.diff(dim=-1) > 0).all())

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Weight, knots, mask, frozen, leaders, and those of the symbols if any."""
        own = self.weight, self.knots, self.mask, self.frozen, self.leaders
        if self.symbols is None:
            return own
        return *own, self.symbols.inputs, self.symbols.outputs, self.symbols.affine.detach()


RIDGE = 1e-10
"""Keeps the equations solvable by which a base function goes into a spline."""


class KANLayer(nn.Module):
    """A layer of one-variable functions, usable alone inside any torch network.

    Sum j is that over inputs i of phi_ij(x_i), with phi(x) = w_b b(x) + sum_m c_m B_m(x)
    (Liu et al., KAN, 2024, eq. 2.10-2.12, with w_s folded into c). The sums are the outputs, but
    for those that ``products`` says to multiply first.

    Parameters
    ----------
    in_features, out_features : int
        Numbers of inputs and of sums, at least 1.
    products : sequence of int
        How many factors each product has, at least 2: the last sums in a row, see ``Nodes``. With
        ``out_features=5, products=(2,)`` there are 4 outputs: three sums and the product of the
        other two.
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
    leaders : (in_features, out_features) int64
        Number i * out_features + j of the edge whose function each edge uses: its own, unless it is
        locked to others (``lock``); then the stored function of the first counts.
    symbols : SymbolicEdges or None
        The edges that are formulas; their splines rest meanwhile.
    constraints : dict of (input, output) to Constraint
        The shapes that edges keep, see ``constrain``; a state dict does not hold them.

    Raises
    ------
    ValueError
        If a width, a grid or a name is out of its range.

    Examples
    --------
    >>> layer = KANLayer(3, 2)
    >>> layer(torch.zeros(10, 3)).shape
    torch.Size([10, 2])
    """

    @renamed(LAYER)
    @made_on_default
    def __init__(
        self,
        in_features: int,
        out_features: int,
        *,
        products: Sequence[int] = (),
        grid_size: int = 5,
        spline_order: int = 3,
        basis: BasisName = "bspline",
        base: BaseName = "silu",
        extrapolation: Extrapolation = "linear",
        grid_range: GridRange = (-1.0, 1.0),
        init: InitName = "auto",
        generator: torch.Generator | None = None,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        _state: LayerState | None = None,
    ) -> None:
        check_integer("in_features", in_features, 1)
        check_integer("out_features", out_features, 1)
        state = _state
        if state is None:
            spec = FunctionSpec(grid_size, spline_order, basis, base, extrapolation)
            spec.check_size(in_features, out_features)
            low, high = bounds(grid_range, in_features)
            knots = extend_knots(uniform_points(low, high, grid_size), spec.padding)
            source = torch.Generator().manual_seed(0) if generator is None else generator
            weight = initial_weight(init, knots, out_features, spec, source)
            like = torch.empty(0, dtype=dtype, device=device)
            check_increasing(knots.to(like))
            arities = check_products(products, out_features)
            state = LayerState.of(knots.to(like), weight.to(like), spec, arities)
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.spec, self.nodes = state.spec, state.nodes
        self.weight = nn.Parameter(state.weight, requires_grad=state.trains)
        self.register_buffer("knots", state.knots)
        self.register_buffer("mask", state.mask)
        self.register_buffer("frozen", state.frozen)
        self.register_buffer("leaders", state.leaders)
        self.knots: Tensor
        self.mask: Tensor
        self.frozen: Tensor
        self.leaders: Tensor
        self.symbols = state.symbols
        self.constraints = dict(state.constraints)
        self._note_standing()
        self.register_load_state_dict_post_hook(_after_load)

    @classmethod
    @on_cpu
    def from_state(cls, state: LayerState, device: torch.device | str | None = None) -> "KANLayer":
        """Return a new layer in a state, in its dtype; on torch's default device without another.

        It shares nothing with the state.
        """
        place = torch.empty(0, device=device).device
        inputs, outputs = state.mask.shape
        own = replace(
            state,
            weight=state.weight.to(place, copy=True),
            knots=state.knots.to(place, copy=True),
            mask=state.mask.to(place, copy=True),
            frozen=state.frozen.to(place, copy=True),
            leaders=state.leaders.to(place, copy=True),
            symbols=None if state.symbols is None else copy.deepcopy(state.symbols).to(place),
        )
        return cls(inputs, outputs, _state=own)

    @classmethod
    @on_cpu
    def from_arrays(
        cls,
        knots: Any,
        coef: Any,
        base_weight: Any = None,
        *,
        base: BaseName = "silu",
        extrapolation: Extrapolation = "linear",
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
        return cls(inputs, outputs, _state=LayerState.of(*functions))

    # ---- what it computes

    def _apply(self, fn: Callable[[Tensor], Tensor], *args: Any, **options: Any) -> "KANLayer":
        """Move or cast as any module does, but refuse a dtype that cannot tell the knots apart.

        Raises
        ------
        ValueError
            Then nothing is changed.
        """
        self.check_cast(fn)
        moved: KANLayer = super()._apply(fn, *args, **options)
        return moved

    def check_cast(self, fn: Callable[[Tensor], Tensor]) -> None:
        """Raise a ValueError if knots would fall together where ``fn`` casts to fewer digits."""
        if self.knots.is_meta:
            return
        dtype = fn(self.knots[:0]).dtype  # what only moves, or empties, is none of ours
        if dtype.is_floating_point and torch.finfo(dtype).eps > torch.finfo(self.knots.dtype).eps:
            check_increasing(fn(self.knots))

    def forward(
        self, x: Float[Tensor, "*batch inputs"], *, multiplies: bool = True
    ) -> Float[Tensor, "*batch outputs"]:
        """Return the layer's outputs for x of shape (..., in_features).

        Under ``torch.autocast`` x may be of any floating dtype; the outputs are in the layer's.
        With ``multiplies`` False, see ``sums``.
        """
        if not x.is_meta and torch.is_autocast_enabled(x.device.type):
            return self._in_full_precision(x, multiplies=multiplies)
        self.check_input(x)
        weight: Tensor = self.weight if self._is_plain else self.live_weight()
        sums: Tensor = edge_sum(x, self.knots, weight, self.spec)
        if self.symbols is not None:
            sums = sums.index_add(-1, self.symbols.outputs, self.symbol_outputs(x))
        return self.multiplied(sums) if multiplies and self.nodes.arities else sums

    def sums(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch sums"]:
        """Return what the edges add up to, before any products: the outputs of a layer without."""
        return self.forward(x, multiplies=False)

    def multiplied(self, sums: Float[Tensor, "*batch sums"]) -> Float[Tensor, "*batch outputs"]:
        """Return the layer's outputs for its sums; factors without a live edge are left out."""
        return self.nodes.values(sums, self.live_sums)

    def node_slopes(self, sums: Float[Tensor, "*batch sums"]) -> Float[Tensor, "*batch sums"]:
        """Return the derivative of each sum's output in it."""
        return self.nodes.slopes(sums, self.live_sums)

    def live_sums_of(self, node: int) -> list[int]:
        """Return the sums with a live edge that a node is made of: of a product several."""
        return [j for j in self.nodes.sums_of(node) if bool(self.mask[:, j].any())]

    @property
    def live_sums(self) -> Bool[Tensor, " sums"] | None:
        """Which sums a live edge enters; None where products need not know, for all are."""
        return None if self._all_factors else self.mask.any(0)

    def _in_full_precision(self, x: Tensor, *, multiplies: bool) -> Tensor:
        """Do what torch's own layers do for which half precision is too coarse: cast, and say so.

        The place in an interval of the grid is a difference of near numbers.
        """
        with torch.autocast(x.device.type, enabled=False):
            outputs: Tensor = self.forward(x.to(self.weight.dtype), multiplies=multiplies)
            return outputs

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
        fixed = self.frozen[symbols.inputs, symbols.outputs].unsqueeze(-1) | ~symbols.trains
        values: Tensor = symbols(
            x, torch.where(fixed, affine.detach(), affine), derivative=derivative
        )
        return values * self.mask[symbols.inputs, symbols.outputs]

    def check_input(self, x: Tensor) -> None:
        """Raise unless x is floating point, of the layer's dtype, with in_features columns.

        Raises
        ------
        ValueError, TypeError
            Naming what is there and what to call.
        """
        weight = self.weight
        if x.ndim < 1 or x.shape[-1] != self.in_features:
            raise ValueError(
                f"x must have shape (..., {self.in_features}) because the layer has in_features="
                f"{self.in_features}; got {tuple(x.shape)}. Pass one column per input."
            )
        if x.dtype != weight.dtype:
            raise TypeError(
                f"x must have dtype {weight.dtype} like the layer's weight; got {x.dtype}. "
                f"Call x.to({weight.dtype}) first."
            )
        if x.device != weight.device:
            raise ValueError(
                f"x must be on {weight.device} like the layer's weight; got {x.device}. "
                f"Call x.to({str(weight.device)!r}) first."
            )

    # ---- what stands of each edge

    def live_weight(self) -> Float[Tensor, "inputs features outputs"]:
        """Return the weight with 0 at every edge that is removed or symbolic.

        Frozen edges get no gradient through it. It is the parameter itself where all edges are
        live splines.
        """
        weight: Tensor = self.tied_weight()
        if self._any_frozen:
            weight = torch.where(self.frozen.unsqueeze(1), weight.detach(), weight)
        return weight if self._all_splines else weight * self.spline_mask.unsqueeze(1)

    def tied_weight(self) -> Float[Tensor, "inputs features outputs"]:
        """Return the weight as the edges use it: where some are locked, each has its leader's."""
        return tied_weight(self.weight, self.leaders) if self._any_locked else self.weight

    @property
    def affine(self) -> Float[Tensor, "edges numbers"]:
        """The numbers a, b, c, d of every formula as the edges use them, in the symbols' order.

        Behind them are the free constants of its function, see ``SymbolicEdges``.
        """
        if self.symbols is None:
            return self.weight.new_zeros(0, 4)
        if not self._any_locked:
            return self.symbols.affine
        rows = tied_rows(self.symbols.inputs, self.symbols.outputs, self.leaders)
        return self.symbols.affine[rows]

    @property
    def spline_mask(self) -> Bool[Tensor, "inputs outputs"]:
        """True where the edge is a live spline: neither removed nor symbolic."""
        if self.symbols is None:
            return self.mask
        where = self.symbols.inputs, self.symbols.outputs
        return self.mask.index_put(where, self.mask.new_zeros(()))

    @property
    def locked(self) -> Bool[Tensor, "inputs outputs"]:
        """True where an edge shares its function with others."""
        return shared(self.leaders)

    @property
    def coef(self) -> Float[Tensor, "inputs outputs basis"]:
        """Heights of the control points of every edge; a view of ``weight`` if none is locked."""
        return self.tied_weight()[:, : self.spec.n_basis].mT

    @property
    def base_weight(self) -> Float[Tensor, "inputs outputs"]:
        """Factor of the base function of every edge; zeros where the layer has none."""
        weight = self.tied_weight()
        return weight[:, -1] if self.spec.has_base else torch.zeros_like(weight[:, 0])

    @property
    def grid_points(self) -> Float[Tensor, "inputs points"]:
        """The G + 1 points of each input's base grid, a view of ``knots``."""
        return grid_points(self.knots, self.spec)

    @property
    def control_points(self) -> Float[Tensor, "inputs basis"]:
        """The x position that belongs to each coefficient."""
        if not self.spec.is_spline:
            return self.knots
        return greville_points(self.knots, self.spec.spline_order)

    # ---- what changes it

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

    def set_leaders(self, leaders: Int[Tensor, "inputs outputs"]) -> None:
        """Say which edges share a function; where they do, their inputs' knots must be equal."""
        self.leaders = leaders.to(self.weight.device)
        self._note_standing()

    @on_cpu
    def fix(
        self,
        i: int,
        j: int,
        function: EdgeFunction,
        numbers: Sequence[float],
        quality: float | None = None,
    ) -> None:
        """Make edge (i, j), and those locked with it, the formula c f(a x + b) + d.

        Parameters
        ----------
        i, j : int
            Input and output of the edge.
        function : EdgeFunction
            The function f.
        numbers : sequence of float
            a, b, c, d, then the free constants of the function, in its order.
        quality : float, optional
            R^2 against the spline that it replaces.
        """
        affine = self.weight.detach().new_tensor([near_phase(function, numbers)])
        self.set_symbols(
            with_formula(self.symbols, group_at(self.leaders, i, j), function, affine, quality)
        )

    def unfix(self, i: int, j: int) -> None:
        """Give edge (i, j), and those locked with it, their splines back."""
        self.set_symbols(without_formula(self.symbols, group_at(self.leaders, i, j)))

    @torch.no_grad()
    @on_cpu
    def lock(self, edges: Sequence[tuple[int, int]]) -> float:
        """Let free edges share one function from now on.

        It starts as the mean of their functions, which of all single functions has the least sum of
        squared distances to them. Where the first edge is frozen or a formula, its function is
        taken as it is and all become as it stands. Where the knots of the edges' inputs differ, all
        edges from these inputs move to one grid over the union of their ranges.

        Parameters
        ----------
        edges : sequence of (input, output)
            At least two that are not locked. Any that is a formula comes with the first one a
            formula.

        Returns
        -------
        float
            Largest root-mean-square change of an edge by a move to common knots, in the unit of the
            outputs; 0.0 where the knots were alike.
        """
        leaders = leaders_of([*groups_of(self.leaders), list(edges)], *self.leaders.shape)
        points, change = common_points(self.grid_points, leaders, uniform=self.spec.uniform), 0.0
        if bool((points != self.grid_points).any()):
            change = self.move_knots(points, uniform=self.spec.uniform)
        rows, columns = torch.tensor(sorted(edges), device=self.weight.device).T
        own = self.weight[rows, :, columns].double()
        first, is_frozen = sorted(edges).index(edges[0]), bool(self.frozen[edges[0]])
        symbols = self.symbols
        formula = symbols.row_of(edges[0]) if symbols is not None else None
        takes_first = is_frozen or formula is not None
        self.weight[rows, :, columns] = (own[first] if takes_first else own.mean(0)).to(self.weight)
        frozen = self.frozen.clone()
        frozen[rows, columns] = is_frozen
        self.set_leaders(leaders)
        self.knots = tied_knots(self.knots, leaders)  # beyond equal grids they differ by rounding
        self.set_frozen(frozen)
        if symbols is not None and formula is not None:
            numbers = symbols.affine[formula].tolist()
            self.fix(*edges[0], symbols.functions[formula], numbers, symbols.quality[formula])
        return change

    def unlock(self, edges: Sequence[tuple[int, int]]) -> None:
        """Let locked edges go their own way, each with the function that it shared.

        Those of a group that are not named stay locked, as long as they are two.
        """
        self.settle()
        staying = ([e for e in group if e not in edges] for group in groups_of(self.leaders))
        self.set_leaders(leaders_of([group for group in staying if group], *self.leaders.shape))

    @torch.no_grad()
    def settle(self) -> None:
        """Bring edges back to the shapes that they keep, and locked ones to what they share.

        Locked edges compute the same without: only the numbers at rest may differ, after an
        optimizer that moved the leader's alone.
        """
        for (i, j), constraint in self.constraints.items():
            self._hold(i, j, constraint)
        if self._any_locked:
            self.weight.copy_(self.tied_weight())
            if self.symbols is not None:
                self.symbols.affine.copy_(self.affine)

    @torch.no_grad()
    @on_cpu
    def constrain(self, edges: Sequence[tuple[int, int]], constraint: Constraint | None) -> float:
        """Let edges of this layer keep shapes from now on, whatever is learnt or edited.

        See ``kanviz.nn.constraints`` for how. The base function, which has none of the shapes, goes
        into the spline. An even or odd curve gets a grid that is symmetric about its centre. A
        formula is left as it is: its spline has the shape when it comes back.

        Parameters
        ----------
        edges : sequence of (input, output)
            All that are locked with one of them, or none that is locked.
        constraint : Constraint or None
            None: they are free again.

        Returns
        -------
        float
            Largest root-mean-square change of an edge by a move to a symmetric grid, in the unit of
            the outputs; 0.0 where none was moved.
        """
        for edge in edges:
            self.constraints.pop(edge, None)
        if constraint is None:
            return 0.0
        self.constraints |= dict.fromkeys(edges, constraint)
        change = 0.0
        points = self._mirrored(self.grid_points.double())
        if not torch.allclose(points, self.grid_points.double(), rtol=1e-6, atol=1e-9):
            change = self.move_knots(points, uniform=is_uniform(points))
        if self.spec.has_base:
            self._take_base_in(edges)
        self.settle()
        return change

    def _take_base_in(self, edges: Sequence[tuple[int, int]]) -> None:
        """Write what the base function adds on the grid into the splines of edges."""
        n_basis, grid = self.spec.n_basis, self.grid_points.double()
        share = torch.linspace(0, 1, 8 * n_basis, dtype=torch.float64, device=grid.device)
        places = grid[:, 0] + share.unsqueeze(1) * (grid[:, -1] - grid[:, 0])
        columns = features(places, self.knots.double(), self.spec)
        for i, j in edges:
            if self.weight[i, -1, j] == 0:
                continue
            wanted = columns[:, i] @ self.weight[i, :, j].double()
            design = columns[:, i, :n_basis]
            normal = design.T @ design + RIDGE * torch.eye(n_basis, device=design.device)
            coef = torch.linalg.solve(normal, design.T @ wanted)
            self.weight[i, :n_basis, j] = coef.to(self.weight)
            self.weight[i, -1, j] = 0

    def _hold(self, i: int, j: int, constraint: Constraint) -> None:
        """Bring the coefficients of an edge to what a constraint allows."""
        n_basis = self.spec.n_basis
        coef = self.weight[i, :n_basis, j].double()
        found = held(coef.tolist(), self.control_points[i].double().tolist(), constraint.shapes)
        self.weight[i, :n_basis, j] = coef.new_tensor(found).to(self.weight)
        if self.spec.has_base:
            self.weight[i, -1, j] = 0

    def _mirrored(self, points: Float[Tensor, "inputs points"]) -> Float[Tensor, "inputs points"]:
        """Return grid points that are symmetric for inputs of even and odd edges."""
        found = points.clone()
        for (i, _), constraint in self.constraints.items():
            if constraint.is_mirrored:
                reach = (points[i] - constraint.centre).abs().amax()
                share = torch.linspace(-1, 1, points.shape[1], dtype=points.dtype)
                found[i] = constraint.centre + reach * share.to(points)
        return found

    @on_cpu
    def refine(self, grid_size: int) -> float:
        """Give every edge ``grid_size`` intervals; keep the functions.

        For a B-spline and a multiple of the present grid size this is exact knot insertion, also
        beyond the grid; otherwise the best fit. Returns the largest root-mean-square change of an
        edge on the grid, in the unit of the outputs: 0.0 where it is exact.
        """
        replace(self.spec, grid_size=grid_size).check_size(self.in_features, self.out_features)
        new, change = refined(self._functions(), grid_size)
        self.replace(*new)
        return change

    @on_cpu
    def update_grid(
        self,
        x: Float[Tensor, "samples inputs"],
        *,
        grid_eps: float | None = None,
        margin: float = 0.01,
        digits: torch.dtype | None = None,
    ) -> float:
        """Move the knots to the data and refit the functions.

        ``grid_eps`` 1 gives uniform knots over the range of x, 0 its quantiles, None what each
        input asks for; ``margin`` is the part of the range added at each side, or more where
        ``digits``, by default the dtype of the layer, could not tell the knots apart. Inputs of
        locked edges get the knots of their joint sample. Returns the largest root-mean-square
        change of an edge on the new grid, in the unit of the outputs.
        """
        if grid_eps is not None and not 0 <= grid_eps <= 1:
            raise ValueError(
                f"grid_eps must be from 0 to 1; got {grid_eps!r}. Take 1 for uniform knots, less "
                "to let them follow the data."
            )
        self.check_input(x)
        sample, size = x.detach().double(), self.spec.grid_size
        points = tied_points(
            sample,
            self.leaders,
            size,
            grid_eps=grid_eps,
            margin=margin,
            digits=digits or self.weight.dtype,
        )
        even = grid_eps == 1 or (grid_eps is None and is_uniform(points))
        return self.move_knots(points, uniform=even)

    @on_cpu
    def move_knots(self, points: Float[Tensor, "inputs points"], *, uniform: bool) -> float:
        """Refit the functions on other grid points (float64), as many; return the change.

        ``uniform`` says that the points of each input are equally spaced.
        """
        if any(constraint.is_mirrored for constraint in self.constraints.values()):
            points = self._mirrored(points)
        new, change = refitted(self._functions(), points, replace(self.spec, uniform=uniform))
        self.replace(*new)
        return change

    @on_cpu
    def replace(
        self,
        knots: Float[Tensor, "inputs knots"],
        weight: Float[Tensor, "inputs features outputs"],
        spec: FunctionSpec,
    ) -> None:
        """Take over new functions; dtype, device, mask and requires_grad stay."""
        old = self.weight
        if self._any_locked:  # equal to the last bit, however their rows were rounded
            knots, weight = tied_knots(knots, self.leaders), tied_weight(weight, self.leaders)
        check_increasing(knots.to(old))
        self.knots = knots.to(old)
        self._take_weight(weight, trains=old.requires_grad)
        self.spec = spec
        if self.constraints:  # what was refitted is near the old functions, not of their shape
            self.settle()

    # ---- its state

    def is_sound(self) -> bool:
        """Say whether every number is finite and the knots of every input increase."""
        state = self.state()
        return state.is_finite and state.has_grid

    def state(self) -> LayerState:
        """Return what makes the layer what it is; its tensors are the layer's own, not copies."""
        return LayerState(
            self.spec,
            self.weight.detach(),
            self.knots,
            self.mask,
            self.frozen,
            self.leaders,
            self.symbols,
            trains=self.weight.requires_grad,
            constraints=dict(self.constraints),
            products=self.nodes.arities,
        )

    @torch.no_grad()
    @on_cpu
    def restore(self, state: LayerState) -> None:
        """Come to a state, of other widths perhaps; the present dtype and device stay.

        The weight stays the same ``Parameter``, and so do the numbers of formulas that stay; see
        ``KAN.refresh`` for an optimizer that holds them. Nothing is shared with the state.
        """
        like = self.weight.detach()
        self._take_weight(state.weight, trains=state.trains)
        self.in_features, self.out_features = state.mask.shape
        self.spec, self.nodes = state.spec, state.nodes
        self.knots = state.knots.to(like, copy=True)
        self.mask = state.mask.to(like.device, copy=True)
        self.frozen = state.frozen.to(like.device, copy=True)
        self.leaders = state.leaders.to(like.device, copy=True)
        if self.symbols is None or not self.symbols.take(state.symbols):
            self.symbols = None if state.symbols is None else copy.deepcopy(state.symbols).to(like)
        self.constraints = dict(state.constraints)
        self._note_standing()

    @torch.no_grad()
    def _take_weight(self, weight: Tensor, *, trains: bool) -> None:
        """Put other numbers into the ``Parameter``, which stays the same for whoever holds it."""
        if self.weight.is_inference():  # made in inference mode: it can never be written to
            self.weight = nn.Parameter(weight.to(self.weight, copy=True))
        elif self.weight.shape == weight.shape:
            self.weight.copy_(weight)
        else:
            self.weight.data, self.weight.grad = weight.to(self.weight, copy=True), None
        self.weight.requires_grad_(trains)

    @on_cpu
    def get_extra_state(self) -> Tensor:
        """Return the family of functions for ``state_dict``, as whole numbers: a tensor is safe.

        Grid size and spline order, then which of their names basis, base and extrapolation are,
        then the arities of the products.
        """
        names = [get_args(kind).index(getattr(self.spec, name)) for name, kind in NAMES.items()]
        family = [self.spec.grid_size, self.spec.spline_order, *names]
        return torch.tensor([*family, *self.nodes.arities])

    @on_cpu
    def set_extra_state(self, state: Tensor) -> None:
        """Take over the family of functions of a state dict whose weight and knots fit the layer.

        Raises
        ------
        ValueError
            If the numbers stand for no family.
        """
        spec = _spec_of(state)
        if spec.n_features == self.spec.n_features and spec.padding == self.spec.padding:
            self.spec = replace(spec, uniform=self.spec.uniform)

    def _load_from_state_dict(
        self,
        state_dict: dict[str, Any],
        prefix: str,
        local_metadata: dict[str, Any],
        strict: bool,  # noqa: FBT001 - as torch calls it
        missing_keys: list[str],
        unexpected_keys: list[str],
        error_msgs: list[str],
    ) -> None:
        """Load as any module does, but say in a sentence why a state dict does not fit."""
        key = f"{prefix}_extra_state"
        state_dict.setdefault(key, self.get_extra_state())  # of 0.1: the functions stay as they are
        if sentence := self.misfit(state_dict, prefix):
            error_msgs.append(sentence)
            return
        super()._load_from_state_dict(
            state_dict,
            prefix,
            local_metadata,
            strict,
            missing_keys,
            unexpected_keys,
            error_msgs,
        )

    def misfit(self, state_dict: Mapping[str, Any], prefix: str = "") -> str:
        """Return why a state dict is none of this layer, as a sentence; empty where it fits.

        A state dict holds neither grids of another size nor which formulas there are.

        Parameters
        ----------
        state_dict : mapping of str to Tensor
            Of the layer, or of a module that has it. What it lacks is not looked at.
        prefix : str
            Before the names of the layer's own tensors.
        """
        weight = state_dict.get(f"{prefix}weight")
        if not isinstance(weight, Tensor) or weight.ndim != 3:
            return ""  # of other layers, or as torch says
        who = prefix.removesuffix(".") or "the layer"
        widths, own_widths = weight.shape[::2], (self.in_features, self.mask.shape[1])
        spec, arities = self.spec, self.nodes.arities
        if (key := f"{prefix}_extra_state") in state_dict:
            spec, arities = _spec_of(state_dict[key]), arities_of(state_dict[key])
        theirs = state_dict.get(f"{prefix}symbols.affine")
        mine = None if self.symbols is None else self.symbols.affine
        n_theirs, n_mine = (0 if some is None else len(some) for some in (theirs, mine))
        knots = state_dict.get(f"{prefix}knots", self.knots)
        if arities != self.nodes.arities:
            return (
                f"{who} has products of {list(self.nodes.arities)} factors, the state dict of "
                f"{list(arities)}. Make the model with the same widths."
            )
        if widths != own_widths:
            return (
                f"{who} has {own_widths[0]} inputs and {own_widths[1]} outputs, the state dict "
                f"{widths[0]} and {widths[1]}. Make it with these."
            )
        if n_theirs != n_mine:
            return (
                f"{who} has {n_mine} formulas, the state dict numbers of {n_theirs}, but not which "
                "formulas they are. Use model.save and kanviz.load, which keep them."
            )
        if knots.shape != self.knots.shape or weight.shape[1] != self.spec.n_features:
            asked = ", ".join(f"{name}={getattr(spec, name)!r}" for name in ("grid_size", *FAMILY))
            return (
                f"{who} has knots of shape {tuple(self.knots.shape)} and "
                f"{self.spec.n_features} weights per edge, the state dict {tuple(knots.shape)} and "
                f"{weight.shape[1]}. Make the model with {asked}, or use model.save and "
                "kanviz.load, which keep them."
            )
        return ""

    def extra_repr(self) -> str:
        """Say the sizes and the family, as torch prints them."""
        spec = self.spec
        order = f", spline_order={spec.spline_order}" if spec.is_spline else ""
        products = f", products={self.nodes.arities}" if self.nodes.arities else ""
        return (
            f"{self.in_features}, {self.out_features}{products}, grid_size={spec.grid_size}"
            f"{order}, basis={spec.basis!r}, base={spec.base!r}"
        )

    def _functions(self) -> Functions:
        return Functions(self.knots, self.tied_weight().detach(), self.spec)

    def _note_standing(self) -> None:
        """Remember as plain booleans what would cost a look at the tensors in every forward."""
        known = self.mask.device.type != "meta"
        self._all_splines = not known or bool(self.spline_mask.all())
        self._any_frozen = known and bool(self.frozen.any())
        self._any_locked = known and bool(self.locked.any())
        factors = self.mask.any(0)[self.nodes.alone :]
        self._all_factors = not self.nodes.arities or not known or bool(factors.all())
        self._is_plain = self._all_splines and not self._any_frozen and not self._any_locked


NAMES = {"basis": BasisName, "base": BaseName, "extrapolation": Extrapolation}
"""The fields of a ``FunctionSpec`` that are one of several names."""

FAMILY = ("spline_order", *NAMES)
"""What makes a family of functions, but for the grid size."""


def _spec_of(state: Tensor) -> FunctionSpec:
    """Return the family that ``KANLayer.get_extra_state`` wrote down."""
    numbers = state.tolist() if isinstance(state, Tensor) else []
    try:
        grid_size, order, *rest = (int(number) for number in numbers[: 2 + len(NAMES)])
        names = {
            name: get_args(kind)[number]
            for (name, kind), number in zip(NAMES.items(), rest, strict=True)
        }
        return FunctionSpec(grid_size, order, **names)
    except (ValueError, IndexError):
        raise ValueError(
            f"The functions of a layer must be {2 + len(NAMES)} whole numbers in a state dict, and "
            f"one for each product; got "
            f"{short(numbers)}. Load one that state_dict of a model wrote."
        ) from None


def arities_of(state: Tensor) -> tuple[int, ...]:
    """Return the arities of the products that ``KANLayer.get_extra_state`` wrote down."""
    return tuple(int(number) for number in state.tolist()[2 + len(NAMES) :])


def check_products(products: Sequence[int], out_features: int) -> tuple[int, ...]:
    """Return the arities of products as a tuple, or raise a ValueError."""
    arities = tuple(products)
    for arity in arities:
        check_integer("the number of factors of a product", arity, 2)
    if sum(arities) > out_features:
        raise ValueError(
            f"products of {list(arities)} factors need {sum(arities)} sums; got out_features="
            f"{out_features}. Raise it, or leave a product out."
        )
    return arities


def _after_load(layer: KANLayer, _: object) -> None:
    """Look again at what a loaded state says; a function by name, so that layers pickle."""
    layer._note_standing()
    if not layer.knots.is_meta:
        layer.spec = replace(layer.spec, uniform=is_uniform(layer.grid_points))


def check_increasing(knots: Float[Tensor, "inputs knots"]) -> None:
    """Raise a ValueError where the digits of their dtype do not tell knots apart."""
    if knots.is_meta or bool((knots.diff(dim=-1) > 0).all()):
        return
    i = int((~(knots.diff(dim=-1) > 0)).any(dim=-1).nonzero()[0])
    low, high = float(knots[i, 0]), float(knots[i, -1])
    raise ValueError(
        f"The knots of input {i} must increase, and {knots.dtype} cannot tell {knots.shape[1]} of "
        f"them apart from {low:.9g} to {high:.9g}. Take fewer intervals, dtype=torch.float64, or "
        "data with normalize=True."
    )


def bounds(grid_range: GridRange, in_features: int) -> tuple[Tensor, Tensor]:
    """Return float64 (low, high) per input, checked."""
    if isinstance(grid_range, Tensor):
        check_holds_numbers("grid_range", grid_range)
    pairs = torch.as_tensor(grid_range, dtype=torch.float64, device="cpu")
    if pairs.shape not in ((2,), (in_features, 2)):
        raise ValueError(
            f"grid_range must be (low, high) or a tensor ({in_features}, 2); got shape "
            f"{tuple(pairs.shape)}. Pass one pair, or one per input."
        )
    low, high = pairs.expand(in_features, 2).unbind(-1)
    if not bool(torch.isfinite(pairs).all()) or not bool((low < high).all()):
        raise ValueError(
            f"grid_range must be finite with low < high; got {grid_range}. Pass (low, high)."
        )
    return low, high
