"""Numbers that Python computed, packed, for the unit tests of the front end to compute again."""

import random
import tempfile
from collections.abc import Iterable, Sequence
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import torch
from make_snapshot import make_snapshot
from model_helpers import make_data, make_model, make_sample
from test_edit_walk import MOVES

from kanviz.analysis.attribution import scores
from kanviz.analysis.recipe import recipe_of
from kanviz.data import from_arrays
from kanviz.layout.picture import picture
from kanviz.live.desk import Desk
from kanviz.live.packing import pack
from kanviz.live.scene import drawing
from kanviz.model import KAN
from kanviz.nn.basis import RADIAL_FUNCTIONS
from kanviz.nn.nodes import NodeCount
from kanviz.snapshot import Edge, Snapshot
from kanviz.symbolic.safe import SAFE
from kanviz.training.jacobian import linearise, n_weights
from kanviz.training.least_squares import dense_normal_equations
from kanviz.training.penalties import EdgeForms, smoothness, sparse_forms
from kanviz.training.sparsity import Sparsity

EXPONENTS = (2, 3, -1, -2, 0.5, -1.5, 1.5, 1 / 3)
FORMULAS = ("sin", "x^2", "sqrt", "log", "J0(3*x)", "relu(x - 0.1)", "x**2.5 + 2", "erf(x)")
N_ARGUMENTS = {"add": 2, "multiply": 2}


def fixture() -> bytes:
    """Return operations, networks and a drawn curve with what Python makes of each."""
    networks = [network(*each) for each in models()]
    parts = {"operations": operations(), "networks": networks, "drawn": drawn()}
    parts["file"] = saved_file()
    parts["trained"] = [trained(), trained(basis="gaussian", extrapolation="zero")]
    told = [*patches(0), *patches(1, basis="gaussian"), *patches(2, base="identity")]
    told += patches(3, with_units=True)
    return pack(parts | {"pictures": pictures(), "patches": told, "rows": rows()})


def rows() -> dict[str, Any]:
    """Return what Python says of a model row by row, with the scene of its page."""
    x = make_sample(samples=30)
    data = from_arrays(300 + 40 * x, 1e5 * x[:, :1] * x[:, 1:2] - 7e4, test_fraction=0.0)
    model = make_model(grid_size=3)
    model.fit(data, steps=2, progress=False)
    desk, row = Desk(model, data), [310.0, 275.0]
    asked = {"diagnosis": {}, "contributions": {"x": row}}
    found = {
        kind: desk.answer({"type": kind, "seq": 1, "output": 0, **more})["value"]
        for kind, more in asked.items()
    }
    return {"scene": desk.scene(), "row": row, **found}


def patches(seed: int, *, with_units: bool = False, **options: Any) -> list[dict[str, Any]]:
    """Return patches of random edits, each with the scene that it is told from and a fresh one."""
    model, data = make_model(grid_size=3, **options), make_data()
    if with_units:
        x = make_sample()
        data = from_arrays(300 + 40 * x, 1e5 * x[:, :1] - 7e4, normalize=True)
        model.fit(data, steps=2, progress=False)
    desk, rng = Desk(model, data), random.Random(seed)
    desk.watch(lambda _: None)
    found: list[dict[str, Any]] = []
    moves = dict(MOVES) | {"undo": lambda m, r, x: m.undo(), "redo": lambda m, r, x: m.redo()}
    base = desk.scene()
    while len(found) < 12:
        try:
            moves[rng.choice(list(moves))](desk.model, rng, make_sample(samples=40))
        except (ValueError, IndexError):
            continue
        ((kind, record),) = desk.news().items()
        if kind == "scene":
            base = record
        else:
            found.append({"scene": base, "patch": record, "fresh": fresh(desk)})
    return found


def fresh(desk: Desk) -> dict[str, Any]:
    """Return the whole scene that would be sent now, without sending it."""
    with desk._still():
        return dict(desk._scene(desk.snapshot(), desk._version))


def operations() -> list[dict[str, Any]]:
    """Return every operation of formulas at ordinary, extreme and broken arguments."""
    sizes = [*np.geomspace(1e-200, 1e200, 41), *np.linspace(0.05, 40, 160), 1.0, 1 - 1e-9, 0.0]
    x = np.concatenate([sizes, np.negative(sizes)])
    found = []
    for op in SAFE:
        numbers = {"power": EXPONENTS, "bessel": (0, 1, 2)}.get(op, (None,))
        for number in numbers:
            points = x[np.abs(x) < 1e3] if op in ("bessel", "sin", "cos", "tan", "sinc") else x
            arguments = [points, 1 - points / 3][: N_ARGUMENTS.get(op, 1)]
            extra = () if number is None else (number,)
            values = SAFE[op](*map(torch.from_numpy, arguments), *extra).numpy()
            call = {"op": op, "number": number, "arguments": arguments, "values": values}
            found.append(call)
    return found


