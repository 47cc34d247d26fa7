"""The calls of a model: their options, addresses, names, documentation, and what they bring in."""

import dataclasses
import inspect
import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any, get_type_hints

import pytest

import kanviz as kv
from kanviz import renamed
from kanviz.model import KAN
from kanviz.training import FitOptions
from kanviz.training.task import FitKeywords, SolveKeywords

METHODS = {
    name: member
    for name, member in vars(KAN).items()
    if (not name.startswith("_") and callable(member)) or isinstance(member, property | classmethod)
}
SECTIONS = ("Parameters", "Returns", "Raises")


def test_fit_names_every_option_with_its_default_and_its_words() -> None:
    options = {field.name: field.default for field in dataclasses.fields(FitOptions)}
    signature = inspect.signature(KAN.fit).parameters
    named = {name: one.default for name, one in signature.items() if one.kind is one.KEYWORD_ONLY}
    assert named.pop("background") is False
    assert named.pop("sample_weight") is None  # part of the data
    assert named == options
    assert set(get_type_hints(FitKeywords)) == {*options, "sample_weight"}
    assert not any(one.kind is one.VAR_KEYWORD for one in signature.values())
    words = {" ".join(text.split()) for text in (FitOptions.__doc__ or "", KAN.fit.__doc__ or "")}
    theirs, mine = sorted(words, key=len)
    start, end = theirs.index("optimizer : str"), theirs.index("Raises ------")
    assert theirs[start:end].strip() in mine


def test_solve_names_its_options_with_the_defaults_of_fit() -> None:
    fit, solve = (inspect.signature(method).parameters for method in (KAN.fit, KAN.solve))
    named = [name for name, one in solve.items() if one.kind is one.KEYWORD_ONLY]
    assert {*named} == {*get_type_hints(SolveKeywords), "background"}
    assert [solve[name].default for name in named] == [fit[name].default for name in named]


@pytest.mark.parametrize("name", METHODS)
def test_every_public_member_is_documented_with_an_example(name: str) -> None:
    member = METHODS[name]
    function: Any = member.fget if isinstance(member, property) else inspect.unwrap(member)
    function = getattr(function, "__func__", function)
    text = inspect.getdoc(function) or ""
    assert ">>>" in text
    parameters = [
        one for one in inspect.signature(function).parameters if one not in ("self", "cls")
    ]
    if parameters:
        assert "Parameters\n----------" in text
        assert [one for one in parameters if one not in text] == []
    returns = inspect.signature(function).return_annotation
    if returns is not None and not isinstance(member, property):
        assert "Return" in text


def test_an_edge_is_addressed_in_one_way() -> None:
    model = KAN([2, 3, 1])
    edge = kv.Edge(0, 1, 2)
    for address in (edge, (0, 1, 2), [0, 1, 2]):
        model.remove_edge(address)
        model.restore_edge(address)
        model.freeze(address)
        model.unfreeze(address)
        model.fix(address, "sin")
        model.unfix(address)
        model.move_point(address, 0, 0.5)
        assert len(model.suggest(address, functions=["sin", "x", "x^2"])) == 3
    model.remove_node((1, 0))
    model.restore_node((1, 0))
    report = model.prune(edges=[(0, 0, 0)])
    assert all(isinstance(one, kv.Edge) for one in report.edges)


@pytest.mark.parametrize(
    ("call", "error", "words"),
    [
        (lambda m: m.remove_edge(0, 1, 2), TypeError, r"Write remove_edge\(\(0, 1, 2\)\)\."),
        (lambda m: m.restore_edge(0, 1, 2), TypeError, r"Write restore_edge\(\(0, 1, 2\)\)\."),
        (lambda m: m.remove_node(1, 0), TypeError, r"Write remove_node\(\(1, 0\)\)\."),
        (lambda m: m.remove_node(layer=1, i=0), TypeError, r"takes one address\. Write"),
        (lambda m: m.remove_edge((0, 1)), TypeError, r"edge must be \(layer, i, j\); got \(0, 1\)"),
        (lambda m: m.formula(simplify=1), TypeError, "is called 'simplify_seconds' here"),
        (
            lambda m: m.fix((0, 0, 0), "sin", numbers=(1, 0, 1, 0)),
            TypeError,
            "called 'affine' here",
        ),
        (lambda m: m.history, AttributeError, "KAN.history is called steps here"),
        (lambda m: kv.register, AttributeError, "called register_function here"),
        (lambda m: m.nonsense, AttributeError, "object has no attribute"),
        (lambda m: kv.nonsense, AttributeError, "module 'kanviz' has no attribute"),
        (lambda m: m.fit(([0.0, 1], [0.0, 1]), widths=3), TypeError, "widths"),
    ],
)
def test_calls_of_0_1_say_what_to_write(
    call: Callable[[KAN], Any], error: type[Exception], words: str
) -> None:
    with pytest.raises(error, match=words):
        call(KAN([2, 3, 1]))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (
            lambda: KAN(width=[2, 5, 1], grid=5, k=3),  # type: ignore[call-arg]
            "'width', 'grid', 'k'. 'width' is called 'widths' here, 'grid' is called 'grid_size'",
        ),
        (
            lambda: kv.KANLayer(in_dim=3, out_dim=2),  # type: ignore[call-arg]
            "'in_dim' is called 'in_features' here, 'out_dim' is called 'out_features' here.",
        ),
        (
            lambda: KAN([2, 1]).fit({}, opt="LBFGS", lamb=1e-3),  # type: ignore[call-overload]
            "'opt' is called 'optimizer' here, 'lamb' is called 'sparsity' here.",
        ),
        (
            lambda: KAN([2, 1]).fit({}, lamb_l1=1.0, lamb_entropy=2.0),  # type: ignore[call-overload]
            "'lamb_l1', 'lamb_entropy'. Write sparsity=kanviz.Sparsity(1e-3, l1=1.0, entropy=2.0).",
        ),
        (
            lambda: KAN([2, 1]).fit({"train_input": [[0.0, 1]], "train_label": [[1.0]]}),
            'Write fit(d["train_input"], d["train_label"], validation=',
        ),
        (
            lambda: KAN([2, 1]).train({"train_input": 1}, opt="LBFGS", steps=20),  # type: ignore[arg-type]
            "To learn, write model.fit(data).",
        ),
        (
            lambda: kv.from_function(lambda a, b: a * b, [(0, 1), (0, 1)]),  # type: ignore[arg-type, misc]
            "it takes 2 arguments. Write lambda x: x[:, 0] * x[:, 1] for lambda a, b: a * b.",
        ),
        (lambda: KAN([2, 1]).auto_symbolic(), "KAN.auto_symbolic is called symbolify here."),
        (lambda: kv.MultKAN, "kanviz.MultKAN is called KAN here."),
        (lambda: KAN([2, 1]).prune_input(), "Write prune(data), or remove_node((0, 1)) for one"),
    ],
)
def test_words_of_other_libraries_say_what_to_write(
    unchecked: None, call: Callable[[], Any], words: str
) -> None:
    with pytest.raises((TypeError, AttributeError), match=re.escape(words)):
        call()


