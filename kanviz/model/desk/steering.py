"""Starting and steering a fit as a browser asks."""

from typing import Any

from kanviz.data import Dataset
from kanviz.model.desk.request import Request
from kanviz.model.fit_handle import FitHandle
from kanviz.model.kan import KAN
from kanviz.training.sparsity import Sparsity

MOST_STEPS = 1_000_000


def train(model: KAN, data: Dataset | None, request: Request) -> None:
    """Start a fit in the background."""
    model.fit(needed(data), background=True, progress=False, **options(request.fields("options")))


def set_training(model: KAN, request: Request) -> None:
    """Change how the running fit goes on; without one there is nothing to change."""
    training = model.running_fit
    if training is not None:
        training.set(**options(request.fields("options"), training.options.sparsity))


def pause(model: KAN, _: Request) -> None:
    """Let the running fit wait."""
    running(model).pause()


def resume(model: KAN, _: Request) -> None:
    """Let it go on."""
    running(model).resume()


def step(model: KAN, _: Request) -> None:
    """Let it take one more step and wait."""
    running(model).step()


def stop(model: KAN, _: Request) -> None:
    """End it with the best that it found."""
    running(model).stop()


STEERING = {"pause": pause, "resume": resume, "step": step, "stop": stop}


def running(model: KAN) -> FitHandle:
    """Return the fit that runs, or raise a ValueError."""
    training = model.running_fit
    if training is None:
        raise ValueError("a fit must be running for this; got none. Start one first.")
    return training


def needed(data: Dataset | None) -> Dataset:
    """Return the data, or raise a ValueError where there are none."""
    if data is None:
        raise ValueError("data must be there for this; got none. Call model.explore(data).")
    return data


def options(request: Request, now: float | Sparsity = 0.0) -> dict[str, Any]:
    """Return the options that are in the request as ``KAN.fit`` takes them.

    ``now`` is the sparsity so far: of its weight and its entropy one may change alone.
    """
    found: dict[str, Any] = {}
    if "optimizer" in request:
        found["optimizer"] = request.text("optimizer")
    if "steps" in request:
        found["steps"] = request.integer("steps", 1, MOST_STEPS)
    if "learning_rate" in request:
        is_default = request.is_none("learning_rate")
        found["learning_rate"] = None if is_default else request.number("learning_rate")
    if "sparsity" in request or "entropy" in request:
        before = now if isinstance(now, Sparsity) else Sparsity(now)
        weight = request.number("sparsity") if "sparsity" in request else before.weight
        entropy = request.number("entropy") if "entropy" in request else before.entropy
        chosen = Sparsity(weight, entropy=entropy)
        # A plain number where it says the same: it can be read in the script.
        found["sparsity"] = weight if chosen == Sparsity(weight) else chosen
    return found
