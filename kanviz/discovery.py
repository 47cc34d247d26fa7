"""From data to a law: train, ask for structure, train what was found, name its curves, check it.

A network of sums of curves is trained first. What its function is built of (``structure``) is drawn
as a network of its own, with sums, products and combined inputs, in which only curves of one
variable are unknown; each begins as the first network knows it. That is trained, its curves are
named, and what comes of it is judged on rows that nothing was trained on. Where no such structure
is found, or the law is not exact, the first network itself is pruned and named. In noise a formula
keeps only the terms and numbers that the likelihood sees, and its network is drawn anew.
"""

import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import sympy
import torch
from sympy.core.function import AppliedUndef
from torch import Tensor
from tqdm.auto import tqdm

from kanviz.analysis.structure import Part, Structure
from kanviz.checks import check_integer
from kanviz.data import Dataset, from_arrays
from kanviz.devices import on_cpu
from kanviz.edits import Became
from kanviz.model import KAN
from kanviz.shape_search import check_jobs, side_by_side
from kanviz.symbolic import Formula
from kanviz.symbolic.dimensions import Dimensions, check_units
from kanviz.symbolic.polish import Measured, polish
from kanviz.symbolic.printing import text_name, to_text
from kanviz.tables import ReportTable, Rows
from kanviz.training.judge import doubt_after, judge_of

EXACT = 1e-6
"""Share of the standard deviation of y below which a held-out error is none, without noise."""

Form = tuple[Any, ...]
"""Of a formula: function, or name, and the forms of its arguments."""

WORSE = 2.0
"""A structure whose network has so many times the error of the first one was none."""


@dataclass(frozen=True, eq=False)
class Law:
    """A formula that was found, with its model and what speaks for it.

    Parameters
    ----------
    model : KAN
        Computes it; its history shows how it came about, ``script()`` as code.
    formula : Formula
        In the user's names and units.
    way : str
        ``"structure"``, ``"network"`` or ``"halves"``: what it was read from.
    error : float
        RMSE on the held-out rows, in the unit of y.
    noise : float or None
        Standard deviation of the noise in y, where the first fit has found any.
    size : float
        Standard deviation of y.
    rows : int
        How many rows were held out.
    evidence : float
        Logarithm of how likely the law makes the held-out rows, less half the logarithm of their
        number for each number in it (Schwarz, 1978).
    dimensions : Dimensions or None
        Whether its dimensions agree, where units were given and no curve is left without a name.
    found_again : (int, int) or None
        On how many random halves of the rows its form came first again, and of how many.
    """

    model: KAN
    formula: Formula
    way: str
    error: float
    noise: float | None
    size: float
    rows: int
    evidence: float
    dimensions: Dimensions | None = None
    found_again: tuple[int, int] | None = None

    @property
    def complexity(self) -> int:
        """Numbers, variables, signs and functions in the formula."""
        return complexity_of(self.formula)

    @property
    def form(self) -> Form:
        """The formula without its numbers: equal for those that differ in numbers alone."""
        (expression,) = self.formula.expressions
        return form_of(expression)

    @property
    def is_exact(self) -> bool:
        """Whether it is the law: without noise, with no error left and each curve named."""
        return self.noise is None and self.is_enough

    @property
    def is_enough(self) -> bool:
        """Whether no data could ask for more: no error is left, or no more than noise would leave.

        Within noise that is no proof: a wrong formula may be as near.
        """
        if self.formula.splines:
            return False
        if self.noise is None:
            return self.error <= EXACT * self.size
        return self.error <= self.noise * (1 + 3 / math.sqrt(2 * self.rows))

    @property
    def verdict(self) -> str:
        """What the check says, in words."""
        if self.formula.splines:
            return "has curves without a name"
        if not self.is_enough:
            return "not the law: an error is left"
        return "exact" if self.noise is None else "leaves only the noise"


