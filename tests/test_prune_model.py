"""Pruning as a user calls it: by score, by share, by name and in context."""

import html
from typing import Any

import pytest
import torch
from model_helpers import (
    bytes_of,
    check_the_way_back_and_forth,
    fit_briefly,
    fitted_model,
    make_data,
    make_model,
    make_sample,
    run_script,
)
from torch import Tensor

from kanviz.analysis.pruning import Drop, PruneReport, prune_in_context
from kanviz.analysis.removal import live_edges, nodes_in_use
from kanviz.data import Dataset, from_arrays, from_function
from kanviz.model import KAN
from kanviz.snapshot import Edge
from kanviz.training.judge import judge_of

pytestmark = pytest.mark.long


def law(x: Tensor) -> Tensor:
    return torch.exp(torch.sin(torch.pi * x[:, 0]) + x[:, 1] ** 2)


@pytest.fixture(scope="module")
def data() -> Dataset:
    return from_function(law, [(-1, 1)] * 3, n_train=300, n_test=150, dtype=torch.float64)


@pytest.fixture(scope="module")
def trained(data: Dataset) -> KAN:
    model = KAN([3, 3, 1], seed=0, dtype=torch.float64)
    model.fit(data, sparsity=1e-3, steps=60, progress=False)
    return model


@pytest.fixture
def model(trained: KAN) -> KAN:
    return trained.copy()


def test_pruning_by_score_drops_what_does_not_matter(model: KAN, data: Dataset) -> None:
    before = model.evaluate(data)["test_rmse"]
    report = model.prune()
    assert nodes_in_use(model.network) == [2, 1, 1]
    assert len(report) == 0
    assert str(report) == "removed 9 of 12 edges; nodes in use [3, 3, 1] -> [2, 1, 1]"
    assert report._repr_html_() == f"<div><p>{html.escape(str(report))}.</p></div>"
    assert model.steps[-1] == "pruned 9 edges"
    # Edges that hardly vary may add large constants; these stay.
    assert model.evaluate(data)["test_rmse"] < before + 0.05


def test_pruning_in_context_drops_the_same_and_reads_as_a_report(model: KAN, data: Dataset) -> None:
    before = model.evaluate(data)["test_rmse"]
    report = model.prune(data)
    assert nodes_in_use(model.network) == [2, 1, 1]
    assert model.evaluate(data)["test_rmse"] < before + 0.01
    first, *others = report
    assert first.removed
    assert not any(drop.removed for drop in others)
    text = str(report)
    assert text.startswith("removed 9 of 12 edges; nodes in use [3, 3, 1] -> [2, 1, 1]\ntried")
    assert "all edges below 0.1 (9 edges)" in text
    assert "kept: error above the limit" in text
    assert "kept: output 0 would be cut off" in text
    assert "inf" not in text
    assert text.endswith("error: root mean square on 150 samples, as a share of the standard "
                         "deviation of y")  # fmt: skip
    assert ">input 1 (1 edge)</td>" in report._repr_html_()
    assert model.steps[-1] == "pruned 9 edges in context"


def test_a_removed_input_stays_in_the_signature_and_is_not_used(model: KAN, data: Dataset) -> None:
    model.prune(data)
    assert model.widths == (3, 3, 1)
    assert model.input_names == ("x_1", "x_2", "x_3")
    assert model.feature_scores()[2] == 0
    views = [view for view in model.snapshot().edges if (view.layer, view.i) == (0, 2)]
    assert {view.state for view in views} == {"pruned"}
    x = data.x.clone()
    x[:, 2] = 7.0
    assert torch.equal(model(x), model(data.x))
    assert "x_3" not in str(model.formula(simplify_seconds=0))


def test_every_accepted_error_is_within_the_limit(model: KAN, data: Dataset) -> None:
    report = model.prune(data, tolerance=0.02)
    limit = report[0].before + 0.02
    for drop in report:
        assert drop.limit == pytest.approx(limit)
        assert drop.removed == (drop.after is not None and drop.after <= limit)


