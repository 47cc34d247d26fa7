"""The small real data set that comes with kanviz."""

from pathlib import Path

from kanviz.checks import check_choice


def example_path(name: str = "penguins") -> Path:
    """Return the path of a CSV file that comes with kanviz, for ``from_csv``.

    ``"penguins"``: 344 penguins of three species, with bill, flipper and body sizes, island, sex
    and year, and a few missing values. ``examples/README.md`` beside it tells source and licence.

    Raises
    ------
    ValueError
        If there is no such example.

    Examples
    --------
    >>> from kanviz.data.table import from_csv
    >>> data = from_csv(example_path(), target="species", inputs=["bill_length_mm", "body_mass_g"])
    >>> data.class_names
    ('Adelie', 'Chinstrap', 'Gentoo')
    """
    folder = Path(__file__).parent / "examples"
    check_choice("name", name, sorted(file.stem for file in folder.glob("*.csv")))
    return folder / f"{name}.csv"
