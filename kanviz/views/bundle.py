"""Where the front end lies: one script and one style sheet, made from ``frontend/``."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
SCRIPT, STYLE = STATIC / "explorer.js", STATIC / "explorer.css"
