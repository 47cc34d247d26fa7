"""Make the README's moving picture from the real thing: `python tests/browser/film.py PATH`.

Needs what the tests here need, and Pillow, which comes with matplotlib.
"""

import io
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from PIL import Image

from browser.chromium import chromium
from browser.diagram import Diagram
from browser.lab import Lab
from browser.notebook import Notebook

START = """
import torch, kanviz as kv
law = lambda x: torch.exp(torch.sin(torch.pi * x[:, 0]) + x[:, 1] ** 2)
data = kv.from_function(law, ranges=[(-1, 1), (-1, 1)], dtype=torch.float64)
model = kv.KAN([2, 5, 1], seed=0, dtype=torch.float64)
explorer = model.explore(data, theme="light")
"""
SIZE = (1300, 900)
COLOURS = 160
WIDTH = 900


class Film:
    """Pictures of a diagram, each with the milliseconds that it stands."""

    def __init__(self, diagram: Diagram) -> None:
        self.diagram = diagram
        self.pictures: list[tuple[Image.Image, int]] = []

    def take(self, stands: int = 120) -> None:
        """Take one picture."""
        image = Image.open(io.BytesIO(self.diagram.root.screenshot())).convert("RGB")
        height = round(image.height * WIDTH / image.width)
        self.pictures.append((image.resize((WIDTH, height), Image.Resampling.LANCZOS), stands))

    def roll(self, count: int, pause: int = 60) -> None:
        """Take some, one after the other."""
        for _ in range(count):
            self.diagram.page.wait_for_timeout(pause)
            self.take()

    def write(self, path: Path) -> None:
        """Write an animated GIF in few colours, the same for all pictures."""
        some = [image for image, _ in self.pictures[:: max(1, len(self.pictures) // 4)]]
        some.append(self.pictures[-1][0])
        strip = Image.new("RGB", (WIDTH, sum(image.height for image in some)))
        for n, image in enumerate(some):
            strip.paste(image, (0, n * some[0].height))
        palette = strip.quantize(COLOURS, dither=Image.Dither.NONE)
        images = [
            image.quantize(palette=palette, dither=Image.Dither.NONE) for image, _ in self.pictures
        ]
        stands = [time for _, time in self.pictures]
        images[0].save(path, save_all=True, append_images=images[1:], duration=stands, loop=0)


def play(at: Notebook) -> Film:
    """Train, simplify and probe."""
    diagram, film = at.diagram, Film(at.diagram)
    diagram.root.scroll_into_view_if_needed()
    diagram.tab("Train")
    film.take(900)
    at.python("_ = model.fit(data, sparsity=1e-3, background=True, progress=False)")
    film.roll(24, 30)
    at.until("model.running_fit is None", bool)
    film.roll(2, 400)
    diagram.tab("Simplify")
    diagram.field("Weakest edges").hover()
    diagram.shows("possible")
    for share in (0.3, 0.6, 0.9):
        diagram.slide("Weakest edges", share)
        film.roll(1, 250)
    at.python("_ = model.prune(data)")
    film.roll(3, 200)
    at.python("_ = model.symbolify(data)")
    film.roll(3, 250)
    diagram.tab("Probe")
    diagram.button("Start the probe").click()
    for share in (0.2, 0.35, 0.5, 0.65, 0.8, 0.7, 0.6):
        diagram.slide("x_1", share)
        film.roll(1, 120)
    film.take(2500)
    return film


def main(path: Path) -> None:
    """Make the film."""
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        lab = Lab(Path(folder))
        try:
            page = browser.new_page(viewport={"width": SIZE[0], "height": SIZE[1]})
            at = Notebook(page, lab, lab.write("film.ipynb", START, "explorer"))
            at.run(0)
            at.run(1)
            at.diagram.root.wait_for()
            play(at).write(path)
        finally:
            lab.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
