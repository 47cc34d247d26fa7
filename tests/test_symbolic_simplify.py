import itertools
import time

import pytest
import sympy
from hypothesis import given
from make_symbolic import expressions

from kanviz.symbolic.formula import _expanded
from kanviz.symbolic.parse import parse
from kanviz.symbolic.printing import to_text
from kanviz.symbolic.simplify import (
    most_memory,
    run_within,
    simplified,
    terms_when_expanded,
    with_unit_terms,
)

x, y = sympy.symbols("x y")


def make_monster() -> sympy.Expr:
    """Return an expression that sympy takes more than a minute to simplify."""
    symbols = sympy.symbols("x0:8")
    return sympy.Add(
        *(sympy.sin(a + 1.3 * b) * sympy.exp(b) / (1 + a**2 * b) for a in symbols for b in symbols)
    )


@pytest.mark.parametrize(
    ("expression", "wanted"),
    [
        (sympy.sin(x) ** 2 + sympy.cos(x) ** 2 + x, x + 1),
        (sympy.exp(x) * sympy.exp(2 * x + y), sympy.exp(3 * x + y)),
        ((x**2 - 1) / (x - 1), x + 1),
        (sympy.Abs(x) ** 2, x**2),
        (2.5 * x + y, 2.5 * x + y),
        ((1 - sympy.tanh((sympy.log(x) + sympy.log(y)) / 2)) / 2, 1 / (1 + x * y)),
    ],
)
def test_shorter_forms_are_found(expression: sympy.Expr, wanted: sympy.Expr) -> None:
    assert simplified(expression) == wanted


def test_the_number_of_a_sums_first_term_comes_out_of_its_root() -> None:
    found = with_unit_terms(0.5 * sympy.sqrt(4.0 * x + 8.0 * y + 2.0))
    assert found == 1.0 * sympy.sqrt(1.0 * x + 2.0 * y + 0.5)
    assert with_unit_terms((2 * x + y) ** 3) == (2 * x + y) ** 3
    assert with_unit_terms(1 / (2 * x + 2 * y)) == 1 / (x + y) / 2


def test_unknown_functions_stay() -> None:
    phi = sympy.Function("phi_0_1_2")
    assert simplified(phi(x) * (sympy.sin(y) ** 2 + sympy.cos(y) ** 2)) == phi(x)


def test_what_is_too_large_is_left_alone_and_equal() -> None:
    monster = make_monster()
    found = simplified(monster, 0.3)
    values = {symbol: 0.1 + 0.2 * n for n, symbol in enumerate(monster.free_symbols)}
    assert float(found.xreplace(values)) == pytest.approx(float(monster.xreplace(values)))


def test_a_rule_that_takes_too_long_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, rounds = [], [0]

    def endless(expression: sympy.Expr) -> sympy.Expr:
        begun.append("expand_mul")
        while True:
            rounds[0] += 1

    def never(expression: sympy.Expr) -> sympy.Expr:
        begun.append("simplify")
        return expression

    monkeypatch.setattr("sympy.expand_mul", endless)
    monkeypatch.setattr("sympy.simplify", never)
    assert simplified(sympy.exp(x) * sympy.exp(2 * x + y), 0.5) == sympy.exp(3 * x + y)
    assert begun == ["expand_mul"]
    seen = rounds[0]
    time.sleep(0.05)
    assert rounds[0] == seen  # it does not go on behind our back


def test_a_rule_that_fills_the_memory_is_broken_off(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = iter([0, 0, 10**8, 10**9])
    monkeypatch.setattr("kanviz.symbolic.simplify.most_memory", lambda: next(sizes))
    assert not run_within(60, lambda: all(True for _ in itertools.count()))
    assert next(sizes, None) is None


def test_a_busy_machine_does_not_shorten_the_time_of_a_formula() -> None:
    assert run_within(0.1, lambda: time.sleep(0.4))  # as where others have the processor

    def wait() -> None:
        for _ in range(1000):
            time.sleep(0.01)

    begin = time.monotonic()
    assert not run_within(0.02, wait)
    assert time.monotonic() - begin < 5


def test_what_fails_within_a_time_fails_where_it_was_asked_for() -> None:
    with pytest.raises(ZeroDivisionError):
        run_within(60, lambda: 1 // 0)
    assert run_within(60, lambda: None)


@pytest.mark.parametrize(
    "text", ["sin(J6(x))", "arcsin(J4(x)**100)", "tan(tan(x)**50 + cosh(x)**20)"]
)
def test_what_sympy_does_not_end_is_shown_as_it_is(text: str) -> None:
    before = most_memory()
    assert str(to_text(simplified(parse(text), 0.2))) == text
    assert most_memory() - before < 500 * 2**20


@pytest.mark.parametrize(
    "text",
    [
        "sigmoid(12*x + 88)*(12*x + 88) + sigmoid(6469693230*x + 26)*(6469693230*x + 26)",
        "2**(4294967297*x) + 2**x*sigmoid(x)",
        "exp(x*123456789/10)*exp(x)/(1 + exp(-x/7))",
    ],
)
def test_no_polynomial_of_a_huge_degree_is_begun(text: str) -> None:
    # One multiplication of numbers of a billion digits is one step of C, which nothing ends.
    began = time.process_time()
    simplified(parse(text), 0.5)
    assert time.process_time() - began < 10


@given(expressions(5))
def test_no_expression_has_more_terms_than_are_counted(expression: sympy.Expr) -> None:
    if terms_when_expanded(expression) <= 200:
        found = _expanded(expression)
        assert len(sympy.Add.make_args(found)) <= terms_when_expanded(expression)


def test_a_rule_of_sympy_that_fails_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(expression: sympy.Expr) -> sympy.Expr:
        raise NotImplementedError

    monkeypatch.setattr("sympy.powsimp", fail)
    assert simplified(sympy.exp(x) * sympy.exp(2 * x + y)) == sympy.exp(3 * x + y)


def test_no_time_leaves_the_expression() -> None:
    expression = sympy.sin(x) ** 2 + sympy.cos(x) ** 2
    assert simplified(expression, 0) == expression
