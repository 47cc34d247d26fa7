"""The 27 physics formulas of the KAN paper (arXiv:2404.19756, section 3.3, Table 2).

The formulas are the paper's dimensionless ones. It gives one range: -1 to 1 for both velocities of
I.16.6. The others were chosen for kanviz, each with its reason: where a variable is one of the
formula with units, or a ratio of two, the range follows from those that the paper's first author
published later with his package (pykan, ``kan/feynman.py``); it is narrowed where the formula or a
slope of it would be infinite or have a kink. So the paper's errors are a landmark, not a race on
the same track.
"""

from collections.abc import Iterator
from math import pi, sqrt

import torch

from kanviz.problems.feynman_fields import fields, matter, quanta
from kanviz.problems.feynman_row import HALF_TO_2, PYKAN, QUARTER_TO_4, SIGNED, TURN, UNIT, row
from kanviz.problems.record import Problem


def feynman_problems() -> tuple[Problem, ...]:
    """Return the formulas in the order of the paper's Table 2."""
    first = (*_chance(), *_forces(), *_motion(), *_light(), *_gratings(), *_heat())
    return (*first, *fields(), *matter(), *quanta())


def _chance() -> Iterator[Problem]:
    """Yield I.6.2 and I.6.2b: the Gaussian distribution."""
    yield row(
        "I.6.2",
        "Gaussian distribution",
        "exp(-theta**2/(2*sigma**2))/sqrt(2*pi*sigma**2)",
        lambda theta, sigma: torch.exp(-((theta / sigma) ** 2) / 2) / (sqrt(2 * pi) * sigma),
        {"theta": SIGNED, "sigma": HALF_TO_2},
        PYKAN,
    )
    yield row(
        "I.6.2b",
        "Gaussian distribution with a mean",
        "exp(-(theta - theta_1)**2/(2*sigma**2))/sqrt(2*pi*sigma**2)",
        lambda x, mean, sigma: torch.exp(-(((x - mean) / sigma) ** 2) / 2) / (sqrt(2 * pi) * sigma),
        {"theta": (-1.5, 1.5), "theta_1": (-1.5, 1.5), "sigma": HALF_TO_2},
        PYKAN,
        (3, 3, 2, 1),
    )


def _forces() -> Iterator[Problem]:
    """Yield I.9.18 to I.13.12: gravity and the Lorentz force."""
    yield row(
        "I.9.18",
        "Newton's gravity in space",
        "a/((b - 1)**2 + (c - d)**2 + (e - f)**2)",
        lambda a, b, c, d, e, f: a / ((b - 1) ** 2 + (c - d) ** 2 + (e - f) ** 2),
        {
            "a": SIGNED,
            "b": (-2.0, -0.5),
            "c": (-1.0, -0.5),
            "d": (0.5, 1.0),
            "e": (-1.0, -0.5),
            "f": (0.5, 1.0),
        },
        "b is the ratio of pykan's x_2 and x_1; the others as in pykan.",
        (6, 4, 2, 1),
    )
    yield row(
        "I.12.11",
        "Lorentz force",
        "1 + a*sin(theta)",
        lambda a, theta: 1 + a * torch.sin(theta),
        {"a": SIGNED, "theta": TURN},
        "A force of either sign and a whole turn.",
    )
    yield row(
        "I.13.12",
        "Difference of gravitational energies",
        "a*(1/b - 1)",
        lambda a, b: a * (1 / b - 1),
        {"a": UNIT, "b": QUARTER_TO_4},
        "b is the ratio of two distances, each from 0.5 to 2 in pykan.",
        (2, 3, 1),
    )


def _motion() -> Iterator[Problem]:
    """Yield I.15.3x to I.18.4: relativity and the centre of mass."""
    yield row(
        "I.15.3x",
        "Lorentz transformation of a place",
        "(1 - a)/sqrt(1 - b**2)",
        lambda a, b: (1 - a) / torch.sqrt(1 - b**2),
        {"a": SIGNED, "b": (-0.9, 0.9)},
        "b is a speed over that of light; up to 0.9 keeps the singularity at 1 outside.",
    )
    yield row(
        "I.16.6",
        "Relativistic addition of velocities",
        "(a + b)/(1 + a*b)",
        lambda a, b: (a + b) / (1 + a * b),
        {"a": SIGNED, "b": SIGNED},
        "The paper's, section 3.3. The formula has no value at the corners (1, -1) and (-1, 1).",
    )
    yield row(
        "I.18.4",
        "Centre of mass",
        "(1 + a*b)/(1 + a)",
        lambda a, b: (1 + a * b) / (1 + a),
        {"a": HALF_TO_2, "b": SIGNED},
        "a is the ratio of two masses, each from 0.5 to 1 in pykan.",
    )


