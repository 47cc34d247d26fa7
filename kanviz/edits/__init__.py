"""The only ways to change a model: small frozen records that can be applied, read and replayed."""

from kanviz.edits.edit import Edit
from kanviz.edits.functions import Fitted, Refine, UpdateGrid
from kanviz.edits.structure import RemoveEdge, RemoveNode, RestoreEdge, RestoreNode

__all__ = [
    "Edit",
    "Fitted",
    "Refine",
    "RemoveEdge",
    "RemoveNode",
    "RestoreEdge",
    "RestoreNode",
    "UpdateGrid",
]
