"""The search for formulas: what it finds, what it refuses, and what it leaves alone."""

import copy
import pickle
from collections.abc import Callable
from typing import Any

import joblib
import pytest
import torch
from model_helpers import bytes_of, make_network, make_sample
from torch import Tensor

from kanviz.nn import Network
from kanviz.snapshot import Edge
from kanviz.symbolic import default_library
from kanviz.symbolic.symbol_report import Attempt, EdgeReport, SymbolReport
from kanviz.symbolic.symbolify import candidates_for, complexity, splines, symbolify
from kanviz.training.judge import Judge

pytestmark = pytest.mark.long

FEW = default_library().only(["0", "x", "x^2", "exp", "sin"])


def make_judge(y: Tensor, x: Tensor) -> Judge:
    half = len(x) // 2
    scale = float(y.std(correction=0)) or 1.0
    return Judge(x[:half], y[:half], x[half:], y[half:], scale)


def make_fitted(
    law: Callable[[Tensor], Tensor], widths: tuple[int, ...], **options: Any
) -> tuple[Network, Judge]:
    """Return a network that was fitted to a law of x (samples, inputs), and its judge."""
    x = make_sample(widths[0], 300, reach=0.9)
    judge = make_judge(law(x), x)
    network = make_network(widths, seed=1, **options)
    judge.refit(network, 60)
    return network, judge


def hill(x: Tensor) -> Tensor:
    return torch.exp(torch.sin(3 * x[:, :1]) + x[:, 1:])


def names(network: Network) -> list[str]:
    return [f.name for la in network.layers if la.symbols for f in la.symbols.functions]


def test_no_network_becomes_worse_than_its_tolerance(unchecked: None) -> None:
    for seed in range(12):  # each width with each tolerance
        generator = torch.Generator().manual_seed(seed)
        widths = (1, 1, 1) if seed % 10 == 9 else [(1, 1), (2, 1), (1, 2)][seed % 3]
        x = 2 * torch.rand(40, widths[0], generator=generator, dtype=torch.float64) - 1
        noise = torch.randn(40, widths[-1], generator=generator, dtype=torch.float64)
        y = torch.sin(3 * x[:, :1]) + 0.5 * (seed % 3) * noise
        judge = make_judge(y, x)
        network = make_network(widths, seed=seed, grid_size=3)
        judge.refit(network, 3)
        before, tolerance = judge.error(network), [None, 0.0, 0.02, 0.3][seed % 4]
        report = symbolify(network, judge, tolerance=tolerance, functions=FEW)
        limit = max(1.5 * before, 1e-6) if tolerance is None else before + tolerance
        assert report.limit == pytest.approx(limit)
        assert report.before == before
        assert report.after == judge.error(network) <= report.limit
        chosen = [edge for edge in report.edges if edge.chosen is not None]
        assert len(chosen) == len(names(network))


def test_a_line_and_a_constant_are_tried_before_anything_curved(unchecked: None) -> None:
    network, judge = make_fitted(lambda x: 2 * x[:, :1] + 1, (2, 1))
    report = symbolify(network, judge, tolerance=1e-3, functions=default_library())
    assert [edge.chosen for edge in report.edges] == ["x", "0"]
    assert [number.text for number in report.snapped][-2:] == ["2", "1"] or report.after < 1e-7


def test_a_choice_that_hinders_others_is_undone(unchecked: None) -> None:
    network, judge = make_fitted(lambda x: 1 / torch.sqrt(1 - x[:, :1] ** 2), (1, 1, 1))
    layer = network.layers[0]
    even = torch.cosh(2.3 * layer.control_points[0]) - 3
    with torch.no_grad():  # the hidden node starts even, so that a parabola may come of it
        layer.weight.zero_()
        layer.weight[0, : len(even), 0] = even / even.abs().max()
    judge.refit(network, 100)
    library = default_library().only(["x", "x^2", "exp", "cosh", "1/sqrt(x)", "log", "arctan"])
    report = symbolify(network, judge, tolerance=None, functions=library)
    assert report.is_complete
    assert names(network) == ["x^2", "1/sqrt(x)"]
    assert report.after < 1e-7


def test_the_result_does_not_depend_on_the_number_of_workers(unchecked: None) -> None:
    network, judge = make_fitted(hill, (2, 1, 1))
    twin = copy.deepcopy(network)
    alone = symbolify(network, judge, tolerance=1e-2, functions=FEW)
    with joblib.parallel_config(backend="threading"):
        together = symbolify(twin, judge, tolerance=1e-2, functions=FEW, n_jobs=2)
    assert str(together) == str(alone)
    assert bytes_of(twin) == bytes_of(network)


