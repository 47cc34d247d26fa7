"""How well a network does on data, in the user's units."""

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.data import Dataset, Scaling
from kanviz.nn import Network


@torch.no_grad()
def quality(network: Network, data: Dataset) -> dict[str, float]:
    """Return measures of the network on the training and test part of the data.

    Parameters
    ----------
    network : Network
        Not changed; the data are cast to its dtype.
    data : Dataset
        Test measures are left out where it has no test part.

    Returns
    -------
    dict
        For numbers ``"train_rmse"``, ``"test_rmse"`` (in the user's units, over all outputs) and
        ``"train_r2"``, ``"test_r2"`` (share of the variance explained, 1 is perfect). For classes
        ``"train_accuracy"`` and ``"test_accuracy"`` (share that is right).
    """
    parts = {"train": (data.x, data.y), "test": (data.x_test, data.y_test)}
    found: dict[str, float] = {}
    for name, (x, y) in parts.items():
        if x is None or y is None:
            continue
        outputs = network(x.to(network.layers[0].weight)).to(data.x)
        measures = (
            {"accuracy": float((outputs.argmax(-1) == y).double().mean())}
            if data.is_classification
            else _of_numbers(outputs, y, data.y_scaling)
        )
        found |= {f"{name}_{measure}": value for measure, value in measures.items()}
    return found


def _of_numbers(
    outputs: Float[Tensor, "samples outputs"], y: Float[Tensor, "samples outputs"], units: Scaling
) -> dict[str, float]:
    left = (units.undo(outputs) - units.undo(y)).square().mean(0)
    spread = units.undo(y).var(0, correction=0)
    r2 = 1 - left / spread.clamp(min=torch.finfo(y.dtype).tiny)
    return {"rmse": float(left.mean().sqrt()), "r2": float(r2.mean())}
