"""Random sequences of edits, and forged requests to the live diagram.

What must hold: a call does what it says, or raises one sentence and changes nothing, to the last
bit; what is kept is finite, can be drawn, saved and loaded; undo and redo are exact; a reply is
JSON, short where it refuses.
"""

import contextlib
import io
import json
import math
import random
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import torch
from model_helpers import bytes_of

import kanviz as kv
from kanviz.edits.curves import How
from kanviz.live import contract
from kanviz.live.desk import Desk

REFUSALS = (ValueError, TypeError, IndexError, ArithmeticError, RuntimeError)
"""What a call may raise, in one sentence; a KeyError or an AttributeError is a fault."""

MOST_LETTERS = 700
"""Of a sentence that refuses: a screen, not a page."""

MOST_BYTES = 2000
"""Of a reply that refuses."""

USUAL = 1e9
"""Up to numbers of this size outputs are finite too, and so can be drawn."""

FORMULAS = ("sin", "x^2", "exp", "abs", "gaussian", "0.5*x**2 + 1", "tanh(3*x) - x", "1/x", "log")
BAD_FORMULAS = ("", "x +", "y", "import os", "x**-100", "9**9**9", "sin(" * 50, "0*x", "x/0", "é")

ODD_NUMBERS = (0.0, -0.0, 1e-300, 1e12, -1e30, 1e39, 1e308, math.inf, -math.inf, math.nan)


class Draw:
    """Random choices for the edits of one model; each returns what a user may pass, or not."""

    def __init__(self, seed: int, model: kv.KAN) -> None:
        self.rng = random.Random(seed)
        self.model = model

    def number(self) -> float:
        if self.rng.random() < 0.08:
            return self.rng.choice(ODD_NUMBERS)
        return self.rng.gauss(0, 1)

    def index(self, count: int) -> Any:
        if self.rng.random() < 0.05:
            return self.rng.choice([-1, count, 10**9, 1.0, None, "0", True])
        return self.rng.randrange(max(1, count))

    def edge(self) -> tuple[Any, ...]:
        widths = self.model.widths
        layer = self.index(len(widths) - 1)
        at = layer if isinstance(layer, int) and 0 <= layer < len(widths) - 1 else 0
        return layer, self.index(widths[at]), self.index(widths[at + 1])

    def edges(self) -> list[Any]:
        if self.rng.random() < 0.8:  # of one layer, as locking wants
            layer = self.rng.randrange(len(self.model.widths) - 1)
            ins, outs = self.model.widths[layer : layer + 2]
            pairs = [(layer, i, j) for i in range(ins) for j in range(outs)]
            return self.rng.sample(pairs, min(len(pairs), self.rng.randint(1, 3)))
        return [self.edge() for _ in range(self.rng.randint(0, 3))]

    def node(self) -> tuple[Any, ...]:
        layer = self.index(len(self.model.widths))
        at = layer if isinstance(layer, int) and 0 <= layer < len(self.model.widths) else 0
        return layer, self.index(self.model.widths[at])

    def rows(self) -> Any:
        scale = self.rng.choice([1.0, 1.0, 1.0, 100.0, 1e-6, 1e7])
        shift = self.rng.choice([0.0, 0.0, 5.0, 1e9])
        rows = self.rng.choice([1, 2, 30, 30])
        values = torch.rand(rows, self.model.widths[0], dtype=torch.float64, generator=self.torch())
        if self.rng.random() < 0.05:
            values[0, 0] = self.rng.choice(ODD_NUMBERS)
        return shift + scale * (2 * values - 1)

    def data(self) -> Any:
        x = 2 * torch.rand(40, self.model.widths[0], dtype=torch.float64, generator=self.torch())
        y = torch.sin(x.sum(1, keepdim=True)).expand(-1, self.model.widths[-1])
        return x - 1, y.clone()

    def torch(self) -> torch.Generator:
        return torch.Generator().manual_seed(self.rng.randrange(2**31))

    def formula(self) -> str:
        return self.rng.choice(BAD_FORMULAS if self.rng.random() < 0.1 else FORMULAS)

    def affine(self) -> Any:
        if self.rng.random() < 0.5:
            return None
        return tuple(self.number() for _ in range(4 if self.rng.random() < 0.95 else 3))

    def place(self) -> Any:
        return self.rng.choice([self.rng.randint(0, 2), self.node(), self.edge()])


