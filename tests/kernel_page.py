"""The page of a notebook, made by the kernel that runs it in a test: so it is not run twice."""

import io
import os
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

from kanviz.course.site import BookPage


class Both(io.TextIOBase):
    """Writes to a stream and keeps a copy."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self.kept: list[str] = []

    def write(self, text: str) -> int:
        """Write on, and keep."""
        self.kept.append(text)
        return self._stream.write(text)

    def flush(self) -> None:
        """Flush the stream."""
        self._stream.flush()


class KernelPage:
    """Listens to IPython's cells; its own work is counted in ``seconds`` of the processor.

    What went wrong stands in ``failed``.
    """

    def __init__(self, shell: Any, book: Path, out: Path) -> None:
        self._page = BookPage(book, out)
        self._left = len(self._page.code)
        self._stream: Both | None = None
        self.seconds = 0.0
        self.failed = ""
        shell.events.register("pre_run_cell", self._begin)
        shell.events.register("post_run_cell", self._end)

    def _begin(self, _info: Any) -> None:
        if self._left and self._stream is None:
            self._stream = Both(sys.stdout)
            sys.stdout = self._stream

    def _end(self, result: Any) -> None:
        if self._stream is None:
            return  # the cell that made this
        sys.stdout = self._stream._stream
        text, self._stream = "".join(self._stream.kept), None
        began = sum(os.times()[:4])
        try:
            self._page.add(text, result.result)
            self._left -= 1
            if not self._left:
                self._page.write()
        except Exception:  # noqa: BLE001 - IPython would drop it
            self.failed, self._left = self.failed or traceback.format_exc(), 0
        self.seconds += sum(os.times()[:4]) - began
