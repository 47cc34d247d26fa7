"""From a formula to a network that computes it, with the nodes that a person would draw.

A formula is cut where one variable becomes several. What depends on one node alone is one edge,
however long it is (``sin(x)**2 + x``); what adds up things of different nodes is a sum, what
multiplies them a product; equal parts are one node. A node that is needed further up is passed on
by straight edges. This is the way back of ``formula_of``.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy
import torch
from jaxtyping import Float
from sympy.core.function import AppliedUndef
from torch import Tensor

from kanviz.data.dataset import default_names
from kanviz.data.scaling import PLAIN, Affine, EdgeUnits, Scaling
from kanviz.nn.layer import KANLayer
from kanviz.nn.network import Network
from kanviz.nn.nodes import Nodes, count_of
from kanviz.nn.regrid import fit_coefficients
from kanviz.snapshot import Edge
from kanviz.symbolic.formula import Formula
from kanviz.symbolic.functions import LONGEST_NAME, Function, Library, checked, default_library
from kanviz.symbolic.language import X
from kanviz.symbolic.printing import to_text

Points = tuple[Tensor, Tensor]
"""x and y (points,) that a curve goes through."""

Curves = Mapping[str, tuple[Any, Any]]
"""Points of unknown functions, by name."""

MOST_EDGES = 20_000
"""Of a network that is made of a formula."""


@dataclass(frozen=True)
class Core:
    """What a node is made of.

    Parameters
    ----------
    factors : tuple of Sum
        One for a node that adds, two or more for one that multiplies; none for an input.
    name : str
        Of an input.
    level : int
        The layer that it can first stand in; 0 for inputs.
    """

    factors: tuple["Sum", ...] = ()
    name: str = ""
    level: int = 0


@dataclass(frozen=True)
class Sum:
    """Edges that add up: each a function of ``X`` of a core below."""

    terms: tuple[tuple[sympy.Expr, Core], ...]

    @property
    def level(self) -> int:
        """The layer whose nodes the edges come from."""
        return max(core.level for _, core in self.terms)


def split(expression: sympy.Expr) -> tuple[sympy.Expr, Core]:
    """Return (phi, core) with the expression equal to phi of the core.

    Raises
    ------
    ValueError
        If a function of several parts is no sum and no product.

    Examples
    --------
    >>> x, y = sympy.symbols("x y", real=True)
    >>> phi, core = split(sympy.exp(-((x + y) ** 2)))
    >>> phi, len(core.factors)
    (exp(-x**2), 1)
    """
    free = expression.free_symbols
    if len(free) == 1:
        (variable,) = free
        return expression.xreplace({variable: X}), Core(name=variable.name)
    if isinstance(expression, sympy.Add | sympy.Mul):
        return _joined(expression)
    if isinstance(expression, sympy.Pow) and expression.exp.free_symbols:
        return split(sympy.exp(expression.exp * sympy.log(expression.base), evaluate=False))
    open_parts = [n for n, part in enumerate(expression.args) if part.free_symbols]
    if len(open_parts) != 1:
        raise ValueError(
            f"formula must have sums, products and functions of one thing; got "
            f"{to_text(expression)[:80]!r}. Write it with these."
        )
    inner, core = split(expression.args[open_parts[0]])
    parts = list(expression.args)
    parts[open_parts[0]] = inner
    return expression.func(*parts), core


def _joined(expression: sympy.Expr) -> tuple[sympy.Expr, Core]:
    """Return (phi, core) of a sum or a product of several things, equal ones put together."""
    is_sum = isinstance(expression, sympy.Add)
    rest = sympy.Integer(0 if is_sum else 1)
    parts: dict[Core, sympy.Expr] = {}
    for part in expression.args:
        if not part.free_symbols:
            rest = rest + part if is_sum else rest * part
            continue
        phi, core = split(part)
        if core in parts:
            phi = parts[core] + phi if is_sum else parts[core] * phi
        parts[core] = phi
    if len(parts) == 1:
        ((core, phi),) = parts.items()
        return (phi + rest if is_sum else phi * rest), core
    pairs = [(phi, core) for core, phi in parts.items()]
    if is_sum:
        merged = Sum(tuple(pairs))
        return X + rest, Core((merged,), level=1 + merged.level)
    factors = tuple(map(_factor, pairs))
    return rest * X, Core(factors, level=1 + max(factor.level for factor in factors))


def _factor(pair: tuple[sympy.Expr, Core]) -> Sum:
    """Return a factor of a product: a sum as it is, where its function is a straight line."""
    phi, core = pair
    line = _line(phi)
    if line is None or len(core.factors) != 1:
        return Sum((pair,))
    return _scaled(core.factors[0], *line)


def _line(phi: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr] | None:
    """Return (a, b) of a X + b; None for what is no straight line."""
    slope = phi.diff(X) if phi.is_polynomial(X) else None
    if slope is None or slope.free_symbols:
        return None
    return slope, phi.xreplace({X: sympy.Integer(0)})


def _scaled(total: Sum, slope: sympy.Expr, shift: sympy.Expr) -> Sum:
    """Return slope times a sum, and shift more, in its first edge."""
    first, *others = ((slope * phi, core) for phi, core in total.terms)
    return Sum(((first[0] + shift, first[1]), *others))


class Drawing:
    """The nodes of a network, layer by layer, as formulas ask for them.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
        One per output, each with at least one variable.
    inputs : sequence of str
        The names of all variables.
    """

    def __init__(self, expressions: Sequence[sympy.Expr], inputs: Sequence[str]) -> None:
        self.inputs = tuple(inputs)
        roots = [split(expression) for expression in expressions]
        # A sum at the top of the formula is the output itself.
        direct = [_factor(root) for root in roots]
        self.depth = 1 + max(one.level for one in direct)
        self.outputs = [
            one if one.level == self.depth - 1 else Sum((root,))
            for one, root in zip(direct, roots, strict=True)
        ]
        self.layers: list[dict[Core, None]] = [{} for _ in range(self.depth)]
        self.layers[0] = dict.fromkeys(Core(name=name) for name in inputs)
        self._want(self.outputs, self.depth)
        for depth in range(self.depth - 1, 0, -1):
            for core in self.layers[depth]:
                self._want(self._sums(core, depth), depth)
        for depth in range(1, self.depth):  # sums come first, then products
            cores = sorted(self.layers[depth], key=lambda core: len(self._sums(core, depth)) > 1)
            self.layers[depth] = dict.fromkeys(cores)

    def _want(self, sums: Sequence[Sum], depth: int) -> None:
        for total in sums:
            for _, core in total.terms:
                self.layers[depth - 1][core] = None

    def _sums(self, core: Core, depth: int) -> tuple[Sum, ...]:
        """Return what a node is made of in a layer: above its own it is passed on."""
        return core.factors if core.level == depth else (Sum(((X, core),)),)

    def sums(self, depth: int) -> tuple[Nodes, list[Sum]]:
        """Return the nodes of a layer above the inputs, and their sums in order."""
        if depth == self.depth:
            return Nodes(len(self.outputs)), self.outputs
        groups = [self._sums(core, depth) for core in self.layers[depth]]
        arities = tuple(len(group) for group in groups if len(group) > 1)
        nodes = Nodes(len(groups) - len(arities), arities)
        return nodes, [total for group in groups for total in group]


def network_of(
    expressions: Sequence[sympy.Expr],
    inputs: Sequence[str],
    sample: Float[Tensor, "rows inputs"],
    *,
    x_scaling: Scaling,
    y_scaling: Scaling,
    curves: Curves | None = None,
    grid_size: int = 5,
    seed: int = 0,
    dtype: torch.dtype = torch.float64,
    device: torch.device | str | None = None,
) -> Network:
    """Return a network that computes formulas; unknown functions in them stay splines.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
        One per output. An undefined function of one argument, ``sympy.Function("f")(x)``, is an
        edge that is left a spline.
    inputs : sequence of str
        The names of all variables, in order.
    sample : (rows, inputs)
        In the network's units: where the knots go.
    x_scaling, y_scaling : Scaling
        The user's units, which the formulas are in; without shifts.
    curves : mapping of str to (x, y), optional
        Points that the unknown functions go through to begin with.
    grid_size, seed, dtype, device
        Of the splines.

    Raises
    ------
    ValueError
        If a formula is none that can be drawn, or the network would be too large.
    """
    drawing = Drawing(expressions, inputs)
    made = [drawing.sums(depth) for depth in range(1, drawing.depth + 1)]
    widths = [len(inputs), *(len(nodes) for nodes, _ in made)]
    edges = sum(before * len(sums) for before, (_, sums) in zip(widths, made, strict=False))
    if edges > MOST_EDGES:
        raise ValueError(
            f"formula must be shorter; got one whose network has {edges:,} places for edges. "
            f"Take one of at most {MOST_EDGES:,}."
        )
    shape = (len(inputs), *(count_of(nodes) for nodes, _ in made))
    network = Network(shape, grid_size=grid_size, seed=seed, dtype=dtype, device=device)
    library, begun = default_library(), dict[Edge, Points]()
    for depth, (_, sums) in enumerate(made):
        layer, places = network.layers[depth], list(drawing.layers[depth])
        mask = torch.zeros_like(layer.mask)
        for j, total in enumerate(sums):
            for phi, core in total.terms:
                i = places.index(core)
                mask[i, j] = True
                units = EdgeUnits(
                    scale=float(x_scaling.scale[i]) if depth == 0 else 1.0,
                    size=float(y_scaling.scale[j]) if depth == len(made) - 1 else 1.0,
                )
                if phi.has(AppliedUndef):
                    if (points := _points(phi, curves or {}, units)) is not None:
                        begun[Edge(depth, i, j)] = points
                    continue
                function, affine = named(phi, library)
                layer.fix(i, j, function, units.to_network(affine), 1.0)
        layer.set_mask(mask)
    _give_splines(network, sample.to(network.layers[0].weight), begun)
    return network


def _points(phi: sympy.Expr, curves: Curves, units: EdgeUnits) -> Points | None:
    """Return points of phi = c f(a X + b) + d in the network's units, if those of f are known."""
    parts = list(phi.atoms(AppliedUndef))
    line = _line(parts[0].args[0]) if len(parts) == 1 else None
    known = curves.get(parts[0].func.__name__)
    if line is None or known is None or line[0] == 0:
        return None
    outer = _line(phi.xreplace({parts[0]: X}))
    if outer is None:
        return None
    (a, b), (c, d) = (tuple(map(float, pair)) for pair in (line, outer))
    x, y = (torch.as_tensor(part, dtype=torch.float64) for part in known)
    return ((x - b) / a - units.shift) / units.scale, (c * y + d) / units.size


