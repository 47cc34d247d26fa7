"""Models that were trained with another library, taken over to be looked at.

``convert`` recognises a model by what it is made of, not by its class: the other library need not
be installed where a pickled or copied class stands in for it.

| Library | What is taken |
|---|---|
| pykan | splines, base functions, masks, symbolic edges, the affine numbers of the nodes |
| efficient-kan, and layers that copy its names | splines and base weights, with or without scales |
| better_kan | splines, base factors and biases, with its masks and locks |
| flashkan, inkan | splines and base weights; flashkan's eight digits of a sixth |
| kanditioned | the broken lines, in either of its forms |
| kanviz | ``KANLayer``, alone or in a row, as in ``torch.nn.Sequential`` |

Splines of the other libraries fade to nothing beyond their grid, over as many intervals as their
order (broken lines of kanditioned go on straight). So does what becomes of them here: that stretch
is part of the new grid, and the outputs are equal for every input.

``to_efficient_kan`` goes the way back, for those who must serve a model with that library.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor, nn

from kanviz.checks import listed
from kanviz.devices import on_cpu
from kanviz.model import KAN
from kanviz.nn import KANLayer, Network
from kanviz.nn.nodes import Nodes
from kanviz.nn.spec import BaseName

BASES: dict[BaseName, Callable[[Tensor], Tensor]] = {
    "silu": nn.functional.silu,
    "identity": lambda x: x,
    "zero": torch.zeros_like,
}

OTHER_NAMES = {"x^0.5": "sqrt", "1/x^0.5": "1/sqrt(x)"}
"""What pykan calls a function that has another name here; all else is called alike."""

Symbol = tuple[tuple[int, int, int], str, tuple[float, float, float, float]]
"""Edge, name of the function, its four numbers."""


@on_cpu
def convert(
    model: nn.Module | Mapping[str, Tensor],
    x: Any = None,
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
) -> KAN:
    """Return a ``KAN`` that computes what a model of another library does.

    Parameters
    ----------
    model : torch.nn.Module or state dict
        A whole model, or a part of one (``net.get_submodule("head")``); it is not changed. One of
        pykan whose inputs were pruned takes the columns that are left, ``x[:, model.input_id]``.
        A state dict is one of efficient-kan with its own base function, silu.
    x : (samples, inputs), optional
        What the model gets to see: remembered, for ranges and scores.
    input_names, output_names : sequence of str, optional
        One per input and per output.

    Returns
    -------
    KAN
        In the dtype of the model, on the CPU or its device; the units are those of the model.

    Raises
    ------
    TypeError
        If it is not made of layers that are known.
    ValueError
        If a part of it is no sum of curves on edges, which the message names.

    Examples
    --------
    >>> from kanviz.nn import KANLayer, Network
    >>> layers = torch.nn.Sequential(KANLayer(2, 3), KANLayer(3, 1))
    >>> model = convert(layers, input_names=["a", "b"])
    >>> model.widths, torch.equal(model(torch.ones(1, 2)), layers(torch.ones(1, 2)))
    ((2, 3, 1), True)
    """
    layers, symbols = _layers_of(model)
    found = KAN.from_layers(layers, x, input_names=input_names, output_names=output_names)
    for edge, name, affine in symbols:
        found.fix(edge, name, affine=affine)
    return found


def _layers_of(model: nn.Module | Mapping[str, Tensor]) -> tuple[list[KANLayer], list[Symbol]]:
    """Return the layers of a model, and what has become a formula in it."""
    if isinstance(model, Mapping):
        return [_of_efficient_kan(part) for part in _parts_of(model)], []
    if hasattr(model, "act_fun") and hasattr(model, "symbolic_fun"):
        return _of_pykan(model)
    parts = list(model) if isinstance(model, nn.Sequential) else getattr(model, "layers", [model])
    return [_layer_of(part) for part in parts], []


def _layer_of(part: Any) -> KANLayer:
    """Return one layer; TypeError if it is of no kind that is known."""
    if isinstance(part, KANLayer):
        return part
    if all(hasattr(part, name) for name in ("grid", "spline_weight", "base_weight")):
        return _of_efficient_kan(part)
    if all(hasattr(part, name) for name in ("bias", "pooling_op")):
        return _of_better_kan(part)
    if all(hasattr(part, name) for name in ("grid_starts", "inv_h", "spline_weight")):
        return _of_even_cubics(part)
    if hasattr(part, "get_interp_tensor") and hasattr(part, "num_control_points"):
        return _of_kanditioned(part)
    if all(hasattr(part, name) for name in ("grid", "coef", "scale_base", "scale_sp", "mask")):
        return _of_pykan_layer(part)
    if hasattr(part, "rbf") and hasattr(part, "spline_linear"):
        if getattr(part, "layernorm", None) is None:
            raise ValueError(
                "model must be made of splines; got a layer of fast-kan, whose Gaussians stand on "
                "a bias that no edge could carry. Train a KAN of kanviz with basis='gaussian'."
            )
        raise ValueError(
            "model must be a sum of curves on edges; got a layer of fast-kan, whose layer norm "
            "mixes all inputs before any curve. Train a KAN of kanviz with basis='gaussian'."
        )
    raise TypeError(
        "model must be made of layers of pykan, efficient-kan, better_kan, flashkan, inkan, "
        "kanditioned or kanviz; got "
        f"{type(part).__name__}. Pass that part of it which is (net.get_submodule(...)), or make "
        "the layers with KANLayer.from_arrays and KAN.from_layers."
    )


# ---- efficient-kan -------------------------------------------------------------------------------


def _of_efficient_kan(layer: Any) -> KANLayer:
    """Return a ``KANLinear``: weights (out, in, basis) and (out, in), knots (in, G + 2k + 1)."""
    weight = layer.spline_weight.detach()
    scaler = getattr(layer, "spline_scaler", None)
    if scaler is not None:
        weight = weight * scaler.detach().unsqueeze(-1)
    base = _base_of(getattr(layer, "base_activation", nn.functional.silu))
    return _faded(layer.grid.detach(), weight.movedim(0, 1), layer.base_weight.detach().T, base)


EFFICIENT = {"grid", "spline_weight", "base_weight"}


def _parts_of(state: Mapping[str, Any]) -> list[SimpleNamespace]:
    """Return what stands for the layers of efficient-kan in a state dict, in its order."""
    parts: dict[str, dict[str, Any]] = {}
    for key, value in state.items():
        layer, _, name = str(key).rpartition(".")
        parts.setdefault(layer, {})[name] = value
    others = [layer or "top" for layer, found in parts.items() if not found.keys() >= EFFICIENT]
    if others or not parts:
        raise TypeError(
            "A state dict must be one of efficient-kan, whose layers have grid, spline_weight and "
            f"base_weight; got others at {listed(others) or 'none'}. Pass the model itself."
        )
    return [SimpleNamespace(**found) for found in parts.values()]


@on_cpu
def to_efficient_kan(model: KAN | Network) -> dict[str, Tensor]:
    """Return the state dict with which efficient-kan computes what this model does on its grids.

    It goes into ``KAN(list(model.widths), grid_size=G, spline_order=k)`` of that library, with G
    and k of the model, by ``load_state_dict``. Beyond the grids its splines fade to 0, where those
    of kanviz go on straight.

    Parameters
    ----------
    model : KAN or Network
        Of splines; removed edges become zeros. Outputs and inputs are those of ``model.network``:
        of a model with units of its own, give x and take y as ``data.x`` and ``data.y`` have them.

    Raises
    ------
    ValueError
        If an edge is a formula, a node multiplies, the basis is radial, the base function is not
        silu, or grids differ in size.

    Examples
    --------
    >>> {name: tuple(values.shape) for name, values in to_efficient_kan(KAN([2, 1])).items()}
    {'layers.0.base_weight': (1, 2), 'layers.0.spline_weight': (1, 2, 8),
     'layers.0.spline_scaler': (1, 2), 'layers.0.grid': (2, 12)}
    """
    network = model.network if isinstance(model, KAN) else model
    sizes = sorted({layer.spec.grid_size for layer in network.layers})
    if len(sizes) > 1:
        raise ValueError(
            f"All grids must have one size, because efficient-kan knows only one; got {sizes}. "
            f"Bring them together with model.refine({sizes[-1]})."
        )
    found: dict[str, Tensor] = {}
    for depth, layer in enumerate(network.layers):
        fault = _no_counterpart(layer)
        if fault:
            raise ValueError(
                f"Layer {depth} must be sums of B-splines with silu as base, as efficient-kan has "
                f"them; got {fault}. Take those back, or export the formula instead."
            )
        weight = layer.live_weight().detach().permute(2, 0, 1)
        splines = weight[..., : layer.spec.n_basis]
        base = weight[..., -1] if layer.spec.base == "silu" else torch.zeros_like(splines[..., 0])
        parts = {
            "base_weight": base,
            "spline_weight": splines,
            "spline_scaler": torch.ones_like(base),
            "grid": layer.knots.detach(),
        }
        found |= {f"layers.{depth}.{name}": one.clone() for name, one in parts.items()}
    return found


def _no_counterpart(layer: KANLayer) -> str:
    """Return what efficient-kan has no word for; nothing if it has one for all."""
    if layer.symbols is not None:
        return "edges that are formulas"
    if layer.nodes.arities:
        return "nodes that multiply"
    if layer.spec.basis != "bspline":
        return f"the basis {layer.spec.basis!r}"
    return "" if layer.spec.base in ("silu", "zero") else f"the base {layer.spec.base!r}"


# ---- better_kan ----------------------------------------------------------------------------------


def _of_better_kan(layer: Any) -> KANLayer:
    """Return a layer of splines, base functions and a bias.

    In the older form one ``SplinesKANLayer`` is all of it: knots (G + 2k + 1, in), weights
    (out, G + k, in), base factors (out, in), bias (out,). In the newer one a ``KANLayer`` holds a
    list of functions, and in the newest its outputs are divided by the number of inputs. Masks and
    locks are in the numbers that are given for weights. What was taken is compared with the layer,
    for layers of other bases have the same names.
    """
    if layer.pooling_op != "sum":
        raise ValueError(
            f"model must be a sum of curves on edges; got a layer of better_kan that pools by "
            f"{layer.pooling_op!r}. Train it with pooling_op='sum'."
        )
    functions = list(getattr(layer, "functions", [layer]))
    splines = [one for one in functions if hasattr(one, "spline_order")]
    bases = [one for one in functions if hasattr(one, "base_activation")]
    others = [one for one in functions if one not in splines and one not in bases]
    if len(splines) != 1 or len(bases) > 1 or others:
        names = [type(one).__name__ for one in functions]
        raise ValueError(
            f"model must have one spline, and at most one base function, on each edge; got "
            f"{listed(names)} of better_kan. Train it so, or a KAN of kanviz."
        )
    (spline,), weights = splines, splines[0].weights.detach()
    knots = getattr(spline.grid, "grid", spline.grid).detach().T
    base, function = torch.zeros_like(weights[:, 0]), torch.zeros_like
    for one in bases:
        factors = one.base_scaler if hasattr(one, "base_scaler") else one.weights[:, 0]
        base, function = factors.detach(), one.base_activation
    order, steps = spline.spline_order, torch.linspace(0.05, 0.95, 7).to(knots)
    with torch.no_grad():
        x = torch.lerp(knots[:, order], knots[:, -order - 1], steps.unsqueeze(1))
        wanted = _outputs_of(layer, x)
        for share in (1.0, 1 / len(knots)):
            coef = weights.permute(2, 0, 1) * share
            taken = _faded(knots, coef, base.T * share, _base_of(function))
            # Splines of equal coefficients are constant.
            taken.weight[0, : taken.spec.n_basis] += layer.bias.detach() * share
            if torch.allclose(taken(x), wanted, rtol=1e-4, atol=1e-5 * float(wanted.abs().max())):
                return taken
    raise ValueError(
        f"model must be made of B-splines; got {type(spline).__name__} of better_kan with another "
        "basis. Train it with splines."
    )


def _outputs_of(layer: nn.Module, x: Tensor) -> Tensor:
    """Return what a layer gives that keeps what it saw last, and leave it as it is."""
    attributes, buffers = dict(vars(layer)), dict(layer._buffers)
    try:
        layer.auto_grid_update = False  # type: ignore[assignment]  # where it has such a thing
        outputs: Tensor = layer(x)
    finally:
        vars(layer).clear()
        vars(layer).update(attributes)
        layer._buffers.clear()
        layer._buffers.update(buffers)
    return outputs


# ---- flashkan, inkan, kanditioned ----------------------------------------------------------------


def _of_even_cubics(layer: Any) -> KANLayer:
    """Return a layer of flashkan or inkan: cubic bumps, each four steps wide, at even starts."""
    if getattr(layer, "dim", 1) != 1:
        raise ValueError(
            "model must be a sum of curves on edges; got a layer of inkan with dim=2, which is "
            "one surface over two inputs. Train it with dim=1."
        )
    coef = layer.spline_weight.detach().movedim(0, 1)
    if not hasattr(layer, "dim"):  # flashkan multiplies by a sixth of eight digits
        coef = coef * (6 * 0.16666667)
    steps = torch.arange(coef.shape[-1] + 4, dtype=torch.float64, device=coef.device)
    knots = layer.grid_starts[0].double() + steps / layer.inv_h
    return _faded(knots, coef, layer.base_weight.detach().T, _base_of(layer.base_activation))


def _of_kanditioned(layer: Any) -> KANLayer:
    """Return a layer of kanditioned: broken lines over even control points, straight beyond."""
    points = layer.num_control_points
    table = layer.get_interp_tensor().detach().view(-1, points, layer.out_features)
    half = layer.spline_width / 2
    knots = torch.linspace(-half, half, points, dtype=torch.float64, device=table.device)
    return KANLayer.from_arrays(torch.cat([knots[:1], knots, knots[-1:]]), table.movedim(1, 2))


# ---- pykan ---------------------------------------------------------------------------------------


def _of_pykan(model: Any) -> tuple[list[KANLayer], list[Symbol]]:
    """Return the layers and formulas of a ``MultKAN``; its affine numbers go into the edges.

    A node is ``node_scale * prod(subnode_scale * sum + subnode_bias) + node_bias``, with one factor
    where it is no product.
    """
    layers: list[KANLayer] = []
    symbols: list[Symbol] = []
    for depth, (numeric, symbolic) in enumerate(
        zip(model.act_fun, model.symbolic_fun, strict=True)
    ):
        nodes = _nodes_of_pykan(model, depth + 1)
        scale, shift = _affine_of_pykan(model, depth, nodes)
        is_on = getattr(model, "symbolic_enabled", True)
        formulas = symbolic.mask.detach().T != 0 if is_on else numeric.mask.detach() * 0 != 0
        both = (formulas & (numeric.mask.detach() != 0)).nonzero()
        if len(both):
            raise ValueError(
                f"An edge must be a spline or a formula; got both at edge "
                f"{(depth, *both[0].tolist())}. Set it to one of them with set_mode."
            )
        layers.append(_of_pykan_layer(numeric, scale, shift, formulas, nodes))
        symbols.extend(_symbols_of(symbolic, depth, scale, shift, numeric.mask, formulas))
    if nodes.arities:  # outputs are sums here: one more layer hands the products on
        like = layers[-1].weight
        options: dict[str, Any] = {"base": "identity", "dtype": like.dtype, "device": like.device}
        layers.append(KANLayer(len(nodes), len(nodes), init="identity", **options))
    return layers, symbols


def _nodes_of_pykan(model: Any, layer: int) -> Nodes:
    """Return the nodes of a layer, counted from the inputs: ``[sums, products]`` and arities."""
    width, arity = model.width[layer], getattr(model, "mult_arity", 2)
    alone, products = (width, 0) if isinstance(width, int) else (width[0], sum(width[1:2]))
    if not products:
        return Nodes(alone)
    arities = (arity,) * products if isinstance(arity, int) else tuple(map(int, arity[layer]))
    return Nodes(alone, arities)


def _affine_of_pykan(model: Any, depth: int, nodes: Nodes) -> tuple[Tensor, Tensor]:
    """Return by what the sums of a layer are multiplied, and what is added to them."""
    inner, outer = model.subnode_scale[depth].detach(), model.node_scale[depth].detach()
    scale, shift = inner.clone(), model.subnode_bias[depth].detach().clone()
    added = model.node_bias[depth].detach()
    for node in range(len(nodes)):
        first = nodes.sums_of(node)[0]  # one factor takes the scale of its product
        scale[first] *= outer[node]
        shift[first] *= outer[node]
    shift[: nodes.alone] += added[: nodes.alone]
    if bool(added[nodes.alone :].any()):
        raise ValueError(
            f"Nothing may be added to a product; got a node_bias of "
            f"{added[nodes.alone :].tolist()} at the product nodes of layer {depth + 1}. Set it to "
            "0 and train the model again."
        )
    return scale, shift


def _of_pykan_layer(
    layer: Any,
    scale: Tensor | None = None,
    shift: Tensor | None = None,
    formulas: Tensor | None = None,
    nodes: Nodes | None = None,
) -> KANLayer:
    """Return a layer with its sums scaled, and shifted where a spline carries the shift.

    A factor without any edge is 0 in pykan, and not there in kanviz: it gets an edge that is 0.
    """
    mask = layer.mask.detach()
    weight = layer.coef.detach() * (layer.scale_sp.detach() * mask).unsqueeze(-1)
    base_weight = layer.scale_base.detach() * mask
    if scale is not None:
        weight, base_weight = weight * scale.unsqueeze(-1), base_weight * scale
    live = mask != 0 if formulas is None else (mask != 0) | formulas
    taken = _faded(layer.grid.detach(), weight, base_weight, _base_of(layer.base_fun))
    constant = taken.spec.n_basis
    if shift is not None and nodes is not None:
        live = live.clone()
        missing = ~live.any(0)
        missing[: nodes.alone] = False
        with torch.no_grad():
            for j in ((shift != 0) | missing).nonzero().flatten().tolist():
                carrier = _carrier(mask, formulas, j)
                if carrier is None:
                    continue
                live[carrier, j] = True
                # Splines of equal coefficients are constant.
                taken.weight[carrier, :constant, j] += shift[j]
    taken.set_mask(live)
    if nodes is None:
        return taken
    return KANLayer.from_state(replace(taken.state(), products=nodes.arities), live.device)


def _carrier(mask: Tensor, formulas: Tensor | None, j: int) -> int | None:
    """Return the edge whose spline takes the shift of sum j; None where a formula does."""
    splines = (mask[:, j] != 0).nonzero().flatten().tolist()
    if splines:
        return int(splines[0])
    return None if formulas is not None and bool(formulas[:, j].any()) else 0


def _symbols_of(
    symbolic: Any, depth: int, scale: Tensor, shift: Tensor, mask: Tensor, formulas: Tensor
) -> list[Symbol]:
    """Return the formulas of a layer, scaled; one carries the shift of a node without splines."""
    found: list[Symbol] = []
    for j in range(formulas.shape[1]):
        left = float(shift[j]) if _carrier(mask.detach(), formulas, j) is None else 0.0
        for i in formulas[:, j].nonzero().flatten().tolist():
            name = symbolic.funs_name[j][i]
            a, b, c, d = (float(number) for number in symbolic.affine[j, i].detach())
            factor = float(symbolic.mask[j, i]) * float(scale[j])
            affine = (a, b, c * factor, d * factor + left)
            found.append(((depth, i, j), OTHER_NAMES.get(name, name), affine))
            left = 0.0
    return found


# ---- what both have ------------------------------------------------------------------------------


def _base_of(function: Any) -> BaseName:
    """Return which base function a callable is, by what it gives."""
    x = torch.linspace(-3, 3, 13)
    with torch.no_grad():
        y = function(x)
    for name, known in BASES.items():
        if torch.allclose(y, known(x), atol=1e-6):
            return name
    raise ValueError(
        f"The base function must be silu, the identity or 0; got {function!r}. Other ones are not "
        "known here."
    )


def _faded(knots: Tensor, coef: Tensor, base_weight: Tensor, base: BaseName) -> KANLayer:
    """Return a layer whose splines fade beyond their grid, as B-splines on extended knots do.

    The stretch over which they fade, and one interval more in which they are 0, become part of the
    grid: from there on the continuation along the tangent is 0 as well.

    Parameters
    ----------
    knots : (in, G + 2k + 1)
        Extended knots.
    coef : (in, out, G + k)
    base_weight : (in, out)
    base : str
    """
    order = knots.shape[-1] - coef.shape[-1] - 1
    wide = knots.double().expand(len(coef), -1)
    first, last = wide[:, 1:2] - wide[:, :1], wide[:, -1:] - wide[:, -2:-1]
    more = torch.arange(1, order + 2, dtype=torch.float64, device=knots.device)
    wide = torch.cat([wide[:, :1] - first * more.flip(0), wide, wide[:, -1:] + last * more], dim=1)
    zeros = coef.new_zeros(*coef.shape[:2], order + 1)
    return KANLayer.from_arrays(
        wide.to(coef), torch.cat([zeros, coef, zeros], dim=2), base_weight, base=base
    )