class Discovery(ReportTable[Law]):
    """What ``discover`` returns: laws, the likeliest first, as a table.

    Parameters
    ----------
    laws : sequence of Law
        At least one.
    structure : Structure
        What the first network's function is built of.
    """

    def __init__(self, laws: Sequence[Law], structure: Structure) -> None:
        self.laws = tuple(sorted(laws, key=_rank))
        self.structure = structure

    @property
    def best(self) -> Law:
        """A law that is enough where there is one, of several one whose dimensions agree."""
        return self.laws[0]

    @property
    def front(self) -> tuple[Law, ...]:
        """The laws for which there is none at most as complex with a smaller error."""
        return tuple(
            law
            for law in self.laws
            if not any(
                one.complexity <= law.complexity and one.error < law.error for one in self.laws
            )
        )

    @property
    def _records(self) -> tuple[Law, ...]:
        return self.laws

    def _rows(self) -> Rows:
        head = ["formula", "complexity", "held-out error", "noise", "log evidence", "verdict"]
        front = self.front
        has_units = any(law.dimensions for law in self.laws)
        has_halves = any(law.found_again for law in self.laws)
        return [
            [*head, "front", *["units"] * has_units, *["found again"] * has_halves],
            *(
                [
                    str(law.formula),
                    str(law.complexity),
                    f"{law.error:.3g}",
                    "-" if law.noise is None else f"{law.noise:.3g}",
                    f"{law.evidence:.1f}",
                    law.verdict,
                    "*" if law in front else "",
                    *(["-" if law.dimensions is None else str(law.dimensions)] * has_units),
                    *(["{} of {}".format(*(law.found_again or (0, 0)))] * has_halves),
                ]
                for law in self.laws
            ),
        ]

    def _note(self) -> str:
        return f"Structure: {self.structure.output_name} = {self.structure.sketch}"


def _rank(law: Law) -> tuple[bool, bool, float]:
    """Return what laws are sorted by."""
    is_wrong = law.dimensions is not None and not law.dimensions.agree
    return not law.is_enough, is_wrong, -law.evidence


@on_cpu
def discover(
    data: Any,
    y: Any = None,
    *,
    model: KAN | None = None,
    units: Mapping[str, str] | None = None,
    halves: int = 0,
    n_jobs: int = 1,
    progress: bool = True,
    seed: int = 0,
) -> Discovery:
    """Find the law behind data: formulas with their errors, their evidence and a verdict.

    Parameters
    ----------
    data : Dataset, (X, y) or X
        As for ``KAN.fit``, with one output. Of arrays a fifth of the rows is held out; of a
        ``Dataset`` its test part.
    y : (samples,), optional
        The targets of X.
    model : KAN, optional
        A trained model to begin with; by default one with a hidden layer of five nodes is trained.
        Is only read.
    units : mapping of str to str, optional
        The unit of each input that has one, and of y, such as ``{"m": "kg", "E": "J"}``. Then each
        law says whether its dimensions agree, and which of its numbers would carry a unit.
    halves : int
        On how many random halves of the training rows everything is done again; each law then says
        on how many of them its form came first, whatever its numbers were (Meinshausen and
        Buhlmann, Stability selection, 2010). In noise a form that came first on several of them,
        and not on all rows, is judged on these too.
    n_jobs : int
        How many halves are worked on at a time, through joblib: in processes of this machine, or
        by whatever backend ``joblib.parallel_config`` names. The result is the same.
    progress : bool
        Whether to show a progress bar.
    seed : int
        Of all random numbers.

    Returns
    -------
    Discovery
        A table of laws; ``best`` has ``model``, ``formula`` and ``is_exact``. A formula that leaves
        an error, or data with noise, is never said to be exact. In noise its numbers are those of
        least squares, simple ones where the data allow it, and ``model.formula(errors=True)`` has
        their standard errors.

    Raises
    ------
    ValueError, TypeError
        If the data are classes, have several outputs or no rows to hold out, or do not fit, or a
        unit is not known.

    Examples
    --------
    >>> import numpy as np
    >>> X = np.random.default_rng(0).uniform(-1, 1, (200, 2))
    >>> found = discover(X, X[:, 0] * X[:, 1], progress=False)
    >>> print(found.best.formula, found.best.verdict)
    x_1*x_2 exact
    """
    check_integer("seed", seed, 0)
    check_integer("halves", halves, 0)
    check_jobs(n_jobs)
    sample = _with_test_part(data if y is None else (data, y), seed)
    names = sample if model is None else model
    check_units(units or {}, (*names.input_names, *names.output_names))
    with tqdm(total=STEPS + halves, desc="discover", disable=not progress, unit=" steps") as bar:
        found = _found(sample, model, seed, bar)
        laws = found.laws
        if halves:
            bar.set_postfix_str("again on halves of the rows")
            again: list[sympy.Expr] = []
            for expression in side_by_side(_Half(sample, seed), range(halves), n_jobs):
                again.append(expression)
                bar.update()
            forms = [form_of(expression) for expression in again]
            laws += _of_halves(dict(zip(forms, again, strict=True)), Counter(forms), found)
            laws = [replace(law, found_again=(forms.count(law.form), halves)) for law in laws]
    return Discovery([_with_dimensions(law, units) for law in laws], found.structure)


