"""The command line: ``kanviz demo``, ``fit``, ``explain``, ``convert``, ``lab`` and others."""

import argparse
import datetime
import importlib.util
import json
import pickle
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from kanviz import KAN, Dataset, FitReport, __version__, convert, from_csv, load, problem, search
from kanviz.conversion import to_efficient_kan
from kanviz.data.dataset import LOG
from kanviz.training.errors import overfit

DEMO_STEM = "kanviz-demo"
DEMO_GRIDS = (5, 10, 20)
FIT_WIDTHS, FIT_GRIDS = [4], [3, 5, 10]
NOTEBOOKS = "notebooks"
PLAYGROUND = "kanviz-playground.html"
SITE = "site"


INTERRUPTED = 130
"""What shells give a command that Ctrl-C ended."""

OPTIONS = {"missing='mean'": "--missing mean", "normalize=True": "other units"}
"""What a sentence of the package asks for, as it is asked for here."""

MOST_LETTERS = 3000
"""Of a formula that is printed; a longer one is no law, and stands in the page."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, or 2 after one sentence on stderr that says what was wrong.

    130 after Ctrl-C; ``lab`` returns what Jupyter returns.
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
    except KeyboardInterrupt:
        print(f"kanviz {chosen.command}: interrupted.", file=sys.stderr)
        return INTERRUPTED
    return code or 0


class Teller:
    """What a command says: text as it goes, or with ``--json`` one object in the end."""

    def __init__(self, *, as_json: bool = False) -> None:
        self._as_json = as_json
        self._facts: dict[str, Any] = {}

    def say(self, text: object = "") -> None:
        """Say something to a reader."""
        if not self._as_json:
            print(text)

    def know(self, **facts: Any) -> None:
        """Keep what a program may want to know."""
        self._facts |= facts

    def end(self) -> None:
        """Give a program all of it; what is no finite number is null."""
        if self._as_json:
            found = {name: _for_json(value) for name, value in self._facts.items()}
            print(json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False))


def _for_json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _for_json(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_for_json(one) for one in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and value - value != 0:
        return None
    return value


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
    _add_explain(commands.add_parser("explain", help="see what a model makes of a CSV file"))
    _add_convert(commands.add_parser("convert", help="take a model of another library over"))
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
    course.add_argument(
        "--keep",
        action="store_true",
        help="keep pages that are there; run the other notebooks only",
    )
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
        "--exclude", nargs="+", default=[], metavar="COLUMN",
        help="columns to leave out (default: none)",
    )  # fmt: skip
    fit.add_argument(
        "--search", action="store_true",
        help="let the data choose hidden nodes and grids: several networks are trained",
    )  # fmt: skip
    fit.add_argument(
        "--widths", type=_count, nargs="*", metavar="N",
        help="nodes in the hidden layers (default: 4; none for a single layer)",
    )  # fmt: skip
    fit.add_argument(
        "--grids", type=_count, nargs="+", metavar="G",
        help="grid sizes, one after the other (default: 3 5 10)",
    )  # fmt: skip
    fit.add_argument("--steps", type=_count, help="steps per grid size")
    _add_table(fit)
    fit.add_argument("--seed", type=int, default=0, help="seed of split and start (default: 0)")
    fit.add_argument("--out", type=Path, help="the page to write (default: DATA.html)")
    fit.add_argument("--model", type=Path, help="the model file to write (default: none)")
    _add_json(fit)
    fit.set_defaults(run=_fit)


def _add_explain(explain: argparse.ArgumentParser) -> None:
    explain.add_argument("model", type=Path, help="a model file, as 'kanviz fit --model' writes it")
    explain.add_argument(
        "--data", type=Path, required=True, help="a CSV file with the columns of the model"
    )
    explain.add_argument("--target", help="the column to predict (default: the model's output)")
    explain.add_argument(
        "--rows", type=_count, nargs="*", default=[], metavar="N",
        help="rows of the file, from 1, to take apart input by input (default: the worst)",
    )  # fmt: skip
    _add_table(explain)
    explain.add_argument("--out", type=Path, help="the page to write (default: DATA.html)")
    _add_json(explain)
    explain.set_defaults(run=_explain)


def _add_convert(convert: argparse.ArgumentParser) -> None:
    convert.add_argument(
        "source", type=Path,
        help="a file of torch.save: a state dict of efficient-kan, or with --trust a whole model; "
        "or a .kan file, for the way back",
    )  # fmt: skip
    convert.add_argument(
        "--out", type=Path, required=True,
        help="the .kan file to write; of a .kan file a state dict for efficient-kan",
    )  # fmt: skip
    convert.add_argument("--inputs", nargs="+", metavar="NAME", help="what the inputs are called")
    convert.add_argument("--outputs", nargs="+", metavar="NAME", help="what the outputs are called")
    convert.add_argument(
        "--trust", action="store_true",
        help="read a whole model, which runs code that the file names: only of files you trust",
    )  # fmt: skip
    convert.set_defaults(run=_convert)


def _add_table(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--encoding", help="how the file's letters are written, as latin-1 (default: found)"
    )
    parser.add_argument("--delimiter", help="what stands between fields (default: found)")
    parser.add_argument(
        "--decimal", choices=("auto", ".", ","), default="auto", help="sign for decimals"
    )
    parser.add_argument(
        "--day-first", action=argparse.BooleanOptionalAction, default=None,
        help="whether 3/4/2024 is in April (default: by days after the 12th)",
    )  # fmt: skip


def _table_options(chosen: argparse.Namespace) -> dict[str, Any]:
    """Return what ``from_csv`` is told of how the file is written."""
    names = ("encoding", "delimiter", "decimal", "day_first")
    return {name: getattr(chosen, name) for name in names}


def _add_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--json", action="store_true", help="print one JSON object and no other text"
    )


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
    _tell_quality(model, data, report, Teller())
    model.to_html(page, data)
    model.save(saved)
    print(f"\nWrote {page} and {saved}. What next?")
    print(f"  look      open {page} in a browser")
    print(f'  go on     python -c "import kanviz as kv; print(kv.load({str(saved)!r}))"')
    print("  your own  kanviz fit data.csv --target price --out report.html")
    print("  learn     kanviz lab")


def _fit(chosen: argparse.Namespace) -> None:
    """Train on the user's own file; a part of its rows is kept for testing, another to watch."""
    page, tell = chosen.out or chosen.data.with_suffix(".html"), Teller(as_json=chosen.json)
    _check_writable(page, chosen.model)
    _check_search(chosen)
    data = from_csv(
        chosen.data,
        target=chosen.target,
        missing=chosen.missing,
        exclude=chosen.exclude,
        seed=chosen.seed,
        **_table_options(chosen),
    )
    tell.say(data)
    model, report = _searched(data, chosen, tell) if chosen.search else _trained(data, chosen)
    tell.say(f"{report.optimizer}: {report.n_steps} steps in {report.seconds:.1f} s")
    _tell_quality(model, data, report, tell)
    tell.know(
        inputs=model.input_names,
        outputs=model.output_names,
        widths=model.widths,
        optimizer=report.optimizer,
        steps=report.n_steps,
        seconds=report.seconds,
        noise=report.noise,
        notes=[*data.notes, *report.notes],
        page=page,
        model=chosen.model,
    )
    if chosen.law:
        _find_law(model, data, report, tell)
    day = datetime.date.today().isoformat()
    model.to_html(page, data, title=f"{chosen.data.name}, {day}")
    tell.say(f"\nWrote {page}{f' and {chosen.model}' if chosen.model else ''}. What next?")
    tell.say(f"  look      open {page} in a browser")
    again = f'kanviz fit {chosen.data} --target "{chosen.target}"'
    if chosen.model:
        model.save(chosen.model)
        tell.say(f"  new rows  kanviz explain {chosen.model} --data new.csv")
        loaded = f"kv.load({str(chosen.model)!r})"
        tell.say(f'  go on     python -c "import kanviz as kv; print({loaded})"')
    else:
        tell.say(f"  keep it   {again} --model {chosen.data.stem}.kan")
    if not chosen.law:
        tell.say(f"  a formula {again} --law")
    tell.end()


