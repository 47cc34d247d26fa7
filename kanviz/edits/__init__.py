"""The only ways to change a model: small frozen records that can be applied, read and replayed."""

from kanviz.edits.curves import MovePoint, SetCurve
from kanviz.edits.edit import Edit
from kanviz.edits.formulas import FixEdge, UnfixEdge
from kanviz.edits.functions import Became, Fitted, Refine, Solved, UpdateGrid
from kanviz.edits.structure import Constrain, Freeze, Lock, Remove

__all__ = [
    "Became",
    "Constrain",
    "Edit",
    "Fitted",
    "FixEdge",
    "Freeze",
    "Lock",
    "MovePoint",
    "Refine",
    "Remove",
    "SetCurve",
    "Solved",
    "UnfixEdge",
    "UpdateGrid",
]
