"""The numbers of a network's formulas in one of the many ways that mean the same.

Whatever scales a hidden node can be undone by the edges that leave it, and constants can move from
edge to edge: 0.78 sqrt(1.66 x^2 + 1.66 y^2) is sqrt(x^2 + y^2). Training ends anywhere among these.
Here every formula gets its simplest numbers, so that nice ones show; those fixed by this choice are
held, so that a fit determines the others.
"""

import copy
import math
from collections.abc import Sequence

import sympy
import torch

from kanviz.nn.network import Network
from kanviz.symbolic.rounding import snap
from kanviz.symbolic.terms import LARGEST_SHIFT, A, B, C, D, Term, Units, read_terms, write_terms
from kanviz.symbolic.traits import traits

NEAR_NICE = 1e-3


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
            _settle(network, layers, depth, node)
    for node in range(network.widths[-1]):
        _gather_constants([t for t in layers[-1] if t.edge.j == node and t.is_free])
    write_terms(network, layers, units)
    return layers


def _settle(network: Network, layers: list[list[Term]], depth: int, node: int) -> None:
    """Choose scale and origin of a hidden node, if only formulas that may change leave it."""
    before, after = network.layers[depth - 1], network.layers[depth]
    incoming = [t for t in layers[depth - 1] if t.edge.j == node and t.is_free]
    outgoing = [t for t in layers[depth] if t.edge.i == node and t.is_free]
    splines = before.spline_mask[:, node]
    n_in, n_out = int(before.mask[:, node].sum()), int(after.mask[node].sum())
    is_fixed = bool(((before.frozen | before.locked) & before.mask)[:, node].any())
    if not incoming or is_fixed or len(incoming) + int(splines.sum()) != n_in:
        return
    _gather_constants(incoming)
    if not outgoing or len(outgoing) != n_out or outgoing[0].numbers[A] == 0:
        return
    factor = _adopt_scale(incoming, outgoing)
    if len(outgoing) == 1:
        factor *= _use_freedom(incoming, outgoing[0], rescalable=not bool(splines.any()))
    with torch.no_grad():
        before.weight[splines, :, node] *= factor


def _gather_constants(terms: Sequence[Term]) -> None:
    """Let the first of the terms of one sum have all their constants."""
    for term in terms[1:]:
        terms[0].numbers[D] += term.numbers[D]
        term.numbers[D] = 0.0
        term.held[D] = True


def _scale(incoming: Sequence[Term], factor: float) -> None:
    for term in incoming:
        term.numbers[C] *= factor
        term.numbers[D] *= factor


def _adopt_scale(incoming: Sequence[Term], outgoing: Sequence[Term]) -> float:
    """Make the node's value what stands in the first function that it goes into."""
    factor, shift = outgoing[0].numbers[:2]
    _scale(incoming, factor)
    incoming[0].numbers[D] += shift
    for term in outgoing:
        term.numbers[A] /= factor
        term.numbers[B] -= term.numbers[A] * shift
    for term in outgoing[1:]:
        term.tidy()
    outgoing[0].held[A] = outgoing[0].held[B] = True
    return factor


def _use_freedom(incoming: Sequence[Term], term: Term, *, rescalable: bool) -> float:
    """Use that c and d can do what a scale or a shift of the node does, where f is such."""
    known, constant = traits(term.function), incoming[0].numbers[D]
    if known.shift_free and abs(constant) < LARGEST_SHIFT:
        incoming[0].numbers[D], incoming[0].held[D] = 0.0, True
        term.numbers[B] = constant
        term.drop_shift()
    if not known.scale_free or not rescalable:
        return 1.0
    options = [_rescaled(incoming, term, *choice) for choice in _scales(incoming, term)]
    if not options:
        return 1.0
    factor, chosen = min(options, key=lambda option: _cost(option[1]))
    for old, new in zip([*incoming, term], chosen, strict=True):
        old.numbers, old.held = new.numbers, new.held
    return factor


def _scales(incoming: Sequence[Term], term: Term) -> list[tuple[float, int]]:
    """Return factors for the node, each with the place of the term whose c it makes 1 or -1."""
    sizes = [abs(t.numbers[C]) if t.function.complexity else 0.0 for t in incoming]
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
    terms[unit].numbers[C] = math.copysign(1.0, terms[unit].numbers[C])
    terms[unit].held[C] = True
    return factor, terms


def _cost(terms: Sequence[Term]) -> float:
    """Return how far from simple the numbers are."""
    cost = 0.0
    for value in (term.numbers[place] for term in terms for place in (C, D)):
        nice = snap(value, NEAR_NICE)
        cost += 0.0 if abs(nice) in (0, 1) else 1.0 if nice.is_Integer else 2.0
        cost += 0.0 if not isinstance(nice, sympy.Float) else 4.0
    return cost
