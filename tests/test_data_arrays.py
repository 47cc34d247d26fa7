"""Datasets from arrays: what is read, split, scaled; how the parts must fit together."""

from collections.abc import Callable
from inspect import unwrap
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from make_data import make_arrays
from torch.testing import assert_close

from kanviz.data import as_dataset, from_arrays


class TestFromArrays:
    @pytest.mark.parametrize(
        "convert",
        [np.asarray, torch.as_tensor, pd.DataFrame, np.ndarray.tolist, np.asfortranarray],
        ids=["numpy", "torch", "pandas", "lists", "fortran order"],
    )
    def test_every_kind_of_table_is_read(self, convert: Callable[[np.ndarray], Any]) -> None:
        x, y = make_arrays()
        data = from_arrays(convert(x), convert(y[:, None]), test_fraction=0, normalize=False)
        np.testing.assert_allclose(data.x.numpy(), x, rtol=1e-6)
        np.testing.assert_allclose(data.y.numpy()[:, 0], y, rtol=1e-6)

    def test_names_come_from_a_data_frame(self) -> None:
        x, y = make_arrays()
        data = from_arrays(pd.DataFrame(x, columns=["a", "b"]), pd.Series(y, name="price"))
        assert data.input_names == ("a", "b")
        assert data.output_names == ("price",)

    def test_names_given_win(self) -> None:
        frame = pd.DataFrame(make_arrays()[0], columns=["a", "b"])
        data = from_arrays(frame, make_arrays()[1], input_names=["u", "v"], output_names=["w"])
        assert (data.input_names, data.output_names) == (("u", "v"), ("w",))

    @pytest.mark.parametrize("names", [["u"], ["u", "u"], [1, 2], "uv"])
    def test_names_that_do_not_fit_are_refused(self, names: Any) -> None:
        with pytest.raises(ValueError, match=r"^input_names must be 2 different texts"):
            unwrap(from_arrays)(*make_arrays(), input_names=names)

    def test_one_axis_is_one_input(self) -> None:
        assert from_arrays(np.arange(10.0), np.arange(10.0)).x.shape == (8, 1)

    def test_integers_and_booleans_become_floats(self) -> None:
        as_is: dict[str, Any] = {"test_fraction": 0.0, "normalize": False}
        data = from_arrays(np.array([[1, 0], [2, 1]]), torch.tensor([3, 4]), **as_is)
        assert data.x.tolist() == [[1, 0], [2, 1]]
        assert data.y.tolist() == [[3], [4]]
        assert data.x.dtype == torch.float32
        assert from_arrays([True, False], [1.0, 2], **as_is).x.tolist() == [[1], [0]]

    def test_a_tensor_keeps_its_dtype_and_loses_its_gradient(self, dtype: torch.dtype) -> None:
        x = torch.randn(10, 2, dtype=dtype, requires_grad=True)
        data = from_arrays(x, np.arange(10))
        assert data.x.dtype == data.y.dtype == dtype
        assert not data.x.requires_grad

    def test_what_is_no_tensor_goes_to_the_device_of_x(self, device: torch.device) -> None:
        data = from_arrays(torch.randn(10, 2, device=device), np.arange(10))
        assert data.y.device == data.x.device == data.y_scaling.shift.device
        assert data.x.device.type == device.type

    def test_numpy_arrays_become_torchs_default_dtype(self) -> None:
        assert from_arrays(*make_arrays()).x.dtype == torch.get_default_dtype()

    def test_the_dtype_asked_for_wins(self, dtype: torch.dtype) -> None:
        data = from_arrays(torch.randn(9, 2), torch.randn(9), dtype=dtype)
        assert data.x.dtype == data.y.dtype == dtype

    def test_the_users_array_is_not_shared(self) -> None:
        x, y = make_arrays()
        data = from_arrays(x, y, test_fraction=0, dtype=torch.float64, normalize=False)
        before = data.x.clone()
        x[:] = 0
        assert torch.equal(data.x, before)

    def test_a_read_only_array_is_read(self) -> None:
        x, y = make_arrays()
        x.flags.writeable = False
        assert from_arrays(x[::-1], y, test_fraction=0).x.shape == (20, 2)

    def test_the_split_keeps_every_row_once_and_pairs_together(self) -> None:
        x = np.arange(50.0)
        data = from_arrays(x, 2 * x, test_fraction=0.3, normalize=False)
        assert data.x_test is not None
        assert data.y_test is not None
        assert len(data.x_test) == 15
        assert sorted(torch.cat([data.x, data.x_test])[:, 0].tolist()) == x.tolist()
        assert torch.equal(data.y, 2 * data.x)
        assert torch.equal(data.y_test, 2 * data.x_test)

    def test_a_seed_gives_its_split(self) -> None:
        first, again = from_arrays(*make_arrays()), from_arrays(*make_arrays())
        assert torch.equal(first.x, again.x)
        assert not torch.equal(first.x, from_arrays(*make_arrays(), seed=1).x)

    def test_a_test_part_given_is_kept_as_it_is(self) -> None:
        x, y = make_arrays()
        options: dict[str, Any] = {"dtype": torch.float64, "normalize": False}
        data = from_arrays(x, y, x_test=x[:3], y_test=y[:3], **options)
        assert len(data.x) == 20
        assert data.x_test is not None
        assert data.x_test.tolist() == x[:3].tolist()

    def test_normalizing_scales_the_training_part_and_keeps_the_way_back(self) -> None:
        x, y = make_arrays()
        plain = from_arrays(100 + 5 * x, 1000 * y, normalize=False)
        data = from_arrays(100 + 5 * x, 1000 * y)
        assert data.x_test is not None
        assert plain.x_test is not None
        assert_close(data.x.mean(dim=0), torch.zeros(2), atol=1e-6, rtol=0)
        assert_close(data.x.std(dim=0, correction=0), torch.ones(2))
        assert_close(data.y.std(dim=0, correction=0), torch.ones(1))
        assert_close(data.to_user_inputs(data.x_test), plain.x_test)
        assert_close(data.from_user_inputs(plain.x_test), data.x_test, atol=1e-5, rtol=1e-5)
        assert_close(data.to_user_outputs(data.y), plain.y)

    def test_large_numbers_are_scaled_before_they_are_rounded(self) -> None:
        x, y = make_arrays()
        data = from_arrays(1e9 + x, y, normalize=True)
        exact = from_arrays(x, y, normalize=True)
        assert_close(data.x, exact.x, atol=1e-5, rtol=0)

    @pytest.mark.parametrize("kind", ["str", "object", "category", "string"])
    def test_labels_are_text_whatever_holds_them(self, kind: str) -> None:
        y = pd.Series(["b", "a"] * 10).astype(kind)
        assert from_arrays(make_arrays()[0], y).classes == ("a", "b")

    def test_labels_of_numpy_in_an_array_of_objects_are_labels(self) -> None:
        x = make_arrays()[0]
        truth = np.array([np.bool_(n % 2) for n in range(20)], dtype=object)
        assert from_arrays(x, truth).classes == (False, True)
        whole = np.array([np.int64(n % 3) for n in range(20)], dtype=object)
        assert from_arrays(x, whole, task="classification").classes == (0, 1, 2)

    def test_rows_that_do_not_count_leave_a_table_of_any_library(self) -> None:
        class Frame:
            """As in polars: no index, and rows are chosen by ``filter``."""

            def __init__(self, x: np.ndarray) -> None:
                self.x, self.columns = x, ["a", "b"]

            def __len__(self) -> int:
                return len(self.x)

            def to_numpy(self) -> np.ndarray:
                return self.x

            def __array__(self, *_: Any, **__: Any) -> np.ndarray:
                return self.x

            def __getitem__(self, name: str) -> np.ndarray:
                return np.asarray(self.x[:, self.columns.index(name)])

            def filter(self, keep: np.ndarray) -> "Frame":
                return Frame(self.x[keep])

        x, y = make_arrays()
        weight = np.arange(20) % 2
        data = from_arrays(Frame(x), y, sample_weight=weight, test_fraction=0, normalize=False)
        np.testing.assert_allclose(data.x.numpy(), x[1::2], rtol=1e-6)
        assert data.input_names == ("a", "b")

    def test_a_sparse_tensor_is_a_table_too(self) -> None:
        x, y = make_arrays()
        data = from_arrays(torch.tensor(x).to_sparse(), y, test_fraction=0, normalize=False)
        np.testing.assert_allclose(data.x.numpy(), x, rtol=1e-6)


