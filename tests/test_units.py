"""One rule for units: arrays are the user's, a data set knows its own, whatever the call."""

import functools
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st
from torch import Tensor

import kanviz as kv
from kanviz.data.scaling import root_mean_square
from kanviz.model import KAN
from kanviz.nn import gradient

pytestmark = pytest.mark.long

QUICK: dict[str, Any] = {"steps": 12, "starts": 1, "progress": False}
factors = st.floats(-12, 12).map(lambda power: 10.0**power)
offsets = st.floats(-10, 10)


def make_rows(samples: int = 60) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(3)
    x = rng.uniform(-1, 1, (samples, 2))
    return x, np.sin(2 * x[:, 0]) + x[:, 1] ** 2


def make_fitted(**options: Any) -> tuple[KAN, np.ndarray, np.ndarray]:
    """Return a model of far-off units, and rows in these."""
    x, y = make_rows()
    x, y = 300 + 20 * x, 5000 + 1000 * y
    model = KAN([2, 2, 1], seed=1, dtype=torch.float64)
    model.fit(x, y, **(QUICK | options))
    return model, x, y


@settings(max_examples=12, deadline=None)
@given(factors, offsets, factors, offsets)
def test_a_change_of_units_changes_nothing_but_the_units(
    a: float, b: float, c: float, d: float
) -> None:
    x, y = make_rows()
    plain, other = (KAN([2, 2, 1], seed=1, dtype=torch.float64) for _ in range(2))
    plain.fit(x, y, **QUICK)
    far_x, far_y = a * (x + b), c * (y + d)
    other.fit(far_x, far_y, **QUICK)
    np.testing.assert_allclose(other.predict(far_x) / c - d, plain.predict(x), atol=1e-4)
    assert other.score(far_x, far_y) == pytest.approx(plain.score(x, y), abs=1e-5)
    rmse = other.evaluate((far_x, far_y))["train_rmse"]
    assert rmse / c == pytest.approx(plain.evaluate((x, y))["train_rmse"], abs=1e-4)
    for one, two in zip(other.edge_scores(far_x), plain.edge_scores(x), strict=True):
        torch.testing.assert_close(one, two, atol=1e-3, rtol=0)


NAMES = ["first", "second", "idle"]


def make_table(a: float = 1.0, b: float = 0.0, c: float = 1.0, d: float = 0.0) -> pd.DataFrame:
    """Return a law of two of three inputs, in units of one's own."""
    x = np.random.default_rng(5).uniform(-1, 1, (80, 3))
    y = np.sin(2 * x[:, 0]) + x[:, 1] ** 2
    return pd.DataFrame({**dict(zip(NAMES, (a * (x + b)).T, strict=True)), "y": c * (y + d)})


def ways_of(table: pd.DataFrame, path: Any) -> dict[str, Any]:
    """Return the same rows in each form that a model takes them."""
    x, y = table[NAMES], table[["y"]]
    table.assign(more="text").iloc[:, ::-1].to_csv(path, index=False)
    return {
        "arrays": (x.to_numpy(), y.to_numpy()),
        "lists": (x.to_numpy().tolist(), y.to_numpy().ravel().tolist()),
        "tensors": (torch.tensor(x.to_numpy()), torch.tensor(y.to_numpy())),
        "frame": (x.assign(more="text", none=0.0)[["none", *NAMES[::-1], "more"]], y),
        "own scaling": kv.from_arrays(x, y, test_fraction=0.0, dtype=torch.float64),
        "second file": kv.from_csv(
            path, target="y", inputs=NAMES[::-1], test_fraction=0.0, dtype=torch.float64
        ),
    }


WAYS = ["arrays", "lists", "tensors", "frame", "own scaling", "second file"]


def functions_of(model: KAN) -> list[Any]:
    """Return the formulas of the edges, layer by layer."""
    return [layer.symbols and layer.symbols.functions for layer in model.network.layers]


@functools.cache
def in_plain_units() -> tuple[KAN, Any, Any, Any]:
    """Return a model, what pruning takes of it, what it becomes by formulas, and its formula."""
    table = make_table()
    model = KAN([3, 1], dtype=torch.float64)
    model.fit(table[NAMES], table["y"], **QUICK)
    pruned = model.copy()
    edges = pruned.prune((table[NAMES], table["y"])).edges
    fixed = pruned.copy()
    fixed.symbolify((table[NAMES], table["y"]), functions=["x", "x^2", "sin"])
    return model, edges, functions_of(fixed), fixed


