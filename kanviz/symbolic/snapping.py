"""The numbers of a network's formulas made simple, each as long as the held-out error agrees.

Whatever scales a hidden node can be undone by the edges that leave it, and constants can move from
edge to edge: 0.78 sqrt(1.66 x^2 + 1.66 y^2) is sqrt(x^2 + y^2). Training ends anywhere among these.
So the numbers are taken out as ``Term`` records, every formula gets its normal form, in which nice
numbers show, and then those near to 0, integers, pi, e and simple fractions become these. What the
normal form settles is frozen, so that a refit determines the others.
"""

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple, cast

import sympy
import torch
from jaxtyping import Bool
from torch import Tensor

from kanviz.data.scaling import Scaling
from kanviz.nn.network import Network
from kanviz.snapshot import Edge
from kanviz.symbolic.functions import Function, probes, traits
from kanviz.symbolic.language import symbol
from kanviz.symbolic.printing import to_text
from kanviz.symbolic.samples import within_chance
from kanviz.symbolic.simplify import snap
from kanviz.symbolic.symbol_report import SnappedNumber
from kanviz.training.judge import Judge

A, B, C, D = range(4)

NEARLY = 1e-3

LARGEST_SHIFT = 20.0
"""A larger b is not moved out of a function: exp of it would be a huge factor."""

NEAR_NICE = 1e-3

AT_ONCE, ONE_BY_ONE = 1e-4, 0.05
"""Numbers this near to nice ones (as a share) are tried all together, then singly, nearest first.
A refit with the others free can bring a number a long way where data are noisy."""

FLOOR = 1e-7
"""Held-out errors below it, as shares of y's spread, count as equal: the law has been found."""

POLISH_STEPS, SNAP_STEPS, MOST_TRIALS = 60, 8, 24


@dataclass
class Term:
    """One formula c f(a x + b) + d.

    Parameters
    ----------
    edge : Edge
        Where it is.
    function : Function
        f.
    numbers : list of float
        a, b, c, d, in the user's units at the ends of the network, and the free constants of f.
    frozen : list of bool
        Which of them a refit leaves as they are.
    is_free : bool
        Whether they may change on their own: the edge is live, not frozen and not locked, and what
        a node's scale or constant changes in it can be put into its numbers.
    """

    edge: Edge
    function: Function
    numbers: list[float]
    frozen: list[bool]
    is_free: bool

    @property
    def unit(self) -> int:
        """Which number says how large the edge is: c, or the first of the factors in f."""
        factors = outer_constants(self.function).factors
        return 4 + factors[0] if factors else C

    @property
    def constant(self) -> int:
        """Which number is added to the rest: d, or a free constant of f."""
        place = outer_constants(self.function).constant
        return D if place is None else 4 + place

    def scale(self, factor: float) -> None:
        """Multiply what the edge gives."""
        factors = outer_constants(self.function).factors
        for which in [4 + place for place in factors] or (C, D):
            self.numbers[which] *= factor

    def stretch(self, factor: float) -> None:
        """Take ``factor`` (above 0) out of the argument of f, where c and d can make up for it."""
        self._compensate(*_line(self.function, factor, 0.0))
        self.numbers[A] /= factor
        self.numbers[B] /= factor

    def drop_shift(self) -> None:
        """Take b out of the argument of f, where c and d can make up for it."""
        self._compensate(*_line(self.function, 1.0, self.numbers[B]))
        self.numbers[B] = 0.0

    def _compensate(self, p: float, q: float) -> None:
        self.numbers[D] += self.numbers[C] * q
        self.numbers[C] *= p

    def tidy(self) -> None:
        """Bring a, b, c, d to the simplest form by what is known of f alone."""
        if self.function.constants:  # its a, b, c, d stay as the units ask for
            return
        known = traits(self.function)
        if known.mirror is not None and self.numbers[A] < 0:
            self.numbers[A], self.numbers[B] = -self.numbers[A], -self.numbers[B]
            self._compensate(*known.mirror)
        if known.scale_free and self.numbers[A] != 0:
            self.stretch(abs(self.numbers[A]))
            self.frozen[A] = True
        if known.shift_free and abs(self.numbers[B]) < LARGEST_SHIFT:
            self.drop_shift()
            self.frozen[B] = True
        if known.is_periodic:
            self._wrap_shift()

    def _wrap_shift(self) -> None:
        """Bring b within a turn, within half a turn where f(u + pi) = -f(u)."""
        self.numbers[B] = math.remainder(self.numbers[B], 2 * math.pi)
        is_odd = traits(self.function).is_wave
        if is_odd and abs(self.numbers[B]) > math.pi / 2 + NEARLY:
            p, q = _line(self.function, 1.0, math.pi)
            self.numbers[B] -= math.copysign(math.pi, self.numbers[B])
            self._compensate(p, q)


