"""What every test shares: one thread, a seed, no deadline, and no skip that nobody expected."""

import os
import pickle
import random
from collections.abc import Iterator
from contextlib import nullcontext
from typing import Any

import hypothesis
import jaxtyping
import numpy as np
import pytest
import torch
from type_checks import type_checks_off

# Skips that are right on a machine without the thing named; with KANVIZ_CI set, as .ci/run does,
# any other skip fails the run.
EXPECTED_SKIPS = ("needs a CUDA device", "needs Firefox (apt-get install firefox-esr)")

# One thread: equal numbers on every machine, and no contest for cores. The variable is for the
# processes that tests start, notebook kernels among them.
os.environ["OMP_NUM_THREADS"] = "1"
torch.set_num_threads(1)

# The same examples in every run, without a time limit: a slow machine is not an error.
hypothesis.settings.register_profile(
    "kanviz", deadline=None, derandomize=True, database=None, max_examples=50
)
hypothesis.settings.load_profile("kanviz")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[Any]:
    """Leave out the checks of annotations where they would double a wait of seconds."""
    with type_checks_off() if item.get_closest_marker("long") else nullcontext():
        return (yield)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what is marked ``cuda`` where there is no such device."""
    if item.get_closest_marker("cuda") and not torch.cuda.is_available():
        pytest.skip(EXPECTED_SKIPS[0])


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Fail the run for a skip that is not in ``EXPECTED_SKIPS``."""
    if _unexpected_skips(session.config) and session.exitstatus == pytest.ExitCode.OK:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Name the skips that failed the run."""
    for nodeid, reason in _unexpected_skips(config):
        terminalreporter.write_line(f"UNEXPECTED SKIP {nodeid}: {reason}", red=True)


def _unexpected_skips(config: pytest.Config) -> list[tuple[str, str]]:
    """Return (test, reason) of each skip that fails this run; read from pytest's own record.

    A hook on single reports would not do: those of this file see only tests below tests/, not the
    docstring examples.
    """
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or "KANVIZ_CI" not in os.environ:
        return []
    skips = [(report.nodeid, str(report.longrepr[2])) for report in reporter.getreports("skipped")]
    return [skip for skip in skips if not skip[1].endswith(EXPECTED_SKIPS)]


@pytest.fixture(autouse=True)
def seeded() -> None:
    """Seed the global generators, so that a test may draw from them."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - the global generator is the one meant
    random.seed(0)


@pytest.fixture
def unchecked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Turn the checks of annotations off, as they are for users.

    For tests of error messages: with the checks on, a wrong type never reaches kanviz's own.
    """
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)


@pytest.fixture
def rng_untouched() -> Iterator[None]:
    """Fail a test after which a global generator differs from before."""
    before = _global_generators()
    yield
    after = _global_generators()
    changed = [name for name in before if before[name] != after[name]]
    assert not changed, f"global generators must not be used; changed: {changed}"


def _global_generators() -> dict[str, bytes]:
    """Return the state of each global generator, as bytes that compare equal only if it is."""
    state = {
        "torch": torch.get_rng_state().numpy().tobytes(),
        "numpy": pickle.dumps(np.random.get_state()),  # noqa: NPY002 - as above
        "random": pickle.dumps(random.getstate()),
    }
    if torch.cuda.is_initialized():
        state["cuda"] = torch.cuda.get_rng_state().numpy().tobytes()
    return state


@pytest.fixture(params=[torch.float32, torch.float64], ids=["float32", "float64"])
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    """Each floating-point type that kanviz supports."""
    chosen: torch.dtype = request.param
    return chosen


@pytest.fixture(params=["cpu", pytest.param("cuda", marks=pytest.mark.cuda)])
def device(request: pytest.FixtureRequest) -> torch.device:
    """Each device there is: the CPU, and CUDA where available."""
    return torch.device(request.param)