@settings(max_examples=4, deadline=None)
@given(factors, offsets, factors, offsets, st.sampled_from(WAYS))
def test_decisions_and_formulas_are_the_same_in_any_unit_and_form_of_the_data(
    a: float, b: float, c: float, d: float, way: str
) -> None:
    plain, edges, functions, in_formulas = in_plain_units()
    x, table = make_table()[NAMES].to_numpy(), make_table(a, b, c, d)
    model = KAN([3, 1], dtype=torch.float64)
    model.fit(table[NAMES], table["y"], **QUICK)
    wanted, errors = plain.predict(x), plain.evaluate((x, make_table()["y"]))
    with tempfile.TemporaryDirectory() as folder:
        ways = ways_of(table, Path(folder) / "second.csv")
    scores = [plain.edge_scores(x)[0], plain.feature_scores(x)]
    for name, data in ways.items():
        rows = data if isinstance(data, kv.Dataset) else data[0]
        found = model.evaluate(data)
        np.testing.assert_allclose(model.predict(rows) / c - d, wanted, atol=1e-5, err_msg=name)
        assert found["train_rmse"] / c == pytest.approx(errors["train_rmse"], abs=1e-5), name
        assert found["train_r2"] == pytest.approx(errors["train_r2"], abs=1e-5), name
        assert model.score(data) == pytest.approx(errors["train_r2"], abs=1e-5), name
        mine = [model.edge_scores(rows)[0], model.feature_scores(rows)]
        for one, other in zip(mine, scores, strict=True):
            np.testing.assert_allclose(one, other, atol=1e-4, err_msg=name)
    assert model.prune(ways[way]).edges == edges
    model.symbolify(ways[way], functions=["x", "x^2", "sin"])
    assert functions_of(model) == functions
    exactly: dict[str, Any] = {"digits": None, "snap": 0.0, "simplify_seconds": 0.0}
    formula = model.formula(**exactly)
    law = in_formulas.formula(**exactly).to_callable()
    far = formula.to_callable()(table[NAMES].to_numpy())
    np.testing.assert_allclose(far / c - d, law(x), atol=2e-3)
    np.testing.assert_allclose(far, model.predict(ways["arrays"][0]), rtol=0, atol=1e-6 * c)
    assert formula.error is not None
    assert formula.error < 1e-6
    read = model.formula(simplify_seconds=0.0).to_callable()(table[NAMES].to_numpy())
    np.testing.assert_allclose(read / c - d, law(x), atol=2e-2)


LAWS: dict[str, Any] = {
    "sin": np.sin,
    "cos": np.cos,
    "sin(2*x) + cos(3*x)": lambda x: np.sin(2 * x) + np.cos(3 * x),
    "sin(pi*x)**2": lambda x: np.sin(np.pi * x) ** 2,
    "exp(sin(x/3))": lambda x: np.exp(np.sin(x / 3)),
}


@settings(max_examples=10, deadline=None)
@given(st.sampled_from(list(LAWS)), st.floats(2, 9), st.sampled_from([-1, 1]))
def test_a_formula_that_repeats_keeps_its_phase_far_from_0(law: str, far: float, side: int) -> None:
    x = side * round(10**far) + np.linspace(-2, 2, 50)
    y = LAWS[law](x)
    model = KAN([1, 1], dtype=torch.float32)
    model.fit(x, y, steps=2, progress=False)
    model.fix((0, 0, 0), law, affine=(1.0, 0.0, 1.0, 0.0))
    read = model.formula(digits=None, snap=0.0, simplify_seconds=0.0).to_callable()
    for found in (model.predict(x)[:, 0], read(x[:, None])[:, 0]):
        off = found - y  # the mean of y, in whose place d = 0 is
        np.testing.assert_allclose(off - off.mean(), 0, atol=2e-5)


def test_only_what_repeats_is_moved_by_its_period() -> None:
    model = KAN([1, 1], dtype=torch.float64)
    for formula in ("x", "x*sin(x)", "tanh", "sin(x) + sin(pi*x)", "sin(x**2)", "1/x"):
        model.fix((0, 0, 0), formula, affine=(1.0, 100.0, 1.0, 0.0))
        assert model.network.layers[0].affine[0, 1].item() == 100.0
    model.fix((0, 0, 0), "sin", affine=(1.0, 4.0, 1.0, 0.0))
    assert model.network.layers[0].affine[0, 1].item() == 4.0  # as it was typed
    model.fix((0, 0, 0), "sin", affine=(1.0, 100.0, 1.0, 0.0))
    assert abs(model.network.layers[0].affine[0, 1].item()) < np.pi


def test_every_call_takes_the_users_units() -> None:
    model, x, y = make_fitted()
    truth = model.predict(x)
    tensor = torch.tensor(x)
    torch.testing.assert_close(model(tensor).detach(), torch.tensor(truth))
    assert model.score(x, y) > 0.99
    assert model.evaluate((x, y))["train_r2"] > 0.99
    found = model.trace(x)
    torch.testing.assert_close(found.outputs, torch.tensor(truth))
    torch.testing.assert_close(found.layers[0].inputs, tensor)
    remembered, given_x = model.feature_scores(), model.feature_scores(x)
    torch.testing.assert_close(given_x, remembered)
    snapshot = model.snapshot(x)
    first = next(view for view in snapshot.edges if view.edge == (0, 0, 0))
    assert first.curve_x.min() == pytest.approx(x[:, 0].min())
    assert first.curve_x.max() == pytest.approx(x[:, 0].max())
    before = model.evaluate((x, y))["train_rmse"]
    model.update_grid(x)
    assert model.evaluate((x, y))["train_rmse"] < 3 * before + 1
    assert model.plan((x, y)).error_now < 0.1


def test_prune_and_symbolify_of_a_pair_keep_what_was_learnt() -> None:
    x, y = make_rows(120)
    x, y = 300 + 20 * x, 5000 + 1000 * y
    model = KAN([2, 1, 1], seed=0, dtype=torch.float64)
    model.fit(x, y, progress=False, sparsity=1e-4)
    before = model.score(x, y)
    model.prune((x, y))
    model.symbolify((x, y), functions=["sin", "x^2", "x"])
    assert model.score(x, y) > before - 0.02


def test_a_data_set_of_another_scaling_means_the_same() -> None:
    model, x, y = make_fitted()
    expected = model.evaluate((x, y))
    for normalize in (True, False):
        data = kv.from_arrays(x, y, test_fraction=0.0, normalize=normalize, dtype=torch.float64)
        assert model.evaluate(data) == pytest.approx(expected, rel=1e-6)
        np.testing.assert_allclose(model.predict(data), model.predict(x), rtol=1e-9)
    part = kv.from_arrays(x[:20], y[:20], test_fraction=0.0, dtype=torch.float64)
    assert model.score(part) == pytest.approx(model.score(x[:20], y[:20]), abs=1e-9)


