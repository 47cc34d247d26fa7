"""The thread that carries pictures ends in good time."""

import subprocess
import sys


def test_python_may_end_while_a_picture_of_a_fit_is_made() -> None:
    script = (
        "import torch, kanviz as kv\n"
        "x = torch.rand(500, 2)\n"
        "model = kv.KAN([2, 3, 1])\n"
        "explorer = model.explore((x, x[:, :1]))\n"
        "model.fit((x, x[:, :1]), steps=50, optimizer='adam', background=True,"
        " progress=False).wait()"
    )
    command = [sys.executable, "-W", "ignore", "-c", script]
    done = subprocess.run(command, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