EXAMPLE = "KAN.from_formula('m*v', {'m': (0, 1), 'v': (0, 2)})"

SAMPLE = 1000
"""Rows that a formula's ranges are looked at with."""


def read_formulas(
    formulas: Sequence[str],
    ranges: Sequence[tuple[float, float]],
    inputs: Sequence[str],
    unknown: Sequence[str] = (),
) -> tuple[list[sympy.Expr], Float[Tensor, "rows inputs"], Float[Tensor, "rows outputs"]]:
    """Return formulas as expressions, rows inside the ranges, and the outputs there.

    Of formulas with unknown functions the outputs are taken to be near 1.

    Raises
    ------
    TypeError, ValueError
        If a formula cannot be read, has no input, or has no value somewhere in the ranges.
    """
    if not formulas or not ranges:
        what, wanted = (
            ("formula", "text, one per output")
            if ranges
            else ("ranges", "a pair (low, high) for each input")
        )
        raise ValueError(f"{what} must be {wanted}; got none. Write for example {EXAMPLE}.")
    library, expressions = default_library(), []
    for name in inputs:
        if name in unknown:
            raise ValueError(
                f"input_names must be others than those of unknown functions; got {name!r} for "
                "both. Rename one."
            )
    for text in formulas:
        expression = library.parse(text, variables=inputs, unknown=unknown)
        if not expression.free_symbols:
            raise ValueError(f"formula must depend on an input; got {text[:80]!r}. Name one in it.")
        expressions.append(expression)
    low, high = _bounds(ranges, len(inputs)).T
    unit = torch.rand(
        SAMPLE, len(inputs), generator=torch.Generator().manual_seed(0), dtype=torch.float64
    )
    rows = low + (high - low) * unit
    if unknown:
        return expressions, rows, torch.ones(SAMPLE, len(expressions), dtype=torch.float64)
    exact = Formula(tuple(expressions), tuple(inputs), default_names("y", len(expressions)))
    values = torch.as_tensor(exact.to_callable()(rows.numpy()))
    bad = (~values.isfinite()).nonzero()
    if len(bad):
        row, column = bad[0].tolist()
        place = ", ".join(
            f"{name} = {value:.3g}" for name, value in zip(inputs, rows[row].tolist(), strict=True)
        )
        raise ValueError(
            f"formula must have a real, finite value everywhere in its ranges; "
            f"{formulas[column][:80]!r} has none at {place}. Narrow the ranges."
        )
    return expressions, rows, values


