"""The house rules of the test run itself: a run that should fail does."""

from pathlib import Path

import beartype
import jaxtyping
import pytest
import torch
from jaxtyping import Float
from torch import Tensor

import kanviz.nn.basis

pytest_plugins = ["pytester"]
CONFTEST = Path(__file__).with_name("conftest.py").read_text()


@pytest.fixture
def inner(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A folder with our conftest, where a test runs other tests as .ci/run would."""
    pytester.makeconftest(CONFTEST)
    pytester.makeini("[pytest]\nmarkers = cuda")
    monkeypatch.setenv("KANVIZ_CI", "1")
    return pytester


SKIPPED = "import pytest\n@pytest.mark.skip(reason='no time')\ndef test_a(): ..."


def test_unexpected_skip_fails_the_gate(inner: pytest.Pytester) -> None:
    inner.makepyfile(SKIPPED)
    result = inner.runpytest_inprocess()
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines("UNEXPECTED SKIP *::test_a: Skipped: no time")


def test_skip_outside_the_gate_is_no_failure(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KANVIZ_CI")
    inner.makepyfile(SKIPPED)
    assert inner.runpytest_inprocess().ret == pytest.ExitCode.OK


def test_expected_skip_passes_the_gate(
    inner: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    inner.makepyfile("import pytest\n@pytest.mark.cuda\ndef test_a(): assert False")
    result = inner.runpytest_inprocess()
    result.assert_outcomes(skipped=1)
    assert result.ret == pytest.ExitCode.OK


@pytest.mark.parametrize(
    ("name", "draw"),
    [("torch", "torch.rand(1)"), ("numpy", "numpy.random.rand()"), ("random", "random.random()")],
)
def test_drawing_from_a_global_generator_is_seen(
    inner: pytest.Pytester, name: str, draw: str
) -> None:
    inner.makepyfile(f"import {name}\ndef test_a(rng_untouched): {draw}")
    result = inner.runpytest_inprocess()
    result.assert_outcomes(passed=1, errors=1)
    assert f"changed: ['{name}']" in result.stdout.str()


def test_package_is_checked_for_shapes() -> None:
    with pytest.raises(jaxtyping.TypeCheckError, match="knots"):
        kanviz.nn.basis.greville_points(torch.zeros(3), 3)


@jaxtyping.jaxtyped(typechecker=beartype.beartype)
def _takes_a_row(x: Float[Tensor, " n"]) -> int:
    return x.ndim


def test_unchecked_turns_the_checks_off(unchecked: None) -> None:
    assert _takes_a_row(torch.zeros(2, 3)) == 2
