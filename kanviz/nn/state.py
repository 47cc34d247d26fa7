"""A network at one moment, as a record: what undo goes back to and what a file holds."""

import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.spec import FunctionSpec
from kanviz.nn.symbols import SymbolicEdges


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
        Whose function each edge uses, see ``EdgeFunctions``.
    symbols : SymbolicEdges or None
        The edges that are formulas.
    trains : bool
        ``requires_grad`` of the weight.
    """

    spec: FunctionSpec
    weight: Float[Tensor, "inputs features outputs"]
    knots: Float[Tensor, "inputs knots"]
    mask: Bool[Tensor, "inputs outputs"]
    frozen: Bool[Tensor, "inputs outputs"]
    leaders: Int[Tensor, "inputs outputs"]
    symbols: SymbolicEdges | None
    trains: bool

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Weight, knots, mask, frozen, leaders, and those of the symbols if any."""
        own = self.weight, self.knots, self.mask, self.frozen, self.leaders
        return own if self.symbols is None else (*own, *_tensors_of_symbols(self.symbols))


@dataclass(frozen=True, eq=False)
class NetworkState:
    """Everything that makes a ``Network`` what it is, apart from it.

    Gradients are not part of it, and neither are dtype and device: a state that is restored takes
    those that the network has by then, as with ``load_state_dict``.

    Parameters
    ----------
    layers : tuple of LayerState
        One per layer, inputs first.
    made_with : mapping
        What the network was made with, from which a fit makes other starts; see ``Network``.
    """

    layers: tuple[LayerState, ...]
    made_with: Mapping[str, Any]

    @classmethod
    def capture(
        cls,
        network: Network,
        *,
        like: "NetworkState | None" = None,
        changed: Collection[int] | None = None,
    ) -> "NetworkState":
        """Return the state of a network; tensors that equal those of ``like`` are shared with it.

        Parameters
        ----------
        network : Network
            Is only read.
        like : NetworkState, optional
            An earlier state of a network of as many layers, usually the last one.
        changed : collection of int, optional
            The layers that may differ from ``like``; the others are not looked at.
        """
        layers = []
        for depth, layer in enumerate(network.layers):
            old = None if like is None else like.layers[depth]
            if old is None or changed is None or depth in changed:
                old = _capture_layer(layer, old)
            layers.append(old)
        return cls(tuple(layers), network.made_with)

    @property
    def widths(self) -> tuple[int, ...]:
        """Nodes per layer, inputs first."""
        return (self.layers[0].mask.shape[0], *(layer.mask.shape[1] for layer in self.layers))

    def tensors(self) -> Iterator[Tensor]:
        """Yield every tensor of the state."""
        for layer in self.layers:
            yield from layer.tensors

    def is_of(self, network: Network) -> bool:
        """Return whether the network is in this state, to the last bit of its dtype."""
        return all(map(_is_of_layer, self.layers, network.layers))

    def restore(self, network: Network) -> None:
        """Bring a network of as many layers back to this state; widths may differ.

        The values are cast to the network's present dtype and device. A weight that keeps its shape
        stays the same ``Parameter``, so that an optimizer which holds it goes on working.
        """
        for layer, state in zip(network.layers, self.layers, strict=True):
            _restore_layer(layer, state)

    def build(self, device: torch.device | str | None = None) -> Network:
        """Return a new network in this state, in the dtype of the state.

        Parameters
        ----------
        device
            Where to put it; without one, torch's default.
        """
        dtype = self.layers[0].weight.dtype
        network = Network(
            self.widths, grid_size=1, spline_order=0, init="zero", dtype=dtype, device=device
        )
        self.restore(network)
        network.made_with = dict(self.made_with)
        return network

    def __deepcopy__(self, memo: dict[int, object]) -> "NetworkState":
        """Return the very state: nothing ever writes to it."""
        return self


def _capture_layer(layer: KANLayer, old: LayerState | None) -> LayerState:
    now = _tensors_of_layer(layer)
    kept = old.tensors[: len(now)] if old is not None else (None,) * len(now)
    symbols = layer.symbols
    if old is not None and _same_symbols(old.symbols, symbols):
        symbols = old.symbols
    else:
        symbols = copy.deepcopy(symbols)
    weight, knots, mask, frozen, leaders = map(_copy_unless_same, now, kept)
    trains = layer.weight.requires_grad
    return LayerState(layer.spec, weight, knots, mask, frozen, leaders, symbols, trains)


def _is_of_layer(state: LayerState, layer: KANLayer) -> bool:
    return (
        state.spec == layer.spec
        and state.trains == layer.weight.requires_grad
        and all(map(_same_bits, state.tensors, _tensors_of_layer(layer)))
        and _same_symbols(state.symbols, layer.symbols)
    )


def _restore_layer(layer: KANLayer, state: LayerState) -> None:
    like = layer.weight.detach()
    if like.shape == state.weight.shape:
        like.copy_(state.weight)
        layer.weight.requires_grad_(state.trains)
    else:
        layer.weight = nn.Parameter(state.weight.to(like, copy=True), requires_grad=state.trains)
    layer.knots = state.knots.to(like, copy=True)
    layer.in_features, layer.out_features = state.mask.shape
    layer.spec = state.spec
    layer.set_symbols(None)  # until the masks have the size that fits them
    layer.mask = state.mask.to(like.device, copy=True)
    layer.leaders = state.leaders.to(like.device, copy=True)
    layer.set_frozen(state.frozen.clone())
    layer.set_symbols(copy.deepcopy(state.symbols))


def _tensors_of_layer(layer: KANLayer) -> tuple[Tensor, ...]:
    """Return what of a layer's own tensors makes its state, in the order of ``LayerState``."""
    return layer.weight.detach(), layer.knots, layer.mask, layer.frozen, layer.leaders


def _tensors_of_symbols(symbols: SymbolicEdges) -> tuple[Tensor, Tensor, Tensor]:
    return symbols.inputs, symbols.outputs, symbols.affine.detach()


def _same_symbols(old: SymbolicEdges | None, now: SymbolicEdges | None) -> bool:
    if old is None or now is None:
        return old is now
    return (
        old.functions == now.functions
        and old.affine.requires_grad == now.affine.requires_grad
        and all(map(_same_bits, _tensors_of_symbols(old), _tensors_of_symbols(now)))
    )


def _copy_unless_same(now: Tensor, old: Tensor | None) -> Tensor:
    is_alike = old is not None and (old.dtype, old.device) == (now.dtype, now.device)
    if old is not None and is_alike and _same_bits(old, now):
        return old
    return now.clone(memory_format=torch.contiguous_format)


def _same_bits(old: Tensor, now: Tensor) -> bool:
    """Return whether ``old``, cast as ``now``, has its shape and bits; 0.0 and -0.0 differ."""
    if old.shape != now.shape or now.is_meta:
        return old.shape == now.shape
    old, now = old.to(now).contiguous(), now.contiguous()
    bits = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[now.element_size()]
    return torch.equal(old.view(bits), now.view(bits))
