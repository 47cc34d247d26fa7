import contextlib
import json
import math
import shutil
import sqlite3
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.special
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st
from make_symbolic import expressions, inner_points

from kanviz.symbolic.functions import BUILT_IN
from kanviz.symbolic.parse import parse
from kanviz.symbolic.program import curve
from kanviz.symbolic.source import (
    C_WORDS,
    JAVASCRIPT_WORDS,
    PYTHON_WORDS,
    c_source,
    identifiers,
    javascript_source,
    python_source,
    sheet_source,
    sql_source,
)


def run_python(source: str, name: str, *arguments: Any) -> Any:
    space: dict[str, Any] = {}
    exec(source, space)
    with np.errstate(all="ignore"):
        return space[name](*arguments)


@pytest.mark.parametrize("name", BUILT_IN)
def test_python_source_computes_every_function(name: str) -> None:
    function = BUILT_IN[name]
    x = inner_points(function)
    found = run_python(python_source([function.expression], ["x"], ["y"]), "y", x.numpy())
    wanted = np.broadcast_to(function.torch(x).numpy(), x.shape)
    assert np.abs(found - wanted).max() <= 2e-15 * (1 + np.abs(wanted).max())


@given(expressions(6), st.sampled_from([0.31, 1.7]))
def test_python_source_computes_what_the_program_does(expression: sympy.Expr, x: float) -> None:
    wanted = curve(expression).plain(torch.tensor(x, dtype=torch.float64)).item()
    found = run_python(python_source([expression], ["x"], ["y"]), "y", x)
    if abs(wanted) < 1e6:
        assert float(found) == pytest.approx(wanted, rel=1e-9, abs=1e-9)


def test_python_source_takes_whole_numbers_and_arrays_of_them() -> None:
    source = python_source([parse("x**-2 + 1/x")], ["x"], ["y"])
    assert run_python(source, "y", 2) == 0.75
    assert run_python(source, "y", np.array([1, 2])).tolist() == [2.0, 0.75]


def test_python_source_asks_for_scipy_only_where_needed() -> None:
    assert "scipy" not in python_source([parse("sin(x)*pi")], ["x"], ["y"])
    assert "import scipy.special" in python_source([parse("J0(x)")], ["x"], ["y"])


@pytest.mark.parametrize("compiler", ["cc"])
def test_c_source_compiles_and_computes_every_function(tmp_path: Path, compiler: str) -> None:
    functions = BUILT_IN.functions
    names = [f"f{n}" for n in range(len(functions))]
    source = c_source([function.expression for function in functions], ["x"], names)
    assert source.count("double f") == len(functions)
    if shutil.which(compiler) is None:
        return  # what is checked above holds; running it needs a compiler
    calls, wanted = [], []
    for name, function in zip(names, functions, strict=True):
        for x in inner_points(function, 5).tolist():
            calls.append(f'printf("%.17g\\n", {name}({x!r}));')
            wanted.append(function.torch(torch.tensor(x, dtype=torch.float64)).item())
    program = f"#include <stdio.h>\n{source}\nint main(void) {{ {' '.join(calls)} return 0; }}\n"
    (tmp_path / "f.c").write_text(program)
    build = [compiler, "-std=gnu99", "-Wall", "-Werror", "f.c", "-o", "f", "-lm"]
    subprocess.run(build, cwd=tmp_path, check=True, capture_output=True)
    printed = subprocess.run([tmp_path / "f"], check=True, capture_output=True, text=True).stdout
    found = [float(line) for line in printed.split()]
    assert found == pytest.approx(wanted, rel=1e-14, abs=3e-15)


def test_c_source_has_numbers_in_place_of_constants_that_c99_lacks() -> None:
    source = c_source([parse("pi*x + e")], ["x"], ["y"])
    assert "M_" not in source
    assert repr(math.pi) in source


