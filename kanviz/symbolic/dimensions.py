"""Whether a formula can be true of quantities that have units.

Terms that are added are of one dimension, and functions take numbers without one. Numbers of a law
may carry units, as 9.81 m/s^2 does; data without these cannot tell. So a number makes up for what
is missing, and it is said what it would have to be in; only what has no such number is a fault.
What each unit is made of sympy knows.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import sympy

from kanviz.symbolic.functions import default_library
from kanviz.symbolic.printing import to_text

Powers = tuple[sympy.Expr, ...]
"""The exponents of the seven units of ``BASES``."""

BASES = {
    "mass": "kg",
    "length": "m",
    "time": "s",
    "current": "A",
    "temperature": "K",
    "amount_of_substance": "mol",
    "luminous_intensity": "cd",
}
"""What sympy calls a dimension, and its unit."""

NONE: Powers = (sympy.Integer(0),) * len(BASES)

PREFIXES = "YZEPTGMkhdcmunpfazy"


@dataclass(frozen=True)
class Dimensions:
    """What was found of a formula's dimensions.

    Parameters
    ----------
    faults : tuple of str
        Each a clause that says what does not fit.
    numbers : mapping of str to str
        Numbers that would have to carry a unit, and which.
    """

    faults: tuple[str, ...] = ()
    numbers: Mapping[str, str] = field(default_factory=dict)

    @property
    def agree(self) -> bool:
        """Whether nothing speaks against the formula; numbers may carry units."""
        return not self.faults

    def __str__(self) -> str:
        if self.faults:
            return f"dimensions do not agree: {'; '.join(self.faults)}"
        if self.numbers:
            carried = " and ".join(f"{number} in {unit}" for number, unit in self.numbers.items())
            return f"dimensions agree with {carried}"
        return "dimensions agree"


def dimensions_of(
    expression: sympy.Expr, units: Mapping[str, str], result: str | None = None
) -> Dimensions:
    """Return whether a formula's dimensions agree.

    Parameters
    ----------
    expression : sympy.Expr
        Without unknown functions.
    units : mapping of str to str
        The unit of each variable, such as ``"kg*m/s**2"``; ``"1"``, or none, for plain numbers.
    result : str, optional
        The unit of what the formula gives.

    Raises
    ------
    ValueError
        If a unit is not known.

    Examples
    --------
    >>> m, h = sympy.symbols("m h")
    >>> print(dimensions_of(9.81 * m * h, {"m": "kg", "h": "m"}, "J"))
    dimensions agree with 9.81 in m/s**2
    >>> print(dimensions_of(m + h, {"m": "kg", "h": "m"}))
    dimensions do not agree: m is in kg, not m
    """
    known = {name: powers_of(unit) for name, unit in units.items()}
    check = _Check(known)
    if result is None:
        check.of(expression)
    else:
        check.settle(expression, powers_of(result))
    return Dimensions(tuple(dict.fromkeys(check.faults)), check.numbers)


def check_units(units: Mapping[str, str], names: Sequence[str]) -> None:
    """Raise a ValueError where a name or a unit is not known."""
    for name, unit in units.items():
        if name not in names:
            raise ValueError(f"units must be of {', '.join(names)}; got one of {name!r}.")
        powers_of(unit)


@dataclass
class _Check:
    """Walks a formula, and notes what numbers and faults it finds."""

    units: Mapping[str, Powers]
    faults: list[str] = field(default_factory=list)
    numbers: dict[str, str] = field(default_factory=dict)

    def settle(self, part: sympy.Expr, wanted: Powers) -> None:
        """Note what has to be for a part to be of a dimension."""
        if part.is_Add:
            for term in _in_order(part):
                self.settle(term, wanted)
            return
        number, rest = part.as_coeff_Mul()
        sums = [factor for factor in sympy.Mul.make_args(rest) if factor.is_Add]
        if abs(number) == 1 and len(sums) == 1 and rest.is_Mul:
            (inner,) = sums
            others = self.of(sympy.Mul(*(one for one in rest.args if one != inner)))
            self.settle(inner, _over(wanted, others))
            return
        found = self.of(rest)
        if found == wanted or part == 0:
            return
        if abs(number) == 1 and not part.is_number:
            self.faults.append(f"{to_text(part)} is in {_text(found)}, not {_text(wanted)}")
        else:
            shown = to_text(abs(number) if rest == 1 or not part.is_number else part)
            self.numbers[shown] = _text(_over(wanted, found))

    def of(self, part: sympy.Expr) -> Powers:
        """Return the dimension of a part, in which numbers have none if they need not."""
        if part.is_Symbol:
            return self.units.get(part.name, NONE)
        if part.is_Mul:
            powers = NONE
            for factor in part.args:
                powers = _times(powers, self.of(factor))
            return powers
        if part.is_Pow and part.exp.is_number:
            return tuple(power * part.exp for power in self.of(part.base))
        if part.is_Add:
            terms = _in_order(part)
            wanted = self.of(terms[0])
            self.settle(sympy.Add(*terms[1:], evaluate=False), wanted)
            return wanted
        if isinstance(part, sympy.Abs | sympy.Max):
            return self.of(next(one for one in part.args if not one.is_number))
        for inner in part.args:  # sine and its like, and an exponent that varies with its base
            self._settle_number(inner, part)
        return NONE

    def _settle_number(self, inner: sympy.Expr, whole: sympy.Expr) -> None:
        """Note what has to be for a part, of which a function is taken, to have no dimension."""
        count = len(self.faults)
        self.settle(inner, NONE)
        if len(self.faults) > count:
            text = _text(self.of(inner))
            self.faults[count:] = [f"{to_text(whole)} takes a number, not {text}"]


def _in_order(total: sympy.Expr) -> list[sympy.Expr]:
    """Return the terms of a sum, those without a number first: it could carry any unit."""

    def freedom(term: sympy.Expr) -> tuple[int, str]:
        number, rest = term.as_coeff_Mul()
        kind = 3 if rest == 1 else 2 if number.is_Float else int(abs(number) != 1)
        return kind, to_text(term)

    return sorted(total.args, key=freedom)


def _times(one: Powers, other: Powers) -> Powers:
    return tuple(p + q for p, q in zip(one, other, strict=True))


def _over(one: Powers, other: Powers) -> Powers:
    return tuple(p - q for p, q in zip(one, other, strict=True))


def _text(powers: Powers) -> str:
    """Return a unit as one writes it, ``1`` for none."""
    letters = sympy.symbols(list(BASES.values()), positive=True)
    return to_text(
        sympy.Mul(*(letter**power for letter, power in zip(letters, powers, strict=True)))
    )


@lru_cache(maxsize=1024)
def powers_of(unit: str) -> Powers:
    """Return what a unit is made of.

    Raises
    ------
    ValueError
        If it is not known.

    Examples
    --------
    >>> powers_of("kN") == powers_of("kg*m/s**2")
    True
    """
    names = sorted(set(re.findall(r"[A-Za-z]+", unit)))
    found = {name: _powers_of_name(name, unit) for name in names}
    try:
        read = default_library().parse(unit.replace("^", "**"), variables=names)
    except ValueError:
        raise _unknown(unit) from None
    check = _Check(found)
    powers = check.of(read)
    if check.faults or check.numbers:  # a sum, or a function
        raise _unknown(unit)
    return powers


def _powers_of_name(name: str, unit: str) -> Powers:
    from sympy.physics import units  # takes a moment, and few need it

    system = units.systems.SI.get_dimension_system()
    for known in (name, name[1:] if name[0] in PREFIXES else name):
        quantity = getattr(units, known, None) if known else None
        if isinstance(quantity, units.Quantity):
            powers = system.get_dimensional_dependencies(
                units.systems.SI.get_quantity_dimension(quantity)
            )
            by_name = {str(one.name): power for one, power in powers.items()}
            return tuple(sympy.sympify(by_name.get(base, 0)) for base in BASES)
    raise _unknown(unit)


def _unknown(unit: str) -> ValueError:
    return ValueError(
        f"units must be of the SI, or known by it, such as 'kg*m/s**2' or 'kJ'; got {unit!r}."
    )
