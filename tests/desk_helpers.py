"""A desk at a small model, and what the contract says of scenes, that several tests share."""

from typing import Any, get_type_hints

import torch
from model_helpers import make_data, make_model

from kanviz.data import Dataset
from kanviz.live.desk import Desk
from kanviz.model import KAN


class Told(list[str]):
    """What a desk told, in order; ``on_step`` is called for each step of a fit."""

    def __init__(self) -> None:
        super().__init__()
        self.on_step: Any = None

    def __call__(self, what: str) -> None:
        self.append(what)
        if what == "step" and self.on_step is not None:
            self.on_step()


def make_desk(
    model: KAN | None = None, data: Dataset | None = None, **options: Any
) -> tuple[Desk, Told]:
    told = Told()
    desk = Desk(
        make_model() if model is None else model,
        make_data() if data is None else data,
        **options,
    )
    desk.watch(told)
    return desk, told


def ask(desk: Desk, kind: str, **fields: Any) -> Any:
    """Return the value of the reply to a request that must go well."""
    reply = desk.answer({"type": kind, "seq": 1, **fields})
    assert reply["ok"], reply["error"]
    return reply["value"]


def refusal(desk: Desk, message: object) -> str:
    """Return why a request was refused."""
    reply = desk.answer(message)
    assert reply["ok"] is False
    error: str = reply["error"]
    return error


def fields_of(record: type) -> set[str]:
    """Return the names of the fields of one record of the contract."""
    return set(get_type_hints(record))


def edge_of(scene: dict[str, Any], *address: int) -> dict[str, Any]:
    """Return one edge of a scene."""
    found = [e for e in scene["edges"] if (e["layer"], e["i"], e["j"]) == address]
    assert len(found) == 1
    edge: dict[str, Any] = found[0]
    return edge


def classes() -> Dataset:
    """Return two classes in the plane, with a test part."""
    x = torch.rand(60, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    y = (x[:, 0] > x[:, 1]).long()
    names = (("a", "b"), ("no", "yes"))
    plain = make_data()
    identity = plain.x_scaling
    return Dataset(x[:40], y[:40], x[40:], y[40:], *names, identity, identity)
