"""Laws of one and two variables that the field recovers, with the ranges of their sources.

Nguyen: Uy et al., Genetic Programming and Evolvable Machines 12 (2011), table 2. Keijzer: Keijzer,
EuroGP 2003, as McDermott et al., GECCO 2012, table 3 list it. Livermore: Mundhenk et al., NeurIPS
2021 (arXiv 2111.00053), table 10. Where a source trains on 20 points we take 400, evenly spread at
random, as everywhere here. Left out: x^y and others that are no functions of the language.
"""

from accuracy.laws import Law

_WIDE, _UNIT = (-1.0, 1.0), (0.0, 1.0)

_ONE: tuple[tuple[str, str, tuple[float, float]], ...] = (
    ("Nguyen-1", "x_1**3 + x_1**2 + x_1", _WIDE),
    ("Nguyen-2", "x_1**4 + x_1**3 + x_1**2 + x_1", _WIDE),
    ("Nguyen-3", "x_1**5 + x_1**4 + x_1**3 + x_1**2 + x_1", _WIDE),
    ("Nguyen-4", "x_1**6 + x_1**5 + x_1**4 + x_1**3 + x_1**2 + x_1", _WIDE),
    ("Nguyen-5", "sin(x_1**2)*cos(x_1) - 1", _WIDE),
    ("Nguyen-6", "sin(x_1) + sin(x_1 + x_1**2)", _WIDE),
    ("Nguyen-7", "log(x_1 + 1) + log(x_1**2 + 1)", (0.0, 2.0)),
    ("Nguyen-8", "sqrt(x_1)", (0.0, 4.0)),
    ("Keijzer-1", "0.3*x_1*sin(2*pi*x_1)", _WIDE),
    ("Keijzer-7", "log(x_1)", (1.0, 100.0)),
    ("Keijzer-9", "asinh(x_1)", (0.0, 100.0)),
    ("Livermore-1", "1/3 + x_1 + sin(x_1**2)", (-10.0, 10.0)),
    ("Livermore-2", "sin(x_1**2)*cos(x_1) - 2", _WIDE),
    ("Livermore-3", "sin(x_1**3)*cos(x_1**2) - 1", _WIDE),
    ("Livermore-4", "log(x_1 + 1) + log(x_1**2 + 1) + log(x_1)", (0.1, 2.0)),
    ("Livermore-6", "4*x_1**4 + 3*x_1**3 + 2*x_1**2 + x_1", _WIDE),
    ("Livermore-7", "sinh(x_1)", _WIDE),
    ("Livermore-8", "cosh(x_1)", _WIDE),
    ("Livermore-13", "x_1**(1/3)", (0.0, 4.0)),
    ("Livermore-14", "x_1**3 + x_1**2 + x_1 + sin(x_1) + sin(x_1**2)", _WIDE),
    ("Livermore-15", "x_1**(1/5)", (0.0, 4.0)),
    ("Livermore-16", "x_1**(2/5)", (0.0, 4.0)),
    ("Livermore-19", "x_1**5 + x_1**4 + x_1**2 + x_1", _WIDE),
    ("Livermore-20", "exp(-x_1**2)", _WIDE),
    ("Livermore-22", "exp(-0.5*x_1**2)", _WIDE),
)

_TWO: tuple[tuple[str, str, tuple[float, float]], ...] = (
    ("Nguyen-9", "sin(x_1) + sin(x_2**2)", _UNIT),
    ("Nguyen-10", "2*sin(x_1)*cos(x_2)", _UNIT),
    ("Nguyen-12", "x_1**4 - x_1**3 + x_2**2/2 - x_2", _UNIT),
    ("Keijzer-11", "x_1*x_2 + sin((x_1 - 1)*(x_2 - 1))", (-3.0, 3.0)),
    ("Keijzer-14", "8/(2 + x_1**2 + x_2**2)", (-3.0, 3.0)),
    ("Keijzer-15", "x_1**3/5 + x_2**3/2 - x_2 - x_1", (-3.0, 3.0)),
    ("Livermore-5", "x_1**4 - x_1**3 + x_1**2 - x_2", _UNIT),
    ("Livermore-10", "6*sin(x_1)*cos(x_2)", _UNIT),
    ("Livermore-11", "x_1**2*x_2**2/(x_1 + x_2)", (0.1, 1.0)),
)

YARDSTICK: tuple[Law, ...] = (
    *(Law(name, text, (reach,), name.split("-")[0], (1, 5, 1)) for name, text, reach in _ONE),
    *(Law(name, text, (reach, reach), name.split("-")[0]) for name, text, reach in _TWO),
)
"""All with [n, 5, 1] and the other options as README writes them."""
