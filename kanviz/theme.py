"""The colours of every picture, light and dark: of figures, pages and the live diagram.

Splines are blue and formulas orange: a pair that stays apart in every common form of colour
blindness and in grey print (Okabe and Ito, Color universal design, 2008). Pruned edges are dashed
too, so that no meaning hangs on colour alone.
"""

from dataclasses import dataclass
from typing import Literal

ThemeName = Literal["light", "dark"]


@dataclass(frozen=True)
class Theme:
    """Named colours as ``#rrggbb``.

    ``paper`` is the background, ``panel`` the ground of a small plot, ``ink`` text and nodes,
    ``muted`` notes and axes, ``hair`` zero lines, ``spline``, ``symbolic`` and ``pruned`` the
    edges by state. In the live diagram ``accent`` is what is selected or probed, ``on_accent``
    letters on it, ``warn`` what goes wrong or is about to go, ``good`` what went well.
    """

    paper: str
    panel: str
    ink: str
    muted: str
    hair: str
    spline: str
    symbolic: str
    pruned: str
    accent: str
    warn: str
    good: str
    on_accent: str


LIGHT = Theme(
    paper="#ffffff",
    panel="#f7f9fc",
    ink="#1d2733",
    muted="#5b6775",
    hair="#d9dfe7",
    spline="#1f5fa8",
    symbolic="#b84a08",
    pruned="#7d8793",
    accent="#7a3fb5",
    warn="#b3261e",
    good="#1c7c4a",
    on_accent="#ffffff",
)

DARK = Theme(
    paper="#12161c",
    panel="#1a2029",
    ink="#e6ebf2",
    muted="#9aa7b6",
    hair="#343e4b",
    spline="#7cb8ff",
    symbolic="#ffa15c",
    pruned="#8791a0",
    accent="#cfa4ff",
    warn="#ff8a80",
    good="#6fd6a0",
    on_accent="#12161c",
)


def blend(color: str, ground: str, share: float) -> str:
    """Return ``share`` of one ``#rrggbb`` colour laid on another.

    Pale lines are mixed rather than see-through: many pale lines over each other stay pale, and
    only what is strong looks strong.
    """
    pairs = zip(bytes.fromhex(color[1:]), bytes.fromhex(ground[1:]), strict=True)
    return "#" + bytes(round(share * c + (1 - share) * g) for c, g in pairs).hex()


THEMES: dict[str, Theme] = {"light": LIGHT, "dark": DARK}


def theme_named(name: str) -> Theme:
    """Return the theme called ``name``.

    Raises
    ------
    ValueError
        If there is no such theme.
    """
    if name not in THEMES:
        raise ValueError(f"theme must be one of {sorted(THEMES)}; got {name!r}.")
    return THEMES[name]
