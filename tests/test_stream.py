"""Rows that come in batches give what rows in memory give, and are held a batch at a time."""

import gc
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.utils.data import DataLoader, IterableDataset, TensorDataset

import kanviz as kv
from kanviz.data import arrays
from kanviz.data import stream as streams
from kanviz.data.scaling import Moments, Scaling
from kanviz.training import task

F64 = torch.float64


def make_rows(rows: int = 300) -> tuple[Tensor, Tensor]:
    """Return inputs in units that nobody would choose, and a law of them with a little noise."""
    draw = torch.Generator().manual_seed(0)
    x = torch.rand(rows, 2, generator=draw, dtype=F64) * torch.tensor([2e-3, 50.0]) + 1000
    y = torch.sin((x[:, :1] - 1000) * 1000) + (x[:, 1:] - 1000) / 50
    return x, 7 * y + 100 + 0.01 * torch.rand(rows, 1, generator=draw, dtype=F64)


def make_labels(rows: int) -> tuple[Tensor, Tensor]:
    """Return inputs, and 0 or 3 for each."""
    x, y = make_rows(rows)
    return x, 3 * (y[:, 0] > 103.5).long()


class Counting:
    """A loader that knows how many of its batches are alive."""

    def __init__(self, x: Tensor, y: Tensor, size: int) -> None:
        self.parts = list(zip(x.split(size), y.split(size), strict=True))
        self.alive = self.most = self.passages = 0

    def __iter__(self) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        self.passages += 1
        for x, y in self.parts:
            batch = x.numpy().copy()
            self.alive += 1
            self.most = max(self.most, self.alive)
            weakref.finalize(batch, self._gone)
            yield batch, y.numpy()
            del batch

    def _gone(self) -> None:
        self.alive -= 1


def make_model(**options: Any) -> kv.KAN:
    return kv.KAN([2, 2, 1], seed=1, dtype=F64, **options)


def test_sums_over_batches_are_those_over_all_rows() -> None:
    x, y = make_rows()
    whole, parts = make_model(), make_model()
    options: dict[str, Any] = {"optimizer": "lm", "steps": 6, "starts": 1, "progress": False}
    whole.fit(x, y, smoothing=1e-10, **options)
    loader = Counting(x, y, 64)
    report = parts.fit(loader, smoothing=1e-10, **options)
    np.testing.assert_allclose(parts.predict(x), whole.predict(x), rtol=1e-9)
    for name, value in whole.evaluate((x, y)).items():
        assert report.errors[name] == pytest.approx(value, rel=1e-6)
        assert parts.evaluate(loader)[name] == pytest.approx(value, rel=1e-6)
    assert parts.score(loader) > 0.9
    gc.collect()
    assert (loader.alive, loader.most) == (0, 2), "a batch, and the next that is read"


def test_each_batch_is_a_step() -> None:
    x, y = make_rows(120)
    loader = DataLoader(TensorDataset(x, y), batch_size=50)
    model = make_model()
    model.fit(loader, steps=2, update_grid=False, learning_rate=0.02, progress=False)
    data = kv.from_arrays(x, y, test_fraction=0.0)
    network = make_model().network
    optimizer = torch.optim.Adam(network.parameters(), lr=0.02)
    for rows in (slice(0, 50), slice(50, 100), slice(100, 120)) * 2:
        optimizer.zero_grad()
        nn.functional.mse_loss(network(data.x[rows]), data.y[rows]).backward()
        optimizer.step()
    for mine, theirs in zip(model.network.parameters(), network.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-6, atol=1e-8)


def test_memory_maps_are_read_in_chunks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = make_rows()
    for name, array in (("x", x), ("y", y)):
        np.save(tmp_path / f"{name}.npy", array.numpy())
    mapped = [np.load(tmp_path / f"{name}.npy", mmap_mode="r") for name in "xy"]
    assert streams.as_stream(tuple(mapped)) is None, "small ones are arrays"
    monkeypatch.setattr(arrays, "MOST_IN_MEMORY", 100)
    monkeypatch.setattr(streams, "CHUNK_ROWS", 70)
    model, other = make_model(), make_model()
    options: dict[str, Any] = {"optimizer": "lm", "steps": 3, "starts": 1, "progress": False}
    model.fit(*mapped, **options)
    other.fit(x, y, smoothing=1e-10, **options)
    np.testing.assert_allclose(model.predict(x), other.predict(x), rtol=1e-9)
    first = model.score(tuple(mapped))
    model.fit(*mapped, batch_size=32, steps=2, learning_rate=1e-3, progress=False)
    assert model.score(tuple(mapped)) > min(first, 0.5)


