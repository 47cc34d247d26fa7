"""The form of a notebook of the course, and what is wrong with one that does not keep it."""

import ast
import json
import re
from collections.abc import Iterable
from pathlib import Path
from types import CodeType
from typing import Any, NamedTuple

MOST_LINES = 12
"""Non-blank lines of a code cell: what is longer belongs into the package, with tests."""

EXERCISES = "## Try it yourself"
SOLUTIONS = re.compile(r"<details>\s*<summary>.+?</summary>(.*?)</details>", re.DOTALL)
NUMBERED = re.compile(r"^\d+\. ", re.MULTILINE)
LINK = re.compile(r"\]\(([^)#:]+)\)")


class Cell(NamedTuple):
    """One cell: ``is_claims`` where it is tagged so."""

    is_code: bool
    is_claims: bool
    source: str
    raw: dict[str, Any]


def cells_of(content: dict[str, Any]) -> list[Cell]:
    """Return the cells of a notebook as it lies on the disk."""
    return [
        Cell(
            raw["cell_type"] == "code",
            "claims" in raw["metadata"].get("tags", []),
            "".join(raw["source"]),
            raw,
        )
        for raw in content["cells"]
    ]


def faults(path: Path) -> list[str]:
    """Return what is wrong with the form of a notebook, a sentence each."""
    content = json.loads(path.read_text(encoding="utf-8"))
    cells = cells_of(content)
    text = "\n\n".join(cell.source for cell in cells if not cell.is_code)
    wrong = [] if _kernel(content) == "python3" else [f"its kernel is {_kernel(content)}"]
    wrong += _in_the_head(cells[0]) + _in_the_text(text) + _in_the_code(cells)
    wrong += _in_the_claims(cells)
    links = LINK.findall(text)
    return wrong + [f"no file {link}" for link in links if not (path.parent / link).is_file()]


def idle_claims(path: Path, values: dict[str, Any]) -> list[str]:
    """Return the claims that hold whatever the notebook measures; ``values`` is its namespace.

    One value after the other is taken away or changed for one that is like no other: a claim that
    fails neither time says nothing.
    """
    cells = cells_of(json.loads(path.read_text(encoding="utf-8")))
    made = _made(cells)
    idle = []
    for claim in (claim for cell in cells if cell.is_claims for claim in _asserts(cell.source)):
        others = [{name: other} for name in _read(claim) & made for other in (None, object())]
        code = compile(ast.Module([claim], type_ignores=[]), path.name, "exec")
        if all(_holds(code, values | other) for other in others):
            idle.append(ast.unparse(claim))
    return idle


def _holds(code: CodeType, values: dict[str, Any]) -> bool:
    try:
        exec(code, values)
    except Exception:  # noqa: BLE001 - a claim that cannot even be asked does not hold
        return False
    return True


def _kernel(content: dict[str, Any]) -> str:
    return str(content["metadata"].get("kernelspec", {}).get("name"))


def _in_the_head(first: Cell) -> list[str]:
    wrong = [] if re.match(r"# \w", first.source) else ["the first cell has no title"]
    return wrong if "?" in first.source else [*wrong, "the first cell asks no question"]


def _in_the_text(text: str) -> list[str]:
    _, heading, end = text.partition(EXERCISES)
    if not heading:
        return [f"it has no {EXERCISES!r}"]
    exercises, hidden = SOLUTIONS.sub("", end), SOLUTIONS.search(end)
    asked, solved = (
        len(NUMBERED.findall(part)) for part in (exercises, hidden[1] if hidden else "")
    )
    wrong = [] if asked >= 2 else [f"it has {asked} numbered exercises"]
    wrong += [] if asked == solved else [f"{solved} of {asked} exercises are solved in <details>"]
    named = re.search(r"^Sources?: \S", text, flags=re.MULTILINE)
    return wrong if named else [*wrong, "it names no source"]


def _in_the_code(cells: list[Cell]) -> list[str]:
    wrong = []
    for n, cell in enumerate(cells):
        n_lines = sum(bool(line.strip()) for line in cell.source.splitlines())
        if cell.is_code and n_lines > MOST_LINES:
            wrong.append(f"cell {n} has {n_lines} lines")
        if cell.raw.get("outputs") or cell.raw.get("execution_count"):
            wrong.append(f"cell {n} holds outputs")
    return wrong


def _in_the_claims(cells: list[Cell]) -> list[str]:
    n_claims = sum(cell.is_claims for cell in cells)
    claims = cells[len(cells) - n_claims :]
    if not n_claims or not all(cell.is_claims for cell in claims):
        return ["it does not end with its claims"]
    wrong = []
    made = _made(cells)
    for cell in claims:
        if not cell.raw["metadata"].get("jupyter", {}).get("source_hidden"):
            wrong.append("its claims are not folded")
        asserts = _asserts(cell.source)
        if not asserts:
            wrong.append("a cell of claims asserts nothing")
        wrong += [
            f"nothing measured: {ast.unparse(one)}" for one in asserts if not _read(one) & made
        ]
    return wrong


def _asserts(source: str) -> list[ast.Assert]:
    return [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Assert)]


def _names(nodes: Iterable[ast.AST], use: type[ast.expr_context]) -> set[str]:
    """Return the names that are read (``ast.Load``) or given a value (``ast.Store``)."""
    return {node.id for node in nodes if isinstance(node, ast.Name) and isinstance(node.ctx, use)}


def _made(cells: list[Cell]) -> set[str]:
    """Return the names that a notebook makes: its values and its functions, not its imports."""
    nodes = [node for cell in cells if cell.is_code for node in ast.walk(ast.parse(cell.source))]
    functions = {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    return functions | _names(nodes, ast.Store)


def _read(claim: ast.Assert) -> set[str]:
    """Return the names that a claim reads and does not bind itself."""
    return _names(ast.walk(claim), ast.Load) - _names(ast.walk(claim), ast.Store)
