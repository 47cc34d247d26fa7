"""The fifteen special functions of two variables (arXiv:2404.19756, section 3.2, Table 1).

The paper gives no ranges. Those here were chosen for kanviz: they show each function at its natural
size, and keep outside every place where it, or a derivative of it, is infinite. Nor does the paper
say which value it fits of a function with several: here it is sn of the Jacobian elliptic
functions, and the real part of the spherical harmonics.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from math import factorial, pi, sqrt
from typing import Any, NamedTuple

import numpy as np

from kanviz.course.problems.record import PaperResult, Problem, scipy_function

SOURCE = "arXiv:2404.19756, Table 1"

# Smallest KAN with an error below 1e-2, its test RMSE; best KAN, its test RMSE; best MLP's.
TABLE_1 = {
    "ellipj": PaperResult((2, 2, 1), 7.29e-3, (2, 3, 2, 1, 1, 1), 1.33e-4, 6.48e-4),
    "ellipkinc": PaperResult((2, 2, 1, 1), 1.00e-3, (2, 2, 1, 1, 1), 1.24e-4, 5.52e-4),
    "ellipeinc": PaperResult((2, 2, 1, 1), 8.36e-5, (2, 2, 1, 1), 8.26e-5, 3.04e-4),
    "jv": PaperResult((2, 2, 1), 4.93e-3, (2, 3, 1, 1, 1), 1.64e-3, 5.52e-3),
    "yv": PaperResult((2, 3, 1), 1.89e-3, (2, 2, 2, 1), 1.49e-5, 3.45e-4),
    "kv": PaperResult((2, 1, 1), 4.89e-3, (2, 2, 1), 2.52e-5, 1.67e-4),
    "iv": PaperResult((2, 4, 3, 2, 1, 1), 9.28e-3, (2, 4, 3, 2, 1, 1), 9.28e-3, 1.07e-2),
    "lpmv_0": PaperResult((2, 2, 1), 5.25e-5, (2, 2, 1), 5.25e-5, 1.74e-2),
    "lpmv_1": PaperResult((2, 4, 1), 6.90e-4, (2, 4, 1), 6.90e-4, 1.50e-3),
    "lpmv_2": PaperResult((2, 2, 1), 4.88e-3, (2, 3, 2, 1), 2.26e-4, 9.43e-4),
    "sph_harm_0_1": PaperResult((2, 1, 1), 2.21e-7, (2, 1, 1), 2.21e-7, 1.25e-6),
    "sph_harm_1_1": PaperResult((2, 2, 1), 7.86e-4, (2, 3, 2, 1), 1.22e-4, 6.70e-4),
    "sph_harm_0_2": PaperResult((2, 1, 1), 1.95e-7, (2, 1, 1), 1.95e-7, 2.85e-6),
    "sph_harm_1_2": PaperResult((2, 2, 1), 4.70e-4, (2, 2, 1, 1), 1.50e-5, 1.84e-3),
    "sph_harm_2_2": PaperResult((2, 2, 1), 1.12e-3, (2, 2, 3, 2, 1), 9.45e-5, 6.21e-4),
}


class Domain(NamedTuple):
    """The box on which a function is sampled, its inputs' names, and the reason for it."""

    input_names: tuple[str, str]
    ranges: tuple[tuple[float, float], tuple[float, float]]
    note: str


PERIOD = Domain(
    ("u", "m"),
    ((0.0, 4.0), (0.0, 0.9)),
    "The half period in u grows from 3.1 at m = 0 to 5.2 at m = 0.9; the singularity at m = 1 is "
    "outside.",
)
QUARTER = Domain(
    ("phi", "m"),
    ((0.0, pi / 2), (0.0, 0.9)),
    "phi up to pi/2, where the integrals are complete; m up to 0.9 keeps the singularity at m = 1 "
    "outside.",
)
BESSEL = Domain(
    ("v", "x"),
    ((0.0, 2.0), (1.0, 6.0)),
    "Orders 0 to 2; x from 1 keeps the singularity at x = 0 outside, which J and I have too at "
    "orders between; x up to 6 shows about one oscillation.",
)
LEGENDRE = Domain(
    ("v", "x"),
    ((0.0, 2.0), (-0.9, 0.9)),
    "Degrees 0 to 2; x from -0.9 to 0.9 keeps the singularities at -1 and 1 outside.",
)
SPHERE = Domain(
    ("theta", "phi"),
    ((0.0, 2 * pi), (0.0, pi)),
    "The whole sphere: theta is the azimuth and phi the polar angle, as in scipy.special.sph_harm.",
)


