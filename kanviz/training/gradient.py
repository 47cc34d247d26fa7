"""Training by gradients: L-BFGS or any optimizer of torch, with batches in real epochs.

A step that gives NaN or inf is undone and tried again with a tenth of the learning rate; if that
does not help either, the error names the layer and edge where the numbers break.
"""

import copy
import math
from collections.abc import Callable, Generator
from dataclasses import dataclass

import torch
from torch import Tensor

from kanviz.nn import Network

MOST_RETREATS = 5
LINE_SEARCH_EVALUATIONS = 25

OPTIMIZER_CLASSES: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


@dataclass
class Descent:
    """One descent: what is trained, on what, by which optimizer.

    ``loss`` maps (outputs, y) to a scalar. ``evaluate`` maps (network, x) to the outputs and, from
    the same pass, a penalty that is added; None for no penalty. ``batch_size`` None takes all
    samples at once; ``generator`` shuffles the batches.
    """

    network: Network
    x: Tensor
    y: Tensor
    loss: Callable[[Tensor, Tensor], Tensor]
    evaluate: Callable[[Network, Tensor], tuple[Tensor, Tensor | None]]
    optimizer: str | type[torch.optim.Optimizer]
    learning_rate: float
    batch_size: int | None
    generator: torch.Generator

    def run(self, steps: int) -> Generator[float, None, str]:
        """Take ``steps`` iterations (L-BFGS) or epochs in place.

        Yields the mean loss of each, without the penalty; returns why it ended, ``"steps"``.

        Raises
        ------
        FloatingPointError
            If no learning rate gives finite numbers; names the layer and edge where they break.
        """
        optimizer, retreats = self._make(), 0
        for _ in range(steps):
            before = copy.deepcopy(self.network.state_dict())
            value = self._epoch(optimizer)
            while not self._is_finite(value):
                self.network.load_state_dict(before)
                if retreats == MOST_RETREATS:
                    raise FloatingPointError(where_it_breaks(self.network, self.x))
                retreats, self.learning_rate = retreats + 1, self.learning_rate / 10
                optimizer = self._make()
                value = self._epoch(optimizer)
            yield value
        return "steps"

    def _make(self) -> torch.optim.Optimizer:
        parameters = [p for p in self.network.parameters() if p.requires_grad]
        if self.optimizer == "lbfgs":
            return torch.optim.LBFGS(
                parameters,
                lr=self.learning_rate,
                max_iter=1,
                max_eval=LINE_SEARCH_EVALUATIONS,  # its default with one iteration is one
                history_size=20,
                line_search_fn="strong_wolfe",
                tolerance_grad=0,
                tolerance_change=0,
            )
        kind = self.optimizer
        make = OPTIMIZER_CLASSES[kind] if isinstance(kind, str) else kind
        return make(parameters, lr=self.learning_rate)  # type: ignore[call-arg]

    def _epoch(self, optimizer: torch.optim.Optimizer) -> float:
        """Go once over the data; return the mean loss, each batch's as it was before its update."""
        order = torch.randperm(len(self.x), generator=self.generator).to(self.x.device)
        total = 0.0
        for batch in order.split(self.batch_size or len(self.x)):
            total += len(batch) * self._update(optimizer, self.x[batch], self.y[batch])
        optimizer.zero_grad()
        return total / len(self.x)

    def _update(self, optimizer: torch.optim.Optimizer, x: Tensor, y: Tensor) -> float:
        seen: list[Tensor] = []

        def closure() -> Tensor:
            optimizer.zero_grad()
            outputs, penalty = self.evaluate(self.network, x)
            value = self.loss(outputs, y)
            seen.append(value.detach())
            whole = value if penalty is None else value + penalty
            whole.backward()
            return whole

        optimizer.step(closure)  # type: ignore[arg-type]
        self.network.settle()
        return float(seen[0])

    def _is_finite(self, value: float) -> bool:
        weights = (bool(torch.isfinite(p).all()) for p in self.network.parameters())
        return math.isfinite(value) and all(weights)


@torch.no_grad()
def where_it_breaks(network: Network, x: Tensor) -> str:
    """Return the sentence that names the first edge whose output is not finite."""
    for depth, layer in enumerate(network.layers):
        bad = ~torch.isfinite(layer.edge_outputs(x)).all(dim=0)
        if bool(bad.any()):
            i, j = bad.nonzero()[0].tolist()
            return (
                f"every step must be finite; got NaN or inf first at edge ({depth}, {i}, {j}). "
                "Lower the learning rate, or check the loss and the scale of the data."
            )
        x = layer(x)
    return (
        "the loss and its gradient must be finite; got NaN or inf although every edge is finite. "
        "Check the loss function and the targets."
    )
