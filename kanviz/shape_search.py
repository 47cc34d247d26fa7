"""The shape of a network from the data: candidates from the simplest upwards, ranked by evidence.

How likely networks of a shape make the data (``FitReport.log_evidence``) needs no held-out rows,
and counts against a shape what it could do that the data do not ask for (MacKay, Bayesian
interpolation, 1992, sec. 2). Candidates come in waves that do not depend on how many are trained at
a time, so that a seed means the same search on one core and on a cluster: first the sum of curves
and few hidden nodes, then more as long as that helps, then another layer, then finer grids.
"""

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Literal, TypeVar

import torch
from tqdm.auto import tqdm

from kanviz.checks import check_choice, check_integer
from kanviz.data import Dataset
from kanviz.data.arrays import as_dataset
from kanviz.devices import made_on_default
from kanviz.interrupts import uninterrupted
from kanviz.model import KAN
from kanviz.model.inputs import classes_or_numbers
from kanviz.nn.network import check_widths
from kanviz.nn.spec import FunctionSpec
from kanviz.tables import ReportTable, Rows
from kanviz.training import FitReport
from kanviz.training.evidence import PRICE
from kanviz.training.least_squares import MOST_EXACT
from kanviz.training.task import LossName

if TYPE_CHECKING:
    from matplotlib.figure import Figure

J = TypeVar("J")
T = TypeVar("T")

Widths = tuple[int, ...]

MOST_NODES = 8
"""Of the hidden layer: beyond, few tables have the rows to tell."""

FINER, MOST_FINER = 2, 2
"""Factor by which the grid of the winner is made finer in the end, and how often at most."""

PRICE_OF_FINER = 10.0
"""By how much each time must raise the logarithm of the evidence. Where curves need finer grids it
does by tens; of a table of a few hundred rows all curves together find as much in the noise."""


@dataclass(frozen=True, eq=False)
class Candidate:
    """One shape that was tried: its trained model and what the fit said of it.

    ``times_finer`` says how often its grids were made finer than those that the search began with.
    """

    model: KAN
    report: FitReport
    times_finer: int = 0

    @property
    def widths(self) -> Widths:
        """Nodes per layer, inputs first."""
        return self.model.widths

    @property
    def grid_size(self) -> int:
        """Intervals of the grids."""
        return int(self.model.network.layers[0].spec.grid_size)

    @property
    def log_evidence(self) -> float:
        """Logarithm of how likely such networks make the data; -inf for a fit broken off."""
        found = self.report.log_evidence
        return -math.inf if found is None else found

    @property
    def noise(self) -> float | list[float] | None:
        """Standard deviation of the noise in the unit of y, a list for several outputs."""
        return self.report.noise

    @property
    def effective_dof(self) -> float | None:
        """How many parameters the fit really used."""
        return self.report.effective_dof

    @property
    def test_error(self) -> float | None:
        """RMSE on the test part of the data, of classes the share that is wrong; None without."""
        right = self.report.errors.get("test_accuracy")
        return self.report.errors.get("test_rmse") if right is None else 1 - right

    @property
    def rank(self) -> float:
        """What candidates are compared by: log evidence, less the prices of nodes and grids."""
        price = PRICE * sum(self.widths[1:-1]) + PRICE_OF_FINER * self.times_finer
        return self.log_evidence - price


class Search(ReportTable[Candidate]):
    """What ``search`` returns: a sequence of candidates that shows itself as a table.

    Parameters
    ----------
    candidates : sequence of Candidate
        In the order in which they were tried, at least one.
    stopped : str
        ``"done"`` or ``"interrupted"``.
    """

    def __init__(self, candidates: Sequence[Candidate], stopped: str) -> None:
        self.candidates, self.stopped = tuple(candidates), stopped

    @property
    def winner(self) -> Candidate:
        """The candidate of the highest rank; of equal ones the first."""
        return max(self.candidates, key=lambda one: one.rank)

    @property
    def best(self) -> KAN:
        """The model of the winner, to use as any other."""
        return self.winner.model

    def plot(self) -> "Figure":
        """Return a figure of the evidence of each candidate, the winner marked."""
        with uninterrupted():
            from kanviz.views.charts import ranking_figure

        names = [_name(one) for one in self.candidates]
        numbers = [one.log_evidence for one in self.candidates]
        best = self.candidates.index(self.winner)
        return ranking_figure(names, numbers, best, label="log evidence")

    @property
    def _records(self) -> tuple[Candidate, ...]:
        return self.candidates

    def _rows(self) -> Rows:
        with_test = any(one.test_error is not None for one in self)
        with_noise = any(one.noise is not None for one in self)
        of_classes = any("test_accuracy" in one.report.errors for one in self)
        test = "test wrong" if of_classes else "test RMSE"
        head = ["shape", "grid", "log evidence", *["noise"] * with_noise, "parameters used"]
        rows = [[*head, *[test] * with_test, ""]]
        for one in self:
            cells = [_shape(one.widths), str(one.grid_size), f"{one.log_evidence:.1f}"]
            if with_noise:
                noise = one.noise if isinstance(one.noise, list) else [one.noise]
                cells.append(" and ".join("-" if n is None else f"{n:.3g}" for n in noise))
            cells.append("-" if one.effective_dof is None else f"{one.effective_dof:.1f}")
            if with_test:
                cells.append("-" if one.test_error is None else f"{one.test_error:.3g}")
            rows.append([*cells, "best" if one is self.winner else ""])
        return rows

    def _note(self) -> str:
        return "Interrupted: these are the candidates so far." if self.stopped != "done" else ""