def _jump(model: kv.KAN, draw: Draw) -> None:
    model.session.jump(draw.index(len(model.steps) + 1))


def _fit(model: kv.KAN, draw: Draw) -> None:
    optimizer: Any = draw.rng.choice(["lm", "adam", "lbfgs"])
    model.fit(*draw.data(), optimizer=optimizer, steps=draw.rng.randint(1, 3), progress=False)


def _own_training(model: kv.KAN, draw: Draw) -> None:
    """Change parameters as a loop of the user's does."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.01 * draw.rng.gauss(0, 1))


EDITS: tuple[tuple[int, Callable[[kv.KAN, Draw], object]], ...] = (
    (5, lambda model, draw: model.remove_edge(draw.edge())),
    (3, lambda model, draw: model.restore_edge(draw.edge())),
    (1, lambda model, draw: model.remove_node(draw.node())),
    (1, lambda model, draw: model.restore_node(draw.node())),
    (8, lambda model, draw: model.move_point(draw.edge(), draw.index(8), draw.number())),
    (3, lambda model, draw: model.set_curve(draw.edge(), *_points(draw))),
    (2, lambda model, draw: model.refine(draw.rng.choice([1, 2, 5, 7, 10, 20, 0, -1]))),
    (2, lambda model, draw: model.update_grid(draw.rows(), grid_eps=draw.rng.random())),
    (1, lambda model, draw: model.update_grid()),
    (3, lambda model, draw: model.freeze(draw.place())),
    (2, lambda model, draw: model.unfreeze(draw.place())),
    (4, lambda model, draw: model.lock(draw.edges())),
    (2, lambda model, draw: model.unlock(draw.edges())),
    (2, lambda model, draw: model.prune(edges=draw.edges())),
    (5, lambda model, draw: model.fix(draw.edge(), draw.formula(), affine=draw.affine())),
    (3, lambda model, draw: model.unfix(draw.edge())),
    (6, lambda model, draw: model.undo()),
    (4, lambda model, draw: model.redo()),
    (2, _jump),
    (1, _fit),
    (1, _own_training),
)
"""Each edit, and how often it comes."""


def _points(draw: Draw) -> tuple[list[float], list[float]]:
    count = draw.rng.choice([1, 2, 4, 12])
    return [draw.number() for _ in range(count)], [draw.number() for _ in range(count)]


def make_model(rng: random.Random) -> kv.KAN:
    """Return a small model of any family."""
    options: dict[str, Any] = {
        "grid_size": rng.choice([1, 3, 5, 8]),
        "basis": rng.choice(["bspline", "bspline", "bspline", "gaussian"]),
        "base": rng.choice(["silu", "identity", "zero"]),
        "extrapolation": rng.choice(["linear", "zero"]),
        "seed": rng.randrange(1000),
        "dtype": rng.choice([torch.float64, torch.float32]),
    }
    if options["basis"] == "bspline":
        options["spline_order"] = rng.choice([0, 1, 2, 3, 3, 3])
    return kv.KAN(rng.choice([[1, 1], [2, 1], [2, 2, 1], [2, 3, 2], [1, 2, 2, 1]]), **options)


def sequence(seed: int, length: int = 25) -> list[str]:
    """Edit one model ``length`` times; return what was wrong."""
    rng = random.Random(seed)
    model = make_model(rng)
    draw = Draw(rng.randrange(2**31), model)
    weights = [often for often, _ in EDITS]
    first = bytes_of(model)
    with tempfile.TemporaryDirectory() as folder:
        for number in range(length):
            (_, edit) = rng.choices(EDITS, weights)[0]
            before, steps = bytes_of(model), model.steps
            found = _try(lambda edit=edit: edit(model, draw))  # type: ignore[misc]
            place = f"edits, seed {seed}, edit {number}"
            is_refused = isinstance(found, Refused)
            if found and not is_refused:
                return [f"{place}: {found}"]
            if is_refused and (bytes_of(model) != before or _ours(model) != _ours_of(steps)):
                return [f"{place}: refused, and changed something"]
            fault = "" if is_refused else _fault_of(model)
            if fault:
                return [f"{place}: {fault} after {model.steps[-1:]}"]
        return [f"edits, seed {seed}: {fault}" for fault in _at_the_end(model, first, folder)]


def _ours(model: kv.KAN) -> list[str]:
    return _ours_of(model.steps)


def _ours_of(steps: list[str]) -> list[str]:
    """Leave out what a loop of the user's own has done, which is noticed at the next call."""
    return [step for step in steps if "outside" not in step]


