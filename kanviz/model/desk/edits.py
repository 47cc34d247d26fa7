"""The edits that a browser may ask for: each is the public call that Python has for it."""

from collections.abc import Callable, Hashable
from typing import Any

from kanviz.edits import MovePoint, SetCurve
from kanviz.edits.address import check_edge
from kanviz.model.desk.request import Request
from kanviz.model.kan import KAN

FINEST_GRID = 1000
"""Intervals that the grid slider may ask for: memory grows with them."""

EditOf = Callable[[KAN, Request, Hashable], Any]


def move_point(model: KAN, request: Request, who: Hashable) -> None:
    """Move a control point; what one drag does is one step of the history."""
    edge = check_edge(model.network, *request.edge())
    edit = MovePoint(*edge, request.integer("m"), request.number("height"))
    model.session.change(edit, burst=("drag", who, edge, request.integer("drag")))


def set_curve(model: KAN, request: Request, who: Hashable) -> None:
    """Bend an edge through points; what one stroke does is one step of the history."""
    edge = check_edge(model.network, *request.edge())
    edit = SetCurve(*edge, tuple(request.numbers("x")), tuple(request.numbers("y")))
    model.session.change(edit, burst=("drag", who, edge, request.integer("drag")))


def jump(model: KAN, request: Request, _: Hashable) -> None:
    """Undo or redo until so many steps are done."""
    history = model.session.history
    with model.session.at_rest():
        most = history.position + len(history.undone_sentences())
        model.session.jump(request.integer("position", 0, most))


def _remove_node(model: KAN, request: Request, _: Hashable) -> None:
    model.remove_node(request.integer("layer"), request.integer("index"))


def _restore_node(model: KAN, request: Request, _: Hashable) -> None:
    model.restore_node(request.integer("layer"), request.integer("index"))


EDITS: dict[str, EditOf] = {
    "move_point": move_point,
    "set_curve": set_curve,
    "fix": lambda model, r, _: model.fix(r.edge(), r.text("formula"), numbers=r.affine()),
    "unfix": lambda model, r, _: model.unfix(r.edge()),
    "remove_edge": lambda model, r, _: model.remove_edge(*r.edge()),
    "restore_edge": lambda model, r, _: model.restore_edge(*r.edge()),
    "freeze": lambda model, r, _: model.freeze(r.edge()),
    "unfreeze": lambda model, r, _: model.unfreeze(r.edge()),
    "remove_node": _remove_node,
    "restore_node": _restore_node,
    "lock": lambda model, r, _: model.lock(r.edges()),
    "unlock": lambda model, r, _: model.unlock(r.edges()),
    "refine": lambda model, r, _: model.refine(r.integer("grid_size", 1, FINEST_GRID)),
    "prune": lambda model, r, _: model.prune(edges=r.edges()),
    "undo": lambda model, _r, _: model.undo(),
    "redo": lambda model, _r, _: model.redo(),
    "jump": jump,
}
"""What each request of this kind does; the last argument tells one browser's bursts from others."""
