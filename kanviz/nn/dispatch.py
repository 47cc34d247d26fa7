"""When the compiled CPU kernels may stand in for the plain torch of ``kanviz.nn.features``."""

import functools
import importlib
import logging
from types import ModuleType

import torch
from torch import Tensor, nn

from kanviz.nn.spec import FunctionSpec

PLAIN_TYPES = (Tensor, nn.Parameter)
DTYPES = (torch.float32, torch.float64)
BASES = ("bspline", "gaussian")


def takes_kernels(x: Tensor, knots: Tensor, weight: Tensor, spec: FunctionSpec) -> bool:
    """Return whether the kernels can do this call, and are allowed to.

    They see memory, so not while torch only watches what would be done: under ``torch.compile``,
    the transforms of ``torch.func``, forward-mode derivatives, fake or other special tensors.
    """
    return is_open(x, knots, weight) and spec.basis in BASES and not knots.requires_grad


def is_open(*tensors: Tensor) -> bool:
    """Return whether kernels may read these tensors: plain numbers of one type on the CPU."""
    if torch.compiler.is_compiling():
        return False
    kind = tensors[0].dtype
    for tensor in tensors:  # a loop, since this is asked at every call of every layer
        if type(tensor) not in PLAIN_TYPES or tensor.dtype != kind or not tensor.is_cpu:
            return False
    return kind in DTYPES and not _is_watched() and contractions() is not None


@functools.cache
def contractions() -> ModuleType | None:
    """Return ``kanviz.nn.contractions``, imported on first use; None where numba is missing."""
    try:
        return importlib.import_module("kanviz.nn.contractions")
    except ImportError as error:
        logging.getLogger(__name__).info("plain torch on the CPU: %s", error)
        return None


def _is_watched() -> bool:
    return (
        torch._C._are_functorch_transforms_active()
        or torch._C._len_torch_dispatch_stack() > 0
        or torch._C._get_tracing_state() is not None
        or torch.autograd.forward_ad._current_level >= 0
    )
