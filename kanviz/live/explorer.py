"""The live diagram in a notebook: carries pictures to the browser and requests to the desk.

Browsers ask by custom messages only, which may arrive in any thread and are only put in line here.
Pictures go out as traits of bytes, each at most 30 times a second, from one thread at a time.
"""

import logging
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from typing import Any

import anywidget
import traitlets

from kanviz.interrupts import start_thread
from kanviz.live.desk import Desk
from kanviz.live.packing import pack
from kanviz.live.page import SCRIPT, STYLE, PageFrame, still_bundle

INTERVAL = 1 / 30
"""Least seconds from one picture to the next."""

MOST_SHARE = 0.05
"""Largest share of a fit's time that goes into pictures of it."""

MOST_IMAGE_EDGES = 40
"""Edges of the largest network that a notebook keeps as a PNG too, beside the drawing in its HTML.

These have about 400 kB, and are half of the time to the first picture.
"""


class Explorer(anywidget.AnyWidget):
    """One live picture of a model, which any number of cells may show.

    Parameters
    ----------
    desk : Desk
        Makes the pictures and does what is asked; of its own, for it is closed with this.
    height : int, optional
        Of the picture, in pixels; by default what suits the network.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.
    alt : str
        What the picture shows, in words.
    """

    # As text: of a file, anywidget would keep every widget alive to tell it of changes.
    _esm = SCRIPT.read_text("utf-8")
    _css = STYLE.read_text("utf-8")

    scene = traitlets.Bytes().tag(sync=True)
    """The contract's ``Scene``, packed. Python to browser only, as all traits here."""

    patch = traitlets.Bytes().tag(sync=True)
    """The contract's ``Patch`` of this scene, packed; empty where nothing is another.

    A trait rather than a message, and always told from the scene: the two are the whole picture,
    also for a view that opens later or missed what came between.
    """

    frame = traitlets.Bytes().tag(sync=True)
    """The contract's ``Frame``, packed; empty before the first."""

    status = traitlets.Dict().tag(sync=True)
    """The contract's ``Status``."""

    height = traitlets.Int(None, allow_none=True).tag(sync=True)
    """Height in pixels; None: what suits the network."""

    theme = traitlets.Unicode("auto").tag(sync=True)
    """``"auto"``, ``"light"`` or ``"dark"``."""

    def __init__(
        self,
        desk: Desk,
        *,
        height: int | None = None,
        theme: str = "auto",
        alt: str = "",
    ) -> None:
        self._requests, self._pictures = Courier("kanviz-requests"), Courier("kanviz-pictures")
        self._lock = threading.Lock()
        self._due: dict[str, Any] = {}
        self._is_sending = self._is_closed = False
        self._answered = 0
        self._next_picture = self._next_frame = 0.0
        self._alt = alt
        self._desk = desk
        scene, status = pack(desk.scene()), self._status()
        super().__init__(scene=scene, status=status, height=height, theme=theme)
        self.on_msg(self._asked)
        keep_routes(self)
        desk.watch(self._told)
        self._told("picture")  # for what happened meanwhile

    def close(self) -> None:
        """End it: the pictures in the notebook stay as they are, the model is let go.

        Whoever forgets it has it closed, once more even, and also when Python goes away: then no
        lock may be waited for, since the thread that had it may be gone.
        """
        if self._is_closed or sys.is_finalizing():
            return
        self._is_closed = True
        self._desk.close()
        self._requests.close()
        self._pictures.close()
        self.layout.close()  # made along with every widget, and not ended with it
        super().close()

    def snapshot(self) -> PageFrame:
        """Return the diagram as a page of its own inside the notebook, alive without a kernel.

        For notebooks that become HTML (nbconvert): there the diagram itself would be empty.
        """
        return PageFrame(self._desk.page(), self.height or 640)

    def _repr_mimebundle_(self, **options: Any) -> Any:
        """Return the live view, and a still picture for where no kernel answers."""
        found = super()._repr_mimebundle_(**options)
        if found is None:
            return None
        data, details = found if isinstance(found, tuple) else (found, {})
        still, sizes = still_bundle(self._desk.snapshot(), self._alt, MOST_IMAGE_EDGES)
        return {**still, **data, "text/plain": self._alt}, {**sizes, **details}

    # ---- from the browser -----------------------------------------------------------------

    def _asked(self, _: object, message: Any, buffers: object) -> None:  # noqa: ARG002
        """Put a request in line; called in any thread."""
        with self._lock:
            self._answered += 1
        self._send_soon(status=True)
        if isinstance(message, dict) and message.get("type") == "cancel":
            self._desk.cancel()  # at once: what it ends stands before it in the line
        self._requests.put(lambda: self.send(self._desk.answer(message)))

    # ---- from the desk --------------------------------------------------------------------

    def _told(self, what: str) -> None:
        """Note what is due; called in any thread, for steps in that of the fit."""
        if what == "step":
            self._step()
        elif what == "picture":
            self._send_soon(picture=True, status=True)
        else:
            self._send_soon(status=True)

    def _step(self) -> None:
        """Make a picture of a fit in its own thread, where the network holds still."""
        start = time.perf_counter()
        if start < self._next_frame:
            return
        used = time.thread_time()
        frame = self._desk.frame()
        if frame is not None:
            self._send_soon(frame=pack(frame), status=True)
        # Of this thread alone: what others take of the machine is no cost of the picture.
        cost = time.thread_time() - used
        self._next_frame = max(start + INTERVAL, time.perf_counter() + cost / MOST_SHARE)

    # ---- to the browser -------------------------------------------------------------------

    def _send_soon(self, **due: Any) -> None:
        with self._lock:
            self._due.update(due)
            if self._is_sending:
                return
            self._is_sending = True
        self._pictures.put(self._deliver)

    def _deliver(self) -> None:
        """Send what is due by now; what comes later is sent later.

        Only scenes and patches wait for each other: frames are few by themselves, and a hand that
        moves a point while a fit runs must not wait for their sake. They give way to it instead.
        """
        due = self._take(("status", "frame"))
        if due is None:
            self._pictures.wait(self._next_picture - time.perf_counter())
            self._next_picture = self._next_frame = time.perf_counter() + INTERVAL
            due = self._take(("status", "picture", "frame")) or {}
        changes: dict[str, Any] = {"status": self._status()}
        if "frame" in due:
            changes["frame"] = due["frame"]
        if "picture" in due and changes["status"]["state"] == "searching":
            with self._lock:  # the search holds the network still: the picture waits for its end
                self._due.setdefault("picture", True)
        elif "picture" in due:
            changes = self._news()
        with self.hold_sync():  # as one message
            for name, value in changes.items():
                setattr(self, name, value)

    def _take(self, kinds: tuple[str, ...]) -> dict[str, Any] | None:
        """Return what is due, which then is no more; None where it is more than these kinds."""
        with self._lock:
            if not self._due.keys() <= set(kinds):
                return None
            due, self._due, self._is_sending = self._due, {}, False
            return due

    def _news(self) -> dict[str, Any]:
        try:
            news = {name: pack(record) for name, record in self._desk.news().items()}
        except ValueError as error:  # numbers that cannot be drawn: the last picture stays
            return {"status": self._status(str(error))}
        none = {"patch": b""} if "scene" in news else {}
        return none | news | {"status": self._status()}

    def _status(self, problem: str = "") -> dict[str, Any]:
        status = self._desk.status()
        return {**status, "error": problem or status["error"], "answered": self._answered}