def models() -> list[tuple[str, KAN]]:
    """Return splines of every kind, every radial basis, and formulas with removed edges."""
    found = []
    for k, extrapolation, even in product(range(6), ("linear", "zero"), (True, False)):
        model = make_model(spline_order=k, extrapolation=extrapolation)
        if not even:
            model.update_grid(np.random.default_rng(1).normal(0, 0.5, (200, 2)), grid_eps=0.2)
        found.append((f"spline {k} {extrapolation} {even}", model))
    for basis, extrapolation in product(RADIAL_FUNCTIONS, ("linear", "zero")):
        base = "identity" if extrapolation == "zero" else "zero"
        model = make_model(basis=basis, extrapolation=extrapolation, base=base)
        found.append((f"{basis} {extrapolation}", model))
    for formula in FORMULAS:
        model = make_model()
        for edge in [(0, 0, 0), (0, 1, 2), (1, 1, 0)]:
            model.fix(edge, formula, affine=(1.3, -0.2, 0.7, 0.1))
        model.remove_edge((0, 1, 0))
        found.append((formula, model))
    for gone in ([], [(0, 0, 2), (0, 1, 2)], [(0, i, j) for i in (0, 1) for j in (3, 4, 5)]):
        model = KAN([2, (1, (2, 3)), 1], seed=1, dtype=torch.float64)
        for edge in gone:  # a factor, then a whole product
            model.remove_edge(edge)
        found.append((f"products without {len(gone)} edges", model))
    return found


def network(name: str, model: KAN) -> dict[str, Any]:
    """Return a network with its outputs, all values of one row, and its scores."""
    x = np.random.default_rng(0).uniform(-2, 2, (60, 2))
    x[:4] = np.array([-1.0, 1.0, 0.2, 0.0])[:, None]
    net, inputs = model.network, torch.from_numpy(x)
    with torch.no_grad():
        edges = [net.layers[0].edge_outputs(inputs[5:6])]
        edges.append(net.layers[1].edge_outputs(net.layers[0](inputs[5:6])))
        outputs = net(inputs).numpy()
    return {
        "name": name,
        "recipe": recipe_of(net, model.session.about).to_dict(),
        "x": x,
        "outputs": outputs,
        "edges": [values.numpy().ravel() for values in edges],
        "scores": [values.numpy() for values in scores(net, inputs).edges],
    }


def drawn() -> dict[str, Any]:
    """Return an edge before and after a curve was drawn on it."""
    model = make_model()
    before = recipe_of(model.network, model.session.about).to_dict()
    x = np.linspace(-0.8, 0.5, 25)
    model.set_curve((0, 1, 2), x.tolist(), np.sin(3 * x).tolist())
    after = recipe_of(model.network, model.session.about).layers[0].weight
    return {"recipe": before, "x": x, "y": np.sin(3 * x), "weight": after}


def saved_file() -> dict[str, Any]:
    """Return the bytes of a file, with a formula and units, and what its network computes."""
    x = np.random.default_rng(3).uniform(2, 7, (40, 2))
    data = from_arrays(x, 30 * x[:, 0] + x[:, 1], input_names=["x_1", "\u03b2"])
    model = KAN([2, 3, 1], seed=0, dtype=torch.float64)
    model.fit(data, steps=1, progress=False)
    model.fix((0, 0, 1), "sin", affine=(1.3, -0.2, 0.7, 0.1))
    model.remove_edge((0, 1, 0))
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.kan"
        model.save(path)
        content = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    return {"kan": content, "x": x, "outputs": np.asarray(model.predict(x), dtype=np.float64)}


