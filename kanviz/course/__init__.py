"""The course: pictures to touch, the known problems of the field, and what KANs are compared with.

``playground`` writes the page on which a KAN learns in the browser, ``kanviz.course.teaching``
holds the widgets of the notebooks, ``kanviz.course.problems`` functions to learn with what others
reached, ``kanviz.course.mlp`` carefully trained perceptrons. Nothing of kanviz imports it but
``kv.problem`` and the command line.
"""

from kanviz.course.lesson import playground

__all__ = ["playground"]
