import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from kanviz.symbolic.samples import MOST_SAMPLES, prepare_samples


def test_samples_are_sorted_and_brought_to_unit_size() -> None:
    rng = np.random.default_rng(0)
    x = rng.uniform(30, 50, size=300)
    y = 1e-4 * rng.normal(size=300) + 7
    samples = prepare_samples(x, y)
    everything = samples.all
    assert everything.t[[0, -1]].tolist() == pytest.approx([-1, 1], rel=1e-14)
    assert bool((everything.t.diff() >= 0).all())
    assert everything.z.mean().item() == pytest.approx(0, abs=1e-9)
    assert everything.z.std(correction=0).item() == pytest.approx(1)
    order = x.argsort()
    assert samples.center + samples.half * everything.t.numpy() == pytest.approx(x[order])
    assert samples.mean + samples.scale * everything.z.numpy() == pytest.approx(y[order])


def test_every_third_sample_is_held_out_and_no_end() -> None:
    samples = prepare_samples(np.arange(10.0), np.arange(10.0))
    held_out = samples.center + samples.half * samples.held_out.t
    train = samples.center + samples.half * samples.train.t
    assert held_out.tolist() == [1, 4, 7]
    assert train.tolist() == [0, 2, 3, 5, 6, 8, 9]
    for part in (samples.train, samples.held_out, samples.all):
        assert part.weights.sum().item() == pytest.approx(1)


def test_weights_count_and_samples_without_weight_are_left_out() -> None:
    x, y = np.arange(8.0), np.array([0.0, 1, 2, 3, 4, 5, 6, 1e9])
    samples = prepare_samples(x, y, [1, 1, 1, 1, 1, 1, 3, 0])
    assert len(samples.all.t) == 7
    assert samples.mean == pytest.approx((0 + 1 + 2 + 3 + 4 + 5 + 3 * 6) / 9)


def test_many_samples_are_thinned_evenly() -> None:
    samples = prepare_samples(torch.linspace(0, 1, 20001), torch.linspace(0, 1, 20001))
    assert len(samples.all.t) == MOST_SAMPLES
    assert float(samples.all.t.diff().max()) < 1.2 * float(samples.all.t.diff().mean())


@pytest.mark.parametrize("value", [0.0, 1e8 / 3, -1e-9])
def test_constant_columns_are_no_trouble(value: float) -> None:
    samples = prepare_samples(np.full(9, value), np.full(9, value))
    assert samples.all.t.tolist() == [0.0] * 9
    assert samples.all.z.tolist() == [0.0] * 9
    assert (samples.center, samples.mean) == pytest.approx((value, value))


def test_any_numbers_are_taken(dtype: torch.dtype) -> None:
    wanted = prepare_samples([1.0, 2, 3, 4, 5, 6], [1.0, 2, 3, 4, 5, 7])
    for x in (range(1, 7), np.arange(1, 7), torch.arange(1, 7).to(dtype).requires_grad_()):
        found = prepare_samples(x, [1, 2, 3, 4, 5, 7])
        assert torch.equal(found.all.t, wanted.all.t)
        assert found.all.t.dtype == torch.float64


@pytest.mark.usefixtures("unchecked")
def test_bad_samples_are_refused() -> None:
    good = list(range(8))
    with pytest.raises(ValueError, match=r"x must have shape \(samples,\); got \(2, 4\)"):
        prepare_samples(np.zeros((2, 4)), good)
    with pytest.raises(ValueError, match="y must be finite in every row; got nan in row 1"):
        prepare_samples(good, [0, np.nan, *good[2:]])
    with pytest.raises(ValueError, match="must have the same length; got 8, 7 and 8"):
        prepare_samples(good, good[1:])
    with pytest.raises(ValueError, match=r"weights must be at least 0; got -1\.0"):
        prepare_samples(good, good, [-1, *good[1:]])
    with pytest.raises(ValueError, match="at least 6 samples of weight above 0; got 5"):
        prepare_samples(good[:5], good[:5])
    with pytest.raises(ValueError, match="at least 6 samples of weight above 0; got 0"):
        prepare_samples(good, good, [0] * 8)


@given(
    size=st.floats(1e-3, 1.0),
    count=st.integers(100, 900),
    waves=st.floats(0.0, 3.0),
    seed=st.integers(0, 99),
)
def test_noise_is_told_from_any_smooth_curve(
    size: float, count: int, waves: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    x = np.sort(rng.uniform(-1, 1, count)).round(3)  # some of them equal
    curve = torch.as_tensor(np.sin(np.pi * waves * x))
    noise = torch.as_tensor(size * rng.normal(size=count))
    samples = prepare_samples(x, x)
    bent = 2 * (np.pi * waves * 20 / count) ** 2  # by how much, between samples far apart
    assert samples.noise_in(curve) <= bent + 1e-12
    found = samples.noise_in(curve + noise)
    assert found == pytest.approx(size, rel=6 / count**0.5, abs=bent + 1e-12)
