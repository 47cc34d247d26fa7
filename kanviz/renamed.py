"""Words that people bring along: those of 0.1, pykan, efficient-kan and the like.

Each gives one sentence that says what to write here. They are not accepted as second spellings: a
text that is read by others should have one word per idea.
"""

import functools
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")

# A value that is a name is what the thing is called here; one with a blank is advice as it stands.

ATTRIBUTES = {
    # 0.1
    "history": "steps",
    # pykan
    "attribute": "edge_scores",
    "auto_symbolic": "symbolify",
    "checkout": "undo",
    "feature_score": "feature_scores",
    "fix_symbolic": "fix",
    "get_act": "trace",
    "get_params": "Write model.parameters(), as for any torch module.",
    "initialize_from_another_model": "Write refine(grid_size), which keeps the functions.",
    "initialize_grid_from_another_model": "Write refine(grid_size), which keeps the functions.",
    "input_id": "Removed edges stay in the picture; plan and prune say what is idle.",
    "loadckpt": "Write kanviz.load(path).",
    "prune_edge": "Write prune(data), or remove_edge((0, 1, 2)) for one edge.",
    "prune_input": "Write prune(data), or remove_node((0, 1)) for one input.",
    "prune_node": "Write prune(data), or remove_node((1, 2)) for one node.",
    "rewind": "undo",
    "saveckpt": "save",
    "speed": "Nothing has to be switched on: formulas cost time only where there are some.",
    "suggest_symbolic": "suggest",
    "symbolic_formula": "formula",
    "tree": "structure",
    "unfix_symbolic": "unfix",
    "update_grid_from_samples": "update_grid",
    # efficient-kan
    "regularization_loss": "Write fit(data, sparsity=1e-3): the penalty is part of a fit.",
}
"""Attributes of a model elsewhere, and what stands for them here."""

MAKING = {
    "affine_trainable": "The numbers of a formula learn unless they are frozen: freeze(edge).",
    "auto_save": "Nothing is written to disk unasked: write save(path).",
    "base_activation": "base",
    "base_fun": "base",
    "ckpt_path": "Nothing is written to disk unasked: write save(path).",
    "grid": "grid_size",
    "grid_eps": "Write update_grid(x, grid_eps=0.02), or leave it to fit.",
    "grid_max": "grid_range",
    "grid_min": "grid_range",
    "k": "spline_order",
    "layers_hidden": "widths",
    "mult_arity": "product_arity",
    "noise_scale": 'Write init="auto", "zero", "identity" or "linear".',
    "num_grids": 'Write grid_size=..., with basis="gaussian" for radial functions.',
    "sparse_init": "Remove edges by remove_edge, or fit with sparsity=1e-3.",
    "symbolic_enabled": "Nothing has to be switched on: write fix or symbolify.",
    "width": "widths",
}
"""Options of a model elsewhere."""

LAYER = {
    "grid": "grid_size",
    "in_dim": "in_features",
    "k": "spline_order",
    "num": "grid_size",
    "out_dim": "out_features",
}
"""Options of a layer elsewhere."""

FITTING = {
    "batch": "batch_size",
    "curvature": "smoothing",
    "dataset": "data",
    "epochs": "steps",
    "grid_update_num": "update_grid",
    "lamb": "sparsity",
    "lamb_coef": "smoothing",
    "lamb_coefdiff": "smoothing",
    "lamb_entropy": "Write sparsity=kanviz.Sparsity(1e-3, l1=1.0, entropy=2.0).",
    "lamb_l1": "Write sparsity=kanviz.Sparsity(1e-3, l1=1.0, entropy=2.0).",
    "log": "progress",
    "loss_fn": "loss",
    "lr": "learning_rate",
    "max_iter": "steps",
    "metrics": "Write callbacks=[...], or read the report's history.",
    "n_epochs": "steps",
    "opt": "optimizer",
    "random_state": "seed",
    "reg_metric": 'Write sparsity=kanviz.Sparsity(1e-3, metric="std").',
    "save_fig": "Write callbacks=[...]; kanviz.course.recorder keeps pictures of a fit.",
    "stop_grid_update_step": "update_grid",
    "update_grid_num": "update_grid",
    "val_data": "validation",
    "validation_data": "validation",
    "verbose": "progress",
    "weight_decay": "smoothing",
}
"""Options of a fit elsewhere."""

