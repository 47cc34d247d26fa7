"""The course as a web site: notebooks are run, and become pages without kernel or network."""

import ast
import base64
import colorsys
import contextlib
import io
import json
import os
import re
import shutil
from collections.abc import Callable
from dataclasses import fields
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from kanviz.course.formulas import mathml
from kanviz.course.lesson import playground
from kanviz.course.teaching.prediction import Prediction
from kanviz.course.teaching.widget import TeachingWidget
from kanviz.live.explorer import Explorer
from kanviz.symbolic import Formula
from kanviz.symbolic.printing import equations
from kanviz.theme import DARK, LIGHT, blend
from kanviz.views.charts import MORE
from kanviz.writing import write_whole

HEIGHTS = {"prediction": 190, "explorer": 760, "lookup": 720, "descent": 760}
"""Pixels of what stands in a page of its own."""

HEIGHT = 620

CONTENTS = "README.md"

SHOWN = "_shown_by_cell"
"""The name by which a cell hands over what it ends with."""

PAIRS: tuple[tuple[str, str], ...] = (
    *((getattr(LIGHT, each.name), getattr(DARK, each.name)) for each in fields(LIGHT)),
    *zip(MORE["light"], MORE["dark"], strict=True),
)
"""Each colour of the light pictures, and what stands for it in the dark."""

GROUNDS = ((LIGHT.paper, DARK.paper), (LIGHT.panel, DARK.panel))
"""What colours are blended with, in light and in dark."""

ROUNDING = 1.5
"""How far, of 255, a blended colour may be from the line between the two that made it."""

GRAY = 0.15
"""The largest range of red, green and blue that is no colour of its own."""

EM = 17.0
"""Pixels of a letter for which a figure has its own size; it grows with the letters of the page."""

NARROWEST = 28.0
"""Letters across a chart that is not drawn smaller."""

PAINT = re.compile(r"\b(fill|stroke|stop-color)(: ?|=\")(#[0-9a-f]{6})\b")

Note = Callable[[str], None]


def write_site(
    notebooks: str | os.PathLike[str],
    out: str | os.PathLike[str],
    note: Note,
    *,
    keep: bool = False,
    home: str = "",
) -> None:
    """Run all notebooks of a folder, in this process, and write them as pages.

    Parameters
    ----------
    notebooks : str or path
        Their folder; its README.md becomes the first page.
    out : str or path
        The folder to write; made where there is none.
    note : function
        Is told each page that is begun.
    keep : bool
        Leave the pages of notebooks that are there as they are, and do not run these.
    home : str
        Address of a site that this is a part of, linked to from the first page.

    Raises
    ------
    ImportError
        If mistune, which reads Markdown, is not installed.
    FileNotFoundError
        If the folder holds no notebook.
    Exception
        Whatever a cell raises.
    """
    source, target = Path(notebooks), Path(out)
    books = books_of(source)
    target.mkdir(parents=True, exist_ok=True)
    if (source / "images").is_dir():
        shutil.copytree(source / "images", target / "images", dirs_exist_ok=True)
    playground(target / "playground.html")
    for n, book in enumerate(books):
        if keep and (target / f"{book.stem}.html").is_file():
            continue
        note(f"{book.stem} ({n + 1} of {len(books)})")
        page, names = BookPage(book, target), {"__name__": "__main__"}
        for cell in page.code:
            page.add(*_executed(cell, names, book.stem))
        page.write()
    contents = source / CONTENTS
    text = contents.read_text("utf-8") if contents.is_file() else _plain_contents(books)
    more = '<p><a href="playground.html">The playground</a>: a KAN learns before your eyes.</p>'
    if home:
        more += f'<p><a href="{escape(home)}">The documentation of kanviz</a></p>'
    write_whole(
        target / "index.html",
        _page("The course", _html(text) + more, "", "", kind=' class="contents"').encode(),
    )


def books_of(folder: Path) -> list[Path]:
    """Return the notebooks of a folder in their order.

    Raises
    ------
    FileNotFoundError
        If there is none.
    """
    books = sorted(folder.glob("*.ipynb"))
    if not books:
        raise FileNotFoundError(f"{folder} must hold notebooks; got none. Name their folder.")
    return books


def _plain_contents(books: list[Path]) -> str:
    return "# The course\n\n" + "\n".join(f"- [{book.stem}]({book.name})" for book in books)


def _link(book: Path | None, name: str) -> str:
    return "" if book is None else f'<a rel="{name[:4]}" href="{book.stem}.html">{name}</a>'