def _bounds(ranges: Sequence[tuple[float, float]], count: int) -> Float[Tensor, "inputs 2"]:
    try:
        bounds = torch.tensor(list(map(list, ranges)), dtype=torch.float64)
    except (TypeError, ValueError):
        bounds = torch.empty(0)
    is_box = bounds.shape == (count, 2) and bool(bounds.isfinite().all())
    if not is_box or not bool((bounds[:, 0] < bounds[:, 1]).all()):
        raise ValueError(
            f"ranges must be a pair (low, high) for each of {count} inputs, with low < high and "
            f"both finite; got {ranges!r}. Write for example {{'m': (0.5, 2)}}."
        )
    return bounds


@torch.no_grad()
def _give_splines(
    network: Network, x: Float[Tensor, "rows inputs"], begun: Mapping[Edge, Points]
) -> None:
    """Give each edge a spline: where it is a formula one that follows it, for who takes that away.

    Others go through the points that they are to begin with.
    """
    for depth, layer in enumerate(network.layers):
        layer.update_grid(x, grid_eps=1.0)
        for edge, (at, height) in begun.items():
            if edge.layer == depth:
                _bend(layer, edge.i, edge.j, at.to(layer.weight), height.to(layer.weight))
        if layer.symbols is not None:
            values = layer.edge_outputs(x)
            for i, j in layer.symbols.edges:
                _bend(layer, i, j, x[:, i], values[:, i, j])
        x = layer(x)


