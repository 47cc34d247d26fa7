"""The house rules that a reader of DESIGN's map relies on, read from the source with ``ast``.

``ROOMS`` is the map. A new module or a new third-party import goes in there, on purpose.
"""

import ast
import sys
import tomllib
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "kanviz"
FILES = sorted(PACKAGE.rglob("*.py"))
PACKAGES = {".".join(path.parent.relative_to(ROOT).parts) for path in PACKAGE.rglob("__init__.py")}
FunctionNode = ast.FunctionDef | ast.AsyncFunctionDef


class Room(NamedTuple):
    """A module or folder of kanviz: its floor, and the packages outside Python that it may import.

    A room imports from lower floors, and from its own floor as long as no circle arises.
    """

    floor: int
    packages: str


ROOMS = {
    "snapshot": Room(0, "numpy"),
    "layout": Room(0, "numpy"),
    "theme": Room(0, ""),
    "checks": Room(0, "torch"),
    "devices": Room(0, "torch"),
    "recipe": Room(0, "numpy"),
    "renamed": Room(0, ""),
    "writing": Room(0, ""),
    "interrupts": Room(0, ""),
    "tables": Room(0, ""),
    "data": Room(0, "jaxtyping numpy torch"),
    "nn": Room(1, "jaxtyping numba numpy torch"),
    "training": Room(2, "jaxtyping matplotlib torch tqdm"),
    "symbolic": Room(2, "jaxtyping joblib numpy sympy torch"),
    "analysis": Room(2, "jaxtyping numpy torch"),
    "edits": Room(3, "jaxtyping torch"),
    "model": Room(4, "jaxtyping matplotlib networkx numpy torch"),
    "files": Room(5, "safetensors torch"),
    "views": Room(5, "matplotlib networkx numpy"),
    "live": Room(5, "anywidget jaxtyping numpy torch traitlets"),
    "shape_search": Room(6, "joblib matplotlib torch tqdm"),
    "discovery": Room(6, "sympy torch tqdm"),
    "conversion": Room(6, "torch"),
    "sklearn": Room(6, "numpy sklearn torch"),
    "course": Room(6, "anywidget jaxtyping matplotlib mistune numpy scipy torch traitlets"),
    "__init__": Room(7, ""),
    "cli": Room(8, "torch"),
    "__main__": Room(9, ""),
}

# Views read the plain records of a network and nothing else of kanviz, whatever the floors allow.
ONLY_FROM = {
    "views": {
        "snapshot",
        "recipe",
        "layout",
        "theme",
        "tables",
        "checks",
        "writing",
        "interrupts",
        "views",
    },
}

# The one exception: an object that a user holds saves and draws itself on request, as users expect
# (`model.save(path)`, `model.plot()`, `report.plot()`). It reaches up for that, but inside the
# method only, so that nobody who does not ask pays for it.
ON_REQUEST = {"model": {"files", "views", "live"}, "training": {"views"}}


class Import(NamedTuple):
    """One imported name in full (``kanviz.nn.layer.KANLayer``), and where it stands."""

    name: str
    line: int
    is_lazy: bool


def imports_of(source: str) -> list[Import]:
    """Return every import of a file, those inside functions and those by a string included.

    ``is_lazy`` is said of what does not run with the file: inside a function, or for types only.
    """
    tree = ast.parse(source)
    lazy = inside_functions(tree) | for_types_only(tree)
    found = []
    for node in ast.walk(tree):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [name.name for name in node.names]
        elif isinstance(node, ast.ImportFrom):
            stem = f"{'.' * node.level}{node.module or ''}."
            names = [stem + name.name for name in node.names]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            names = [str(arg.value) for arg in node.args[:1] if isinstance(arg, ast.Constant)]
        line = getattr(node, "lineno", 0)
        found += [Import(name, line, node in lazy) for name in names]
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


def for_types_only(tree: ast.Module) -> set[ast.AST]:
    """Return what stands below ``if TYPE_CHECKING:``."""
    tests = (node for node in ast.walk(tree) if isinstance(node, ast.If))
    guards = (node for node in tests if ast.unparse(node.test).endswith("TYPE_CHECKING"))
    return {inner for guard in guards for one in guard.body for inner in ast.walk(one)}


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
    if other in ON_REQUEST.get(room, ()):
        return "" if imported.is_lazy else f"import {name} inside the function that needs it"
    if top == "kanviz" and other in ONLY_FROM.get(room, ROOMS):
        is_below = ROOMS[other].floor <= ROOMS[room].floor
        return "" if is_below else f"{room} must not reach up to {name}"
    return f"{room} must not import {name}"


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
def test_functions_are_typed(path: Path) -> None:
    tree = ast.parse(path.read_text())
    functions, local = functions_of(tree), inside_functions(tree)
    named = [f for f in functions if f.name == "__init__" or not f.name.startswith("_")]
    public = [f for f in named if f not in local]
    assert {f.name: names for f in public if (names := unannotated(f))} == {}


