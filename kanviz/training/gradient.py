"""Training by gradients: L-BFGS or any optimizer of torch, with batches in real epochs.

A step that gives NaN or inf is undone and tried again with a tenth of the learning rate; if that
does not help either, the error names the layer and edge where the numbers break.
"""

import math
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from kanviz.data.stream import Streamed
from kanviz.interrupts import load
from kanviz.nn import Network
from kanviz.nn.state import NetworkState
from kanviz.training.errors import loss_of
from kanviz.training.jacobian import learning_weights

MOST_RETREATS = 5
ROWS_AT_ONCE = 4096
LINE_SEARCH_EVALUATIONS = 25

OPTIMIZER_CLASSES: dict[str, type[torch.optim.Optimizer]] = {
    "adam": torch.optim.Adam,
    "adamw": torch.optim.AdamW,
}


class Batch(NamedTuple):
    """Some rows, and how many times each counts; None for once each."""

    x: Tensor
    y: Tensor
    weight: Tensor | None = None


@runtime_checkable
class Rows(Protocol):
    """What a descent goes through."""

    @property
    def is_whole(self) -> bool:
        """Whether each epoch is one step on all rows."""

    def epoch(self) -> Iterator[Batch]:
        """Yield the rows of each step of an epoch."""

    def parts(self) -> Iterator[Batch]:
        """Yield all rows, some at a time."""


@dataclass
class HeldRows:
    """Rows in memory; ``batch_size`` None takes all at once, else ``generator`` shuffles them.

    Weights are let have mean 1, so that each batch has the loss of its share of the rows.
    """

    x: Tensor
    y: Tensor
    weight: Tensor | None = None
    batch_size: int | None = None
    generator: torch.Generator | None = None

    def __post_init__(self) -> None:
        """Scale the weights."""
        weight = self.weight
        self.weight = None if weight is None else (weight / weight.mean()).to(self.x)

    @property
    def is_whole(self) -> bool:
        """Whether each epoch is one step on all rows."""
        return self.batch_size is None

    def epoch(self) -> Iterator[Batch]:
        """Yield the rows of each step of an epoch."""
        if self.batch_size is None:
            yield self._some(slice(None))
            return
        order = torch.randperm(len(self.x), generator=self.generator).to(self.x.device)
        yield from map(self._some, order.split(self.batch_size))

    def parts(self) -> Iterator[Batch]:
        """Yield all rows, some at a time."""
        size = max(self.batch_size or 1, ROWS_AT_ONCE)
        for at in range(0, len(self.x), size):
            yield self._some(slice(at, at + size))

    def _some(self, rows: Tensor | slice) -> Batch:
        weight = self.weight
        return Batch(self.x[rows], self.y[rows], None if weight is None else weight[rows])


@dataclass
class StreamedRows:
    """Rows for a descent: each batch is a step.

    Parameters
    ----------
    streamed : Streamed
    like : Tensor
        Whose dtype and device the rows get.
    unit : float
        What of y counts as 1.
    generator : torch.Generator, optional
        Shuffles where that is not the user's own matter.
    """

    streamed: Streamed
    like: Tensor
    unit: float
    generator: torch.Generator | None = None
    is_whole = False

    def epoch(self) -> Iterator[Batch]:
        """Yield the rows of each step of an epoch."""
        return self._in_unit(self.generator)

    def parts(self) -> Iterator[Batch]:
        """Yield all rows, some at a time."""
        return self._in_unit(None)

    def _in_unit(self, generator: torch.Generator | None) -> Iterator[Batch]:
        for x, y in self.streamed.batches(self.like, generator):
            yield Batch(x, y / self.unit if self.unit != 1 else y)


Value = tuple[float, Tensor | None]
"""The loss, and the loss with its penalty where the parameters hold the gradient of that."""


