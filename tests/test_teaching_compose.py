"""Puzzles of curves and sums: each can be solved with as few nodes as it says."""

import re
from pathlib import Path
from typing import Any

import pytest

from kanviz.course import teaching
from kanviz.course.teaching.compose import CURVES, PUZZLES

SOLUTIONS: dict[Any, list[tuple[str, str, str]]] = {
    "sum": [("x", "x", "x")],
    "product of positive numbers": [("log", "log", "exp")],
    "quotient of positive numbers": [("log", "-log", "exp")],
    "distance": [("x^2", "x^2", "sqrt")],
    "product": [("x", "x", "x^2/4"), ("x", "-x", "-x^2/4")],
    "maximum": [("x/2", "x/2", "x"), ("x/2", "-x/2", "abs")],
}


@pytest.mark.parametrize("puzzle", PUZZLES)
def test_a_puzzle_is_solved_at_par_and_not_by_a_wrong_curve(puzzle: Any) -> None:
    nodes = SOLUTIONS[puzzle]
    assert len(nodes) == PUZZLES[puzzle].par
    solved = teaching.compose(puzzle, nodes)
    assert solved.is_solved
    solved.nodes = [("0", *nodes[0][1:]), *nodes[1:]]
    assert solved.error > 0.05


def test_the_front_end_has_the_same_curves_and_puzzles() -> None:
    source = Path(teaching.__file__).parents[2] / "live/frontend/src/course/compose.ts"
    text = source.read_text("utf-8")
    curves, puzzles = (
        re.search(rf"export const {name}: .*?= {{\n(.*?)\n}};", text, re.DOTALL)
        for name in ("CURVES", "PUZZLES")
    )
    assert curves is not None
    assert puzzles is not None
    key = re.compile(r'^  "?([^":\n]+?)"?: ', re.MULTILINE)
    assert key.findall(curves[1].replace("abs: Math.abs", "abs: ")) == list(CURVES)
    assert key.findall(puzzles[1]) == list(PUZZLES)


def test_a_browser_chooses_curves() -> None:
    widget = teaching.compose()
    change = {"puzzle": "distance", "nodes": [["x^2", "x^2", "sqrt"]]}
    widget._handle_custom_msg({"type": "change", "view": "a", "turn": 1, "change": change}, [])
    assert widget.is_solved
    change = {"nodes": [["tan", "x", "x"]]}
    widget._handle_custom_msg({"type": "change", "view": "a", "turn": 2, "change": change}, [])
    assert widget.is_solved


def test_what_cannot_be_is_an_error(unchecked: None) -> None:
    with pytest.raises(ValueError, match="puzzle must be one of"):
        teaching.compose("tangle")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="nodes must be 1 to 3 rows of 3 curves"):
        teaching.compose("sum", [("x", "x")])
    with pytest.raises(ValueError, match="curve must be one of"):
        teaching.compose("sum", [("x", "tan", "x")])