def special_functions() -> tuple[Problem, ...]:
    """Return the special functions in the order of the paper's Table 1."""
    return (*_elliptic(), *_bessel(), *_legendre(), *_harmonics())


def _elliptic() -> Iterator[Problem]:
    """Yield sn and the incomplete elliptic integrals; m is the parameter, the modulus squared."""
    title = "Jacobian elliptic function sn"
    yield _special("ellipj", title, "sn(u | m)", PERIOD, lambda s, u, m: s.ellipj(u, m)[0])
    title = "Incomplete elliptic integral of the first kind"
    yield _special("ellipkinc", title, "F(phi | m)", QUARTER, lambda s, p, m: s.ellipkinc(p, m))
    title = "Incomplete elliptic integral of the second kind"
    yield _special("ellipeinc", title, "E(phi | m)", QUARTER, lambda s, p, m: s.ellipeinc(p, m))


def _bessel() -> Iterator[Problem]:
    """Yield the Bessel functions of real order v."""
    title = "Bessel function of the first kind"
    yield _special("jv", title, "J_v(x)", BESSEL, lambda s, v, x: s.jv(v, x))
    title = "Bessel function of the second kind"
    yield _special("yv", title, "Y_v(x)", BESSEL, lambda s, v, x: s.yv(v, x))
    title = "Modified Bessel function of the second kind"
    yield _special("kv", title, "K_v(x)", BESSEL, lambda s, v, x: s.kv(v, x))
    title = "Modified Bessel function of the first kind"
    yield _special("iv", title, "I_v(x)", BESSEL, lambda s, v, x: s.iv(v, x))


def _legendre() -> Iterator[Problem]:
    """Yield the associated Legendre functions of real degree v and orders m = 0, 1, 2."""
    for m in (0, 1, 2):
        title = f"Associated Legendre function (m = {m})"
        call = partial(_associated_legendre, m)
        yield _special(f"lpmv_{m}", title, f"P_v^{m}(x)", LEGENDRE, call)


def _harmonics() -> Iterator[Problem]:
    """Yield the spherical harmonics; those with m = 0 depend on phi alone, so one node will do."""
    for m, n in ((0, 1), (1, 1), (0, 2), (1, 2), (2, 2)):
        title = f"Spherical harmonic (m = {m}, n = {n}), real part"
        formula = f"Re Y_{n}^{m}(theta, phi)"
        call = partial(_real_harmonic, m, n)
        problem = _special(f"sph_harm_{m}_{n}", title, formula, SPHERE, call)
        yield problem if m else replace(problem, widths=(2, 1, 1))


def _associated_legendre(m: int, special: Any, v: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return P_v^m(x) with the Condon-Shortley phase (-1)^m."""
    return np.asarray(special.lpmv(m, v, x))


def _real_harmonic(m: int, n: int, special: Any, theta: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Return the real part of the spherical harmonic of order m >= 0 and degree n.

    Written out by NIST DLMF 14.30.1, for SciPy has renamed its function and turned its arguments.
    """
    size = sqrt((2 * n + 1) / (4 * pi) * factorial(n - m) / factorial(n + m))
    return np.asarray(size * special.lpmv(m, n, np.cos(phi)) * np.cos(m * theta))


def _special(
    name: str, title: str, formula: str, domain: Domain, call: Callable[[Any, Any, Any], Any]
) -> Problem:
    """Return one entry; ``call`` takes the module scipy.special and one array per input."""
    return Problem(
        name=name,
        title=title,
        formula=formula,
        f=scipy_function(call),
        ranges=domain.ranges,
        input_names=domain.input_names,
        widths=(2, 5, 1),
        source=SOURCE,
        range_note=domain.note,
        paper=TABLE_1[name],
    )