def test_a_second_fit_keeps_the_units_and_goes_on() -> None:
    model, x, y = make_fitted()
    units, before = model.session.about.x_scaling, model.score(x, y)
    half = kv.from_arrays(x[:30], y[:30], test_fraction=0.0)
    model.fit(half, steps=1, update_grid=False, progress=False)
    assert model.session.about.x_scaling.is_as(units)
    assert model.score(x[:30], y[:30]) > before - 0.05


def test_validation_is_in_the_users_units() -> None:
    x, y = make_rows(90)
    x, y = 300 + 20 * x, 5000 + 1000 * y
    for watched in (
        (x[60:], y[60:]),
        kv.from_arrays(x[60:], y[60:], test_fraction=0.0),
        kv.from_arrays(x[60:], y[60:], test_fraction=0.0, normalize=False),
    ):
        model = KAN([2, 2, 1], seed=1, dtype=torch.float64)
        report = model.fit(x[:60], y[:60], validation=watched, **QUICK)
        assert report.history["validation_loss"][-1] < 0.2  # of a variance of 1


def test_edits_of_curves_are_in_the_users_units_and_so_is_the_script() -> None:
    x = np.linspace(100, 200, 80)
    model = KAN([1, 1], grid_size=20, dtype=torch.float64)
    model.fit(x, 50 * x, **QUICK)
    model.set_curve((0, 0, 0), [120.0, 150, 180], [0.0, 0.0, 0.0])
    grid = model.snapshot().edges[0]
    assert np.interp(150, grid.curve_x, grid.curve_y) == pytest.approx(0, abs=60)
    model.fix((0, 0, 0), "2*x - 5")
    found = np.diff(model.predict([[100.0], [101.0]])[:, 0])
    assert found == pytest.approx(2)
    assert model.snapshot().edges[0].formula == "2*x - 5"
    model.unfix((0, 0, 0))
    model.move_point((0, 0, 0), 5, 700.0)
    assert model.snapshot().edges[0].control_y[5] == pytest.approx(700)
    scope: dict[str, Any] = {"data": (x, 50 * x)}
    exec(model.script(), scope)
    np.testing.assert_allclose(scope["model"].predict(x), model.predict(x), rtol=1e-9)


def test_suggestions_are_in_the_users_units() -> None:
    x = np.linspace(100, 200, 80)
    model = KAN([1, 1], grid_size=20, dtype=torch.float64)
    model.fit(x, np.sin(x / 20), progress=False)
    best = model.suggest((0, 0, 0), functions=["sin"]).best
    assert abs(best.a) == pytest.approx(0.05, rel=0.02)


def test_undo_gives_back_the_units_that_a_state_dict_has_changed() -> None:
    model, x, _ = make_fitted()
    other, far, before = KAN([2, 2, 1], seed=3, dtype=torch.float64), 1e3 * x, model.predict(x)
    other.fit(far, far.sum(1), **QUICK)
    steps = len(model.steps)
    model.load_state_dict(other.state_dict())
    np.testing.assert_array_equal(model.predict(far), other.predict(far))
    model.undo()
    np.testing.assert_array_equal(model.predict(x), before)
    assert len(model.steps) == steps
    model.redo()
    np.testing.assert_array_equal(model.predict(far), other.predict(far))
    model.load_state_dict(model.state_dict())
    assert len(model.steps) == steps + 1


def test_a_state_dict_carries_the_units_and_one_of_0_1_loads() -> None:
    model, x, _ = make_fitted()
    twin = KAN([2, 2, 1], dtype=torch.float64)
    twin.load_state_dict(model.state_dict())
    torch.testing.assert_close(twin(torch.tensor(x)), model(torch.tensor(x)))
    old = {name: value for name, value in model.state_dict().items() if "extra" not in name}
    plain = KAN([2, 2, 1], dtype=torch.float64)
    plain.load_state_dict(old)
    assert not plain.session.about.has_units


@settings(max_examples=2)
@given(st.floats(-6, 6), offsets, st.floats(-6, 6), offsets)
def test_an_equation_is_solved_in_the_units_of_the_data(
    size: float, b: float, height: float, d: float
) -> None:
    # u' = -1.7 u, as it was measured at a few times, in units of one's own.
    a, c = 10**size, 10**height
    t = torch.linspace(0, 1, 30, dtype=torch.float64).unsqueeze(1)
    seen, far = torch.exp(-1.7 * t), a * (t + b)
    model = KAN([1, 1], spline_order=4, dtype=torch.float64)
    model.fit(far[::3], c * (seen[::3] + d), steps=3, starts=1, smoothing=1e-6, progress=False)
    units = model.session.about
    rate = torch.nn.Parameter(torch.tensor(0.0, dtype=torch.float64))

    def decay(u: Any) -> list[Tensor]:
        here = u(far) / c - d
        return [gradient(u, far)[:, 0] * (a / c) + rate * here, u(far[::3]) / c - d - seen[::3]]

    report = model.solve(decay, steps=15, progress=False)
    assert report.loss < 1e-8
    assert rate.item() == pytest.approx(1.7, rel=1e-3)
    np.testing.assert_allclose(model.predict(far) / c - d, seen, atol=1e-4)
    assert model.session.about.x_scaling.is_as(units.x_scaling)
    model.undo()
    assert np.abs(model.predict(far[::3]) / c - d - seen[::3].numpy()).max() < 0.2


# ---- names -------------------------------------------------------------------------------------


