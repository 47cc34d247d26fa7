"""CSV files as text: delimiters, quotes, encodings; and each file that cannot be used."""

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from make_data import make_column, read_text

from kanviz.data import from_csv


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.csv"


class TestReading:
    def test_numbers_and_names_are_read(self, path: Path) -> None:
        data = read_text(path, "a,b,y\n1,2.5,3\n-4e1,.5,6\n")
        assert data.x.tolist() == [[1, 2.5], [-40, 0.5]]
        assert data.y.tolist() == [[3], [6]]
        assert data.input_names == ("a", "b")
        assert data.output_names == ("y",)
        assert data.notes == ()

    @pytest.mark.parametrize("mark", [",", ";", "\t"], ids=["comma", "semicolon", "tab"])
    def test_every_delimiter_is_found(self, path: Path, mark: str) -> None:
        data = read_text(path, "a,b,y\n1,2,3\n4,5,7\n".replace(",", mark))
        assert data.x.tolist() == [[1, 2], [4, 5]]

    def test_a_delimiter_within_a_quoted_name_does_not_count(self, path: Path) -> None:
        data = read_text(path, '"a;b;c",y\n1,2\n3,4\n')
        assert data.input_names == ("a;b;c",)

    def test_decimal_commas_are_read_where_the_delimiter_allows_and_told(self, path: Path) -> None:
        data = read_text(path, "a;y\n1,5;2,5\n-3;4\n")
        assert data.x.tolist() == [[1.5], [-3]]
        assert data.y.tolist() == [[2.5], [4]]
        assert data.notes == (
            "y: decimal commas read as points.",
            "a: decimal commas read as points.",
        )

    @given(st.lists(st.integers(-(10**8), 10**8), min_size=3, max_size=8, unique=True))
    def test_points_beside_decimal_commas_stand_between_groups(
        self, tmp_path_factory: pytest.TempPathFactory, numbers: list[int]
    ) -> None:
        path = tmp_path_factory.mktemp("grouped") / "data.csv"
        written = [f"{number:,}".replace(",", ".") for number in numbers]
        rows = "".join(f"{text};{n},5\n" for n, text in enumerate(written))
        data = read_text(path, f"a;y\n{rows}")
        assert data.x[:, 0].double().tolist() == torch.tensor(numbers).float().tolist()
        grouped = [text for text in written if "." in text]
        told = any("points between groups of digits left out" in note for note in data.notes)
        assert told == bool(grouped)

    def test_points_that_make_no_groups_are_decimal_ones(self, path: Path) -> None:
        assert read_text(path, "a;y\n1.5;2,5\n2.250;4\n").x.tolist() == [[1.5], [2.25]]
        assert read_text(path, "a;y\n0.125;2,5\n2.250;4\n").x.tolist() == [[0.125], [2.25]]
        assert read_text(path, "a;y\n1.250;2\n2.375;4\n").x.tolist() == [[1.25], [2.375]]

    def test_a_column_with_both_signs_for_decimals_is_refused(self, path: Path) -> None:
        with pytest.raises(
            ValueError, match=r"one sign for decimals in column 'a'.*'2\.5' in line 3"
        ):
            read_text(path, "a;y\n1,5;2\n2.5;3\n3;4\n")

    @pytest.mark.usefixtures("unchecked")
    @pytest.mark.parametrize(
        ("options", "problem"),
        [
            (
                {"target": None},
                r"target must be the name of a column of data.csv, or several; got None",
            ),
            ({"target": ["y", 3]}, "target must be the name of a column"),
            ({"inputs": 3}, "inputs must be the name of a column"),
            ({"test_fraction": float("nan")}, "test_fraction must be from 0 to below 1 .* got nan"),
            ({"test_fraction": None}, "test_fraction must be from 0 to below 1 .* got None"),
            (
                {"seed": 10**30},
                "seed must be an integer of at most 64 bits; got an integer of more",
            ),
            ({"seed": 0.5}, "seed must be an integer of at most 64 bits; got 0.5"),
            ({"target": "z" * 10**6}, r"target must name columns .{0,300}$"),
        ],
        ids=range(8),
    )
    def test_options_that_make_no_sense_are_one_sentence(
        self, path: Path, options: dict[str, Any], problem: str
    ) -> None:
        path.write_text("a,y\n1,2\n3,4\n5,7\n")
        with pytest.raises(ValueError, match=problem):
            from_csv(path, **({"target": "y"} | options))

    @pytest.mark.parametrize("length", [1000, 100_000, 131_072, 131_073, 10**6])
    def test_a_header_of_any_length_is_read_or_refused(self, path: Path, length: int) -> None:
        path.write_text(f"{'a' * length},y\n1,2\n3,4\n5,7\n")
        with pytest.raises(ValueError, match=r"^data\.csv|^target") as caught:
            from_csv(path, target="z")
        assert len(str(caught.value)) < 400

    @pytest.mark.parametrize(
        "text",
        [
            "\ufeffa,y\n1,2\n3,4\n",
            "a,y\r\n1,2\r\n3,4\r\n",
            "\n\na,y\n\n1,2\n\n3,4\n\n\n",
            " a , y \n 1 , 2 \n 3 , 4 ",
            '"a","y"\n"1","2"\n"3","4"\n',
            "a,y\n1,2\n3,4",
        ],
        ids=["mark", "windows", "blank lines", "blanks", "quotes", "no last line end"],
    )
    def test_files_written_in_many_ways_are_the_same(self, path: Path, text: str) -> None:
        data = read_text(path, text)
        assert data.input_names == ("a",)
        assert data.x.tolist() == [[1], [3]]
        assert data.y.tolist() == [[2], [4]]


