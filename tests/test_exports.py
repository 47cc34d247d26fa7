"""What is taken away computes what the model computes: on 1000 rows, run by the other language."""

import contextlib
import json
import re
import shutil
import sqlite3
import subprocess
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from model_helpers import exported

import kanviz as kv
from kanviz.symbolic import Formula

ROWS = 1000


def draw_rows() -> tuple[pd.DataFrame, np.ndarray]:
    """Return rows in user units with a column of categories, and the inputs that they become."""
    draw = np.random.default_rng(0)
    kinds = draw.choice(["blue", "red"], ROWS)
    frame = pd.DataFrame({"mass [kg]": draw.uniform(1, 9, ROWS), "v": draw.uniform(-3, 40, ROWS)})
    inputs = np.column_stack([frame, kinds == "red"]).astype(float)
    return frame.assign(kind=kinds), inputs


def make_product() -> kv.KAN:
    """Return a model of formulas with a product, in user units, one of its inputs a category."""
    rows, inputs = draw_rows()
    model = kv.KAN([3, (1, 1), 1], seed=0, dtype=torch.float64)
    y = inputs[:, 0] * np.sin(inputs[:, 1] / 10) + inputs[:, 2]
    model.fit(rows, y, optimizer="adam", steps=1, progress=False)
    for edge in ((0, 0, 0), (0, 0, 2), (0, 1, 1), (0, 2, 1), (0, 2, 2)):
        model.remove_edge(edge)
    model.fix((0, 1, 0), "tanh", affine=(0.7, -0.2, 1.3, 0.1))
    model.fix((0, 2, 0), "x^2", affine=(1.0, 0.5, 0.7, 0.1))
    model.fix((0, 0, 1), "x", affine=(1.0, 0.2, 1.0, 0.0))
    model.fix((0, 1, 2), "sin", affine=(0.5, 0.3, 2.0, 0.5))
    model.fix((1, 0, 0), "exp", affine=(0.3, 0.1, 1.3, 0.1))
    model.fix((1, 1, 0), "a*x + b", constants={"a": 2.0, "b": 0.1})
    return model


def make_classes() -> kv.KAN:
    """Return a model that tells two classes apart, of formulas."""
    rows, inputs = draw_rows()
    model = kv.KAN([3, 2], seed=0, dtype=torch.float64)
    labels = np.where(inputs[:, 0] > inputs[:, 1] / 5, "light", "fast")
    model.fit(rows, labels, optimizer="adam", steps=1, progress=False)
    names = ("sin", "x", "exp", "tanh", "x^2", "cos")
    for view, name in zip(model.snapshot().edges, names, strict=True):
        model.fix(view.edge, name, affine=(0.6, 0.1, 1.7, -0.3))
    return model


Taken = tuple[Formula, np.ndarray, np.ndarray]


@pytest.fixture(scope="module", params=[make_product, make_classes], ids=["product", "classes"])
def taken(request: pytest.FixtureRequest) -> Taken:
    """Return a formula, the inputs of 1000 rows, and what its model says of them."""
    model = request.param()
    rows, inputs = draw_rows()
    said = model.predict(rows) if model.classes is None else model.decision_function(rows)
    formula = model.formula(digits=None, snap=0.0, simplify_seconds=0.0)
    return formula, inputs, np.asarray(said, dtype=float).reshape(ROWS, -1)


def check_equal(found: np.ndarray, wanted: np.ndarray) -> None:
    """Compare all rows, as a share of what an output varies by."""
    assert found.shape == wanted.shape
    assert np.abs(found - wanted).max() <= 1e-9 * wanted.std()


def run_numpy(formula: Formula, inputs: np.ndarray, folder: Path) -> np.ndarray:
    return np.asarray(formula.to_callable()(inputs))


def run_torch(formula: Formula, inputs: np.ndarray, folder: Path) -> np.ndarray:
    return formula.to_torch()(torch.from_numpy(inputs)).numpy()


def run_python(formula: Formula, inputs: np.ndarray, folder: Path) -> np.ndarray:
    space: dict[str, Callable[..., np.ndarray]] = {}
    exec(formula.to_python(), space)
    return np.stack([space[name](*inputs.T) for name in formula.outputs], axis=1)


