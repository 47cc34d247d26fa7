"""Volumes II and III of Feynman's lectures: fields, matter, quanta."""

from collections.abc import Iterator
from math import pi

import torch

from kanviz.problems.feynman_row import HALF_TO_2, PYKAN, SIGNED, TURN, UNIT, row
from kanviz.problems.record import Problem


def fields() -> Iterator[Problem]:
    """Yield II.6.15a to II.11.27: dipoles and polarisation."""
    yield row(
        "II.6.15a",
        "Field of a dipole",
        "c*sqrt(a**2 + b**2)/(4*pi)",
        lambda a, b, c: c * torch.sqrt(a**2 + b**2) / (4 * pi),
        {"a": (0.1, 1.0), "b": (0.1, 1.0), "c": UNIT},
        "As in pykan; a and b from 0.1 keep the kink at a = b = 0 outside.",
        (3, 2, 2, 1),
    )
    yield row(
        "II.11.7",
        "Polarisation of polar molecules",
        "n_0*(1 + a*cos(theta))",
        lambda n, a, theta: n * (1 + a * torch.cos(theta)),
        {"n_0": UNIT, "a": SIGNED, "theta": TURN},
        "As in pykan; a of either sign.",
        (3, 5, 2, 1),
    )
    yield row(
        "II.11.27",
        "Polarisation of a dense material",
        "n*alpha/(1 - n*alpha/3)",
        lambda n, alpha: n * alpha / (1 - n * alpha / 3),
        {"n": UNIT, "alpha": (0.0, 2.0)},
        PYKAN,
    )


def matter() -> Iterator[Problem]:
    """Yield II.35.18 to II.38.3: magnets and elasticity."""
    yield row(
        "II.35.18",
        "Atoms in a magnetic field",
        "n_0/(exp(a) + exp(-a))",
        lambda n, a: n / (2 * torch.cosh(a)),
        {"n_0": UNIT, "a": (-2.0, 2.0)},
        "A field in either direction, up to where the exponentials differ by a factor of 50.",
    )
    yield row(
        "II.36.38",
        "Magnetisation of iron",
        "a + alpha*b",
        lambda a, alpha, b: a + alpha * b,
        {"a": SIGNED, "alpha": SIGNED, "b": SIGNED},
        "Fields of either sign.",
        (3, 2, 1),
    )
    yield row(
        "II.38.3",
        "Hooke's law",
        "a/b",
        lambda a, b: a / b,
        {"a": UNIT, "b": HALF_TO_2},
        "As in pykan, whose other factors are part of a.",
    )


def quanta() -> Iterator[Problem]:
    """Yield III.9.52 to III.17.37: an ammonia maser, spin, angular distributions."""
    yield row(
        "III.9.52",
        "Transition of an ammonia molecule",
        "a*sin((b - c)/2)**2/((b - c)/2)**2",
        lambda a, b, c: a * torch.sinc((b - c) / (2 * pi)) ** 2,
        {"a": UNIT, "b": TURN, "c": TURN},
        "Phases over a whole turn; at b = c the formula's limit a is taken.",
        (3, 4, 2, 1),
    )
    yield row(
        "III.10.19",
        "Energy of a spin in a magnetic field",
        "sqrt(1 + a**2 + b**2)",
        lambda a, b: torch.sqrt(1 + a**2 + b**2),
        {"a": SIGNED, "b": SIGNED},
        "Fields of either sign.",
        (2, 1, 1),
    )
    yield row(
        "III.17.37",
        "Angular distribution of a decay",
        "beta*(1 + alpha*cos(theta))",
        lambda alpha, beta, theta: beta * (1 + alpha * torch.cos(theta)),
        {"alpha": UNIT, "beta": UNIT, "theta": TURN},
        PYKAN,
        (3, 5, 2, 1),
    )
