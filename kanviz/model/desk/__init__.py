"""The desk between a model and a live picture of it: plain requests in, plain pictures out."""

from kanviz.model.desk.desk import Desk

__all__ = ["Desk"]
