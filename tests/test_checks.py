"""The checks shared by several rooms: what passes, and the one sentence for what does not."""

import pytest
import torch

from kanviz.checks import check_choice, check_finite, check_integer, did_you_mean, listed


def test_a_choice_passes() -> None:
    check_choice("loss", "mse", ("mse", "cross_entropy"))


@pytest.mark.parametrize("value", ["MSE ", "", None, 3, ["mse"]])
def test_another_choice_is_named_with_all_there_are(value: object) -> None:
    with pytest.raises(ValueError, match=r"^loss must be one of 'mse', 'huber'; got "):
        check_choice("loss", value, ("mse", "huber"))


def test_a_slip_of_the_pen_is_met_with_the_nearest_choice() -> None:
    with pytest.raises(ValueError, match=r"got 'Hubr'\. Did you mean 'huber'\?$"):
        check_choice("loss", "Hubr", ("mse", "huber"))


def test_a_far_off_name_has_no_nearest() -> None:
    assert did_you_mean("zzz", ("mse", "huber")) == ""


def test_a_long_list_says_how_many_are_left_out() -> None:
    assert listed([str(n) for n in range(30)]).endswith("'23' and 6 more")
    assert listed(["a", "b"]) == "'a', 'b'"


@pytest.mark.parametrize("value", [0, True, 2.0, "3", None])
def test_what_is_no_integer_or_too_low_is_an_error(value: object) -> None:
    with pytest.raises(ValueError, match=r"^steps must be an integer of at least 1; got "):
        check_integer("steps", value, 1)


def test_the_lowest_integer_passes() -> None:
    check_integer("steps", 1, 1)


def test_finite_numbers_and_meta_tensors_pass() -> None:
    check_finite("x", torch.zeros(3, 2))
    check_finite("x", torch.zeros(3, 2, device="meta"))


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_the_first_number_that_is_not_finite_is_named(value: float) -> None:
    x = torch.zeros(4, 2)
    x[2, 1] = x[3, 0] = value
    with pytest.raises(ValueError, match=rf"got {value} in row 2, column 'b'\. Fill it\.$"):
        check_finite("x", x, ("a", "b"), "Fill it.")


def test_a_vector_counts_as_one_column() -> None:
    with pytest.raises(
        ValueError, match=r"^y must be finite in every row; got nan in row 1, colum"
    ):
        check_finite("y", torch.tensor([0.0, float("nan")]))


def test_numbers_may_be_as_large_as_a_grid_around_them_can_be() -> None:
    x = torch.tensor([[0.0, -1e300], [2e300, 0.0]], dtype=torch.float64)
    check_finite("x", x[:1])
    with pytest.raises(ValueError, match=r"^x must be at most 1e300 in size in every row; got 2e"):
        check_finite("x", x)
    with pytest.raises(ValueError, match=r"^x must be finite in every row; got inf in row 1"):
        check_finite("x", torch.tensor([0.0, float("inf")]))
