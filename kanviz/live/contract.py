"""What the browser and Python say to each other: the only file that both sides are built on.

Python sends a ``Scene`` (the whole picture) when a view opens or the structure changes, a ``Patch``
(what is another since that scene) after every other change, a ``Frame`` (curves only) while a fit
runs, a ``Status`` (a few numbers), and a ``Reply`` to each request. On a page without a kernel the
same scene lies in the page and the requests are answered in the browser.

The types of the front end are written from this module::

    python -m kanviz.live.contract            # writes frontend/src/contract.ts
    python -m kanviz.live.contract --check    # says whether it is what this module gives
"""

import ast
import inspect
import itertools
import math
import re
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, TypedDict, get_args, get_origin, get_type_hints

import numpy as np

from kanviz import snapshot
from kanviz.edits.curves import How
from kanviz.recipe import Affine, FormulaRecipe, LayerRecipe, Recipe, StepRecipe
from kanviz.snapshot import Edge, EdgeState, NodeView

# ---- what Python sends: plain values and arrays, packed by ``kanviz.live.packing`` ---------------

Floats = Annotated[np.ndarray, "Float32Array"]
"""An array of float32, where it is float64 otherwise; the text is the type in the browser."""


@dataclass(frozen=True, eq=False)
class EdgeView(snapshot.EdgeView):
    """One edge as it is drawn: in the user's units where it meets an input or an output."""

    mathml: str | None = None
    """The formula as MathML, made by Python; never text of the user."""


class Mark(TypedDict):
    """What happened at a step; ``position`` is the place in the history to jump to."""

    step: int
    kind: str
    text: str
    position: int


class Losses(TypedDict):
    """The errors over all fits."""

    step: np.ndarray
    """Step numbers, and root-mean-square errors (or the loss) in the user's unit."""
    train: np.ndarray
    test: np.ndarray
    """NaN where there is none."""
    name: str
    marks: list[Mark]


class History(TypedDict):
    """Sentences; ``done`` oldest first, ``undone`` with the next to be redone first."""

    done: list[str]
    undone: list[str]


class ErrorNow(TypedDict):
    """Errors now, in the user's unit; null without data."""

    name: str
    train: float | None
    test: float | None
    r2_train: float | None
    """Shares of the variance that are explained; null for classes too."""
    r2_test: float | None


class FormulaText(TypedDict):
    """A formula in the forms in which people take it away."""

    text: str
    mathml: str
    latex: str
    python: str


class Scene(TypedDict):
    """The whole picture."""

    version: int
    """Counts changes; a reply to an edit says the version that shows it."""
    title: str
    widths: list[int]
    nodes: list[NodeView]
    edges: list[EdgeView]
    n_edges: int
    owners: list[list[int]]
    """The node of a layer that each sum is, or is a factor of; empty without any products."""
    recipe: Recipe | None
    """null for a network too large to send; the kernel then answers ``probe``."""
    input_names: list[str]
    output_names: list[str]
    sample: np.ndarray
    """Rows of the data, in the user's units: (rows, inputs) and (rows, outputs) or empty."""
    target: np.ndarray
    history: History
    losses: Losses
    error: ErrorNow
    has_data: bool
    """Whether there are data, so that training, pruning in context and symbolify can be asked."""
    is_fresh: bool
    """Whether the model has learnt nothing yet; edits by hand are no learning."""
    rows: list[int]
    """Of the training and of the test part; 0 where there are none."""
    notes: list[str]
    """Sentences on what was done to the data: columns left out, rows with gaps."""
    formula: FormulaText | None
    """Of the network as it is in this scene, for a page, which cannot ask; else null."""
    grid_size: int
    spline_order: int
    basis: str
    functions: list[str]
    """Names of the known functions, for the target formula box."""


class Visited(TypedDict):
    """What the sample visits at a node from which edges leave: its range, and a few rows of it.

    At an input in the user's units.
    """

    layer: int
    i: int
    low: float
    high: float
    sample: np.ndarray


class EdgeChange(TypedDict):
    """An edge of the recipe that is another, drawn or not; the browser computes its curve."""

    layer: int
    i: int
    j: int
    weight: np.ndarray
    """The edge's column of ``LayerRecipe.weight``, in the network's units as the recipe is."""
    live: bool
    program: FormulaRecipe | None
    """What it computes where it is a formula, removed or not."""
    state: EdgeState
    frozen: bool
    locked: bool
    formula: str | None
    mathml: str | None
    function: str | None
    quality: float | None


