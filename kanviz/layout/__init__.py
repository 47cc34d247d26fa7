"""Where everything stands in a picture of a network, as plain numbers: no drawing, no colours.

Pure functions of plain values. The figure and the page draw what ``picture`` places; the browser,
whose window changes its size at any time, places by the same rules and constants
(``frontend/src/tokens.ts`` is written from here), and a test holds both to the same pixel.
"""

from kanviz.layout.order import Order, natural, untangled
from kanviz.layout.places import (
    FAINTEST,
    MAX_EDGES,
    SELECTED,
    node_positions,
    rise,
    strengths,
    strongest,
)

__all__ = [
    "FAINTEST",
    "MAX_EDGES",
    "SELECTED",
    "Order",
    "natural",
    "node_positions",
    "rise",
    "strengths",
    "strongest",
    "untangled",
]
