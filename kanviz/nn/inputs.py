"""What may come into a layer: the checks of x, and of the range that its grid covers."""

import torch
from jaxtyping import Float
from torch import Tensor

GridRange = tuple[float, float] | Float[Tensor, "inputs 2"]


def check_like(x: Tensor, in_features: int, weight: Tensor) -> None:
    """Raise unless x has in_features columns, and dtype and device of the weight.

    Raises
    ------
    ValueError, TypeError
        Naming what is there and what to call.
    """
    if x.ndim < 1 or x.shape[-1] != in_features:
        raise ValueError(
            f"x must have shape (..., {in_features}) because the layer has in_features="
            f"{in_features}; got {tuple(x.shape)}. Pass one column per input."
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


def bounds(grid_range: GridRange, in_features: int) -> tuple[Tensor, Tensor]:
    """Return float64 (low, high) per input, checked."""
    pairs = torch.as_tensor(grid_range, dtype=torch.float64, device="cpu")
    if pairs.shape not in ((2,), (in_features, 2)):
        raise ValueError(
            f"grid_range must be (low, high) or a tensor ({in_features}, 2); got shape "
            f"{tuple(pairs.shape)}. Pass one pair, or one per input."
        )
    low, high = pairs.expand(in_features, 2).unbind(-1)
    if not bool(torch.isfinite(pairs).all()) or not bool((low < high).all()):
        raise ValueError(f"grid_range must be finite with low < high; got {grid_range}. Fix it.")
    return low, high
