"""The most memory that a training step needs beyond what the idle model has.

It is the peak of the resident memory during a forward and backward pass, less what was resident
before: that counts buffers of torch, numpy and compiled kernels alike, which no allocator's own
statistics do. A process of its own gives every block of more than 64 KiB back to the system as soon
as it is freed, so that nothing kept from an earlier pass hides what this one needs; in the process
that measures times this would cost time. Linux only; resolution about 0.3 MB.
"""

import ctypes
import gc
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

from benchmarks.cells import Cell
from benchmarks.entrants import Entrant
from benchmarks.threads import use_threads
from benchmarks.timing import Step

PROCESS = Path("/proc/self")
M_MMAP_THRESHOLD, THRESHOLD = -3, 1 << 16
RESET_PEAK = "5"


def peaks(tasks: Sequence[tuple[Entrant, Cell]]) -> list[int | None]:
    """Return bytes for each model in each cell; None where it fails or the system cannot say."""
    if not (PROCESS / "clear_refs").exists():
        return [None] * len(tasks)
    with ProcessPoolExecutor(1, get_context("spawn"), initializer=_prepare) as process:
        futures = [process.submit(_peak, entrant, cell) for entrant, cell in tasks]
        return [None if future.exception() else future.result() for future in futures]


def limit_memory() -> None:
    """Let an allocation that the machine has no room for raise an error, not end the process."""
    if sys.platform == "linux":
        import resource

        available = _read(Path("/proc/meminfo"), "MemAvailable")
        now = _read(PROCESS / "status", "VmSize")
        hard = resource.getrlimit(resource.RLIMIT_AS)[1]
        resource.setrlimit(resource.RLIMIT_AS, (now + int(0.9 * available), hard))


def _prepare() -> None:
    ctypes.CDLL(None).mallopt(M_MMAP_THRESHOLD, THRESHOLD)
    limit_memory()


def _peak(entrant: Entrant, cell: Cell) -> int:
    model = entrant.make(cell)
    use_threads(1)
    step = Step.of(model, cell)
    step.take()  # what stays for good, such as compiled code, is no need of a step
    return _peak_of(step)


def _peak_of(step: Step) -> int:
    for parameter in step.model.parameters():
        parameter.grad = None
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    (PROCESS / "clear_refs").write_text(RESET_PEAK)
    before = _read(PROCESS / "status", "VmRSS")
    step.take()
    return max(0, _read(PROCESS / "status", "VmHWM") - before)


def _read(file: Path, name: str) -> int:
    """Return a number of bytes from a file with lines such as ``VmRSS:  1234 kB``."""
    line = next(line for line in file.read_text().splitlines() if line.startswith(f"{name}:"))
    return 1024 * int(line.split()[1])