@settings(max_examples=8, deadline=None)
@given(st.permutations(["a", "b", "unused"]))
def test_columns_of_a_frame_are_taken_by_name(order: list[str]) -> None:
    x, y = make_rows()
    frame = pd.DataFrame(x, columns=["a", "b"])
    model = KAN([2, 1, 1], dtype=torch.float64)
    model.fit(frame, y, **QUICK)
    other = frame.assign(unused="text")[order]
    np.testing.assert_array_equal(model.predict(other), model.predict(frame))
    assert model.score(other, y) == model.score(frame, y)
    assert model.evaluate((other, y)) == model.evaluate((frame, y))
    shuffled = kv.from_arrays(frame[["b", "a"]], y, test_fraction=0.0, dtype=torch.float64)
    assert model.score(shuffled) == pytest.approx(model.score(frame, y))


@functools.cache
def make_two() -> tuple[KAN, pd.DataFrame, pd.DataFrame]:
    """Return a model of two inputs and two outputs, and its tables."""
    x = pd.DataFrame(make_rows()[0], columns=["a", "b"])
    y = pd.DataFrame({"sum": 3 * x.a + x.b, "square": 1000 * x.b**2})
    model = KAN([2, 2], dtype=torch.float64)
    model.fit(x, y, **QUICK)
    return model, x, y


@settings(max_examples=5)
@given(
    st.permutations(["a", "b", "more", "text"]),
    st.permutations(["sum", "square", "more"]),
    st.integers(1, 40),
)
def test_a_second_table_may_have_its_inputs_and_targets_in_any_order(
    inputs: list[str], targets: list[str], batch: int
) -> None:
    model, x, y = make_two()
    other = x.assign(more=7.0, text="text")[inputs], y.assign(more=8.0)[targets]
    wanted = model.evaluate((x, y))
    assert model.evaluate(other) == wanted
    assert model.score(*other) == model.score(x, y)
    data = kv.from_arrays(x, y, x_test=other[0], y_test=other[1], dtype=torch.float64)
    assert data.x_test is not None
    assert data.y_test is not None
    torch.testing.assert_close(data.x_test, data.x)
    torch.testing.assert_close(data.y_test, data.y)
    columns = [name for name in inputs if name != "text"]
    turned = kv.from_arrays(other[0][columns], other[1], test_fraction=0.0, constant="keep")
    assert model.score(turned) == pytest.approx(model.score(x, y), abs=1e-9)
    tables = [(x, y), *[other] * len(x)]  # the first batch tells what the others are called
    starts = range(0, len(x), batch)

    class Loader:
        def __iter__(self) -> Any:
            return (
                tuple(part[n : n + batch] for part in pair)
                for n, pair in zip(starts, tables, strict=False)
            )

    assert model.evaluate(Loader()) == pytest.approx(wanted)
    fresh = KAN([2, 2], dtype=torch.float64)
    fresh.fit(Loader(), steps=2, optimizer="lm", progress=False)
    assert fresh.input_names == ("a", "b")
    assert fresh.score(x, y) > 0.9
    with pytest.raises(ValueError, match=r"^y has no column 'sum'\. The"):
        model.evaluate((x, y.rename(columns={"sum": "s"})))
    with pytest.raises(ValueError, match=r"^The data have no target 'sum'\. The model's outputs"):
        model.evaluate(kv.from_arrays(x, y.rename(columns={"sum": "s"})))


TYPES = ["float32", "Float64", "object", "int64", "Int64", "Int16", "boolean", "bool", "category"]


@functools.cache
def make_mixed() -> tuple[KAN, pd.DataFrame]:
    """Return a model of numbers, truth values and two texts, and its table."""
    rng = np.random.default_rng(2)
    table = pd.DataFrame(
        {
            "age [s]": rng.integers(0, 9, 40),
            "is=new": rng.random(40) < 0.5,
            "0": rng.integers(0, 2, 40),
            "kind": rng.choice(["a", "b=c", "lambda"], 40),
        }
    )
    y = table["age [s]"] + 3 * table["is=new"] - table["0"] + 2 * (table["kind"] == "lambda")
    model = KAN([6, 1], dtype=torch.float64)
    model.fit(table, y, steps=4, starts=1, smoothing=1e-8, progress=False)
    return model, table


@settings(max_examples=25)
@given(
    st.permutations(["age [s]", "is=new", "0", "kind", "more", "x_1"]),
    st.tuples(st.sampled_from(TYPES[:6]), st.sampled_from(TYPES), st.sampled_from(TYPES)),
    st.sampled_from(["str", "object", "category"]),
    st.lists(st.integers(0, 39), min_size=1, max_size=5),
    st.booleans(),
)
def test_a_table_means_the_same_in_any_order_and_type_of_its_columns(
    order: list[str],
    types: tuple[str, ...],
    kind: str,
    rows: list[int],
    is_twice: bool,  # noqa: FBT001 - drawn
) -> None:
    model, table = make_mixed()
    wanted = model.predict(table)[rows]
    chosen = dict(zip(["age [s]", "is=new", "0"], types, strict=True)) | {"kind": kind}
    frame = table.astype(chosen).iloc[rows].assign(more=pd.Timestamp("2020-01-01"), x_1=None)[order]
    if is_twice:  # of columns that nobody asks for names may be equal
        frame = pd.concat([frame, frame[["more"]]], axis=1)
    np.testing.assert_allclose(model.predict(frame), wanted, rtol=1e-12)
    assert model.evaluate((frame, wanted[:, 0]))["train_rmse"] < 1e-9


