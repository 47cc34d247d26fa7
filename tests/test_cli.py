"""The command line, run as a user runs it."""

from pathlib import Path

import pytest
import torch

import kanviz as kv
from kanviz import cli


@pytest.fixture(autouse=True)
def _threads_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(cli, "DEMO_GRIDS", (3,))
    monkeypatch.setattr(torch, "set_num_threads", lambda _: None)


def write_table(path: Path, rows: int = 60) -> None:
    lines = ["size,age,kind,price"]
    for n in range(rows):
        size, age = 40 + 7 * n % 90, n % 13
        kind = ("flat", "house")[n % 2]
        lines.append(f"{size},{age},{kind},{1000 * size - 3000 * age + 50 * (n % 2)}")
    path.write_text("\n".join(lines) + "\n")


def test_demo_writes_a_page_and_a_model_and_says_what_next(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["demo"]) == 0
    printed = capsys.readouterr().out
    assert "test RMSE" in printed
    assert "What next?" in printed
    assert Path("kanviz-demo.html").read_text().startswith("<!DOCTYPE html>")
    assert kv.load("kanviz-demo.kan").widths == (2, 5, 1)
    assert sorted(path.name for path in Path().iterdir()) == ["kanviz-demo.html", "kanviz-demo.kan"]


def test_fit_learns_a_price_from_a_table(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(Path("homes.csv"))
    command = ["fit", "homes.csv", "--target", "price", "--widths", "2", "--grids", "3"]
    assert cli.main([*command, "--out", "report.html", "--model", "homes.kan"]) == 0
    printed = capsys.readouterr().out
    r2 = float(next(line for line in printed.splitlines() if "test R^2" in line).split()[-1])
    assert r2 > 0.99
    assert "price" in Path("report.html").read_text()
    assert kv.load("homes.kan").input_names == ("size", "age", "kind=house")


def test_fit_takes_a_text_target_for_classes(capsys: pytest.CaptureFixture[str]) -> None:
    command = [
        "fit",
        str(kv.example_path()),
        "--target",
        "species",
        "--widths",
        "3",
        "--steps",
        "15",
    ]
    assert cli.main([*command, "--grids", "3", "--out", "penguins.html"]) == 0
    printed = capsys.readouterr().out
    line = next(line for line in printed.splitlines() if "test accuracy" in line)
    assert float(line.split()[-1]) > 0.9


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (["fit", "none.csv", "--target", "y"], "none.csv"),
        (["fit", "homes.csv", "--target", "prize"], "'price'"),
        (["fit", "homes.csv", "--target", "price", "--out", "no/where.html"], "folder of"),
        (
            ["fit", "homes.csv", "--target", "price", "--grids", "5", "3"],
            "grids must be increasing",
        ),
    ],
)
def test_a_mistake_is_one_sentence_and_leaves_no_file(
    command: list[str], message: str, capsys: pytest.CaptureFixture[str], unchecked: None
) -> None:
    write_table(Path("homes.csv"))
    assert cli.main(command) == 2
    error = capsys.readouterr().err
    assert message in error
    assert "Traceback" not in error
    assert [path.name for path in Path().iterdir()] == ["homes.csv"]


def test_lab_opens_the_notebooks_and_brings_them_along(monkeypatch: pytest.MonkeyPatch) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr("importlib.util.find_spec", lambda _: True)
    monkeypatch.setattr("subprocess.run", lambda command, **_: called.append(command))
    assert cli.main(["lab"]) == 0
    assert called[0][1:] == ["-m", "jupyterlab", "notebooks"]
    assert Path("notebooks/01_hello_kan.ipynb").is_file()


def test_lab_without_jupyterlab_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert cli.main(["lab"]) == 2
    assert "pip install 'kanviz[lab]'" in capsys.readouterr().err


def test_no_command_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([])
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert kv.__version__ in capsys.readouterr().out