class OuterConstants(NamedTuple):
    """Which free constants of a function do what c and d do, by their places.

    Parameters
    ----------
    factors : tuple of int
        All of these times a number is f times it; none if there are no such.
    constant : int or None
        The one that is added to the rest; always one of the factors.
    """

    factors: tuple[int, ...] = ()
    constant: int | None = None


@cache
def outer_constants(function: Function) -> OuterConstants:
    """Return which constants of f take up a scale and a shift of what it gives; none of either.

    >>> from kanviz.symbolic.functions import make_function
    >>> outer_constants(make_function("decay", "p*exp(-q*x) + r"))
    OuterConstants(factors=(0, 2), constant=2)
    >>> outer_constants(make_function("cubic", "x**3 + p*x + q"))
    OuterConstants(factors=(), constant=None)
    """
    f, names = function.expression, function.constants
    slopes = [sympy.diff(f, symbol(name)) for name in names]
    inner = {
        name
        for name, slope in zip(names, slopes, strict=True)
        if symbol(name) in slope.free_symbols
    }
    factors: list[int] = []
    for n, (name, slope) in enumerate(zip(names, slopes, strict=True)):
        others = {symbol(names[k]) for k in factors}
        if name not in inner and not slope.free_symbols & others:
            factors.append(n)
    nothing = f.xreplace({symbol(names[n]): sympy.Integer(0) for n in factors})
    constants = [n for n in factors if slopes[n] == 1]
    if nothing != 0 or not constants:
        return OuterConstants()
    return OuterConstants(tuple(factors), constants[0])


def _line(function: Function, factor: float, shift: float) -> tuple[float, float]:
    """Return (p, q) of f(factor u + shift) = p f(u) + q."""
    u = probes(function.domain)
    first, second = function.torch.plain(u), function.torch.plain(factor * u + shift)
    low, high = first.argmin(), first.argmax()
    rise = float(first[high] - first[low])
    if rise == 0:
        return 1.0, 0.0
    p = float(second[high] - second[low]) / rise
    q = float((second - p * first).mean())
    return p, q if abs(q) > 1e-13 * float(second.abs().max()) else 0.0


@dataclass(frozen=True)
class Units:
    """The user's units of inputs and outputs: where numbers have to be nice.

    Parameters
    ----------
    x, y : Scaling
        Between the user's units and those of the network; y is the identity for classes.
    """

    x: Scaling
    y: Scaling

    def of(self, network: Network, edge: Edge) -> tuple[float, float, float]:
        """Return (shift, scale) of an edge's input, and the scale of its output."""
        shift, scale, unit = 0.0, 1.0, 1.0
        if edge.layer == 0:
            shift, scale = float(self.x.shift[edge.i]), float(self.x.scale[edge.i])
        if edge.layer == len(network.layers) - 1:
            unit = float(self.y.scale[edge.j])
        return shift, scale, unit

    def offset(self, network: Network, edge: Edge) -> float:
        """Return what the user's unit adds to an edge's constant: the shift of an output."""
        is_last = edge.layer == len(network.layers) - 1
        return float(self.y.shift[edge.j]) if is_last else 0.0