@pytest.mark.usefixtures("unchecked")
def test_columns_that_cannot_be_told_or_read_are_one_sentence() -> None:
    model, table = make_mixed()
    twice = pd.concat([table, table[["0"]]], axis=1)
    with pytest.raises(ValueError, match="x has 2 columns '0'"):
        model.predict(twice)
    for change in (
        {"0": pd.Timestamp("2020-01-01")},
        {"0": pd.Timedelta(hours=1)},
        {"0": pd.array([None, *[1] * 39], dtype="Int64")},
        {"age [s]": "many"},
    ):
        with pytest.raises((TypeError, ValueError), match=r"^x (must hold|must be|holds) .*\.$"):
            model.predict(table.assign(**change))
        with pytest.raises(
            (TypeError, ValueError), match=r"^x (must hold|must be|must vary) .*\.$"
        ):
            KAN([3, 1]).fit(table.assign(**change).drop(columns="kind"), range(40), progress=False)


def test_a_missing_column_is_one_sentence() -> None:
    x, y = make_rows()
    model = KAN([2, 1, 1])
    model.fit(pd.DataFrame(x, columns=["a", "b"]), y, **QUICK)
    with pytest.raises(ValueError, match=r"x has no column 'b'\. The model's inputs are 'a', 'b'"):
        model.predict(pd.DataFrame(x, columns=["a", "c"]))


def test_a_data_set_without_a_column_is_refused_and_further_columns_are_left_out() -> None:
    x, y = make_rows()
    model = KAN([2, 1, 1], dtype=torch.float64)
    model.fit(pd.DataFrame(x, columns=["a", "b"]), y, **QUICK)

    def made(columns: np.ndarray, names: list[str] | None) -> kv.Dataset:
        return kv.from_arrays(columns, y, input_names=names, test_fraction=0.0, dtype=torch.float64)

    more = made(np.column_stack([x[:, 1], x[:, 0], x]), ["u", "a", "b", "v"])
    wanted = pd.DataFrame({"a": x[:, 0], "b": x[:, 0]})
    np.testing.assert_allclose(model.predict(more), model.predict(wanted), rtol=1e-12, atol=1e-12)
    assert model.evaluate(more)["train_r2"] == pytest.approx(model.score(wanted, y))
    lacks = made(np.column_stack([x[:, 1], x[:, 0]]), ["b", "c"])
    unnamed = made(np.column_stack([x, x[:, 0]]), None)
    for question in (model.predict, model.evaluate, model.score):
        with pytest.raises(ValueError, match=r"x has no column 'a'\. The model's inputs are"):
            question(lacks)
        with pytest.raises(ValueError, match=r"must have .*; got"):
            question(unnamed)


def test_text_columns_are_coded_as_the_table_was(tmp_path: Any) -> None:
    rng = np.random.default_rng(0)
    size, island = rng.uniform(1, 2, 60), rng.choice(["north", "south", "west"], 60)
    table = pd.DataFrame({"island": island, "size": size, "mass": size + (island == "west")})
    table.to_csv(tmp_path / "birds.csv", index=False)
    data = kv.from_csv(tmp_path / "birds.csv", target="mass")
    model = KAN([data.n_inputs, 2, 1])
    model.fit(data, **QUICK)
    rows = pd.DataFrame({"size": [1.5, 1.5], "island": ["west", "north"]})
    west, north = model.predict(rows)[:, 0]
    assert west - north == pytest.approx(1, abs=0.2)
    with pytest.raises(ValueError, match="x holds 'east' in column 'island', which the model has"):
        model.predict(rows.assign(island="east"))


def write_table(path: Any, rows: int, *, seed: int, **columns: Any) -> pd.DataFrame:
    """Write a table of numbers and texts, with some columns as given; return it."""
    rng = np.random.default_rng(seed)
    table = pd.DataFrame(
        {
            "sex": rng.choice(["f", "m"], rows),
            "island": rng.choice(["east", "north", "south", "west"], rows),
            "size": rng.uniform(1, 2, rows),
            "year": rng.integers(2000, 2010, rows),
        }
    )
    table = table.assign(**columns)
    table["mass"] = table["size"] + (table.sex == "m") + 2 * (table.island == "west")
    table.to_csv(path, index=False)
    return table


@pytest.mark.parametrize(
    "columns",
    [
        {},
        {"island": ["west", "north"] * 10},
        {"island": "south", "sex": "m"},
        {"year": 2003, "sex": "f"},
        {"island": ["east", "north", "west", "west"] * 5, "year": 2001},
    ],
)
def test_a_second_file_is_coded_as_the_first_whatever_it_lacks(
    tmp_path: Any, columns: dict[str, Any]
) -> None:
    write_table(tmp_path / "first.csv", 80, seed=0)
    model = KAN([7, 1], dtype=torch.float64)
    model.fit(kv.from_csv(tmp_path / "first.csv", target="mass", dtype=torch.float64), **QUICK)
    model.save(tmp_path / "model.kan")
    table = write_table(tmp_path / "second.csv", 20, seed=1, **columns)
    wanted = model.predict(table.drop(columns="mass"))
    second = kv.from_csv(
        tmp_path / "second.csv", target="mass", test_fraction=0.0, dtype=torch.float64
    )
    for known in (model, kv.load(tmp_path / "model.kan")):
        np.testing.assert_allclose(known.predict(second), wanted, rtol=1e-9)
        np.testing.assert_allclose(known.predict(table), wanted, rtol=1e-12)
    assert model.score(second) == pytest.approx(model.score(table, table.mass), rel=1e-6)