def _check_search(chosen: argparse.Namespace) -> None:
    """Raise where a search is told what it is to find."""
    given = {"--widths": chosen.widths, "--grids": chosen.grids, "--steps": chosen.steps}
    wrong = [name for name, value in given.items() if value is not None]
    wrong += ["--sparsity"] * bool(chosen.sparsity)
    if chosen.search and wrong:
        raise ValueError(
            f"--search finds the shape by itself; got {' and '.join(wrong)} beside it. Leave "
            "one of them out."
        )


def _searched(data: Dataset, chosen: argparse.Namespace, tell: Teller) -> tuple[KAN, FitReport]:
    """Let the data choose the shape."""
    found = search(data, progress=not chosen.json, seed=chosen.seed)
    tell.say(found)
    tried = [
        {"widths": one.widths, "grid_size": one.grid_size, "log_evidence": one.log_evidence}
        for one in found
    ]
    tell.know(candidates=tried)
    return found.best, found.winner.report


def _trained(data: Dataset, chosen: argparse.Namespace) -> tuple[KAN, FitReport]:
    """Train a network of the shape that was asked for."""
    hidden = FIT_WIDTHS if chosen.widths is None else chosen.widths
    grids = chosen.grids or FIT_GRIDS
    model = KAN([data.n_inputs, *hidden, data.n_outputs], grid_size=grids[0], seed=chosen.seed)
    report = model.fit(
        data,
        grids=grids,
        steps=chosen.steps,
        sparsity=chosen.sparsity,
        # A law is looked for in curves that are as smooth as the data ask for: by all of them.
        validation=None if chosen.law else 0.2,
        progress=not chosen.json,
        seed=chosen.seed,
    )
    return model, report