class Arrow(NamedTuple):
    """One module of kanviz imports another."""

    source: str
    target: str


def arrows() -> list[Arrow]:
    """Return who imports whom, lazy imports included, but for what is saved or drawn on request.

    A name that a package hands on is an arrow to the module that it comes from.
    """
    modules = {_module_name(path): imports_of(path.read_text()) for path in FILES}
    origin = {
        f"{package}.{imported.name.rpartition('.')[2]}": imported.name
        for package in PACKAGES
        for imported in modules[package]
    }
    found = set()
    for module, imports in modules.items():
        on_request = ON_REQUEST.get(room_of(module), set())
        for imported in imports:
            name = imported.name
            while origin.get(name, name) != name:
                name = origin[name]
            if not (imported.is_lazy and room_of(name) in on_request):
                found.add(Arrow(module, name if name in modules else name.rpartition(".")[0]))
    return sorted(one for one in found if one.target in modules and one.source != one.target)


def test_no_circle_of_imports() -> None:
    graph: dict[str, set[str]] = {}
    for arrow in arrows():
        graph.setdefault(arrow.source, set()).add(arrow.target)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"modules import each other: {' -> '.join(error.args[1])}")


def with_one_importer() -> dict[str, str]:
    """Return the modules with one importer, and that one; a name handed on has its users too."""
    importers: dict[str, set[str]] = {}
    for source, target in arrows():
        importers.setdefault(target, set()).add(source)
    return {
        target: source
        for target, sources in importers.items()
        for source in sources
        if len(sources) == 1 and not {source, target} & PACKAGES
    }


# A module with one importer is part of that importer, unless a reason stands here.
WITH_ONE_IMPORTER = {
    "kanviz.cli": "is also what the command `kanviz` starts",
    "kanviz.course.formulas": "reads TeX, and knows nothing of notebooks or pages",
    "kanviz.course.site": "what is written; the command line is only the door to it",
    "kanviz.data.dates": "calendars and time zones, and nothing of tables",
    "kanviz.live.desk": "what is asked and shown; its importer is how that reaches a notebook",
    "kanviz.live.patch": "what changed in a picture, for a reader apart from who asked",
    "kanviz.views.svg": "a picture among pictures; its importer is the page around it",
    "kanviz.symbolic.source": "how programs are written; its importer knows what a formula is",
    "kanviz.symbolic.polish": "least squares for a formula; its importer goes from data to a law",
    "kanviz.symbolic.network_of": "knows sympy, without which its importer starts",
    "kanviz.nn.compact": "numbers; its importer searches formulas and should know none of them",
    "kanviz.nn.kernels.normal_equations": "compiled; numba stays in kernels/",
    "kanviz.nn.kernels.penalty": "compiled; numba stays in kernels/",
    "kanviz.nn.kernels.variance_kernels": "compiled loops; its importer is what runs beside them",
    "kanviz.symbolic.safe": "the functions alone, tested one by one against sympy's",
    "kanviz.training.solve": "learns an equation, as fit.py learns data",
}


def test_a_module_with_one_importer_has_a_reason() -> None:
    found = with_one_importer()
    assert {module: found[module] for module in found.keys() - WITH_ONE_IMPORTER.keys()} == {}
    assert WITH_ONE_IMPORTER.keys() - found.keys() == set(), "they need no reason any more"


def test_every_package_in_the_map_is_declared() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {requirement.split(">=")[0] for requirement in project["dependencies"]}
    optional = {"mistune", "scipy", "sklearn"}  # used where installed, imported inside functions
    used = {package for room in ROOMS.values() for package in room.packages.split()}
    assert used - optional <= declared


def test_the_public_names_are_few_and_all_exist() -> None:
    import kanviz

    names = getattr(kanviz, "__all__", [])
    assert 0 < len(names) <= 35  # what users call, and every type that those calls return
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
        ("edits", "def load():\n    from kanviz.files import read_model"),
        ("nn", "importlib.import_module('kanviz.training.kernels')"),
        ("snapshot", "import torch"),
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
        ("model", "if TYPE_CHECKING:\n    from kanviz.live import Explorer"),
        ("live", "from kanviz.model import KAN"),
        ("cli", "from kanviz import KAN"),
    ],
)
def test_a_right_import_passes(room: str, source: str) -> None:
    assert complaints(room, source) == []


def test_unannotated_names_each_parameter_without_a_type() -> None:
    function = functions_of(ast.parse("def f(self, a, *b, c: int, **d): ..."))[0]
    assert unannotated(function) == ["a", "b", "d", "return"]
