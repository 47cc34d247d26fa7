"""The loss figure shows every number of a report's history."""

import numpy as np
import pytest

from kanviz.training import FitReport
from kanviz.views.charts import loss_figure
from kanviz.views.figure import NotebookFigure


def make_history(*, validation: bool) -> dict[str, list[float]]:
    history: dict[str, list[float]] = {
        "step": [1, 2, 3, 4],
        "loss": [1.0, 0.5, 0.01, 0.001],
        "grid_size": [3, 3, 6, 6],
    }
    return history | ({"validation_loss": [2.0, 1.0, 0.1, 0.2]} if validation else {})


@pytest.mark.parametrize("validation", [False, True])
def test_lines_are_the_history(*, validation: bool) -> None:
    history = make_history(validation=validation)
    (axes,) = loss_figure(history).axes
    lines = [np.asarray(line.get_ydata()) for line in axes.get_lines()]
    drawn = [line.tolist() for line in lines if len(line) == 4]
    assert drawn == [history[name] for name in ("loss", "validation_loss") if name in history]
    assert axes.get_yscale() == "log"
    assert [text.get_text() for text in axes.texts] == ["G = 3", "G = 6"]


def test_report_draws_itself_and_an_empty_one_says_why_not(unchecked: None) -> None:
    report = FitReport("lm", history=make_history(validation=True), kept_step=3)
    figure = report.plot()
    assert isinstance(figure, NotebookFigure)
    assert figure._repr_png_()[0].startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="history must hold at least one step; got none"):
        FitReport("lm").plot()
    with pytest.raises(ValueError, match="theme must be one of"):
        loss_figure(make_history(validation=False), theme="blue")  # type: ignore[arg-type]


def test_a_report_as_last_line_of_a_cell_is_a_sentence_a_chart_and_a_table() -> None:
    errors = {"train_rmse": 1.5, "train_r2": 0.99, "test_rmse": 3.25, "test_r2": 0.9}
    report = FitReport("lm", history=make_history(validation=True), kept_step=4, stopped="steps")
    report.errors, report.outputs, report.notes = errors, ("heat [W/m^2]",), ["Look twice."]
    html = report._repr_html_()
    assert html.startswith("<div><p>lm: 4 steps in 0.0 s, loss 0.001, validation loss 0.2")
    assert html.count("<svg") == 1
    assert "RMSE [W/m\u00b2]</th>" in html
    assert "3.25</td>" in html
    assert html.endswith("<p>Look twice.</p></div>")
    text = repr(report)
    assert text.splitlines()[1:] == [
        "  train: RMSE [W/m\u00b2] 1.5, R^2 0.99",
        "  test: RMSE [W/m\u00b2] 3.25, R^2 0.9",
        "  Look twice.",
    ]
    assert len(text) < 300
    assert "<svg" not in FitReport("lm")._repr_html_()
