"""Layers in a row."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kanviz.nn.layer import GridRange, KANLayer


class Network(nn.Module):
    """A Kolmogorov-Arnold network: KAN layers, one after the other.

    Parameters
    ----------
    widths : sequence of int
        Nodes per layer, inputs first; at least two numbers, each at least 1.
    grid_range : (low, high) or tensor (widths[0], 2)
        Base interval of the inputs; hidden layers start on (-1, 1), where ``init="auto"`` keeps
        their inputs.
    seed : int
        Seed of all random numbers; the global generators are not touched.
    **functions
        ``grid_size``, ``spline_order``, ``basis``, ``base``, ``extrapolation``, ``init``,
        ``dtype`` and ``device`` of every layer, see ``KANLayer``.
    """

    def __init__(
        self,
        widths: Sequence[int],
        *,
        grid_range: GridRange = (-1.0, 1.0),
        seed: int = 0,
        **functions: object,
    ) -> None:
        super().__init__()
        widths = check_widths(widths)
        generator = torch.Generator().manual_seed(seed)
        self.layers = nn.ModuleList(
            KANLayer(
                n_in,
                n_out,
                grid_range=(-1.0, 1.0) if depth else grid_range,
                generator=generator,
                **functions,  # type: ignore[arg-type]
            )
            for depth, (n_in, n_out) in enumerate(zip(widths, widths[1:], strict=False))
        )

    @property
    def widths(self) -> tuple[int, ...]:
        """Nodes per layer, inputs first."""
        return (self.layers[0].in_features, *(layer.out_features for layer in self.layers))

    def forward(self, x: Float[Tensor, "*batch inputs"]) -> Float[Tensor, "*batch outputs"]:
        """Return the outputs for x of shape (..., widths[0])."""
        for layer in self.layers:
            x = layer(x)
        return x

    @torch.no_grad()
    def update_grid(
        self, x: Float[Tensor, "samples inputs"], *, grid_eps: float = 1.0, margin: float = 0.01
    ) -> list[float]:
        """Move the knots of every layer to what x makes it see; return each layer's change."""
        errors = []
        for layer in self.layers:
            errors.append(layer.update_grid(x, grid_eps=grid_eps, margin=margin))
            x = layer(x)
        return errors

    def refine(self, grid_size: int) -> list[float]:
        """Give every layer ``grid_size`` intervals; return each layer's change (0.0 if exact)."""
        return [layer.refine(grid_size) for layer in self.layers]


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
