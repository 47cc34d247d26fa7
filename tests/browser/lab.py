"""A JupyterLab server of its own: on loopback, in a new folder, ended with all that it started."""

import contextlib
import json
import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

FOLDERS = (
    "HOME",
    "IPYTHONDIR",
    "JUPYTER_CONFIG_DIR",
    "JUPYTER_DATA_DIR",
    "JUPYTER_RUNTIME_DIR",
    "JUPYTERLAB_SETTINGS_DIR",
    "JUPYTERLAB_WORKSPACES_DIR",
    "MPLCONFIGDIR",
)

OPTIONS = (
    "--no-browser",
    "--ip=127.0.0.1",
    "--allow-root",
    "--ServerApp.port=0",
    "--ServerApp.terminals_enabled=False",
    "--LabApp.expose_app_in_browser=True",
    "--LabApp.extension_manager=readonly",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
)

# A popup would cover the page; a save in the middle of a test would change what it measures.
SETTINGS: dict[str, dict[str, Any]] = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false"},
    "@jupyterlab/docmanager-extension/plugin": {"autosave": False},
}

PATIENCE = 60.0
"""Seconds that the server may take to start."""


class Lab:
    """A server in a folder: ``work`` below it holds the notebooks."""

    module = "jupyterlab"
    """What is run."""

    page = "doc/tree"
    """Below which path a notebook is opened."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.work = folder, folder / "work"
        self.work.mkdir()
        for name, values in SETTINGS.items():
            path = folder / "jupyterlab_settings_dir" / f"{name}.jupyterlab-settings"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(values))
        self.token = secrets.token_hex(8)
        self.log = folder / "server.log"
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._command(),
                cwd=self.work,
                env=self.environment(),
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._wait()

    def address(self, notebook: str) -> str:
        """Return where a notebook is opened, in a new workspace."""
        return f"{self.url}/{self.page}/{notebook}?token={self.token}&reset"

    def write(self, name: str, *cells: str, kernel: str = "python3") -> str:
        """Write a notebook of code cells; return its name."""
        return self.write_cells(name, [(source, []) for source in cells], kernel)

    def write_cells(
        self, name: str, cells: list[tuple[str, list[Any]]], kernel: str = "python3"
    ) -> str:
        """Write a notebook of code cells with their outputs, which nobody trusts."""
        content = {
            "nbformat": 4,
            "nbformat_minor": 5,
            "metadata": {"kernelspec": {"name": kernel, "display_name": kernel}},
            "cells": [
                {
                    "cell_type": "code",
                    "id": f"c{n}",
                    "metadata": {},
                    "execution_count": None,
                    "outputs": outputs,
                    "source": source,
                }
                for n, (source, outputs) in enumerate(cells)
            ],
        }
        (self.work / name).write_text(json.dumps(content))
        return name

    def add_kernel(self, name: str, packages: Path) -> None:
        """Make a kernel that takes what lies in a folder of packages before all else."""
        folder = self.folder / "jupyter_data_dir" / "kernels" / name
        folder.mkdir(parents=True)
        spec = {
            "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
            "display_name": name,
            "language": "python",
            "env": {"PYTHONPATH": f"{packages}{os.pathsep}{ROOT}"},
        }
        (folder / "kernel.json").write_text(json.dumps(spec))

    def ask(self, path: str, method: str = "GET", content: Any = None) -> Any:
        """Return what the server answers to a request."""
        data = None if content is None else json.dumps(content).encode()
        headers = {"Authorization": f"token {self.token}"}
        address = f"{self.url}/api/{path}"
        request = urllib.request.Request(address, data=data, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=20) as answer:
            return json.loads(answer.read() or b"null")

    def give_kernel(self, notebook: str) -> None:
        """Give a notebook a kernel that is idle, before it is opened; it may have run before.

        A new one takes seconds to import torch.
        """
        kernels = [one for one in self.ask("kernels") if one["name"] == "python3"]
        idle = [one for one in kernels if one["execution_state"] == "idle"]
        kernel = idle[0] if idle else self.ask("kernels", "POST")
        session = {"path": notebook, "name": notebook, "type": "notebook", "kernel": kernel}
        self.ask("sessions", "POST", session)

    def end_kernel(self, notebook: str) -> None:
        """End the kernel of a notebook."""
        for session in self.ask("sessions"):
            if session["path"] == notebook:
                self.ask(f"sessions/{session['id']}", "DELETE")

    def stop(self) -> None:
        """End the server and its kernels."""
        if self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(8)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)  # its own session: its own children only
            self._process.wait(8)

    def _command(self) -> list[str]:
        own = [f"--IdentityProvider.token={self.token}", f"--ServerApp.root_dir={self.work}"]
        return [sys.executable, "-m", self.module, *OPTIONS, *own]

    def environment(self) -> dict[str, str]:
        """Return the variables in which all runs: nothing of the user's Jupyter, one thread."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("JUPYTER", "IPYTHON", "PYTEST"))
        }
        own = {name: str(self.folder / name.lower()) for name in FOLDERS}
        for folder in own.values():
            Path(folder).mkdir(exist_ok=True)
        path = os.pathsep.join([str(Path(sys.executable).parent), kept["PATH"]])
        fixed = {"JUPYTER_PLATFORM_DIRS": "0", "PYDEVD_DISABLE_FILE_VALIDATION": "1"}
        threads = {"OMP_NUM_THREADS": "1"}
        return {**kept, **own, **fixed, **threads, "PATH": path, "PYTHONPATH": str(ROOT)}

    def _wait(self) -> None:
        """Return once the server answers."""
        info = self.folder / "jupyter_runtime_dir" / f"jpserver-{self._process.pid}.json"
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end and self._process.poll() is None:
            if info.exists():
                with contextlib.suppress(OSError, ValueError):
                    self.url: str = json.loads(info.read_text())["url"].rstrip("/")
                    self.ask("status")
                    return
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"{self.module} did not start:\n{self.log.read_text()[-3000:]}")
