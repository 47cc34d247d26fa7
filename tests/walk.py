"""How far a reader has to walk: the files and functions of kanviz that everyday calls pass.

``python -m tests.walk`` prints a table, with ``--files`` also which files they are; ``python -m
tests.walk FOLDER`` walks the kanviz of another checkout. Each walk is made twice, and the second is
counted: no import and no compiler is in it.
"""

import contextlib
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

INLINED = {"<listcomp>", "<dictcomp>", "<setcomp>"}
"""Frames that later Pythons do not make."""

QUIET = 1.0
"""Seconds without a call or a message after which nothing more is expected of a moved point."""


class Walk(NamedTuple):
    """What a call passed."""

    by_file: dict[str, int]
    """Calls into each file of kanviz."""

    functions: int
    """Distinct functions among them."""

    sent: int | None = None
    """Bytes that went to the front end, where there is one."""

    @property
    def files(self) -> int:
        """Files that were passed."""
        return len(self.by_file)

    @property
    def calls(self) -> int:
        """Calls that were made."""
        return sum(self.by_file.values())


class Counter:
    """Counts calls of functions below a folder, in all threads that start after it is made."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._is_ours: dict[CodeType, bool] = {}
        self._is_on = False
        self.codes: dict[CodeType, int] = {}
        self.last = 0.0

    @contextlib.contextmanager
    def installed(self) -> Iterator[None]:
        """See what this thread calls, and those that start meanwhile."""
        threading.setprofile(self._see)
        sys.setprofile(self._see)
        try:
            yield
        finally:
            sys.setprofile(None)
            threading.setprofile(None)

    @contextlib.contextmanager
    def counting(self) -> Iterator[None]:
        """Count."""
        self._is_on = True
        try:
            yield
        finally:
            self._is_on = False

    def walk(self, sent: int | None = None) -> Walk:
        """Return what was counted."""
        by_file: dict[str, int] = {}
        for code, n_calls in self.codes.items():
            name = code.co_filename.removeprefix(self._folder).lstrip("/")
            by_file[name] = by_file.get(name, 0) + n_calls
        return Walk(by_file, len(self.codes), sent)

    def _see(self, frame: FrameType, event: str, _: object) -> None:
        if not self._is_on or event != "call":
            return
        code = frame.f_code
        if code not in self._is_ours:
            is_inside = code.co_filename.startswith(self._folder)
            self._is_ours[code] = is_inside and code.co_name not in INLINED
        if self._is_ours[code]:
            self.codes[code] = self.codes.get(code, 0) + 1
            self.last = time.monotonic()


def walks() -> dict[str, Walk]:
    """Walk through the kanviz that is imported; return the walks by name."""
    import torch

    import kanviz as kv

    torch.set_num_threads(1)
    folder = Path(kv.__file__).parent
    data = kv.from_function(
        lambda x: torch.sin(3 * x[:, 0]) + x[:, 1] ** 2,
        ranges=[(-1, 1)] * 2,
        n_train=200,
        n_test=50,
    )
    model = kv.KAN([2, 3, 1], seed=0)
    x = torch.zeros(50, 2)
    found = {"model(x)": counted(folder, lambda: model(x))}
    found["fit, 5 steps"] = counted(
        folder, lambda: kv.KAN([2, 3, 1], seed=0), lambda m: m.fit(data, steps=5, progress=False)
    )
    found["a moved point"] = moved_point(folder)
    with tempfile.TemporaryDirectory() as made:
        path = Path(made) / "model.kan"
        model.save(path)
        found["load"] = counted(folder, lambda: kv.load(path))
    return found


def counted(
    folder: Path, first: Callable[..., Any], then: Callable[..., Any] | None = None
) -> Walk:
    """Return the walk of a call, or of a second call with what the first gives."""
    for _ in range(2):
        counter = Counter(folder)
        given = () if then is None else (first(),)
        with counter.installed(), counter.counting():
            (then or first)(*given)
    return counter.walk()


def moved_point(folder: Path) -> Walk:
    """Return the walk of one dragged point of [10, 20, 5], from its message to the new picture."""
    import torch

    import kanviz as kv

    x = torch.rand(200, 10, generator=torch.Generator().manual_seed(0))
    data = kv.from_arrays(x, x[:, :5].sin() + x[:, 5:])
    counter = Counter(folder)
    with counter.installed():
        explorer = kv.KAN([10, 20, 5], seed=0).explore(data)
        sent: list[int] = []

        def send(message: Any, buffers: Any = None) -> None:
            sizes = [memoryview(one).nbytes for one in buffers or ()]
            sent.append(len(json.dumps(message).encode()) + sum(sizes))
            counter.last = time.monotonic()

        explorer._send = send
        try:
            for n in range(2):
                wait(counter)
                sent.clear()
                counter.codes.clear()
                request = {"type": "move_point", "edge": [0, 0, 0], "m": 2, "drag": 1, "seq": n}
                with counter.counting():
                    explorer._handle_custom_msg({**request, "height": 0.1 + n}, [])
                    wait(counter)
        finally:
            explorer.close()
    return counter.walk(sum(sent))


def wait(counter: Counter) -> None:
    """Return once nothing has happened for a while."""
    counter.last = time.monotonic()
    while time.monotonic() - counter.last < QUIET:
        time.sleep(0.05)


def product_files(root: Path) -> dict[str, int]:
    """Return how many files a checkout's product has, by language; tests are none."""
    package = root / "kanviz"
    frontends = [path for path in package.rglob("frontend") if (path / "src").is_dir()]
    return {
        "Python": len(list(package.rglob("*.py"))),
        "TypeScript": sum(len(list((path / "src").rglob("*.ts"))) for path in frontends),
    }


def main(*arguments: str) -> None:
    """Print the walks through a checkout, by default this one."""
    folders = [argument for argument in arguments if argument != "--files"]
    root = Path(folders[0]).resolve() if folders else Path(__file__).parents[1]
    sys.path.insert(0, str(root))
    row = "{:<16}{:>7}{:>11}{:>7}{:>12}".format
    print(row("", "files", "functions", "calls", "bytes sent"))
    for name, walk in walks().items():
        sent = "" if walk.sent is None else walk.sent
        print(row(name, walk.files, walk.functions, walk.calls, sent))
        if "--files" in arguments:
            most_first = sorted(walk.by_file.items(), key=lambda item: -item[1])
            print(*(f"{n_calls:>34} {file}" for file, n_calls in most_first), sep="\n")
    print(", ".join(f"{n} {language} files" for language, n in product_files(root).items()))


if __name__ == "__main__":
    main(*sys.argv[1:])
