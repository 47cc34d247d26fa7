"""The one object that a user holds: a network with its names, its history and its pictures."""

from kanviz.model.kan import KAN, load

__all__ = ["KAN", "load"]
