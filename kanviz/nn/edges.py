"""The functions on a layer's edges, and what stands of each: removed, frozen, locked, a formula."""

from dataclasses import replace

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from kanviz.nn.basis import greville_points, is_uniform
from kanviz.nn.regrid import Functions, grid_points
from kanviz.nn.spec import FunctionSpec
from kanviz.nn.symbols import SymbolicEdges
from kanviz.nn.ties import leaders_of, shared, tied_knots, tied_rows, tied_weight


class EdgeFunctions(nn.Module):
    """A table of functions of one variable, one from each input to each output.

    Parameters
    ----------
    knots : (in_features, knots)
        Extended knots or centres.
    weight : (in_features, n_features, out_features)
        Coefficients.
    spec : FunctionSpec
        The family of functions.

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
        locked to others (``kanviz.nn.locks``); then the stored function of the first counts.
    symbols : SymbolicEdges or None
        The edges that are formulas; their splines rest meanwhile.
    """

    def __init__(
        self,
        knots: Float[Tensor, "inputs knots"],
        weight: Float[Tensor, "inputs features outputs"],
        spec: FunctionSpec,
    ) -> None:
        super().__init__()
        self.in_features, _, self.out_features = weight.shape
        self.spec = spec
        self.weight = nn.Parameter(weight)
        self.register_buffer("knots", knots)
        shape = self.in_features, self.out_features
        everywhere = torch.ones(shape, dtype=torch.bool, device=weight.device)
        self.register_buffer("mask", everywhere)
        self.register_buffer("frozen", ~everywhere)
        self.register_buffer("leaders", leaders_of([], *shape).to(weight.device))
        self.knots: Tensor
        self.mask: Tensor
        self.frozen: Tensor
        self.leaders: Tensor
        self.symbols: SymbolicEdges | None = None
        self._note_standing()
        self.register_load_state_dict_post_hook(_after_load)

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
    def affine(self) -> Float[Tensor, "edges 4"]:
        """The numbers a, b, c, d of every formula as the edges use them, in the symbols' order."""
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

    @torch.no_grad()
    def settle(self) -> None:
        """Write the function that locked edges share into the weight of each of them.

        They compute the same without: only the numbers at rest may differ, after an optimizer that
        moved the leader's alone.
        """
        if self._any_locked:
            self.weight.copy_(self.tied_weight())
            if self.symbols is not None:
                self.symbols.affine.copy_(self.affine)

    def _note_standing(self) -> None:
        """Remember as plain booleans what would cost a look at the tensors in every forward."""
        known = self.mask.device.type != "meta"
        self._all_splines = not known or bool(self.spline_mask.all())
        self._any_frozen = known and bool(self.frozen.any())
        self._any_locked = known and bool(self.locked.any())

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

    def _functions(self) -> Functions:
        return Functions(self.knots, self.tied_weight().detach(), self.spec)

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
        self.knots = knots.to(old)
        self.weight = nn.Parameter(weight.to(old), requires_grad=old.requires_grad)
        self.spec = spec


def _after_load(layer: EdgeFunctions, _: object) -> None:
    """Look again at what a loaded state says; a function by name, so that layers pickle."""
    layer._note_standing()
    if not layer.knots.is_meta:
        layer.spec = replace(layer.spec, uniform=is_uniform(layer.grid_points))
