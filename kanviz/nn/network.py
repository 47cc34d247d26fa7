"""Layers in a row."""

import copy
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanviz.checks import check_integer, seeded
from kanviz.devices import made_on_default, on_cpu
from kanviz.nn.initialise import InitName
from kanviz.nn.layer import FAMILY, GridRange, KANLayer, arities_of
from kanviz.nn.nodes import NodeCount, Nodes, count_of, nodes_of
from kanviz.nn.spec import BaseName, BasisName, Extrapolation, FunctionSpec
from kanviz.nn.ties import groups_of


class Network(nn.Module):
    """A Kolmogorov-Arnold network: KAN layers, one after the other.

    Parameters
    ----------
    widths : sequence of int or (sums, products)
        Nodes per layer, inputs first; at least two entries, each of at least 1 node. A hidden
        layer of ``(2, 1)`` has two nodes that are sums and one that is a product of sums.
    product_arity : int
        How many sums a product is made of, at least 2. Where they differ, write them one by one:
        ``(2, (2, 3))`` has a product of two and one of three.
    grid_range : (low, high) or tensor (widths[0], 2)
        Base interval of the inputs; hidden layers start on (-1, 1), where ``init="auto"`` keeps
        their inputs.
    seed : int
        Seed of all random numbers; the global generators are not touched.
    grid_size, spline_order, basis, base, extrapolation, init, dtype, device
        Of every layer, see ``KANLayer``.

    Examples
    --------
    >>> network = Network([2, 5, 1], seed=1)
    >>> network(torch.zeros(10, 2)).shape
    torch.Size([10, 1])
    """

    layers: Sequence[KANLayer]

    @made_on_default
    def __init__(
        self,
        widths: Sequence[NodeCount],
        *,
        product_arity: int = 2,
        grid_size: int = 5,
        spline_order: int = 3,
        basis: BasisName = "bspline",
        base: BaseName = "silu",
        extrapolation: Extrapolation = "linear",
        grid_range: GridRange = (-1.0, 1.0),
        init: InitName = "auto",
        seed: int = 0,
        dtype: torch.dtype | None = None,
        device: torch.device | str | None = None,
        _layers: Sequence[KANLayer] | None = None,
    ) -> None:
        super().__init__()
        nodes = check_shape(widths, product_arity)
        functions: dict[str, Any] = {
            "grid_size": grid_size,
            "spline_order": spline_order,
            "basis": basis,
            "base": base,
            "extrapolation": extrapolation,
            "init": init,
            "dtype": dtype,
            "device": device,
        }
        self.made_with: dict[str, Any] = {"grid_range": grid_range, "seed": seed, **functions}
        if _layers is None:
            spec = FunctionSpec(grid_size, spline_order, basis, base, extrapolation)
            for before, after in pairwise(nodes):
                spec.check_size(len(before), after.n_sums)
            generator = seeded(seed)
            _layers = [
                KANLayer(
                    len(before),
                    after.n_sums,
                    products=after.arities,
                    grid_range=(-1.0, 1.0) if depth else grid_range,
                    generator=generator,
                    **functions,
                )
                for depth, (before, after) in enumerate(pairwise(nodes))
            ]
        self.layers = nn.ModuleList(_layers)  # type: ignore[assignment]  # torch knows no typed lists
        self.register_load_state_dict_post_hook(_after_load)

    @classmethod
    def from_layers(
        cls, layers: Sequence[KANLayer], *, made_with: Mapping[str, Any] | None = None
    ) -> "Network":
        """Return a network of these very layers; ``of`` takes copies.

        Parameters
        ----------
        layers : sequence of KANLayer
            Each with as many inputs as the one before has outputs.
        made_with : mapping, optional
            What a network that these layers come from was made with; without it, what would make
            one of the same family as the first layer.

        Raises
        ------
        ValueError, TypeError
            If there is none, or one does not fit the one before it.
        """
        check_layers(layers)
        first = layers[0]
        widths = (first.in_features, *(count_of(layer.nodes) for layer in layers))
        if made_with is None:
            made_with = _options_of(first)
        return cls(widths, **made_with, _layers=layers)

    @classmethod
    def of(cls, layers: Sequence[KANLayer]) -> "Network":
        """Return a network of copies of layers that were made or trained elsewhere.

        Raises
        ------
        ValueError, TypeError
            If there is none, or one does not fit the one before it.
        """
        check_layers(layers)
        return cls.from_layers([copy.deepcopy(layer) for layer in layers])

    @property
    def widths(self) -> tuple[int, ...]:
        """Nodes per layer, inputs first; products are nodes too."""
        return (self.layers[0].in_features, *(len(layer.nodes) for layer in self.layers))

    @property
    def shape(self) -> tuple[NodeCount, ...]:
        """The widths as the constructor takes them: ``(sums, products)`` where there are both."""
        return (self.layers[0].in_features, *(count_of(layer.nodes) for layer in self.layers))

    @property
    def seed(self) -> int:
        """The seed that the network was made with."""
        return int(self.made_with["seed"])

    def take(self, other: "Network") -> None:
        """Take over the functions of a network of the same widths; dtype and device stay."""
        for mine, theirs in zip(self.layers, other.layers, strict=True):
            mine.restore(replace(theirs.state(), trains=mine.weight.requires_grad))
            mine.settle()

    @on_cpu
    def remade(
        self, seed: int, *, grid_size: int | None = None, grid_range: GridRange | None = None
    ) -> "Network":
        """Return a network made like this one was, with another seed; in its dtype, on its device.

        The edges that are locked together here are so there, and constrained ones keep their shape.
        ``grid_size`` and ``grid_range`` replace those that this network was made with.
        """
        device = self.layers[0].weight.device  # not where it was made, perhaps on meta
        asked = {"seed": seed, "grid_size": grid_size, "grid_range": grid_range, "device": device}
        changes = {name: value for name, value in asked.items() if value is not None}
        made_with: dict[str, Any] = {**self.made_with, **changes}
        network = Network(self.shape, **made_with).to(self.layers[0].weight)
        for mine, theirs in zip(self.layers, network.layers, strict=True):
            for group in groups_of(mine.leaders):
                theirs.lock(group)
            for edge, constraint in mine.constraints.items():
                theirs.constrain([edge], constraint)
        return network

    def is_untouched(self) -> bool:
        """Say whether every number is still as the constructor, or locking after it, made it."""
        if any(layer.spec.grid_size != self.made_with["grid_size"] for layer in self.layers):
            return False
        fresh = self.remade(self.seed).state_dict()
        mine = self.state_dict()
        return mine.keys() == fresh.keys() and all(
            mine[name].shape == value.shape and bool((mine[name] == value).all())
            for name, value in fresh.items()
        )

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *rest: Any, **more: Any
    ) -> None:
        """Load as any module does, if all of it fits."""
        self.check_loads(state_dict, prefix)
        super()._load_from_state_dict(state_dict, prefix, *rest, **more)

    def check_loads(self, state_dict: Mapping[str, Any], prefix: str = "") -> None:
        """Raise a RuntimeError, as torch does, where a state dict is one of another network.

        Before anything is loaded, so that nothing is changed. What it lacks, torch says.

        Parameters
        ----------
        state_dict : mapping of str to Tensor
        prefix : str
            Before the names of this network's tensors.
        """
        theirs = _shape_in(state_dict, f"{prefix}layers.")
        if theirs is not None and theirs != list(self.shape):
            raise RuntimeError(
                f"This model has the widths {list(self.shape)}, the state dict {theirs}. Make the "
                f"model with kv.KAN({theirs}), or use model.save and kanviz.load, which keep them."
            )
        for depth, layer in enumerate(self.layers):
            if sentence := layer.misfit(state_dict, f"{prefix}layers.{depth}."):
                raise RuntimeError(sentence)

    @torch.no_grad()
    def scale_outputs(self, factor: float) -> None:
        """Multiply what the network gives by a factor, in the functions of its last layer."""
        last = self.layers[-1]
        last.weight.mul_(factor)
        if last.symbols is not None:
            last.symbols.affine[:, 2:4].mul_(factor)

    @contextmanager
    def in_unit(self, unit: float) -> Iterator[None]:
        """Let the network's outputs be in ``unit`` inside the block; a power of 2 rounds nothing.

        Solvers work there where y is far from 1, for what is small to them has a size.
        """
        if unit == 1:
            yield
            return
        self.scale_outputs(1 / unit)
        try:
            yield
        finally:
            self.scale_outputs(unit)

    def is_sound(self) -> bool:
        """Say whether every number is finite and the knots of every input increase."""
        return all(layer.is_sound() for layer in self.layers)

    def settle(self) -> None:
        """Write the functions that locked edges share into all of them; see ``KANLayer.settle``."""
        for layer in self.layers:
            layer.settle()

    def _apply(self, fn: Callable[[Tensor], Tensor], *args: Any, **options: Any) -> "Network":
        """Move or cast all layers or, where one of them refuses, none."""
        for layer in self.layers:
            layer.check_cast(fn)
        moved: Network = super()._apply(fn, *args, **options)
        return moved

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Return the outputs for x of shape (..., widths[0])."""
        for layer in self.layers:
            x = layer(x)
        return x

    @torch.no_grad()
    @on_cpu
    def update_grid(
        self,
        x: Float[Tensor, "samples inputs"],
        *,
        grid_eps: float | None = None,
        margin: float = 0.01,
        digits: torch.dtype | None = None,
    ) -> list[float]:
        """Move the knots of every layer to what x makes it see; return each layer's change.

        ``grid_eps`` None lets the inputs choose, see ``adapted_points``, and keeps hidden knots
        equally spaced: what is far out there is the network's own doing, and may move. The knots
        stay apart in ``digits``, by default the dtype of the network.
        """
        errors = []
        for depth, layer in enumerate(self.layers):
            eps = 1.0 if depth and grid_eps is None else grid_eps
            errors.append(layer.update_grid(x, grid_eps=eps, margin=margin, digits=digits))
            x = layer(x)
        return errors

    @on_cpu
    def refine(self, grid_size: int) -> list[float]:
        """Give every layer ``grid_size`` intervals; return each layer's change (0.0 if exact)."""
        return [layer.refine(grid_size) for layer in self.layers]


