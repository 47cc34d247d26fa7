"""What the numbers were measured on: processor and versions, no names of hosts or folders."""

import os
import platform
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path

import torch

import kanviz as kv
from benchmarks.entrants import Entrant

PACKAGES = ("torch", "numba", "numpy")


def describe_machine() -> dict[str, str]:
    """Return the processor, its vector instructions, the cores and the system."""
    return {
        "processor": _processor(),
        "vector instructions": torch.backends.cpu.get_cpu_capability(),
        "cores": str(os.cpu_count()),
        "system": f"{platform.system()} {platform.machine()}",
    }


def describe_versions(entrants: Sequence[Entrant]) -> dict[str, str]:
    """Return the versions of Python, of what kanviz runs on, and of the peers that are here."""
    found = {"python": platform.python_version(), "kanviz": kv.__version__}
    found |= {name: version(name) for name in PACKAGES}
    peers = {e.distribution: e.version for e in entrants if e.distribution and e.version}
    return found | peers


def _processor() -> str:
    """Return the processor's name as the system gives it."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
