"""The network picture as SVG text, to stand alone or inside a page, and its style sheet.

No script, no reference to anything outside, and no id, so any number of pictures share a page.
Equal snapshots give equal bytes. Colours are custom properties, light and dark; all names begin
with ``kanviz``, so that nothing of a notebook around it changes, and two pictures on one page share
the same rules.
"""

from collections.abc import Iterable, Sequence
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from kanviz.layout import labels
from kanviz.layout.marks import (
    CROWD,
    OUTLINE,
    PALER,
    SOFT,
    ZERO,
    Badge,
    Chain,
    EdgeMark,
    KeyMark,
    NodeMark,
    Picture,
    PlotMark,
    Point,
    TextMark,
)
from kanviz.layout.picture import PrunedStyle, picture
from kanviz.snapshot import Snapshot
from kanviz.theme import DARK, LIGHT, Theme

NAMES = ("paper", "panel", "ink", "muted", "hair", "spline", "symbolic", "pruned")
"""The colours that a picture without a script has."""


def _variables(theme: Theme) -> str:
    """Return the colours of ``theme`` as declarations, such as ``--kanviz-paper:#ffffff``."""
    return ";".join(f"--kanviz-{name}:{getattr(theme, name)}" for name in NAMES)


# The reader's system chooses, a notebook that says what it is set to overrules that, and paper is
# always light. Most particular last.
_COLORS = f"""
.kanviz{{{_variables(LIGHT)}}}
@media screen and (prefers-color-scheme:dark){{.kanviz{{{_variables(DARK)}}}}}
@media screen{{
[data-jp-theme-light="true"] .kanviz,.vscode-light .kanviz{{{_variables(LIGHT)}}}
[data-jp-theme-light="false"] .kanviz,.vscode-dark .kanviz{{{_variables(DARK)}}}
}}"""

# A pale edge is mixed with the paper, not see-through, or many of them would add up to a dark one;
# only a browser that cannot mix makes it see-through.
PICTURE = f"""{_COLORS}
svg.kanviz{{display:block;font-family:system-ui,sans-serif}}
.kanviz-scroll{{overflow-x:auto;scrollbar-width:thin}}
.kanviz-scroll svg{{max-width:100%;min-width:var(--kanviz-least);height:auto}}
.kanviz-paper{{fill:var(--kanviz-paper)}}
.kanviz-spline{{--kanviz-state:var(--kanviz-spline)}}
.kanviz-symbolic{{--kanviz-state:var(--kanviz-symbolic)}}
.kanviz-pruned{{--kanviz-state:var(--kanviz-pruned)}}
.kanviz-frozen,.kanviz-locked{{--kanviz-state:var(--kanviz-ink)}}
.kanviz-edge,.kanviz-key{{fill:none;stroke:var(--kanviz-state)}}
@supports (color:color-mix(in srgb,red,red)){{
.kanviz-edge{{--kanviz-mixed:var(--kanviz-state) var(--kanviz-share),var(--kanviz-paper);
stroke:color-mix(in srgb,var(--kanviz-mixed));stroke-opacity:1}}
.kanviz-edge rect{{--kanviz-mixed:var(--kanviz-state) calc({OUTLINE}*var(--kanviz-share)),
var(--kanviz-paper);stroke:color-mix(in srgb,var(--kanviz-mixed))}}
.kanviz-crowd path{{--kanviz-mixed:var(--kanviz-state) calc({PALER}*var(--kanviz-share)),
var(--kanviz-paper);stroke:color-mix(in srgb,var(--kanviz-mixed))}}
}}
.kanviz-edge rect{{fill:var(--kanviz-panel)}}
.kanviz-edge line{{stroke:var(--kanviz-hair);stroke-width:.7;stroke-opacity:1}}
.kanviz-edge polygon{{fill:var(--kanviz-state);fill-opacity:{SOFT};stroke:none}}
.kanviz-edge *{{vector-effect:non-scaling-stroke}}
.kanviz-edge polyline{{stroke-linecap:round;stroke-linejoin:round}}
.kanviz-pruned path,.kanviz-pruned rect{{stroke-dasharray:3 2.5}}
.kanviz-key.kanviz-pruned{{stroke-dasharray:6 5}}
.kanviz-edge:hover,.kanviz-edge:hover rect,.kanviz-edge:hover path{{
stroke:var(--kanviz-state);stroke-opacity:1}}
.kanviz-edge:hover rect,.kanviz-edge:hover path{{stroke-width:2}}
.kanviz-node{{fill:var(--kanviz-ink);stroke:var(--kanviz-ink)}}
.kanviz-bare{{fill:var(--kanviz-paper);stroke:var(--kanviz-pruned)}}
.kanviz-cross{{stroke:var(--kanviz-paper);pointer-events:none}}
.kanviz-badge{{fill:none;stroke:var(--kanviz-ink);pointer-events:none}}
.kanviz-badge circle{{fill:var(--kanviz-paper);stroke:none}}
.kanviz text{{fill:var(--kanviz-ink)}}
.kanviz .kanviz-title{{font-weight:600}}
.kanviz .kanviz-note{{fill:var(--kanviz-muted)}}
.kanviz .kanviz-formula{{fill:var(--kanviz-symbolic);stroke:var(--kanviz-paper);stroke-width:4;
paint-order:stroke;stroke-linejoin:round;pointer-events:none}}
"""
"""Of the picture alone."""

