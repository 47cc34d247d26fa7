import math
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
import torch
from hypothesis import given
from hypothesis import strategies as st
from make_symbolic import expressions, inner_points

from kanviz.symbolic.functions import BUILT_IN
from kanviz.symbolic.parse import parse
from kanviz.symbolic.printing import C_WORDS, PYTHON_WORDS, c_source, identifiers, python_source
from kanviz.symbolic.program import curve


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
def test_any_names_become_identifiers_of_both_languages(names: list[str]) -> None:
    for taken in (PYTHON_WORDS, C_WORDS):
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
    for write in (python_source, c_source):
        with pytest.raises(ValueError, match=r"formula must be made of known functions; got 'phi"):
            write([formula], ["x"], ["y"])