def _light() -> Iterator[Problem]:
    """Yield I.26.2 to I.29.16: refraction, lenses, a sum of waves."""
    yield row(
        "I.26.2",
        "Law of refraction",
        "arcsin(n*sin(theta_2))",
        lambda n, theta: torch.arcsin(n * torch.sin(theta)),
        {"n": (0.0, 0.99), "theta_2": TURN},
        PYKAN,
    )
    yield row(
        "I.27.6",
        "Lens equation",
        "1/(1 + a*b)",
        lambda a, b: 1 / (1 + a * b),
        {"a": HALF_TO_2, "b": (0.25, 2.0)},
        "a is pykan's n; b the ratio of its d_1 and d_2.",
    )
    yield row(
        "I.29.16",
        "Sum of two waves",
        "sqrt(1 + a**2 - 2*a*cos(theta_1 - theta_2))",
        lambda a, first, second: torch.sqrt(1 + a**2 - 2 * a * torch.cos(first - second)),
        {"a": (0.0, 0.9), "theta_1": TURN, "theta_2": TURN},
        "Whole turns as in pykan; a up to 0.9 keeps the kink at a = 1, theta_1 = theta_2 outside.",
        (3, 3, 3, 1, 1),
    )


def _gratings() -> Iterator[Problem]:
    """Yield I.30.3 to I.37.4: gratings and interference."""
    yield row(
        "I.30.3",
        "Diffraction grating",
        "sin(n*theta/2)**2/sin(theta/2)**2",
        lambda n, theta: (torch.sin(n * theta / 2) / torch.sin(theta / 2)) ** 2,
        {"n": (0.0, 4.0), "theta": (0.4 * pi, 1.6 * pi)},
        PYKAN,
        (2, 5, 3, 1),
    )
    yield row(
        "I.30.5",
        "Angle of a grating's line",
        "arcsin(a/n)",
        lambda a, n: torch.arcsin(a / n),
        {"a": SIGNED, "n": (1.1, 2.0)},
        "a as in pykan; n from 1.1 keeps the infinite slope at a = n outside.",
    )
    yield row(
        "I.37.4",
        "Interference of two sources",
        "1 + a + 2*sqrt(a)*cos(delta)",
        lambda a, delta: 1 + a + 2 * torch.sqrt(a) * torch.cos(delta),
        {"a": (0.1, 1.0), "delta": TURN},
        "As in pykan; a from 0.1 keeps the infinite slope at 0 outside.",
        (2, 3, 1),
    )


def _heat() -> Iterator[Problem]:
    """Yield I.40.1 to II.2.42: gases, an oscillator, heat flow."""
    yield row(
        "I.40.1",
        "Air in the earth's gravity",
        "n_0*exp(-a)",
        lambda n, a: n * torch.exp(-a),
        {"n_0": UNIT, "a": SIGNED},
        "The exponent's range with pykan's.",
    )
    yield row(
        "I.44.4",
        "Work of a gas at one temperature",
        "n*log(a)",
        lambda n, a: n * torch.log(a),
        {"n": UNIT, "a": QUARTER_TO_4},
        "a is the ratio of two volumes, each from 0.5 to 2 in pykan.",
    )
    yield row(
        "I.50.26",
        "Oscillator with a quadratic term",
        "cos(a) + alpha*cos(a)**2",
        lambda a, alpha: torch.cos(a) + alpha * torch.cos(a) ** 2,
        {"a": TURN, "alpha": UNIT},
        "The phase's range with pykan's.",
    )
    yield row(
        "II.2.42",
        "Heat flow through a wall",
        "(a - 1)*b",
        lambda a, b: (a - 1) * b,
        {"a": (0.0, 2.0), "b": UNIT},
        "a is a ratio of temperatures, on both sides of 1.",
    )