class TestEncodings:
    @pytest.mark.parametrize(
        "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
    )
    @pytest.mark.parametrize("way", ["found", "given"])
    def test_letters_are_read_as_they_were_written(
        self, path: Path, encoding: str, way: str
    ) -> None:
        path.write_bytes("Größe;y\r\n1,5;2\r\n3;4,25\r\n".encode(encoding))
        options: dict[str, Any] = {"encoding": encoding} if way == "given" else {}
        data = from_csv(path, target="y", test_fraction=0, normalize=False, **options)
        assert data.input_names == ("Größe",)
        assert data.x.tolist() == [[1.5], [3.0]]
        told = "Read as Windows-1252, for it is no UTF-8 ('Größe')" in "".join(data.notes)
        assert told == (encoding == "cp1252" and way == "found")

    @pytest.mark.parametrize("encoding", ["no-such", "base64", "rot13", ""])
    def test_what_is_no_encoding_is_one_sentence(self, path: Path, encoding: str) -> None:
        with pytest.raises(ValueError, match=r"^encoding must be Python's name of one, such as"):
            read_text(path, "a,y\n1,2\n3,4\n", encoding=encoding)

    def test_the_wrong_encoding_is_one_sentence(self, path: Path) -> None:
        with pytest.raises(ValueError, match="must be text in ASCII; got byte 0xc3 at place 0"):
            read_text(path, "é,y\n1,2\n3,4\n", encoding="ascii")


class TestDelimitersAndDecimals:
    def test_any_character_is_a_delimiter_that_is_given(self, path: Path) -> None:
        data = read_text(path, "a|y\n1,5|2\n3|4\n", delimiter="|")
        assert data.x.tolist() == [[1.5], [3.0]]
        with pytest.raises(ValueError, match=r"^delimiter must be one character; got '\|\|'"):
            read_text(path, "a,y\n1,2\n3,4\n", delimiter="||")

    def test_quoted_decimal_commas_are_read_where_that_is_said(self, path: Path) -> None:
        text = 'a,y\n"1,5",2\n"1.234,25",4\n7.000,"5"\n'
        assert read_text(path, text, decimal=",").x.tolist() == [[1.5], [1234.25], [7000.0]]
        with pytest.raises(ValueError, match="at least one input column"):
            read_text(path, text.replace("7.000", '"x"'))

    def test_a_point_for_decimals_is_refused_where_commas_are_said(self, path: Path) -> None:
        with pytest.raises(ValueError, match=r"numbers in every row .* got '2\.5' in line 3"):
            read_text(path, "a;y\n1,5;2\n2.5;3\n3;4\n4;4\n5;4\n", decimal=",")

    def test_a_comma_is_no_decimal_sign_where_points_are_said(self, path: Path) -> None:
        data = read_text(path, "a;b;y\n1,5;1;2\n3,5;2;4\n", decimal=".")
        assert data.input_names == ("a=3,5", "b")


def days(text: str) -> float:
    """Return the days from 1970 to a time of numpy's."""
    return float((np.datetime64(text) - np.datetime64(0, "s")) / np.timedelta64(1, "D"))


