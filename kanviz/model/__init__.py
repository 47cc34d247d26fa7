"""The one object that a user holds: a network with its names, its history and its pictures."""

from kanviz.model.fit_handle import FitHandle
from kanviz.model.kan import KAN
from kanviz.model.session import Session

__all__ = ["KAN", "FitHandle", "Session"]
