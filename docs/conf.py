"""The documentation site: ``python -m sphinx -W docs site`` builds it strictly.

``python -m sphinx -W -t course docs site`` builds one site of documentation and course. It runs the
notebooks, some minutes; pages that ``site/course`` holds already are kept, and with ``-t later``
the course is left to another command.
"""

import re
import sys
from pathlib import Path

from sphinx.application import Sphinx

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import kanviz as kv  # noqa: E402 - of this checkout
from kanviz.course import playground  # noqa: E402
from kanviz.course.site import write_site  # noqa: E402

project, author, copyright = "kanviz", "kanviz developers", "kanviz developers"  # noqa: A001
release = version = kv.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_static"]
# Types in docstrings are words; "error" is not a reference to one of the attributes of that name.
suppress_warnings = ["ref.python"]

html_theme = "furo"
html_title = "kanviz"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_js_files = [("focus.js", {"defer": "defer"})]
html_theme_options = {"source_directory": "docs/"}
html_copy_source = False

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints = "none"  # the docstrings say types and shapes in words
autodoc_preserve_defaults = True
napoleon_google_docstring = False
napoleon_use_param = False  # "dtype, device" stay one entry
napoleon_use_rtype = False
napoleon_use_ivar = True


def escape(
    _app: Sphinx, _what: str, _name: str, _object: object, _options: object, lines: list[str]
) -> None:
    """Let ``*batch`` and ``|A|`` in docstrings be what they look like, not marks of a language."""
    for n, line in enumerate(lines):
        parts = line.split("``")
        parts[::2] = [re.sub(r"(?<![\\*])([*|])(?=\w)", r"\\\1", part) for part in parts[::2]]
        lines[n] = "``".join(parts)


def write_live_pages(app: Sphinx, error: Exception | None) -> None:
    """Put live diagrams beside the pages that show them: the same page that ``to_html`` writes."""
    if error is not None or app.builder.name != "html":
        return
    folder = Path(app.outdir) / "live"
    folder.mkdir(exist_ok=True)
    data = kv.from_function(lambda x: ((3 * x[:, 0]).sin() + x[:, 1] ** 2).exp(), [(-1, 1)] * 2)
    model = kv.KAN([2, 1, 1], seed=0)
    model.fit(data, progress=False)
    model.to_html(folder / "law.html", data, title="exp(sin(3 x_1) + x_2^2)")
    playground(folder / "playground.html")
    if app.tags.has("course") and not app.tags.has("later"):
        course = Path(app.outdir) / "course"
        write_site(ROOT / "notebooks", course, print, keep=True, home="../index.html")


def setup(app: Sphinx) -> None:
    """Register what is done with docstrings, and after a build."""
    app.connect("autodoc-process-docstring", escape, priority=400)  # before napoleon
    app.connect("build-finished", write_live_pages)
