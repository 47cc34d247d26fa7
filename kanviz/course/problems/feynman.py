"""The 27 physics formulas of the KAN paper (arXiv:2404.19756, section 3.3, Table 2).

The formulas are the paper's dimensionless ones. It gives one range: -1 to 1 for both velocities of
I.16.6. The others were chosen for kanviz, each with its reason: where a variable is one of the
formula with units, or a ratio of two, the range follows from those that the paper's first author
published later with his package (pykan, ``kan/feynman.py``); it is narrowed where the formula or a
slope of it would be infinite or have a kink. So the paper's errors are a landmark, not a race on
the same track.

Row names are the paper's; its "II.11.7" is II.11.17 in the lectures. The numbers of its table were
compared over two transcriptions of the paper. They agree on every error but two of I.26.2, left out
here: that of the KAN built by hand (1.22e-1 or 1.22e-4) and of the MLP (1.24e-3 or 1.24e-4). One of
them is damaged in parts: the shapes, the MLP of II.11.27 and the rows III.10.19 and III.17.37 rest
on the other alone.
"""

from collections.abc import Callable, Iterator
from math import pi, sqrt

import torch
from torch import Tensor

from kanviz.course.problems.record import FeynmanResult as Row
from kanviz.course.problems.record import Problem

# KAN by hand, smallest pruned KAN, best pruned KAN; errors: by hand, pruned, unpruned, MLP.
TABLE_2 = {
    "I.6.2": Row((2, 2, 1, 1), (2, 2, 1), (2, 2, 1, 1), 7.66e-5, 2.86e-5, 4.60e-5, 1.45e-4),
    "I.6.2b": Row((3, 2, 2, 1, 1), (3, 4, 1), (3, 2, 2, 1, 1), 1.22e-3, 4.45e-4, 1.25e-3, 7.40e-4),
    "I.9.18": Row((6, 4, 2, 1, 1), (6, 4, 1, 1), (6, 4, 1, 1), 1.48e-3, 8.62e-3, 6.56e-3, 1.59e-3),
    "I.12.11": Row((2, 2, 2, 1), (2, 2, 1), (2, 2, 1), 2.07e-3, 1.39e-3, 9.13e-4, 6.71e-4),
    "I.13.12": Row((2, 2, 1), (2, 2, 1), (2, 2, 1), 7.22e-3, 4.81e-3, 2.72e-3, 1.42e-3),
    "I.15.3x": Row((2, 2, 1, 1), (2, 1, 1), (2, 2, 1, 1, 1), 7.35e-3, 1.58e-3, 1.14e-3, 8.54e-4),
    "I.16.6": Row((2, 2, 2, 2, 2, 1), (2, 2, 1), (2, 2, 1), 1.06e-3, 1.19e-3, 1.53e-3, 6.20e-4),
    "I.18.4": Row((2, 2, 2, 1, 1), (2, 2, 1), (2, 2, 1), 3.92e-4, 1.50e-4, 1.32e-3, 3.68e-4),
    "I.26.2": Row((2, 2, 2, 1, 1), (2, 2, 1), (2, 2, 2, 1, 1), None, 7.90e-4, 8.63e-4, None),
    "I.27.6": Row((2, 2, 1, 1), (2, 1, 1), (2, 1, 1), 2.22e-4, 1.94e-4, 2.14e-4, 2.46e-4),
    "I.29.16": Row(
        (3, 2, 2, 3, 2, 1, 1), (3, 2, 2, 1), (3, 2, 3, 1), 2.36e-1, 3.99e-3, 3.20e-3, 4.64e-3
    ),
    "I.30.3": Row(
        (2, 3, 2, 2, 1, 1), (2, 4, 3, 1), (2, 3, 2, 3, 1, 1), 3.85e-1, 1.03e-3, 1.11e-2, 1.50e-2
    ),
    "I.30.5": Row((2, 1, 1), (2, 1, 1), (2, 1, 1, 1, 1, 1), 2.23e-4, 3.49e-5, 6.92e-5, 9.45e-5),
    "I.37.4": Row((2, 3, 2, 1), (2, 2, 1), (2, 2, 1), 7.57e-5, 4.91e-6, 3.41e-4, 5.67e-4),
    "I.40.1": Row((2, 1, 1), (2, 2, 1), (2, 2, 1, 1, 1, 2, 1), 3.45e-3, 5.01e-4, 3.12e-4, 3.99e-4),
    "I.44.4": Row((2, 2, 1), (2, 2, 1), (2, 2, 1), 2.30e-5, 2.43e-5, 1.10e-4, 3.99e-4),
    "I.50.26": Row((2, 2, 3, 1), (2, 3, 1), (2, 3, 2, 1), 1.52e-4, 5.82e-4, 4.90e-4, 1.53e-3),
    "II.2.42": Row((2, 2, 1), (2, 2, 1), (2, 2, 2, 1), 8.54e-4, 7.22e-4, 1.22e-3, 1.81e-4),
    "II.6.15a": Row(
        (3, 2, 2, 2, 1), (3, 2, 1, 1), (3, 2, 1, 1), 2.61e-3, 3.28e-3, 1.35e-3, 5.92e-4
    ),
    "II.11.7": Row(
        (3, 3, 3, 2, 2, 1), (3, 3, 1, 1), (3, 3, 1, 1), 7.10e-3, 8.52e-3, 5.03e-3, 5.92e-4
    ),
    "II.11.27": Row((2, 2, 1, 2, 1), (2, 1, 1), (2, 2, 1), 2.67e-5, 4.40e-5, 1.43e-5, 7.18e-5),
    "II.35.18": Row((2, 1, 1), (2, 1, 1), (2, 1, 1, 1), 4.13e-4, 1.58e-4, 7.71e-5, 7.92e-5),
    "II.36.38": Row((3, 3, 1), (3, 2, 1), (3, 2, 1), 2.85e-3, 1.15e-3, 3.03e-3, 2.15e-3),
    "II.38.3": Row((2, 1, 1), (2, 1, 1), (2, 2, 1, 1, 1), 1.47e-4, 8.78e-5, 6.43e-4, 5.26e-4),
    "III.9.52": Row(
        (3, 2, 3, 1, 1), (3, 3, 2, 1), (3, 3, 2, 1, 1, 1), 4.43e-2, 3.90e-3, 2.11e-2, 9.07e-4
    ),
    "III.10.19": Row((2, 1, 1), (2, 1, 1), (2, 1, 2, 1), 2.54e-3, 1.18e-3, 8.16e-4, 1.67e-4),
    "III.17.37": Row((3, 3, 3, 2, 2, 1), (3, 3, 1), (3, 3, 1), 1.10e-3, 5.03e-4, 4.12e-4, 6.80e-4),
}


SOURCE = "arXiv:2404.19756, Table 2"

UNIT = (0.0, 1.0)
SIGNED = (-1.0, 1.0)
TURN = (0.0, 2 * pi)
HALF_TO_2 = (0.5, 2.0)
QUARTER_TO_4 = (0.25, 4.0)

PYKAN = "As in pykan for the formula with units."


def row(
    name: str,
    title: str,
    formula: str,
    f: Callable[..., Tensor],
    ranges: dict[str, tuple[float, float]],
    note: str,
    widths: tuple[int, ...] = (2, 5, 1),
) -> Problem:
    """Return one entry.

    Parameters
    ----------
    name, title, formula
        As in ``Problem``; the name is the paper's.
    f : callable
        Takes one column (samples,) per input, in the order of ``ranges``.
    ranges : dict
        Name of each input to its (low, high).
    note : str
        Where the ranges come from.
    widths : tuple of int
        A network that learns it well.
    """
    return Problem(
        name=name,
        title=title,
        formula=formula,
        f=lambda x: f(*x.unbind(dim=1)),
        ranges=tuple(ranges.values()),
        input_names=tuple(ranges),
        widths=widths,
        source=SOURCE,
        range_note=note,
        paper=TABLE_2[name],
    )


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