PRUNING = {
    "edge_th": "Write prune(data, tolerance=...), which judges by the error on the data.",
    "node_th": "Write prune(data, tolerance=...), which judges by the error on the data.",
}
"""Options of pruning elsewhere."""

REFINING = {"grid": "grid_size", "new_grid": "grid_size"}
"""Options of refining elsewhere."""

PLOTTING = {
    "beta": "Strengths are drawn as they are, with nothing to tune.",
    "folder": "Nothing is written to disk unasked: write plot().savefig(path).",
    "in_vars": "Names come with the data: from_arrays(x, y, input_names=...).",
    "out_vars": "Names come with the data: from_arrays(x, y, output_names=...).",
    "metric": "Strengths are edge_scores, which plot(x) asks for rows of your own.",
    "sample": "Write plot(x) for rows of your own.",
}
"""Options of a figure elsewhere."""

READING = {
    "dayfirst": "day_first",
    "na_values": "Gaps are empty cells, NA, nan, null, None and '?'.",
    "parse_dates": "Dates are found, and become days since 1970-01-01.",
    "sep": "delimiter",
    "usecols": "inputs",
}
"""Options of pandas' reader of files."""

PUBLIC = {
    # 0.1
    "register": "register_function",
    # pykan, efficient-kan, fast-kan
    "FastKAN": 'Write KAN([2, 5, 1], basis="gaussian").',
    "KANLinear": "KANLayer",
    "MultKAN": "KAN",
    "add_symbolic": "register_function",
    "create_dataset": "from_function",
    "create_dataset_from_data": "from_arrays",
    "ex_round": "Write model.formula().rounded(3).",
    "kan": "KAN",
    "kanpiler": "Write KAN.from_formula(formula, ranges).",
    "loadckpt": "load",
}
"""Public names elsewhere."""


def refuse_old_names(owner: str, name: str, names: Mapping[str, str] = ATTRIBUTES) -> None:
    """Raise an AttributeError for a name of 0.1 or of another library.

    >>> refuse_old_names("KAN", "history")
    Traceback (most recent call last):
    AttributeError: KAN.history is called steps here.
    """
    if name in names:
        new = names[name]
        called = f"{owner}.{name} is called {new} here."
        raise AttributeError(f"{owner} has no {name}. {new}" if " " in new else called)


def renamed(
    names: Mapping[str, str] = MappingProxyType({}), **more: str
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a function raise a TypeError for options of other names: ``old="new"``."""
    names = {**names, **more}

    def around(function: Callable[P, R]) -> Callable[P, R]:
        owner = function.__qualname__.removesuffix(".__init__").split(".")[-1]

        @functools.wraps(function)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if foreign := [old for old in kwargs if old in names]:
                raise TypeError(_foreign_options(owner, foreign, names))
            return function(*args, **kwargs)

        return call

    return around


def _foreign_options(owner: str, foreign: list[str], names: Mapping[str, str]) -> str:
    """Say all of them at once: who brings one word along brings others too."""
    called = [f"{old!r} is called {names[old]!r} here" for old in foreign if " " not in names[old]]
    advice = dict.fromkeys(names[old] for old in foreign if " " in names[old])
    plural = "s" if len(foreign) > 1 else ""
    first = f"{owner} has no option{plural} {', '.join(map(repr, foreign))}."
    return " ".join([first, *([f"{', '.join(called)}."] if called else []), *advice])


def one_address(example: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Let a method raise a TypeError where an address comes as several numbers, as in 0.1."""

    def around(method: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(method)
        def call(*args: P.args, **kwargs: P.kwargs) -> R:
            if len(args) > 2 or {"layer", "i", "j"} & kwargs.keys():
                raise TypeError(
                    f"{method.__name__} takes one address. Write {method.__name__}({example})."
                )
            return method(*args, **kwargs)

        return call

    return around