class Refused(str):
    """The sentence by which a call refused."""

    __slots__ = ()


def _try(call: Callable[[], object]) -> str:
    """Return "" where a call went well, how it refused, or else what was wrong."""
    try:
        with contextlib.redirect_stderr(io.StringIO()):
            call()
    except REFUSALS as error:
        text = str(error)
        if len(text) > MOST_LETTERS or "\n" in text.strip() or "linalg" in text:
            return f"{type(error).__name__}: {text[:300]}"
        return Refused(text)
    except Exception:  # noqa: BLE001 - which it is, is the question
        return traceback.format_exc(limit=-4)
    return ""


def _fault_of(model: kv.KAN) -> str:
    """Return what is wrong with a model between two edits."""
    for name, tensor in model.network.state_dict().items():
        if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
            return f"{name} is not finite"
    if model.running_fit is not None or model.session._editor is not None:
        return "somebody still has the turn"
    return ""


def _at_the_end(model: kv.KAN, first: object, folder: str) -> list[str]:
    """Draw, save, load, copy, and go all the way back and forth."""
    faults = []
    last, steps = bytes_of(model), model.steps
    x = torch.linspace(-3, 3, 7, dtype=torch.float64)[:, None].expand(-1, model.widths[0])
    y = model.network(x.to(model.network.layers[0].weight)).detach()
    numbers = [float(p.detach().abs().max()) for p in model.parameters()]
    is_usual = max(numbers) < USUAL
    if is_usual and not bool(y.isfinite().all()):
        faults.append("outputs are not finite")
    path = Path(folder) / "model.kan"
    for name, part in (
        ("drawn", lambda: model.snapshot()),
        ("saved", lambda: model.save(path)),
        ("loaded", lambda: kv.load(path)),
        ("drawn as a scene", lambda: Desk(model).scene()),
    ):
        found = _try(part)
        if found and (is_usual or not isinstance(found, Refused) or "drawn" not in name):
            faults.append(f"cannot be {name}: {found}")
            return faults
    if not torch.equal(kv.load(path).network(x.to(y)), y) and is_usual:
        faults.append("loads with other outputs")
    twin = model.copy()
    model.session.history._notice(model.network)  # what a loop of the user's own has done last
    position = len(model.steps)
    model.session.jump(0)
    if bytes_of(model) != first:
        faults.append("undo does not come back to the beginning")
    model.session.jump(position)
    if bytes_of(model) != last or _ours(model) != _ours_of(steps) or bytes_of(twin) != last:
        faults.append("redo does not come back to the end")
    return faults


def run(count: int, seed: int) -> list[str]:
    """Return the faults of ``count`` sequences."""
    return [fault for number in range(count) for fault in sequence(seed + number)]


# ---- forged requests -----------------------------------------------------------------------------

SLOW = {"symbolify", "prune_in_context", "page", "formula", "suggest", "preview", "plan"}
"""Requests that take long: they come in full more rarely."""

STRANGE: tuple[Any, ...] = (
    *(None, True, -1, 0, 1, 10**400, 1.5, math.nan, math.inf, -math.inf, "", "0", "x" * 5000),
    *([], {}, [[]], [0, 0, 0], [0, 0], {"$": "f8"}, b"bytes", [None] * 4, 2**53, 2**63, "\ud800"),
)