class LossTail(TypedDict):
    """Points and marks that came since the scene; of its marks the first ``kept`` still hold."""

    step: np.ndarray
    train: np.ndarray
    test: np.ndarray
    kept: int
    marks: list[Mark]


class HistoryTail(TypedDict):
    """The history since the scene: of its ``done`` the first ``kept`` still hold."""

    kept: int
    done: list[str]
    undone: list[str]


class Patch(TypedDict):
    """All that is another since a scene, so that one patch and its scene are the whole picture.

    Which edges are drawn, the knots and the names are as they were.
    """

    since: int
    """The version of the scene."""
    version: int
    score: Floats
    """Of ``scene.edges``, in their order."""
    node_score: Floats
    """Of ``scene.nodes``, in their order."""
    visited: list[Visited]
    edges: list[EdgeChange]
    views: list[EdgeView]
    """Edges whole, where the scene has no recipe; then ``visited`` and ``edges`` are empty."""
    history: HistoryTail
    losses: LossTail
    error: ErrorNow


class Frame(TypedDict):
    """The curves of the drawn edges while a fit runs, in the order of ``scene.edges``."""

    version: int
    """The scene whose edges these are."""
    low: np.ndarray
    """The ends of each curve along x; its points are equally spaced, as many as in the scene."""
    high: np.ndarray
    curve_y: Floats
    """(edges, points)."""
    strength: Floats
    score: Floats
    step: np.ndarray
    """New points of the loss chart since the last scene."""
    train: np.ndarray
    test: np.ndarray


class Status(TypedDict):
    """What goes on."""

    state: Literal["idle", "fitting", "paused", "searching"]
    """``fitting``: a fit that this browser can steer; ``searching``: pruning or symbolify."""
    text: str
    """What goes on, in words: "step 120 of 300, RMSE 2.1e-4"."""
    progress: float | None
    """In [0, 1] or null."""
    error: str
    """The last thing that went wrong, one sentence; "" for none."""
    answered: int
    """Counts requests that Python has taken; tells that the kernel is alive."""


# ---- what the browser asks -----------------------------

LARGEST_NUMBER = 1e12
"""Of a coordinate: its square is finite in float32 too, so that the picture can still be drawn."""

LARGEST_INTEGER = 2**53
"""JavaScript has no larger whole numbers."""

MOST_NUMBERS, MOST_EDGES, MOST_LETTERS = 10_000, 100_000, 1000

MOST_WORDS = 10

MOST_STEPS = 1_000_000

FINEST_GRID = 1000
"""Intervals that the grid slider may ask for: memory grows with them."""

LEAST_PACE, MOST_PACE = 0.1, 1000.0
"""Steps a second that a browser may ask for."""

MOST_DRAWN = 5000
"""Edges that a browser may ask to be drawn."""

Count = Annotated[int, (0, LARGEST_INTEGER)]
"""A whole number and its bounds."""


class TrainingOptions(TypedDict, total=False):
    """How to train; Python takes those that are there."""

    optimizer: str
    steps: Annotated[int, (1, MOST_STEPS)]
    sparsity: float
    entropy: float
    learning_rate: float | None
    pace: float | None
    """Steps a second at most, to be watched; null: as fast as it goes."""
    hold: bool
    """Whether the fit waits after its first step; only where it starts."""


class Ask:
    """What the browser may ask; Python answers each with a ``Reply`` of the same ``seq``.

    Edits come first: each is one step of the history, and a ``drag`` number joins a burst into one.
    Then what steers training, searches that take seconds, and questions, which change nothing.
    """


@dataclass(frozen=True)
class MovePoint(Ask):
    """Move a control point."""

    edge: Edge
    m: Count
    height: float
    drag: Count


@dataclass(frozen=True)
class SetCurve(Ask):
    """Bend an edge through points; ``how`` is what the history says of it."""

    edge: Edge
    x: tuple[float, ...]
    y: tuple[float, ...]
    drag: Count
    how: How


@dataclass(frozen=True)
class Fix(Ask):
    """Make an edge a formula; without numbers (a, b, c, d, free constants) Python fits them."""

    edge: Edge
    formula: str
    numbers: tuple[float, ...] | None