def read_terms(network: Network, units: Units) -> list[list[Term]]:
    """Return the formulas of each layer, in the order of its ``symbols``; none is frozen yet.

    The shift of an output's unit is not in them; see ``Units.offset``.
    """
    layers: list[list[Term]] = []
    for depth, layer in enumerate(network.layers):
        layers.append([])
        if layer.symbols is None:
            continue
        rows = zip(layer.symbols.edges, layer.symbols.functions, strict=True)
        for ((i, j), function), row in zip(rows, layer.affine.tolist(), strict=True):
            edge = Edge(depth, i, j)
            shift, scale, unit = units.of(network, edge)
            known = cast(Function, function)  # a model's come from the library
            a, b, c, d, *constants = row[: 4 + len(known.constants)]
            numbers = [a / scale, b - a * shift / scale, c * unit, d * unit, *constants]
            is_free = bool((layer.mask & ~layer.frozen & ~layer.locked)[i, j])
            frozen = [not is_free or bool(constants)] * 4 + [not is_free] * len(constants)
            is_free = is_free and (not constants or bool(outer_constants(known).factors))
            term = Term(edge, known, numbers, frozen, is_free)
            if is_free:
                _settle(term)
            layers[depth].append(term)
    return layers


@torch.no_grad()
def write_terms(network: Network, layers: list[list[Term]], units: Units) -> None:
    """Put the numbers into the network."""
    for layer, terms in zip(network.layers, layers, strict=True):
        for n, term in enumerate(terms):
            shift, scale, unit = units.of(network, term.edge)
            a, b, c, d, *constants = term.numbers
            row = [a * scale, b + a * shift, c / unit, d / unit, *constants]
            assert layer.symbols is not None
            layer.symbols.affine[n, : len(row)] = layer.symbols.affine.new_tensor(row)


def frozen_numbers(layers: list[list[Term]]) -> list[Bool[Tensor, "_edges _numbers"] | None]:
    """Return which numbers of each layer's formulas are frozen, as ``Judge.refit`` takes it."""
    found: list[Bool[Tensor, "_edges _numbers"] | None] = []
    for terms in layers:
        length = max((len(term.frozen) for term in terms), default=0)
        rows = [term.frozen + [True] * (length - len(term.frozen)) for term in terms]
        found.append(torch.tensor(rows) if rows else None)
    return found


def _settle(term: Term) -> None:
    """Put what c and d of a function with constants of its own do into these."""
    c, d = term.numbers[C], term.numbers[D]
    if term.function.constants and c != 0 and (c, d) != (1.0, 0.0):
        term.scale(c)
        term.numbers[term.constant] += d
        term.numbers[C], term.numbers[D] = 1.0, 0.0


def normalise(network: Network, units: Units) -> list[list[Term]]:
    """Rearrange the numbers of all formulas in place, and return them; no output changes.

    Frozen and locked edges, and nodes that lead into splines, stay as they are.
    """
    layers = read_terms(network, units)
    for terms in layers:
        for term in terms:
            if term.is_free:
                term.tidy()
    for depth in range(1, len(layers)):
        for node in range(network.widths[depth]):
            sums = network.layers[depth - 1].live_sums_of(node)
            if len(sums) == 1:
                _normalise_node(network, layers, depth, node, sums[0])
            elif sums:
                _normalise_product(network, layers, depth, node, sums)
    for node in range(network.widths[-1]):
        _gather_constants([t for t in layers[-1] if t.edge.j == node and t.is_free])
    write_terms(network, layers, units)
    return layers


