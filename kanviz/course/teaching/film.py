"""Films of a network: through pictures of any kind, and up the staircase of grid extension."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from kanviz.course.teaching.widget import TeachingWidget, finite, packed_frames
from kanviz.layout import labels
from kanviz.snapshot import Snapshot
from kanviz.training import FitReport

Losses = Sequence[float] | Mapping[str, Sequence[float]]


class Film(TeachingWidget):
    """What ``film`` returns."""

    lesson = (
        "What changes from one picture to the next, and what stays?",
        "drag the slider to the end and guess each curve before it comes; then press Play.",
    )


class Staircase(TeachingWidget):
    """What ``staircase`` returns."""

    lesson = (
        "What does a finer grid buy, and when does it stop paying?",
        "stop just before a mark, then at the end of the next stair: how far did each loss fall?",
    )


def film(
    snapshots: Sequence[Snapshot],
    captions: Sequence[str],
    *,
    label: str = "step",
    losses: Losses | None = None,
    theme: str = "auto",
) -> Film:
    """Return a film: one picture of a network per frame, curves gliding from one to the next.

    End a notebook cell with it, or write it to a page with ``to_html(path)``. Forty frames of a
    [2, 5, 1] network make a page of about half a megabyte.

    Parameters
    ----------
    snapshots : sequence of Snapshot
        From ``model.snapshot()``, or from the ``snapshots`` of a
        ``kanviz.course.recorder.Recorder``; of networks of any widths.
    captions : sequence of str
        What each frame shows, shown above it.
    label : str
        What the slider counts.
    losses : sequence of float or mapping, optional
        One number per frame, or several by their names: drawn below on a logarithmic axis, with a
        mark at the present frame. What is not above 0 is left out of the line.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Raises
    ------
    ValueError
        If there is no frame, the lengths differ, or a loss is not finite.

    Examples
    --------
    >>> import kanviz as kv
    >>> model = kv.KAN([2, 2, 1])
    >>> before = model.snapshot()
    >>> model.remove_edge((0, 1, 1))
    >>> pictures = film([before, model.snapshot()], ["whole", "without one edge"], label="stage")
    """
    if not snapshots or len(snapshots) != len(captions):
        raise ValueError(
            "captions must be as many as snapshots, at least one; got "
            f"{len(captions)} captions for {len(snapshots)} snapshots. Pass one for each."
        )
    lines = losses if isinstance(losses, Mapping) else {} if losses is None else {"loss": losses}
    steps = list(range(1, len(snapshots) + 1))
    chart = {"steps": steps, "lines": loss_lines(lines, len(snapshots)), "marks": []}
    state = {
        "frames": packed_frames(snapshots),
        "captions": [labels.plain(caption) for caption in captions],
        "label": labels.plain(label),
        "chart": chart if lines else None,
        "shown": list(range(len(snapshots))),
    }
    name = labels.network_name(snapshots[0])
    alt = f"Film of {len(snapshots)} pictures of a {name}, from {captions[0]} to {captions[-1]}."
    return Film("film", state, title=f"Film of a {name}", alt=alt, theme=theme)


def loss_lines(losses: Mapping[str, Sequence[float]], length: int) -> dict[str, list[float]]:
    """Return losses by their names as plain numbers.

    Raises
    ------
    ValueError
        If one has another length or holds what is not finite.
    """
    found = {}
    for name, values in losses.items():
        numbers = [float(value) for value in values]
        if len(numbers) != length:
            raise ValueError(
                f"losses must hold one number per frame; got {len(numbers)} under {name!r} for "
                f"{length} frames. Pass one for each."
            )
        if not all(map(math.isfinite, numbers)):
            raise ValueError(
                f"losses must be finite; got {numbers} under {name!r}. Leave out such frames."
            )
        found[labels.plain(name)] = numbers
    return found


LINES = {"loss": "training", "validation_loss": "validation"}
"""What of a history is drawn, and its name in the picture."""


def staircase(
    report: FitReport,
    snapshots: Mapping[int, Snapshot] | None = None,
    *,
    left: Mapping[int, Any] | None = None,
    theme: str = "auto",
) -> Staircase:
    """Return the losses of a fit against its steps, with each refinement marked, to scrub through.

    Parameters
    ----------
    report : FitReport
        Of a fit with ``grids``.
    snapshots : mapping from step to Snapshot, optional
        Shown beside the losses, at each step the last one taken until then: ``recorder.snapshots``
        of a ``kanviz.course.recorder.Recorder`` that was a callback of the fit.
    left : mapping from step to (rows, 2), optional
        What is left to learn at these steps, drawn below the network on a scale that follows it:
        the first input and target less output of some rows, ``recorder.left`` of the same recorder.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Raises
    ------
    ValueError
        If the report holds no step, or a snapshot or what is left is of a step that it does not
        have.

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
    missing = dict(sorted((left or {}).items()))
    for name, given in (("snapshots", kept), ("left", missing)):
        if strange := sorted(given.keys() - set(steps)):
            raise ValueError(
                f"{name} must be of steps of the report; got one of step {strange[0]}, and the "
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
    if missing:
        rows = [finite("left", each, axes=2) for each in missing.values()]
        state["left"] = {
            "rows": [[[float(f"{x:.4g}"), float(f"{r:.4g}")] for x, r in each] for each in rows],
            "shown": _shown(steps, list(missing)),
        }
    sizes = ", ".join(str(mark["grid"]) for mark in marks)
    alt = f"Loss of {len(steps)} steps on grids of {sizes} intervals. At the end: {words[-1]}"
    return Staircase("film", state, title="Grid extension", alt=alt, theme=theme)


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
