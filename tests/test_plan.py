"""The plan of a pruning: what would go, step by step, and what it would cost."""

import dataclasses
import json

import pytest
import torch
from effort import Operations, calls_of
from model_helpers import bytes_of, fitted_model, make_data, make_model, make_network, make_sample

from kanviz.analysis import prune_plan
from kanviz.analysis.prune_plan import MOST_ROWS, PlanStep, PrunePlan, judge_of_outputs, plan_of
from kanviz.analysis.removal import What
from kanviz.data import from_arrays
from kanviz.model import KAN
from kanviz.snapshot import Edge

pytestmark = pytest.mark.long


def make_plan() -> PrunePlan:
    steps = [
        PlanStep("edge (0, 1, 2)", 0.01, (Edge(0, 1, 2),), 5, 0.2),
        PlanStep("edge (0, 0, 2)", 0.02, (Edge(0, 0, 2), Edge(1, 2, 0)), 3, 0.1),
        PlanStep("edge (0, 0, 1)", 0.30, (Edge(0, 0, 1),), 2, 0.9),
    ]
    return PrunePlan(tuple(steps), 0.05, 6, "parts of <y>")


def test_a_plan_is_cut_by_steps_by_score_and_by_error() -> None:
    plan = make_plan()
    assert [len(plan.upto(count).edges) for count in range(4)] == [0, 1, 3, 4]
    assert plan.below(0.02).edges == (Edge(0, 1, 2),)
    assert len(plan.within(0.1)) == 2
    assert len(plan.within(0.01)) == 0
    assert (plan.error, plan.upto(0).error) == (0.9, 0.05)
    assert (plan[0].edges_left, plan[1:][0].score) == (5, 0.02)
    for count in (-1, 4):
        with pytest.raises(ValueError, match="count must be from 0 to 3, the number of steps"):
            plan.upto(count)


def test_a_plan_reads_as_a_table() -> None:
    lines = str(make_plan()).splitlines()
    assert lines[0].split() == ["step", "goes", "score", "edges", "left", "error"]
    assert lines[1].split() == ["0", "nothing", "yet", "6", "5.00e-02"]
    assert "edge (0, 0, 2) and 1 more  0.02" in lines[3]
    assert "parts of &lt;y&gt;" in make_plan()._repr_html_()


def test_a_plan_is_plain_values() -> None:
    plan = fitted_model().plan(make_data())
    record = json.loads(json.dumps(dataclasses.asdict(plan)))
    assert record["steps"][0]["edges"][0] == list(plan[0].edges[0])


@pytest.mark.parametrize("what", ["edges", "nodes", "inputs"])
def test_what_a_step_promises_is_what_pruning_gives(what: What) -> None:
    data, model = make_data(), fitted_model()
    plan = model.plan(data, what=what)
    assert len(plan) > 0
    for count, step in enumerate(plan, 1):
        after = model.copy()
        report = after.prune(edges=plan.upto(count).edges)
        assert report.edges == tuple(sorted(plan.upto(count).edges))
        assert report.edges_before - len(report.edges) == step.edges_left
        assert data.x_test is not None
        left = (after.network(data.x_test) - data.y_test).detach()
        error = (left.square().mean().sqrt() / data.y.std(correction=0)).item()
        assert error == pytest.approx(step.error, rel=1e-9)


def test_a_plan_goes_on_until_every_edge_is_needed() -> None:
    model = KAN([3, 4, 2], dtype=torch.float64)
    plan = model.plan()
    assert plan.edges_now == 20
    assert plan[-1].edges_left in (3, 4)
    assert len(set(plan.edges)) == 20 - plan[-1].edges_left
    model.prune(edges=plan.edges)
    assert len(model.plan()) == 0
    assert all(layer.mask.any() for layer in model.network.layers)
    assert bool(model.network.layers[-1].mask.any(0).all())


def test_a_plan_takes_what_pruning_by_score_takes() -> None:
    model = fitted_model()
    threshold = float(model.edge_scores()[0].median())
    edges = model.plan().below(threshold).edges
    assert tuple(sorted(edges)) == model.prune(threshold=threshold).edges


def test_without_data_errors_are_changes_of_the_outputs() -> None:
    model = fitted_model()
    plan, x = model.plan(), make_data().x
    assert plan.error_now == 0
    assert "change" in plan.measure
    before = model(x).detach()
    model.prune(edges=plan.upto(3).edges)
    moved = float((model(x).detach() - before).square().mean().sqrt() / before.std(correction=0))
    assert moved == pytest.approx(plan[2].error, rel=1e-9)


def test_without_a_test_part_all_data_count_and_classes_are_judged_by_cross_entropy() -> None:
    x = make_sample()
    labels = (x[:, 0] > 0).long()
    model = KAN([2, 2], dtype=torch.float64)
    data = from_arrays(x, labels, task="classification", test_fraction=0.0, dtype=torch.float64)
    plan = model.plan(data)
    loss = torch.nn.functional.cross_entropy(model.network(data.x).detach(), labels)
    assert plan.error_now == pytest.approx(float(loss.sqrt()))
    assert plan.measure == "root of the mean cross entropy on 200 samples"


def test_a_plan_changes_nothing(rng_untouched: None, unchecked: None) -> None:
    model = fitted_model()
    before, history = bytes_of(model), model.steps
    model.plan(make_data())
    model.plan(what="nodes")
    assert bytes_of(model) == before
    assert model.steps == history


def test_very_many_edges_go_several_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    network, x = make_network((4, 6, 2)), make_sample(4)
    monkeypatch.setattr(prune_plan, "MOST_STEPS", 10)
    plan = plan_of(network, x, judge_of_outputs(network, x), "edges", "")
    assert plan[0].name == "the next 4 edges"
    assert len(plan[0].edges) >= 4
    assert plan[-1].edges_left <= 4
    assert [step.score for step in plan] == sorted(step.score for step in plan)


def test_long_plans_show_their_first_rows() -> None:
    plan = KAN([4, 8, 4], dtype=torch.float64).plan()
    lines = str(plan).splitlines()
    assert len(lines) == MOST_ROWS + 3
    assert lines[-1].startswith(f"{len(plan) - MOST_ROWS} more steps. error:")


@pytest.mark.parametrize("widths", [[2, 5, 1], [4, 8, 8, 8, 1]])
def test_a_plan_is_little_enough_work_for_a_slider(widths: list[int]) -> None:
    model, x = KAN(widths, dtype=torch.float64), make_sample(widths[0], samples=1000)
    data = (x, x[:, :1] ** 2)
    n_steps = len(model.plan(data))
    with Operations() as operations:
        model.plan(data)
    n_edges = sum(layer.mask.numel() for layer in model.network.layers)
    assert operations.n < 500 * n_steps
    assert operations.numbers < 250 * 1000 * n_edges * n_steps
    assert calls_of(lambda: model.plan(data)) < 15_000 * n_steps


def test_wrong_calls_say_what_is_wrong(unchecked: None) -> None:
    model = make_model()
    with pytest.raises(ValueError, match="what must be one of 'edges', 'nodes', 'inputs'; got 'x'"):
        model.plan(what="x")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="the data's y must have 1 columns"):
        model.plan((make_sample(), make_sample()))