logger = logging.getLogger(__name__)

LINGER = 2.0
"""Seconds without a job after which the thread ends; the next job starts another."""


class Courier:
    """Runs jobs in the order in which they come; all methods may be called from any thread.

    When Python ends it is closed, and the present job is given a moment.

    Parameters
    ----------
    name : str
        Of its threads.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._change = threading.Condition()
        self._jobs: deque[Callable[[], object]] = deque()
        self._thread: threading.Thread | None = None
        self._is_closed = False

    def put(self, job: Callable[[], object]) -> None:
        """Have a job run, soon; an error of it is only logged. Does nothing once closed."""
        with self._change:
            if self._is_closed:
                return
            self._jobs.append(job)
            if self._thread is None:
                self._thread = start_thread(self._run, name=self._name, stop=self.close)
            self._change.notify_all()

    def wait(self, seconds: float) -> None:
        """Sleep inside a job, but not beyond ``close``."""
        with self._change:
            self._change.wait_for(lambda: self._is_closed, seconds)

    def close(self) -> None:
        """Drop the jobs that have not begun; the thread ends after the present one."""
        with self._change:
            self._is_closed = True
            self._jobs.clear()
            self._change.notify_all()

    def _run(self) -> None:
        while True:
            with self._change:
                self._change.wait_for(lambda: bool(self._jobs) or self._is_closed, LINGER)
                if not self._jobs:
                    self._thread = None
                    return
                job = self._jobs.popleft()
            try:
                job()
            except BaseException:  # also SystemExit: a callback of a user's ends no diagram
                logger.exception("A job of the live diagram failed.")
            del job  # or it would be kept alive while the thread waits


def keep_routes(widget: anywidget.AnyWidget) -> None:
    """Prepare a widget for how kernels hand messages on.

    ipykernel 7.4 answers on the sub-shell that last spoke, instead of the one that the browser
    asked for, and so waits for a busy cell; and a browser may close the line by itself.
    """
    line = widget.comm
    if line is None:
        return
    if hasattr(line, "_reply_subshell_for"):
        line._reply_subshell_for = lambda _, asked: asked
    if hasattr(line, "on_close"):
        line.on_close(lambda _: widget.close())