def _find_law(model: KAN, data: Dataset, report: FitReport, tell: Teller) -> None:
    """Remove what does not matter, name the curves, and tell the formula with its errors."""
    pruned = model.prune(data)
    tell.say(f"removed {len(pruned.edges)} of {pruned.edges_before} edges")
    named = model.symbolify(data)
    found = sum(edge.chosen is not None for edge in named.edges)
    tell.say(f"{found} of {len(named.edges)} curves became formulas")
    formula = model.formula(digits=4)
    lines = formula.equations()
    tell.know(law=lines, law_is_complete=named.is_complete)
    tell.say("\nThe law:" if named.is_complete else "\nWhat is known of the law:")
    for line in lines:
        tell.say(f"  {line if len(line) <= MOST_LETTERS else 'too long to print; see the page'}")
    if not named.is_complete:
        tell.say("  phi... are curves that no formula fits as well; the page shows them.")
    _tell_quality(model, data, report, tell)


MOST_ROWS = 3
"""Of the rows that a model does worst on, so many are taken apart."""


def _explain(chosen: argparse.Namespace) -> None:
    """Tell how well a model does on new rows, what matters there, and what rows are made of."""
    page, tell = chosen.out or chosen.data.with_suffix(".html"), Teller(as_json=chosen.json)
    _check_writable(page)
    model = load(chosen.model)
    if chosen.target is None and model.classes is not None:
        raise ValueError(
            f"{chosen.model.name} tells the classes {', '.join(map(str, model.classes))} apart, "
            "and does not know which column holds them. Pass --target COLUMN."
        )
    target = chosen.target or [name.removeprefix(LOG) for name in model.output_names]
    data = from_csv(
        chosen.data, target=target, missing="error", test_fraction=0.0, normalize=False,
        dtype=torch.float64, **_table_options(chosen),
    )  # fmt: skip
    known = model.session.dataset(data, one_row=True, as_given=True)
    tell.say(f"{chosen.data.name}: {len(data.x)} rows")
    errors = {name.removeprefix("train_"): value for name, value in model.evaluate(data).items()}
    for name, value in errors.items():
        tell.say(f"  {MEASURES[name]:<8} {value:.4g}")
    effects = dict(zip(model.input_names, model.feature_scores(data).tolist(), strict=True))
    tell.say("\nWhat matters here, as a share of the variance:")
    for name, value in sorted(effects.items(), key=lambda pair: -pair[1]):
        tell.say(f"  {value:6.1%}  {name}")
    outside = _outside(model, known)
    for name, count in outside.items():
        tell.say(f"  {count} rows lie outside of what the model has learnt from, in {name}")
    tell.know(rows=len(data.x), errors=errors, effects=effects, outside=outside, page=page)
    tell.know(taken_apart=_taken_apart(model, data, known, chosen.rows, tell))
    model.to_html(page, data, title=f"{chosen.model.name} on {chosen.data.name}")
    tell.say(f"\nWrote {page}. Open it in a browser.")
    tell.end()


MEASURES = {"rmse": "RMSE", "r2": "R^2", "accuracy": "accuracy"}


def _outside(model: KAN, data: Dataset) -> dict[str, int]:
    """Return for each input how many rows lie beyond the sample that the model remembers."""
    sample = model.session.about.sample
    if sample is None:
        return {}
    low, high = sample.to(data.x).amin(0), sample.to(data.x).amax(0)
    slack = 1e-6 * (high - low)  # the sample may have been rounded
    counts = ((data.x < low - slack) | (data.x > high + slack)).sum(0).tolist()
    return {name: n for name, n in zip(model.input_names, counts, strict=True) if n}


