"""The command line, run as a user runs it."""

import datetime
import json
import random
import re
import subprocess
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
    assert printed.count("note: kind") == printed.count("kind: ") == 1, "notes are said once"
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
        (["fit", "homes.csv", "--target", "price", "--encoding", "utf-16"], "text in UTF-16"),
        (["fit", "homes.csv", "--target", "price", "--delimiter", "||"], "one character"),
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


def test_lab_opens_the_notebooks_and_hands_options_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    called: list[list[str]] = []
    monkeypatch.setattr("importlib.util.find_spec", lambda _: True)

    def run(command: list[str], **_: object) -> subprocess.CompletedProcess[str]:
        called.append(command)
        return subprocess.CompletedProcess(command, returncode=len(command) - 4)

    monkeypatch.setattr("subprocess.run", run)
    assert cli.main(["lab"]) == 0
    assert called[0][1:] == ["-m", "jupyterlab", "notebooks"]
    assert Path("notebooks/01_hello_kan.ipynb").is_file()
    assert cli.main(["lab", "--no-browser", "--port", "8899"]) == 3, "what Jupyter returns"
    assert called[1][3:] == ["notebooks", "--no-browser", "--port", "8899"]
    assert "ended with code 3" in capsys.readouterr().err


def test_lab_without_jupyterlab_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    assert cli.main(["lab"]) == 2
    assert "pip install 'kanviz[lab]'" in capsys.readouterr().err


@pytest.mark.long
def test_fit_ends_in_the_law_that_is_in_a_noisy_table(capsys: pytest.CaptureFixture[str]) -> None:
    """0.5 pull^2 + 3 age - 1, with noise of 1 % of what it varies by."""
    draw = random.Random(3)
    lines = ["age [s],pull (N),force [N]"]
    for _ in range(120):
        age, pull = draw.uniform(0.5, 3.0), draw.uniform(-2.0, 2.0)
        force = 0.5 * pull**2 + 3 * age - 1 + 0.02 * draw.gauss(0.0, 1.0)
        lines.append(f"{age},{pull},{force}")
    Path("pull.csv").write_text("\n".join(lines) + "\n")
    command = ["fit", "pull.csv", "--target", "force [N]", "--widths", "--grids", "4", "--law"]
    assert cli.main([*command, "--steps", "20"]) == 0
    printed = capsys.readouterr().out
    assert "The law:\n  `force [N]` = 3*`age [s]` + `pull (N)`**2/2 - 1\n" in printed
    assert re.search(r"test RMSE +0.0\d+ N$", printed, re.MULTILINE), "errors have their unit"
    assert "overfit" not in printed.lower()
    page = Path("pull.html").read_text()
    assert f"pull.csv, {datetime.date.today()}" in page


