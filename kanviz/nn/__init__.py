"""Numbers: bases, layers and networks. Torch only; knows nothing of training, files or pictures."""

from kanviz.nn.calculus import gradient, hessian, laplacian, pointwise
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network

__all__ = ["KANLayer", "Network", "gradient", "hessian", "laplacian", "pointwise"]