@pytest.mark.parametrize(
    ("names", "wanted"),
    [
        (["a", "b"], ["a", "b"]),
        (["house price", "house-price"], ["house_price", "house_price_2"]),
        (["2nd", "", "%"], ["x_2nd", "x", "x_2"]),
        (["lambda", "numpy"], ["lambda_2", "numpy_2"]),
        (["x); import os #", "a\nb"], ["x_import_os", "a_b"]),
        (["größe", "__x__"], ["gr_e", "x"]),
    ],
)
def test_names_become_different_identifiers(names: list[str], wanted: list[str]) -> None:
    assert identifiers(names, PYTHON_WORDS) == wanted


@given(st.lists(st.text(max_size=20), max_size=6))
def test_any_names_become_identifiers_of_all_languages(names: list[str]) -> None:
    for taken in (PYTHON_WORDS, C_WORDS, JAVASCRIPT_WORDS):
        found = identifiers(names, taken)
        assert len(set(found)) == len(names)
        assert all(name.isidentifier() and name.isascii() for name in found)
        assert not set(found) & taken


def test_hostile_names_run_no_code() -> None:
    name = "x): import os; os.abort()  # "
    formula = sympy.Symbol(name) * 2
    source = python_source([formula], [name], ["y\nimport os"])
    assert run_python(source, "y_import_os", 4) == 8


def test_functions_and_arguments_have_different_names() -> None:
    source = python_source([sympy.Symbol("y") + 1], ["y"], ["y"])
    assert run_python(source, "y_2", 4) == 5


def test_a_spline_has_no_source() -> None:
    formula = sympy.Function("phi_0_0_0")(sympy.Symbol("x"))
    for write in (python_source, c_source, javascript_source):
        with pytest.raises(ValueError, match=r"formula must be made of known functions; got 'phi"):
            write([formula], ["x"], ["y"])


# ---- JavaScript, spreadsheets, SQL ---------------------------------------------------------------


def values_of(expression: sympy.Expr, points: list[float]) -> list[float]:
    x = torch.tensor(points, dtype=torch.float64)
    return curve(expression).plain(x).broadcast_to(x.shape).tolist()


def test_javascript_computes_every_function(tmp_path: Path) -> None:
    functions = BUILT_IN.functions
    names = [f"f{n}" for n in range(len(functions))]
    source = javascript_source([function.expression for function in functions], ["x"], names)
    if shutil.which("node") is None:
        return  # running it needs node
    points = [inner_points(function, 7).tolist() for function in functions]
    calls = [f"[{','.join(map(repr, x))}].map({n})" for n, x in zip(names, points, strict=True)]
    (tmp_path / "f.js").write_text(f"{source}\nconsole.log(JSON.stringify([{','.join(calls)}]))")
    printed = subprocess.run(["node", "f.js"], cwd=tmp_path, check=True, capture_output=True)
    for function, x, found in zip(functions, points, json.loads(printed.stdout), strict=True):
        wanted = values_of(function.expression, x)
        assert found == pytest.approx(wanted, rel=1e-13, abs=1e-14), function.name


@pytest.mark.parametrize("x", [0.0, -0.3, 2.9, -4.2, 5.99, 7.0, 30.0, -200.0])
def test_javascript_has_erf_and_bessel_functions_of_its_own(tmp_path: Path, x: float) -> None:
    if shutil.which("node") is None:
        return
    texts = ("erf(x)", "J0(x)", "J1(x)", "J8(x)")
    source = javascript_source([parse(text) for text in texts], ["x"], ["a", "b", "c", "d"])
    show = f"console.log([a, b, c, d].map((f) => f({x!r})).join())"
    (tmp_path / "f.js").write_text(f"{source}\n{show}")
    printed = subprocess.run(["node", "f.js"], cwd=tmp_path, check=True, capture_output=True)
    found = [float(one) for one in printed.stdout.decode().split(",")]
    wanted = [scipy.special.erf(x), *(scipy.special.jv(n, x) for n in (0, 1, 8))]
    assert found == pytest.approx(wanted, rel=1e-12, abs=1e-14)