def test_whole_nodes_are_tried_before_edges(data: Dataset) -> None:
    model = KAN([3, 4, 1], seed=1, dtype=torch.float64)
    model.fit(data, steps=30, smoothing=1e-10, progress=False)  # without evidence of idle edges
    report = model.prune(data, tolerance=0.2)
    kinds = [drop.name.split()[0] for drop in report if not drop.name.startswith("all")]
    single = [kind == "edge" for kind in kinds]
    assert single == sorted(single)
    assert "node" in kinds


@pytest.mark.parametrize(("what", "kinds"), [("nodes", {"node", "input"}), ("inputs", {"input"})])
def test_only_nodes_or_only_inputs_go_in_context(
    model: KAN, data: Dataset, what: Any, kinds: set[str]
) -> None:
    report = model.prune(data, what=what)
    assert {drop.name.split()[0] for drop in report} <= kinds | {"all"}
    assert nodes_in_use(model.network)[0] == 2
    assert f"what='{what}'" in model.script()


def test_nodes_go_by_score_with_all_their_edges(model: KAN) -> None:
    report = model.prune(threshold=0.05, what="nodes")
    assert nodes_in_use(model.network) == [2, 1, 1]
    assert len(report.edges) == 9
    assert "model.prune(threshold=0.05, what='nodes')" in model.script()


def test_a_share_goes_and_what_dies_with_it() -> None:
    model = fitted_model()
    ranked = [step.edges for step in model.plan()]
    report = model.prune(fraction=0.25)  # 2 of 9
    assert set(ranked[0] + ranked[1]) <= set(report.edges)
    assert model.script().splitlines()[-1] == "model.prune(fraction=0.25)"
    model.prune(fraction=0.0)
    assert model.steps[-1] == "pruned 0 edges"


def test_limits_say_what_may_go_in_context(model: KAN, data: Dataset) -> None:
    chosen = [tuple(step.edges[0]) for step in model.plan()][:2]
    report = model.copy().prune(data, edges=chosen)
    assert set(report.edges) <= {edge for step in model.plan().upto(2) for edge in step.edges}
    assert len(model.prune(data, fraction=0.2).edges) < 9


def test_each_way_is_one_step_that_undo_takes_back_and_the_script_repeats() -> None:
    data, model = make_data(), make_model()
    fit_briefly(model, data)
    line = [bytes_of(model)]
    model.prune(edges=[(0, 0, 1)])
    line.append(bytes_of(model))
    model.prune(fraction=0.3)
    line.append(bytes_of(model))
    model.prune(data, tolerance=0.05)
    line.append(bytes_of(model))
    made = run_script(model, data=data)
    assert bytes_of(made) == line[-1]
    assert made.script() == model.script()
    assert len(model.steps) == 4
    check_the_way_back_and_forth(model, line)


def test_float32_models_keep_the_bytes_of_what_stays() -> None:
    model = KAN([2, 3, 2])
    weight = model.network.layers[1].weight.clone()
    model.prune(edges=[(0, 0, 1)])
    assert model.network.layers[0].weight.dtype == torch.float32
    assert torch.equal(model.network.layers[1].weight, weight)


def test_classes_are_pruned_in_context(unchecked: None) -> None:
    x = make_sample(3, samples=300)
    data = from_arrays(x, (x[:, 0] > 0).long(), task="classification")
    model = KAN([3, 2], dtype=torch.float64)
    model.fit(data, steps=20, progress=False)
    report = model.prune(data, tolerance=0.05)
    assert "cross entropy" in report.measure
    assert model.evaluate(data)["train_accuracy"] > 0.97
    assert bool(model.network.layers[0].mask[0].any())


def test_classes_that_need_an_input_keep_it_whatever_the_cross_entropy_says() -> None:
    generator = torch.Generator().manual_seed(1)
    x = torch.rand(400, 2, generator=generator, dtype=torch.float64) * 2 - 1
    noise = 0.3 * torch.randn(400, generator=generator, dtype=torch.float64)
    data = from_arrays(x, (x.sum(1) + noise > 0).long(), task="classification", test_fraction=0.5)
    model = KAN([2, 2], dtype=torch.float64)
    model.fit(data, steps=5, progress=False)
    with torch.no_grad():
        model.network.layers[0].weight.mul_(100.0)  # far too sure: any other network has less loss
    before = model.evaluate(data)["test_accuracy"]
    report = model.prune(data)
    assert model.evaluate(data)["test_accuracy"] >= before - 0.01
    assert any("accuracy would fall to" in drop.reason for drop in report)