class TestRefusals:
    def test_gaps_of_a_masked_array_and_numbers_beyond_floats(self) -> None:
        x, y = make_arrays()
        gaps = np.ma.masked_array(x, mask=x == x[4, 1])
        with pytest.raises(ValueError, match=r"^x must have a value everywhere; got .* in row 4\."):
            from_arrays(gaps, y)
        with pytest.raises(ValueError, match=r"^y must have a value everywhere; got .* in row 4\."):
            from_arrays(x, np.ma.masked_array(y, mask=np.arange(20) == 4))
        with pytest.raises(ValueError, match=r"^x must be at most 1e300 in size; got an integer"):
            from_arrays([[10**400], [1]], [1.0, 2])

    def test_one_row_is_told_as_that_and_not_as_constant(self) -> None:
        with pytest.raises(ValueError, match=r"^x must have at least 2 training samples; got 1"):
            from_arrays([[1.0, 2]], [1.0])

    @pytest.mark.parametrize("unit", ["ns", "us", "s", "D"])
    @pytest.mark.parametrize("is_frame", [True, False])
    def test_dates_and_times(self, unit: str, *, is_frame: bool) -> None:
        for kind in ("M8", "m8"):
            times: Any = np.arange(20).astype(f"{kind}[{unit}]")
            x = pd.DataFrame({"a": times, "b": make_arrays()[1]}) if is_frame else times
            with pytest.raises(TypeError, match=r"^x must hold numbers only; got .*\.$"):
                from_arrays(x, make_arrays()[1])
            with pytest.raises(TypeError, match=r"^y must hold numbers only; got dates or times"):
                from_arrays(make_arrays()[0], pd.Series(times) if is_frame else times)

    @pytest.mark.parametrize("value", [np.inf, -np.inf, np.nan, 1e301])
    def test_a_constant_that_is_no_number_is_told_as_that(self, value: float) -> None:
        x, y = make_arrays()
        x[:, 1] = value
        with pytest.raises(ValueError, match=r"^x must be (finite|at most 1e300 in size) in every"):
            from_arrays(pd.DataFrame(x, columns=["a", "b"]), y, dtype=torch.float64)

    @pytest.mark.parametrize("gap", [None, np.nan, pd.NA])
    def test_a_label_that_is_missing(self, gap: Any) -> None:
        y = ["low", "high"] * 10
        y[7] = gap
        for labels in (y, pd.Series(y), pd.Series(y, dtype="category"), np.array(y, dtype=object)):
            with pytest.raises(ValueError, match=r"^y must hold class labels .* in row 7\. Give"):
                from_arrays(make_arrays()[0], labels)

    def test_rows_that_do_not_match(self) -> None:
        with pytest.raises(ValueError, match=r"^y must have 20 rows, like x; got 19"):
            from_arrays(make_arrays()[0], make_arrays()[1][:-1])

    def test_one_sample(self) -> None:
        with pytest.raises(ValueError, match=r"^x must have at least 2 training samples; got 1"):
            from_arrays([[1.0, 2]], [1.0], constant="keep")

    @pytest.mark.parametrize("fraction", [-0.1, 1.0, 1.5, 0.95])
    def test_a_test_part_that_leaves_too_little(self, fraction: float) -> None:
        with pytest.raises(ValueError, match=r"^test_fraction must be from 0 to below 1 and leave"):
            from_arrays(*make_arrays(), test_fraction=fraction)

    def test_half_a_test_part(self) -> None:
        x, y = make_arrays()
        with pytest.raises(ValueError, match=r"^x_test and y_test must come together"):
            from_arrays(x, y, x_test=x)
        with pytest.raises(ValueError, match=r"^x_test and y_test must come together"):
            from_arrays(x, y, y_test=y)

    def test_test_inputs_of_another_width(self) -> None:
        x, y = make_arrays()
        with pytest.raises(ValueError, match=r"^x_test must have shape \(samples, 2\)"):
            from_arrays(x, y, x_test=x[:, :1], y_test=y)

    def test_test_targets_of_another_width(self) -> None:
        x, y = make_arrays()
        with pytest.raises(ValueError, match=r"^y_test must have shape \(samples, 2\)"):
            from_arrays(x, x, x_test=x, y_test=y, normalize=True)

    def test_a_test_frame_that_lacks_a_column_or_has_it_twice(self) -> None:
        x, y = make_arrays()
        frame = pd.DataFrame(x, columns=["a", "b"])
        with pytest.raises(ValueError, match=r"^x_test has no column 'b'\. The columns"):
            from_arrays(frame, y, x_test=frame[["a"]], y_test=y)
        twice = pd.concat([frame, frame], axis=1)
        with pytest.raises(ValueError, match=r"^x_test has 2 columns 'a', and which is meant"):
            from_arrays(frame, y, x_test=twice, y_test=y)

    def test_tables_of_the_same_rows_in_another_order(self) -> None:
        frame = pd.DataFrame(make_arrays()[0], columns=["a", "b"])
        y = frame["a"] + frame["b"]
        for part in ("y", "sample_weight", "y_test", "sample_weight_test"):
            parts: dict[str, Any] = dict.fromkeys(
                ("y", "sample_weight", "y_test", "sample_weight_test"), y.abs()
            )
            parts[part] = parts[part].sort_values()
            with pytest.raises(ValueError, match=rf"^{part} has the rows of x\w* in another order"):
                from_arrays(frame, x_test=frame, **parts)
        for other in (y.sort_values().to_numpy(), y.set_axis(range(7, 27)), y.to_frame()):
            assert len(from_arrays(frame, other, test_fraction=0.0).y) == 20

    @pytest.mark.parametrize("part", ["x", "y", "x_test", "y_test", "sample_weight"])
    @pytest.mark.parametrize("kind", [torch.float32, torch.int64, torch.bool])
    def test_tensors_without_numbers(self, part: str, kind: torch.dtype) -> None:
        x = torch.rand(4, 2, generator=torch.Generator().manual_seed(0))
        parts: dict[str, Any] = {
            "x": x,
            "y": x[:, 0],
            "x_test": x,
            "y_test": x[:, 0],
            "sample_weight": x[:, 0],
        }
        parts[part] = parts[part].to("meta", kind)
        with pytest.raises(ValueError, match=rf"^{part} is on the meta device, which holds no num"):
            from_arrays(**parts)

    def test_half_precision(self) -> None:
        with pytest.raises(ValueError, match=r"^dtype must be torch\.float32 or torch\.float64"):
            from_arrays(*make_arrays(), dtype=torch.bfloat16)

    def test_unknown_options(self) -> None:
        call = unwrap(from_arrays)
        with pytest.raises(ValueError, match=r"got 'classify'\. Did you mean 'classification'"):
            call(*make_arrays(), task="classify")
        with pytest.raises(ValueError, match=r"^constant must be one of 'error', 'keep'"):
            call(*make_arrays(), constant="drop")


