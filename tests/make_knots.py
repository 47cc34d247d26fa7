"""Write the table of knots that comes with kanviz; run once, with SnapPy installed beside it.

``pip install snappy``, then ``python tests/make_knots.py kanviz/data/examples/knots.csv``: some
minutes. Every number is computed here from the diagrams of the knots.
"""

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import snappy

MOST_CROSSINGS = 12
ZERO = 1e-9
"""Below this a number is rounding."""
COLUMNS = (
    "name", "crossings", "volume", "cusp_volume",
    "meridian_real", "meridian_imag", "longitude", "signature",
)  # fmt: skip


def signature_of(link: "snappy.Link") -> int:
    """Return the signature of V + V^T, V a Seifert matrix of the diagram."""
    seifert = np.array(link.seifert_matrix(), dtype=float)
    values = np.linalg.eigvalsh(seifert + seifert.T)
    return int((values > 1e-9).sum() - (values < -1e-9).sum())


def row_of(name: str, manifold: "snappy.Manifold") -> tuple[object, ...] | None:
    """Return a line of the table; None for a knot whose complement is not hyperbolic."""
    link = manifold.link()
    # From the very diagram that the signature is of: a mirror image turns the sign of both.
    exterior = link.exterior()
    if exterior.solution_type() != "all tetrahedra positively oriented":
        return None
    cusp = exterior.cusp_neighborhood()
    cusp.set_displacement(cusp.stopping_displacement())
    meridian, longitude = (complex(one) for one in cusp.translations())
    meridian *= abs(longitude) / longitude  # turned so that the longitude is real
    numbers = [float(exterior.volume()), float(cusp.volume())]
    numbers += [meridian.real, meridian.imag, abs(longitude)]
    crossings = len(link.crossings)
    texts = (f"{0.0 if abs(number) < ZERO else number:.5g}" for number in numbers)
    return (name, crossings, *texts, signature_of(link))


def main() -> None:
    """Write the file named on the command line."""
    import snappy  # not among what tests need, which read this file for examples

    with Path(sys.argv[1]).open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(COLUMNS)
        for manifold in snappy.HTLinkExteriors(knots_vs_links="knots"):
            name = manifold.name()
            if int(name.strip("K").partition("a")[0].partition("n")[0]) > MOST_CROSSINGS:
                break
            row = row_of(name, manifold)
            if row is not None:
                table.writerow(row)


if __name__ == "__main__":
    main()