@made_on_default
def search(
    data: Any,
    y: Any = None,
    *,
    widths: Literal["auto"] | Sequence[Sequence[int]] = "auto",
    n_jobs: int = 1,
    loss: LossName | None = None,
    starts: int | None = None,
    grid_size: int = 5,
    dtype: torch.dtype = torch.float64,
    device: str | None = None,
    progress: bool = True,
    seed: int = 0,
) -> Search:
    """Find the shape of a network for data with noise, or for classes, and train it.

    Each candidate is trained by ``fit(smoothing="auto")`` from several random starts. They are
    ranked by how likely they make the data, no rows are held out; a hidden node more must raise the
    logarithm of that by 3, grids twice as fine by 10. Ctrl-C ends the search with the candidates so
    far.

    Parameters
    ----------
    data : Dataset, (X, y) or X
        X (samples, inputs) and y, as for ``KAN.fit``. A test part is not looked at; the table tells
        the error on it.
    y : (samples,) or (samples, outputs), optional
        The targets of X.
    widths : "auto" or sequence of widths
        The shapes to try. ``"auto"`` begins with no hidden node, 1 and 2, goes on with more as long
        as that helps (up to 8), then tries a second hidden layer, and last finer grids.
    n_jobs : int
        How many candidates are trained at a time, through joblib: in processes of this machine, or
        by whatever backend ``joblib.parallel_config`` names, such as ``"dask"`` or ``"ray"``. The
        result is the same. 1 starts no process.
    loss : str, optional
        As for ``KAN.fit``: with ``"cross_entropy"`` whole numbers in y are labels of classes, as
        text and booleans are by themselves.
    starts : int, optional
        Random starts of each candidate; by default as for ``fit``.
    grid_size : int
        Intervals of each grid, to begin with.
    dtype, device
        Of the models, as for ``KAN``.
    progress : bool
        Whether to show a progress bar.
    seed : int
        Seed of all random numbers.

    Returns
    -------
    Search
        A table of the candidates; ``.best`` is the winner, a ``KAN``; ``.plot()`` a chart.

    Raises
    ------
    ValueError
        If a shape does not fit the data, or an option is out of range.
    KeyboardInterrupt
        If it is interrupted before there is a first candidate.

    Examples
    --------
    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> X = rng.uniform(-1, 1, (80, 2))
    >>> found = search(X, X[:, 0] ** 2 + 0.1 * rng.normal(size=80), starts=2, progress=False)
    >>> found.best.widths
    (2, 1)
    """
    check_integer("starts", 1 if starts is None else starts, 1)
    check_jobs(n_jobs)
    pair = data if y is None else (data, y)
    task = classes_or_numbers(pair, loss, 1)
    dataset = as_dataset(pair, task=task, normalize=True, dtype=dtype)
    how = _How(dataset, loss, grid_size, starts, dtype, device, seed)
    waves = _grown(dataset, grid_size) if widths == "auto" else _given(widths, dataset)
    found: list[Candidate] = []
    bar = tqdm(desc="search", disable=not progress, unit=" shapes")
    stopped = "done"
    try:
        wave = next(waves, None)
        while wave is not None and stopped == "done":
            for one in side_by_side(how.train, wave, n_jobs):
                found.append(one)
                bar.set_postfix_str(f"best {_name(max(found, key=lambda one: one.rank))}")
                bar.update()
                if one.report.stopped == "interrupted":
                    stopped = "interrupted"
                    break
            try:
                wave = waves.send(found)
            except StopIteration:
                wave = None
    except KeyboardInterrupt:
        if not found:
            raise
        stopped = "interrupted"
    finally:
        bar.close()
    return Search(found, stopped)