def _executed(source: str, names: dict[str, Any], stem: str) -> tuple[str, Any]:
    """Run a cell as Jupyter does; return what it printed, and the value that it ended with."""
    tree = ast.parse(source)
    names.pop(SHOWN, None)
    if tree.body and isinstance(last := tree.body[-1], ast.Expr):
        name = ast.Name(SHOWN, ast.Store())
        tree.body[-1] = ast.copy_location(ast.Assign([name], last.value), last)
        ast.fix_missing_locations(tree)
    printed = io.StringIO()
    silent = io.StringIO()  # progress bars, which a page has no use for
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(silent):
        exec(compile(tree, stem, "exec"), names)  # noqa: S102 - as Jupyter does
    return printed.getvalue(), names.get(SHOWN)


class BookPage:
    """The page of one notebook, made while its cells run, whoever runs them.

    Call ``add`` once for each code cell, right after it has run, then ``write``.

    Parameters
    ----------
    book : path
        The notebook; those beside it are its neighbours.
    out : path
        The folder of the site; made where there is none.
    """

    def __init__(self, book: Path, out: Path) -> None:
        self._book, self._out = book, out
        (out / "live").mkdir(parents=True, exist_ok=True)
        self._cells: list[dict[str, Any]] = json.loads(book.read_text("utf-8"))["cells"]
        self._parts: list[str] = []
        self._count = 0
        self._open: list[tuple[Prediction, Path]] = []
        self._heading = ""
        """Of the section that is run: the name of what shows there and has none."""
        self._add_texts()

    @property
    def code(self) -> list[str]:
        """The code cells, in their order."""
        return ["".join(cell["source"]) for cell in self._cells if cell["cell_type"] == "code"]

    def add(self, text: str, found: Any) -> None:
        """Add what the next code cell printed, and the value that it ended with, None for none."""
        cell = self._cells[len(self._parts)]
        out = _text(escape(text)) if text else ""
        shown = out + ("" if found is None else self._shown(found))
        code = _text(f"<code>{escape(''.join(cell['source']))}</code>", "code")
        if cell["metadata"].get("jupyter", {}).get("source_hidden"):
            code = f"<details><summary>code</summary>{code}</details>"
        self._parts.append(f'<div class="cell">{code}{shown}</div>')
        self._add_texts()

    def write(self) -> None:
        """Write the page, and the predictions, now that all is measured."""
        for widget, path in self._open:
            widget.to_html(path)
        titles = (line for cell in self._cells for line in cell["source"] if line.startswith("# "))
        title = next(titles, f"# {self._book.stem}")[2:].strip()
        books = [None, *books_of(self._book.parent), None]
        at = books.index(self._book)
        page = _page(
            title,
            "\n".join(self._parts),
            _link(books[at - 1], "previous"),
            _link(books[at + 1], "next"),
        )
        write_whole(self._out / f"{self._book.stem}.html", page.encode())

    def _add_texts(self) -> None:
        """Add the text cells up to the next code cell."""
        for cell in self._cells[len(self._parts) :]:
            if cell["cell_type"] != "markdown":
                break
            source = "".join(cell["source"])
            headings = re.findall(r"^#+ (.+)$", source, re.MULTILINE)
            self._heading = (headings or [self._heading])[-1]
            self._parts.append(f"<section>{_html(source)}</section>")

    def _shown(self, found: Any) -> str:
        if isinstance(found, Prediction):
            path = self._place()
            self._open.append((found, path))
            return self._frame(path, "prediction", "A prediction")
        if isinstance(found, TeachingWidget):
            path = self._place()
            found.to_html(path)
            return self._frame(path, found.kind, found.title)
        if isinstance(found, Explorer):
            path = self._place()
            write_whole(path, found.snapshot().page.encode())
            return self._frame(path, "explorer", f"The network, alive: {self._heading}")
        return _still(found, self._heading)

    def _place(self) -> Path:
        self._count += 1
        return self._out / "live" / f"{self._book.stem}-{self._count}.html"

    def _frame(self, path: Path, kind: str, name: str) -> str:
        address = f"live/{path.name}"
        height = HEIGHTS.get(kind, HEIGHT)
        return (
            f'<figure class="live"><iframe src="{address}" title="{escape(name)}" loading="lazy" '
            f'style="height:{height}px"></iframe>'
            f'<figcaption><a href="{address}">alone on a page</a></figcaption></figure>'
        )


def _text(content: str, kind: str = "out") -> str:
    """Return lines that scroll where they are too long, by keyboard too."""
    return f'<pre class="{kind}" tabindex="0">{content}</pre>'