SMALLEST = 0.5
"""Part of its size below which a picture does not shrink: letters would be too small to read."""


def network_svg(snapshot: Snapshot, *, pruned: PrunedStyle = "ghost") -> str:
    """Return the network picture as one ``<svg>`` element.

    The colours follow the reader's system, light or dark. Pointing at an edge shows its two ends,
    score, state, ranges and formula; the element of an edge carries its address as ``data-edge``.

    Parameters
    ----------
    snapshot : Snapshot
        What to draw; every edge in it is drawn.
    pruned : "ghost" or "off"
        Draw pruned edges pale and dashed, or leave them out.

    Raises
    ------
    ValueError
        If ``pruned`` is neither.
    """
    drawing = picture(snapshot, pruned=pruned)
    root = _canvas(drawing, _description(snapshot))
    for edge in drawing.edges:
        _add_edge(root, edge, labels.details(snapshot, edge.view))
    for badge in (badge for edge in drawing.edges for badge in edge.badges):
        _add_badge(root, badge)
    for node in drawing.nodes:
        _add_node(root, node)
    for entry in drawing.key:
        _add_key(root, entry)
    # Words come last: no line may run through them.
    _add_texts(root, (edge.caption for edge in drawing.edges if edge.caption))
    _add_texts(root, (*drawing.texts, *(entry.text for entry in drawing.key)))
    indent(root, space="")
    return tostring(root, encoding="unicode")


def _description(snapshot: Snapshot) -> str:
    """Return the picture in a sentence, for readers who do not see it."""
    note = labels.left_out(len(snapshot.edges), snapshot.n_edges)
    edges = note or f"all {snapshot.n_edges:,} edges"
    title = labels.plain(snapshot.title)
    return ": ".join(filter(None, [title, labels.network_name(snapshot), edges]))


def _canvas(drawing: Picture, description: str) -> Element:
    width, height = _number(drawing.width), _number(drawing.height)
    root = Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "class": "kanviz kanviz-crowd" if len(drawing.edges) > CROWD else "kanviz",
            "viewBox": f"0 0 {width} {height}",
            "width": width,
            "height": height,
            "style": f"--kanviz-least:{_number(SMALLEST * drawing.width)}px",
            "role": "img",
            "aria-label": description,
        },
    )
    SubElement(root, "style").text = PICTURE
    SubElement(root, "rect", {"class": "kanviz-paper", "width": width, "height": height})
    return root


