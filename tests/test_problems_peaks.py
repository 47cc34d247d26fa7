"""Peaks shown one after the other: what a phase shows, how errors are taken, who forgets."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch

from kanviz import KAN
from kanviz.course.mlp import train_mlp
from kanviz.course.peaks import Peaks, five_peaks, five_peaks_2d

EVERY = {
    "line": five_peaks(20, dtype=torch.float64),
    "corners": five_peaks_2d(20, dtype=torch.float64),
    "apart": five_peaks_2d(20, apart=True, dtype=torch.float64),
}
each = pytest.mark.parametrize("peaks", EVERY.values(), ids=EVERY)

LOCAL = {"smoothing": 0.0, "update_grid": False, "progress": False}
"""What lets a phase touch nothing but the coefficients that its samples reach."""


def make_line_model(seed: int = 0, **options: Any) -> KAN:
    chosen: dict[str, Any] = {"grid_size": 200, "base": "zero"} | options
    return KAN([1, 1], seed=seed, dtype=torch.float64, **chosen)


def make_product_model() -> KAN:
    """Return exp(phi_1(x_1) + phi_2(x_2)), which learns nothing but the two functions."""
    model = KAN([2, 1, 1], grid_size=40, base="zero", dtype=torch.float64)
    model.fix((1, 0, 0), "exp(x)")
    model.freeze(1)
    return model


def errors_of(model: KAN, peaks: Peaks, **options: Any) -> np.ndarray:
    """Train phase by phase; return the errors (after phase, on peak)."""
    rows = []
    for phase in peaks.phases:
        model.fit(phase, **(LOCAL | options))
        rows.append(peaks.errors(model.predict(peaks.x)))
    return np.stack(rows)


class TestData:
    @each
    def test_a_phase_shows_its_own_window_only(self, peaks: Peaks) -> None:
        assert len(peaks.phases) == len(peaks.windows) == 5
        for window, phase in zip(peaks.windows, peaks.phases, strict=True):
            low, high = torch.tensor(window, dtype=torch.float64).T
            assert phase.x_test is not None
            for x in (phase.x, phase.x_test):
                assert bool(((x >= low) & (x <= high)).all())
            assert torch.equal(phase.y[:, 0], peaks.f(phase.x))

    @each
    def test_every_window_has_one_peak_of_height_one_in_its_middle(self, peaks: Peaks) -> None:
        middles = torch.tensor(peaks.windows, dtype=torch.float64).mean(dim=2)
        torch.testing.assert_close(peaks.f(middles), torch.ones(5, dtype=torch.float64))
        away = middles + 0.2
        assert float(peaks.f(away).max()) < 1e-4

    def test_windows_on_the_line_meet_and_fill_it(self) -> None:
        ends = [window[0] for window in EVERY["line"].windows]
        assert ends[0][0] == pytest.approx(-1)
        assert ends[-1][1] == pytest.approx(1)
        for (_, high), (low, _) in pairwise(ends):
            assert high == pytest.approx(low)

    def test_windows_apart_share_no_range_in_any_input_but_corners_do(self) -> None:
        assert shared_ranges(EVERY["apart"]) == 0
        assert shared_ranges(EVERY["corners"]) == 4

    def test_the_dense_grid_is_that_of_the_function(self) -> None:
        peaks = EVERY["corners"]
        assert peaks.x.shape == (101 * 101, 2)
        np.testing.assert_array_equal(peaks.y, peaks.f(torch.from_numpy(peaks.x)).numpy())

    def test_a_seed_gives_the_same_samples_and_no_phase_of_another(self) -> None:
        again, other = five_peaks(20, dtype=torch.float64), five_peaks(20, seed=1)
        assert torch.equal(again.phases[2].x, EVERY["line"].phases[2].x)
        drawn = {
            tuple((phase.x - window[0][0]).flatten().tolist())
            for peaks in (EVERY["line"], other)
            for window, phase in zip(peaks.windows, peaks.phases, strict=True)
        }
        assert len(drawn) == 10

    @pytest.mark.usefixtures("unchecked", "rng_untouched")
    def test_the_global_generators_are_left_alone(self) -> None:
        assert len(five_peaks(20).phases) == 5

    def test_it_has_the_dtype_asked_for(self, dtype: torch.dtype) -> None:
        assert five_peaks(20, dtype=dtype).phases[0].y.dtype == dtype

    def test_a_seed_below_0_is_refused(self) -> None:
        with pytest.raises(ValueError, match="seed must be an integer of at least 0; got -1"):
            five_peaks(seed=-1)


def shared_ranges(peaks: Peaks) -> int:
    """Count the pairs of windows that overlap in one input or more."""
    pairs = [(a, b) for n, a in enumerate(peaks.windows) for b in peaks.windows[:n]]
    return sum(
        any(s[0] < t[1] and t[0] < s[1] for s, t in zip(a, b, strict=True)) for a, b in pairs
    )


class TestErrors:
    @each
    def test_the_function_itself_has_none(self, peaks: Peaks) -> None:
        assert peaks.errors(peaks.y).tolist() == [0.0] * 5
        assert peaks.errors(peaks.y[:, None]).tolist() == [0.0] * 5

    @each
    def test_an_error_counts_in_the_window_where_it_is(self, peaks: Peaks) -> None:
        low, high = np.array(peaks.windows[3]).T
        middle = ((peaks.x > low + 0.01) & (peaks.x < high - 0.01)).all(axis=1)
        found = peaks.errors(peaks.y + 2.0 * middle)
        assert 1.0 < found[3] <= 2.0
        assert np.delete(found, 3).tolist() == [0.0] * 4

    def test_it_is_the_root_mean_square(self) -> None:
        peaks = EVERY["line"]
        np.testing.assert_allclose(peaks.errors(peaks.y - 3.0), [3.0] * 5)

    def test_another_number_of_points_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"one number for each of the 1001 points .* \(5,\)"):
            EVERY["line"].errors(np.zeros(5))


class TestRehearsal:
    def test_each_phase_gains_the_first_samples_of_those_before(self) -> None:
        old, new = EVERY["line"], EVERY["line"].rehearsing(3)
        assert [len(phase.x) for phase in new.phases] == [20, 23, 26, 29, 32]
        third = new.phases[2]
        assert torch.equal(third.x[:20], old.phases[2].x)
        assert torch.equal(third.x[20:23], old.phases[0].x[:3])
        assert torch.equal(third.y[23:], old.phases[1].y[:3])

    def test_the_peaks_it_is_made_from_stay_as_they_are(self) -> None:
        EVERY["line"].rehearsing(3)
        assert len(EVERY["line"].phases[4].x) == 20

    def test_more_than_a_phase_has_is_refused(self) -> None:
        with pytest.raises(ValueError, match=r"points must be at most 20 .* got 21"):
            EVERY["line"].rehearsing(21)


@pytest.mark.usefixtures("unchecked")  # for speed: these train for many short steps
class TestForgetting:
    @pytest.mark.parametrize("seed", range(5))
    def test_a_kan_with_local_functions_keeps_every_peak(self, seed: int) -> None:
        peaks = five_peaks(200, seed=seed, dtype=torch.float64)
        errors = errors_of(make_line_model(seed), peaks)
        assert errors[-1].max() < 1e-3
        untaught = errors[1, 2:]
        assert untaught.min() > 0.1, "peaks that no phase has shown yet cannot be known"

    def test_a_multilayer_perceptron_forgets_them(self) -> None:
        peaks, widths = five_peaks(200, dtype=torch.float64), [1, 50, 50, 1]
        how: dict[str, Any] = {"activation": "tanh", "optimizer": "adam"}
        mlp = train_mlp(peaks.rehearsing(200).phases[-1], widths, steps=1, **how)
        just_learned = []
        for n, phase in enumerate(peaks.phases):
            mlp = train_mlp(phase, widths, steps=400, start=mlp, **how)
            just_learned.append(peaks.errors(mlp.predict(peaks.x))[n])
        assert max(just_learned) < 0.1
        assert peaks.errors(mlp.predict(peaks.x))[:-1].min() > 0.1

    @pytest.mark.parametrize(
        ("options", "how"),
        [
            ({}, {"smoothing": None}),
            ({}, {"update_grid": True}),
            ({"base": "silu"}, {}),
            ({"grid_size": 25}, {}),
        ],
        ids=["smoothing", "moving knots", "base function", "wide supports"],
    )
    def test_it_takes_one_thing_that_is_not_local_to_forget(
        self, options: dict[str, Any], how: dict[str, Any]
    ) -> None:
        peaks = five_peaks(200, dtype=torch.float64)
        errors = errors_of(make_line_model(**options), peaks, **how, steps=20)
        assert errors[-1, 0] > 0.03
        assert errors[-1, 0] > 3 * errors[0, 0]

    def test_in_two_dimensions_peaks_that_share_a_range_are_forgotten(self) -> None:
        """The first two corners share their range in x_1; the third peak stands in the middle."""
        corners, apart = (
            first_three(five_peaks_2d(100, apart=apart, dtype=torch.float64))
            for apart in (False, True)
        )
        how = {"starts": 1, "steps": 12}
        lost = errors_of(make_product_model(), corners, **how)[:, :3]
        assert lost.diagonal().max() < 1e-4
        assert lost[-1, 0] > 0.01
        assert lost[-1, 1:].max() < 1e-4
        kept = errors_of(make_product_model(), apart, **how)[-1, :3]
        assert kept.max() < 1e-4
        rehearsed = errors_of(make_product_model(), corners.rehearsing(20), **how)[-1, :3]
        assert rehearsed.max() < 1e-4


def first_three(peaks: Peaks) -> Peaks:
    return replace(peaks, phases=peaks.phases[:3])