@given(expressions(6), st.sampled_from([0.31, 1.7]))
def test_sql_computes_what_the_program_does(expression: sympy.Expr, x: float) -> None:
    if expression.has(sympy.erf, sympy.besselj):
        with pytest.raises(ValueError, match=r"SQL has no function for (erf|besselj)\."):
            sql_source([expression], ["x"], ["y"], "data")
        return
    wanted = curve(expression).plain(torch.tensor(x, dtype=torch.float64)).item()
    query = sql_source([expression], ["x"], ["y"], "data")
    if abs(wanted) < 1e6:
        assert run_sql(query, ["x"], [(x,)]) == [pytest.approx(wanted, rel=1e-9, abs=1e-9)]


def run_sql(query: str, columns: list[str], rows: list[tuple[Any, ...]]) -> list[float]:
    with contextlib.closing(sqlite3.connect(":memory:")) as base:
        named = ", ".join('"' + column.replace('"', '""') + '"' for column in columns)
        base.execute(f"CREATE TABLE data ({named})")
        base.executemany(f"INSERT INTO data VALUES ({','.join('?' * len(columns))})", rows)
        return [row[-1] for row in base.execute(query)]


def test_sql_divides_columns_of_whole_numbers_as_numbers() -> None:
    a, b = sympy.symbols("a b", real=True)
    for expression, wanted in ((a / b, 0.5), (1 / b, 0.25), (a * (1 / b + 1), 2.5), (-a / b, -0.5)):
        query = sql_source([expression], ["a", "b"], ["y"], "data")
        assert run_sql(query, ["a", "b"], [(2, 4)]) == [wanted]


def test_hostile_columns_stay_columns_in_sql() -> None:
    name = 'x"; DROP TABLE data; --'
    query = sql_source([sympy.Symbol(name, real=True) * 2], [name], ['y"'], "data")
    assert run_sql(query, [name], [(3,), (4,)]) == [6.0, 8.0]
    with pytest.raises(ValueError, match="SQL has no column or table called ''"):
        sql_source([sympy.Integer(1)], ["x"], ["y"], "")


def test_a_sheet_computes_every_function() -> None:
    formulas = pytest.importorskip("formulas")
    for function in BUILT_IN.functions:
        if function.name in ("J0", "J1"):  # the library that computes cells here lacks BESSELJ
            continue
        (cell,) = sheet_source([function.expression], ["x"], ["A2"])
        points = inner_points(function, 5).tolist()
        compute = formulas.Parser().ast(cell)[1].compile() if "A2" in cell else None
        found = [0.0 if compute is None else float(compute(x)) for x in points]
        wanted = values_of(function.expression, points)
        assert found == pytest.approx(wanted, rel=1e-13, abs=1e-14), function.name


def test_signs_and_powers_bind_alike_in_a_sheet() -> None:
    # In Excel -A2^2 is a square: powers are calls, so nobody has to know.
    x, y = sympy.symbols("x y", real=True)
    assert sheet_source([-(x**2)], ["x"], ["A2"]) == ["=-POWER(A2,2)"]
    assert sheet_source([(-x) ** 3 / y], ["x", "y"], ["$A$2", "C7"]) == ["=-POWER($A$2,3)/C7"]


@pytest.mark.parametrize(
    ("cells", "words"),
    [
        (["A2"], r"one per input; got 1 for 2 inputs\. Write for example \['A2', 'B2'\]"),
        (["A2", "B0"], "such as 'A2' or .* got 'B0'"),
        (["A2", "1+1"], "got '1[+]1'"),
    ],
)
def test_cells_that_are_none_are_refused(cells: list[str], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        sheet_source([sympy.Symbol("x") + sympy.Symbol("y")], ["x", "y"], cells)


def test_a_formula_too_long_for_a_cell_is_refused() -> None:
    x = sympy.Symbol("x", real=True)
    long = sympy.Add(*(sympy.sin(n * x / 1000003) for n in range(1, 600)))
    with pytest.raises(ValueError, match=r"A cell holds 8192 characters .* formula\.rounded"):
        sheet_source([long], ["x"], ["A2"])
