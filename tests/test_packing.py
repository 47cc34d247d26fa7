import json
import struct
from typing import Any

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from type_checks import type_checks_off

from kanviz.live.packing import pack, unpack

KINDS: st.SearchStrategy[Any] = st.sampled_from([np.dtype("f8"), np.dtype("f4"), np.dtype("u1")])
ARRAYS: st.SearchStrategy[np.ndarray] = hnp.arrays(
    KINDS,
    hnp.array_shapes(max_dims=1, min_side=0, max_side=9),
)
PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
KEYS = st.text(max_size=5).filter(lambda key: key != "$")
RECORDS = st.dictionaries(
    KEYS,
    st.recursive(
        PLAIN | st.text(max_size=8) | ARRAYS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
        max_leaves=8,
    ),
    max_size=4,
)


def same(one: Any, two: Any) -> bool:
    if isinstance(one, np.ndarray):
        return bool(one.dtype == two.dtype and one.tobytes() == two.tobytes())
    if isinstance(one, dict):
        return one.keys() == two.keys() and all(same(one[key], two[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(two) and all(map(same, one, two))
    return type(one) is type(two) and bool(one == two)


@hypothesis.given(RECORDS)
def test_what_is_packed_comes_back_to_the_last_bit(record: dict[str, Any]) -> None:
    assert same(unpack(pack(record)), record)


@hypothesis.given(RECORDS)
def test_text_and_arrays_start_where_the_browser_looks_for_them(record: dict[str, Any]) -> None:
    content = pack(record)
    (length,) = struct.unpack_from("<I", content)
    assert (4 + length) % 8 == 0
    assert len(content) % 8 == 0
    assert json.loads(content[4 : 4 + length]).keys() == record.keys()


def test_arrays_stand_in_the_text_by_kind_place_and_length() -> None:
    content = pack({"a": np.ones(3, "f4"), "b": np.array([[1.0, np.nan]])})
    (length,) = struct.unpack_from("<I", content)
    assert json.loads(content[4 : 4 + length]) == {
        "a": {"$": "f4", "at": 0, "n": 3},
        "b": {"$": "f8", "at": 16, "n": 2},
    }


def test_an_array_that_is_shared_is_written_once() -> None:
    shared = np.arange(1000.0)
    assert len(pack({"a": shared, "b": [shared, shared]})) < 8300


def test_rows_are_written_one_after_the_other_however_they_lie_in_memory() -> None:
    table = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    assert unpack(pack({"a": table}))["a"].tolist() == [0, 1, 2, 3, 4, 5]
    assert unpack(pack({"a": table.T}))["a"].tolist() == [0, 3, 1, 4, 2, 5]
    assert unpack(pack({"a": np.arange(3, dtype=">f8")}))["a"].tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("record", "error", "message"),
    [
        ({"a": float("nan")}, ValueError, "not JSON compliant"),
        ({"a": np.array([1])}, TypeError, "arrays must be of float64, float32 or uint8; got int64"),
        ({"a": {1: 2}}, TypeError, "keys must be text other than '\\$'; got 1"),
        ({"$": 1}, TypeError, "keys must be text"),
        ({"a": object()}, TypeError, "not JSON serializable"),
    ],
)
def test_what_no_browser_could_read_is_refused(
    record: dict[str, Any], error: type[Exception], message: str
) -> None:
    with type_checks_off(), pytest.raises(error, match=message):
        pack(record)


@pytest.mark.parametrize("cut", [0, 3, 10, -8])
def test_bytes_that_are_cut_off_are_named(cut: int) -> None:
    content = pack({"name": "a", "array": np.arange(4.0)})
    with pytest.raises(ValueError, match="content must be bytes written by pack"):
        unpack(content[:cut])