def test_what_goes_to_another_process_can_be_pickled() -> None:
    network, judge = make_fitted(lambda x: torch.sin(3 * x[:, :1]), (1, 1))
    row = candidates_for(network, splines(network)[0], judge.x, FEW)[0]
    layer = network.layers[0]
    layer.fix(0, 0, row.function, (1.0, 0.0, 1.0, 0.0), row.r2)
    there = pickle.loads(pickle.dumps((network, judge, row)))
    assert there[1].error(there[0]) == judge.error(network)


def test_the_way_from_splines_to_a_formula_is_a_pareto_table() -> None:
    network, judge = make_fitted(hill, (2, 1, 1))
    report = symbolify(network, judge, tolerance=1e-2, functions=FEW)
    table = report.pareto()
    assert [point.step for point in table][:2] == ["splines", "edge (0, 0, 0): sin"]
    costs = [point.complexity for point in table]
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] == complexity(network) == 5
    assert table.front[0].error == report.after == min(point.error for point in table)
    assert str(table).splitlines()[0].split() == ["step", "complexity", "error", "front"]
    assert table._repr_html_().count("<tr>") == len(table) + 1


def test_each_formula_tells_how_well_it_met_its_spline() -> None:
    network, judge = make_fitted(lambda x: torch.sin(3 * x[:, :1]), (1, 1))
    report: SymbolReport = symbolify(network, judge, tolerance=None, functions=FEW)
    assert report.edges[0].r2 is not None
    assert report.edges[0].r2 > 0.999
    symbols = network.layers[0].symbols
    assert symbols is not None
    assert symbols.quality == (report.edges[0].r2,)


def test_frozen_edges_stay_as_they_are() -> None:
    network, judge = make_fitted(lambda x: x[:, :1] + x[:, 1:], (2, 1))
    layer = network.layers[0]
    layer.set_frozen(torch.tensor([[True], [False]]))
    weight = layer.weight[0].detach().clone()
    report = symbolify(network, judge, tolerance=None, functions=FEW)
    assert [tuple(edge.edge) for edge in report.edges] == [(0, 1, 0)]
    assert torch.equal(network.layers[0].weight[0], weight)
    assert names(network) == ["x"]


def test_locked_edges_become_one_formula() -> None:
    network, judge = make_fitted(lambda x: torch.sin(3 * x).sum(1, keepdim=True), (2, 1))
    network.layers[0].lock([(0, 0), (1, 0)])
    judge.refit(network, 20)
    report = symbolify(network, judge, tolerance=None, functions=FEW)
    assert report.after < 1e-7
    symbols = network.layers[0].symbols
    assert symbols is not None
    assert names(network) == ["sin", "sin"]
    assert torch.equal(network.layers[0].affine[0], network.layers[0].affine[1])


def test_very_good_networks_may_become_formulas_that_are_right_to_a_millionth() -> None:
    network, judge = make_fitted(lambda x: x[:, :1] ** 3, (1, 1), grid_size=2)
    assert judge.error(network) < 6e-7
    report = symbolify(network, judge, tolerance=None, functions=FEW)
    assert report.limit == 1e-6
    assert report.after <= report.limit


def test_locked_edges_are_searched_through_the_first_that_is_live() -> None:
    network = make_network((2, 1, 1), seed=1)
    network.layers[0].lock([(0, 0), (1, 0)])
    assert [tuple(edge) for edge in splines(network)] == [(0, 0, 0), (1, 0, 0)]
    network.layers[0].set_mask(torch.tensor([[False], [True]]))
    assert [tuple(edge) for edge in splines(network)] == [(0, 1, 0), (1, 0, 0)]


def test_a_report_as_last_line_of_a_cell_is_a_sentence_a_chart_and_a_table() -> None:
    tried = (Attempt("sin", 2, 0.01), Attempt("x**2", 2, 0.5))
    edges = (
        EdgeReport(Edge(0, 0, 0), "sin", 0.01, 0.011, tried, 0.9991),
        EdgeReport(Edge(0, 1, 0), None, 0.011, 0.011, tried),
    )
    stages = (("splines", 20, 0.01), ("edge (0, 0, 0): sin", 12, 0.011))
    report = SymbolReport(edges, 0.01, 0.011, 0.015, stages=stages)
    html = report._repr_html_()
    sentence = "1 of 2 curves became formulas; held-out error 1.00e-02 -> 1.10e-02 (limit 1.50e-02)"
    assert html.startswith(f"<div><p>{sentence.replace('>', '&gt;')}.</p><svg")
    assert "stays a spline</td>" in html
    assert "complexity" in html
    assert repr(report).startswith(f"SymbolReport: {sentence}.\n")
    assert "Attempt(" not in repr(report)