def test_a_line_says_what_was_tried_and_what_came_of_it() -> None:
    edges = (Edge(0, 0, 1), Edge(1, 1, 0))
    drop = Drop("edge (0, 0, 1)", edges, 0.02, 0.001, 0.5, 0.011, "error above the limit")
    assert str(drop) == (
        "edge (0, 0, 1) and 1 more, score 0.02: error 1.00e-03 -> 5.00e-01, limit 1.10e-02; "
        "kept: error above the limit"
    )
    assert Drop("input 1", edges, 0.02, 0.001, 0.011, 0.011, "").verdict == "removed"
    lost = Drop("input 1", edges, 0.02, 0.001, None, 0.011, "output 0 would be cut off")
    assert str(lost).endswith("error 1.00e-03, limit 1.10e-02; kept: output 0 would be cut off")
    report = PruneReport((lost,), (), 3, (2, 1), (2, 1), "parts")
    assert report[0] is lost
    assert report[:1] == (lost,)
    assert "<svg" not in report._repr_html_(), "nothing was removed, so there is nothing to draw"
    gone = [Drop("input 1", edges, 0.02, 0.1, after, 1.0, "") for after in (0.1, 0.2)]
    html = PruneReport((*gone, lost), edges, 3, (2, 1), (2, 1), "parts")._repr_html_()
    assert html.count("<svg") == 1
    assert html.index("removed 2 of 3 edges") < html.index("<svg") < html.index("<table")


def test_outputs_that_are_not_finite_are_refused() -> None:
    model, data = make_model(), make_data()
    with torch.no_grad():
        model.network.layers[0].weight[0, 0, 0] = torch.nan
    with pytest.raises(ValueError, match="The network's outputs are not finite on these data"):
        prune_in_context(
            model.network,
            judge_of(data),
            tolerance=0.1,
            what="edges",
            may_go=live_edges(model.network),
        )


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"threshold": 100.0}, ValueError, "threshold=100.0 would cut off output 0"),
        ({"fraction": 1}, ValueError, "fraction=1 would cut off output 0"),
        ({"edges": [(1, j, 0) for j in range(3)]}, ValueError, "would cut off output 0"),
        ({"threshold": -1.0}, ValueError, "threshold must be a number at least 0; got -1.0"),
        ({"threshold": float("nan")}, ValueError, "threshold must be a number at least 0; got nan"),
        ({"fraction": 1.5}, ValueError, "fraction must be a number from 0 to 1; got 1.5"),
        ({"fraction": True}, ValueError, "fraction must be a number from 0 to 1; got True"),
        ({"tolerance": -0.1}, ValueError, "tolerance must be a number at least 0; got -0.1"),
        ({"what": "layers"}, ValueError, "what must be one of 'edges', 'nodes', 'inputs'; got"),
        (
            {"fraction": 0.1, "threshold": 0.1},
            ValueError,
            "takes one limit, not threshold and frac",
        ),
        ({"edges": [(0, 0, 5)]}, IndexError, "j must be from 0 to 2"),
        ({"edges": [(0, 0, 2)]}, ValueError, r"Edge \(0, 0, 2\) is removed already"),
        ({"data": (make_sample(3), make_sample(1))}, ValueError, "data's x must have 2 columns"),
        ({"data": (make_sample(2), make_sample(3))}, ValueError, "data's y must have 1 columns"),
    ],
)
def test_wrong_calls_say_what_is_wrong_and_change_nothing(
    unchecked: None, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    model = make_model()
    model.remove_edge((0, 0, 2))
    before, history = bytes_of(model), model.steps
    with pytest.raises(error, match=message):
        model.prune(**options)
    assert bytes_of(model) == before
    assert model.steps == history