@dataclass(frozen=True)
class Unfix(Ask):
    """Give a formula its spline back."""

    edge: Edge


@dataclass(frozen=True)
class RemoveEdge(Ask):
    """Take an edge out."""

    edge: Edge


@dataclass(frozen=True)
class RestoreEdge(Ask):
    """Bring an edge back."""

    edge: Edge


@dataclass(frozen=True)
class Freeze(Ask):
    """Keep an edge from learning."""

    edge: Edge


@dataclass(frozen=True)
class Unfreeze(Ask):
    """Let an edge learn again."""

    edge: Edge


@dataclass(frozen=True)
class Constrain(Ask):
    """Let an edge keep shapes, such as "increasing"; none: it is free again."""

    edge: Edge
    shapes: tuple[str, ...]


@dataclass(frozen=True)
class RemoveNode(Ask):
    """Take out all edges at a node."""

    layer: Count
    index: Count


@dataclass(frozen=True)
class RestoreNode(Ask):
    """Bring back all edges at a node."""

    layer: Count
    index: Count


@dataclass(frozen=True)
class Lock(Ask):
    """Let edges share one function."""

    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Unlock(Ask):
    """Let locked edges go their own way."""

    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Refine(Ask):
    """Give every edge so many intervals."""

    grid_size: Annotated[int, (1, FINEST_GRID)]


@dataclass(frozen=True)
class UpdateGrid(Ask):
    """Move the knots to the data."""


@dataclass(frozen=True)
class Prune(Ask):
    """Take out these edges as one step."""

    edges: tuple[Edge, ...]


@dataclass(frozen=True)
class Undo(Ask):
    """Take back the last step."""


@dataclass(frozen=True)
class Redo(Ask):
    """Do again what was undone last."""


@dataclass(frozen=True)
class Jump(Ask):
    """Undo or redo until so many steps are done."""

    position: Count


@dataclass(frozen=True)
class Train(Ask):
    """Start a fit."""

    options: TrainingOptions


@dataclass(frozen=True)
class SetTraining(Ask):
    """Change how the running fit goes on."""

    options: Annotated[TrainingOptions, "Partial<TrainingOptions>"]


@dataclass(frozen=True)
class Pause(Ask):
    """Let the fit wait."""


@dataclass(frozen=True)
class Resume(Ask):
    """Let it go on."""


@dataclass(frozen=True)
class Step(Ask):
    """Let it take one more step and wait."""


@dataclass(frozen=True)
class Stop(Ask):
    """End it with the best that it found."""


@dataclass(frozen=True)
class PruneInContext(Ask):
    """Prune by trying each edge inside the network; progress comes as status."""


@dataclass(frozen=True)
class Symbolify(Ask):
    """Try formulas edge by edge; progress comes as status."""


@dataclass(frozen=True)
class Cancel(Ask):
    """Break off the search that runs, if there is one: the network stays as it was."""


@dataclass(frozen=True)
class AskSuggest(Ask):
    """Ask which functions an edge may be."""

    edge: Edge


@dataclass(frozen=True)
class AskPreview(Ask):
    """Ask what a formula would do."""

    edge: Edge
    formula: str
    numbers: tuple[float, ...] | None


@dataclass(frozen=True)
class AskPlan(Ask):
    """Ask what pruning would take, step by step."""


@dataclass(frozen=True)
class AskProbe(Ask):
    """Ask what happens to one row, in the user's units."""

    x: tuple[float, ...]


@dataclass(frozen=True)
class AskDiagnosis(Ask):
    """Ask how an output does row by row."""

    output: Count


@dataclass(frozen=True)
class AskContributions(Ask):
    """Ask what each input adds to an output at one row, in the user's units."""

    x: tuple[float, ...]
    output: Count


@dataclass(frozen=True)
class AskFormula(Ask):
    """Ask for the formula of the network."""


@dataclass(frozen=True)
class AskScript(Ask):
    """Ask for Python that does all this."""


@dataclass(frozen=True)
class AskPage(Ask):
    """Ask for the page that needs no kernel."""


@dataclass(frozen=True)
class AskScene(Ask):
    """Ask for the whole picture once more."""


@dataclass(frozen=True)
class AskShow(Ask):
    """How many edges are drawn at most, the strongest of each layer; null: as Python thinks fit."""

    max_edges: Annotated[int, (1, MOST_DRAWN)] | None


# ---- the values of replies -----------------------------------------------------------------------