def _after_load(network: Network, _: object) -> None:
    """Let other starts be of the family that a state dict brought; by name, so that it pickles."""
    spec = network.layers[0].spec
    network.made_with = {**network.made_with, **{name: getattr(spec, name) for name in FAMILY}}


def _shape_in(state_dict: Mapping[str, Any], prefix: str) -> list[NodeCount] | None:
    """Return the widths of the network that a state dict is of; None for a part of one."""
    names = [name.removeprefix(prefix) for name in state_dict if name.startswith(prefix)]
    layers = {name.partition(".")[0] for name in names}
    found: list[NodeCount] = []
    for depth in range(len(layers)):
        weight = state_dict.get(f"{prefix}{depth}.weight")
        if not isinstance(weight, Tensor) or weight.ndim != 3:
            return None
        sums = weight.shape[2]
        state = state_dict.get(f"{prefix}{depth}._extra_state")
        arities = () if state is None else arities_of(state)
        found = found or [weight.shape[0]]
        found.append(count_of(Nodes(sums - sum(arities), arities)))
    return found or None


def _options_of(layer: KANLayer) -> dict[str, Any]:
    """Return what makes a network whose layers are like this one."""
    spec, points = layer.spec, layer.grid_points.detach()
    ends = torch.stack([points[:, 0], points[:, -1]], dim=1)
    return {
        "grid_range": (-1.0, 1.0) if ends.is_meta else ends.double().cpu(),
        "grid_size": spec.grid_size,
        "spline_order": spec.spline_order,
        "basis": spec.basis,
        "base": spec.base,
        "extrapolation": spec.extrapolation,
        "dtype": layer.weight.dtype,
        "device": layer.weight.device,
    }


