"""Times of training steps, all models of a cell taking turns repetition by repetition."""

import gc
import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from benchmarks.cells import Cell
from benchmarks.records import Quartiles, Timing

LEAST_SECONDS = 2e-3
"""A measurement goes on over as many steps as this takes: far above the clock's resolution."""

LEAST_REPEATS = 3
WARM_STEPS, WARM_SECONDS = 3, 0.05


@dataclass(frozen=True)
class Step:
    """A training step without the optimizer: squared loss to a fixed target, and its gradients.

    x needs no gradient, as in training. ``penalised`` gives outputs and what is added to the loss.
    """

    model: nn.Module
    x: Tensor
    target: Tensor
    penalised: Callable[[Tensor], tuple[Tensor, Tensor]] | None = None

    @classmethod
    def of(cls, model: nn.Module, cell: Cell) -> "Step":
        """Return the step of a model at uniform inputs in its grid range, the same for all."""
        generator = torch.Generator().manual_seed(0)
        x = torch.rand(cell.batch, cell.widths[0], generator=generator) * 2 - 1
        return cls(model, x, torch.rand(cell.batch, cell.widths[-1], generator=generator))

    def take(self) -> tuple[float, float]:
        """Go once forward and backward; return the seconds of both. Gradients are new each time."""
        for parameter in self.model.parameters():
            parameter.grad = None
        start = time.perf_counter()
        if self.penalised is None:
            outputs, penalty = self.model(self.x), None
        else:
            outputs, penalty = self.penalised(self.x)
        between = time.perf_counter()
        loss = nn.functional.mse_loss(outputs, self.target)
        (loss if penalty is None else loss + penalty).backward()
        return between - start, time.perf_counter() - between


@dataclass
class _Turns:
    """The measurements of one step so far: pairs of forward and backward seconds.

    Each is the median of ``inner`` steps, so that one step that the system interrupts is no matter.
    """

    step: Step
    inner: int
    pairs: list[tuple[float, float]]
    used: float = 0.0

    def measure(self) -> None:
        start = time.perf_counter()
        taken = [self.step.take() for _ in range(self.inner)]
        forward, backward = zip(*taken, strict=True)
        self.pairs.append((statistics.median(forward), statistics.median(backward)))
        self.used += time.perf_counter() - start

    def timing(self) -> Timing:
        forward, backward = zip(*self.pairs, strict=True)
        total = [sum(pair) for pair in self.pairs]
        return Timing(quartiles(forward), quartiles(backward), quartiles(total), len(total))


def alternate(steps: Mapping[str, Step], repeats: int, most_seconds: float) -> dict[str, Timing]:
    """Measure steps in turn, so that slow spells of the machine meet all of them alike.

    A step that has used up ``most_seconds`` takes no further turns once it has had three. Each
    second round is in reverse order, so that nobody always follows the same neighbour.
    """
    turns = {name: _Turns(step, _warm_up(step), []) for name, step in steps.items()}
    with _no_garbage_collection():
        for repetition in range(repeats):
            order = list(turns.values())
            for turn in order if repetition % 2 == 0 else reversed(order):
                if turn.used < most_seconds or len(turn.pairs) < LEAST_REPEATS:
                    turn.measure()
    return {name: turn.timing() for name, turn in turns.items()}


def quartiles(values: tuple[float, ...] | list[float]) -> Quartiles:
    """Return the quartiles of at least one value."""
    if len(values) == 1:
        return Quartiles(values[0], values[0], values[0])
    return Quartiles(*statistics.quantiles(values, n=4, method="inclusive"))


def _warm_up(step: Step) -> int:
    """Compile, fill caches, and return how many steps a measurement takes."""
    start = time.perf_counter()
    taken: list[float] = []
    while time.perf_counter() - start < WARM_SECONDS or len(taken) < WARM_STEPS:
        taken.append(sum(step.take()))
        if taken[-1] > 1:
            break
    return math.ceil(LEAST_SECONDS / statistics.median(taken))


@contextmanager
def _no_garbage_collection() -> Iterator[None]:
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