STEPS = 4
"""First network, structure, networks of structure, names in the first network."""


class _Found(NamedTuple):
    """Laws, what the first network's function is built of, that network, and the rows."""

    laws: list[Law]
    structure: Structure
    first: KAN
    rows: Dataset


def _found(sample: Dataset, model: KAN | None, seed: int, bar: "tqdm[Any]") -> _Found:
    """Return what there is to find in rows."""
    bar.set_postfix_str("first network")
    first = _first(sample, seed) if model is None else model.copy()
    rows = first.session.dataset(sample, as_given=True)  # columns in the model's order
    bar.update()
    bar.set_postfix_str("structure")
    found = first.structure(sample)
    bar.update()
    laws: list[Law] = []
    for root in _drawings(found):
        bar.set_postfix_str(root.sketch)
        drawn = drawn_as(root, rows)
        if drawn is not None and _error(drawn, rows) <= _most(first, sample):
            drawn.symbolify(rows)
            laws.append(_polished(_law(drawn, rows, "structure", first), rows, first))
            if laws[-1].is_enough:
                break
    bar.update()
    if not any(law.is_enough for law in laws):
        bar.set_postfix_str("names in the first network")
        law = _law(_named(first, sample), sample, "network", first)
        laws.append(_polished(law, rows, first))
    bar.update()
    return _Found(laws, found, first, rows)