def check_widths(widths: Sequence[int]) -> tuple[int, ...]:
    """Return ``widths`` as a tuple, or raise a ValueError that says what is wrong."""
    found = tuple(widths) if not isinstance(widths, str | int) else ()
    whole = all(isinstance(n, int) and not isinstance(n, bool) and n >= 1 for n in found)
    if len(found) < 2 or not whole:
        raise ValueError(
            f"widths must be at least two integers of at least 1; got {widths!r}. "
            "Pass for example [2, 5, 1]."
        )
    return found


def check_shape(widths: Any, product_arity: int = 2) -> tuple[Nodes, ...]:
    """Return the nodes of every layer, inputs first, or raise a ValueError."""
    entries = tuple(widths) if isinstance(widths, Iterable) and not isinstance(widths, str) else ()
    if not any(isinstance(entry, tuple | list) for entry in entries):
        return tuple(map(Nodes, check_widths(widths)))
    check_integer("product_arity", product_arity, 2)
    if not all(_is_count(entry) for entry in entries) or len(entries) < 2:
        raise ValueError(
            "widths must be at least two entries, each a number of nodes of at least 1 or a pair "
            f"(sums, products); got {widths!r}. Pass for example [3, (2, 1), 1]."
        )
    nodes = tuple(nodes_of(entry, product_arity) for entry in entries)
    if nodes[0].arities or nodes[-1].arities:
        place, word = (0, "inputs") if nodes[0].arities else (-1, "outputs")
        raise ValueError(
            f"Products stand in hidden layers; got {entries[place]!r} for the {word}. Pass "
            f"{len(nodes[place])} there, and the products in a hidden layer."
        )
    return nodes


def _is_count(entry: Any) -> bool:
    """Say whether something is a number of nodes, or sums and products."""
    if isinstance(entry, int):
        return _is_whole(entry, 1)
    if not isinstance(entry, tuple | list) or len(entry) != 2 or not _is_whole(entry[0], 0):
        return False
    alone, products = entry
    if isinstance(products, tuple | list):
        return all(_is_whole(arity, 2) for arity in products) and alone + len(products) >= 1
    return _is_whole(products, 0) and alone + products >= 1


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= least


def check_layers(layers: Sequence[KANLayer]) -> None:
    """Raise unless there are layers, each with as many inputs as the one before has outputs."""
    if not layers or not all(isinstance(layer, KANLayer) for layer in layers):
        kinds = ", ".join(type(layer).__name__ for layer in layers) or "none"
        raise TypeError(f"layers must be KANLayers, at least one; got {kinds}. Pass them in order.")
    for number, (first, second) in enumerate(pairwise(layers)):
        if len(first.nodes) != second.in_features:
            raise ValueError(
                f"layers[{number + 1}] must have {len(first.nodes)} inputs, as many as the layer "
                f"before has outputs; got {second.in_features}. Pass them in order."
            )
        if (first.weight.dtype, first.weight.device) != (second.weight.dtype, second.weight.device):
            raise ValueError(
                f"layers[{number + 1}] must have dtype and device of the layer before, "
                f"{first.weight.dtype} on {first.weight.device}; got {second.weight.dtype} on "
                f"{second.weight.device}. Call .to(...) on it."
            )
