"""A marimo notebook, run as an app on loopback."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from browser.lab import PATIENCE, ROOT

NOTEBOOK = """
import marimo

app = marimo.App()


@app.cell
def _():
    import marimo as mo
    import torch

    import kanviz as kv

    data = kv.from_function(
        lambda x: x[:, 0] * x[:, 1], [(-1, 1)] * 2, dtype=torch.float64
    )
    model = kv.KAN([2, 3, 1], seed=0, dtype=torch.float64)
    mo.ui.anywidget(model.explore(data))
    return


if __name__ == "__main__":
    app.run()
"""


class Marimo:
    """A server of one notebook; ``url`` is where it is."""

    def __init__(self, folder: Path) -> None:
        path = folder / "notebook.py"
        path.write_text(NOTEBOOK)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
        paths = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])
        command = [sys.executable, "-m", "marimo", "run", str(path), "--headless", "--no-token"]
        with (folder / "marimo.log").open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--port", str(port)],
                cwd=folder,
                env={**os.environ, **home, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait(folder / "marimo.log")

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        try:
            self._process.wait(8)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(8)

    def _wait(self, log: Path) -> None:
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            try:
                with urllib.request.urlopen(f"{self.url}/health", timeout=2):
                    return
            except (urllib.error.URLError, OSError):
                time.sleep(0.1)
        self.stop()
        raise RuntimeError(f"marimo did not start:\n{log.read_text()[-3000:]}")
