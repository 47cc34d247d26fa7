import json
import math
import os
import random
import stat
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from model_helpers import bytes_of, make_network, make_sample

import kanviz.files.model_file as files_module
from kanviz.data.dataset import About
from kanviz.data.scaling import Scaling
from kanviz.files import SavedModel, read_model, write_model
from kanviz.files.model_file import FORMAT
from kanviz.nn import Network
from kanviz.nn.state import NetworkState
from kanviz.nn.symbols import SymbolicEdges


def make_about(inputs: int = 2, outputs: int = 1) -> About:
    def scaling(columns: int) -> Scaling:
        shift = torch.arange(columns, dtype=torch.float64) / 3
        return Scaling(shift, 1 / (shift + 0.1))

    names = [
        tuple(f"{end} {n} \u00e9" for n in range(k))
        for end, k in (("in", inputs), ("out", outputs))
    ]
    return About(names[0], names[1], scaling(inputs), scaling(outputs))


def make_saved(network: Network | None = None, *, with_sample: bool = False) -> SavedModel:
    network = network or make_network()
    about = make_about(network.widths[0], network.widths[-1])
    about = about.seeing(make_sample(network.widths[0], 20)) if with_sample else about
    return SavedModel(NetworkState.capture(network), about)


def write_raw(path: Path, **changes: Any) -> None:
    """Write a file whose header has these entries, with a checksum that fits."""
    saved = make_saved()
    tensors = files_module._tensors(saved) | changes.pop("tensors", {})
    header = files_module._header(saved) | changes
    header["checksum"] = files_module._checksum(header, tensors)
    path.write_bytes(safetensors.torch.save(tensors, {FORMAT: json.dumps(header)}))


@pytest.mark.parametrize("basis", ["bspline", "matern52"])
def test_ten_round_trips_keep_every_bit(tmp_path: Path, basis: str, dtype: torch.dtype) -> None:
    network = make_network((3, 4, 2), basis=basis, dtype=dtype, seed=5, grid_range=(-2.0, 1.0))
    network.update_grid(make_sample(3).to(dtype), grid_eps=0.4)
    network.layers[0].set_mask(network.layers[0].mask.logical_not())
    network.layers[1].weight.requires_grad = False
    saved = make_saved(network, with_sample=True)
    x = make_sample(3).to(dtype)
    for number in range(10):
        write_model(tmp_path / f"{number}.kan", saved)
        saved = read_model(tmp_path / f"{number}.kan")
        built = saved.state.build()
        assert bytes_of(built) == bytes_of(network)
        assert torch.equal(built(x), network(x))
    assert bytes_of(built.remade(9)) == bytes_of(network.remade(9))
    assert len({file.read_bytes() for file in tmp_path.iterdir()}) == 1


def test_names_units_and_sample_come_back_exactly(tmp_path: Path) -> None:
    saved = make_saved(make_network((3, 2)), with_sample=True)
    write_model(tmp_path / "m.kan", saved)
    found, wanted = read_model(tmp_path / "m.kan").about, saved.about
    assert found.input_names == wanted.input_names
    assert found.output_names == wanted.output_names
    for name in ("x_scaling", "y_scaling"):
        assert torch.equal(getattr(found, name).shift, getattr(wanted, name).shift)
        assert torch.equal(getattr(found, name).scale, getattr(wanted, name).scale)
    assert found.sample is not None
    assert wanted.sample is not None
    assert torch.equal(found.sample, wanted.sample)


def test_a_range_per_input_comes_back(tmp_path: Path) -> None:
    ranges = torch.tensor([[-1.0, 2.0], [0.1, 0.3]], dtype=torch.float64)
    network = make_network((2, 3), grid_range=ranges)
    write_model(tmp_path / "m.kan", make_saved(network))
    built = read_model(tmp_path / "m.kan").state.build()
    assert bytes_of(built.remade(4)) == bytes_of(network.remade(4))


def test_formulas_and_frozen_edges_come_back(tmp_path: Path) -> None:
    from kanviz.symbolic.functions import make_function

    network = make_network()
    layer = network.layers[0]
    functions = [
        make_function("hill", "x**2 / (1 + x**2)"),
        make_function("1/x", "1/x", domain=(0.0, math.inf)),
    ]
    affine = torch.tensor([[1.5, 0.0, 1.0, 0.1], [1.0, 3.0, 2.0, 0.0]], dtype=torch.float64)
    places = torch.tensor([1, 0]), torch.tensor([2, 4])
    layer.set_symbols(SymbolicEdges(*places, functions, affine))
    layer.set_frozen(layer.mask)
    write_model(tmp_path / "m.kan", make_saved(network))
    built = read_model(tmp_path / "m.kan").state.build()
    assert bytes_of(built) == bytes_of(network)
    assert torch.equal(built(make_sample()), network(make_sample()))
    assert built.layers[0].symbols is not None
    assert built.layers[0].symbols.functions == tuple(functions)


def test_without_a_sample_none_is_written(tmp_path: Path) -> None:
    write_model(tmp_path / "m.kan", make_saved())
    assert read_model(tmp_path / "m.kan").about.sample is None
    assert "sample" not in safetensors.torch.load_file(tmp_path / "m.kan")


def test_every_truncation_is_one_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "m.kan"
    write_model(path, make_saved(make_network((1, 1), grid_size=1)))
    content = path.read_bytes()
    for size in [*range(0, len(content), 7), *range(len(content) - 9, len(content))]:
        path.write_bytes(content[:size])
        with pytest.raises(
            ValueError, match=r"^path must name a model file .* got '.*m\.kan', which"
        ):
            read_model(path)