def _normalise_product(
    network: Network, layers: list[list[Term]], depth: int, node: int, sums: Sequence[int]
) -> None:
    """Give each factor a simple scale, if only formulas that may change leave the product.

    What its scales were goes into these; its factors have constants of their own.
    """
    before, after = network.layers[depth - 1], network.layers[depth]
    outgoing = [t for t in layers[depth] if t.edge.i == node and t.is_free]
    may_scale = bool(outgoing) and len(outgoing) == int(after.mask[node].sum())
    for j in sums:
        terms = [t for t in layers[depth - 1] if t.edge.j == j and t.is_free]
        if len(terms) != int(before.mask[:, j].sum()):
            continue
        _gather_constants(terms)
        units = [t.numbers[t.unit] for t in terms if t.function.complexity]
        options = []
        for n, unit in enumerate(units):
            if unit != 0:
                chosen = copy.deepcopy(terms)
                _scale(chosen, 1 / unit)
                options.append((_cost(chosen), n, unit, chosen))
        if not may_scale or not options:
            continue
        _, n, unit, chosen = min(options, key=lambda option: option[:2])
        which = [t for t in chosen if t.function.complexity][n]
        which.numbers[which.unit], which.frozen[which.unit] = 1.0, True
        for old, new in zip(terms, chosen, strict=True):
            old.numbers, old.frozen = new.numbers, new.frozen
        for term in outgoing:
            term.numbers[A] *= unit
    for term in outgoing if may_scale else ():
        term.tidy()


def _normalise_node(
    network: Network, layers: list[list[Term]], depth: int, node: int, j: int
) -> None:
    """Choose scale and origin of a hidden node, if only formulas that may change leave it.

    ``j`` is the sum that it is.
    """
    before, after = network.layers[depth - 1], network.layers[depth]
    incoming = [t for t in layers[depth - 1] if t.edge.j == j and t.is_free]
    outgoing = [t for t in layers[depth] if t.edge.i == node and t.is_free]
    splines = before.spline_mask[:, j]
    n_in, n_out = int(before.mask[:, j].sum()), int(after.mask[node].sum())
    cannot_change = bool(((before.frozen | before.locked) & before.mask)[:, j].any())
    if not incoming or cannot_change or len(incoming) + int(splines.sum()) != n_in:
        return
    _gather_constants(incoming)
    if not outgoing or len(outgoing) != n_out or outgoing[0].numbers[A] == 0:
        return
    factor = _adopt_scale(incoming, outgoing)
    if len(outgoing) == 1:
        factor *= _use_freedom(incoming, outgoing[0], rescalable=not bool(splines.any()))
    with torch.no_grad():
        before.weight[splines, :, j] *= factor


def _gather_constants(terms: Sequence[Term]) -> None:
    """Let the first of the terms of one sum have all their constants."""
    for term in terms[1:]:
        terms[0].numbers[terms[0].constant] += term.numbers[term.constant]
        term.numbers[term.constant] = 0.0
        term.frozen[term.constant] = True


def _scale(incoming: Sequence[Term], factor: float) -> None:
    for term in incoming:
        term.scale(factor)


def _adopt_scale(incoming: Sequence[Term], outgoing: Sequence[Term]) -> float:
    """Make the node's value what stands in the first function that it goes into."""
    factor, shift = outgoing[0].numbers[:2]
    _scale(incoming, factor)
    incoming[0].numbers[incoming[0].constant] += shift
    for term in outgoing:
        term.numbers[A] /= factor
        term.numbers[B] -= term.numbers[A] * shift
    for term in outgoing[1:]:
        term.tidy()
    outgoing[0].frozen[A] = outgoing[0].frozen[B] = True
    return factor


