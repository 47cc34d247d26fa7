"""Datasets from functions: where the samples lie, what the function may return."""

from inspect import unwrap
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.testing import assert_close

from kanviz.data import from_function

NAN = float("nan")


def product(x: Tensor) -> Tensor:
    return x[:, 0] * x[:, 1]


class TestFromFunction:
    def test_shapes_names_and_values_fit(self) -> None:
        data = from_function(product, [(-1, 1), (0, 2)], n_train=30, n_test=10, normalize=False)
        assert data.x.shape == (30, 2)
        assert data.y.shape == (30, 1)
        assert data.x_test is not None
        assert data.x_test.shape == (10, 2)
        assert data.input_names == ("x_1", "x_2")
        assert data.output_names == ("y",)
        assert_close(data.y[:, 0], product(data.x))

    def test_samples_fill_their_ranges(self) -> None:
        x = from_function(product, [(-1, 1), (5, 7)], n_train=2000, normalize=False).x
        assert_close(x.amin(dim=0), torch.tensor([-1.0, 5.0]), atol=0.01, rtol=0)
        assert_close(x.amax(dim=0), torch.tensor([1.0, 7.0]), atol=0.01, rtol=0)
        assert_close(x.mean(dim=0), torch.tensor([0.0, 6.0]), atol=0.05, rtol=0)

    def test_several_outputs_are_columns(self) -> None:
        f = lambda x: torch.cat([x, x**2], dim=1)  # noqa: E731
        data = from_function(f, [(0, 1)], n_train=5, normalize=False)
        assert data.output_names == ("y_1", "y_2")
        assert_close(data.y, torch.cat([data.x, data.x**2], dim=1))

    def test_a_numpy_function_will_do(self) -> None:
        f = lambda x: np.sin(x.numpy()[:, 0])  # noqa: E731
        data = from_function(f, [(0, 1)], n_train=5, normalize=False)
        assert_close(data.y, torch.sin(data.x))

    def test_the_box_becomes_the_first_grid_and_targets_have_deviation_1(self) -> None:
        plain = from_function(product, [(-1, 1), (5, 7)], n_train=50, normalize=False)
        data = from_function(product, [(-1, 1), (5, 7)], n_train=50)
        assert torch.equal(data.x[:, 0], plain.x[:, 0])
        assert_close(data.x[:, 1], plain.x[:, 1] - 6)
        assert_close(data.y.std(0, correction=0), torch.ones(1))
        assert_close(data.to_user_outputs(data.y), plain.y)

    def test_no_test_samples_on_request(self) -> None:
        data = from_function(product, [(0, 1)] * 2, n_test=0)
        assert data.x_test is None
        assert data.y_test is None

    def test_train_and_test_samples_differ(self) -> None:
        data = from_function(product, [(0, 1)] * 2, n_train=10, n_test=10)
        assert data.x_test is not None
        assert not torch.isin(data.x, data.x_test).any()

    def test_a_seed_gives_its_samples_whatever_the_global_generator_does(self) -> None:
        first = from_function(product, [(0, 1)] * 2)
        torch.manual_seed(99)
        assert torch.equal(first.x, from_function(product, [(0, 1)] * 2).x)
        assert not torch.equal(first.x, from_function(product, [(0, 1)] * 2, seed=1).x)

    def test_seed_0_is_the_same_data_for_ever(self) -> None:
        x = from_function(product, [(-1, 1)] * 2, n_train=2, dtype=torch.float64).x
        expected = [
            [0.9401060036131061, 0.4156397287995759],
            [-0.08123411374509826, 0.8414953682439206],
        ]
        assert_close(x, torch.tensor(expected, dtype=torch.float64), rtol=0, atol=1e-15)

    def test_training_samples_do_not_depend_on_the_number_of_test_samples(self) -> None:
        few = from_function(product, [(0, 1)] * 2, n_train=100, n_test=1)
        many = from_function(product, [(0, 1)] * 2, n_train=100, n_test=500)
        assert torch.equal(few.x, many.x)

    def test_both_dtypes_see_the_same_points(self, dtype: torch.dtype) -> None:
        exact = from_function(product, [(0, 1)] * 2, dtype=torch.float64, normalize=False).x
        data = from_function(product, [(0, 1)] * 2, dtype=dtype, normalize=False)
        assert data.x.dtype == data.y.dtype == dtype
        assert torch.equal(data.x, exact.to(dtype))

    def test_the_function_may_not_change_the_samples(self) -> None:
        def spoil(x: Tensor) -> Tensor:
            return x.mul_(0)[:, 0]

        assert from_function(spoil, [(0, 1)], n_train=10).x.abs().sum() > 0

    @pytest.mark.parametrize("ranges", [[], [(1, 1)], [(2, 1)], [(0, NAN)], [(0, 1, 2)], [0, 1]])
    def test_bad_ranges_are_refused(self, ranges: Any) -> None:
        with pytest.raises(ValueError, match=r"^ranges must be one \(low, high\) pair per input"):
            # Past the run-time type check, as users call it.
            unwrap(from_function)(product, ranges)

    def test_one_sample_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^n_train must be an integer of at least 2; got 1"):
            from_function(product, [(0, 1)] * 2, n_train=1)

    def test_a_function_of_one_sample_is_met_with_how_to_take_columns(self) -> None:
        with pytest.raises(ValueError, match=r"got torch.float32 of shape \(2,\)\. Take columns"):
            from_function(lambda x: x[0] * x[1], [(0, 1)] * 2)

    def test_values_that_are_not_finite_are_named_with_their_place(self) -> None:
        with pytest.raises(ValueError, match=r"got nan at x = \(-0\.\d+,\)\. Narrow the ranges"):
            from_function(lambda x: torch.sqrt(x[:, 0]), [(-1, 1)])

    def test_complex_values_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^f must return real numbers"):
            from_function(lambda x: x[:, 0] * 1j, [(0, 1)])

    def test_other_dtypes_are_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^dtype must be torch\.float32 or torch\.float64"):
            from_function(product, [(0, 1)] * 2, dtype=torch.float16)
