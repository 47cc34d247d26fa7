"""How much work something is, counted and not timed: the same on a busy machine and an idle one."""

import sys
import time
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode


def calls_of(work: Callable[[], object]) -> int:
    """Return how many functions are called, in Python and from Python in C, in this thread."""
    n_calls = 0

    def see(frame: FrameType, event: str, _: object) -> None:
        nonlocal n_calls
        n_calls += event in ("call", "c_call")

    sys.setprofile(see)
    try:
        work()
    finally:
        sys.setprofile(None)
    return n_calls


def crowding(seconds: float = 0.2) -> float:
    """Return how many seconds pass while this thread gets one of a processor; 1 on an idle machine.

    What a user must not wait longer for than so many seconds may take so many times as long in a
    test that shares its machine.
    """
    start, used = time.perf_counter(), time.thread_time()
    while time.thread_time() - used < seconds:
        pass
    return max(1.0, (time.perf_counter() - start) / seconds)


class Operations(TorchDispatchMode):
    """Counts torch's operations, and the numbers in all tensors that they give."""

    def __init__(self) -> None:
        super().__init__()
        self.n = self.numbers = self.largest = 0

    def __torch_dispatch__(
        self, function: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        """Count one operation."""
        given = function(*args, **(kwargs or {}))
        self.n += 1
        for tensor in given if isinstance(given, list | tuple) else [given]:
            if isinstance(tensor, torch.Tensor):
                self.numbers += tensor.numel()
                self.largest = max(self.largest, tensor.numel())
        return given