@pytest.mark.parametrize("column", ["sex", "island"])
def test_a_category_that_the_model_has_never_seen_is_one_sentence(
    tmp_path: Any, column: str
) -> None:
    write_table(tmp_path / "first.csv", 80, seed=0)
    model = KAN([7, 1])
    model.fit(kv.from_csv(tmp_path / "first.csv", target="mass"), **QUICK)
    values = ["x", "y"] * 10
    table = write_table(tmp_path / "second.csv", 20, seed=1, **{column: values})
    second = kv.from_csv(tmp_path / "second.csv", target="mass")
    for given_x in (table, second):
        with pytest.raises(ValueError, match=f"x holds 'x' in column '{column}', which the model"):
            model.predict(given_x)


@pytest.mark.parametrize("kind", ["object", "category", "str"])
def test_a_frame_with_text_is_fitted_as_its_file_is(tmp_path: Any, kind: str) -> None:
    table = write_table(tmp_path / "first.csv", 60, seed=2)
    frame = table.drop(columns="mass").astype({"sex": kind, "island": kind})
    by_file, by_frame = (KAN([7, 1], dtype=torch.float64) for _ in range(2))
    exact = QUICK | {"smoothing": 1e-10}
    by_file.fit(kv.from_csv(tmp_path / "first.csv", target="mass", test_fraction=0.0), **exact)
    by_frame.fit(frame, table.mass, validation=(frame, table.mass), **exact)
    assert by_frame.input_names == by_file.input_names
    np.testing.assert_allclose(by_frame.predict(frame), by_file.predict(frame), atol=1e-4)
    by_frame.save(tmp_path / "m.kan")
    rows = write_table(tmp_path / "second.csv", 9, seed=1, island="west").iloc[:, ::-1]
    wanted = by_frame.predict(rows)
    for model in (kv.load(tmp_path / "m.kan"), by_frame):
        np.testing.assert_array_equal(model.predict(rows), wanted)
        second = kv.from_csv(tmp_path / "second.csv", target="mass", test_fraction=0.0)
        np.testing.assert_allclose(model.predict(second), wanted, atol=1e-4)
        assert model.score(rows, rows.mass) > 0.99
        with pytest.raises(ValueError, match="x holds 'east' in column 'sex', which the model has"):
            model.predict(rows.assign(sex="east"))
    data = kv.from_arrays(frame[:50], table.mass[:50], x_test=frame[50:], y_test=table.mass[50:])
    assert data.categories == {"sex": ("f", "m"), "island": ("east", "north", "south", "west")}
    assert any(note.startswith("island: one 0/1 column for each of") for note in data.notes)
    assert by_frame.evaluate(data)["test_r2"] > 0.99


@pytest.mark.parametrize(
    ("change", "wanted"),
    [
        ({"sex": ["f", None] * 30}, "must have a value in every row of column 'sex'; got none"),
        ({"sex": [np.nan, "m"] * 30}, "must have a value in every row of column 'sex'; got none"),
        ({"sex": ["f", pd.NA] * 30}, "must have a value in every row of column 'sex'; got none"),
        ({"sex": [f"id {n}" for n in range(60)]}, "at most 30 different texts in a column.*got 60"),
        ({"size": [1.0, None] * 30}, "x must hold|must be finite"),
        ({"island": "west"}, r"x must vary in every column.*island=west"),
    ],
)
def test_text_that_cannot_be_coded_is_one_sentence(
    tmp_path: Any, change: dict[str, Any], wanted: str
) -> None:
    table = write_table(tmp_path / "first.csv", 60, seed=2)
    frame, model = table.drop(columns="mass").assign(**change), KAN([7, 1])
    with pytest.raises((ValueError, TypeError), match=wanted):
        model.fit(frame, table.mass, **QUICK)
    good = table.drop(columns="mass")
    other = good.assign(sex=["f", "x"] * 30)
    with pytest.raises(ValueError, match="x_test holds 'x' in column 'sex', which the training"):
        kv.from_arrays(good, table.mass, x_test=other, y_test=table.mass)


# ---- classes -----------------------------------------------------------------------------------


@pytest.mark.parametrize("labels", [["low", "mid", "top"], [3, 7, 20], [-1, 0, 1]])
def test_labels_are_looked_up_in_those_of_the_model(labels: list[Any]) -> None:
    x = np.linspace(0, 3, 90)
    y = np.array(labels)[np.minimum(x.astype(int), 2)]
    model = KAN([1, 3], grid_size=10)
    model.fit(x, y, steps=40, progress=False)
    assert model.classes == tuple(sorted(labels))
    assert model.predict(x).dtype == y.dtype
    assert model.score(x, y) > 0.9
    rows = x > 1  # the first class is missing
    assert model.score(x[rows], y[rows]) > 0.9
    part = kv.from_arrays(x[rows], y[rows], task="classification", test_fraction=0.0)
    assert model.score(part) > 0.9


@functools.cache
def make_classifier(kind: type) -> tuple[KAN, np.ndarray, np.ndarray]:
    """Return a classifier of three classes that errs here and there, and rows with labels."""
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 3, 120)
    numbers = np.clip(x + 0.4 * rng.standard_normal(120), 0, 2.9).astype(int)
    labels = np.array([17, -4, 6]).astype(kind)[numbers]
    model = KAN([1, 3], seed=0)
    model.fit(x, labels, loss="cross_entropy", steps=20, progress=False)
    return model, x, labels


