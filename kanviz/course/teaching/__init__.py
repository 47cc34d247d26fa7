"""Pictures to touch for those who teach: each a widget in a notebook, and a page without a kernel.

Use as ``from kanviz.course import teaching``.
"""

from kanviz.course.teaching.bezier import bezier
from kanviz.course.teaching.bspline import bspline
from kanviz.course.teaching.compose import compose
from kanviz.course.teaching.descent import descent
from kanviz.course.teaching.film import film, staircase
from kanviz.course.teaching.forgetting import forgetting
from kanviz.course.teaching.layer import layer
from kanviz.course.teaching.lookup import lookup
from kanviz.course.teaching.prediction import predict
from kanviz.course.teaching.seesaw import seesaw

__all__ = [
    "bezier",
    "bspline",
    "compose",
    "descent",
    "film",
    "forgetting",
    "layer",
    "lookup",
    "predict",
    "seesaw",
    "staircase",
]
