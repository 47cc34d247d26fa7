"""Make the pictures of notebooks/README.md: `python tests/browser/contents.py [NUMBER ...]`.

Each notebook is run in JupyterLab up to a cell, and a picture is taken of what one cell shows.
Needs what the tests here need, and Pillow, which comes with matplotlib.
"""

import io
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image

from browser.chromium import chromium
from browser.lab import Lab
from browser.notebook import Notebook

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
SIZE = (1000, 1400)
WIDTH, HEIGHT = 520, 400
MOST_BYTES = 60_000
COLOURS = (256, 128, 64, 32)

# Lab draws only the cells that are seen, unless it is told not to.
ALL_CELLS = {"windowingMode": "none"}
TRACKER = "jupyterlab_settings_dir/@jupyterlab/notebook-extension/tracker.jupyterlab-settings"

SHOWN = ".kv-root, .jp-RenderedImage img, .jp-RenderedSVG"


class Shot(NamedTuple):
    """Which cell's output is shown, and which cell is run before: texts in their sources.

    The last code cell that holds the text is meant. Without ``after`` it is the cell itself. An
    ``edge`` of a live diagram is opened; ``at_end`` puts the last slider to its end.
    """

    cell: str
    after: str = ""
    edge: tuple[int, ...] = ()
    at_end: bool = False


SHOTS = {
    "00": Shot("model.explore(data)", edge=(0, 0, 0)),
    "01": Shot("report.plot()"),
    "02": Shot("model.symbolify(data)"),
    "02b": Shot("explorer\n", after="model.move_point", edge=(0, 0, 1)),
    "03": Shot("squares.explore(product)"),
    "04": Shot("spline = teaching.bspline()\nspline\n"),
    "04b": Shot("learner = teaching.descent()"),
    "05": Shot("teaching.layer(model, 0"),
    "06": Shot("teaching.staircase(", at_end=True),
    "07": Shot('slide("'),
    "08": Shot("story = teaching.forgetting(", at_end=True),
    "09": Shot("draw(kan_curve"),
    "10": Shot("maps_figure("),
    "11": Shot('model.plot(pruned="off")'),
    "12": Shot("teaching.layer(reader, 0)"),
    "13": Shot("gone = model.prune"),
    "14": Shot("laws.best.model.plot()"),
    "15": Shot("diagram = explore("),
    "16": Shot("looked = teaching.lookup()"),
    "17": Shot('found = {"where the network'),
}


def take(notebook: Notebook, path: Path, shot: Shot) -> Image.Image:
    """Run the notebook and return the picture."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    sources = ["".join(cell["source"]) + "\n" for cell in cells]
    code = [n for n, cell in enumerate(cells) if cell["cell_type"] == "code"]
    shown, last = (
        max(n for n in code if text in sources[n]) for text in (shot.cell, shot.after or shot.cell)
    )
    for n in code:
        if n <= last:
            notebook.run(n)
    cell = notebook.page.locator(".jp-Notebook .jp-Cell").nth(shown)
    found = cell.locator(SHOWN).last
    found.scroll_into_view_if_needed()
    if shot.edge:
        notebook.diagram.open(*shot.edge)
    if shot.at_end:
        slider = cell.locator("input[type=range]").last
        slider.press("End")
        slider.blur()
    notebook.page.mouse.move(0, 0)
    notebook.page.wait_for_timeout(500)  # what moves comes to rest
    return Image.open(io.BytesIO(found.screenshot())).convert("RGB")


def write(image: Image.Image, path: Path) -> None:
    """Write a picture at the size of the page of contents, in as many colours as it may have."""
    share = min(WIDTH / image.width, HEIGHT / image.height)
    size = (round(image.width * share), round(image.height * share))
    small = image.resize(size, Image.Resampling.LANCZOS)
    for colours in COLOURS:
        small.quantize(colours, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE).save(
            path, optimize=True
        )
        if path.stat().st_size <= MOST_BYTES:
            return
    raise ValueError(f"{path.name} must take at most {MOST_BYTES} bytes; show less in it.")


def main(numbers: list[str]) -> None:
    """Make the pictures of these notebooks, or of all."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        settings = Path(folder) / TRACKER
        settings.parent.mkdir(parents=True)
        settings.write_text(json.dumps(ALL_CELLS))
        lab = Lab(Path(folder))
        try:
            for number in numbers or SHOTS:
                (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
                shutil.copy(path, lab.work)
                page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
                image = take(Notebook(page, lab, path.name), path, SHOTS[number])
                write(image, NOTEBOOKS / "images" / f"{number}.png")
                lab.end_kernel(path.name)
                page.close()
        finally:
            lab.stop()


if __name__ == "__main__":
    main(sys.argv[1:])
