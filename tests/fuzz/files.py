"""Model files that are damaged or forged, tables of text, and writing that is killed.

What must hold: a model file is read to the last bit or refused in one sentence, quickly and in
little memory, and what is read can be used; so with tables. After any kill the old file or the new
one is there, whole, and nothing of the other is left once somebody writes there again.
"""

import copy
import json
import math
import os
import random
import signal
import struct
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

import kanviz as kv
from fuzz.limits import Overtime, grown, limited
from kanviz.files import model_file
from kanviz.nn.state import NetworkState

SECONDS = 10.0

MEGABYTES = 700

LONGEST_SENTENCE = 600

ODD: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 10**6, 10**9, 2**63, -(2**70), 0.5, math.nan, math.inf),
    *(-math.inf, 1e308, 1e-320, "", "x", "\x00", "é" * 300, "9" * 5000, [], {}, [[]], [None]),
    *([1], [0, 1], [1, 0], ["a", "a"], {"a": 1}, "float32", "bspline", "nan", [1e400], [-1, 1]),
)


def a_model(rng: random.Random) -> kv.KAN:
    """Return a small model with formulas, units, locked and frozen edges, now and then."""
    widths = rng.choice([[1, 1], [2, 3, 1], [1, 2, 2], [3, 1]])
    dtype = rng.choice([torch.float32, torch.float64])
    model = kv.KAN(widths, seed=rng.randrange(9), grid_size=rng.choice([1, 3, 5]), dtype=dtype)
    if rng.random() < 0.6:
        model.fix((0, 0, 0), rng.choice(["sin", "x^2", "exp(-x**2) + 1", "1/x", "J3(2*x)"]))
    if rng.random() < 0.3:
        model.freeze((0, 0, 0))
    if rng.random() < 0.3 and widths[0] > 1:
        model.lock([(0, 0, 0), (0, 1, 0)])
    if rng.random() < 0.3:
        model.remove_edge((0, 0, 0))
    return model


def run(count: int, seed: int) -> list[str]:
    """Damage and forge so many model files, read each, and use what is read."""
    rng, faults, read, slowest = random.Random(seed), [], 0, 0.0
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        path = Path(folder) / "m.kan"
        for number in range(count):
            if number % 20 == 0:
                model = a_model(rng)
                model.save(path, with_sample=rng.random() < 0.5)
                whole = path.read_bytes()
            kind = rng.choice([flipped, cut, grafted, forged, forged, forged, retensored])
            path.write_bytes(kind(rng, whole))
            began, size = time.process_time(), grown()
            try:
                with limited(SECONDS * 12):
                    read += check_read(path)
            except Overtime:
                faults.append(f"hangs: case {number} of seed {seed}, {kind.__name__}")
            except Exception as error:  # noqa: BLE001  # any at all is a fault, and is told
                what = f"{type(error).__name__}: {str(error)[:300]}"
                faults.append(f"{what}: case {number} of seed {seed}, {kind.__name__}")
            took = time.process_time() - began
            slowest = max(slowest, took)
            if took > SECONDS or grown() - size > MEGABYTES:
                cost = f"{took:.1f} s, {grown() - size} MB"
                faults.append(f"takes {cost}: case {number} of seed {seed}, {kind.__name__}")
    print(f"{read} of {count} files read, the slowest in {slowest:.1f} s")
    return faults


def check_read(path: Path) -> bool:
    """Read a file and use what it holds; return False where it is refused in one sentence."""
    try:
        model = kv.load(path)
    except ValueError as error:
        message = str(error)
        assert message.startswith("path must name a model file written by kanviz; got"), message
        assert "\n" not in message, message
        assert len(message) < LONGEST_SENTENCE, message[:300]
        return False
    x = torch.linspace(-1, 1, 5, dtype=torch.float64)[:, None].expand(-1, model.widths[0])
    wanted = torch.from_numpy(model.decision_function(x))  # forged classes make predict give text
    assert bool(wanted.isfinite().all()), "not finite"
    assert len(model.predict(x)) == len(x)
    model.snapshot()
    model.save(path)
    assert torch.equal(torch.from_numpy(kv.load(path).decision_function(x)), wanted)
    return True


def flipped(rng: random.Random, content: bytes) -> bytes:
    """Change some bits."""
    damaged = bytearray(content)
    for _ in range(rng.choice([1, 1, 2, 30])):
        damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
    return bytes(damaged)


def cut(rng: random.Random, content: bytes) -> bytes:
    """Leave the end out, or the beginning, or add something."""
    place = rng.randrange(len(content))
    return rng.choice([content[:place], content[place:], content + content[:place], b""])


def grafted(rng: random.Random, content: bytes) -> bytes:
    """Put random bytes, or another place's, over a part; or a length that is a lie."""
    damaged, place = bytearray(content), rng.randrange(len(content))
    if rng.random() < 0.3:
        return struct.pack("<Q", rng.choice([0, 1, 2**40, 2**63, len(content)])) + content[8:]
    size = min(rng.randrange(1, 200), len(content) - place)
    damaged[place : place + size] = rng.randbytes(size)
    return bytes(damaged)


