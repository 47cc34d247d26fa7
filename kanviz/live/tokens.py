"""What the front end takes over from Python: constants of the layout, and the colours.

``python -m kanviz.live.tokens`` writes ``tokens.ts`` and ``ui/colors.css`` of the front end; a test
holds the committed files to what it would write.
"""

import ast
import inspect
import itertools
from dataclasses import fields
from pathlib import Path
from types import ModuleType

from kanviz.layout import labels, legend, marks, paths, picture, places, slots
from kanviz.theme import DARK, LIGHT, Theme

SOURCE = Path(__file__).parent / "frontend" / "src"

COMMAND = "python -m kanviz.live.tokens"

TOKENS: dict[ModuleType, tuple[str, ...]] = {
    places: ("FAINTEST", "SELECTED", "DOUBLE"),
    picture: (
        *("RISE", "SLOPE", "NODE", "NODE_SHARE", "SMALLEST_NODE", "SIDE", "RIM", "LARGEST"),
        *("CAPTION", "LINES", "FEW_LINES", "MANY", "ENOUGH", "LEAST_BOXES", "SIDES"),
        *("BADGE", "BADGE_SHARE", "PRODUCT", "CROSS", "FACTOR", "DROP", "APART", "FACTORS_SHARE"),
    ),
    slots: ("FILL", "GAP", "ROOMY", "NEARLY", "CROWDED"),
    marks: (
        *("GHOST", "CROWD", "PALER", "READABLE", "OUTLINE", "SOFT", "THIN", "THICK", "SLENDER"),
        *("THICKEST", "CONNECTOR", "CORNER", "CORNER_SHARE", "ZERO"),
    ),
    paths: ("MARGIN", "FLAT", "SIGNS"),
    labels: (
        "WIDE_LETTERS",
        "SLIM_LETTERS",
        "SLIM",
        "LAST_NARROW",
        "NARROW",
        "BROAD",
        "WIDE",
        "BROAD_SIGNS",
        "RAISED",
        "BREAKS",
        "MOST_ACCENTS",
    ),
    legend: ("LETTERS", "SMALL", "SECOND", "LEVEL", "LONGEST", "TIGHT", "NAME_ROOM", "BARE"),
}
"""The constants, by the module of ``kanviz.layout`` that has and explains them."""

FROM_NOTEBOOK = {
    "paper": "var(--jp-layout-color0, var(--vscode-editor-background, {color}))",
    "ink": "var(--jp-ui-font-color0, {color})",
}
"""Colours that a notebook overrules with its own, unless the user chose a theme."""


def typescript() -> str:
    """Return the constants as a module, each with its meaning."""
    lines = [f"// Written by `{COMMAND}` from kanviz/layout: change the numbers there.", ""]
    for module, names in TOKENS.items():
        meanings = _meanings(module)
        for name in names:
            meaning = " ".join(meanings[name].split()).replace("``", "`")
            lines.append(f"/** {meaning} */")
            lines.append(f"export const {name} = {_literal(getattr(module, name))};")
        lines.append("")
    return "\n".join(lines)


def css() -> str:
    """Return the colours as custom properties of ``.kv-root``, light and dark."""
    return "\n".join([
        f"/* Written by `{COMMAND}` from kanviz/theme.py: change the colours there. */\n",
        _rule(".kv-root", _properties(LIGHT, FROM_NOTEBOOK)),
        _rule('.kv-root[data-kv-theme="dark"]', _properties(DARK, FROM_NOTEBOOK)),
        "/* A theme that the user chose stands against that of the notebook. */\n",
        _rule(".kv-root.kv-chosen", _properties(LIGHT, {}, only=FROM_NOTEBOOK)),
        _rule(
            '.kv-root.kv-chosen[data-kv-theme="dark"]', _properties(DARK, {}, only=FROM_NOTEBOOK)
        ),
    ])  # fmt: skip


def _properties(theme: Theme, overruled: dict[str, str], only: dict[str, str] | None = None) -> str:
    names = [field.name for field in fields(theme)]
    return "\n".join(
        f"  --kv-{name.replace('_', '-')}: "
        f"{overruled.get(name, '{color}').format(color=getattr(theme, name))};"
        for name in names
        if only is None or name in only
    )


def _rule(selector: str, body: str) -> str:
    return f"{selector} {{\n{body}\n}}\n"


def _meanings(module: ModuleType) -> dict[str, str]:
    """Return the text that stands below each constant; several in one line share theirs."""
    body = ast.parse(inspect.getsource(module)).body
    found: dict[str, str] = {}
    for statement, after in itertools.pairwise(body):
        match statement, after:
            case ast.Assign(targets=[target]), ast.Expr(value=ast.Constant(value=str(text))):
                names = [node.id for node in ast.walk(target) if isinstance(node, ast.Name)]
                found |= dict.fromkeys(names, text)
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=note)):
                found[name] = str(note)
    return found


def _literal(value: object) -> str:
    if isinstance(value, str):
        return '"' + "".join(c if c.isascii() else f"\\u{ord(c):04x}" for c in value) + '"'
    if isinstance(value, dict):
        lines = [f"  {name}: {_literal(item)},\n" for name, item in value.items()]
        return f"{{\n{''.join(lines)}}}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_literal, value))}] as const"
    return f"{value:g}".replace("e-0", "e-")


def main() -> None:
    """Write both files."""
    (SOURCE / "tokens.ts").write_text(typescript(), encoding="utf-8")
    (SOURCE / "ui" / "colors.css").write_text(css(), encoding="utf-8")


if __name__ == "__main__":
    main()
