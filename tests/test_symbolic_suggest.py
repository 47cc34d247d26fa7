import numpy as np
import pytest
import torch
from accuracy import symbolic_recovery

from kanviz.symbolic import laws
from kanviz.symbolic.functions import BUILT_IN, make_function
from kanviz.symbolic.suggest import suggest

pytestmark = pytest.mark.long


@pytest.mark.usefixtures("unchecked")
def test_nearly_every_function_is_found_in_noisy_samples_of_itself() -> None:
    rows = [symbolic_recovery.measure(name, seeds=1, samples=300) for name in BUILT_IN]
    missed = [row.name for row in rows if not row.found]
    assert len(missed) <= 0.05 * len(rows), missed


@pytest.mark.parametrize("name", ["sin", "log", "tanh", "1/x", "sgn"])
@pytest.mark.usefixtures("unchecked")
def test_the_answer_does_not_depend_on_the_units(name: str) -> None:
    x, y = symbolic_recovery.make_samples(BUILT_IN[name], 0, samples=100)
    x, y = x / x.abs().max(), y / y.std()
    plain = suggest(x, y)
    errors = {row.name: row.error for row in plain}
    for x_scale, y_scale in ((1e-4, 1e4), (1e4, 1e-4)):
        scaled = suggest(x * x_scale + 2 * x_scale, y * y_scale - 3 * y_scale)
        assert scaled.best.name == plain.best.name
        for row in scaled[:5]:
            assert row.error == pytest.approx(errors[row.name], rel=1e-3)


def test_equal_fits_come_simplest_first_and_the_rest_by_error() -> None:
    x = np.linspace(-1, 1, 300)
    table = suggest(x, 3 * x**2 - 1)
    assert table.best.name == "x^2"
    errors = [row.error for row in table]
    assert errors[5:] == sorted(errors[5:])
    sine = suggest(x, np.sin(5 * x))
    assert [row.name for row in sine[:2]] == ["sin", "cos"]


def test_a_straight_line_is_called_one_although_most_functions_fit_it() -> None:
    x = np.linspace(-1, 1, 300)
    noise = 0.01 * np.random.default_rng(0).normal(size=300)
    assert suggest(x, 2 * x + 1 + noise).best.name == "x"


def test_noise_alone_is_called_a_constant() -> None:
    rng = np.random.default_rng(0)
    table = suggest(np.linspace(-1, 1, 300), rng.normal(size=300))
    assert table.best.name == "0"
    assert table.best.expression.is_number


@pytest.mark.parametrize("size", [0.01, 0.3])
def test_no_law_is_looked_for_in_what_is_noise(
    monkeypatch: pytest.MonkeyPatch, size: float
) -> None:
    x, asked = np.linspace(-2, 2, 200), list[float]()

    def find_laws(_: object, below: float) -> list[object]:
        asked.append(below)
        return []

    monkeypatch.setattr(laws, "find_laws", find_laws)
    noise = size * np.random.default_rng(1).normal(size=200)
    suggest(x, np.tanh(2 * x) + noise)
    assert not asked
    suggest(x, np.tanh(2 * x) + noise + 3 * size * np.sin(30 * x))  # ten samples a wave
    assert len(asked) == 1


def test_a_constant_curve_is_a_constant() -> None:
    table = suggest(np.linspace(-1, 1, 30), np.full(30, 2.5))
    assert (table.best.name, table.best.text, table.best.error) == ("0", "2.5", 0)


def test_the_front_has_what_nothing_beats() -> None:
    x = np.linspace(-1, 1, 300)
    table = suggest(x, np.exp(-3 * x**2))
    front = [row for row in table if row.on_front]
    for row in table:
        beaten = [
            other.name
            for other in table
            if other.complexity <= row.complexity
            and other.error <= row.error
            and (other.complexity, other.error) != (row.complexity, row.error)
        ]
        assert (row in front) == (beaten == [])
    assert {"0", "gaussian"} <= {row.name for row in front}


def test_weights_choose_what_counts() -> None:
    x = np.linspace(-1, 1, 400)
    y = np.where(x < 0, x**2, 5.0)
    assert suggest(x, y, weights=(x < 0).astype(float)).best.name == "x^2"


def test_a_users_function_is_suggested_like_any_other() -> None:
    library = BUILT_IN.with_function(make_function("hill", "x**2/(1 + x**2)", complexity=2))
    x = np.linspace(0, 5, 300)
    table = suggest(x, 4 * x**2 / (0.5 + x**2) + 1, functions=library)
    assert table.best.name == "hill"
    assert abs(table.best.a) == pytest.approx(2**0.5, rel=1e-4)


def test_only_the_given_functions_are_tried_and_top_cuts() -> None:
    x = np.linspace(-1, 1, 100)
    table = suggest(x, x**3, functions=BUILT_IN.only(["x", "x^3", "sin"]), top=2)
    assert [row.name for row in table] == ["x^3", "x"]


@pytest.mark.usefixtures("rng_untouched", "unchecked")
def test_it_is_the_same_each_time_and_changes_nothing(dtype: torch.dtype) -> None:
    x = torch.linspace(-1, 1, 200, dtype=dtype, requires_grad=True)
    y = (2 * x).tanh()
    before = x.detach().clone(), y.detach().clone()
    assert suggest(x, y).rows == suggest(x, y).rows
    assert torch.equal(x, before[0])
    assert torch.equal(y, before[1])
    assert x.grad is None


def test_few_samples_with_many_equal_x_are_no_trouble() -> None:
    x = np.repeat([0.0, 1.0, 2.0], 3)
    table = suggest(x, x**2)
    assert len(table) == len(BUILT_IN)
    assert all(np.isfinite([row.error, row.a, row.b, row.c, row.d]).all() for row in table)


def test_a_table_shows_itself_as_text_and_html() -> None:
    x = np.linspace(-1, 1, 100)
    library = BUILT_IN.only(["x^2", "0"]).with_function(make_function("<b>", "x**3"))
    table = suggest(x, 2 * x**2 + 1, functions=library)
    lines = str(table).splitlines()
    assert lines[0].split() == ["function", "error", "r2", "complexity", "front", "formula"]
    assert lines[1].startswith("x^2 ")
    assert lines[1].endswith("2.0*x**2 + 1.0")
    page = table._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert page.count("<tr>") == 4


def test_no_function_at_all_is_an_error() -> None:
    with pytest.raises(ValueError, match="functions is empty"):
        suggest(range(9), range(9), functions={})
