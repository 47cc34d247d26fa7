"""The README keeps its word: its commands, its example, its table and its links."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"<!-- command: (\w+) -->\n```sh\n(.*?)```", README, flags=re.DOTALL)


def test_there_are_two_commands_of_one_line_each() -> None:
    assert [name for name, _ in COMMANDS] == ["demo", "test"]
    assert README.count("<!-- command:") == 2
    assert [command.count("\n") for _, command in COMMANDS] == [1, 1]


def test_both_commands_make_an_environment_and_name_the_small_torch() -> None:
    for _, command in COMMANDS:
        assert command.startswith("python3 -m venv ")
        assert " torch==2.13.0 " in command
    assert dict(COMMANDS)["demo"].endswith("/kanviz demo\n")
    assert dict(COMMANDS)["test"].endswith("/pytest -n auto --dist worksteal\n")


@pytest.mark.long
def test_example_has_five_lines_and_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    lines = [line for line in example.splitlines() if not line.startswith(("import ", "from "))]
    assert len([line for line in lines if line.strip()]) == 5
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {"__name__": "__main__"})
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.kan", "model.png"]


def test_table_lists_every_notebook() -> None:
    listed = re.findall(r"^\| \[.*?\]\(notebooks/(.*?\.ipynb)\)", README, flags=re.MULTILINE)
    assert listed == sorted(path.name for path in (ROOT / "notebooks").glob("*.ipynb"))


def test_every_link_leads_to_a_file() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", README)
    assert links
    assert [link for link in links if not (ROOT / link).is_file()] == []
