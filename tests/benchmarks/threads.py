"""The number of threads, for torch, the compiled kernels of kanviz and ``torch.compile`` alike."""

import os
import sys

import torch


def use_threads(threads: int) -> None:
    """Let everything use so many threads; kanviz follows ``torch.get_num_threads``.

    ``torch.compile`` starts afresh: it must not take the shapes of another cell into account. Call
    this once the models are made, for some import it only then.
    """
    torch.set_num_threads(threads)
    config = sys.modules.get("torch._inductor.config")
    if config is not None:
        # Compiled code has the number built in, but it is kept on disk under a key without it.
        config.cpp.threads = threads
        torch.compiler.reset()


def all_threads() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
