"""Where the front ends lie: each one script and one style sheet, made from ``frontend/``."""

from pathlib import Path

STATIC = Path(__file__).parent / "static"
SCRIPT, STYLE = STATIC / "explorer.js", STATIC / "explorer.css"
TEACHING_SCRIPT, TEACHING_STYLE = STATIC / "teaching.js", STATIC / "teaching.css"
