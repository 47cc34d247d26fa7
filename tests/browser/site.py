"""What axe-core finds of serious faults in the pages of a site.

    python tests/browser/site.py site

looks at every page of the folder ``site``, light on a desk and dark on a phone.
"""

import importlib.resources
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from browser.chromium import chromium
from browser.pages import AUDIT

LOOKS: dict[str, dict[str, Any]] = {
    "light": {"color_scheme": "light", "viewport": {"width": 1280, "height": 900}},
    "dark phone": {"color_scheme": "dark", "viewport": {"width": 390, "height": 844}},
}


def serious_faults(pages: Iterable[Path], *, in_turn: bool = False) -> dict[str, list[str]]:
    """Return the faults by page and look; nothing where there are none.

    Each page is looked at in all looks, or takes them ``in_turn``, in half the time.
    """
    paths = list(pages)
    axe = (importlib.resources.files("axe_playwright_python") / "axe.min.js").read_text("utf-8")
    found = {}
    with chromium() as browser:
        for n, (look, options) in enumerate(LOOKS.items()):
            # Pages may not run what is not theirs; the audit is not theirs.
            context = browser.new_context(bypass_csp=True, **options)
            page = context.new_page()
            for path in paths[n :: len(LOOKS)] if in_turn else paths:
                page.goto(path.as_uri(), wait_until="load")
                page.evaluate(axe)
                faults = page.evaluate(f"() => ({AUDIT})(document)")
                if faults:
                    found[f"{path.name}, {look}"] = faults
            context.close()
    return found


def main(folder: Path) -> None:
    """Print the faults of all pages."""
    pages = [path for path in sorted(folder.rglob("*.html")) if "live" not in path.parts]
    found = serious_faults(pages)
    lines = [f"{page}\n  " + "\n  ".join(faults) for page, faults in found.items()]
    lines.append(f"{len(pages)} pages: {len(found)} of {len(LOOKS) * len(pages)} looks have faults")
    print("\n".join(lines))  # noqa: T201 - a command


if __name__ == "__main__":
    main(Path(sys.argv[1]))
