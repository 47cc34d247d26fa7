"""Models with two edges locked to one function, and what must hold of them."""

from typing import Any

import torch

import kanviz as kv

PAIR = [(0, 0, 1), (0, 1, 1)]


def make_locked(widths: tuple[int, ...] = (2, 3, 1), **options: Any) -> kv.KAN:
    model = kv.KAN(list(widths), **{"dtype": torch.float64, **options})
    model.lock(PAIR)
    return model


def assert_tied(model: kv.KAN) -> None:
    """Assert that the pair has the same knots and numbers, to the last bit, and one function."""
    layer = model.network.layers[0]
    assert torch.equal(layer.knots[0], layer.knots[1])
    assert torch.equal(layer.weight[0, :, 1], layer.weight[1, :, 1])
    if layer.symbols is not None and (0, 1) in layer.symbols.edges:
        rows = [layer.symbols.edges.index(edge) for edge in ((0, 1), (1, 1))]
        assert torch.equal(*layer.symbols.affine[rows])
        assert len({layer.symbols.functions[row] for row in rows}) == 1
    assert layer.frozen[0, 1] == layer.frozen[1, 1]
    x = torch.linspace(-2, 2, 41, dtype=layer.weight.dtype).unsqueeze(-1).expand(-1, 2)
    outputs = layer.edge_outputs(x)
    torch.testing.assert_close(outputs[:, 0, 1], outputs[:, 1, 1], rtol=1e-12, atol=1e-12)
