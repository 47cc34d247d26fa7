"""How the CPU kernels are compiled, and how threads share a batch."""

import contextlib
import functools
import hashlib
import inspect
import logging
import operator
import os
import pickle
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeVar

import numba
import torch
from numba.core.caching import FunctionCache, IndexDataCacheFile
from numba.core.compiler_lock import global_compiler_lock

from kanviz.interrupts import uninterrupted
from kanviz.nn.kernels.plan import BLOCK

try:
    import fcntl
except ImportError:  # Windows, where two processes may compile one kernel
    fcntl = None  # type: ignore[assignment]

logger = logging.getLogger(__name__)

IS_ON = not getattr(numba.config, "DISABLE_JIT", 0)
"""Whether numba may compile: without that its kernels are Python loops, and of no use."""

REORDERED = {"contract", "reassoc"}

ONE_PART = 1 << 15
"""Numbers (samples times inputs) up to which a second thread costs more than it gains."""

PART, MOST_PARTS = 1 << 13, 32
"""Least numbers of a part beyond, so that its work outweighs a task of a thread and the addition of
its result; most parts, which keep any usual number of threads busy."""

PATIENCE = 120.0
"""Seconds to wait for another process that compiles the same kernel: it may have been stopped."""

F = TypeVar("F", bound=Callable[..., object])
T = TypeVar("T")


def kernel(function: F) -> F:
    """Compile a function on its first call, without the GIL, and keep the result on disk.

    Sums may be reordered so that they run in vector registers; NaN and inf keep their meaning.
    Arrays are not counted, which costs more than small loops take: none may be made or returned.
    Where no folder can be written, the function is compiled again in each process. Ctrl-C waits for
    a compilation.
    """
    return _compile(function, REORDERED, _nrt=False)


def kernel_with_memory(function: F) -> F:
    """Compile a function as ``kernel`` does that makes arrays."""
    return _compile(function, REORDERED, _nrt=True)


def kernel_as_written(function: F) -> F:
    """Compile a function as ``kernel`` does whose operations are rounded one by one."""
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
        compiled: Any = compile_it(bare, cache=True)
        if IS_ON:
            compiled._cache = KernelCache(bare)
    except RuntimeError:  # no folder to keep it in
        compiled = compile_it(bare)
    if IS_ON:
        compiled.compile = _finished(compiled)
    result: F = compiled
    return result


def _finished(compiled: Any) -> Callable[[Any], Any]:
    """Return what compiles to the end once begun: half a kernel may stay in numba's books.

    Under numba's own lock to the very end, so that one thread locks and unlocks a file at a time.
    """
    compile_it = compiled.compile

    def compile_to_the_end(signature: Any) -> Any:
        with uninterrupted(), global_compiler_lock:
            try:
                return compile_it(signature)
            finally:
                if isinstance(compiled._cache, KernelCache):
                    compiled._cache.unlock()

    return compile_to_the_end


class KernelCache(FunctionCache):
    """Compiled kernels on disk, as numba keeps them; but what is wrong there stops nobody.

    A file that is damaged, empty or not to be read counts as none, and is written anew; one that
    cannot be written, as on a full disk, is done without.

    Of processes that want a kernel at the same time one compiles it, and the others wait to read
    it. The threads of a process come one after the other, see ``_finished``; and no kernel calls
    one that calls it, so that no two processes wait for each other.
    """

    _lock: int | None = None

    def __init__(self, function: Callable[..., object]) -> None:
        super().__init__(function)
        locator, name = self._impl.locator, self._impl.filename_base
        self._cache_file = _CheckedFile(self.cache_path, name, locator.get_source_stamp())

    def load_overload(self, signature: Any, target: Any) -> Any:
        """Return the kernel for a signature; None where it is to be compiled, before ``unlock``."""
        found = self._read(signature, target)
        if found is None and self._lock is None:
            self._lock = _locked(f"{self._cache_file._index_path}.lock")
            if self._lock is not None:  # another may have kept it meanwhile
                found = self._read(signature, target)
        return found

    def unlock(self) -> None:
        """Let other processes have what was missing."""
        if self._lock is not None:
            # Said aloud, since a process that was forked meanwhile may hold the file open.
            fcntl.flock(self._lock, fcntl.LOCK_UN)
            os.close(self._lock)
            self._lock = None

    def _read(self, signature: Any, target: Any) -> Any:
        """Return the kernel for a signature; None where there is none that is whole."""
        try:
            return super().load_overload(signature, target)
        except Exception:  # noqa: BLE001 - of a damaged file anything can come
            with contextlib.suppress(OSError):
                os.unlink(self._cache_file._index_path)
            return None

    def save_overload(self, signature: Any, kernel: Any) -> None:
        """Keep the kernel for a signature, if that can be."""
        try:
            super().save_overload(signature, kernel)
        except Exception as error:  # noqa: BLE001 - kept or not, the kernel works
            _tell_of_trouble(self.cache_path, getattr(error, "strerror", None) or str(error))


