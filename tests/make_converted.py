"""Write ``pykan_models.json`` and ``peer_models.json`` of ``fixtures``: models of other libraries.

pykan 0.2.8; flashkan 0.2.0, inkan 0.5.2 and kanditioned 1.0.4; and what they give. Run it as a
script, with TORCHDYNAMO_DISABLE=1 where there is no compiler. It needs these libraries, which the
tests do not.
"""

import json
from pathlib import Path
from typing import Any

import torch

FOLDER = Path(__file__).parent / "fixtures"
FILE, PEERS = FOLDER / "pykan_models.json", FOLDER / "peer_models.json"


def numbers_of(model: Any) -> dict[str, Any]:
    """Return all that the functions of a model are."""
    layers = [
        {
            name: getattr(layer, name).tolist()
            for name in ("grid", "coef", "scale_base", "scale_sp", "mask")
        }
        for layer in model.act_fun
    ]
    symbols = [
        {"mask": one.mask.tolist(), "affine": one.affine.tolist(), "funs_name": one.funs_name}
        for one in model.symbolic_fun
    ]
    names = ("node_scale", "node_bias", "subnode_scale", "subnode_bias")
    affine = {name: [one.tolist() for one in getattr(model, name)] for name in names}
    shape = {"width": model.width, "mult_arity": model.mult_arity}
    return shape | {"act_fun": layers, "symbolic_fun": symbols, **affine}


def products() -> dict[str, Any]:
    """Return models that multiply: one arity in hidden and last layer, and two in one layer."""
    from kan import KAN

    draw, found = torch.Generator().manual_seed(1), {}
    shapes: dict[str, dict[str, Any]] = {
        "products": {"width": [2, [1, 2], [1, 1], 1]},
        "products out": {"width": [2, [0, 2], [1, 1]], "mult_arity": 3},
        "two arities": {"width": [2, [1, 2], 1], "mult_arity": [[], [2, 3], []]},
    }
    for name, shape in shapes.items():
        model = KAN(grid=4, k=3, seed=0, auto_save=False, **shape)
        for numbers in (model.node_scale, model.subnode_bias, model.subnode_scale):
            for one in numbers:
                one.data.add_(0.3 * torch.randn(one.shape, generator=draw))
        for i in range(2):  # a factor that is its bias alone, and one that is 0
            model.remove_edge(0, i, 2)
            model.remove_edge(0, i, 3)
        model.subnode_bias[0].data[3] = 0.0
        points = 2 * torch.rand(40, 2, generator=draw) - 1
        with torch.no_grad():
            outputs = model(points)
        found[name] = numbers_of(model) | {"x": points.tolist(), "y": outputs.tolist()}
    return found


def peers() -> None:
    """Train a model of each library with even grids on 500 points; write what is in them."""
    import flashkan
    import inkan
    from KANditioned import KANLayer

    draw = torch.Generator().manual_seed(0)
    x = 2 * torch.rand(500, 2, generator=draw) - 1
    y = torch.exp(torch.sin(torch.pi * x[:, :1]) + x[:, 1:] ** 2)
    torch.manual_seed(0)

    def lines(n_in: int, n_out: int) -> Any:
        return KANLayer(n_in, n_out, "random_normal", 6, spline_width=3.0, impl="embedding")

    models = {
        "flashkan": flashkan.KANNetwork([2, 3, 1], grid_size=4),
        "inkan": inkan.KANNetwork([2, 3, 1], grid_size=4, compile_basis=False),
        "kanditioned": torch.nn.Sequential(lines(2, 3), lines(3, 1)),
    }
    found = {}
    for name, model in models.items():
        optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
        for _ in range(150):
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(x), y).backward()
            optimizer.step()
        points = 4 * torch.rand(40, 2, generator=draw).double() - 2
        model.double()  # what flashkan gives in float32 is off by 1e-4
        record = [
            {key: value.tolist() for key, value in layer.state_dict().items()}
            for layer in getattr(model, "layers", model)
        ]
        found[name] = {"layers": record, "x": points.tolist(), "y": model(points).tolist()}
    PEERS.write_text(json.dumps(found) + "\n")


def main() -> None:
    """Train two models, prune and fix edges of one, move its affine numbers; write all."""
    from kan import KAN

    torch.set_default_dtype(torch.float64)
    draw = torch.Generator().manual_seed(0)
    x = 2 * torch.rand(500, 2, generator=draw) - 1
    y = torch.exp(torch.sin(torch.pi * x[:, :1]) + x[:, 1:] ** 2)
    data = {"train_input": x, "train_label": y, "test_input": x[:50], "test_label": y[:50]}
    found = {}
    for name in ("splines", "mixed"):
        model = KAN(width=[2, 3, 1], grid=4, k=3, seed=0, auto_save=False)
        model.fit(data, steps=15)
        if name == "mixed":
            model(x)
            model.fix_symbolic(0, 1, 0, "x^2", verbose=False)
            model.fix_symbolic(0, 0, 1, "sin", verbose=False)
            model.remove_edge(0, 0, 2)
            with torch.no_grad():
                for numbers in (model.node_scale, model.node_bias, model.subnode_bias):
                    for one in numbers:
                        one.add_(0.3 * torch.randn(one.shape, generator=draw))
        points = 4 * torch.rand(40, 2, generator=draw) - 2
        with torch.no_grad():
            outputs = model(points)
        found[name] = numbers_of(model) | {"x": points.tolist(), "y": outputs.tolist()}
    FILE.write_text(json.dumps(found | products()) + "\n")


if __name__ == "__main__":
    peers()
    main()