def test_every_flipped_byte_is_found(tmp_path: Path) -> None:
    path = tmp_path / "m.kan"
    saved = make_saved(make_network((1, 1), grid_size=1), with_sample=True)
    write_model(path, saved)
    content = path.read_bytes()
    rng = random.Random(0)
    for place in range(len(content)):
        damaged = bytearray(content)
        damaged[place] ^= 1 << rng.randrange(8)
        path.write_bytes(damaged)
        try:
            found = read_model(path)
        except ValueError as error:
            assert str(error).startswith("path must name a model file written by kanviz; got")  # noqa: PT017
        else:  # only the padding behind the header may differ
            assert bytes_of(found.state.build()) == bytes_of(saved.state.build())


def test_random_bytes_are_refused(tmp_path: Path) -> None:
    rng = random.Random(0)
    path = tmp_path / "m.kan"
    starts = [b"", b"\x10\0\0\0\0\0\0\0", b"\x02\0\0\0\0\0\0\0{}", b"PK\x03\x04", b"[" * 3000]
    for start in starts:
        for size in (0, 1, 8, 100, 3000):
            path.write_bytes(start + rng.randbytes(size))
            with pytest.raises(ValueError, match="path must name a model file"):
                read_model(path)


def test_a_file_of_another_program_is_named_as_such(tmp_path: Path) -> None:
    path = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"a": torch.zeros(2)}, path)
    with pytest.raises(ValueError, match="is a safetensors file of another program"):
        read_model(path)


def test_a_newer_version_asks_for_an_update(tmp_path: Path) -> None:
    write_raw(tmp_path / "new.kan", version=3, layers="in a way not known yet")
    with pytest.raises(ValueError, match=r"has version 3, above 2\. Update kanviz to read it"):
        read_model(tmp_path / "new.kan")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": "else"}, "its header says format 'else'"),
        ({"widths": [2, 4, 1]}, "do not have the shapes and dtypes that its header says"),
        ({"widths": [2, 5]}, "its layers do not fit its widths"),
        ({"widths": [10**12, 5, 1]}, "do not have the shapes"),
        ({"widths": [2, [10**12, 1], 1]}, "at most 1,000,000 sums; got 1000000000002"),
        ({"widths": "252"}, "is damaged"),
        ({"layers": []}, "its layers do not fit its widths"),
        ({"layers": [{"spec": {"evil": 1}, "trains": True}] * 2}, "is damaged"),
        (
            {"layers": [{"spec": {"grid_size": 10**9}, "trains": True}] * 2},
            "do not have the shapes",
        ),
        ({"layers": [{"spec": {}, "trains": "yes"}] * 2}, "which layers train"),
        ({"about": {}}, "is damaged"),
        ({"layers": [{"spec": {}, "trains": True, "symbols": [{}]}] * 2}, "is damaged"),
        ({"layers": [{"spec": {}, "trains": True}] * 2}, "is damaged"),
        ({"made_with": {"grid_size": -1}}, "grid_size must be"),
        ({"made_with": {"grid_range": [1, 2, 3]}}, "its grid range does not fit"),
        ({"tensors": {"sample": torch.zeros(3)}}, "its sample does not fit"),
        ({"tensors": {"layers.0.mask": torch.ones(2, 5)}}, "do not have the shapes and dtypes"),
        ({"tensors": {"layers.0.weight": torch.zeros(2, 9, 5)}}, "do not have the shapes"),
        ({"tensors": {"layers.0.weight": torch.zeros(2, 9, 5).half()}}, "have dtype torch.float16"),
        ({"tensors": {"layers.0.knots": torch.zeros(2, 12).double()}}, "its knots do not increase"),
        (
            {"tensors": {"layers.0.leaders": torch.full((2, 5), 10)}},
            "its locked edges do not share",
        ),
        ({"tensors": {"layers.0.leaders": torch.arange(9, -1, -1).view(2, 5)}}, "do not share"),
    ],
)
def test_a_header_that_does_not_fit_is_refused_before_anything_is_built(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    write_raw(tmp_path / "m.kan", **changes)
    with pytest.raises(ValueError, match=message):
        read_model(tmp_path / "m.kan")


def test_a_file_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"none\.kan"):
        read_model(tmp_path / "none.kan")
    with pytest.raises(FileNotFoundError, match="folder"):
        write_model(tmp_path / "folder" / "m.kan", make_saved())


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "m.kan"
    write_model(path, make_saved())
    content = path.read_bytes()

    def fail(_: int) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        write_model(path, make_saved(make_network(seed=1)))
    assert [file.name for file in tmp_path.iterdir()] == ["m.kan"]
    assert path.read_bytes() == content


def test_a_saved_file_has_the_rights_of_any_new_file(tmp_path: Path) -> None:
    (tmp_path / "plain").write_bytes(b"")
    write_model(tmp_path / "m.kan", make_saved())
    modes = {stat.S_IMODE(file.stat().st_mode) for file in tmp_path.iterdir()}
    assert len(modes) == 1


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.kan").symlink_to(tmp_path / "real.kan")
    write_model(tmp_path / "link.kan", make_saved())
    assert (tmp_path / "link.kan").is_symlink()
    assert read_model(tmp_path / "real.kan").state.widths == (2, 5, 1)