class Done(TypedDict):
    """The ``value`` of the reply to each edit, to ``scene``, ``show`` and each training request.

    The first picture that shows it has at least this version. Questions are answered by the records
    below (``suggest``: Suggestion[]; ``script`` and ``page``: string).
    """

    version: int


class Try(TypedDict):
    """Edges that pruning took out together, and the errors before and after."""

    edges: list[Edge]
    score: float
    before: float
    after: float | None
    removed: bool


class Pruned(Done):
    """What ``prune_in_context`` tried, in order."""

    tried: list[Try]


class Choice(TypedDict):
    """What ``symbolify`` chose for an edge; ``chosen`` null: it stays a spline."""

    edge: Edge
    chosen: str | None
    before: float
    after: float


class Symbolified(Done):
    """What ``symbolify`` did, edge by edge, and the errors before and after."""

    edges: list[Choice]
    before: float
    after: float


class Suggestion(TypedDict):
    """A function that an edge may be."""

    name: str
    formula: str
    mathml: str
    r2: float
    """R^2 on held-out points."""
    complexity: float
    on_front: bool
    numbers: tuple[float, ...]
    """a, b, c, d and the free constants of the function."""
    curve_y: list[float]
    """At the edge's curve_x."""


class Preview(TypedDict):
    """A curve and the errors as they would be with a formula on an edge."""

    curve_y: list[float]
    train: float | None
    test: float | None


class PlanStep(TypedDict):
    """What goes at a step of pruning, and the errors after it, without a refit."""

    edges: list[Edge]
    score: float
    train: float | None
    test: float | None


class Plan(TypedDict):
    """Pruning step by step, weakest first."""

    steps: list[PlanStep]


class Diagnosis(TypedDict):
    """What the data say of an output and what the network says, row by row, training rows first.

    Of many rows evenly chosen ones; all in the user's units.
    """

    x: list[float]
    """(rows, inputs) row by row."""
    measured: list[float]
    """Numbers of classes for a classifier."""
    predicted: list[float]
    """For a classifier how sure it is of the right class, from 0 to 1."""
    guess: list[int] | None
    """The likeliest classes; null for numbers."""
    test: list[bool]
    """Whether a row is of the test part."""


class Contributions(TypedDict):
    """What leads from the mean of the network over the data to what it says of a row.

    In the unit of the output; of a classifier in that of its scores.
    """

    base: float
    parts: list[float]
    """One per input; with the base they add up to the value."""
    value: float


class Probe(TypedDict):
    """Values of every node and edge for one input row, all in the user's units.

    Of the last edges too: they and the mean of the output add up to it.
    """

    nodes: list[list[float]]
    edges: list[list[float]]
    """Per layer, (inputs, outputs) row by row."""


# ---- decoding ------------------------------------------------------------------------------------


def type_of(kind: type[Ask]) -> str:
    """Return the ``type`` by which a browser asks for it: ``MovePoint`` -> ``"move_point"``."""
    name = kind.__name__.removeprefix("Ask")
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


REQUESTS: dict[str, type[Ask]] = {type_of(kind): kind for kind in Ask.__subclasses__()}
"""The requests by their type."""


def decode(message: object) -> Ask:
    """Return what a browser asks, every value checked.

    Parameters
    ----------
    message : object
        What came from the browser, whatever it is.

    Raises
    ------
    ValueError
        If the message, or a field of it, is not what it should be.
    """
    if not isinstance(message, Mapping):
        raise _wrong("request", "a record with a type", message)
    if "type" not in message:
        raise ValueError("request must have the field 'type'; got none. Add it.")
    name = _text("type", message["type"])
    kind = REQUESTS.get(name)
    if kind is None:
        raise ValueError(f"type must be a known request; got {name[:60]!r}. Reload the picture.")
    fields: dict[str, Any] = {}
    for field, read in _READERS[kind].items():
        if field not in message:
            raise ValueError(f"request must have the field {field!r}; got none. Add it.")
        fields[field] = read(field, message[field])
    return kind(**fields)


def number_of(message: object) -> float | None:
    """Return the number ``seq`` of a request, whatever else it is; None where JSON has no such."""
    seq = message.get("seq") if isinstance(message, Mapping) else None
    if not isinstance(seq, int | float) or isinstance(seq, bool):
        return None
    return seq if abs(seq) <= LARGEST_INTEGER else None