@dataclass(frozen=True)
class _Half:
    """A discovery in a random half of the training rows, by a new first network."""

    sample: Dataset
    seed: int

    def __call__(self, number: int) -> sympy.Expr:
        """Return the formula of its best law."""
        sample, seed = self.sample, self.seed + number
        chosen = torch.randperm(len(sample.x), generator=torch.Generator().manual_seed(seed))
        rows = chosen[: max(2, len(chosen) // 2)].sort().values.to(sample.x.device)
        weight = sample.sample_weight
        half = replace(
            sample,
            x=sample.x[rows],
            y=sample.y[rows],
            sample_weight=None if weight is None else weight[rows],
        )
        with tqdm(disable=True) as bar:
            (expression,) = min(_found(half, None, seed, bar).laws, key=_rank).formula.expressions
        return expression


MOST_OF_HALVES = 2
"""Forms found on halves of the rows, and only there, that are tried on all of them."""


def _of_halves(
    examples: Mapping[Form, sympy.Expr], counts: "Counter[Form]", found: _Found
) -> Iterator[Law]:
    """Yield laws of the forms that came first on several halves, with the numbers of all rows.

    Which of two curves that noise hardly tells apart comes nearer is chance; what comes again is
    not.
    """
    known, noise = {law.form for law in found.laws}, found.laws[0].noise
    if noise is None:
        return
    several = [
        form
        for form, count in counts.most_common()
        if count > 1 and form not in known and not examples[form].atoms(AppliedUndef)
    ]
    for form in several[:MOST_OF_HALVES]:
        law = _law_of(examples[form], "halves", noise, found.rows, found.first)
        if law is not None:
            yield law


def _with_dimensions(law: Law, units: Mapping[str, str] | None) -> Law:
    if not units or law.formula.splines:
        return law
    return replace(law, dimensions=law.formula.dimensions(units))


def _with_test_part(data: Any, seed: int) -> Dataset:
    """Return data with rows held out, of numbers with one output."""
    if isinstance(data, Dataset):
        sample = data
    else:
        if not isinstance(data, tuple | list) or len(data) != 2:
            raise TypeError(
                f"data must be a Dataset or a pair (X, y); got {type(data).__name__}. Pass X, y."
            )
        x, y = data
        sample = from_arrays(x, y, test_fraction=0.2, seed=seed, dtype=torch.float64)
    if sample.is_classification or sample.n_outputs != 1:
        what = "classes" if sample.is_classification else f"{sample.n_outputs} outputs"
        raise ValueError(f"y must be one column of numbers; got {what}. Take them one by one.")
    if bool((sample.y == sample.y[:1]).all()):
        raise ValueError("y must vary, for a constant has no law; got one value in every row.")
    if sample.x_test is None:
        raise ValueError(
            "data must have a test part, which judges the laws; got none. Pass test_fraction=0.2 "
            "where the data are made."
        )
    return sample


def _first(sample: Dataset, seed: int) -> KAN:
    """Return the network that is asked for structure."""
    n = sample.n_inputs
    model = KAN(
        [1, 1] if n == 1 else [n, 5, 1],
        grid_size=10 if n == 1 else 5,
        dtype=torch.float64,
        seed=seed,
    )
    model.fit(sample, progress=False, seed=seed)
    return model


def _drawings(found: Structure) -> list[Part]:
    """Return the trees that are drawn, one after the other until a law is exact."""
    if not found.root.is_known:
        return []
    even = {
        found.input_names[one.inputs[0]]
        for one in found.findings
        if one.kind == "even" and one.holds
    }
    squared = found.root.in_squares(even)
    return [found.root] if squared == found.root else [found.root, squared]


def drawn_as(root: Part, sample: Dataset) -> KAN | None:
    """Return the network of a structure, trained; None where it cannot be drawn.

    Its unknown curves begin as the structure knows them.
    """
    x = sample.x_scaling.undo(sample.x).cpu()
    inputs = sample.input_names
    ranges = [(float(low), float(high)) for low, high in zip(x.amin(0), x.amax(0), strict=True)]
    begun: dict[str, tuple[list[float], list[float]]] = {}
    for name, (at, height) in root.curves.items():
        order = at.argsort()
        chosen = order[torch.linspace(0, len(at) - 1, min(len(at), CURVE_POINTS)).long()]
        begun[name] = _short(at[chosen]), _short(height[chosen])
    text = root.renamed({name: text_name(name) for name in inputs}).sketch

    def drawn(text: str) -> KAN:
        return KAN.from_formula(text, ranges, input_names=inputs, unknown=begun, grid_size=FINE)

    try:
        model = drawn(text)
        # A sketch leaves out what it is multiplied by, which may be of any size.
        said, y = (
            model.predict(sample).ravel(),
            sample.y_scaling.undo(sample.y).cpu().numpy().ravel(),
        )
        size = abs(said).max()
        factor = float((said / size) @ y / ((said / size) @ (said / size)) / size)
        if factor and not 0.5 < factor < 2:
            model = drawn(f"{factor:.6g}*({text})")
        model.fit(sample, progress=False)
    except (ValueError, FloatingPointError):  # longer than formulas may be, or not finite
        return None
    return model


FINE = 10
"""Intervals of the curves of a network that is drawn: it has few."""

CURVE_POINTS = 60
"""Points that a curve begins with."""


def _short(values: Tensor) -> list[float]:
    """Return numbers as a script may hold them."""
    return [float(f"{value:.8g}") for value in values.tolist()]


def _named(first: KAN, sample: Dataset) -> KAN:
    """Return the first network pruned and named, as one goes by hand."""
    model = first.copy()
    model.fit(sample, sparsity=1e-3, progress=False)
    model.prune(sample)
    model.fit(sample, progress=False)
    model.symbolify(sample)
    return model


def _error(model: KAN, sample: Dataset) -> float:
    return model.evaluate(sample)["test_rmse"]


def _most(first: KAN, sample: Dataset) -> float:
    """Return the error above which a structure was none."""
    return WORSE * _error(first, sample)


def _law(model: KAN, sample: Dataset, way: str, first: KAN) -> Law:
    assert sample.y_test is not None
    formula = model.formula()
    error, n = _error(model, sample), len(sample.y_test)
    scale = float(sample.y_scaling.scale[0])
    size = float(sample.y.double().std()) * scale
    noise = _noise(first)
    numbers = sum(len(numbers_of(one)) for one in formula.expressions)
    least = max(error, 1e-12 * size) if noise is None else max(error, 0.5 * noise)
    evidence = -n * (math.log(least) + 0.5 * math.log(2 * math.pi) + 0.5)
    evidence -= 0.5 * numbers * math.log(n)
    return Law(model, formula, way, error, noise, size, n, evidence)


def _noise(first: KAN) -> float | None:
    """Return the standard deviation of the noise in y, in its unit, where the fit has found any."""
    doubt = first.session.doubt
    return None if doubt is None else doubt.noise * float(first.session.about.y_scaling.scale[0])


def _polished(law: Law, data: Dataset, first: KAN) -> Law:
    """Return a law found in noise with no more terms and numbers than the training rows ask for.

    Its model is drawn of the formula. A law without noise, or with curves, stays as it is.
    """
    if law.noise is None or law.formula.splines:
        return law
    (expression,) = law.formula.expressions
    return _law_of(expression, law.way, law.noise, data, first) or law


def _law_of(
    expression: sympy.Expr, way: str, noise: float, data: Dataset, first: KAN
) -> Law | None:
    """Return the law that a formula becomes on the training rows; None where it has no network."""
    x = data.x_scaling.undo(data.x.double()).cpu()
    y = data.y_scaling.undo(data.y.double()).cpu()[:, 0]
    weight = None if data.sample_weight is None else data.sample_weight.double().cpu()
    ranges = [(float(low), float(high)) for low, high in zip(x.amin(0), x.amax(0), strict=True)]
    found = polish(expression, Measured(data.input_names, x, y, noise, weight))
    try:
        model = KAN.from_formula(
            to_text(found.expression),
            ranges,
            input_names=data.input_names,
            output_names=data.output_names,
        )
    except ValueError:  # longer than formulas may be, or without a value between the rows
        return None
    _give_doubt(model, data, noise)
    return _law(model, data, way, first)


def _give_doubt(model: KAN, rows: Dataset, noise: float) -> None:
    """Tell a model that is a formula what the rows leave open of it."""
    session = model.session
    data, network = session.dataset(rows), session.copy_network()
    judge = judge_of(data)
    noise /= judge.scale * float(session.about.y_scaling.scale[0])
    doubt = doubt_after(network, data, replace(judge, noise=noise))
    words = "fitted the numbers of the formula, without what the data do not see"
    edit = Became(network, "# its numbers are those of least squares for the data", words, doubt)
    session.change(edit, about=session.about.seeing(data.x))


def numbers_of(expression: sympy.Expr) -> list[sympy.Expr]:
    """Return the numbers of a formula that data may have told: not 1, -1, or small exponents."""
    return [
        part
        for part in sympy.preorder_traversal(expression)
        if part.is_Float or part.is_Rational
        if abs(part) != 1
    ]


MOST_OF_EXPONENT = 6
"""Exponents of whole numbers up to it, and fractions of such, belong to a form."""


def form_of(expression: sympy.Expr) -> Form:
    """Return a formula with each of its numbers left out or left open, as nested tuples."""
    if expression.is_Symbol:
        return (expression.name,)
    if expression.is_number:
        return ("number",)
    parts = [part for part in expression.args if not (expression.is_Mul and part.is_number)]
    if expression.is_Pow and expression.exp.is_Rational:
        exponent = expression.exp
        if max(abs(exponent.p), exponent.q) <= MOST_OF_EXPONENT:
            return ("Pow", form_of(expression.base), (str(exponent),))
    if expression.is_Mul and len(parts) == 1:
        return form_of(parts[0])
    forms = [form_of(part) for part in parts]
    ordered = sorted(forms) if expression.is_Add or expression.is_Mul else forms
    return (type(expression).__name__, *ordered)


def complexity_of(formula: Formula) -> int:
    """Return how many numbers, variables, signs and functions a formula has."""
    return sum(
        len(list(sympy.preorder_traversal(expression))) for expression in formula.expressions
    )