class Pairs:
    """The plainest loader: no array, no list."""

    def __init__(self, batches: list[tuple[Tensor, Tensor]]) -> None:
        self.batches = batches

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return iter(self.batches)


class OneByOne(IterableDataset[Any]):
    """Rows one by one, of which there are 90."""

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        yield from zip(*make_labels(90), strict=True)


def test_a_data_set_of_torch_gives_classes() -> None:
    model = kv.KAN([2, 2], dtype=F64)
    state = torch.get_rng_state()
    report = model.fit(OneByOne(), batch_size=16, steps=12, learning_rate=0.05, progress=False)
    assert torch.equal(torch.get_rng_state(), state)
    assert model.classes == (0, 3)
    assert report.errors["train_accuracy"] > 0.9
    assert model.evaluate(OneByOne())["train_accuracy"] == report.errors["train_accuracy"]
    model.evaluate(DataLoader(TensorDataset(*make_labels(20)), batch_size=5, shuffle=True))
    assert torch.equal(torch.get_rng_state(), state), "a question draws nothing"


def test_too_many_rows_for_a_step_are_learnt_in_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = make_rows(60)
    monkeypatch.setattr(task, "MOST_WORK", 1e5)
    report = make_model().fit(x, y, steps=1, progress=False)
    assert report.optimizer == "adam"
    assert 'so many rows (60) are learnt in batches by "adam"' in str(report.notes)
    asked = make_model().fit(x, y, steps=1, starts=1, optimizer="lm", progress=False)
    assert asked.optimizer == "lm"


def test_moments_are_those_of_all_rows() -> None:
    draw = torch.Generator().manual_seed(0)
    x = (torch.randn(100, 3, generator=draw, dtype=F64) + 5) * torch.tensor(
        [1e-200, 1.0, 1e200], dtype=F64
    )
    found = Moments()
    for part in x.split([1, 40, 59]):
        found.add(part)
    wanted = Scaling.standard(x)
    torch.testing.assert_close(found.scaling().shift, wanted.shift, rtol=1e-12, atol=0)
    torch.testing.assert_close(found.scaling().scale, wanted.scale, rtol=1e-12, atol=0)


@pytest.mark.usefixtures("unchecked")
def test_what_batches_cannot_be_is_said() -> None:
    x, y = make_rows(40)
    model, loader = make_model(), DataLoader(TensorDataset(x, y), batch_size=8)
    for options, match in (
        ({"optimizer": "lbfgs"}, "optimizer='lbfgs' needs all rows at once; got rows in batches"),
        ({"loss": "huber"}, "loss='huber' needs all rows"),
        ({"validation": 0.1}, "validation=0.1 needs all rows"),
        ({"batch_size": 4}, "batch_size must be left to the loader; got 4 beside DataLoader"),
        ({"sample_weight": y[:, 0]}, "sample_weight belongs to rows in memory"),
    ):
        with pytest.raises(ValueError, match=match):
            model.fit(loader, progress=False, **options)
    with pytest.raises(ValueError, match="sample_weight belongs to rows in memory"):
        model.score(loader, sample_weight=y[:, 0])
    with pytest.raises(TypeError, match=r"data must be gone through many times.*got generator"):
        model.fit(batch for batch in loader)
    with pytest.raises(ValueError, match=r"Each batch must be a pair \(x, y\).*got Tensor"):
        model.fit(DataLoader(x, batch_size=8))  # type: ignore[arg-type]  # no data set by its type
    with pytest.raises(ValueError, match="Each batch must have as many rows of y as of x; got 3"):
        model.fit(Pairs([(x, y), (x, y[:3])]))
    with pytest.raises(ValueError, match="Each batch of x must have 2 columns"):
        model.fit(Pairs([(x, y), (x[:, :1], y)]))
    with pytest.raises(ValueError, match="data must hold rows; got a loader that gives none"):
        model.fit(Pairs([]))
    with pytest.raises(ValueError, match="x must be finite in every row; got nan in row 1"):
        model.fit(Pairs([(x, y), (torch.tensor([[1.0, 1.0], [1.0, torch.nan]]), y[:2])]))
    assert model.session.is_new()
