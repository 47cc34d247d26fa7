"""The walks of everyday calls stay short; walk.py counts them and prints more."""

from pathlib import Path

import pytest
import walk

LIMITS = {
    "model(x)": {"files": 5, "calls": 20},
    # As it is, one each to measure the end, to guard it, to know old names and families of y, and
    # four of the kernels by which a step of a small network, too, makes its matrix.
    "fit, 5 steps": {"files": 38},
    "a moved point": {"calls": 400, "sent": 3000},
    "load": {"files": 15},  # as it is; the aim is 8
}

MOST_FILES = {"Python": 169, "TypeScript": 104}
"""Built with 138 and 68; a new capability may bring a file of its own. The playground, a product of
its own, brought some twenty of TypeScript: training, and what it is steered by. Structure, networks
of a formula, the discovery of laws, their polish and their dimensions are one file each; so is each
thing to touch of the course, its exercises, its site and its picture of an MLP, rows that come
in batches, columns of frames by their names, and dates."""


@pytest.fixture(scope="module")
def walks() -> dict[str, walk.Walk]:
    return walk.walks()


@pytest.mark.parametrize("name", LIMITS)
def test_a_walk_is_short(name: str, walks: dict[str, walk.Walk]) -> None:
    found = {what: getattr(walks[name], what) for what in LIMITS[name]}
    too_far = {what: n for what, n in found.items() if n > LIMITS[name][what]}
    assert too_far == {}, "see python -m tests.walk --files"


def test_the_product_has_few_files() -> None:
    found = walk.product_files(Path(__file__).parents[1])
    assert found.keys() == MOST_FILES.keys()
    assert all(0 < found[language] <= most for language, most in MOST_FILES.items()), found
