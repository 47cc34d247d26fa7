"""The checks of annotations on every call, and how to do without; kanviz is not imported here."""

from collections.abc import Iterator
from contextlib import contextmanager

from jaxtyping import config


@contextmanager
def type_checks_off() -> Iterator[None]:
    """Let our own errors speak, as they do for users: tests check annotations before them."""
    before = config.jaxtyping_disable
    config.update("jaxtyping_disable", value=True)
    try:
        yield
    finally:
        config.update("jaxtyping_disable", value=before)
