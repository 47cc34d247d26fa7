"""A film of a network: a slider, keys and a play button move through pictures of it."""

import math
from collections.abc import Mapping, Sequence

from kanviz.snapshot import Snapshot
from kanviz.views import labels
from kanviz.views.teaching.frames import packed_frames
from kanviz.views.teaching.widget import TeachingWidget

Losses = Sequence[float] | Mapping[str, Sequence[float]]


def film(
    snapshots: Sequence[Snapshot],
    captions: Sequence[str],
    *,
    label: str = "step",
    losses: Losses | None = None,
    theme: str = "auto",
) -> TeachingWidget:
    """Return a film: one picture of a network per frame, curves gliding from one to the next.

    End a notebook cell with it, or write it to a page with ``to_html(path)``. Forty frames of a
    [2, 5, 1] network make a page of about half a megabyte.

    Parameters
    ----------
    snapshots : sequence of Snapshot
        From ``model.snapshot()``, or from the ``snapshots`` of a
        ``kanviz.analysis.recorder.Recorder``; of networks of any widths.
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
    >>> model.remove_edge(0, 1, 1)
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
    return TeachingWidget("film", state, title=f"Film of a {name}", alt=alt, theme=theme)


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
