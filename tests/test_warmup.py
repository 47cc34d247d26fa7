"""What ``warmup`` compiles, seen by a process that has compiled nothing yet."""

import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Literal

import torch

import kanviz as kv
from kanviz.nn import BasisName

ROOT = Path(__file__).parent.parent


def signatures() -> dict[str, list[str]]:
    """Return the types of arguments for which each kernel is compiled, or loaded from disk."""
    return {
        f"{module.__name__}.{name}": [str(types) for types in kernel.signatures]
        for module in list(sys.modules.values())
        if getattr(module, "__name__", "").startswith("kanviz.")
        for name, kernel in vars(module).items()
        if hasattr(kernel, "nopython_signatures")
    }


def use(dtype: torch.dtype) -> None:
    """Go through every path that a user's network takes."""
    x = torch.linspace(-1.5, 1.5, 4000, dtype=dtype).view(400, 10).requires_grad_()
    bases: tuple[BasisName, ...] = ("bspline", "gaussian")
    for basis, grid_size in product(bases, (5, 200)):
        net = kv.KAN([10, 10, 1], basis=basis, grid_size=grid_size, dtype=dtype)
        net(x).sum().backward()
    wide = kv.KAN([10, 200, 1], dtype=dtype)  # products large enough for torch's own
    wide(x).sum().backward()
    data = kv.from_function(lambda x: x.prod(1), [(-1, 1)] * 2, 100, 20, dtype=dtype)
    optimizers: tuple[Literal["lm", "lbfgs", "adam"], ...] = ("lm", "lbfgs", "adam")
    for optimizer, grid_size in product(optimizers, (5, 20)):
        net = kv.KAN([2, 5, 1], grid_size=grid_size, dtype=dtype)
        net.fit(data, optimizer=optimizer, steps=2, sparsity=1e-3, progress=False)


def late_signatures() -> dict[str, dict[str, list[str]]]:
    """Return what is compiled after ``warmup`` all the same."""
    late = {}
    for dtype in (torch.float32, torch.float64):
        assert kv.warmup(dtype) > 0
        before = signatures()
        assert any(before.values())
        use(dtype)
        now = signatures()
        late[str(dtype)] = {name: now[name] for name in now if now[name] != before.get(name)}
    return late


def test_warmup_leaves_nothing_to_compile() -> None:
    code = "import json, test_warmup; print(json.dumps(test_warmup.late_signatures()))"
    path = f"import sys; sys.path[:0] = {[str(ROOT), str(ROOT / 'tests')]};"
    done = subprocess.run([sys.executable, "-c", path + code], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"torch.float32": {}, "torch.float64": {}}
