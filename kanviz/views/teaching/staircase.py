"""The staircase of grid extension: loss against steps, and the network at each of its levels."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol, runtime_checkable

from kanviz.snapshot import Snapshot
from kanviz.views.teaching.film import loss_lines
from kanviz.views.teaching.frames import packed_frames
from kanviz.views.teaching.widget import TeachingWidget

LINES = {"loss": "training", "validation_loss": "validation"}
"""What of a history is drawn, and its name in the picture."""


@runtime_checkable
class ReportLike(Protocol):
    """What a staircase needs of a ``FitReport``."""

    history: dict[str, list[float]]
    """Lists of equal length: ``"step"``, ``"loss"``, ``"grid_size"``, maybe ``"validation_loss"``.
    """


def staircase(
    report: ReportLike, snapshots: Mapping[int, Snapshot] | None = None, *, theme: str = "auto"
) -> TeachingWidget:
    """Return the losses of a fit against its steps, with each refinement marked, to scrub through.

    Parameters
    ----------
    report : FitReport
        Of a fit with ``grids``.
    snapshots : mapping from step to Snapshot, optional
        Shown beside the losses, at each step the last one taken until then: ``recorder.snapshots``
        of a ``kanviz.analysis.recorder.Recorder`` that was a callback of the fit.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Raises
    ------
    ValueError
        If the report holds no step, or a snapshot is of a step that it does not have.

    Examples
    --------
    >>> import kanviz as kv
    >>> data = kv.from_function(lambda x: x[:, 0] ** 2, ranges=[(-1, 1)], n_train=50)
    >>> report = kv.KAN([1, 1]).fit(data, grids=[3, 5], steps=2, progress=False)
    >>> stairs = staircase(report)
    """
    history = report.history
    steps = [int(step) for step in history.get("step", ())]
    if not steps:
        raise ValueError("report must hold at least one step; got none. Fit the model first.")
    kept = dict(sorted((snapshots or {}).items()))
    strange = sorted(kept.keys() - set(steps))
    if strange:
        raise ValueError(
            f"snapshots must be of steps of the report; got one of step {strange[0]}, and the "
            f"last step is {steps[-1]}. Record the very fit that gave the report."
        )
    lines = {name: history[key] for key, name in LINES.items() if key in history}
    grids = [int(size) for size in history["grid_size"]]
    marks = _marks(steps, grids)
    words = [_caption(n, steps, grids, lines) for n in range(len(steps))]
    state: dict[str, Any] = {
        "frames": packed_frames(kept.values()) if kept else None,
        "captions": words,
        "label": "step",
        "chart": {"steps": steps, "lines": loss_lines(lines, len(steps)), "marks": marks},
        "shown": _shown(steps, list(kept)),
    }
    sizes = ", ".join(str(mark["grid"]) for mark in marks)
    alt = f"Loss of {len(steps)} steps on grids of {sizes} intervals. At the end: {words[-1]}"
    return TeachingWidget("film", state, title="Grid extension", alt=alt, theme=theme)


def _marks(steps: Sequence[int], grids: Sequence[int]) -> list[dict[str, int]]:
    """Return the first step of each grid level with the size of its grid."""
    firsts = [n for n in range(len(grids)) if n == 0 or grids[n] != grids[n - 1]]
    return [{"step": steps[n], "grid": grids[n]} for n in firsts]


def _shown(steps: Sequence[int], kept: Sequence[int]) -> list[int]:
    """Return which picture is shown at each step: the last one until then, at first the first."""
    return [max(sum(step <= at for step in kept) - 1, 0) for at in steps]


def _caption(
    n: int, steps: Sequence[int], grids: Sequence[int], lines: Mapping[str, Sequence[float]]
) -> str:
    losses = ", ".join(f"{name} loss {values[n]:.3g}" for name, values in lines.items())
    return f"step {steps[n]}: {grids[n]} intervals, {losses}"