def plain(value: Any) -> Any:
    """Return a reply's value as JSON can hold it: tuples as lists, numbers not finite as None."""
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list | tuple) else value


def _text(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > MOST_LETTERS:
        raise _wrong(name, f"text of at most {MOST_LETTERS} characters", value)
    return value


def _integer(name: str, value: object, lowest: int, highest: int) -> int:
    if not _is_integer(value) or not lowest <= value <= highest:  # type: ignore[operator]
        raise _wrong(name, f"a whole number from {lowest} to {highest}", value)
    return int(value)  # type: ignore[call-overload, no-any-return]


def _truth(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong(name, "true or false", value)
    return value


def _number(name: str, value: object) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    # Compared rather than made a float first, because an int may be larger than every float.
    if not is_number or not -LARGEST_NUMBER <= value <= LARGEST_NUMBER:  # type: ignore[operator]
        raise _wrong(name, f"finite and at most {LARGEST_NUMBER:g} in size", value)
    return float(value)  # type: ignore[arg-type]


def _numbers(name: str, value: object) -> tuple[float, ...]:
    if not isinstance(value, list) or len(value) > MOST_NUMBERS:
        raise _wrong(name, f"a list of at most {MOST_NUMBERS} numbers", value)
    return tuple(_number(name, item) for item in value)


def _edge(_: str, value: object) -> Edge:
    if not isinstance(value, list | tuple) or len(value) != 3 or not all(map(_is_integer, value)):
        raise _wrong("edge", "three whole numbers (layer, i, j)", value)
    return Edge(*value)


def _edges(name: str, value: object) -> tuple[Edge, ...]:
    if not isinstance(value, list) or len(value) > MOST_EDGES:
        raise _wrong(name, f"a list of at most {MOST_EDGES} edges", value)
    return tuple(_edge(name, item) for item in value)


def _texts(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MOST_WORDS:
        raise _wrong(name, f"a list of at most {MOST_WORDS} words", value)
    return tuple(_text(name, item) for item in value)


def _options(name: str, value: object) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise _wrong(name, "a record", value)
    readers = _readers(TrainingOptions)
    return {field: read(field, value[field]) for field, read in readers.items() if field in value}


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _wrong(name: str, rule: str, value: object) -> ValueError:
    shown = repr(value)
    shown = shown if len(shown) <= 60 else f"{shown[:57]}..."
    return ValueError(f"{name} must be {rule}; got {shown}. Ask again with another value.")


Reader = Callable[[str, object], Any]

_BY_TYPE: dict[Any, Reader] = {
    str: _text,
    bool: _truth,
    float: _number,
    Edge: _edge,
    tuple[float, ...]: _numbers,
    tuple[str, ...]: _texts,
    tuple[Edge, ...]: _edges,
    TrainingOptions: _options,
}


def _one_of(name: str, value: object, words: tuple[str, ...]) -> str:
    if value not in words:
        raise _wrong(name, f"one of {', '.join(words)}", value)
    return str(value)


def _reader(hint: Any) -> Reader:
    """Return what reads a field of this type."""
    if get_origin(hint) is Literal:
        return lambda name, value: _one_of(name, value, get_args(hint))
    if get_origin(hint) is Annotated:
        kind, note = get_args(hint)
        if kind is int:
            return lambda name, value: _integer(name, value, *note)
        return _reader(kind)
    if isinstance(hint, UnionType) or NoneType in get_args(hint):
        (kind,) = (part for part in get_args(hint) if part is not NoneType)
        read = _reader(kind)
        return lambda name, value: None if value is None else read(name, value)
    return _BY_TYPE[hint]


def _readers(kind: type) -> dict[str, Reader]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: _reader(hint) for name, hint in hints.items()}


_READERS = {kind: _readers(kind) for kind in REQUESTS.values()}


# ---- the types of the front end ------------------------------------------------------------------

TYPESCRIPT = Path(__file__).parent / "frontend" / "src" / "contract.ts"

RECORDS = (
    *(NodeView, EdgeView, StepRecipe, FormulaRecipe, LayerRecipe, Recipe, Mark, Losses),
    *(History, ErrorNow, Scene, Visited, EdgeChange, LossTail, HistoryTail, Patch, Frame, Status),
    *(TrainingOptions, Done, Try, Pruned, Choice, Symbolified, Suggestion, Preview, PlanStep, Plan),
    *(FormulaText, Probe, Diagnosis, Contributions),
)
"""The records of which interfaces are written, in this order."""

_NAMED = {EdgeState: "EdgeState", Affine: "Affine", How: "How"}

_WORDS = {int: "number", float: "number", str: "string", bool: "boolean", NoneType: "null"}


def typescript() -> str:
    """Return the types of the front end, as the text of contract.ts."""
    head = textwrap.dedent("""\
        // Written by `python -m kanviz.live.contract` from kanviz/live/contract.py: change that.

        /** An edge: from node `i` of `layer` to sum `j` of `layer + 1`, all from 0. */
        export type Edge = readonly [layer: number, i: number, j: number];
        """)
    words = {kind: " | ".join(f'"{one}"' for one in get_args(kind)) for kind in (EdgeState, How)}
    named = (
        f"export type EdgeState = {words[EdgeState]};\n\n"
        "/** What a hand did to a curve, as the history has it. */\n"
        f"export type How = {words[How]};\n\n"
        "/** a, b, c, d of c f(a x + b) + d. */\n"
        "export type Affine = [a: number, b: number, c: number, d: number];\n"
    )
    asks = "\n".join(_request(kind) for kind in REQUESTS.values())
    ends = textwrap.dedent("""\
        export type Request = Ask & { seq: number };

        export type Reply =
          | { seq: number; ok: true; value: unknown }
          | { seq: number; ok: false; error: string };
        """)
    ask = f"{_comment(inspect.getdoc(Ask))}export type Ask =\n{asks};\n"
    return "\n".join([head, named, *map(_interface, RECORDS), ask, ends])


def _interface(record: type) -> str:
    notes = _notes(record)
    hints = get_type_hints(record, include_extras=True)
    fields = [
        textwrap.indent(_comment(notes.get(name)), "  ") + f"  {name}: {_type(hint)};\n"
        for name, hint in hints.items()
    ]
    about = _comment(inspect.getdoc(record))
    return f"{about}export interface {record.__name__} {{\n{''.join(fields)}}}\n"


def _request(kind: type[Ask]) -> str:
    hints = get_type_hints(kind, include_extras=True)
    fields = [f"{name}: {_type(hint)}" for name, hint in hints.items()]
    record = "; ".join([f'type: "{type_of(kind)}"', *fields])
    return f"  {_comment(kind.__doc__)}  | {{ {record} }}"


def _notes(record: type) -> dict[str, str]:
    """Return the text that stands below each field of a record."""
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(record))).body
    assert isinstance(definition, ast.ClassDef)
    return {
        ast.unparse(field.target): str(note.value.value)
        for field, note in itertools.pairwise(definition.body)
        if isinstance(field, ast.AnnAssign)
        and isinstance(note, ast.Expr)
        and isinstance(note.value, ast.Constant)
    }


