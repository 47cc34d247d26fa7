"""The front end has the constants and the colours of Python."""

import pytest

from kanviz.live.tokens import COMMAND, SOURCE, css, typescript
from kanviz.theme import DARK, LIGHT, Theme


def test_the_committed_files_are_what_python_writes() -> None:
    assert (SOURCE / "tokens.ts").read_text("utf-8") == typescript(), f"run: {COMMAND}"
    assert (SOURCE / "ui" / "colors.css").read_text("utf-8") == css(), f"run: {COMMAND}"


def luminance(color: str) -> float:
    """Return the relative luminance of a colour (WCAG 2.2)."""
    shares = [channel / 255 for channel in bytes.fromhex(color[1:])]
    linear = [s / 12.92 if s <= 0.04045 else ((s + 0.055) / 1.055) ** 2.4 for s in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a: str, b: str) -> float:
    high, low = sorted((luminance(a), luminance(b)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("ground", ["paper", "panel"])
def test_words_and_curves_stand_out_from_their_ground(theme: Theme, ground: str) -> None:
    under = getattr(theme, ground)
    for name in ("ink", "muted", "spline", "symbolic", "accent", "warn", "good"):
        assert contrast(getattr(theme, name), under) >= 4.5, name
    assert contrast(theme.pruned, under) >= 3
    assert contrast(theme.on_accent, theme.accent) >= 4.5