def _still(found: Any, heading: str) -> str:
    """Return what a notebook would show of an object: a table, a picture, or its text."""
    if isinstance(found, Figure):
        return picture(found, heading)
    if isinstance(found, Formula) and found.errors is None:  # MathML has no room for errors
        made = equations(found.outputs, found.expressions)
        return f'<div class="out formula" tabindex="0">{made}</div>'
    if isinstance(found, Formula):
        return _text(escape(str(found)))
    if hasattr(found, "_repr_html_") and (table := found._repr_html_()):
        return (
            f'<div class="out scroll" tabindex="0" role="region" aria-label="table">{table}</div>'
        )
    image, data = None, {}
    if hasattr(found, "_repr_png_"):
        image = found._repr_png_()
    elif hasattr(found, "_repr_mimebundle_"):
        bundle = found._repr_mimebundle_()
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        if "text/html" in data:
            return f'<div class="out" tabindex="0">{data["text/html"]}</div>'
        image = data.get("image/png")
    if image is None:
        return _text(escape(repr(found)))
    drawn = image[0] if isinstance(image, tuple) else image
    text = base64.b64encode(drawn).decode()
    alt = escape(data.get("text/plain", heading) if data else heading)
    return f'<img class="figure" alt="{alt}" src="data:image/png;base64,{text}">'


def picture(figure: Figure, heading: str = "") -> str:
    """Return a figure as HTML: an image that follows the page into light and dark.

    Parameters
    ----------
    figure : Figure
        In the light theme.
    heading : str
        Of the section that it stands in: its name, where it has no title of its own.
    """
    drawing = _drawing(figure)
    # What is black has no colour in matplotlib's file: it is the root's.
    night = PAINT.sub(lambda found: found[1] + found[2] + in_dark(found[3]), drawing)
    night = night.replace("<svg ", f'<svg fill="{DARK.ink}" ', 1)
    width = figure.get_size_inches()[0] * 96 / EM
    words = escape(words_of(figure, heading))
    # A chart whose letters would become too small to read scrolls; a network is drawn to fit.
    narrowest = min(width, NARROWEST) if any(axes.axison for axes in figure.axes) else 0
    return (
        f'<div class="scroll" tabindex="0" role="region" aria-label="figure">'
        f'<picture><source media="(prefers-color-scheme:dark)" srcset="{_address(night)}">'
        f'<img class="figure" style="width:{width:.1f}em;min-width:{narrowest:.1f}em" alt="{words}"'
        f' src="{_address(drawing)}"></picture></div>'
    )


def _drawing(figure: Figure) -> str:
    file = io.StringIO()
    with rc_context({"svg.hashsalt": "kanviz", "svg.fonttype": "path"}):
        figure.savefig(
            file, format="svg", facecolor=figure.get_facecolor(), metadata={"Date": None}
        )
    text = file.getvalue()
    return text[text.index("<svg") :]


def _address(drawing: str) -> str:
    return "data:image/svg+xml;base64," + base64.b64encode(drawing.encode()).decode()


@cache
def in_dark(color: str) -> str:
    """Return what stands in the dark for a ``#rrggbb`` of a light picture.

    A colour of the theme becomes its partner, one blended with the paper its partner blended with
    the dark paper in the same share, and a grey of matplotlib's own one between dark paper and ink.
    Every other colour stays, as those of a colour map must.
    """
    paired = dict(PAIRS)
    if color in paired:
        return paired[color]
    wanted = _rgb(color)
    nearest, made = ROUNDING, ""
    for light, dark in PAIRS:
        for ground, dark_ground in GROUNDS:
            start, way = _rgb(ground), _rgb(light) - _rgb(ground)
            share = float(np.clip((wanted - start) @ way / max(way @ way, 1e-9), 0, 1))
            off = float(np.abs(start + share * way - wanted).max())
            if off < nearest:
                nearest, made = off, blend(dark, dark_ground, share)
    if made:
        return made
    red, green, blue = wanted / 255
    _, lightness, _ = colorsys.rgb_to_hls(red, green, blue)
    is_gray = max(red, green, blue) - min(red, green, blue) < GRAY
    return blend(DARK.ink, DARK.paper, 1 - lightness) if is_gray else color


def _rgb(color: str) -> np.ndarray:
    return 255 * np.array(to_rgb(color))


def words_of(figure: Figure, heading: str = "") -> str:
    """Return what a figure shows, in words: its titles, what its axes measure, its lines."""
    all_axes = [axes for axes in figure.axes if axes.axison and axes.get_label() != "<colorbar>"]
    title = figure.get_suptitle() or ", ".join(
        filter(None, (axes.get_title() for axes in figure.axes))
    )
    measured = dict.fromkeys(
        f"{axes.get_ylabel()} against {axes.get_xlabel()}"
        for axes in all_axes
        if axes.get_ylabel() and axes.get_xlabel()
    )
    lines = dict.fromkeys(
        text.get_text()
        for axes in figure.axes
        if (key := axes.get_legend()) is not None
        for text in key.get_texts()
    )
    for key in figure.legends:
        lines |= dict.fromkeys(text.get_text() for text in key.get_texts())
    parts = [title or heading, "; ".join(measured), ", ".join(lines)]
    return ". ".join(filter(None, parts)) or "Figure"


