"""The command line: ``kanviz demo``, ``fit``, ``lab``, ``playground``, ``course``."""

import argparse
import datetime
import importlib.util
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from kanviz import KAN, Dataset, FitReport, __version__, from_csv, problem
from kanviz.training.errors import overfit

DEMO_STEM = "kanviz-demo"
DEMO_GRIDS = (5, 10, 20)
FIT_GRIDS = (3, 5, 10)
NOTEBOOKS = "notebooks"
PLAYGROUND = "kanviz-playground.html"
SITE = "site"


OPTIONS = {"missing='mean'": "--missing mean", "normalize=True": "other units"}
"""What a sentence of the package asks for, as it is asked for here."""

MOST_LETTERS = 3000
"""Of a formula that is printed; a longer one is no law, and stands in the page."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 after one sentence on stderr that says what was wrong.

    ``lab`` returns what Jupyter returns.
    """
    parser = _parser()
    chosen, others = parser.parse_known_args(arguments)
    if others and chosen.command != "lab":
        parser.error(f"unrecognized arguments: {' '.join(others)}")
    chosen.others = [other for other in others if other != "--"]
    torch.set_num_threads(1)  # networks of this size lose more to waking threads than they win
    try:
        code: int | None = chosen.run(chosen)
    except (ValueError, TypeError, OSError, FloatingPointError) as error:
        message = str(error)
        for python, option in OPTIONS.items():
            message = message.replace(python, option)
        print(f"kanviz {chosen.command}: {message}", file=sys.stderr)
        return 2
    return code or 0


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
    lab = commands.add_parser(
        "lab",
        help="open JupyterLab on the notebooks",
        epilog="All other options go to JupyterLab: --no-browser, --port 8899, --allow-root ...",
    )
    lab.add_argument(
        "--folder", type=Path, default=Path(NOTEBOOKS),
        help="the notebooks' folder; made, with a copy of them, where there is none",
    )  # fmt: skip
    lab.set_defaults(run=_lab)
    play = commands.add_parser("playground", help="write the page on which a network learns")
    play.add_argument("--law", help="what it learns, as 'sin(pi*x_1) + x_2^2' (default: the first)")
    play.add_argument("--question", default="", help="what to ask a class above the picture")
    play.add_argument("--hide", nargs="*", default=[], metavar="PART", help="controls to hide")
    written = f"the page to write (default: {PLAYGROUND})"
    play.add_argument("--out", type=Path, default=Path(PLAYGROUND), help=written)
    play.set_defaults(run=_playground)
    course = commands.add_parser("course", help="run the notebooks and write them as a web site")
    course.add_argument("--out", type=Path, default=Path(SITE), help=f"folder (default: {SITE})")
    course.add_argument("--folder", type=Path, help="other notebooks than kanviz's own")
    course.set_defaults(run=_course)
    return parser