class TestAsDataset:
    def test_a_dataset_is_itself(self) -> None:
        data = from_arrays(*make_arrays())
        assert as_dataset(data) is data

    def test_a_pair_is_all_training(self) -> None:
        data = as_dataset(make_arrays())
        assert len(data.x) == 20
        assert data.x_test is None

    def test_a_pair_may_hold_classes(self) -> None:
        assert as_dataset(([1.0, 2], [0, 1]), task="classification").class_names == ("0", "1")

    @pytest.mark.parametrize("data", ["data.csv", None, (1, 2, 3), {"x": 1, "y": 2}])
    def test_anything_else_is_refused(self, data: Any) -> None:
        with pytest.raises(TypeError, match=r"^data must be a Dataset or a pair \(x, y\); got "):
            as_dataset(data)


@given(st.integers(2, 200), st.floats(0, 0.9), st.integers(0, 5))
def test_a_split_takes_every_row_once(rows: int, fraction: float, seed: int) -> None:
    if rows - round(rows * fraction) < 2:
        return
    x = np.arange(float(rows))
    data = from_arrays(x, x, test_fraction=fraction, seed=seed, normalize=False)
    tests = [] if data.x_test is None else data.x_test[:, 0].tolist()
    assert sorted(data.x[:, 0].tolist() + tests) == x.tolist()
    assert len(tests) == round(rows * fraction)
