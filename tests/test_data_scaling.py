"""Laws of the line between the user's units and the network's, over units from 1e-12 to 1e12."""

import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from kanviz.data import Scaling

EPS32, EPS64 = torch.finfo(torch.float32).eps, torch.finfo(torch.float64).eps

UNITS = st.tuples(
    st.sampled_from([-1.0, 1.0]),
    st.floats(-12, 12),  # the unit, as a power of 10
    st.floats(-1e6, 1e6),  # the offset, in that unit: a date, a coordinate on a map
)


def table(seed: int, columns: int = 2) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(30, columns, generator=generator, dtype=torch.float64)


def in_unit(values: Tensor, unit: tuple[float, float, float]) -> tuple[Tensor, float, float]:
    """Return the values in another unit, its size with a sign, and its offset in the old one."""
    sign, power, offset = unit
    return (values + offset) * (sign * 10**power), sign * 10**power, offset


@given(UNITS, st.integers(0, 99))
def test_a_network_sees_the_same_whatever_the_unit(
    unit: tuple[float, float, float], seed: int
) -> None:
    plain = table(seed)
    values, size, offset = in_unit(plain, unit)
    seen = Scaling.standard(values).apply(values)
    wanted = Scaling.standard(plain).apply(plain)
    lost = 100 * EPS64 * (1 + abs(offset))
    assert float((seen - wanted * (1 if size > 0 else -1)).abs().max()) < lost


@given(UNITS, st.integers(0, 99))
def test_values_come_back_in_their_unit(unit: tuple[float, float, float], seed: int) -> None:
    values, size, offset = in_unit(table(seed), unit)
    scaling = Scaling.standard(values)
    back = scaling.undo(scaling.apply(values))
    assert float((back - values).abs().max()) < 20 * EPS64 * abs(size) * (4 + abs(offset))


@given(UNITS, st.integers(0, 99))
def test_a_cast_at_the_end_costs_digits_of_the_deviation_not_of_the_offset(
    unit: tuple[float, float, float], seed: int
) -> None:
    values, size, offset = in_unit(table(seed), unit)
    scaling = Scaling.standard(values)
    back = scaling.undo(scaling.apply(values).float().double())
    lost = abs(size) * (20 * EPS32 + 100 * EPS64 * abs(offset))
    assert float((back - values).abs().max()) < lost
