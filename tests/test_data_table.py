"""CSV files as datasets: numbers, categories, classes, gaps, and the note on each treatment."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from make_data import make_column, read_text
from torch.testing import assert_close

from kanviz.data import example_path, from_csv
from kanviz.data.arrays import MAX_CATEGORIES


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data.csv"


class TestNumbers:
    def test_several_targets_are_columns(self, path: Path) -> None:
        data = read_text(path, "a,y,z\n1,2,3\n4,5,6\n", target=["z", "y"])
        assert data.output_names == ("z", "y")
        assert data.y.tolist() == [[3, 2], [6, 5]]
        assert data.input_names == ("a",)

    def test_inputs_can_be_chosen_in_order(self, path: Path) -> None:
        data = read_text(path, "a,b,c,y\n1,2,3,4\n5,6,7,8\n", inputs=["c", "a"])
        assert data.input_names == ("c", "a")
        assert data.x.tolist() == [[3, 1], [7, 5]]

    def test_it_is_scaled_by_default_and_the_way_back_is_kept(self, path: Path) -> None:
        data = read_text(path, "a,y\n10,5\n30,9\n", normalize=True)
        assert data.x.tolist() == [[-1], [1]]
        assert data.y.tolist() == [[-1], [1]]
        assert data.to_user_inputs(data.x).tolist() == [[10], [30]]
        assert data.to_user_outputs(data.y).tolist() == [[5], [9]]

    def test_the_dtype_asked_for(self, path: Path, dtype: torch.dtype) -> None:
        assert read_text(path, "a,y\n1,2\n3,4\n", dtype=dtype).x.dtype == dtype

    def test_a_part_is_kept_for_testing(self, path: Path) -> None:
        data = read_text(path, make_column([str(n) for n in range(50)]), test_fraction=0.2)
        assert data.x_test is not None
        assert data.y_test is not None
        assert len(data.x_test) == 10
        assert torch.equal(data.x_test, data.y_test)
        assert sorted(torch.cat([data.x, data.x_test])[:, 0].tolist()) == list(range(50))


class TestCategories:
    def test_two_categories_are_one_column(self, path: Path) -> None:
        data = read_text(path, "sex,y\nmale,1\nfemale,2\nmale,3\n")
        assert data.input_names == ("sex=male",)
        assert data.x.tolist() == [[1], [0], [1]]
        assert data.notes == ("sex: 1 is male, 0 is female.",)

    def test_more_categories_are_one_column_each(self, path: Path) -> None:
        cells = ["red", "green", "blue", "red", "red", "green"]
        data = read_text(path, make_column(cells, "color"))
        assert data.input_names == ("color=blue", "color=green", "color=red")
        assert data.x.argmax(dim=1).tolist() == [2, 1, 0, 2, 2, 1]
        assert data.x.sum(dim=1).tolist() == [1] * 6
        assert data.notes == ("color: one 0/1 column for each of blue, green, red.",)

    def test_a_comma_within_quotes_is_text(self, path: Path) -> None:
        data = read_text(path, 'a,y\n"x, large",1\nx,2\n')
        assert data.input_names == ("a=x, large",)

    def test_a_line_end_within_quotes_is_text(self, path: Path) -> None:
        assert read_text(path, 'a,y\n"x\nz",1\nx,2\n').input_names == ("a=x\nz",)

    def test_few_texts_among_numbers_make_categories(self, path: Path) -> None:
        data = read_text(path, make_column(["0", "1", "2", "3+"] * 3))
        assert data.input_names == ("a=0", "a=1", "a=2", "a=3+")

    def test_a_number_with_an_underscore_is_text(self, path: Path) -> None:
        assert read_text(path, make_column(["1_0", "2_0"] * 2)).input_names == ("a=2_0",)

    @pytest.mark.parametrize("rows", [10, 1000])
    def test_a_column_of_names_is_left_out_and_told(self, path: Path, rows: int) -> None:
        text = "name,a,y\n" + "".join(f"n{row},{row},{row}\n" for row in range(rows))
        data = read_text(path, text)
        assert data.input_names == ("a",)
        assert data.notes == (f"name left out: {rows} different texts, as 'n0'.",)

    def test_too_many_categories_are_left_out_even_of_many_rows(self, path: Path) -> None:
        text = "city,a,y\n" + "".join(f"c{n % (MAX_CATEGORIES + 1)},{n},{n}\n" for n in range(500))
        assert read_text(path, text).input_names == ("a",)


class TestClasses:
    def test_a_text_target_is_classes(self, path: Path) -> None:
        data = read_text(path, "a,y\n1,no\n2,yes\n3,no\n4,no\n", normalize=True)
        assert data.class_names == ("no", "yes")
        assert data.y.tolist() == [0, 1, 0, 0]
        assert data.notes == ("y is the target with 2 classes: no (3), yes (1).",)

    def test_a_number_target_is_classes_on_request(self, path: Path) -> None:
        text = "a,y\n1,10\n2,9\n3,10.0\n"
        assert not read_text(path, text).is_classification
        data = read_text(path, text, task="classification")
        assert data.class_names == ("9", "10")
        assert data.y.tolist() == [1, 0, 1]

    def test_a_class_in_the_test_part_alone_still_counts(self, path: Path) -> None:
        text = "a,y\n" + "".join(f"{n},{'rare' if n == 3 else 'usual'}\n" for n in range(10))
        for seed in range(20):
            data = read_text(path, text, test_fraction=0.3, seed=seed)
            assert data.class_names == ("rare", "usual")

    def test_a_number_target_with_text_in_it_is_not_taken_for_classes(self, path: Path) -> None:
        rows = "".join(f"{n},{n + 0.5 if n != 7 else 'n.d.'}\n" for n in range(100))
        with pytest.raises(ValueError, match=r"in most; got 'n\.d\.' in line 9"):
            read_text(path, "a,y\n" + rows)

    @pytest.mark.parametrize(
        ("target", "task"), [("y", "regression"), (["y", "z"], "auto"), ("name", "auto")]
    )
    def test_a_target_that_does_not_fit_the_task(self, path: Path, target: Any, task: Any) -> None:
        rows = "".join(f"{n},{'no' if n % 2 else 'yes'},{n * n},n{n}\n" for n in range(100))
        with pytest.raises(ValueError, match=r"^target must be columns of numbers, or for classif"):
            read_text(path, "a,y,z,name\n" + rows, target=target, task=task)


class TestMissingValues:
    TEXT = "a,b,y\n1,x,10\n,z,20\n3,NA,30\n5,x,40\n7,z,?\n9,x,60\n"

    def test_rows_are_left_out_and_told(self, path: Path) -> None:
        data = read_text(path, self.TEXT)
        assert data.y.tolist() == [[10], [40], [60]]
        assert data.x.tolist() == [[1], [5], [9]]
        assert data.notes == (
            "1 of 6 rows left out for missing values (y 1).",
            "2 of 5 rows left out for missing values (a 1, b 1).",
            "b: 1 is x.",
            "b=x left out: one value in every row.",
        )

    def test_they_are_filled_with_means_on_request(self, path: Path) -> None:
        data = read_text(path, self.TEXT, missing="mean")
        assert data.input_names == ("a", "b=z")
        assert data.x.tolist() == [[1, 0], [4.5, 1], [3, 0.25], [5, 0], [9, 0]]
        assert data.notes[-2:] == (
            "a: 1 missing values filled with 4.5.",
            "b=z: 1 missing values filled with 0.25.",
        )

    def test_the_mean_is_that_of_the_training_rows(self, path: Path) -> None:
        cells = ["", *(str(n * n) for n in range(1, 40))]
        data = read_text(path, make_column(cells), missing="mean", test_fraction=0.5)
        assert data.x_test is not None
        assert data.y_test is not None
        known = data.x[data.y[:, 0] != 0]
        every_x, every_y = torch.cat([data.x, data.x_test]), torch.cat([data.y, data.y_test])
        assert_close(every_x[every_y[:, 0] == 0][0], known.mean(dim=0))

    def test_they_are_an_error_on_request(self, path: Path) -> None:
        with pytest.raises(ValueError, match=r"row of column 'y'; got none in line 6. Fill it"):
            read_text(path, self.TEXT, missing="error")
        with pytest.raises(ValueError, match=r"row of column 'a'; got none in line 3"):
            read_text(path, self.TEXT.replace("?", "50"), missing="error")

    @pytest.mark.parametrize(
        "cell", ["", "NA", "na", "N/A", "#N/A", "nan", "NULL", "None", "?", "  "]
    )
    def test_every_way_to_write_it_is_known(self, path: Path, cell: str) -> None:
        assert read_text(path, make_column(["1", cell, "3"])).x.tolist() == [[1], [3]]

    def test_a_gap_in_a_column_that_is_not_used_costs_no_row(self, path: Path) -> None:
        text = "name,b,a,y\n" + "".join(f"n{n if n else ''},,{n},{n}\n" for n in range(9))
        data = read_text(path, text, inputs=["a"])
        assert len(data.x) == 9
        assert read_text(path, text.replace("n,,0", ",,0")).input_names == ("a",)

    def test_no_rows_left_names_the_columns_that_cost_them(self, path: Path) -> None:
        with pytest.raises(ValueError, match=r"got 0 of 3 \(missing: a 2, b 1\)\. Fill"):
            read_text(path, "a,b,y\n,1,1\n2,,2\n,3,3\n")


class TestColumnsLeftOut:
    def test_a_constant_column(self, path: Path) -> None:
        data = read_text(path, "a,b,c,y\n1,5,k,1\n2,5,k,2\n")
        assert data.input_names == ("a",)
        assert data.notes[-2:] == (
            "b left out: one value in every row.",
            "c=k left out: one value in every row.",
        )

    def test_an_empty_column(self, path: Path) -> None:
        data = read_text(path, "a,b,y\n1,,1\n2,NA,2\n")
        assert data.input_names == ("a",)
        assert data.notes == ("b left out: it has no values.",)

    def test_a_column_without_a_name(self, path: Path) -> None:
        data = read_text(path, ",a,y\n0,1,1\n1,2,2\n")
        assert data.input_names == ("a",)
        assert data.notes == ("A column left out: it has no name.",)


class TestPenguins:
    def test_species_from_the_example(self) -> None:
        data = from_csv(example_path("penguins"), target="species")
        assert data.class_names == ("Adelie", "Chinstrap", "Gentoo")
        assert data.x_test is not None
        assert len(data.x) + len(data.x_test) == 333
        assert data.input_names[-2:] == ("sex=male", "year")

    def test_body_mass_from_the_example_as_pandas_reads_it(self) -> None:
        names = ["flipper_length_mm", "bill_length_mm"]
        data = from_csv(
            example_path(),
            target="body_mass_g",
            inputs=names,
            test_fraction=0,
            dtype=torch.float64,
        )
        table = pd.read_csv(example_path())[[*names, "body_mass_g"]].dropna()
        masses = table["body_mass_g"].to_numpy(float)
        np.testing.assert_allclose(data.to_user_inputs(data.x).numpy(), table[names], rtol=1e-14)
        np.testing.assert_allclose(data.to_user_outputs(data.y)[:, 0].numpy(), masses, rtol=1e-14)

    def test_an_unknown_example(self) -> None:
        with pytest.raises(ValueError, match=r"must be one of 'knots', 'penguins'; got 'iris'"):
            example_path("iris")
