"""A network at one moment, as a record: what undo goes back to and what a file holds."""

import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from kanviz.nn.layer import KANLayer, LayerState
from kanviz.nn.network import Network
from kanviz.nn.nodes import NodeCount, count_of
from kanviz.nn.symbols import SymbolicEdges


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
        return (self.layers[0].mask.shape[0], *(len(layer.nodes) for layer in self.layers))

    @property
    def shape(self) -> tuple[NodeCount, ...]:
        """The widths as a network takes them, products told."""
        return (self.layers[0].mask.shape[0], *(count_of(layer.nodes) for layer in self.layers))

    def tensors(self) -> Iterator[Tensor]:
        """Yield every tensor of the state."""
        for layer in self.layers:
            yield from layer.tensors

    def is_of(self, network: Network) -> bool:
        """Return whether the network is in this state, to the last bit of its dtype."""
        return all(map(_is_of_layer, self.layers, network.layers))

    def restore(self, network: Network) -> None:
        """Bring a network of as many layers back to this state; widths may differ.

        The values are cast to the network's present dtype and device. Each weight stays the same
        ``Parameter``, so that an optimizer which holds it goes on working; ``KAN.refresh`` is for
        where shapes change.
        """
        for layer, state in zip(network.layers, self.layers, strict=True):
            layer.restore(state)

    def build(self, device: torch.device | str | None = None) -> Network:
        """Return a new network in this state, in the dtype of the state.

        Parameters
        ----------
        device
            Where to put it; without one, torch's default.
        """
        layers = [KANLayer.from_state(state, device) for state in self.layers]
        return Network.from_layers(layers, made_with=self.made_with)

    def __deepcopy__(self, memo: dict[int, object]) -> "NetworkState":
        """Return the very state: nothing ever writes to it."""
        return self


def _capture_layer(layer: KANLayer, old: LayerState | None) -> LayerState:
    """Return a state that shares nothing with the layer, and what is equal with the old state."""
    now = layer.state()
    symbols = now.symbols
    if old is not None and _same_symbols(old.symbols, symbols):
        symbols = old.symbols
    else:
        symbols = copy.deepcopy(symbols)
    return replace(
        now,
        weight=_copy_unless_same(now.weight, None if old is None else old.weight),
        knots=_copy_unless_same(now.knots, None if old is None else old.knots),
        mask=_copy_unless_same(now.mask, None if old is None else old.mask),
        frozen=_copy_unless_same(now.frozen, None if old is None else old.frozen),
        leaders=_copy_unless_same(now.leaders, None if old is None else old.leaders),
        symbols=symbols,
    )


def _is_of_layer(state: LayerState, layer: KANLayer) -> bool:
    now = layer.state()
    return (
        (state.spec, state.trains, state.products) == (now.spec, now.trains, now.products)
        and state.constraints == now.constraints
        and len(state.tensors) == len(now.tensors)
        and all(map(_same_bits, state.tensors, now.tensors))
        and _same_symbols(state.symbols, now.symbols)
    )


def _same_symbols(old: SymbolicEdges | None, now: SymbolicEdges | None) -> bool:
    if old is None or now is None:
        return old is now
    return (
        old.functions == now.functions
        and old.affine.requires_grad == now.affine.requires_grad
        and all(map(_same_bits, _tensors_of(old), _tensors_of(now)))
    )


def _tensors_of(symbols: SymbolicEdges) -> tuple[Tensor, ...]:
    return symbols.inputs, symbols.outputs, symbols.affine.detach()


def _copy_unless_same(now: Tensor, old: Tensor | None) -> Tensor:
    is_alike = old is not None and (old.dtype, old.device) == (now.dtype, now.device)
    if old is not None and is_alike and _same_bits(old, now):
        return old
    return now.clone(memory_format=torch.contiguous_format)


def _same_bits(old: Tensor, now: Tensor) -> bool:
    """Return whether ``old``, cast as ``now``, has its shape and bits; 0.0 and -0.0 differ."""
    if old.shape != now.shape or now.is_meta or old.is_meta:
        return old.shape == now.shape and (now.is_meta or not old.is_meta)
    old, now = old.to(now).contiguous(), now.contiguous()
    bits = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[now.element_size()]
    return torch.equal(old.view(bits), now.view(bits))