@dataclass
class Descent:
    """One descent: what is trained, on what, by which optimizer.

    ``loss`` maps (outputs, y) to a scalar. ``evaluate`` maps (network, x) to the outputs and, from
    the same pass, a penalty that is added; None for no penalty. ``unit``, a power of 2, is what of
    y counts as 1 while a step is taken, for steps have a size: the y of ``rows`` and ``loss``,
    which is then the squared one, are in it already, and the network is brought into it and back.
    """

    network: Network
    rows: Rows
    loss: Callable[[Tensor, Tensor], Tensor]
    evaluate: Callable[[Network, Tensor], tuple[Tensor, Tensor | None]]
    optimizer: str | type[torch.optim.Optimizer]
    learning_rate: float
    unit: float = 1.0

    def run(self, steps: int) -> Generator[float, None, str]:
        """Take ``steps`` iterations (L-BFGS) or epochs in place.

        Yields the loss after each, without the penalty, of the very network that is there then;
        returns why it ended, ``"steps"``.

        Raises
        ------
        FloatingPointError
            If no learning rate gives finite numbers; names the layer and edge where they break.
        """
        if not bool(learning_weights(self.network).any()):
            return "no better step"
        with self.network.in_unit(self.unit):
            optimizer, retreats, now = self._make(), 0, self._begun()
        for _ in range(steps):
            with self.network.in_unit(self.unit):
                before = NetworkState.capture(self.network)
                now = self._epoch(optimizer, now)
                while not self._is_finite(now[0]):
                    before.restore(self.network)
                    if retreats == MOST_RETREATS:
                        x = next(self.rows.parts()).x
                        raise FloatingPointError(where_it_breaks(self.network, x))
                    retreats, self.learning_rate = retreats + 1, self.learning_rate / 10
                    optimizer = self._make()
                    now = self._epoch(optimizer, self._begun())
            yield now[0] * self.unit**2
        return "steps"

    def _begun(self) -> Value | None:
        return self._value(next(self.rows.epoch())) if self.rows.is_whole else None

    def _make(self) -> torch.optim.Optimizer:
        load("torch._dynamo")  # the first optimizer of a process needs it
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

    def _epoch(self, optimizer: torch.optim.Optimizer, now: Value | None) -> Value:
        """Go once over the data; return loss and gradient of what became of the network.

        ``now`` is the same of the network as it is: a step on all samples begins with them, so
        measuring after each step costs one pass more in the whole descent.
        """
        for batch in self.rows.epoch():
            self._update(optimizer, batch, now)
        if self.rows.is_whole:
            return self._value(batch)
        optimizer.zero_grad()
        return self._loss_on_all(), None

    def _update(self, optimizer: torch.optim.Optimizer, batch: Batch, now: Value | None) -> None:
        known = [] if now is None or now[1] is None else [now[1]]

        def closure() -> Tensor:
            whole = known.pop() if known else self._value(batch)[1]
            assert whole is not None
            return whole

        optimizer.step(closure)  # type: ignore[arg-type]
        self.network.settle()

    def _value(self, batch: Batch) -> Value:
        """Return the loss and the loss with penalty, whose gradient is in the parameters."""
        for parameter in self.network.parameters():
            parameter.grad = None
        with torch.enable_grad():
            outputs, penalty = self.evaluate(self.network, batch.x)
            loss = self._loss(outputs, batch)
            whole = loss if penalty is None else loss + penalty
            if whole.requires_grad:
                whole.backward()
        return float(loss.detach()), whole.detach()

    def _loss(self, outputs: Tensor, batch: Batch) -> Tensor:
        """Return the loss of some rows; with weights it is as large as they are heavy."""
        if batch.weight is None:
            return loss_of(self.loss, outputs, batch.y)
        return batch.weight.mean() * loss_of(self.loss, outputs, batch.y, batch.weight)

    @torch.no_grad()
    def _loss_on_all(self) -> float:
        total, n = 0.0, 0
        for batch in self.rows.parts():
            total += len(batch.x) * float(self._loss(self.network(batch.x), batch))
            n += len(batch.x)
        return total / n

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


def refresh(optimizer: torch.optim.Optimizer, parameters: Iterable[nn.Parameter]) -> None:
    """Let an optimizer go on with parameters that were changed under it; see ``KAN.refresh``."""
    groups = optimizer.param_groups
    known = {id(parameter) for group in groups for parameter in group["params"]}
    found = [parameter for parameter in parameters if parameter.requires_grad]
    groups[0]["params"].extend(one for one in found if id(one) not in known)
    for parameter in found:
        kept = optimizer.state.get(parameter, {})
        sizes = {value.shape for value in kept.values() if torch.is_tensor(value) and value.ndim}
        if sizes - {parameter.shape}:  # averages of numbers that are gone
            del optimizer.state[parameter]
    if isinstance(optimizer, torch.optim.LBFGS):
        optimizer._numel_cache = None  # what it has counted once
