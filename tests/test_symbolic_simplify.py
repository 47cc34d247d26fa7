import pytest
import sympy
from effort import calls_of

from kanviz.symbolic.simplify import simplified, with_unit_terms

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
    assert calls_of(lambda: simplified(monster, 0.3)) < 500_000
    values = {symbol: 0.1 + 0.2 * n for n, symbol in enumerate(monster.free_symbols)}
    assert float(found.xreplace(values)) == pytest.approx(float(monster.xreplace(values)))


def test_nothing_is_begun_after_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    begun = []

    def note(name: str) -> None:
        def rule(expression: sympy.Expr) -> sympy.Expr:
            begun.append(name)
            return expression

        monkeypatch.setattr(f"sympy.{name}", rule)

    for name in ("powsimp", "factor_terms", "expand_mul", "simplify"):
        note(name)
    times = iter([0.0, 0.1, 1.9, 2.0, 2.1, 2.2])
    monkeypatch.setattr("kanviz.symbolic.simplify.time.monotonic", lambda: next(times))
    assert simplified(x + y, 2.0) == x + y
    assert begun == ["powsimp", "factor_terms"]


def test_a_rule_of_sympy_that_fails_is_passed_over(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(expression: sympy.Expr) -> sympy.Expr:
        raise NotImplementedError

    monkeypatch.setattr("sympy.powsimp", fail)
    assert simplified(sympy.exp(x) * sympy.exp(2 * x + y)) == sympy.exp(3 * x + y)


def test_no_time_leaves_the_expression() -> None:
    expression = sympy.sin(x) ** 2 + sympy.cos(x) ** 2
    assert simplified(expression, 0) == expression
