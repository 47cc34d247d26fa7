import torch
from model_helpers import make_sample

from kanviz.data import from_arrays
from kanviz.data.dataset import MAX_SAMPLE, About, thin_out


def test_a_small_sample_is_kept_whole_and_apart() -> None:
    x = make_sample(samples=MAX_SAMPLE)
    kept = thin_out(x)
    assert torch.equal(kept, x)
    x.zero_()
    assert kept.abs().max() > 0


def test_a_large_sample_is_thinned_to_rows_that_span_its_ranges() -> None:
    x = make_sample(3, 50_000)
    kept = thin_out(x)
    assert MAX_SAMPLE <= len(kept) <= MAX_SAMPLE + 6
    assert torch.equal(kept.amin(0), x.amin(0))
    assert torch.equal(kept.amax(0), x.amax(0))
    rows = {tuple(row) for row in x.tolist()}
    assert all(tuple(row) in rows for row in kept.tolist())


def test_it_keeps_names_units_and_a_sample_of_a_data_set() -> None:
    data = from_arrays(
        make_sample() * 5 + 2, make_sample(1).float(), input_names=["a", "b"], normalize=True
    ).to(torch.float32)
    about = About.data(data)
    assert (about.input_names, about.output_names) == (("a", "b"), ("y",))
    assert about.x_scaling.shift.dtype == torch.float64
    assert torch.equal(about.x_scaling.shift, data.x_scaling.shift)
    assert about.sample is not None
    assert torch.equal(about.sample, data.x)


def test_without_data_there_are_plain_names_and_no_scaling() -> None:
    about = About.nothing(2, 3)
    assert about.input_names == ("x_1", "x_2")
    assert about.output_names == ("y_1", "y_2", "y_3")
    x = make_sample(3)
    assert torch.equal(about.y_scaling.undo(x), x)
    assert about.sample is None
