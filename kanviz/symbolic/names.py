"""How the names of columns stand in formulas: each reads as itself and as nothing else.

A column may be called ``T-T0``, ``pi`` or ``heat flux [W/m^2]``. In text such names stand between
backquotes, as in data frames and SQL. In LaTeX and MathML a letter with a subscript is set as one;
where two names would look alike, or a name like a function or constant, it is set as it is written.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from kanviz.symbolic.language import CONSTANTS, WORDS

_LETTER = re.compile(r"([A-Za-z])_?(\d+(?:_\d+)*)?", re.ASCII)
_WORD_BELOW = re.compile(r"([A-Za-z])_([A-Za-z][A-Za-z0-9]*)", re.ASCII)
_WITH_UNIT = re.compile(r"(.*\S)\s*\[([^\[\]]+)\]")
_UNIT = re.compile(r"[A-Za-z0-9/^*().,%µμ°Ω·+ -]+")

_GREEK = (
    "alpha|beta|gamma|delta|epsilon|zeta|eta|theta|iota|kappa|lambda|mu|nu|xi|rho|sigma|tau|"
    "upsilon|phi|chi|psi|omega|Gamma|Delta|Theta|Lambda|Xi|Sigma|Upsilon|Phi|Psi|Omega"
)
_GREEK_LETTER = re.compile(rf"({_GREEK})_?(\d+(?:_\d+)*)?", re.ASCII)


def is_taken(name: str) -> bool:
    """Return whether a name is that of a function or a constant, however it is written.

    >>> is_taken("sin"), is_taken("J_0"), is_taken("E"), is_taken("time")
    (True, True, True, False)
    """
    return name in WORDS or name in CONSTANTS or re.fullmatch(r"[Jj]_?\d+", name) is not None


def text_name(name: str) -> str:
    """Return a name for a line of text.

    >>> text_name("x_1"), text_name("T-T0"), text_name("pi")
    ('x_1', '`T-T0`', '`pi`')
    """
    if name.isidentifier() and name not in WORDS and name not in CONSTANTS:
        return name
    return "`" + name.replace("`", "``") + "`"


def latex_names(names: Iterable[str]) -> dict[str, str]:
    r"""Return LaTeX for each name, different for different ones.

    >>> latex_names(["x_1", "T_max", "heat flux [W/m^2]"])["heat flux [W/m^2]"]
    '\\text{heat flux}\\,[\\mathrm{W/m^{2}}]'
    """
    return _different(names, _latex, _latex_as_written)


def alike(names: Iterable[str]) -> frozenset[str]:
    """Return the names that are to be set as they are written, lest two look alike.

    >>> sorted(alike(["x_1", "x1", "x_2", "e"]))
    ['e', 'x1']
    """
    plain = _different(names, lambda name: _subscripted(name) or name, lambda name: f"={name}")
    return frozenset(name for name, found in plain.items() if found == f"={name}")


def _different(
    names: Iterable[str], pretty: Callable[[str], str], as_written: Callable[[str], str]
) -> dict[str, str]:
    """Return the pretty form of each name, and as it is written where that is not its own."""
    distinct = list(dict.fromkeys(names))
    found: dict[str, str] = {name: pretty(name) for name in distinct}
    owners: Mapping[str, str] = {
        form: name for name, form in reversed(found.items()) if _subscripted(name) in (None, name)
    }
    counts = Counter(found.values())
    for name, form in found.items():
        is_owner = owners.get(form) == name
        if is_taken(name) or (counts[form] > 1 and not is_owner):
            found[name] = as_written(name)
    forms: set[str] = set()
    for name, form in found.items():  # such as "a b" with one blank and with two
        unique, number = form, 2
        while unique in forms:
            unique, number = rf"{form}_{{({number})}}", number + 1
        forms.add(unique)
        found[name] = unique
    return found


def _subscripted(name: str) -> str | None:
    """Return ``x_1`` for ``x1`` and ``x_1``; None for a name that has no such form."""
    match = _LETTER.fullmatch(name) or _GREEK_LETTER.fullmatch(name)
    if match is None:
        return None
    return f"{match[1]}_{match[2]}" if match[2] else match[1]


def _latex(name: str) -> str:
    """Return a name as it should look; others may look the same."""
    if match := _LETTER.fullmatch(name):
        return match[1] + _below(match[2])
    if match := _GREEK_LETTER.fullmatch(name):
        return rf"\{match[1]}" + _below(match[2])
    if match := _WORD_BELOW.fullmatch(name):
        return rf"{match[1]}_{{\mathrm{{{match[2]}}}}}"
    if match := _WITH_UNIT.fullmatch(name):
        return rf"{_latex(match[1])}\,[{_unit(match[2])}]"
    return _latex_as_written(name)


def _below(number: str | None) -> str:
    return f"_{{{number.replace('_', ',')}}}" if number else ""


def _unit(unit: str) -> str:
    r"""Return a unit upright, as in \mathrm{W/m^{2}}."""
    if not _UNIT.fullmatch(unit) or re.search(r"\^(?!-?\d)", unit):
        return _as_text(unit)
    upright = re.sub(r"(?:\^|\*\*)(-?\d+)", r"^{\1}", unit)
    for sign, latex in (
        ("*", r"{\cdot}"),
        ("·", r"{\cdot}"),
        (" ", r"\,"),
        ("%", r"\%"),
        ("µ", r"{\mu}"),
        ("μ", r"{\mu}"),
        ("°", r"{^{\circ}}"),
        ("Ω", r"{\Omega}"),
    ):
        upright = upright.replace(sign, latex)
    return rf"\mathrm{{{upright}}}"


def _latex_as_written(name: str) -> str:
    if is_taken(name):
        return rf"\text{{`{_escaped(name)}'}}"
    if re.fullmatch(r"[A-Za-z]\w*", name, re.ASCII):
        return rf"\mathrm{{{_escaped(name)}}}"
    return _as_text(name or "''")


def _as_text(name: str) -> str:
    return rf"\text{{{_escaped(name)}}}"


def _escaped(name: str) -> str:
    """Return a name with nothing in it that LaTeX would act on."""
    escaped = re.sub(r"[\\{}$&#^_%~]", lambda match: rf"\{match.group()}", name)
    return re.sub(r"\\([\\^~])", r"\\char`\\\1 ", escaped)