def forged(rng: random.Random, content: bytes) -> bytes:
    """Change values of the header and make the checksum fit, as somebody who means harm would."""
    tensors = safetensors.torch.load(content)
    header = header_of(content)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        forge(rng, header)
    return signed(header, tensors)


def retensored(rng: random.Random, content: bytes) -> bytes:
    """Change tensors: their numbers, shapes, dtypes or names, with a checksum that fits."""
    tensors = safetensors.torch.load(content)
    name = rng.choice(sorted(tensors))
    tensor = tensors[name].clone()
    if tensor.is_floating_point() and tensor.numel():
        odd = rng.choice([math.nan, math.inf, 0.0, 1e38, -1e38, 1e-40])
        tensor.view(-1)[rng.randrange(tensor.numel())] = odd
    elif tensor.numel():
        tensor = tensor.roll(1)
    change: Callable[[], torch.Tensor] = rng.choice(
        [
            lambda: tensor,
            lambda: tensor.transpose(0, -1).contiguous() if tensor.ndim else tensor,
            lambda: tensor[:0],
            lambda: tensor.double() if tensor.dtype == torch.float32 else tensor.float(),
            lambda: tensor.unsqueeze(0),
            lambda: torch.zeros_like(tensor),
        ]
    )
    tensors[name if rng.random() < 0.9 else name + "x"] = change().contiguous()
    if rng.random() < 0.1:
        del tensors[name]
    return signed(header_of(content), tensors)


def header_of(content: bytes) -> dict[str, Any]:
    """Return the header of a model file."""
    size = int.from_bytes(content[:8], "little")
    metadata = json.loads(content[8 : 8 + size])["__metadata__"]
    found: dict[str, Any] = json.loads(metadata[model_file.FORMAT])
    return found


def forge(rng: random.Random, value: Any) -> None:
    """Change one value somewhere in a header."""
    while True:
        keys = list(value) if isinstance(value, dict) else list(range(len(value)))
        if not keys:
            return
        key = rng.choice(keys)
        if isinstance(value[key], dict | list) and value[key] and rng.random() < 0.8:
            value = value[key]
            continue
        match rng.randrange(6):
            case 0 if isinstance(value, dict):
                del value[key]
            case 1 if isinstance(value[key], int | float):
                value[key] = value[key] * rng.choice([-1, 2, 10**5]) + rng.choice([0, 1])
            case 2 if isinstance(value[key], str):
                value[key] = bomb_text(rng) if key == "formula" else value[key] * 2
            case _:
                value[key] = copy.deepcopy(rng.choice(ODD))
        return


def bomb_text(rng: random.Random) -> str:
    """Return the text of a formula that would cost much."""
    nines = "9" * 99
    return rng.choice(
        [
            f"(({nines}**-100)**100)**100",
            "+".join(f"silu(softplus({n}*x))" for n in range(200)),
            "*".join(["(x+pi)"] * 3000),
            "silu(" * 90 + "x" + ")" * 90,
            "(((3*x)**100*x**-99)**100*x**-99)**100",
            f"12**({nines}/{nines[1:]}1)",
            "exp(" * 50 + "1" + ")" * 50,
            "arctanh(cosh(" * 20 + "x" + "))" * 20,
        ]
    )


def signed(header: dict[str, Any], tensors: dict[str, torch.Tensor]) -> bytes:
    """Return a file with a header whose checksum fits."""
    header.pop("checksum", None)
    header["checksum"] = model_file._checksum(header, tensors)
    return safetensors.torch.save(tensors, {model_file.FORMAT: json.dumps(header)})


def run_tables(count: int, seed: int) -> list[str]:
    """Write so many tables, good and bad, and read each with options, good and bad."""
    rng, faults, read = random.Random(seed), [], 0
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        path = Path(folder) / "t.csv"
        for number in range(count):
            path.write_bytes(a_table(rng))
            try:
                with limited(SECONDS * 12):
                    read += check_table(path, rng)
            except Overtime:
                faults.append(f"hangs: case {number} of seed {seed}")
            except Exception as error:  # noqa: BLE001  # any at all is a fault, and is told
                what = f"{type(error).__name__}: {str(error)[:300]}"
                faults.append(f"{what}: case {number} of seed {seed}: {path.read_bytes()[:200]!r}")
    print(f"{read} of {count} tables read")
    return faults


