"""The command line: ``kanviz demo``, ``kanviz fit``, ``kanviz lab``, ``kanviz playground``."""

import argparse
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from kanviz import KAN, Dataset, __version__, from_csv, problem

DEMO_STEM = "kanviz-demo"
DEMO_GRIDS = (5, 10, 20)
FIT_GRIDS = (3, 5, 10)
NOTEBOOKS = "notebooks"
PLAYGROUND = "kanviz-playground.html"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 after one sentence on stderr that says what was wrong."""
    chosen = _parser().parse_args(arguments)
    torch.set_num_threads(1)  # networks of this size lose more to waking threads than they win
    try:
        chosen.run(chosen)
    except (ValueError, TypeError, OSError, FloatingPointError) as error:
        print(f"kanviz {chosen.command}: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="kanviz", description="Train a Kolmogorov-Arnold network and look inside."
    )
    parser.add_argument("--version", action="version", version=f"kanviz {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    demo = commands.add_parser("demo", help="train a small network on a formula and draw it")
    demo.add_argument("--folder", type=Path, default=Path(), help="where to write (default: here)")
    demo.set_defaults(run=_demo)
    _add_fit(commands.add_parser("fit", help="train a network on a CSV file and draw it"))
    lab = commands.add_parser("lab", help="open JupyterLab on the notebooks")
    lab.add_argument("--folder", type=Path, default=Path(NOTEBOOKS), help="the notebooks' folder")
    lab.set_defaults(run=_lab)
    play = commands.add_parser("playground", help="write the page on which a network learns")
    play.add_argument("--law", help="what it learns, as 'sin(pi*x_1) + x_2^2' (default: the first)")
    play.add_argument("--question", default="", help="what to ask a class above the picture")
    play.add_argument("--hide", nargs="*", default=[], metavar="PART", help="controls to hide")
    written = f"the page to write (default: {PLAYGROUND})"
    play.add_argument("--out", type=Path, default=Path(PLAYGROUND), help=written)
    play.set_defaults(run=_playground)
    return parser


def _add_fit(fit: argparse.ArgumentParser) -> None:
    fit.add_argument("data", type=Path, help="a CSV file with a header line")
    fit.add_argument("--target", required=True, help="the column to predict")
    fit.add_argument(
        "--widths", type=int, nargs="*", default=[4], metavar="N",
        help="nodes in the hidden layers (default: 4; none for a single layer)",
    )  # fmt: skip
    fit.add_argument(
        "--grids", type=int, nargs="+", default=list(FIT_GRIDS), metavar="G",
        help="grid sizes, one after the other (default: 3 5 10)",
    )  # fmt: skip
    fit.add_argument("--steps", type=int, help="steps per grid size")
    fit.add_argument("--seed", type=int, default=0, help="seed of split and start (default: 0)")
    fit.add_argument("--out", type=Path, help="the page to write (default: DATA.html)")
    fit.add_argument("--model", type=Path, help="the model file to write (default: none)")
    fit.set_defaults(run=_fit)


def _demo(chosen: argparse.Namespace) -> None:
    """Train [2, 5, 1] on the first toy formula of the KAN paper and write page and model."""
    toy = problem("toy_exp_sin")
    print(f"A network [2, 5, 1] learns {toy.formula} from 1000 points.")
    data = toy.dataset(n_train=1000, n_test=1000, seed=0)
    model = KAN([2, 5, 1], seed=0)
    report = model.fit(data, grids=DEMO_GRIDS, steps=60)
    print(report)
    _print_quality(model, data)
    page, saved = (chosen.folder / f"{DEMO_STEM}{ending}" for ending in (".html", ".kan"))
    model.to_html(page, data)
    model.save(saved)
    print(f"\nWrote {page} and {saved}. What next?")
    print(f"  look      open {page} in a browser")
    print(f'  go on     python -c "import kanviz as kv; print(kv.load({str(saved)!r}))"')
    print("  your own  kanviz fit data.csv --target price --out report.html")
    print("  learn     kanviz lab")


def _fit(chosen: argparse.Namespace) -> None:
    """Train on the user's own file; a part of its rows is kept for testing, another to watch."""
    page = chosen.out or chosen.data.with_suffix(".html")
    _check_writable(page, chosen.model)
    data = from_csv(chosen.data, target=chosen.target, seed=chosen.seed)
    print(data)
    for note in data.notes:
        print(f"  {note}")
    widths = [data.n_inputs, *chosen.widths, data.n_outputs]
    model = KAN(widths, grid_size=chosen.grids[0], seed=chosen.seed)
    report = model.fit(
        data, grids=chosen.grids, steps=chosen.steps, validation=0.2, seed=chosen.seed
    )
    print(report)
    _print_quality(model, data)
    model.to_html(page, data, title=chosen.data.name)
    print(f"Wrote {page}.")
    if chosen.model:
        model.save(chosen.model)
        print(f"Wrote {chosen.model}; kv.load opens it.")


def _playground(chosen: argparse.Namespace) -> None:
    """Write the playground; it needs nothing but a browser."""
    from kanviz.course import playground

    playground(chosen.out, law=chosen.law, question=chosen.question, hide=chosen.hide)
    print(f"Wrote {chosen.out}. Open it in a browser: it needs neither Python nor a network.")


def _check_writable(*files: Path | None) -> None:
    """Raise before the long work rather than after it."""
    for file in files:
        if file is not None and not file.resolve().parent.is_dir():
            raise ValueError(f"the folder of {file} must exist; got {file.parent}. Make it first.")


def _print_quality(model: KAN, data: Dataset) -> None:
    found = model.evaluate(data)
    for name, value in found.items():
        part, measure = name.split("_")
        label = {"rmse": "RMSE", "r2": "R^2", "accuracy": "accuracy"}[measure]
        print(f"  {part:>5} {label:<8} {value:.4g}")


def _lab(chosen: argparse.Namespace) -> None:
    """Open JupyterLab; where there are no notebooks, put a copy of kanviz's own there first."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise ValueError(
            "JupyterLab must be installed for this; got none. Run pip install 'kanviz[lab]'."
        )
    folder: Path = chosen.folder
    if not folder.exists():
        shutil.copytree(_own_notebooks(), folder)
        print(f"Put a copy of the notebooks into {folder}.")
    subprocess.run([sys.executable, "-m", "jupyterlab", str(folder)], check=False)


def _own_notebooks() -> Path:
    """Return the notebooks in the wheel, or in the checkout that an editable install points to."""
    package = Path(__file__).parent
    for folder in (package / NOTEBOOKS, package.parent / NOTEBOOKS):
        if folder.is_dir():
            return folder
    raise ValueError(
        f"the notebooks must lie in {package / NOTEBOOKS}; got no such folder. Reinstall kanviz."
    )
