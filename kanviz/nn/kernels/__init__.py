"""CPU kernels behind one function: ``edge_sum``, the forward pass of a layer.

It is differentiable to any order, and takes plain torch (``kanviz.nn.features``) where the kernels
cannot look into memory. ``ops`` makes it an operation of autograd, ``plan`` tells the kernels which
functions they deal with, ``dense`` and ``sparse`` are the two ways to sum. ``variance`` and
``variance_kernels`` do the same for second moments (``kanviz.nn.variance`` asks for them);
``penalty`` and ``normal_equations`` are the loops of training. ``basis`` evaluates the bases,
``jit`` compiles kernels and shares a batch among threads. Only ``ops`` and ``plan`` are imported
with kanviz: the others load numba, at the first call.
"""

from kanviz.nn.kernels.ops import edge_sum

__all__ = ["edge_sum"]
