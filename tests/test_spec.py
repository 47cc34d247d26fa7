from typing import Any

import pytest
from type_checks import type_checks_off

from kanviz.nn.spec import FunctionSpec


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("grid_size", 0, r"grid_size must be an integer of at least 1; got 0\.$"),
        ("grid_size", -3, r"grid_size must be an integer of at least 1; got -3\.$"),
        ("grid_size", True, r"grid_size must be an integer of at least 1; got True\.$"),
        ("spline_order", -1, r"spline_order must be an integer of at least 0; got -1\.$"),
        ("spline_order", 11, r"spline_order must be at most 10 because .*; got 11\. Lower"),
        ("basis", "spam", r"basis must be one of 'bspline', 'gaussian', .*; got 'spam'\.$"),
        ("base", "relu", r"base must be one of 'silu', 'identity', 'zero'; got 'relu'\.$"),
        ("extrapolation", "none", r"extrapolation must be one of 'linear', 'zero'; got 'none'\.$"),
    ],
)
def test_a_bad_field_is_named_with_rule_and_value(field: str, value: Any, message: str) -> None:
    with type_checks_off(), pytest.raises(ValueError, match=message):
        FunctionSpec(**{field: value})


@pytest.mark.parametrize(
    ("spec", "padding", "n_basis", "n_features"),
    [
        (FunctionSpec(5, 3), 3, 8, 9),
        (FunctionSpec(5, 0, base="zero"), 0, 5, 5),
        (FunctionSpec(1, 10, base="identity"), 10, 11, 12),
        (FunctionSpec(5, 3, basis="gaussian"), 2, 10, 11),
        (FunctionSpec(5, 7, basis="matern32", base="zero"), 2, 10, 10),
    ],
)
def test_sizes_follow_from_the_family(
    spec: FunctionSpec, padding: int, n_basis: int, n_features: int
) -> None:
    assert (spec.padding, spec.n_basis, spec.n_features) == (padding, n_basis, n_features)
    assert spec.is_spline == (spec.basis == "bspline")


def test_equal_families_are_equal_and_hashable() -> None:
    assert FunctionSpec(5) == FunctionSpec(grid_size=5)
    assert len({FunctionSpec(5), FunctionSpec(5), FunctionSpec(6)}) == 2
