"""The course: pictures to touch, the known problems of the field, and what KANs are compared with.

``kanviz.course.teaching`` holds the widgets of the notebooks, ``kanviz.course.problems`` functions
to learn with what others reached, ``kanviz.course.mlp`` carefully trained perceptrons. Nothing of
kanviz imports it but ``kv.problem`` and the command line's demo.
"""
