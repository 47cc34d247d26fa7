"""The playground: one page on which a KAN learns in the browser, prepared for a lesson."""

import json
import os
from collections.abc import Sequence
from urllib.parse import urlencode

from kanviz.checks import check_choice, check_integer
from kanviz.live.page import PLAYGROUND_SCRIPT, PLAYGROUND_STYLE, PageFrame, standalone_page
from kanviz.writing import write_whole

TITLE = "KAN playground"
THEMES = ("auto", "light", "dark")
PARTS = ("data", "network", "training", "reading")
"""Parts of the controls that a lesson may hide."""

HEIGHT = 820
"""Of the playground in a notebook, in pixels."""

_STILL = (
    "<p>A Kolmogorov-Arnold network learns a law before your eyes: choose the law, the network and "
    "how it is trained.</p>\n<p>To use it, let this page run its script.</p>"
)


def playground(
    path: str | os.PathLike[str] | None = None,
    *,
    law: str | None = None,
    hidden: Sequence[int] | None = None,
    grid_size: int | None = None,
    rows: int | None = None,
    noise: float | None = None,
    question: str = "",
    answer: str = "",
    mlp: bool = False,
    hide: Sequence[str] = (),
    theme: str = "auto",
) -> PageFrame | None:
    """Write the playground as one file, or show it where a cell ends with it.

    The page needs neither Python nor a network: a KAN is trained in it, by Levenberg-Marquardt or
    Adam, while its curves move. What is chosen stands in the page's address, so that a link opens
    a prepared lesson; the arguments prepare the page itself.

    Parameters
    ----------
    path : str or path, optional
        The file. Without one the playground is returned, for a notebook.
    law : str, optional
        The formula that the rows are drawn from, as ``"exp(sin(pi*x_1) + x_2^2)"``.
    hidden : sequence of int, optional
        Nodes of the hidden layers; ``[]`` for none.
    grid_size, rows : int, optional
        Intervals of each curve, and rows to learn from.
    noise : float, optional
        The standard deviation of noise, as a share of that of the law.
    question : str
        Stands above the picture.
    answer : str
        Stands below the question, closed until a hand opens it.
    mlp : bool
        Whether a perceptron of as many numbers learns beside it, in the same time.
    hide : sequence of str
        Parts of the controls that are not shown: ``"data"``, ``"network"``, ``"training"``,
        ``"reading"``.
    theme : str
        ``"auto"``, ``"light"`` or ``"dark"``.

    Raises
    ------
    ValueError
        If a part or a theme has another name, or a number is out of range.
    FileNotFoundError
        If the folder of ``path`` does not exist.
    OSError
        If the file cannot be written; one that was there is as before.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from kanviz.course import playground
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "lesson.html"
    >>> playground(path, law="x_1*x_2", hidden=[2], question="How does it multiply?")
    >>> path.stat().st_size < 500_000
    True
    """
    check_choice("theme", theme, THEMES)
    for part in hide:
        check_choice("hide", part, PARTS)
    for name, number in (("grid_size", grid_size), ("rows", rows)):
        if number is not None:
            check_integer(name, number, 1)
    if noise is not None and not 0 <= noise <= 2:
        raise ValueError(f"noise must be a share from 0 to 2; got {noise!r}. Try 0.1.")
    wanted = {
        "law": law,
        "hidden": None if hidden is None else ",".join(map(str, hidden)),
        "grid": grid_size,
        "rows": rows,
        "noise": noise,
        "question": question or None,
        "answer": answer or None,
        "mlp": 1 if mlp else None,
        "hide": ",".join(hide) or None,
    }
    lesson = urlencode({name: value for name, value in wanted.items() if value is not None})
    page = standalone_page(
        TITLE,
        still=_STILL,
        front=(PLAYGROUND_SCRIPT, PLAYGROUND_STYLE),
        state=(
            "kanviz-lesson",
            json.dumps({"lesson": lesson, "theme": theme}),
            'const state = JSON.parse(load("kanviz-lesson"));\n',
        ),
    )
    if path is None:
        return PageFrame(page, HEIGHT)
    write_whole(path, page.encode())
    return None
