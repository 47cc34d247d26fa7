"""Does the page learn as well as Python: the playground's laws, fitted there and by ``fit``.

Run ``python -m accuracy.playground`` in the folder ``tests``, some two minutes on one core; it
writes ``accuracy/playground.md``. It needs node, and ``npm ci`` in ``kanviz/live/frontend``.
"""

import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

import kanviz as kv
from kanviz.live.page import SCRIPT

FRONTEND = SCRIPT.parent.parent / "frontend"

N_LAWS = 14
"""Of the list in ``playground/laws.ts``."""

FACTOR = 3.0
"""How many times as large as that of ``fit`` the page's error may be."""

EXACT = 1e-9
"""An error below this share of the deviation of y is none: the last digits are rounding."""


def fitted_in_page(laws: Sequence[int], folder: Path) -> Iterator[dict[str, Any]]:
    """Yield what the page makes of each law: its rows, and the error on rows that it has not seen.

    The page's own code runs in node, built into ``folder``; laws go by their place in the list.
    """
    script = folder / "laws.mjs"
    build = ("node_modules/.bin/esbuild", "test/laws.ts", "--bundle", "--platform=node")
    subprocess.run(
        [*build, "--format=esm", f"--outfile={script}"], cwd=FRONTEND, check=True, stderr=-1
    )
    command = ["node", str(script), *map(str, laws)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdout is not None
        yield from map(json.loads, node.stdout)
    assert node.returncode == 0


def compared(found: dict[str, Any]) -> dict[str, Any]:
    """Fit the same rows by ``fit``, all defaults; return both errors as shares of y's deviation."""
    n_inputs = found["widths"][0]
    x, x_new = (np.reshape(found[part]["x"], (-1, n_inputs)) for part in ("train", "test"))
    y, y_new = (np.asarray(found[part]["y"]) for part in ("train", "test"))
    began = time.process_time()
    model = kv.KAN(found["widths"], dtype=torch.float64)
    model.fit(x, y, progress=False)
    seconds = time.process_time() - began
    error = float(np.sqrt(((np.ravel(model.predict(x_new)) - y_new) ** 2).mean()))
    page, python = (float(max(one / y_new.std(), EXACT)) for one in (found["error"], error))
    return {
        "law": found["formula"],
        "widths": found["widths"],
        "page": page,
        "python": python,
        "ratio": page / python,
        "page_seconds": found["seconds"],
        "python_seconds": seconds,
    }


def text_of(rows: Sequence[dict[str, Any]]) -> str:
    """Return the table."""
    near = sum(row["ratio"] <= FACTOR for row in rows)
    lines = [
        f"| `{row['law']}` | {row['widths']} | {row['page']:.1e} | {row['python']:.1e} "
        f"| {row['ratio']:.2g} | {row['page_seconds']:.1f} | {row['python_seconds']:.1f} |"
        for row in rows
    ]
    return "\n".join(
        [
            "# The playground's fit beside Python's\n",
            "`python -m accuracy.playground` in the folder `tests` writes this file. The laws of",
            "the playground's list with their networks, 1000 rows without noise: the page's fit as",
            "it opens (run in node), and `model.fit(x, y)` on the same rows, all defaults. Errors",
            "are on 1000 rows that neither has seen, as shares of the deviation of y; seconds are",
            "of the processor, one thread; those of the first `fit` also load its kernels.\n",
            f"At most {FACTOR:g} times the error of `fit`: **{near} of {len(rows)}**.\n",
            "| law | network | page | `fit` | ratio | seconds, page | seconds, `fit` |",
            "|---|---|---|---|---|---|---|",
            *lines,
            "",
        ]
    )


def main() -> None:
    """Measure all laws, write the table."""
    torch.set_num_threads(1)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for found in fitted_in_page(range(N_LAWS), Path(folder)):
            rows.append(compared(found))
            print(rows[-1], flush=True)
    (Path(__file__).parent / "playground.md").write_text(text_of(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
