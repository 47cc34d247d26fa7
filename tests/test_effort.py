"""The measures of work that other tests rely on."""

import torch
from effort import Operations, calls_of, crowding


def test_every_call_in_python_and_c_is_counted() -> None:
    def work(n: int) -> None:
        for _ in range(n):
            len([])

    nothing = calls_of(lambda: work(0))
    assert calls_of(lambda: work(10)) == nothing + 10


def test_operations_of_torch_are_counted_with_the_numbers_that_they_give() -> None:
    x = torch.zeros(3, 4)
    with Operations() as operations:
        (x + 1).sum()
    assert (operations.n, operations.numbers, operations.largest) == (2, 13, 12)


def test_no_machine_gives_more_than_its_time() -> None:
    assert crowding(0.01) >= 1.0