def _add_edge(root: Element, mark: EdgeMark, tooltip: str) -> None:
    view, plot = mark.view, mark.plot
    attributes = {
        "class": f"kanviz-edge kanviz-{view.state}",
        "data-edge": f"{view.layer} {view.i} {view.j}",
        "stroke-width": _number(plot.thin),
        "stroke-opacity": _number(plot.opacity),
        "style": f"--kanviz-share:{_number(100 * plot.opacity)}%",
    }
    group = SubElement(root, "g", attributes)
    SubElement(group, "title").text = tooltip
    SubElement(group, "path", {"d": "".join(map(_bezier, mark.connectors))})
    _add_plot(group, plot)


def _add_plot(group: Element, plot: PlotMark) -> None:
    """Add the box, the line at 0 and the curve of an edge to its group."""
    box, free = plot.box, ZERO * plot.box.width
    left, right = box.left + free, box.right - free
    place = {"x": box.left, "y": box.top, "width": box.width, "height": box.height}
    SubElement(group, "rect", _numbers(place | {"rx": plot.corner}))
    if plot.band:
        SubElement(group, "polygon", {"points": _points(plot.band)})
    if plot.zero is not None:
        zero = {"x1": left, "x2": right, "y1": plot.zero, "y2": plot.zero}
        SubElement(group, "line", _numbers(zero))
    _add_stroke(group, plot.curve, width=plot.thickness)


def _add_badge(root: Element, badge: Badge) -> None:
    group = SubElement(root, "g", {"class": "kanviz-badge"})
    _add_circle(group, (badge.x, badge.y), badge.radius)
    for stroke in badge.strokes:
        _add_stroke(group, stroke)


def _add_node(root: Element, mark: NodeMark) -> None:
    for dot in mark.factors:
        _add_stroke(root, ((dot.x, dot.y), (mark.x, mark.y))).set("class", "kanviz-node")
        _add_circle(root, (dot.x, dot.y), dot.radius).set("class", "kanviz-node")
    circle = _add_circle(root, (mark.x, mark.y), mark.radius)
    circle.set("class", "kanviz-node" if mark.live else "kanviz-node kanviz-bare")
    circle.set("stroke-width", _number(min(1.2, mark.radius / 3)))
    name, score = labels.node_name(mark.node), labels.number(mark.node.score)
    product = f", a product of {len(mark.factors)}" if mark.factors else ""
    SubElement(circle, "title").text = f"{name}{product}\nscore {score}"
    for stroke in mark.cross:
        _add_stroke(root, stroke, width=1.6).set("class", "kanviz-cross")


def _add_key(root: Element, entry: KeyMark) -> None:
    group = SubElement(root, "g", {"class": f"kanviz-key kanviz-{entry.kind}"})
    width = 2.0 if len(entry.strokes) == 1 else 1.0
    for stroke in entry.strokes:
        _add_stroke(group, stroke, width=width)


def _add_texts(root: Element, marks: Iterable[TextMark]) -> None:
    for mark in marks:
        x, y = _number(mark.x), _number(mark.y)
        attributes = {"class": f"kanviz-{mark.role}", "x": x, "y": y}
        attributes |= {"font-size": _number(mark.size), "text-anchor": mark.anchor}
        if mark.upright:
            attributes["transform"] = f"rotate(-90 {x} {y})"
        SubElement(root, "text", attributes).text = mark.text


def _add_circle(parent: Element, centre: Point, radius: float) -> Element:
    values = {"cx": centre[0], "cy": centre[1], "r": radius}
    return SubElement(parent, "circle", _numbers(values))


def _add_stroke(parent: Element, points: Chain, *, width: float = 1.0) -> Element:
    attributes = {"points": _points(points), "stroke-width": _number(width)}
    return SubElement(parent, "polyline", attributes)


def _bezier(chain: Chain) -> str:
    return f"M{_points(chain[:1])}C{_points(chain[1:])}"


def _points(points: Sequence[Point]) -> str:
    return " ".join(f"{_number(x)},{_number(y)}" for x, y in points)


def _numbers(values: dict[str, float]) -> dict[str, str]:
    return {name: _number(value) for name, value in values.items()}


def _number(value: float) -> str:
    """Return ``value`` to a hundredth of a pixel; adding 0 turns -0 into 0."""
    return f"{round(value, 2) + 0.0:.9g}"