# ---- what is tried -------------------------------------------------------------------------------

Job = Widths | KAN
"""A shape to train anew, or a trained model to go on with."""

Waves = Any  # a generator that is sent the candidates so far, for the next jobs


def _given(widths: Any, data: Dataset) -> Waves:
    """Yield the shapes that were asked for, in one wave."""
    if isinstance(widths, str):
        check_choice("widths", widths, ("auto",))
    shapes = [check_widths(shape) for shape in widths]
    for shape in shapes:
        if (shape[0], shape[-1]) != (data.n_inputs, data.n_outputs):
            raise ValueError(
                f"widths must go from {data.n_inputs} inputs to {data.n_outputs} outputs, as the "
                f"data do; got {list(shape)}. Change the first or the last width."
            )
    if not shapes:
        raise ValueError("widths must hold at least one shape; got none. Pass 'auto'.")
    yield shapes


def _grown(data: Dataset, grid_size: int) -> Waves:
    """Yield waves of shapes, from the simplest upwards; is sent all candidates so far.

    None but the simplest has more weights than the evidence is found for.
    """
    first, last = data.n_inputs, data.n_outputs

    def best(found: Sequence[Candidate]) -> Candidate:
        return max(found, key=lambda one: one.rank)

    def small(shapes: Iterator[Widths]) -> list[Widths]:
        return [shape for shape in shapes if _count(shape, grid_size) <= MOST_EXACT]

    found = yield [(first, last), *small((first, hidden, last) for hidden in (1, 2))]
    for fewer, more in pairwise(range(2, MOST_NODES + 1, 2)):
        if best(found).widths[1:-1] < (fewer - 1,):  # the largest of them did not win
            break
        wave = small((first, hidden, last) for hidden in range(fewer + 1, more + 1))
        if not wave:
            break
        found = yield wave
    winner = best(found)
    if len(winner.widths) == 3:
        hidden = winner.widths[1]
        seconds = sorted({1, min(2, hidden)})
        if wave := small((first, hidden, second, last) for second in seconds):
            found = yield wave
    for _ in range(MOST_FINER):
        winner = best(found)
        if _count(winner.widths, FINER * winner.grid_size) > MOST_EXACT:
            break
        found = yield [winner.model]
        if best(found) is winner:
            break


def _count(widths: Widths, grid_size: int) -> int:
    """Return how many weights a network of a shape has."""
    return FunctionSpec(grid_size).n_features * sum(a * b for a, b in pairwise(widths))


@dataclass(frozen=True)
class _How:
    """How each candidate is trained."""

    data: Dataset
    loss: LossName | None
    grid_size: int
    starts: int | None
    dtype: torch.dtype
    device: str | None
    seed: int

    def train(self, job: Job) -> Candidate:
        """Train a new model of a shape, or a copy of a model on a finer grid."""
        starts, times_finer = self.starts, 0
        if isinstance(job, KAN):
            model, starts = job.copy(), 1
            now = FINER * model.network.layers[0].spec.grid_size
            model.refine(now)
            times_finer = round(math.log(now / self.grid_size, FINER))
        else:
            model = KAN(
                job, grid_size=self.grid_size, dtype=self.dtype, device=self.device, seed=self.seed
            )
        report = model.fit(
            self.data,
            loss=self.loss,
            smoothing="auto",
            starts=starts,
            seed=self.seed,
            progress=False,
        )
        return Candidate(model, report, times_finer)


def check_jobs(n_jobs: Any) -> None:
    """Check a number of workers as joblib counts them: -1 are all cores."""
    if not isinstance(n_jobs, int) or isinstance(n_jobs, bool) or n_jobs == 0:
        raise ValueError(f"n_jobs must be a whole number other than 0; got {n_jobs!r}. Try 1.")


def side_by_side(work: Callable[[J], T], jobs: Iterable[J], n_jobs: int) -> Iterator[T]:
    """Yield what comes of jobs, in order, as many at a time as there are workers."""
    if n_jobs == 1:
        yield from map(work, jobs)
        return
    import joblib  # not needed, nor paid for, without workers

    later: Callable[[J], Any] = joblib.delayed(work)
    yield from joblib.Parallel(n_jobs=n_jobs)(later(job) for job in jobs)


def _shape(widths: Widths) -> str:
    return f"[{', '.join(map(str, widths))}]"


def _name(one: Candidate) -> str:
    return f"{_shape(one.widths)}, G = {one.grid_size}"