@settings(max_examples=15, deadline=None)
@given(
    st.sampled_from([int, str]),
    st.lists(st.integers(0, 119), min_size=2, max_size=25),
    st.sampled_from(["array", "list", "frame", "Dataset"]),
)
def test_labels_mean_what_they_say_whichever_rows_are_there(
    kind: type, rows: list[int], form: str
) -> None:
    model, x, labels = make_classifier(kind)
    asked, true = x[rows].reshape(-1, 1), labels[rows]
    found = model.predict(asked)
    share = float(np.mean(found == true))
    assert set(found.tolist()) <= set(labels.tolist())
    pair: Any = (asked, true)
    if form == "list":
        pair = asked.tolist(), true.tolist()
    elif form == "frame":
        pair = pd.DataFrame(asked, columns=["x_1"]), pd.Series(true)
    elif form == "Dataset" and len(set(true)) > 1:
        pair = kv.from_arrays(asked, true, task="classification", test_fraction=0.0)
    assert model.evaluate(pair)["train_accuracy"] == pytest.approx(share)
    assert (model.score(pair) if isinstance(pair, kv.Dataset) else model.score(*pair)) == (
        pytest.approx(share)
    )


def test_truth_values_come_back_as_truth_values() -> None:
    x = np.linspace(0, 1, 40)
    model = KAN([1, 2])
    model.fit(x, x > 0.5, steps=20, progress=False)
    assert model.classes == (False, True)
    assert model.predict([0.1, 0.9]).tolist() == [False, True]


def test_whole_numbers_of_any_type_are_labels_where_there_are_several_outputs() -> None:
    x = np.linspace(0, 1, 40)
    for kind in (float, np.float32, np.int8, np.uint8):
        model = KAN([1, 2])
        model.fit(x, (x > 0.5).astype(kind), steps=20, progress=False)
        assert model.classes == (0, 1)
        assert model.score(x, (x > 0.5).astype(int)) > 0.9


@pytest.mark.usefixtures("unchecked")
def test_no_data_are_no_sample_that_was_remembered() -> None:
    model, x, _ = make_fitted()
    for question in (model.predict, model.decision_function, model.contributions):
        with pytest.raises(TypeError, match="x must be data, one row per sample; got None"):
            question(None)
    with pytest.raises(ValueError, match="x is on the meta device, which holds no numbers"):
        model.predict(torch.tensor(x, device="meta"))
    with pytest.raises(ValueError, match="This model is on the meta device"):
        model.copy().to("meta").predict(x)


def test_an_unknown_label_is_one_sentence() -> None:
    model = KAN([1, 2])
    model.fit([0.0, 1, 2, 3], ["a", "a", "b", "b"], steps=3, progress=False)
    with pytest.raises(ValueError, match="y holds the label 'c', which the model does not know"):
        model.score([0.0, 1.0], ["a", "c"])
    with pytest.raises(ValueError, match="y must hold class labels"):
        model.score([0.0, 1.0], [0.5, 1.5])


def test_classes_are_kept_in_the_file(tmp_path: Any) -> None:
    model = KAN([1, 2])
    model.fit([0.0, 1, 2, 3], [5, 5, 9, 9], steps=10, progress=False)
    model.save(tmp_path / "model.kan")
    again = kv.load(tmp_path / "model.kan")
    assert again.classes == (5, 9)
    assert again.predict([0.5]).tolist() == [5]


@pytest.mark.parametrize("kind", [bool, int, float])
def test_a_loss_of_ones_own_is_asked_in_the_users_units(kind: type) -> None:
    x = np.linspace(-2, 2, 120)
    blurred = np.abs(x) + np.random.default_rng(0).uniform(-0.5, 0.5, 120)
    y: np.ndarray = (blurred < 1).astype(kind)
    model = KAN([1, 1], grid_size=10)
    report = model.fit(x, y, loss=torch.nn.BCEWithLogitsLoss(), steps=30, progress=False)
    assert 0 < report.loss < 0.5
    logits = model.predict(x)[:, 0]
    told = torch.nn.BCEWithLogitsLoss()(torch.tensor(logits), torch.tensor(y, dtype=torch.float64))
    assert report.loss == pytest.approx(float(told), rel=0.1)
    assert ((logits > 0) == y.astype(bool)).mean() > 0.8
    assert model.score(x, y) < 1  # read as numbers here too

    def error(outputs: Tensor, y: Tensor) -> Tensor:
        return (outputs - y).abs().mean()

    far = KAN([1, 1], grid_size=10)
    told = far.fit(x, 5000 + 100 * np.sin(x), loss=error, steps=20, progress=False).loss
    missed = np.abs(far.predict(x)[:, 0] - 5000 - 100 * np.sin(x)).mean()
    assert told == pytest.approx(missed, rel=0.1)


@example(
    labels=("no", "yes"),
    reduction="mean",
    label_smoothing=0.0,
    is_weighed=True,
    dtype=torch.float64,
)
@settings(max_examples=5)
@given(
    st.sampled_from([(False, True), (-1, 1), (0, 1), ("no", "yes"), (5, -3)]),
    st.sampled_from(["mean", "sum"]),
    st.sampled_from([0.0, 0.1]),
    st.booleans(),
    st.sampled_from([torch.float32, torch.float64]),
)
def test_losses_of_torch_take_the_users_labels(
    labels: tuple[Any, Any],
    reduction: str,
    label_smoothing: float,
    is_weighed: bool,  # noqa: FBT001 - drawn
    dtype: torch.dtype,
) -> None:
    rng = np.random.default_rng(1)
    x = rng.uniform(-1, 1, 60)
    numbers = (x + 0.3 * rng.standard_normal(60) > 0).astype(int)
    y = np.array(labels)[numbers]
    order = np.argsort(np.argsort(np.array(labels)))  # the place of each among the sorted ones
    weight = torch.tensor([1.0, 4.0]) if is_weighed else None
    loss = torch.nn.CrossEntropyLoss(
        weight=weight, label_smoothing=label_smoothing, reduction=reduction
    )
    model = KAN([1, 2], dtype=dtype)
    report = model.fit(x, y, loss=loss, steps=5, progress=False)
    assert set(model.classes or ()) == set(labels)
    assert set(model.predict(x).tolist()) <= set(labels)
    assert model.score(x, y) > 0.7
    scores = torch.tensor(model.decision_function(x), dtype=dtype)
    told = float(loss.to(dtype)(scores, torch.tensor(order[numbers])))
    assert report.loss == pytest.approx(told, rel=1e-4)
    binary = torch.nn.BCEWithLogitsLoss(
        pos_weight=torch.tensor([3.0]) if is_weighed else None, reduction=reduction
    )
    one = KAN([1, 1], dtype=dtype)
    report = one.fit(x, numbers, loss=binary, steps=5, progress=False)
    logits = torch.tensor(one.predict(x)[:, 0], dtype=dtype)
    told = float(binary.to(dtype)(logits, torch.tensor(numbers, dtype=dtype)))
    assert report.loss == pytest.approx(told, rel=1e-4)
    assert np.mean((logits.numpy() > 0) == numbers) > 0.7


