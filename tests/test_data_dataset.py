"""The dataset itself: its parts fit, it moves, it leads back to the user's units."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from make_data import make_arrays
from torch.testing import assert_close

from kanviz.data import Dataset, Scaling, from_arrays

NAN = float("nan")


def make_dataset(**changes: Any) -> Dataset:
    """Return a dataset of 4 samples, 2 inputs, 1 output, without test part."""
    data = Dataset(
        x=torch.arange(8.0).reshape(4, 2),
        y=torch.arange(4.0).reshape(4, 1),
        x_test=None,
        y_test=None,
        input_names=("a", "b"),
        output_names=("y",),
        x_scaling=Scaling.identity(2, torch.zeros(1)),
        y_scaling=Scaling.identity(1, torch.zeros(1)),
    )
    return replace(data, **changes)


class TestDataset:
    def test_sizes(self) -> None:
        data = make_dataset()
        assert (data.n_inputs, data.n_outputs) == (2, 1)
        assert not data.is_classification
        assert data.class_names is None

    @pytest.mark.parametrize(
        ("changes", "message"),
        [
            ({"input_names": ("a",)}, r"^x must have shape \(samples, 1\), one column per input"),
            ({"output_names": ("y", "z")}, r"^y must have shape \(samples, 2\), one column per"),
            ({"x": torch.zeros(4, 2).half()}, r"^x must be float32 or float64; got torch\.float16"),
            ({"y": torch.zeros(4, 1).double()}, r"^y must be torch\.float32, like x, or int64"),
            ({"y": torch.zeros(3, 1)}, "^y must have 4 rows, like x; got 3"),
            ({"y": torch.full((4, 1), NAN)}, "^y must be finite in every row; got nan in row 0"),
            ({"y": torch.tensor([0, 0, 1, 0])}, "^y must hold class numbers from 0 to 0; got 1"),
            ({"y": torch.tensor([0, 0, -1, 0])}, "^y must hold class numbers from 0 to 0; got -1"),
            ({"x_test": torch.zeros(1, 2)}, "^x_test and y_test must come together"),
            (
                {"x_test": torch.zeros(1, 3), "y_test": torch.zeros(1, 1)},
                r"^x_test must have shape \(samples, 2\)",
            ),
            (
                {"x_test": torch.zeros(0, 2), "y_test": torch.zeros(0, 1)},
                r"^x_test must have shape",
            ),
            (
                {
                    "x_test": torch.zeros(1, 2, device="meta"),
                    "y_test": torch.zeros(1, 1, device="meta"),
                },
                "must be on the same device; got cpu and meta",
            ),
        ],
    )
    def test_parts_that_do_not_fit_are_refused(self, changes: dict[str, Any], message: str) -> None:
        with pytest.raises(ValueError, match=message):
            make_dataset(**changes)

    def test_it_moves_to_another_dtype_and_device(self) -> None:
        data = make_dataset(x_test=torch.zeros(1, 2), y_test=torch.zeros(1, 1))
        moved = data.to(torch.float64, "meta")
        for part in (moved.x, moved.y, moved.x_test, moved.x_scaling.shift, moved.y_scaling.scale):
            assert part is not None
            assert (part.dtype, part.device.type) == (torch.float64, "meta")

    def test_normalizing_twice_still_leads_back(self) -> None:
        data = make_dataset()
        twice = data.normalized().normalized()
        assert_close(twice.x, data.normalized().x)
        assert_close(twice.to_user_inputs(twice.x), data.x)
        assert_close(twice.to_user_outputs(twice.y), data.y)

    def test_without_test_keeps_all_but_the_test_samples(self) -> None:
        data = make_dataset(x_test=torch.zeros(1, 2), y_test=torch.zeros(1, 1), notes=("A note.",))
        alone = data.without_test()
        assert alone.x_test is None
        assert alone.y_test is None
        assert alone.x is data.x
        assert alone.notes == data.notes
        assert data.x_test is not None

    def test_its_repr_tells_sizes_names_and_notes(self) -> None:
        text = repr(make_dataset(notes=("3 rows left out.",)))
        assert text.splitlines() == [
            "Dataset: 4 training and 0 test samples, float32 on cpu",
            "  inputs (2): a, b",
            "  outputs (1): y",
            "  note: 3 rows left out.",
        ]

    def test_its_repr_shortens_many_names(self) -> None:
        data = from_arrays(*make_arrays(inputs=30), test_fraction=0)
        assert "inputs (30): x_1, x_2, x_3, x_4, x_5, x_6, x_7, x_8, ...\n" in repr(data)


def test_no_global_generator_is_touched() -> None:
    # In a process of its own: the run-time type checker of the tests draws from `random`.
    code = """
import pickle, random
import numpy as np, torch
from kanviz.data import as_dataset, example_path, from_arrays, from_csv, from_function
from kanviz.course.problems import problem

def state():
    arrays = pickle.dumps((np.random.get_state(), random.getstate()))
    return arrays + torch.get_rng_state().numpy().tobytes()

before = state()
x = np.arange(10.0)
from_function(lambda x: x[:, 0], [(0, 1)])
from_arrays(x, x)
as_dataset((x, x))
from_csv(example_path(), target="species")
problem("jv").dataset(n_train=10)
assert state() == before
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)


tables = hnp.arrays(
    np.float64,
    st.tuples(st.integers(2, 12), st.integers(1, 4)),
    elements=st.floats(-1e6, 1e6, allow_subnormal=False),
)


@given(tables)
def test_scaling_there_and_back_is_the_identity(values: np.ndarray) -> None:
    table = torch.from_numpy(values)
    scaling = Scaling.standard(table)
    size = table.abs().amax(dim=0) + scaling.scale
    error = (scaling.undo(scaling.apply(table)) - table).abs()
    assert bool((error <= 1e-14 * size).all())
    assert bool((scaling.scale > 0).all())


@given(tables, tables)
def test_two_scalings_in_one_do_what_both_do(first: np.ndarray, second: np.ndarray) -> None:
    columns = min(first.shape[1], second.shape[1])
    one = Scaling.standard(torch.from_numpy(first[:, :columns]))
    two = Scaling.standard(torch.from_numpy(second[:, :columns]))
    values = torch.from_numpy(first[:, :columns])
    both = two.after(one).undo(two.apply(one.apply(values)))
    size = values.abs().amax() + two.shift.abs().amax() * one.scale.amax()
    assert bool(((both - values).abs() <= 1e-12 * (1 + size)).all())