@pytest.mark.parametrize(
    ("words", "owner"),
    [
        (renamed.MAKING, KAN.__init__),
        (renamed.LAYER, kv.KANLayer.__init__),
        (renamed.FITTING, KAN.fit),
        (renamed.PRUNING, KAN.prune),
        (renamed.REFINING, KAN.refine),
        (renamed.PLOTTING, KAN.plot),
    ],
)
def test_a_word_brought_along_is_none_of_ours_and_what_it_leads_to_is(
    words: dict[str, str], owner: Callable[..., Any]
) -> None:
    ours = inspect.signature(owner).parameters
    assert not words.keys() & ours.keys()
    assert {new for new in words.values() if " " not in new} <= ours.keys()


def test_a_name_brought_along_is_none_of_ours_and_what_it_leads_to_is() -> None:
    for words, owner in ((renamed.ATTRIBUTES, KAN([2, 1])), (renamed.PUBLIC, kv)):
        assert not any(hasattr(owner, old) for old in words)
        assert all(hasattr(owner, new) for new in words.values() if " " not in new)


def test_a_session_takes_no_options() -> None:
    session = KAN([2, 3, 1]).session
    assert KAN(session).network is session.network
    with pytest.raises(ValueError, match="keeps its functions; got grid_size beside it"):
        KAN(session, grid_size=7)


def test_types_that_calls_return_are_exported() -> None:
    x = [float(n) for n in range(8)]
    model, y = KAN([1, 1, 1]), [n**2 for n in x]
    assert isinstance(model.fit(x, y, steps=2, progress=False), kv.FitReport)
    handle = model.fit(x, y, steps=2, progress=False, background=True)
    assert isinstance(handle, kv.FitHandle)
    handle.wait(60)
    assert isinstance(model.plan(), kv.PrunePlan)
    assert isinstance(model.prune(), kv.PruneReport)
    assert isinstance(model.suggest((0, 0, 0), top=2), kv.SuggestionTable)
    assert isinstance(model.trace(), kv.Trace)
    assert isinstance(model.recipe(), kv.Recipe)
    assert isinstance(model.snapshot(), kv.Snapshot)
    assert isinstance(model.session, kv.Session)
    assert isinstance(model.formula(simplify_seconds=0), kv.Formula)


IMPORT = """
import sys
import kanviz
heavy = {"matplotlib", "sympy", "networkx", "anywidget", "pandas", "scipy", "sklearn"}
assert not heavy & set(sys.modules), heavy & set(sys.modules)
import kanviz.nn
assert "numba" not in sys.modules
heavy |= {"torch._dynamo"}
heavy -= {"scipy"}  # numba brings it in for its own ends
model = kanviz.KAN([2, 2, 1])
model.fit([[0.0, 1.0], [1.0, 0.5], [2.0, 0.0]], [0.0, 1.0, 4.0], steps=2, progress=False)
model.prune()
model.predict([[0.5, 0.5]])
model.save(sys.argv[1])
kanviz.load(sys.argv[1])
model.undo()
model.snapshot()
model.plan()
assert not heavy & set(sys.modules), heavy & set(sys.modules)
kanviz.register_function("hill", "x**2 / (1 + x**2)")
assert "sympy" in sys.modules  # only formulas load it
for room in ("analysis", "conversion", "course", "sklearn", "symbolic", "views"):
    assert getattr(kanviz, room).__name__ == "kanviz." + room
    assert room in dir(kanviz)
import kanviz.views.figure, kanviz.views.matrix, kanviz.views.graph, kanviz.views.svg
import kanviz.live.page
assert "matplotlib.pyplot" not in sys.modules
"""


def test_importing_fitting_and_saving_bring_in_nothing_heavy(tmp_path: Any) -> None:
    path = str(tmp_path / "model.kan")
    result = subprocess.run([sys.executable, "-c", IMPORT, path], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