def _html(text: str) -> str:
    """Return Markdown as HTML: formulas as MathML, links to notebooks as links to their pages."""
    try:
        import mistune
    except ImportError as error:
        raise ImportError(
            "mistune must be installed for this; got none. Run pip install 'kanviz[lab]'."
        ) from error

    formulas: list[str] = []

    def keep(found: re.Match[str]) -> str:
        block, inline = found.groups()
        formulas.append(mathml(block or inline, is_block=block is not None))
        return f"\x02{len(formulas) - 1}\x03"

    # Code keeps its dollars; what lies between them elsewhere is no Markdown.
    pieces = re.split(r"(```.*?```|`[^`\n]+`)", text, flags=re.DOTALL)
    pattern = re.compile(r"\$\$(.+?)\$\$|\$([^$\s](?:[^$]*?[^$\s])?)\$", re.DOTALL)
    pieces[::2] = [pattern.sub(keep, piece) for piece in pieces[::2]]
    read = mistune.create_markdown(escape=False, plugins=["table", "strikethrough"])
    made = str(read("".join(pieces)))
    made = re.sub(r"\x02(\d+)\x03", lambda found: formulas[int(found[1])], made)
    wide = re.compile(r'<(pre|table|math display="block")(?=[ >])')
    made = wide.sub(r'<\1 tabindex="0"', made)  # they scroll, by keyboard too
    return re.sub(r'href="([\w.-]+)\.ipynb">([^<]*)', _linked, made)


def _linked(found: re.Match[str]) -> str:
    """Return a link to a page: its name may be broken at each underscore, for a narrow column."""
    name, shown = found.groups()
    return f'href="{name}.html">{shown.replace("_", "_<wbr>")}'


def _page(title: str, body: str, before: str, after: str, *, kind: str = "") -> str:
    way = f'<nav aria-label="course"><a href="index.html">contents</a> {before} {after}</nav>'
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        '<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n"
        f"{way}\n<main{kind}>\n{body}\n</main>\n{way}\n<script>{FIT}</script>\n</body>\n</html>\n"
    )


FIT = """
addEventListener("message", ({ source, data }) => {
  const frame = [...document.querySelectorAll("iframe")].find((f) => f.contentWindow === source);
  if (frame && data.height > 0) frame.style.height = `${Math.ceil(data.height)}px`;
});
"""
"""Gives each live picture the height that it says it needs."""

STYLE = f"""
:root{{color-scheme:light dark;--paper:{LIGHT.paper};--ink:{LIGHT.ink};--muted:{LIGHT.muted};
--hair:{LIGHT.hair};--link:{LIGHT.spline}}}
@media (prefers-color-scheme:dark){{:root{{--paper:{DARK.paper};--ink:{DARK.ink};
--muted:{DARK.muted};--hair:{DARK.hair};--link:{DARK.spline}}}
}}
body{{margin:0;background:var(--paper);color:var(--ink);line-height:1.6}}
html{{font:17px system-ui,sans-serif}}
main,nav{{max-width:860px;margin:0 auto;padding:1rem 16px}}
nav{{display:flex;gap:1.5rem;font-size:.9rem}}
a{{color:var(--link)}}
h1{{line-height:1.2}}
pre,.out,.scroll{{overflow-x:auto;font-size:.82rem;line-height:1.45}}
pre{{margin:.6rem 0;padding:.7rem 1rem;border:1px solid var(--hair);border-radius:8px}}
pre.out{{border-color:transparent;color:var(--muted)}}
code{{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,monospace}}
:not(pre)>code{{font-size:.88em}}
img{{max-width:100%;height:auto}}
table{{border-collapse:collapse}}
caption{{text-align:left;padding:.4rem 0;color:var(--muted)}}
table img{{min-width:110px}}
img.figure{{border-radius:8px}}
figure.live{{margin:.8rem 0}}
figure.live iframe{{width:100%;border:0}}
figcaption{{font-size:.8rem;color:var(--muted)}}
section{{overflow-wrap:break-word}}
section table,main>table{{display:block;overflow-x:auto}}
.formula{{font-size:1.15rem;padding:.3rem 1rem}}
th,td{{padding:.4rem .8rem .4rem 0;text-align:left;vertical-align:top;
border-bottom:1px solid var(--hair)}}
math[display="block"]{{overflow-x:auto;overflow-y:hidden;padding:.3rem 0}}
@media (max-width:600px){{.contents :is(tbody,tr,td){{display:block}}
.contents thead{{display:none}}.contents tr{{padding:.8rem 0;border-bottom:1px solid var(--hair)}}
.contents td{{border:0;padding:.2rem 0}}.contents td:last-child::after{{content:" minutes"}}}}
@media (min-width:1500px){{html{{font-size:21px}}main,nav{{max-width:1180px}}
figure.live iframe{{zoom:1.25}}}}
"""
"""Style sheet of all pages."""
