"""How messages between a widget and its browser find their way through kernels."""

import anywidget


def keep_routes(widget: anywidget.AnyWidget) -> None:
    """Prepare a widget for how kernels hand messages on.

    ipykernel 7.4 answers on the sub-shell that last spoke, instead of the one that the browser
    asked for, and so waits for a busy cell; and a browser may close the line by itself.
    """
    line = widget.comm
    if line is None:
        return
    if hasattr(line, "_reply_subshell_for"):
        line._reply_subshell_for = lambda _, asked: asked
    if hasattr(line, "on_close"):
        line.on_close(lambda _: widget.close())