def test_two_classes_for_one_output_are_one_sentence() -> None:
    for labels in (["no", "yes"] * 4, [False, True] * 4):
        with pytest.raises(ValueError, match=r"y holds 2 classes, which take 2 outputs; got .*BCE"):
            KAN([1, 1]).fit(range(8), labels, progress=False)


def test_a_model_of_numbers_has_no_shares() -> None:
    with pytest.raises(
        ValueError, match=r"This model predicts numbers, not classes\. Use predict\."
    ):
        KAN([1, 1]).predict_proba([0.5])


# ---- precision ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("offset", "step"), [(1.7e9, 3600.0), (2_459_000.5, 1.0), (4.5e6, 1.0)])
def test_offsets_are_taken_off_before_digits_are_lost(offset: float, step: float) -> None:
    t = np.linspace(0, 6, 200)
    x, y = offset + step * t, np.sin(t)
    model = KAN([1, 1], grid_size=20)  # float32
    model.fit(x, y, progress=False)
    assert model.score(x, y) > 0.999
    assert np.corrcoef(model.predict(x)[:, 0], y)[0, 1] > 0.999


@settings(max_examples=8)
@given(st.floats(0, 10), st.floats(-3, 3), st.sampled_from([-1, 1]), st.floats(-9, 6))
def test_offsets_of_any_size_cost_no_digits_in_float32(
    far: float, step: float, side: int, size: float
) -> None:
    t = np.linspace(-1, 1, 50)
    x, y = 10**step * (side * 10**far + t), 10**size * (side * 10 ** (far / 2) + t**2)
    t = x / 10**step - side * 10**far  # what float64 has left of it
    model = KAN([1, 1])
    model.fit(x, y, steps=5, starts=1, smoothing=1e-8, progress=False)
    wanted = 10**size * (side * 10 ** (far / 2) + t**2)
    for asked in (x, torch.tensor(x), pd.DataFrame({"x_1": x})):
        assert np.abs(model.predict(asked)[:, 0] - wanted).max() < 1e-3 * 10**size
    found = model.evaluate((x, y))
    left = root_mean_square(torch.tensor(model.predict(x)[:, 0] - y)) / 10**size
    assert found["train_rmse"] / 10**size == pytest.approx(float(left), rel=1e-3)
    assert found["train_r2"] > 1 - 1e-5
    model.fix((0, 0, 0), "x^2")
    formula = model.formula(digits=None, snap=0.0, simplify_seconds=0.0)
    read = formula.to_callable()(x[:, None])[:, 0]
    off = read - model.predict(x)[:, 0]
    share = np.abs(off - off.mean()).max() / 10**size
    assert share < 1e-4
    assert formula.error is not None
    assert formula.error < 1e-4


@pytest.mark.parametrize("size", [1e-23, 1e19])
def test_errors_are_measured_in_float64(size: float) -> None:
    x = np.linspace(0, 6, 100)
    model = KAN([1, 1], grid_size=3)
    model.fit(x, size * np.sin(x), steps=3, starts=1, progress=False)
    found = model.evaluate((x, size * np.sin(x)))
    left = model.predict(x)[:, 0] - size * np.sin(x)
    assert found["train_rmse"] == pytest.approx(
        np.sqrt(np.mean((left / size) ** 2)) * size, rel=1e-5
    )
    assert 0 < found["train_r2"] < 1


def test_gradients_go_through_the_units() -> None:
    model, x, _ = make_fitted()
    point = torch.tensor(x[:1], requires_grad=True)
    (slope,) = torch.autograd.grad(model(point).sum(), point)
    step = torch.tensor([[1e-4, 0.0]], dtype=torch.float64)
    numeric: Tensor = (model(point + step) - model(point - step)).detach()[0, 0] / 2e-4
    assert slope[0, 0].item() == pytest.approx(numeric.item(), rel=1e-5)


# ---- values far out ----------------------------------------------------------------------------


@pytest.mark.parametrize("far", [20.0, 1000.0])
def test_one_value_in_a_hundred_far_out_does_not_take_the_grid(far: float) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(400, 2))
    y = np.sin(2 * x[:, 0]) + x[:, 1] ** 2
    x[::100, 0] *= far
    near = np.abs(x[:, 0]) < 3
    model, even = (KAN([2, 1], grid_size=10, dtype=torch.float64) for _ in range(2))
    report = model.fit(x, y, progress=False)
    assert model.score(x[near], y[near]) > 0.98
    assert any("knots of 'x_1' stand" in note for note in report.notes)
    even.update_grid(x, grid_eps=1.0)
    even.fit(x, y, update_grid=False, progress=False)
    gain = model.score(x[near], y[near]) - even.score(x[near], y[near])
    assert gain > (0.1 if far > 100 else 0.0)