def _count(text: str) -> int:
    """Return a whole number of at least 1; its error names the option that it was given to."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be whole numbers of at least 1; got {text!r}")
    return int(text)


def _price(text: str) -> float:
    """Return a number of at least 0; its error names the option that it was given to."""
    try:
        found = float(text)
    except ValueError:
        found = -1.0
    if not 0 <= found < float("inf"):
        raise argparse.ArgumentTypeError(f"must be a number of at least 0; got {text!r}")
    return found


def _add_fit(fit: argparse.ArgumentParser) -> None:
    fit.add_argument("data", type=Path, help="a CSV file with a header line")
    fit.add_argument("--target", required=True, help="the column to predict")
    fit.add_argument(
        "--law", action="store_true",
        help="end in a formula: remove what does not matter, and name the curves that are left",
    )  # fmt: skip
    fit.add_argument(
        "--sparsity", type=_price, default=0.0, metavar="PRICE",
        help="price of edges: 1e-4 to 1e-2 for few of them (default: 0)",
    )  # fmt: skip
    fit.add_argument(
        "--missing", choices=("drop", "mean", "error"), default="drop",
        help="what becomes of rows with gaps (default: drop)",
    )  # fmt: skip
    fit.add_argument(
        "--widths", type=_count, nargs="*", default=[4], metavar="N",
        help="nodes in the hidden layers (default: 4; none for a single layer)",
    )  # fmt: skip
    fit.add_argument(
        "--grids", type=_count, nargs="+", default=list(FIT_GRIDS), metavar="G",
        help="grid sizes, one after the other (default: 3 5 10)",
    )  # fmt: skip
    fit.add_argument("--steps", type=_count, help="steps per grid size")
    fit.add_argument("--seed", type=int, default=0, help="seed of split and start (default: 0)")
    fit.add_argument("--out", type=Path, help="the page to write (default: DATA.html)")
    fit.add_argument("--model", type=Path, help="the model file to write (default: none)")
    fit.set_defaults(run=_fit)


def _demo(chosen: argparse.Namespace) -> None:
    """Train [2, 5, 1] on the first toy formula of the KAN paper and write page and model."""
    toy = problem("toy_exp_sin")
    page, saved = (chosen.folder / f"{DEMO_STEM}{ending}" for ending in (".html", ".kan"))
    _check_writable(page, saved)
    print(f"A network [2, 5, 1] learns {toy.formula} from 1000 points.")
    data = toy.dataset(n_train=1000, n_test=1000, seed=0)
    model = KAN([2, 5, 1], seed=0)
    report = model.fit(data, grids=DEMO_GRIDS, steps=60)
    print(report)
    _print_quality(model, data, report)
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
    data = from_csv(chosen.data, target=chosen.target, missing=chosen.missing, seed=chosen.seed)
    print(data)
    widths = [data.n_inputs, *chosen.widths, data.n_outputs]
    model = KAN(widths, grid_size=chosen.grids[0], seed=chosen.seed)
    # A law is looked for in curves that are as smooth as the data ask for, which takes all of them.
    validation = None if chosen.law else 0.2
    report = model.fit(
        data,
        grids=chosen.grids,
        steps=chosen.steps,
        sparsity=chosen.sparsity,
        validation=validation,
        seed=chosen.seed,
    )
    print(f"{report.optimizer}: {report.n_steps} steps in {report.seconds:.1f} s")
    _print_quality(model, data, report)
    if chosen.law:
        _find_law(model, data, report)
    day = datetime.date.today().isoformat()
    model.to_html(page, data, title=f"{chosen.data.name}, {day}")
    print(f"\nWrote {page}{f' and {chosen.model}' if chosen.model else ''}. What next?")
    print(f"  look      open {page} in a browser")
    again = f'kanviz fit {chosen.data} --target "{chosen.target}"'
    if chosen.model:
        model.save(chosen.model)
        print(f'  go on     python -c "import kanviz as kv; print(kv.load({str(chosen.model)!r}))"')
    else:
        print(f"  keep it   {again} --model {chosen.data.stem}.kan")
    if not chosen.law:
        print(f"  a formula {again} --law")


def _find_law(model: KAN, data: Dataset, report: FitReport) -> None:
    """Remove what does not matter, name the curves, and print the formula with its errors."""
    pruned = model.prune(data)
    print(f"removed {len(pruned.edges)} of {pruned.edges_before} edges")
    named = model.symbolify(data)
    found = sum(edge.chosen is not None for edge in named.edges)
    print(f"{found} of {len(named.edges)} curves became formulas")
    formula = model.formula(digits=4)
    lines = formula.equations()
    print("\nThe law:" if named.is_complete else "\nWhat is known of the law:")
    for line in lines:
        print(f"  {line if len(line) <= MOST_LETTERS else 'too long to print; see the page'}")
    if not named.is_complete:
        print("  phi... are curves that no formula fits as well; the page shows them.")
    _print_quality(model, data, report)


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


def _print_quality(model: KAN, data: Dataset, report: FitReport) -> None:
    """Print the errors of both parts with their unit, and a warning where they ask for one."""
    found = model.evaluate(data)
    for name, value in found.items():
        part, measure = name.split("_")
        label = {"rmse": "RMSE", "r2": "R^2", "accuracy": "accuracy"}[measure]
        unit = f" {report.unit}" if measure == "rmse" and report.unit else ""
        print(f"  {part:>5} {label:<8} {value:.4g}{unit}")
    if warning := overfit(found):
        print(f"  {warning}")


def _lab(chosen: argparse.Namespace) -> int:
    """Open JupyterLab; where there are no notebooks, put a copy of kanviz's own there first."""
    if importlib.util.find_spec("jupyterlab") is None:
        raise ValueError(
            "JupyterLab must be installed for this; got none. Run pip install 'kanviz[lab]', "
            "or pip install '.[lab]' in a checkout."
        )
    folder: Path = chosen.folder
    if not folder.exists():
        shutil.copytree(_own_notebooks(), folder)
        print(f"Put a copy of the notebooks into {folder}.")
    command = [sys.executable, "-m", "jupyterlab", str(folder), *chosen.others]
    code: int = subprocess.run(command, check=False).returncode
    if code:
        print(
            f"kanviz lab: JupyterLab ended with code {code}; what it says stands above. Options "
            "that it asks for may be given here: kanviz lab --allow-root --no-browser.",
            file=sys.stderr,
        )
    return code


def _course(chosen: argparse.Namespace) -> None:
    """Run the notebooks and write their pages: some minutes."""
    from kanviz.course.site import write_site

    write_site(chosen.folder or _own_notebooks(), chosen.out, print)
    print(f"Wrote {chosen.out / 'index.html'}: open it in a browser.")


def _own_notebooks() -> Path:
    """Return the notebooks in the wheel, or in the checkout that an editable install points to."""
    package = Path(__file__).parent
    for folder in (package / NOTEBOOKS, package.parent / NOTEBOOKS):
        if folder.is_dir():
            return folder
    raise ValueError(
        f"the notebooks must lie in {package / NOTEBOOKS}; got no such folder. Reinstall kanviz."
    )