def _use_freedom(incoming: Sequence[Term], term: Term, *, rescalable: bool) -> float:
    """Use that c and d can do what a scale or a shift of the node does, where f is such."""
    if term.function.constants:
        return 1.0
    own = incoming[0].constant
    known, constant = traits(term.function), incoming[0].numbers[own]
    if known.shift_free and abs(constant) < LARGEST_SHIFT:
        incoming[0].numbers[own], incoming[0].frozen[own] = 0.0, True
        term.numbers[B] = constant
        term.drop_shift()
    if not known.scale_free or not rescalable:
        return 1.0
    options = [_rescaled(incoming, term, *choice) for choice in _scales(incoming, term)]
    if not options:
        return 1.0
    factor, chosen = min(options, key=lambda option: _cost(option[1]))
    for old, new in zip([*incoming, term], chosen, strict=True):
        old.numbers, old.frozen = new.numbers, new.frozen
    return factor


def _scales(incoming: Sequence[Term], term: Term) -> list[tuple[float, int]]:
    """Return factors for the node, each with the index of the term whose c it makes 1 or -1."""
    sizes = [abs(t.numbers[t.unit]) if t.function.complexity else 0.0 for t in incoming]
    choices = [(1 / size, n) for n, size in enumerate(sizes) if size > 0]
    u = torch.tensor([1.0, 2.0], dtype=torch.float64)
    one, two = term.function.torch.plain(u).tolist()
    size = abs(term.numbers[C])
    if one != 0 and two / one > 0 and two != one and size > 0:  # a power: c is a scale too
        ratio = math.log(size) / math.log(two / one)
        if abs(ratio) < 100:
            choices.insert(0, (2**ratio, len(incoming)))
    return choices


def _rescaled(
    incoming: Sequence[Term], term: Term, factor: float, unit: int
) -> tuple[float, list[Term]]:
    """Return the factor, and copies of the terms with the node's value times it."""
    terms = copy.deepcopy([*incoming, term])
    _scale(terms[:-1], factor)
    terms[-1].stretch(1 / factor)
    terms[-1].numbers[A] = 1.0
    which = terms[unit].unit
    terms[unit].numbers[which] = math.copysign(1.0, terms[unit].numbers[which])
    terms[unit].frozen[which] = True
    return factor, terms


def _cost(terms: Sequence[Term]) -> float:
    """Return how far from simple the numbers are."""
    cost = 0.0
    for value in (number for term in terms for number in term.numbers[C:]):
        nice = snap(value, NEAR_NICE)
        cost += 0.0 if abs(nice) in (0, 1) else 1.0 if nice.is_Integer else 2.0
        cost += 0.0 if not isinstance(nice, sympy.Float) else 4.0
    return cost


@dataclass(frozen=True)
class _Stage:
    """A network, its terms with what is frozen, and its error."""

    network: Network
    layers: list[list[Term]]
    error: float


def snap_network(
    network: Network, judge: Judge, units: Units, limit: float
) -> tuple[Network, tuple[SnappedNumber, ...]]:
    """Return a copy with simple numbers in its formulas, and which numbers became nice ones.

    First all numbers take their normal form, then those near to 0, integers, pi, e and simple
    fractions become these, and all others are fitted again. The held-out error stays the same, up
    to chance, and within ``limit``.

    Parameters
    ----------
    network : Network
        In float64; is only read.
    judge : Judge
        Refits and judges.
    units : Units
        The user's, in which numbers are nice.
    limit : float
        The largest held-out error that is accepted.
    """
    before = judge.error(network)
    work = copy.deepcopy(network)
    layers = normalise(work, units)
    stage = _refitted(work, layers, judge, units, POLISH_STEPS)
    n_held_out = len(judge.x_held)
    within = partial(_within_chance, judge, n_held_out)
    most = min(limit, max(FLOOR, within(before)))
    if stage.error > most:
        return network, ()
    most = min(limit, max(FLOOR, within(stage.error)))
    done: list[SnappedNumber] = []
    near = _near(stage.layers, units, AT_ONCE, work)
    trial = _try(stage, near, judge, units)
    if near and trial.error <= most:
        stage, done = trial, _records(near)
    refused: set[tuple[Edge, int]] = set()
    for _ in range(MOST_TRIALS):
        rest = _near(stage.layers, units, ONE_BY_ONE, work)
        rest = [near for near in rest if near.address not in refused]
        if not rest:
            break
        trial = _try(stage, rest[:1], judge, units)
        if trial.error <= most:
            done += _records(rest[:1])
            stage = trial
        else:
            refused.add(rest[0].address)
    return stage.network, tuple(done)


