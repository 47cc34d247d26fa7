"""How the CPU kernels are compiled, and how they share the batch among threads."""

import functools
import hashlib
import inspect
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import numba
import torch

REORDERED = {"contract", "reassoc"}

F = TypeVar("F", bound=Callable[..., object])


def compiled(function: F) -> F:
    """Compile a function on its first call, without the GIL, and keep the result on disk.

    Sums may be reordered so that they run in vector registers; NaN and inf keep their meaning.
    Arrays are not counted, which costs more than small loops take: none may be made or returned.
    Where no folder can be written, the function is compiled again in each process.
    """
    return _compile(function, REORDERED, _nrt=False)


def compiled_with_memory(function: F) -> F:
    """Compile a function as ``compiled`` does that makes arrays."""
    return _compile(function, REORDERED, _nrt=True)


def compiled_as_written(function: F) -> F:
    """Compile a function as ``compiled`` does whose operations are rounded one by one."""
    return _compile(function, set(), _nrt=False)


def _compile(function: F, fastmath: set[str], *, _nrt: bool) -> F:
    # What is not said here, a function would take over from the first that calls it.
    options = {
        "nogil": True,
        "error_model": "numpy",
        "fastmath": fastmath,
        "_nrt": _nrt,
        "no_cfunc_wrapper": True,
    }
    # Tests wrap every function of the package to check its types: numba needs the bare one.
    bare = inspect.unwrap(function)
    bare.__qualname__ += _digest_of_kernels()
    compile_it: Any = functools.partial(numba.njit, **options)
    try:
        kernel: F = compile_it(bare, cache=True)
    except RuntimeError:  # no folder to keep it in
        kernel = compile_it(bare)
    return kernel


@functools.cache
def _digest_of_kernels() -> str:
    """Return a name for the present text of all kernels.

    numba forgets a kernel on disk when its own file changes, but not when one that it calls does.
    """
    files = [*sorted(Path(__file__).parent.glob("kernels*.py")), Path(__file__)]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def over_batch(
    work: Callable[[int, int], object], samples: int, threads: int | None = None
) -> None:
    """Call ``work(start, stop)`` on parts of the batch, one per thread that torch may use.

    numba's own threads are not used: one of its schedulers ends the process when two Python
    threads call it at once, which a training in the background may well do.
    """
    parts = min(threads or torch.get_num_threads(), samples)
    if parts <= 1:
        work(0, samples)
        return
    bounds = [samples * part // parts for part in range(parts + 1)]
    for _ in _pool(os.getpid(), parts).map(work, bounds[:-1], bounds[1:]):
        pass  # asks each part for its error


@functools.cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:  # noqa: ARG001 - a fork has no threads
    return ThreadPoolExecutor(threads, thread_name_prefix="kanviz")
