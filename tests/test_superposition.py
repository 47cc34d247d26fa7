"""The inner function of the constructive proof: what its proof needs of it, and how wild it is."""

import re

import pytest
import torch

from kanviz.course.superposition import wild_inner, wild_sum


def make_grid(digits: int) -> torch.Tensor:
    n_steps = int(10**digits)
    return torch.arange(n_steps + 1, dtype=torch.float64) / n_steps


@pytest.mark.parametrize("digits", [1, 2, 3, 4])
class TestWildInner:
    def test_it_rises_from_0_to_1_without_a_pause(self, digits: int) -> None:
        values = wild_inner(make_grid(digits), digits=digits)
        assert values[[0, -1]].tolist() == [0, 1]
        assert values.diff().min() > 0

    def test_each_digit_keeps_the_corners_of_the_one_before(self, digits: int) -> None:
        corners = make_grid(digits)
        for finer in range(digits + 1, 5):
            torch.testing.assert_close(
                wild_inner(corners, digits=finer), wild_inner(corners, digits=digits)
            )

    def test_it_is_straight_between_its_corners(self, digits: int) -> None:
        corners = make_grid(digits)
        values = wild_inner(corners, digits=digits)
        middle = wild_inner((corners[1:] + corners[:-1]) / 2, digits=digits)
        torch.testing.assert_close(middle, (values[1:] + values[:-1]) / 2)

    def test_a_digit_below_nine_adds_itself_far_behind_its_place(self, digits: int) -> None:
        # 0.4, 0.44, 0.444 ... become 0.4, 0.404, 0.4040004 ...: the place k becomes 2^k - 1.
        written = torch.tensor([sum(4 / 10**k for k in range(1, digits + 1))], dtype=torch.float64)
        moved = sum(4 / 10 ** (2**k - 1) for k in range(1, digits + 1))
        torch.testing.assert_close(wild_inner(written, digits=digits), written * 0 + moved)


class TestEdges:
    def test_the_digit_nine_stands_half_way_to_the_next_corner(self) -> None:
        x = torch.tensor([0.38, 0.39, 0.4], dtype=torch.float64)
        before, nine, after = wild_inner(x, digits=2)
        assert float(nine) == pytest.approx((float(before) + float(after)) / 2)

    def test_beyond_0_and_1_it_stays(self) -> None:
        assert wild_inner(torch.tensor([-1.0, 2.0])).tolist() == [0, 1]

    def test_it_keeps_the_dtype(self, dtype: torch.dtype) -> None:
        assert wild_inner(torch.tensor([0.5], dtype=dtype)).dtype == dtype

    @pytest.mark.parametrize(
        ("digits", "message"),
        [
            (0, "digits must be an integer of at least 1; got 0."),
            (
                5,
                "digits must be at most 4 because the steps of the next one are below the rounding",
            ),
        ],
    )
    def test_too_few_or_too_many_digits_are_refused(self, digits: int, message: str) -> None:
        with pytest.raises(ValueError, match=re.escape(message)):
            wild_inner(torch.zeros(1), digits=digits)


@pytest.mark.parametrize("digits", [1, 2])
def test_one_sum_tells_two_numbers(digits: int) -> None:
    grid = torch.cartesian_prod(*[make_grid(digits)[:-1]] * 2)
    sums = wild_sum(grid, digits=digits).sort().values
    assert sums.diff().min() > 1e-6
