"""CPU kernels behind two functions, which are all that leaves this folder for a layer.

``edge_sum`` is the forward pass of a layer, ``edge_variance`` says how much it varies over a sample
as well. Both are differentiable to any order, and take over plain torch (``kanviz.nn.features``)
where they cannot look into memory. ``ops`` makes them operations of autograd, ``plan`` tells the
kernels which functions they deal with, ``dense`` and ``sparse`` are the two ways to sum,
``variance`` and ``variance_kernels`` the same for second moments; ``basis`` evaluates the bases,
``jit`` compiles and shares a batch among threads. ``penalty`` and ``normal_equations`` are the
loops of training.
"""

from kanviz.nn.kernels.ops import edge_sum, edge_variance

__all__ = ["edge_sum", "edge_variance"]