def _taken_apart(
    model: KAN, data: Dataset, known: Dataset, rows: Sequence[int], tell: Teller
) -> list[dict[str, Any]]:
    """Return and tell what some rows are made of: those asked for, or those it does worst on."""
    if wrong := [row for row in rows if row > len(data.x)]:
        raise ValueError(
            f"--rows must be from 1 to {len(data.x)}, as the file has; got {wrong[0]}."
        )
    with torch.no_grad():
        outputs = model.network(known.x.to(model.network.layers[0].weight)).double()
    if data.is_classification:
        off = torch.nn.functional.cross_entropy(outputs, known.y, reduction="none")
    else:
        off = (outputs - known.y).square().sum(1)
    worst = off.topk(min(MOST_ROWS, len(off))).indices.tolist()
    chosen = [row - 1 for row in rows] or worst
    x = known.x_scaling.undo(known.x[chosen])  # the model's columns, in the user's units
    said, shares = model.predict(x).tolist(), model.contributions(x)
    names, found = model.output_names, []
    for n, row in enumerate(chosen):
        y = data.y[row].tolist()
        labels = data.classes if data.is_classification else None
        measured = y if labels is None else labels[int(data.y[row])]
        output = names.index(str(said[n])) if labels and str(said[n]) in names else 0
        parts = dict(zip(model.input_names, shares[n, :, output].tolist(), strict=True))
        found.append({"row": row + 1, "said": said[n], "measured": measured, "parts": parts})
        shown = _short(said[n]), _short(measured)
        tell.say(f"\nRow {row + 1}: the model says {shown[0]}, measured is {shown[1]}; made of")
        for name, value in sorted(parts.items(), key=lambda pair: -abs(pair[1])):
            tell.say(f"  {value:+10.4g}  {name}")
    return found


def _short(value: Any) -> str:
    """Return a number or several with few digits, a label as it is."""
    if isinstance(value, list):
        return ", ".join(map(_short, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _convert(chosen: argparse.Namespace) -> None:
    """Take a model of another library over, or give one of kanviz to efficient-kan."""
    _check_writable(chosen.out)
    if chosen.source.suffix == ".kan":
        if chosen.inputs or chosen.outputs:
            raise ValueError("--inputs and --outputs name those of a .kan file to write; got both.")
        torch.save(to_efficient_kan(load(chosen.source)), chosen.out)
        print(f"Wrote {chosen.out}, a state dict for efficient-kan: model.load_state_dict(...).")
        return
    source = _read_torch(chosen.source, trust=chosen.trust)
    model = convert(source, input_names=chosen.inputs, output_names=chosen.outputs)
    model.save(chosen.out)
    print(f"Wrote {chosen.out}: {list(model.widths)}, with the outputs of {chosen.source.name}.")


def _read_torch(path: Path, *, trust: bool) -> Any:
    """Return what torch.save wrote; a whole model only where the user trusts it."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} must be a file of torch.save; got no such file.")
    if not zipfile.is_zipfile(path):  # what torch has written since 1.6
        raise ValueError(f"{path.name} must be a file of torch.save; got another one.")
    try:
        return torch.load(path, map_location="cpu", weights_only=not trust)
    except pickle.UnpicklingError:
        raise ValueError(
            f"{path.name} holds more than a state dict, and reading it runs code that the file "
            "names. Pass --trust if you know who made it, or save model.state_dict()."
        ) from None
    except (ModuleNotFoundError, AttributeError) as error:
        raise ValueError(
            f"{path.name} must be read where its library is installed; got {error}. Install it, "
            "or save model.state_dict()."
        ) from None
    except RuntimeError as error:
        raise ValueError(f"{path.name} must be a file of torch.save; got {error}") from None


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


def _tell_quality(model: KAN, data: Dataset, report: FitReport, tell: Teller) -> None:
    """Tell the errors of both parts with their unit, and a warning where they ask for one."""
    found = model.evaluate(data)
    for name, value in found.items():
        part, measure = name.split("_")
        unit = f" {report.unit}" if measure == "rmse" and report.unit else ""
        tell.say(f"  {part:>5} {MEASURES[measure]:<8} {value:.4g}{unit}")
    warning = overfit(found)
    if warning:
        tell.say(f"  {warning}")
    tell.know(errors=found, warning=warning)


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

    write_site(chosen.folder or _own_notebooks(), chosen.out, print, keep=chosen.keep)
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