class TestDates:
    @pytest.mark.parametrize(
        ("cells", "wanted", "told"),
        [
            (["2024-02-29", "1969-12-31"], ["2024-02-29", "1969-12-31"], ""),
            (["2024-03", "2024-11"], ["2024-03-01", "2024-11-01"], ""),
            (["2024-03-01 06:30", "2024-03-01T18:00:07.5"], None, ""),
            (["2024-03-01T01:00+02:00", "2024-03-01 01:00Z"], None, ", times turned to UTC"),
            (["1.3.2024", "13.12.2024 7:05"], ["2024-03-01", "2024-12-13T07:05"], ""),
            (["1/3/2024", "1/13/2024"], ["2024-01-03", "2024-01-13"], ", the month first"),
            (["1-3-2024", "13-1-2024"], ["2024-03-01", "2024-01-13"], ", the day first"),
            (["2024/3/1", "2024/12/13"], ["2024-03-01", "2024-12-13"], ""),
        ],
    )
    def test_dates_become_days_since_1970(
        self, path: Path, cells: list[str], wanted: list[str] | None, told: str
    ) -> None:
        if "+02:00" in cells[0]:
            wanted = ["2024-02-29T23:00", "2024-03-01T01:00"]
        data = read_text(path, make_column(cells), dtype=torch.float64)
        expected = [days(one) for one in wanted or [cell.replace(" ", "T") for cell in cells]]
        assert data.input_names == ("a",)
        assert data.x[:, 0].tolist() == pytest.approx(expected, rel=0, abs=1e-9)
        assert data.notes == (f"a: dates as days since 1970-01-01{told}.",)

    @given(
        st.lists(
            st.datetimes(timezones=st.sampled_from([None]) | st.timezones()), min_size=2, max_size=4
        )
    )
    def test_what_python_writes_comes_back(
        self, tmp_path_factory: pytest.TempPathFactory, times: list[Any]
    ) -> None:
        zoned = [time.tzinfo is not None for time in times]
        written = [time.isoformat() for time in times]
        if len(set(zoned)) > 1 or any(len(text) > 32 for text in written):  # an old zone's seconds
            return
        try:
            plain = [time if zone is None else time.astimezone(UTC).replace(tzinfo=None)
                     for time, zone in ((time, time.tzinfo) for time in times)]  # fmt: skip
        except OverflowError:
            return
        if len(set(plain)) < len(plain):
            return
        path = tmp_path_factory.mktemp("dates") / "data.csv"
        data = read_text(path, make_column(written), dtype=torch.float64)
        wanted = [(time - datetime(1970, 1, 1)) / timedelta(days=1) for time in plain]
        assert data.x[:, 0].tolist() == pytest.approx(wanted, rel=1e-15, abs=1e-9)

    def test_a_day_that_may_be_a_month_is_left_out_until_it_is_said(self, path: Path) -> None:
        text = "a,b,y\n1/3/2024,1,1\n2/3/2024,2,2\n\n"
        data = read_text(path, text)
        assert data.input_names == ("b",)
        (note,) = data.notes
        assert note.startswith("a left out: '1/3/2024' may begin with the day or with the month.")
        for day_first, step in ((True, 1.0), (False, 31.0)):
            x = read_text(path, text, day_first=day_first, dtype=torch.float64).x[:, 0]
            assert float(x[1] - x[0]) == step

    def test_gaps_and_targets_are_dates_too(self, path: Path) -> None:
        data = read_text(path, "a,y\n1,2024-01-01\n2,\n3,2024-01-03\n", dtype=torch.float64)
        assert (data.y[1] - data.y[0]).tolist() == [2.0]
        assert data.notes[-1] == "y: dates as days since 1970-01-01."

    def test_one_odd_cell_among_dates_is_named(self, path: Path) -> None:
        for odd in ("2024-02-30", "soon", "2024"):
            cells = [f"2024-01-{day:02}" for day in range(1, 32)]
            cells[6] = odd
            with pytest.raises(ValueError, match=f"must have dates .* got '{odd}' in line 8"):
                read_text(path, make_column(cells))

    def test_times_with_and_without_an_offset_do_not_go_together(self, path: Path) -> None:
        cells = ["2024-01-01T00:00Z", "2024-01-01T00:00"]
        with pytest.raises(ValueError, match="an offset from UTC in every time of column 'a'"):
            read_text(path, make_column(cells))