def run_c(formula: Formula, inputs: np.ndarray, folder: Path) -> np.ndarray:
    calls = ", ".join(f"{name}(x[0], x[1], x[2])" for name in formula.outputs)
    form = " ".join(["%.17g"] * len(formula.outputs))
    (folder / "f.c").write_text(
        f"#include <stdio.h>\n{formula.to_c()}\nint main(void) {{ double x[3];\n"
        'while (scanf("%lf %lf %lf", x, x + 1, x + 2) == 3) '
        f'printf("{form}\\n", {calls}); return 0; }}\n'
    )
    subprocess.run(["cc", "-std=gnu99", "f.c", "-o", "f", "-lm"], cwd=folder, check=True)
    table = "\n".join(" ".join(map(repr, row)) for row in inputs.tolist())
    printed = subprocess.run([folder / "f"], input=table, capture_output=True, text=True).stdout
    return np.array([line.split() for line in printed.splitlines()], dtype=float)


def run_node(formula: Formula, inputs: np.ndarray, folder: Path) -> np.ndarray:
    (folder / "f.js").write_text(
        f"{formula.to_javascript()}\nconst rows = {json.dumps(inputs.tolist())};\n"
        f"const f = [{', '.join(formula.outputs)}];\n"
        "console.log(JSON.stringify(rows.map((x) => f.map((one) => one(...x)))));\n"
    )
    printed = subprocess.run(["node", folder / "f.js"], check=True, capture_output=True).stdout
    return np.array(json.loads(printed))


def run_sqlite(formula: Formula, inputs: np.ndarray, folder: Path) -> np.ndarray:
    with contextlib.closing(sqlite3.connect(":memory:")) as base:
        named = ", ".join(f'"{name}"' for name in formula.inputs)
        base.execute(f"CREATE TABLE data ({named})")
        base.executemany("INSERT INTO data VALUES (?, ?, ?)", inputs.tolist())
        return np.array(base.execute(formula.to_sql("data")).fetchall())[:, inputs.shape[1] :]


def run_sheet(formula: Formula, inputs: np.ndarray, folder: Path) -> np.ndarray:
    formulas = pytest.importorskip("formulas")
    outputs = []
    for cell in formula.to_excel():
        compute = formulas.Parser().ast(cell)[1].compile()
        columns = dict(zip(("A2", "B2", "C2"), inputs.T[:, :, None], strict=True))
        outputs.append(np.asarray(compute(*(columns[name] for name in compute.inputs)), float))
    return np.hstack(outputs)


def run_latex(formula: Formula, inputs: np.ndarray, folder: Path) -> np.ndarray:
    """Read what LaTeX shows as a person does: a thin space multiplies, braces are brackets."""
    names = {r"\mathrm{mass}\,[\mathrm{kg}]": "m", r"[\text{kind}=\text{red}]": "k", r"\,": "*"}
    space = {name: getattr(np, name) for name in ("sin", "cos", "exp", "tanh")}
    space |= dict(zip("mvk", inputs.T, strict=True))
    outputs = []
    for text in formula.to_latex():
        for shown, meant in names.items():
            text = text.replace(shown, meant)
        text = text.replace("e^{", r"\exp{").replace("^", "**")
        plain = re.sub(r"\\(?:left|right)|\\", "", text.translate(str.maketrans("{}", "()")))
        outputs.append(eval(plain, space))  # noqa: S307 - made here, of words that are listed
    return np.stack(outputs, axis=1)


LANGUAGES = {
    "numpy": (run_numpy, ""), "torch": (run_torch, ""), "python": (run_python, ""),
    "c": (run_c, "cc"), "javascript": (run_node, "node"), "sql": (run_sqlite, ""),
    "excel": (run_sheet, ""), "latex": (run_latex, ""),
}  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_formula_computes_the_model_in_every_language(
    taken: Taken, language: str, tmp_path: Path
) -> None:
    run, program = LANGUAGES[language]
    if program and shutil.which(program) is None:
        return  # what the language needs is not there
    formula, inputs, wanted = taken
    check_equal(run(formula, inputs, tmp_path), wanted)


@pytest.mark.usefixtures("unchecked")
def test_a_network_computes_the_same_by_torch_export_and_in_onnx_runtime(
    tmp_path: Path,
) -> None:
    runtime = pytest.importorskip("onnxruntime")
    model = make_product()
    model.unfix((0, 1, 2))  # splines as well
    x = torch.from_numpy(draw_rows()[1])
    wanted = model(x).detach().numpy()
    rows = ({0: torch.export.Dim("rows")},)
    program, again = exported(model.eval(), x[:5], dynamic_shapes=rows)
    check_equal(again(x).detach().numpy(), wanted)
    if torch.__version__ < "2.8":
        pytest.skip("torch 2.7 writes no ONNX of a network with formulas")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's and onnxscript's own
        torch.onnx.export(program, (), tmp_path / "model.onnx", verbose=False)
    session = runtime.InferenceSession(tmp_path / "model.onnx")
    (found,) = session.run(None, {session.get_inputs()[0].name: x.numpy()})
    check_equal(found, wanted)