def _bend(
    layer: KANLayer, i: int, j: int, x: Float[Tensor, " points"], y: Float[Tensor, " points"]
) -> None:
    """Let the spline of an edge go through points, without the base function."""
    coef, _ = fit_coefficients(x[:, None], y[:, None, None], layer.knots[i : i + 1], layer.spec)
    layer.weight[i, :, j] = 0
    layer.weight[i, : layer.spec.n_basis, j] = coef[0, :, 0]


def named(phi: sympy.Expr, library: Library) -> tuple[Function, Affine]:
    """Return f and (a, b, c, d) with phi = c f(a X + b) + d, where the library has such an f.

    Else phi itself is the function.

    Examples
    --------
    >>> function, affine = named(3 * sympy.sin(2 * X) + 1, default_library())
    >>> function.name, affine
    ('sin', (2.0, 0.0, 3.0, 1.0))
    """
    d, rest = phi.as_independent(X, as_Add=True)
    c, core = rest.as_independent(X, as_Add=False)
    a, b, inner = sympy.Integer(1), sympy.Integer(0), core
    if core != X and core.args:
        arguments = [part for part in core.args if part.has(X)]
        line = _line(arguments[0]) if len(arguments) == 1 else None
        if line is not None:
            a, b = line
            inner = core.xreplace({arguments[0]: X})
    for function in library.values():
        if not function.constants and function.expression == inner:
            numbers = tuple(float(part) for part in (a, b, c, d))
            if all(math.isfinite(part) for part in numbers):
                return function, numbers  # type: ignore[return-value]  # four of them
    text = to_text(phi)
    return checked(text, lambda: Function(text[:LONGEST_NAME], phi)), PLAIN


def plain_scaling(values: Float[Tensor, "rows columns"]) -> Scaling:
    """Return a scaling without shift by powers of 2, which round nothing; by 1 near 1."""
    size = values.abs().amax(0).double().clamp(min=1e-300)
    exponent = size.log2().round().clamp(-1000, 1000)
    exponent = torch.where(exponent.abs() <= 4, 0.0, exponent)
    return Scaling(torch.zeros_like(size), torch.ldexp(torch.ones_like(size), exponent.int()))
