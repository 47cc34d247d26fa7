"""The house rules that a reader of DESIGN's map relies on, read from the source with ``ast``.

``ROOMS`` is the map. A new module or a new third-party import goes in there, on purpose.
"""

import ast
import io
import sys
import tokenize
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kanviz"
FILES = sorted(PACKAGE.rglob("*.py"))
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Room(NamedTuple):
    """A module or folder of kanviz: its floor, and the packages outside Python that it may import.

    A room imports from lower floors, and from its own floor as long as no circle arises.
    """

    floor: int
    packages: str


ROOMS = {
    "snapshot": Room(0, ""),
    "layout": Room(0, ""),
    "checks": Room(0, "jaxtyping numpy torch"),
    "recipe": Room(0, "numpy"),
    "writing": Room(0, ""),
    "tables": Room(0, ""),
    "plan": Room(0, ""),
    "data": Room(0, "jaxtyping numpy pandas torch"),
    "nn": Room(1, "jaxtyping numba numpy torch"),
    "training": Room(2, "jaxtyping matplotlib numba numpy torch tqdm"),
    "symbolic": Room(2, "jaxtyping joblib numpy sympy torch"),
    "analysis": Room(2, "jaxtyping numpy torch"),
    "edits": Room(3, "jaxtyping torch"),
    "history": Room(4, "torch"),
    "files": Room(5, "safetensors torch"),
    "model": Room(6, "jaxtyping matplotlib networkx numpy torch"),
    "views": Room(7, "anywidget matplotlib networkx numpy traitlets"),
    "live": Room(7, ""),
    "course": Room(8, "anywidget jaxtyping numpy scipy torch traitlets"),
    "__init__": Room(9, ""),
    "cli": Room(10, "torch tqdm"),
    "__main__": Room(11, ""),
}

# Views read the plain records of a network and nothing else of kanviz, whatever the floors allow.
ONLY_FROM = {
    "views": {
        "snapshot",
        "recipe",
        "layout",
        "plan",
        "tables",
        "checks",
        "writing",
        "live",
        "views",
    },
}

# These draw on request: they reach up to the views, inside functions only.
DRAWS_ON_REQUEST = {"model", "training"}


class Import(NamedTuple):
    """One imported name in full (``kanviz.nn.layer.KANLayer``), and where it stands."""

    name: str
    line: int
    inside_function: bool


def imports_of(source: str) -> list[Import]:
    tree = ast.parse(source)
    inside = inside_functions(tree)
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import | ast.ImportFrom):
            stem = ""
            if isinstance(node, ast.ImportFrom):
                stem = f"{'.' * node.level}{node.module or ''}."
            found += [Import(stem + name.name, node.lineno, node in inside) for name in node.names]
    return found


def functions_of(tree: ast.Module) -> list[FunctionNode]:
    return [node for node in ast.walk(tree) if isinstance(node, FunctionNode)]


def inside_functions(tree: ast.Module) -> set[ast.AST]:
    """Return what stands in the body of a function, other functions included."""
    return {
        inner
        for function in functions_of(tree)
        for statement in function.body
        for inner in ast.walk(statement)
    }


def room_of(module: str) -> str:
    """Return the room of a dotted name: ``kanviz.nn.layer.KANLayer`` -> ``nn``."""
    parts = module.split(".")
    return parts[1] if len(parts) > 1 and parts[1] in ROOMS else "__init__"


def complaints(room: str, source: str) -> list[str]:
    """Return what is wrong with the imports of ``source``, a file of ``room``."""
    checked = ((imported, _complaint(room, imported)) for imported in imports_of(source))
    return [f"line {imported.line}: {complaint}" for imported, complaint in checked if complaint]


def _complaint(room: str, imported: Import) -> str:
    name, top, other = imported.name, imported.name.split(".")[0], room_of(imported.name)
    if top == "__future__":
        return "no future annotations: they hide the types from the shape checks"
    if top == "":
        return f"{name} must be written in full"
    if name.startswith(("matplotlib.pyplot", "matplotlib.pylab")):
        return "no pyplot: it keeps global figures"
    if top in sys.stdlib_module_names or top in ROOMS[room].packages.split():
        return ""
    if other == "views" and room in DRAWS_ON_REQUEST:
        return "" if imported.inside_function else f"import {name} inside the function that draws"
    if top == "kanviz" and other in ONLY_FROM.get(room, ROOMS):
        is_below = ROOMS[other].floor <= ROOMS[room].floor
        return "" if is_below else f"{room} must not reach up to {name}"
    return f"{room} must not import {name}"


