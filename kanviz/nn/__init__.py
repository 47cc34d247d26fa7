"""Numbers: bases, layers and networks. Torch only; knows nothing of training, files or pictures."""

from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.warmup import warmup

__all__ = ["KANLayer", "Network", "warmup"]
