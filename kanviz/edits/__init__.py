"""The only ways to change a model: small frozen records that can be applied, read and replayed."""

from kanviz.edits.curves import MovePoint, SetCurve
from kanviz.edits.edit import Edit
from kanviz.edits.formulas import FixEdge, UnfixEdge
from kanviz.edits.freezing import Freeze
from kanviz.edits.functions import Became, Fitted, Refine, Solved, UpdateGrid
from kanviz.edits.locks import LockEdges, UnlockEdges
from kanviz.edits.structure import RemoveEdge, RemoveNode, RestoreEdge, RestoreNode

__all__ = [
    "Became",
    "Edit",
    "Fitted",
    "FixEdge",
    "Freeze",
    "LockEdges",
    "MovePoint",
    "Refine",
    "RemoveEdge",
    "RemoveNode",
    "RestoreEdge",
    "RestoreNode",
    "SetCurve",
    "Solved",
    "UnfixEdge",
    "UnlockEdges",
    "UpdateGrid",
]