class TestRefusals:
    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("", "data.csv is empty. It must have a header and rows."),
            ("\n \n", "data.csv is empty. It must have a header and rows."),
            ("a,y\n", "data.csv must have at least 2 rows below its header; got 0."),
            ("1,2\n3,4\n", "must begin with a line of column names; got the numbers ['1', '2']."),
            ("a,a,y\n1,2,3\n4,5,6\n", "must have different column names; got 'a' more than once."),
            ("a,y\n1,2\n3,4,5\n", "must have 2 fields in every row, like its header; got 3 in li"),
            ("a,y\n1,2\n\n3\n", "like its header; got 1 in line 4. Quote fields that hold ','."),
            ('a,y\n1,2\n"3,4\n', "must be well-formed CSV; got 'unexpected end of data' in line"),
            ("a,y\n1,2\n", "data.csv must have at least 2 rows below its header; got 1."),
            ("a,y\n1,2\ninf,3\n", "must have finite numbers in column 'a'; got 'inf' in line 3."),
            ("a,y\n1,2\n1e999,3\n", "finite numbers in column 'a'; got '1e999' in line 3."),
            ("a,y\n1,5\n2,5\n", "target must vary; got one value of 'y' in all rows of data.csv"),
            ("a,y\n1,k\n2,k\n", "target must vary; got one value of 'y' in all rows of data.csv"),
            ("y\n1\n2\n", "data.csv must have at least one input column with numbers or categ"),
            ("a,y\n3,1\n3,2\n", "data.csv must have at least one input column with numbers or"),
            ("a,y\n1,\n2,NA\n", "data.csv must have at least 2 rows with every value; got 0 of 2"),
        ],
    )
    def test_a_file_that_cannot_be_used(self, path: Path, text: str, message: str) -> None:
        with pytest.raises(ValueError, match=re.escape(message)):
            read_text(path, text)

    def test_one_odd_cell_among_many_numbers_is_named(self, path: Path) -> None:
        cells = [str(n) for n in range(99)]
        cells[40] = "12 kg"
        with pytest.raises(ValueError, match=r"column 'a', as in most; got '12 kg' in line 42"):
            read_text(path, make_column(cells))

    def test_a_target_that_is_no_column_is_met_with_the_nearest(self, path: Path) -> None:
        with pytest.raises(ValueError, match=r"got 'prise'\. Did you mean 'price'\?$"):
            read_text(path, "a,price\n1,2\n3,4\n", target="prise")
        with pytest.raises(ValueError, match=r"got 'zzz'\. It has 'a', 'price'\.$"):
            read_text(path, "a,price\n1,2\n3,4\n", target="zzz")

    def test_an_input_that_is_no_column(self, path: Path) -> None:
        with pytest.raises(ValueError, match=r"^inputs must name columns of data\.csv; got 'b'"):
            read_text(path, "a,y\n1,2\n3,4\n", inputs=["b"])
        with pytest.raises(ValueError, match=r"^inputs is empty. Name at least one column"):
            read_text(path, "a,y\n1,2\n3,4\n", inputs=[])

    @pytest.mark.parametrize("name", ["missing.csv", "."])
    def test_no_such_file(self, tmp_path: Path, name: str) -> None:
        with pytest.raises(FileNotFoundError, match=r"^path must be an existing CSV file; got '"):
            from_csv(tmp_path / name, target="y")

    @pytest.mark.parametrize(
        ("raw", "message"),
        [
            (b"a,y\n1,\x81\n", r"must be text in UTF-8; got byte 0x81 at place 6\. Pass encoding="),
            (b"PK\x03\x04a,y\n", r"must be text; got a workbook or an archive .* Save the table"),
            (b"\x1f\x8ba,y\n", r"must be text; got a compressed file"),
            (b"\xff\xfea\x00,\x00y", r"must be text in UTF-16; got byte 0x79 at place 6"),
        ],
    )
    def test_a_file_that_is_no_text(self, path: Path, raw: bytes, message: str) -> None:
        path.write_bytes(raw)
        with pytest.raises(ValueError, match=message):
            from_csv(path, target="y")

    @pytest.mark.usefixtures("unchecked")
    def test_unknown_options(self, path: Path) -> None:
        call: Any = from_csv
        path.write_text("a,y\n1,2\n3,4\n")
        with pytest.raises(ValueError, match=r"^missing must be one of .* Did you mean 'mean'\?"):
            call(path, target="y", missing="means")
        with pytest.raises(ValueError, match=r"^task must be one of"):
            call(path, target="y", task="guess")
        with pytest.raises(ValueError, match=r"^decimal must be one of"):
            call(path, target="y", decimal=";")
        with pytest.raises(TypeError, match="'sep' is called 'delimiter' here"):
            call(path, target="y", sep=";")


@given(
    st.lists(
        st.tuples(*[st.floats(allow_nan=False, allow_infinity=False, width=32)] * 2),
        min_size=2,
        max_size=20,
    )
)
def test_numbers_written_by_python_come_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[float, float]]
) -> None:
    table = np.array(rows)
    if (table == table[0]).all(axis=0).any():
        return
    path = tmp_path_factory.getbasetemp() / "numbers.csv"
    data = read_text(
        path, "a,y\n" + "".join(f"{a!r},{y!r}\n" for a, y in rows), dtype=torch.float64
    )
    assert data.x[:, 0].tolist() == table[:, 0].tolist()
    assert data.y[:, 0].tolist() == table[:, 1].tolist()


@given(st.text(alphabet="a,;\t\"'\n1.\u2028\x00 ", max_size=60))
def test_any_text_is_read_or_refused_in_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    message = refusal(path, "b,y\n" + text)
    assert not message or re.fullmatch(r".* must .*; got .*\. .*[.?]", message, re.DOTALL)


def refusal(path: Path, text: str) -> str:
    """Return the error that reading ``text`` gives, or nothing if it is read."""
    try:
        read_text(path, text)
    except ValueError as error:
        return str(error)
    return ""
