"""Pictures to touch for those who teach: each a widget in a notebook, and a page without a kernel.

Use as ``from kanviz.views import teaching``.
"""

from kanviz.views.teaching.bezier import bezier
from kanviz.views.teaching.bspline import bspline
from kanviz.views.teaching.film import film
from kanviz.views.teaching.forgetting import forgetting
from kanviz.views.teaching.layer import layer
from kanviz.views.teaching.staircase import staircase

__all__ = ["bezier", "bspline", "film", "forgetting", "layer", "staircase"]