def trained(**options: Any) -> dict[str, Any]:
    """Return a network with all that a step of training asks of it, and the same on moved grids."""
    model = make_model(grid_size=3, **options)
    model.fix((0, 0, 1), "sin", affine=(1.3, -0.2, 0.7, 0.1))
    model.remove_edge((0, 1, 0))
    network, x = model.network, make_sample(samples=50)
    y = torch.sin(3 * x[:, :1]) + x[:, 1:]
    total = n_weights(network)
    rows = linearise(network, x)
    residuals = (rows.outputs - y).detach()
    matrix, gradient = dense_normal_equations(rows, residuals, total)
    forms = {"smooth": smoothness(network, 0.1), "sparse": sparse_forms(network, x, Sparsity(0.1))}
    before = recipe_of(network, model.session.about).to_dict()
    network.update_grid(x, grid_eps=1.0)
    with torch.no_grad():
        moved = network(x).numpy()
    return {
        "recipe": before,
        "x": x.numpy(),
        "y": y.numpy(),
        "loss": float(residuals.square().sum()),
        "matrix": matrix.detach().numpy(),
        "gradient": gradient.detach().numpy(),
        **{name: _added(form, total) for name, form in forms.items()},
        "moved": moved,
    }


def _added(form: EdgeForms, total: int) -> np.ndarray:
    """Return the matrix of a penalty over all weights."""
    matrix, ones = torch.zeros(total, total, dtype=torch.float64), torch.ones(total).double()
    form.add(matrix, torch.zeros_like(ones), ones)
    return matrix.numpy()


def pictures() -> list[dict[str, Any]]:
    """Return networks of many shapes, and where a figure of the same size has everything."""
    symbolic: dict[str, Any] = {"state": "symbolic", "formula": "2*sin(3*x) + 1", "function": "sin"}
    states: dict[Edge, dict[str, Any]] = {
        Edge(0, 0, 1): symbolic,
        Edge(0, 1, 0): {"state": "pruned"},
        Edge(0, 1, 2): {"state": "pruned", "formula": "x"},
        Edge(1, 2, 0): symbolic | {"frozen": True},
    }
    long = ("flipper length in millimetres", "W" * 40, "mass", "\u8eab\u9577\u8eab\u9577 e\u0301")
    found = [
        ("plain", make_snapshot([2, 5, 1]), (760, 480)),
        ("one edge", make_snapshot([1, 1]), (400, 470)),
        ("states", make_snapshot([2, 3, 1], changes=states), (640, 500)),
        ("narrow", make_snapshot([2, 5, 1], changes=states), (420, 700)),
        ("deep", make_snapshot([3, 4, 4, 3, 1]), (797, 760)),
        ("wide", make_snapshot([10, 20, 5]), (1000, 760)),
        ("very wide", make_snapshot([64, 64, 10]), (1200, 900)),
        ("long names", make_snapshot([4, 6, 3, 2], labels=long), (797, 760)),
        ("upright names", make_snapshot([13, 4, 1], labels=long), (640, 620)),
        ("low", make_snapshot([2, 2, 2, 2, 1], changes=states), (600, 420)),
    ]
    for seed in range(4):
        model = KAN([4, 6, 3, 2], seed=seed)
        places = np.random.default_rng(seed).permutation(6)
        for i, j in product(range(4), range(6)):
            if (i + places[j] + seed) % 3:
                model.remove_edge((0, i, j))
        found.append((f"pruned {seed}", model.snapshot(), (800, 720)))
    shapes: list[list[NodeCount]] = [
        [3, (2, 1), 1],
        [4, (1, (2, 3)), (0, 2), 2],
        [2, (0, 12), 1],
    ]
    for shape in shapes:
        model = KAN(shape, seed=0)
        found.append((f"products {shape}", model.snapshot(), (760, 700)))
        model.remove_node((1, 0))
        for i in range(model.widths[0]):  # a product of two becomes a sum
            model.remove_edge((0, i, model.network.layers[0].out_features - 1))
        found.append((f"fewer products {shape}", model.snapshot(), (760, 700)))
    return [_picture(*each) for each in found]


def _picture(name: str, snapshot: Snapshot, size: tuple[int, int]) -> dict[str, Any]:
    whole = picture(snapshot, size=size)
    area = whole.area
    edges = {mark.view.edge: mark for mark in whole.edges}
    marks = [edges[view.edge] for view in snapshot.edges]
    lines = [chain[end] for mark in marks for chain in mark.connectors for end in (0, -1)]
    return {
        "name": name,
        "scene": drawing(snapshot),
        "width": area.width,
        "height": area.height,
        "nodes": _flat((mark.x, mark.y - area.top, mark.radius) for mark in whole.nodes),
        "boxes": _flat((b.left, b.top - area.top, b.width) for b in (m.plot.box for m in marks)),
        "lines": _flat((x, y - area.top) for x, y in lines),
    }


def _flat(rows: Iterable[Sequence[float]]) -> np.ndarray:
    return np.array(list(rows), dtype=np.float64).ravel()