def _locked(path: str) -> int | None:
    """Return a file that no other process has locked; None where that cannot be had."""
    if fcntl is None:
        return None
    end = time.monotonic() + PATIENCE
    try:
        number = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        return None
    while time.monotonic() < end:
        try:
            fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return number
        except BlockingIOError:
            time.sleep(0.02)
        except OSError:  # a file system without locks
            break
    os.close(number)
    return None


class _CheckedFile(IndexDataCacheFile):
    """numba's files with a checksum: machine code with an error in it would end the process."""

    def _dump(self, content: Any) -> bytes:
        written: bytes = super()._dump(content)
        return written + hashlib.sha256(written).digest()

    def _load_data(self, name: str) -> Any:
        found = Path(self._data_path(name)).read_bytes()
        written, mark = found[:-32], found[-32:]
        if hashlib.sha256(written).digest() != mark:
            raise ValueError(f"{name} is damaged")
        return pickle.loads(written)  # as numba does, from the same folder


@functools.cache
def _tell_of_trouble(folder: str, reason: str) -> None:
    """Say once where compiled kernels cannot be kept."""
    logger.warning(
        "The compiled kernels work, but cannot be kept in %s, so each new process compiles them "
        "again: %s",
        folder,
        reason,
    )


@functools.cache
def _digest_of_kernels() -> str:
    """Return a name for the present text of all kernels.

    numba forgets a kernel on disk when its own file changes, but not when one that it calls does.
    """
    files = sorted(Path(__file__).parent.glob("*.py"))
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()[:16]


def over_parts(work: Callable[[int, int], object], samples: int, inputs: int) -> None:
    """Call ``work(start, stop)`` on parts of a batch, one for each thread that torch may use.

    For work on each sample by itself: where sums go over samples, see ``sum_over_parts``.
    """
    threads = min(torch.get_num_threads(), samples)
    if samples * inputs <= ONE_PART or threads <= 1:
        work(0, samples)
        return
    bounds = [samples * part // threads for part in range(threads + 1)]
    for _ in _in_threads(work, list(pairwise(bounds)), threads):
        pass  # asks each part for its error


def sum_over_parts(
    work: Callable[[int, int], T],
    samples: int,
    inputs: int,
    add: Callable[[T, T], T] = operator.iadd,
) -> T:
    """Return the sum of ``work(start, stop)`` over parts of a batch, in the parts' order.

    The parts follow from the shape alone. So whichever thread ends first, and however many there
    are, the same numbers are added in the same order, and the result is the same to the last bit.
    ``add`` may join two parts in another way.
    """
    if samples * inputs <= ONE_PART:
        return work(0, samples)
    parts = parts_of(samples, inputs)
    threads = min(torch.get_num_threads(), len(parts))
    if threads <= 1:
        return functools.reduce(add, (work(start, stop) for start, stop in parts))
    return functools.reduce(add, _in_threads(work, parts, threads))


def parts_of(samples: int, inputs: int) -> list[tuple[int, int]]:
    """Return (start, stop) of the parts that ``sum_over_parts`` takes: some whole blocks each."""
    blocks = -(-samples // BLOCK)
    parts = max(1, min(MOST_PARTS, samples * inputs // PART, blocks))
    bounds = [min(samples, blocks * part // parts * BLOCK) for part in range(parts + 1)]
    return list(pairwise(bounds))


def _in_threads(
    work: Callable[[int, int], T], parts: list[tuple[int, int]], threads: int
) -> Iterable[T]:
    """Yield what ``work`` returns for each part, in order.

    numba's own threads are not used: one of its schedulers ends the process when two Python
    threads call it at once, which a training in the background may well do.
    """
    return _pool(os.getpid(), threads).map(work, *zip(*parts, strict=True))


@functools.cache
def _pool(process: int, threads: int) -> ThreadPoolExecutor:  # noqa: ARG001 - a fork has no threads
    return ThreadPoolExecutor(threads, thread_name_prefix="kanviz")
