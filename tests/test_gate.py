import threading
from collections.abc import Callable

import pytest
from fit_threads import PATIENCE, wait_until

from kanviz.model.fit_handle import Gate


class Walker:
    """Passes through a gate again and again, as a fit does, and counts its steps."""

    def __init__(self, gate: Gate) -> None:
        self.gate, self.steps, self.is_ended = gate, 0, False
        self.thread = threading.Thread(target=self._walk, daemon=True)
        self.thread.start()

    def _walk(self) -> None:
        while not self.is_ended:
            self.steps += 1
            self.gate.pass_through(took_step=True)
        self.gate.finish()

    def end(self) -> None:
        self.is_ended = True
        self.gate.stop()
        self.thread.join(PATIENCE)
        assert not self.thread.is_alive()


def stands_still(walker: Walker) -> bool:
    with walker.gate.held():
        before = walker.steps
        return not [None for _ in range(10_000) if walker.steps != before]


def test_a_held_fit_stands_still_until_the_last_holder_leaves() -> None:
    gate = Gate()
    walker = Walker(gate)
    with gate.held(), gate.held():
        assert stands_still(walker)
        before = walker.steps
    wait_until(lambda: walker.steps > before)
    walker.end()


def test_a_step_granted_is_one_step() -> None:
    gate = Gate()
    walker = Walker(gate)
    gate.pause()
    with gate.held():
        before = walker.steps
    for count in range(1, 4):
        gate.step()
        wait_until(lambda count=count: walker.steps >= before + count)  # type: ignore[misc]
        with gate.held():
            assert walker.steps == before + count
    gate.resume()
    wait_until(lambda: walker.steps > before + 3)
    walker.end()


def test_a_step_granted_while_another_ends_is_to_come() -> None:
    gate = Gate()
    gate.pass_through(took_step=True)  # free so far; the next step ends when Step is pressed
    gate.step()
    walker = threading.Thread(target=lambda: gate.pass_through(took_step=True), daemon=True)
    walker.start()
    walker.join(PATIENCE)
    assert not walker.is_alive()


def test_a_granted_step_is_not_used_up_by_trials() -> None:
    gate = Gate()
    gate.step()
    for _ in range(3):
        gate.pass_through(took_step=False)  # returns
    passed = threading.Event()

    def pass_through() -> None:
        gate.pass_through(took_step=True)
        passed.set()

    threading.Thread(target=pass_through, daemon=True).start()
    with gate.held():
        assert not passed.is_set()
    gate.resume()
    assert passed.wait(PATIENCE)


def test_nobody_waits_for_a_fit_that_is_over() -> None:
    gate = Gate()
    gate.finish()
    with gate.held():
        pass
    gate.pause()
    assert not gate.is_paused
    gate.pass_through(took_step=True)


def test_a_rest_lets_others_in_and_ends_when_a_step_is_granted_or_the_fit_stopped() -> None:
    gate = Gate()
    passed = threading.Event()

    def walk() -> None:
        gate.pass_through(took_step=True, rest=3600.0)
        passed.set()

    for end in (gate.step, gate.stop):
        passed.clear()
        thread = threading.Thread(target=walk, daemon=True)
        thread.start()
        with gate.held():
            assert not passed.is_set()
        end()
        assert passed.wait(PATIENCE)
        thread.join(PATIENCE)
    gate = Gate()
    gate.pass_through(took_step=True, rest=0.001)  # and by itself


@pytest.mark.parametrize("order", [Gate.pause, Gate.step])
def test_nothing_pauses_a_fit_that_is_to_stop(order: Callable[[Gate], None]) -> None:
    gate = Gate()
    gate.pause()
    gate.stop()
    order(gate)
    assert not gate.is_paused
    gate.pass_through(took_step=True)
