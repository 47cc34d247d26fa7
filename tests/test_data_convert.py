"""What users hold, as numbers or class numbers: labels, and what is neither."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from make_data import make_arrays
from torch.testing import assert_close

from kanviz.data import from_arrays

NAN = float("nan")


class TestClasses:
    @pytest.mark.parametrize(
        "labels",
        [
            ["no", "yes", "no", "yes"],
            np.array(["no", "yes", "no", "yes"]),
            pd.Series(["no", "yes", "no", "yes"]),
            pd.Series(["no", "yes", "no", "yes"], dtype="category"),
            pd.DataFrame({"answer": ["no", "yes", "no", "yes"]}),
        ],
        ids=["list", "numpy", "series", "categories", "frame"],
    )
    def test_text_is_classes(self, labels: Any) -> None:
        data = from_arrays([1.0, 2, 3, 4], labels, test_fraction=0)
        assert data.y.tolist() == [0, 1, 0, 1]
        assert data.y.dtype == torch.int64
        assert data.is_classification
        assert data.class_names == data.output_names == ("no", "yes")
        assert data.n_outputs == 2

    def test_booleans_are_classes(self) -> None:
        for y in (torch.tensor([True, False]), np.array([True, False]), [True, False]):
            assert from_arrays([1.0, 2], y, test_fraction=0).class_names == ("False", "True")

    def test_integers_are_numbers_unless_told(self) -> None:
        x, y = [1.0, 2, 3], torch.tensor([7, 10, 7])
        assert not from_arrays(x, y, test_fraction=0).is_classification
        data = from_arrays(x, y, test_fraction=0, task="classification")
        assert data.class_names == ("7", "10")
        assert data.y.tolist() == [0, 1, 0]

    def test_classes_of_the_test_part_count_too(self) -> None:
        data = from_arrays([1.0, 2], ["b", "c"], x_test=[3.0], y_test=["a"])
        assert data.class_names == ("a", "b", "c")
        assert data.y.tolist() == [1, 2]
        assert data.y_test is not None
        assert data.y_test.tolist() == [0]

    def test_classes_can_be_named(self) -> None:
        data = from_arrays(
            [1.0, 2], [0, 1], task="classification", output_names=["no", "yes"], test_fraction=0
        )
        assert data.class_names == ("no", "yes")

    def test_class_numbers_stay_when_all_else_is_scaled_or_cast(self, dtype: torch.dtype) -> None:
        data = from_arrays([10.0, 20], ["a", "b"], test_fraction=0, normalize=True, dtype=dtype)
        assert data.y.tolist() == [0, 1]
        assert_close(data.x, torch.tensor([[-1.0], [1.0]], dtype=dtype))
        scores = torch.randn(5, 2, dtype=dtype)
        assert torch.equal(data.to_user_outputs(scores), scores)

    @pytest.mark.parametrize("bad", [0.5, NAN, None, np.datetime64("2020-01-01")])
    def test_what_is_no_label_is_named_with_its_row(self, bad: Any) -> None:
        y = np.array([1, bad], dtype=object)
        with pytest.raises(ValueError, match=r"^y must hold class labels .* in row 1\."):
            from_arrays([1.0, 2], y, task="classification")

    def test_one_class_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^y must have at least 2 classes; got only 'a'"):
            from_arrays([1.0, 2], ["a", "a"])

    def test_one_column_per_class_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"^y must have shape \(samples,\), one class label"):
            from_arrays([1.0, 2], np.eye(2), task="classification")


class TestRefusals:
    @pytest.mark.parametrize(
        ("x", "message"),
        [
            ([["1.5", "2"]] * 3, r"^x must hold numbers only; got '1.5' in row 0, column 0"),
            ([[1, "a"]] * 3, "^x must hold numbers only; got 'a' in row 0, column 1"),
            ([[1, None]] * 3, "^x must hold numbers only; got None in row 0, column 1"),
            ([[1j, 2]] * 3, r"^x must hold real numbers; got torch\.complex128"),
            ([], r"^x must have shape \(samples, columns\) or \(samples,\), none of them 0"),
            (np.zeros((3, 0)), "^x must have shape"),
            (np.zeros((3, 1, 1)), "^x must have shape"),
            ([[1, 2], [3]], "^x must have rows of equal length"),
            (3.0, "^x must be an array, a data frame, a tensor or a list; got float"),
            ("data.csv", "^x must be an array, a data frame, a tensor or a list; got str"),
            (np.array(["2020-01-01"] * 3, "M8[D]"), "^x must hold numbers only; got"),
        ],
    )
    def test_what_is_no_table_of_numbers(self, x: Any, message: str) -> None:
        with pytest.raises((TypeError, ValueError), match=message):
            from_arrays(x, [1.0, 2, 3], test_fraction=0)

    def test_text_in_a_data_frame_is_named_with_its_column(self) -> None:
        for color in (["red", 2.0], ["red", "3.5"], ["red", True]):
            frame = pd.DataFrame({"size": [1.0, 2], "color": color})
            with pytest.raises(TypeError, match=r"got 'red' in row 0, column 'color'"):
                from_arrays(frame, [1.0, 2])
        typo = pd.DataFrame({"size": [1.0, 2, "3,5", 4], "color": ["red", "blue"] * 2})
        with pytest.raises(TypeError, match=r"got '3,5' in row 2, column 'size'"):
            from_arrays(typo, [1.0, 2, 3, 4])

    def test_a_missing_value_in_a_data_frame_is_named_with_its_column(self) -> None:
        frame = pd.DataFrame({"size": pd.array([1, None], dtype="Int64"), "mass": [1.0, 2]})
        with pytest.raises(TypeError, match=r"got <NA> in row 1, column 'size'"):
            from_arrays(frame, [1.0, 2])

    def test_nan_is_named_with_the_users_row(self) -> None:
        x, y = make_arrays()
        x[13, 1] = NAN
        with pytest.raises(ValueError, match=r"^x must be finite in .* got nan in row 13, column"):
            from_arrays(pd.DataFrame(x, columns=["a", "b"]), y)
        with pytest.raises(ValueError, match=r"^y must be finite in .* got nan in row 13, column"):
            from_arrays(y, x[:, 1])

    def test_a_number_too_large_for_the_dtype(self) -> None:
        with pytest.raises(ValueError, match=r"^x must be finite in every row; got inf in row 1"):
            from_arrays([1.0, 1e300, 3], [1.0, 2, 3], test_fraction=0, normalize=False)

    def test_a_constant_column_is_an_error_or_kept_on_request(self) -> None:
        x, y = make_arrays()
        x[:, 1] = 3
        with pytest.raises(ValueError, match=r"^x must vary in every column.* 'x_2'\. Remove"):
            from_arrays(x, y)
        data = from_arrays(x, y, constant="keep", normalize=True)
        assert torch.equal(data.x[:, 1], torch.zeros(16))
        assert_close(data.to_user_inputs(data.x)[:, 1], torch.full((16,), 3.0))