def code_lines(function: FunctionNode, source: str) -> int:
    """Count the lines of a function that hold code: no docstring, comment or blank line."""
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.string.strip() and token.type != tokenize.COMMENT:
            lines.update(range(token.start[0], token.end[0] + 1))
    if docstring is not None:
        lines -= set(range(docstring.lineno, (docstring.end_lineno or docstring.lineno) + 1))
    return sum(function.lineno <= line <= (function.end_lineno or 0) for line in lines)


def unannotated(function: FunctionNode) -> list[str]:
    """Return the parameters of a function that lack a type, and ``return`` where that does."""
    a = function.args
    parameters = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    names = [p.arg for p in parameters if p.annotation is None and p.arg not in ("self", "cls")]
    return names + ([] if function.returns else ["return"])


def _module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("path", FILES, ids=_module_name)
def test_module_has_a_room_and_imports_only_what_the_room_may(path: Path) -> None:
    room = path.relative_to(PACKAGE).parts[0].removesuffix(".py")
    assert room in ROOMS, f"kanviz/{room} has no floor yet; give it a line in ROOMS"
    assert complaints(room, path.read_text()) == []


@pytest.mark.parametrize("path", FILES, ids=_module_name)
def test_functions_are_short_and_typed(path: Path) -> None:
    source = path.read_text()
    tree = ast.parse(source)
    functions, local = functions_of(tree), inside_functions(tree)
    assert {f.name: n for f in functions if (n := code_lines(f, source)) > 40} == {}
    named = [f for f in functions if f.name == "__init__" or not f.name.startswith("_")]
    public = [f for f in named if f not in local]
    assert {f.name: names for f in public if (names := unannotated(f))} == {}


def test_no_circle_of_imports() -> None:
    modules = {_module_name(path): path.read_text() for path in FILES}
    graph = {}
    for module, source in modules.items():
        names = [imported.name for imported in imports_of(source) if not imported.inside_function]
        targets = {name if name in modules else name.rpartition(".")[0] for name in names}
        graph[module] = targets & modules.keys() - {module}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other: {' -> '.join(error.args[1])}")


def test_every_package_in_the_map_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {requirement.split(">=")[0] for requirement in project["dependencies"]}
    optional = {"numba", "pandas", "scipy"}  # used where installed, imported inside functions
    used = {package for room in ROOMS.values() for package in room.packages.split()}
    assert used - optional <= declared


def test_at_most_25_public_names_and_all_exist() -> None:
    import kanviz

    names = getattr(kanviz, "__all__", [])
    assert 0 < len(names) <= 25
    assert [name for name in names if not hasattr(kanviz, name)] == []


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("nn", "import matplotlib"),
        ("nn", "from kanviz.training.fit import fit"),
        ("nn", "def draw():\n    from kanviz.views import figure"),
        ("views", "import torch"),
        ("views", "from kanviz.nn import KANLayer"),
        ("views", "from kanviz.model import KAN"),
        ("views", "from kanviz import data"),
        ("model", "from kanviz.views.figure import network_figure"),
        ("model", "import matplotlib.pyplot as plt"),
        ("model", "from matplotlib import pyplot"),
        ("edits", "from kanviz import KAN"),
        ("snapshot", "import numpy"),
        ("data", "from . import checks"),
        ("data", "from __future__ import annotations"),
    ],
)
def test_a_forbidden_import_is_seen(room: str, source: str) -> None:
    assert len(complaints(room, source)) == 1


@pytest.mark.parametrize(
    ("room", "source"),
    [
        ("model", "def plot():\n    from kanviz.views.figure import network_figure"),
        ("views", "from kanviz.snapshot import Snapshot"),
        ("training", "from kanviz.analysis.trace import trace"),
        ("cli", "from kanviz import KAN"),
    ],
)
def test_a_right_import_passes(room: str, source: str) -> None:
    assert complaints(room, source) == []


def test_code_lines_leave_out_docstring_comments_and_blanks() -> None:
    docstring = '    """One.\n\n    Two.\n    """\n'
    source = f"def f() -> None:\n{docstring}    # why\n\n    return g(\n        1\n    )\n"
    assert code_lines(functions_of(ast.parse(source))[0], source) == 4


def test_unannotated_names_each_parameter_without_a_type() -> None:
    function = functions_of(ast.parse("def f(self, a, *b, c: int, **d): ..."))[0]
    assert unannotated(function) == ["a", "b", "d", "return"]