def a_table(rng: random.Random) -> bytes:
    """Return the bytes of a table."""
    mark = rng.choice(",;\t,;")
    names = rng.choice(
        [
            ["a", "b", "y"],
            ["0", "T-T0", "y"],
            ["", "pi", "y"],
            ["x1", "x_1", "y"],
            ["a", "a", "y"],
            ["a" * rng.choice([10, 131_073, 400_000]), "b", "y"],
            ["heat flux [W/m^2]", "kind", "y"],
        ]
    )
    cells: tuple[Callable[[], str], ...] = (
        lambda: str(rng.randrange(-99, 99)),
        lambda: f"{rng.gauss(0, 9):.3f}",
        lambda: f"{rng.gauss(0, 9):.2f}".replace(".", ","),
        lambda: f"{rng.randrange(10**7):,}".replace(",", "."),
        lambda: rng.choice(["red", "green", "blue"]),
        lambda: rng.choice(["", "NA", "?", "1", "2", "3"]),
        lambda: rng.choice(["1e400", "inf", "-0", "1_000", "0x10", "1,5", '"', "٣", "1e-320", "7"]),
        lambda: f"{rng.random()!r}",
    )
    columns = [rng.choice(cells) for _ in names]
    rows = [mark.join(names)]
    for _ in range(rng.choice([0, 2, 3, 20, 20, 60, 60])):
        row = [make() if rng.random() < 0.99 else rng.choice(cells)() for make in columns]
        row = row[:-1] if rng.random() < 0.005 else row
        rows.append(mark.join(row))
    content = rng.choice(["\n", "\r\n", "\n\n"]).join(rows).encode()
    if rng.random() < 0.2:
        place = rng.randrange(len(content))
        extra = rng.choice([b"\x00", b"\xff", b'"', b"\n", rng.randbytes(9), b"\r"])
        content = content[:place] + extra + content[place:]
    return content


def check_table(path: Path, rng: random.Random) -> bool:
    """Read a table; return False where it is refused in a sentence."""
    options: dict[str, Any] = {
        "target": rng.choice(["y"] * 8 + [None, "a", [], ["y", "a"], 5]),
        "test_fraction": rng.choice([0.2] * 6 + [0.0, math.nan, 1.0, -1.0, None, "a"]),
        "seed": rng.choice([0] * 6 + [10**30, -1, 1.5, None]),
        "missing": rng.choice(["drop", "mean", "error", "what"]),
        "task": rng.choice(["auto", "auto", "regression", "classification", 1]),
        "inputs": rng.choice([None] * 6 + [["a"], "b", [], 3]),
        "normalize": rng.random() < 0.5,
    }
    for name in rng.sample(sorted(options), rng.choice([7, 7, 6, 5])):  # the others as by default
        options[name] = {"target": "y"}.get(name)
        if options[name] is None:
            del options[name]
    try:
        data = kv.from_csv(path, **options)
    except ValueError as error:
        message = str(error)
        assert "\n" not in message, message[:300]
        assert 20 < len(message) < LONGEST_SENTENCE, message[:300]
        return False
    assert bool(data.x.isfinite().all()), "an input is not finite"
    assert not data.y.is_floating_point() or bool(data.y.isfinite().all()), "y is not finite"
    model = kv.KAN([data.x.shape[1], len(data.output_names or data.class_names or "y")])
    del model
    return True


def run_kills(count: int, seed: int) -> list[str]:
    """Kill a process that saves without end, so many times at any moment."""
    rng, faults = random.Random(seed), []
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("long" * 62 + ".kan")  # 252 letters
        kv.KAN([2, 3, 1]).save(path)
        path.chmod(0o600)
        left = 0
        for number in range(count):
            kill_fork(path, rng, float(number % 7))
            left += len(os.listdir(folder)) - 1
            if problem := check_whole(path):
                faults.append(problem)
            kv.load(path).save(path)  # whole, and it clears what was left
            if os.listdir(folder) != [path.name]:
                faults.append(f"left behind: {os.listdir(folder)}")
            if path.stat().st_mode & 0o777 != 0o600:
                faults.append(f"mode is {path.stat().st_mode & 0o777:o}")
    print(f"{count} kills, {left} drafts left until the next one wrote")
    return faults


def check_whole(path: Path) -> str | None:
    """Return what is wrong with a file after a kill; None where it is one of the two models."""
    try:
        weight = kv.load(path).network.layers[0].weight
    except ValueError as error:
        return f"not whole: {error}"
    return "of two models" if bool((weight != weight.flatten()[0]).any()) else None


def kill_fork(path: Path, rng: random.Random, value: float) -> None:
    """Let a fork of this process save without end, and kill it at some moment."""
    model = kv.load(path)
    with torch.no_grad():
        for layer in model.network.layers:
            layer.weight.fill_(value)
    model.save(path)
    saved = model_file.SavedModel(NetworkState.capture(model.network), model.session.about)
    child = os.fork()
    if child == 0:
        try:
            while True:
                model_file.write_model(path, saved)
        finally:
            os._exit(1)
    time.sleep(rng.random() * 0.03)
    os.kill(child, rng.choice([signal.SIGKILL, signal.SIGTERM]))
    os.waitpid(child, 0)