def forged(rng: random.Random, model: kv.KAN) -> object:
    """Return a request that is right, or not quite, or not at all."""
    if rng.random() < 0.03:
        return rng.choice(STRANGE)
    draw = Draw(rng.randrange(2**31), model)
    name = rng.choice([kind for kind in contract.REQUESTS if kind not in SLOW])
    if rng.random() < 0.1:
        name = rng.choice(sorted(SLOW))
    values: dict[str, Callable[[], Any]] = {
        "edge": lambda: list(draw.edge()),
        "edges": lambda: [list(edge) for edge in draw.edges()],
        "m": lambda: draw.index(8),
        "height": draw.number,
        "drag": lambda: rng.randrange(5),
        "how": lambda: rng.choice(get_args(How)),
        "x": lambda: [draw.number() for _ in range(model.widths[0])],
        "y": lambda: [draw.number() for _ in range(model.widths[0])],
        "formula": draw.formula,
        "numbers": draw.affine,
        "layer": lambda: draw.index(3),
        "output": lambda: draw.index(2),
        "shapes": lambda: rng.choice([["increasing"], ["convex", "even"], ["odd"], [], ["round"]]),
        "index": lambda: draw.index(3),
        "grid_size": lambda: rng.choice([1, 3, 8]),
        "position": lambda: rng.randrange(8),
        "options": lambda: {"steps": rng.randint(1, 3), "optimizer": rng.choice(["lm", "adam"])},
        "max_edges": lambda: rng.choice([None, 1, 5, 100]),
    }
    fields = contract._READERS[contract.REQUESTS[name]]
    message = {"type": name, "seq": rng.randrange(100), **{key: values[key]() for key in fields}}
    if rng.random() < 0.4:
        key = rng.choice(list(message))
        message[key] = rng.choice(STRANGE)
    if rng.random() < 0.05:
        message.pop(rng.choice(list(message)))
    if rng.random() < 0.02:
        message["edges"] = [[0, 0, 0]] * 100_000
    return message


def conversation(seed: int, length: int) -> list[str]:
    """Send ``length`` requests to one desk; return what was wrong."""
    rng = random.Random(seed)
    model = make_model(rng)
    data = Draw(rng.randrange(2**31), model).data()
    desk = Desk(model, data if rng.random() < 0.8 else None)
    desk.watch(lambda _: None)
    for number in range(length):
        message = forged(rng, model)
        before, steps = bytes_of(model), model.steps
        is_still = model.running_fit is None
        place = f"messages, seed {seed}, message {number}, {str(message)[:200]}"
        try:
            reply = desk.answer(message)
            text = json.dumps(reply, allow_nan=False).encode()
        except Exception:  # noqa: BLE001 - which it is, is the question
            return [f"{place}: {traceback.format_exc(limit=-4)}"]
        if not reply["ok"]:
            error = reply["error"]
            if "went wrong in Python" in error or "\n" in error or len(text) > MOST_BYTES:
                return [f"{place}: {error[:600]}"]
            if is_still and (bytes_of(model) != before or model.steps != steps):
                return [f"{place}: refused, and changed something"]
        running = model.running_fit
        if running is not None and rng.random() < 0.7:
            running.stop()
            with contextlib.suppress(*REFUSALS):
                running.wait(60)
        if running is None and (fault := _fault_of(model)):
            return [f"{place}: {fault}"]
        if rng.random() < 0.1 and not isinstance(found := _try(desk.news), Refused) and found:
            return [f"{place}: the picture: {found}"]
        try:
            json.dumps(desk.status(), allow_nan=False)
        except ValueError:
            return [f"{place}: the status is no JSON"]
    if model.running_fit is not None:
        model.running_fit.stop()
    desk.close()
    return []


def run_messages(count: int, seed: int) -> list[str]:
    """Return the faults of ``count`` messages, 50 to a model."""
    parts = [min(50, count - done) for done in range(0, count, 50)]
    return [fault for n, part in enumerate(parts) for fault in conversation(seed + n, part)]
