"""Numbers of a network's formulas made nice, each as long as the held-out error agrees."""

import copy
from dataclasses import dataclass

import sympy

from kanviz.nn.network import Network
from kanviz.symbolic.normal_form import normalise
from kanviz.symbolic.rounding import snap
from kanviz.symbolic.symbol_report import SnappedNumber
from kanviz.symbolic.terms import B, Term, Units, held_numbers, read_terms, write_terms
from kanviz.symbolic.text import to_text
from kanviz.symbolic.trial import FLOOR
from kanviz.training.judge import Judge

AT_ONCE, ONE_BY_ONE = 1e-4, 0.05
"""Numbers this near to nice ones (as a share) are tried all together, then singly, nearest first.
A refit with the others free can bring a number a long way where data are noisy."""

CHANCE = 8.0
"""Errors on n held-out samples are equal if their ratio is below 1 + 8 / n, as in ``suggest``."""

POLISH_STEPS, SNAP_STEPS, MOST_TRIALS = 60, 8, 24


@dataclass(frozen=True)
class _Stage:
    """A network, its terms with what is held, and its error."""

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
    """
    before = judge.error(network)
    work = copy.deepcopy(network)
    layers = normalise(work, units)
    stage = _refitted(work, layers, judge, units, POLISH_STEPS)
    most = min(limit, max(FLOOR, (1 + CHANCE / len(judge.x_held)) * before))
    if stage.error > most:
        return network, ()
    most = min(limit, max(FLOOR, (1 + CHANCE / len(judge.x_held)) * stage.error))
    done: list[SnappedNumber] = []
    near = _near(stage.layers, units, AT_ONCE, work)
    trial = _try(stage, near, judge, units)
    if near and trial.error <= most:
        stage, done = trial, _records(near)
    refused: set[tuple[object, int]] = set()
    for _ in range(MOST_TRIALS):
        rest = _near(stage.layers, units, ONE_BY_ONE, work)
        rest = [place for place in rest if (place[0].edge, place[1]) not in refused]
        if not rest:
            break
        trial = _try(stage, rest[:1], judge, units)
        if trial.error <= most:
            done += _records(rest[:1])
            stage = trial
        else:
            refused.add((rest[0][0].edge, rest[0][1]))
    return stage.network, tuple(done)


_Place = tuple[Term, int, sympy.Expr]


def _near(
    layers: list[list[Term]], units: Units, tolerance: float, network: Network
) -> list[_Place]:
    """Return (term, place, nice number) of the free numbers near a nice one, nearest first."""
    found: list[tuple[float, _Place]] = []
    for term in (term for terms in layers for term in terms):
        for place, value in enumerate(term.numbers):
            # In the user's units b depends on a wherever the unit has a shift.
            waits = place == B and not term.held[0] and units.of(network, term.edge)[0] != 0
            seen = value + units.offset(network, term.edge, place)
            nice = snap(seen, tolerance)
            if not term.held[place] and not waits and not isinstance(nice, sympy.Float):
                distance = abs(float(nice) - seen) / (abs(seen) if nice != 0 else 1.0)
                found.append((distance, (term, place, nice)))
    return [place for _, place in sorted(found, key=lambda pair: pair[0])]


def _try(stage: _Stage, places: list[_Place], judge: Judge, units: Units) -> _Stage:
    """Return what becomes of a copy with these numbers made nice and held."""
    network, layers = copy.deepcopy(stage.network), copy.deepcopy(stage.layers)
    by_edge = {term.edge: term for terms in layers for term in terms}
    for term, place, nice in places:
        mine = by_edge[term.edge]
        offset = units.offset(network, mine.edge, place)
        mine.numbers[place], mine.held[place] = float(nice) - offset, True
    return _refitted(network, layers, judge, units, SNAP_STEPS)


def _refitted(
    network: Network, layers: list[list[Term]], judge: Judge, units: Units, steps: int
) -> _Stage:
    """Write the numbers, refit those that are free in place, and read them."""
    write_terms(network, layers, units)
    judge.refit(network, steps, held_numbers(layers))
    for terms, fresh in zip(layers, read_terms(network, units), strict=True):
        for term, now in zip(terms, fresh, strict=True):
            term.numbers = [
                old if held else new
                for old, new, held in zip(term.numbers, now.numbers, term.held, strict=True)
            ]
    write_terms(network, layers, units)
    return _Stage(network, layers, judge.error(network))


def _records(places: list[_Place]) -> list[SnappedNumber]:
    return [
        SnappedNumber(term.edge, "abcd"[place], term.numbers[place], to_text(nice))
        for term, place, nice in places
    ]