LIKELY = 4.0
"""Rise of the deviance up to which a nice number is as good: two standard errors."""


def _within_chance(judge: Judge, n_held_out: int, error: float) -> float:
    """Return up to which error a nice number is as good, by the noise where that is known."""
    if judge.unit_of_chance is None:
        return within_chance(error, n_held_out)
    return math.sqrt(error**2 + LIKELY * judge.unit_of_chance)


class _NearNumber(NamedTuple):
    """A free number of a term that is near to a nice one; ``which`` is A, B, C or D."""

    term: Term
    which: int
    nice: sympy.Expr

    @property
    def address(self) -> tuple[Edge, int]:
        """What stays the same from copy to copy."""
        return self.term.edge, self.which


def _near(
    layers: list[list[Term]], units: Units, tolerance: float, network: Network
) -> list[_NearNumber]:
    """Return the free numbers that are near to a nice one, the nearest first."""
    found: list[tuple[float, _NearNumber]] = []
    for term in (term for terms in layers for term in terms):
        for which, number in enumerate(term.numbers):
            # In the user's units b depends on a wherever the unit has a shift.
            waits = which == B and not term.frozen[A] and units.of(network, term.edge)[0] != 0
            value = number + _offset(units, network, term, which)
            nice = snap(value, tolerance)
            if not term.frozen[which] and not waits and not isinstance(nice, sympy.Float):
                distance = abs(float(nice) - value) / (abs(value) if nice != 0 else 1.0)
                found.append((distance, _NearNumber(term, which, nice)))
    return [near for _, near in sorted(found, key=lambda pair: pair[0])]


def _offset(units: Units, network: Network, term: Term, which: int) -> float:
    """Return what the user's unit adds to a number: the shift of an output to its constant."""
    return units.offset(network, term.edge) if which == term.constant else 0.0


def _try(stage: _Stage, chosen: list[_NearNumber], judge: Judge, units: Units) -> _Stage:
    """Return what becomes of a copy with these numbers made nice and frozen."""
    network, layers = copy.deepcopy(stage.network), copy.deepcopy(stage.layers)
    by_edge = {term.edge: term for terms in layers for term in terms}
    for (edge, which), nice in ((near.address, near.nice) for near in chosen):
        term = by_edge[edge]
        term.numbers[which] = float(nice) - _offset(units, network, term, which)
        term.frozen[which] = True
    return _refitted(network, layers, judge, units, SNAP_STEPS)


def _refitted(
    network: Network, layers: list[list[Term]], judge: Judge, units: Units, steps: int
) -> _Stage:
    """Write the numbers, refit those that are free in place, and read them."""
    write_terms(network, layers, units)
    judge.refit(network, steps, frozen_numbers(layers))
    for terms, fresh in zip(layers, read_terms(network, units), strict=True):
        for term, now in zip(terms, fresh, strict=True):
            term.numbers = [
                old if frozen else new
                for old, new, frozen in zip(term.numbers, now.numbers, term.frozen, strict=True)
            ]
    write_terms(network, layers, units)
    return _Stage(network, layers, judge.error(network))


def _records(chosen: list[_NearNumber]) -> list[SnappedNumber]:
    return [
        SnappedNumber(term.edge, _name(term, which), term.numbers[which], to_text(nice))
        for term, which, nice in chosen
    ]


def _name(term: Term, which: int) -> str:
    return "abcd"[which] if which <= D else term.function.constants[which - 4]
