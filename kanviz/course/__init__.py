"""The course: pictures to touch, the known problems of the field, and what KANs are compared with.

``playground`` writes the page on which a KAN learns in the browser; ``predict`` asks before it
shows; ``check`` and ``hint`` go with the exercises of the notebooks. ``kanviz.course.teaching``
holds the widgets of the notebooks, ``kanviz.course.problems`` functions to learn with what others
reached, ``kanviz.course.mlp`` carefully trained perceptrons. Nothing of kanviz imports it but
``kv.problem`` and the command line.
"""

from kanviz.course.exercises import check, hint
from kanviz.course.lesson import playground
from kanviz.course.teaching.prediction import predict

__all__ = ["check", "hint", "playground", "predict"]