def _comment(text: str | None) -> str:
    """Return a docstring as a comment."""
    lines = (text or "").strip().replace("``", "`").split("\n")
    if len(lines) == 1:
        return f"/** {lines[0]} */\n" if lines[0] else ""
    return "/**\n" + "".join(f" * {line}".rstrip() + "\n" for line in lines) + " */\n"


def _type(hint: Any) -> str:
    """Return a Python type as TypeScript has it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in _NAMED:
        return _NAMED[hint]
    if origin is Annotated:
        return arguments[1] if isinstance(arguments[1], str) else _type(arguments[0])
    if origin is Literal:
        return " | ".join(f'"{word}"' for word in arguments)
    if isinstance(hint, UnionType) or (origin is not tuple and NoneType in arguments):
        return " | ".join(map(_type, arguments))
    if origin is list or (origin is tuple and arguments[1:] == (...,)):
        return f"{_type(arguments[0])}[]"
    if origin is tuple:
        return f"[{', '.join(map(_type, arguments))}]"
    if hint is np.ndarray:
        return "Float64Array"
    found: str = _WORDS.get(hint) or hint.__name__
    return found


def main(arguments: list[str]) -> int:
    """Write contract.ts, or with ``--check`` say whether it is up to date."""
    if "--check" not in arguments:
        TYPESCRIPT.write_text(typescript())
        return 0
    if TYPESCRIPT.read_text() == typescript():
        return 0
    sys.stderr.write("contract.ts is out of date. Run: python -m kanviz.live.contract\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
