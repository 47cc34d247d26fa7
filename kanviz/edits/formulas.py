"""Edits that make an edge a formula and back, and that keep edges from learning."""

from dataclasses import dataclass

from kanviz.edits.address import check_edge
from kanviz.edits.code import call_code
from kanviz.nn.network import Network
from kanviz.nn.symbols import with_formula, without_formula
from kanviz.symbolic.library import Function


@dataclass(frozen=True)
class FixEdge:
    """Make an edge c f(a x + b) + d; its spline rests and comes back with ``UnfixEdge``.

    Parameters
    ----------
    layer, i, j : int
        The edge.
    function : Function
        f; it carries its own formula, so nothing else is needed to do this again.
    numbers : (a, b, c, d)
        In the units of the edge.
    trainable : bool
        Whether training may move the numbers.
    text : str
        What the user called it.
    """

    layer: int
    i: int
    j: int
    function: Function
    numbers: tuple[float, float, float, float]
    trainable: bool
    text: str

    def apply_to(self, network: Network) -> None:
        """Fix the edge; ValueError if it is removed."""
        edge = check_edge(network, self.layer, self.i, self.j)
        layer = network.layers[edge.layer]
        if not bool(layer.mask[edge.i, edge.j]):
            raise ValueError(
                f"edge must be in the network to be fixed; got {tuple(edge)}, which is removed. "
                "Bring it back with restore_edge."
            )
        layer.set_symbols(with_formula(layer, edge.i, edge.j, self.function, self.numbers))
        frozen = layer.frozen.clone()
        frozen[edge.i, edge.j] = not self.trainable
        layer.set_frozen(frozen)

    def sentence(self) -> str:
        """Say what was done."""
        return f"fixed edge ({self.layer}, {self.i}, {self.j}) to {self.text}"

    def code(self) -> str:
        """Return the call, with the numbers that it found."""
        edge = f"({self.layer}, {self.i}, {self.j})"
        options = {"numbers": self.numbers} | ({} if self.trainable else {"trainable": False})
        return call_code("model.fix", edge, repr(self.text), **options)


@dataclass(frozen=True)
class UnfixEdge:
    """Give a fixed edge back the very spline that it had."""

    layer: int
    i: int
    j: int

    def apply_to(self, network: Network) -> None:
        """Unfix the edge; ValueError if it is no formula."""
        edge = check_edge(network, self.layer, self.i, self.j)
        layer = network.layers[edge.layer]
        if layer.symbols is None or (edge.i, edge.j) not in layer.symbols.edges:
            raise ValueError(
                f"edge must be a formula to be unfixed; got {tuple(edge)}, which is a spline. "
                "Make it one with fix."
            )
        layer.set_symbols(without_formula(layer, edge.i, edge.j))

    def sentence(self) -> str:
        """Say what was done."""
        return f"gave edge ({self.layer}, {self.i}, {self.j}) its spline back"

    def code(self) -> str:
        """Return the call."""
        return f"model.unfix(({self.layer}, {self.i}, {self.j}))"


@dataclass(frozen=True)
class FreezeEdge:
    """Keep an edge from learning, or (``frozen`` False) let it learn again."""

    layer: int
    i: int
    j: int
    frozen: bool = True

    def apply_to(self, network: Network) -> None:
        """Freeze or unfreeze; ValueError if it is so already."""
        edge = check_edge(network, self.layer, self.i, self.j)
        layer = network.layers[edge.layer]
        if bool(layer.frozen[edge.i, edge.j]) == self.frozen:
            standing, other = ("frozen", "unfreeze") if self.frozen else ("not frozen", "freeze")
            raise ValueError(
                f"edge must not be {standing} already; got {tuple(edge)}. Call {other} instead."
            )
        frozen = layer.frozen.clone()
        frozen[edge.i, edge.j] = self.frozen
        layer.set_frozen(frozen)

    def sentence(self) -> str:
        """Say what was done."""
        verb = "froze" if self.frozen else "unfroze"
        return f"{verb} edge ({self.layer}, {self.i}, {self.j})"

    def code(self) -> str:
        """Return the call."""
        verb = "freeze" if self.frozen else "unfreeze"
        return f"model.{verb}(({self.layer}, {self.i}, {self.j}))"
