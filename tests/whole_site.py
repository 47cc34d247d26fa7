"""Documentation and course as one site: is a link broken, does axe-core find a serious fault?

``python -m tests.whole_site site`` looks at a site that ``python -m sphinx -W -t course docs site``
has built. In the gate the notebooks' own tests leave their pages there (``KANVIZ_SITE``), and
``--finish`` adds the first page of the course.
"""

import argparse
import re
import sys
import time
from collections.abc import Iterable
from html.parser import HTMLParser
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parent))

from browser.site import serious_faults

from kanviz.course.site import write_site

LEFT_OUT = ("genindex.html", "search.html")
"""Pages that Sphinx fills by its own script."""

LOOKED_AT_ELSEWHERE = ("playground.html",)
"""Its diagram is drawn a moment after the page; a test of its own waits for that."""


class Links(HTMLParser):
    """Collects what a page leads to, and what can be led to in it."""

    def __init__(self, page: Path) -> None:
        super().__init__()
        self.links: list[str] = []
        self.places: set[str] = set()
        self.feed(page.read_text("utf-8"))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take down links, sources and ids."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.links.append(value)
            elif name == "id" and value:
                self.places.add(value)


def pages_of(site: Path) -> list[Path]:
    """Return the pages of a site that are read; those in ``live`` are shown within them."""
    return sorted(page for page in site.resolve().rglob("*.html") if "live" not in page.parts)


def broken_links(pages: Iterable[Path]) -> list[tuple[str, str]]:
    """Return page and link of what leads nowhere; links to other sites are not followed."""
    read = {page: Links(page) for page in pages}
    broken = []
    for page, found in read.items():
        for link in found.links:
            file, _, place = link.partition("#")
            if re.match(r"[a-z]+:", link) or page.name in LEFT_OUT:
                continue
            target = (page.parent / file.split("?")[0]).resolve() if file else page
            is_there = target.is_file() and (
                not place or target not in read or place in read[target].places
            )
            if not is_there:
                broken.append((page.name, link))
    return broken


def main() -> int:
    """Look at a site; return 1 where something is wrong with it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("site", type=Path)
    parser.add_argument("--finish", action="store_true", help="write the course's first page")
    parser.add_argument("--live", action="store_true", help="also each live picture on its own")
    asked = parser.parse_args()
    began = time.monotonic()
    site = asked.site.resolve()
    if asked.finish:
        notebooks = Path(__file__).parent.parent / "notebooks"
        write_site(notebooks, site / "course", print, keep=True, home="../index.html")
    pages = pages_of(site)
    looked_at = [page for page in pages if page.name not in LOOKED_AT_ELSEWHERE]
    live = sorted(site.rglob("live/*.html")) if asked.live else []
    wrong = [": ".join(each) for each in broken_links(pages)]
    for page, faults in serious_faults([*looked_at, *live], in_turn=True).items():
        wrong += [f"{page}: {fault}" for fault in faults]
    print(*wrong, sep="\n")
    seconds = time.monotonic() - began
    print(f"{len(pages) + len(live)} pages, {len(wrong)} faults, {seconds:.0f} s")
    return 1 if wrong or not pages else 0


if __name__ == "__main__":
    raise SystemExit(main())
