"""What an edit is."""

from typing import Protocol, TypeVar, runtime_checkable

from kanviz.nn.network import Network

Result_co = TypeVar("Result_co", covariant=True)


@runtime_checkable
class Edit(Protocol[Result_co]):
    """A small frozen record of one change to a network, with all that doing it again needs."""

    @property
    def layers(self) -> tuple[int, ...] | None:
        """The layers that ``apply_to`` may change; None for all.

        Who keeps a copy of the network need look nowhere else. Of an edit that names a place which
        the network does not have, it says nothing: ``apply_to`` raises.
        """

    def apply_to(self, network: Network) -> Result_co:
        """Change the network, or raise before anything is changed."""

    def sentence(self) -> str:
        """Say what was done, in the past tense, without a full stop."""

    def code(self) -> str:
        """Return the line of Python that does the same to a ``KAN`` named ``model``."""
