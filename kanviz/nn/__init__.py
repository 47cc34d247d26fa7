"""Numbers: bases, layers and networks. Torch only; knows nothing of training, files or pictures."""

from kanviz.nn.calculus import gradient, hessian, laplacian, pointwise
from kanviz.nn.initialise import InitName
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.spec import BaseName, BasisName, Extrapolation

__all__ = [
    "BaseName",
    "BasisName",
    "Extrapolation",
    "InitName",
    "KANLayer",
    "Network",
    "gradient",
    "hessian",
    "laplacian",
    "pointwise",
]