def test_fit_speaks_of_its_own_options(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(Path("homes.csv"))
    for option, value in (("--grids", "0"), ("--widths", "0"), ("--sparsity", "-1")):
        with pytest.raises(SystemExit, match="2"):
            cli.main(["fit", "homes.csv", "--target", "price", option, value])
        error = capsys.readouterr().err
        assert f"argument {option}: must be" in error
        assert f"got '{value}'" in error
    rows = "".join(f",{n},{n * n}\n{n},,{n}\n" for n in range(8))
    Path("gaps.csv").write_text(f"a,b,y\n{rows}")
    assert cli.main(["fit", "gaps.csv", "--target", "y"]) == 2
    assert "--missing mean" in capsys.readouterr().err
    with pytest.raises(SystemExit, match="2"):
        cli.main(["fit", "homes.csv", "--target", "price", "--laws"])


def test_fit_lets_the_data_choose_and_tells_a_program(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    write_table(Path("homes.csv"))
    asked: dict[str, object] = {}

    def search_few(data: kv.Dataset, **options: object) -> object:
        asked.update(options)
        return search(data, widths=[[2, 1], [2, 1, 1]], starts=1, progress=False)

    search = kv.search
    monkeypatch.setattr(cli, "search", search_few)
    command = ["fit", "homes.csv", "--target", "price", "--search", "--exclude", "kind", "--json"]
    assert cli.main([*command, "--out", "report.html"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert asked == {"progress": False, "seed": 0}
    assert found["inputs"] == ["size", "age"]
    assert found["widths"] in [one["widths"] for one in found["candidates"]]
    assert found["errors"]["test_r2"] > 0.99
    assert (found["page"], found["model"]) == ("report.html", None)
    assert Path("report.html").is_file()
    assert cli.main([*command, "--widths", "3"]) == 2
    assert "--search finds the shape by itself; got --widths" in capsys.readouterr().err
    assert cli.main(["fit", "homes.csv", "--target", "price", "--exclude", "kin"]) == 2
    assert "'kind'" in capsys.readouterr().err


def test_explain_tells_what_a_model_makes_of_new_rows(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(Path("homes.csv"))
    data = kv.from_csv("homes.csv", target="price", test_fraction=0.0)
    model = kv.KAN([3, 1], seed=0)
    model.fit(data, steps=5, optimizer="lbfgs", progress=False)
    model.save("homes.kan", with_sample=True)
    lines = Path("homes.csv").read_text().splitlines()
    # Other rows, other columns first, one row with a wild price, one beyond all that was seen.
    cells = [line.split(",") for line in lines[:9]]
    cells[3][3], cells[8][0] = "999999", "500"
    Path("new.csv").write_text("\n".join(",".join(reversed(line)) for line in cells) + "\n")
    assert cli.main(["explain", "homes.kan", "--data", "new.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["rows"], found["outside"]) == (8, {"size": 1})
    assert found["effects"]["size"] > 0.5
    row = found["taken_apart"][0]
    assert (row["row"], row["measured"]) == (3, [999999.0])
    assert set(row["parts"]) == set(model.input_names)
    size, age, kind = float(cells[3][0]), float(cells[3][1]), float(cells[3][2] == "house")
    assert row["said"] == pytest.approx(model.predict([[size, age, kind]])[0].tolist(), rel=1e-6)
    assert cli.main(["explain", "homes.kan", "--data", "new.csv", "--rows", "2"]) == 0
    printed = capsys.readouterr().out
    assert "1 rows lie outside of what the model has learnt from, in size" in printed
    assert "Row 2: the model says" in printed
    assert "new.csv" in Path("new.html").read_text()
    for more, message in (
        (["--rows", "9"], "--rows must be from 1 to 8"),
        (["--target", "cost"], "'price'"),
    ):
        assert cli.main(["explain", "homes.kan", "--data", "new.csv", *more]) == 2
        assert message in capsys.readouterr().err
    assert cli.main(["explain", "none.kan", "--data", "new.csv"]) == 2
    assert "none.kan" in capsys.readouterr().err


def test_convert_goes_there_and_back(capsys: pytest.CaptureFixture[str]) -> None:
    model = kv.KAN([2, 1], seed=0)
    model.save("mine.kan")
    assert cli.main(["convert", "mine.kan", "--out", "theirs.pt"]) == 0
    command = ["convert", "theirs.pt", "--out", "again.kan", "--inputs", "a", "b"]
    assert cli.main(command) == 0
    again = kv.load("again.kan")
    x = torch.rand(20, 2) - 0.5
    torch.testing.assert_close(again(x), model(x))
    assert again.input_names == ("a", "b")
    whole = torch.nn.Sequential(kv.KANLayer(2, 1))
    torch.save(whole, "whole.pt")
    Path("text.pt").write_text("no model")
    capsys.readouterr()
    for source, message in (
        ("whole.pt", "Pass --trust if you know who made it"),
        ("text.pt", "text.pt must be a file of torch.save"),
        ("none.pt", "none.pt must be a file of torch.save; got no such file"),
    ):
        assert cli.main(["convert", source, "--out", "no.kan"]) == 2
        assert message in capsys.readouterr().err
    assert cli.main(["convert", "whole.pt", "--out", "whole.kan", "--trust"]) == 0
    assert not Path("no.kan").exists()


def test_ctrl_c_ends_a_command_with_its_own_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "from_csv", interrupted)
    assert cli.main(["fit", "homes.csv", "--target", "price"]) == 130
    assert capsys.readouterr().err == "kanviz fit: interrupted.\n"


def test_no_command_and_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        cli.main([])
    with pytest.raises(SystemExit, match="0"):
        cli.main(["--version"])
    assert kv.__version__ in capsys.readouterr().out
