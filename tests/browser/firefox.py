"""Firefox, without a window, driven by WebDriver BiDi: the protocol that it speaks by itself.

Playwright drives only Firefoxes of its own making; people have this one.
"""

import base64
import importlib.util
import json
import os
import re
import shutil
import subprocess
import time
from pathlib import Path
from typing import Any, Self

PATH = os.environ.get("KANVIZ_FIREFOX") or shutil.which("firefox-esr") or shutil.which("firefox")

PATIENCE = 60.0
"""Seconds that it may take to start, or to become what is waited for."""

PREFERENCES = {
    "app.update.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "network.proxy.type": 1,  # a proxy that nobody is behind: this machine alone is met
    "network.proxy.http": "127.0.0.1",
    "network.proxy.http_port": 9,
    "network.proxy.ssl": "127.0.0.1",
    "network.proxy.ssl_port": 9,
}


def why_not() -> str:
    """Return why it cannot be had; empty where it can."""
    missing = [] if PATH else ["Firefox (apt-get install firefox-esr)"]
    if importlib.util.find_spec("websocket") is None:
        missing.append("websocket-client")
    return f"needs {', '.join(missing)}" if missing else ""


class Firefox:
    """One window of a browser with a profile of its own."""

    def __init__(self, folder: Path) -> None:
        profile = folder / "profile"
        profile.mkdir()
        lines = [f"user_pref({json.dumps(k)}, {json.dumps(v)});" for k, v in PREFERENCES.items()]
        (profile / "user.js").write_text("\n".join(lines))
        log = folder / "firefox.log"
        options = ["--headless", "--no-remote", "--remote-debugging-port=0"]
        with log.open("wb") as out:
            self._process = subprocess.Popen(
                [str(PATH), *options, "--profile", str(profile), "about:blank"],
                env={**os.environ, "HOME": str(folder)},
                stdout=out,
                stderr=subprocess.STDOUT,
            )
        self.errors: list[str] = []
        self._count = 0
        self._socket: Any = None
        try:
            self._connect(log)
        except BaseException:
            self.stop()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it."""
        if self._socket is not None:
            self._socket.close()
        self._process.terminate()
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(10)

    def open(self, url: str, width: int = 1280, height: int = 900) -> None:
        """Load a page in a window of this size."""
        size = {"width": width, "height": height}
        self._ask("browsingContext.setViewport", context=self._page, viewport=size)
        self._ask("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def evaluate(self, script: str) -> Any:
        """Return what an expression of JavaScript gives, as JSON has it."""
        found = self._ask(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({script})) ?? null))()",
            target={"context": self._page},
            awaitPromise=True,
        )
        if found["type"] == "exception":
            raise RuntimeError(found["exceptionDetails"]["text"])
        return json.loads(found["result"]["value"])

    def wait(self, script: str) -> Any:
        """Return what an expression gives as soon as that is true."""
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            found = self.evaluate(script)
            if found:
                return found
            time.sleep(0.05)
        raise TimeoutError(f"This never came true: {script}")

    def drag(self, start: tuple[float, float], across: float = 0, down: float = 0) -> None:
        """Press the mouse at a place, move it as far, and let it go; a click without a way."""
        x, y = round(start[0]), round(start[1])
        way = [(x + across / 2, y + down / 2), (x + across, y + down)] if across or down else []
        actions = [
            _move(x, y),
            {"type": "pointerDown", "button": 0},
            *(_move(*place) for place in way),
            {"type": "pointerUp", "button": 0},
        ]
        mouse = {"type": "pointer", "id": "mouse", "actions": actions}
        self._ask("input.performActions", context=self._page, actions=[mouse])

    def screenshot(self, path: Path) -> None:
        """Write a picture of what is seen."""
        found = self._ask("browsingContext.captureScreenshot", context=self._page)
        path.write_bytes(base64.b64decode(found["data"]))

    def _connect(self, log: Path) -> None:
        import websocket

        end, found = time.monotonic() + PATIENCE, None
        while found is None:
            if time.monotonic() > end or self._process.poll() is not None:
                raise RuntimeError(f"Firefox did not start:\n{log.read_text()[-3000:]}")
            time.sleep(0.05)
            found = re.search(r"BiDi listening on (ws://\S+)", log.read_text())
        self._socket = websocket.create_connection(
            f"{found[1]}/session", timeout=PATIENCE, suppress_origin=True
        )
        self.version: str = self._ask("session.new", capabilities={})["capabilities"][
            "browserVersion"
        ]
        self._page = self._ask("browsingContext.getTree")["contexts"][0]["context"]
        self._ask("session.subscribe", events=["log.entryAdded"])

    def _ask(self, method: str, **parameters: Any) -> Any:
        self._count += 1
        self._socket.send(json.dumps({"id": self._count, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._socket.recv())
            if answer.get("method") == "log.entryAdded" and answer["params"]["level"] == "error":
                self.errors.append(str(answer["params"]["text"]))
            if answer.get("id") == self._count:
                if answer["type"] == "error":
                    raise RuntimeError(f"{method}: {answer['message']}")
                return answer["result"]


def _move(x: float, y: float) -> dict[str, Any]:
    return {"type": "pointerMove", "x": round(x), "y": round(y), "duration": 20}
