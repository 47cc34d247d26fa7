"""From a network, data and options to one checked task."""

import torch
from torch import Tensor

from kanviz.data import Dataset, as_dataset
from kanviz.nn import Network
from kanviz.training.equation import Equation
from kanviz.training.levenberg_marquardt import exact_pays
from kanviz.training.linearise import n_entries, n_weights
from kanviz.training.options import FitOptions
from kanviz.training.prepare_equation import prepare_equation
from kanviz.training.report import FitReport
from kanviz.training.sparsity import Sparsity
from kanviz.training.task import LOSS_FUNCTIONS, Loss, Task, name_of, sparsity_of


def prepare(network: Network, data: Dataset | Equation, options: FitOptions) -> Task:
    """Check that network, data and options fit together and resolve every default.

    Raises
    ------
    ValueError
        If the data do not fit the network, or the optimizer does not fit the loss.
    """
    if isinstance(data, Equation):
        return prepare_equation(network, data, options)
    check_fits(network, data)
    loss = options.loss or ("cross_entropy" if data.is_classification else "mse")
    _check_targets(data, loss)
    grids = list(options.grids or [network.layers[0].spec.grid_size])
    optimizer = _choose(network, loss, data.y.numel(), grids[-1], options)
    weight = network.layers[0].weight
    dtype = torch.float64 if optimizer == "lm" else weight.dtype

    def cast(t: Tensor) -> Tensor:
        return t.to(weight.device, dtype if t.is_floating_point() else t.dtype)

    x, y = cast(data.x), cast(data.y)
    validation, x, y = _validation(data, x, y, options)
    std = float(y.std(correction=0)) if loss == "mse" else 1.0
    return Task(
        network=network,
        x=x,
        y=y,
        validation=validation and (cast(validation[0]), cast(validation[1])),
        loss=LOSS_FUNCTIONS[loss] if isinstance(loss, str) else loss,
        optimizer=optimizer,
        grids=grids,
        scale=std or 1.0,
        sparsity=sparsity_of(options),
        options=options,
        report=FitReport(name_of(optimizer)),
    )


def check_fits(network: Network, data: Dataset) -> None:
    """Raise a ValueError unless the data have a column for each input and output."""
    for name, width, columns in (
        ("x", network.widths[0], data.n_inputs),
        ("y", network.widths[-1], data.n_outputs),
    ):
        if width != columns:
            end = "first" if name == "x" else "last"
            raise ValueError(
                f"the data's {name} must have {width} columns because the network's {end} width is "
                f"{width}; got {columns}. Change the data or the widths {list(network.widths)}."
            )


def _check_targets(data: Dataset, loss: str | Loss) -> None:
    if loss == "mse" and data.is_classification:
        raise ValueError(
            "loss must be 'cross_entropy' for classes; got 'mse'. Leave out loss, or pass y as "
            "floating-point columns."
        )
    if loss == "cross_entropy" and not data.is_classification:
        raise ValueError(
            "loss must be 'mse' for numbers; got 'cross_entropy'. Pass y as class numbers (int64) "
            "for classification."
        )


def _choose(
    network: Network, loss: str | Loss, n_residuals: int, finest: int, options: FitOptions
) -> str | type[torch.optim.Optimizer]:
    if options.optimizer != "auto":
        if options.optimizer == "lm" and loss != "mse":
            raise ValueError(
                f"optimizer must not be 'lm' with loss={loss!r}, because it needs a squared loss; "
                "got 'lm'. Use 'lbfgs' or 'adam'."
            )
        return options.optimizer
    if options.batch_size is not None:
        return "adam"
    sparsity = options.sparsity
    if loss != "mse" or (isinstance(sparsity, Sparsity) and sparsity.metric != "std"):
        return "lbfgs"
    return "lm" if _exact_pays(network, n_residuals, finest) else "lbfgs"


def _exact_pays(network: Network, n_residuals: int, finest: int) -> bool:
    """Return whether "lm" can take exact steps on the finest grid, where it beats "lbfgs"."""
    more = {layer: finest - layer.spec.grid_size for layer in network.layers}
    n = n_weights(network) + sum(more[layer] * layer.mask.numel() for layer in network.layers)
    sparse = all(layer.spec.is_spline for layer in network.layers)
    return exact_pays(n, n_entries(network) if sparse else n, n_residuals)


def _validation(
    data: Dataset, x: Tensor, y: Tensor, options: FitOptions
) -> tuple[tuple[Tensor, Tensor] | None, Tensor, Tensor]:
    """Return (validation pair or None, training x, training y)."""
    asked = options.validation
    if asked is None:
        return None, x, y
    if asked == "test":
        if data.x_test is None or data.y_test is None:
            raise ValueError(
                "validation must be a share or a pair where the data have no test part; got "
                "'test'. Pass for example validation=0.1."
            )
        return (data.x_test, data.y_test), x, y
    if isinstance(asked, float):
        held = max(1, round(asked * len(x)))
        if held > len(x) - 2:
            raise ValueError(
                f"validation must leave at least 2 of {len(x)} samples for training; got "
                f"{asked!r}. Lower it."
            )
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(options.seed))
        order = order.to(x.device)
        return (x[order[:held]], y[order[:held]]), x[order[held:]], y[order[held:]]
    pair = as_dataset(asked)
    return (pair.x, pair.y), x, y
