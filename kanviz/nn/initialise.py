"""First weights of a layer, by name, so that nothing needs tuning.

All random numbers come from the given CPU generator in float64, so that a seed means the same
network on every device and dtype.
"""

import math
from typing import Literal, get_args

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.checks import check_choice
from kanviz.nn.features import BASE_FUNCTIONS
from kanviz.nn.regrid import BANDED_FROM, fit_coefficients
from kanviz.nn.spec import FunctionSpec

InitName = Literal["auto", "zero", "identity", "linear"]

OUTPUT_RMS = 0.5
"""Root mean square of a node after ``init="auto"``: half of the (-1, 1) grid of the next layer."""

_SHARES = (0.6, 0.6, 0.4, 0.2)
"""Amplitudes of base function and of half, one and one and a half waves in an ``auto`` edge."""


def initial_weight(
    init: InitName,
    knots: Float[Tensor, "inputs knots"],
    out_features: int,
    spec: FunctionSpec,
    generator: torch.Generator,
) -> Float[Tensor, "inputs features outputs"]:
    """Return the first weight of a layer.

    Parameters
    ----------
    init : str
        ``"auto"``: every edge a smooth random curve (base function and Legendre polynomials up to
        degree 3), scaled by 1 / sqrt(inputs) so that a node of any width has root mean square
        0.5 on inputs that fill the grid, whatever the grid size.
        ``"zero"``: every edge 0. ``"identity"``: output equals input (inputs == outputs).
        ``"linear"``: random straight lines, of unit norm per output.
    knots : (inputs, knots)
        Float64, on the CPU.
    out_features : int
        Number of outputs.
    spec : FunctionSpec
        The family of functions.
    generator : torch.Generator
        The only source of randomness.

    Returns
    -------
    (inputs, n_features, outputs)
        Float64, on the CPU.

    Raises
    ------
    ValueError
        If the name is unknown, or the functions cannot be what the name promises.
    """
    check_choice("init", init, get_args(InitName))
    in_features = knots.shape[0]
    if init == "zero":
        return torch.zeros(in_features, spec.n_features, out_features, dtype=torch.float64)
    if init == "auto":
        return _smooth_random(knots, out_features, spec, generator)
    if init == "identity" and in_features != out_features:
        raise ValueError(
            f"out_features must equal in_features for init='identity'; got {in_features} inputs "
            f"and {out_features} outputs. Use init='linear' to change the width."
        )
    if spec.base != "identity" and spec.is_spline and spec.spline_order == 0:
        raise ValueError(
            f"spline_order must be at least 1 for init={init!r}, because steps make no straight "
            "line; got 0. Raise it or use base='identity'."
        )
    if init == "identity":
        return lines(torch.eye(in_features, dtype=torch.float64), knots, spec)
    slopes = torch.randn(in_features, out_features, generator=generator, dtype=torch.float64)
    return lines(slopes / slopes.norm(dim=0), knots, spec)


def lines(slopes: Tensor, knots: Tensor, spec: FunctionSpec) -> Tensor:
    """Edges slope * x: through the base function where it is the identity, else through splines."""
    weight = torch.zeros(slopes.shape[0], spec.n_features, slopes.shape[1], dtype=torch.float64)
    if spec.base == "identity":
        weight[:, -1] = slopes
        return weight
    x = _points_on_grid(knots, spec)
    line, _ = fit_coefficients(x, x.unsqueeze(-1), knots, spec)
    weight[:, : spec.n_basis] = line * slopes.unsqueeze(1)
    return weight


def _smooth_random(
    knots: Tensor, out_features: int, spec: FunctionSpec, generator: torch.Generator
) -> Tensor:
    x = _points_on_grid(knots, spec)
    if spec.n_basis > BANDED_FROM:  # the same on every grid of equal steps: fit it on one
        x, fitted = x[:, :1], knots[:1]
    else:
        fitted = knots
    low, high = x.amin(0), x.amax(0)
    s = math.pi * (x - low) / (high - low)
    waves = math.sqrt(2.0) * torch.stack([torch.cos(n * s) for n in (1, 2, 3)], dim=-1)
    shares = torch.tensor(_SHARES, dtype=torch.float64)
    if not spec.has_base:
        shares[0] = 0.0
    shares *= OUTPUT_RMS / (shares.norm() * math.sqrt(knots.shape[0]))
    signs = torch.randn(4, knots.shape[0], out_features, generator=generator, dtype=torch.float64)
    amplitudes = signs * shares[:, None, None]
    weight = torch.zeros(knots.shape[0], spec.n_features, out_features, dtype=torch.float64)
    coef, _ = fit_coefficients(x, waves, fitted, spec)
    coef = coef.expand(knots.shape[0], -1, -1)
    weight[:, : spec.n_basis] = torch.einsum("ibd,dio->ibo", coef, amplitudes[1:])
    if spec.has_base:
        rms = BASE_FUNCTIONS[spec.base](_points_on_grid(knots, spec)).square().mean(0).sqrt()
        weight[:, -1] = amplitudes[0] / rms.unsqueeze(-1)
    return weight


def _points_on_grid(knots: Tensor, spec: FunctionSpec) -> Tensor:
    """Return (samples, inputs) equally spaced points over each grid, several per interval."""
    low, high = knots[:, spec.padding], knots[:, spec.padding + spec.grid_size]
    share = torch.linspace(0, 1, 8 * spec.n_basis + 1, dtype=torch.float64)
    return low + share.unsqueeze(-1) * (high - low)
