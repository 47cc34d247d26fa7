"""A picture for where nothing moves: notebooks without a kernel, previews, print."""

import base64
from html import escape
from typing import Any

from kanviz.snapshot import Snapshot
from kanviz.views.figure import network_figure
from kanviz.views.svg import network_svg


def still_bundle(snapshot: Snapshot, text: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return a picture as PNG, HTML and text by their MIME types, and the size of the PNG.

    The HTML holds the drawing as an image: Jupyter takes elements of SVG out of the HTML of a
    notebook that is not trusted, and would show nothing.
    """
    image, size = network_figure(snapshot)._repr_png_()
    drawing = base64.b64encode(network_svg(snapshot).encode()).decode()
    html = f'<img alt="{escape(text)}" src="data:image/svg+xml;base64,{drawing}">'
    return {"image/png": image, "text/html": html, "text/plain": text}, {"image/png": size}
