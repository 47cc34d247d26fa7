"""The exercises of the course: what each asks for, hints in steps, and who judges an answer."""

import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np

Judge = Callable[[Any], str]
"""Returns what is wrong with an answer, "" where it is right; raises what Python raises where the
answer is of another kind."""


@dataclass(frozen=True)
class Exercise:
    """One exercise of a notebook.

    Parameters
    ----------
    asks
        What to hand over, in words.
    judge
        Whether that is right.
    hints
        From a nudge to the last step before the answer.
    """

    asks: str
    judge: Judge
    hints: tuple[str, ...]


@dataclass(frozen=True)
class Verdict:
    """What ``check`` says of an answer; true where it is right.

    Parameters
    ----------
    text : str
        What is to be said of the answer.
    is_right : bool or None
        None where nothing was handed over yet.
    """

    text: str
    is_right: bool | None = False

    def __bool__(self) -> bool:
        """Return whether the answer is right."""
        return self.is_right is True

    def __repr__(self) -> str:
        """Return the text: a cell that ends with a verdict shows it."""
        return self.text

    def _repr_html_(self) -> str:
        mark = {True: "\u2714", False: "\u2718", None: "\u270e"}[self.is_right]
        return f'<p style="margin: 0">{mark} {escape(self.text)}</p>'


class Hint(str):
    """A hint, which a cell shows without quotes."""

    __slots__ = ()

    def __repr__(self) -> str:
        """Return the words alone."""
        return str(self)


def check(key: str, answer: Any = ...) -> Verdict:
    """Say whether an answer to an exercise is right. Nothing is stored: try as often as you like.

    Parameters
    ----------
    key : str
        Notebook and exercise: ``"04.1"`` is the first of 04_splines.
    answer : object or function
        What the exercise asks for, or a function without arguments that returns it: an error in it
        is told and breaks nothing. ``...`` asks what is to be handed over.

    Returns
    -------
    Verdict
        True where the answer is right.

    Raises
    ------
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> check("05.1", 25)
    Right.
    >>> check("05.1", 21)
    Not yet: it is too small. Ask hint("05.1").
    >>> check("05.1")
    To hand over: how many numbers a point needs in a KAN([2, 3, 3, 1]). Ask hint("05.1").
    """
    exercise = _exercise(key)
    more = f'Ask hint("{key}").'
    if callable(answer) and not isinstance(answer, type):
        try:
            answer = answer()
        except Exception as error:  # noqa: BLE001 - whatever a hand writes must not end the notebook
            line = traceback.extract_tb(error.__traceback__)[-1].lineno
            kind = type(error).__name__
            return Verdict(f"Your function stopped in line {line}: {kind}: {error}")
    if answer is ... or answer is None:
        return Verdict(f"To hand over: {exercise.asks}. {more}", is_right=None)
    try:
        fault = exercise.judge(answer)
    except (TypeError, ValueError, IndexError, AttributeError):
        return Verdict(f"This is asked for: {exercise.asks}; got {_short(answer)}. {more}")
    return Verdict(f"Not yet: {fault}. {more}") if fault else Verdict("Right.", is_right=True)


def hint(key: str, step: int = 1) -> Hint:
    """Return a hint to an exercise, from a nudge to the last step before the answer.

    Parameters
    ----------
    key : str
        As in ``check``.
    step : int
        1 for the first; a number beyond the last gives the last.

    Raises
    ------
    ValueError
        If there is no such exercise, or ``step`` is below 1.

    Examples
    --------
    >>> hint("05.1")
    Each function of a layer gives one number, each node one sum. (1 of 2)
    """
    hints = _exercise(key).hints
    if step < 1:
        raise ValueError(f"step must be at least 1; got {step}. Ask for the first hint.")
    n = min(step, len(hints))
    return Hint(f"{hints[n - 1]} ({n} of {len(hints)})")


def _exercise(key: str) -> Exercise:
    if key not in EXERCISES:
        raise ValueError(
            f"There is no exercise {key!r}. Write notebook and number, as in '04.1' for the first "
            "of 04_splines."
        )
    return EXERCISES[key]


def _short(answer: object) -> str:
    text = repr(answer)
    return text if len(text) <= 60 else f"{text[:57]}..."


# Judges.


def number(wanted: float, within: float = 0.0) -> Judge:
    """Accept a number that is off by at most this share of the wanted one."""
    return numbers([wanted], within)


def numbers(wanted: Sequence[float], within: float = 0.0) -> Judge:
    """Accept numbers, each off by at most this share, in this order."""

    def judge(answer: Any) -> str:
        given = np.array(answer, dtype=np.float64).ravel()
        if len(given) != len(wanted):
            return f"{len(wanted)} number{'s' * (len(wanted) > 1)} are asked for"
        for n, (one, right) in enumerate(zip(given, wanted, strict=True)):
            if not abs(one - right) <= within * abs(right) + 1e-9:
                name = "it" if len(wanted) == 1 else f"number {n + 1}"
                return f"{name} is too {'large' if one > right else 'small'}"
        return ""

    return judge


def between(low: float, high: float, n: int = 1) -> Judge:
    """Accept n numbers, each of this range."""

    def judge(answer: Any) -> str:
        given = np.array(answer, dtype=np.float64).ravel()
        if len(given) != n:
            return f"{n} numbers are asked for"
        return "" if ((low <= given) & (given <= high)).all() else "not all of it can be"

    return judge


def words(*wanted: str) -> Judge:
    """Accept these words, in any order."""

    def judge(answer: Any) -> str:
        given = [answer] if isinstance(answer, str) else list(answer)
        counted = Counter(word.strip().lower() for word in given)
        if counted == Counter(wanted):
            return ""
        right = sum((counted & Counter(wanted)).values())
        return f"{right} of {len(wanted)} right" if len(wanted) > 1 else "that is not it"

    return judge


def one_of(*wanted: str) -> Judge:
    """Accept one of these words."""
    return lambda answer: "" if answer.strip().lower() in wanted else "that is not it"


def yes(answer: Any) -> str:
    """Accept True and "yes"."""
    return "" if _agrees(answer) else "it is the other way round"


def no(answer: Any) -> str:
    """Accept False and "no"."""
    return "it is the other way round" if _agrees(answer) else ""


def _agrees(answer: Any) -> bool:
    return answer.strip().lower() == "yes" if isinstance(answer, str) else bool(answer)


def _draws_a_corner(answer: Any) -> str:
    """Accept 13 knots on which a cubic spline can be |x|."""
    from kanviz.course.teaching.bspline import bspline

    knots = np.array(answer, dtype=np.float64)
    x = np.linspace(-1, 1, 201)
    basis = bspline(knots, np.zeros(len(knots) - 4)).basis(x)
    fit = np.linalg.lstsq(basis, np.abs(x), rcond=None)[0]
    error = np.abs(basis @ fit - np.abs(x)).max()
    return "" if error < 1e-9 else f"on these knots the error is still {error:.2g}"


def _adds_speeds(answer: Any) -> str:
    """Accept a formula that adds speeds, as text or as kanviz's own."""
    text = "".join(str(answer).split()).replace("atanh", "arctanh").replace("arcarc", "arc")
    one, two = "arctanh(x_1)", "arctanh(x_2)"
    right = {f"tanh({one}+{two})", f"tanh({two}+{one})"}
    right |= {"(x_1+x_2)/(1+x_1*x_2)", "(x_1+x_2)/(x_1*x_2+1)"}
    return "" if text in right else "that is another law"


EXERCISES: dict[str, Exercise] = {
    "00.1": Exercise(
        "the three names that symbolify finds, as a list of words",
        words("log", "log", "exp"),
        ("How did people multiply with a slide rule?", "log(a b) = log(a) + log(b): and then?"),
    ),
    "00.2": Exercise(
        "in how many of the two cases the law comes back",
        number(2),
        (
            "Ask for the formula of the noisy one with snap=0.01.",
            "30 rows are enough; so is noise.",
        ),
    ),
    "01.1": Exercise(
        "how many hidden nodes a product needs, for numbers of both signs",
        number(2),
        ("Train [2, 1, 1] and look at the error.", "x y = ((x + y)^2 - (x - y)^2) / 4."),
    ),
    "01.2": Exercise(
        "the test error of the bells after the grids 10, 20 and 50",
        between(3e-5, 2e-3),
        ("Pass basis='gaussian' to kv.KAN.", "refine(10), fit(grids=[10, 20, 50]), evaluate."),
    ),
    "02.1": Exercise(
        "how many edges prune leaves",
        number(3),
        ("Call fit without sparsity, then prune(data).", "Count the live edges in the report."),
    ),
    "02.2": Exercise(
        "what the report says that the last edge stays, one word",
        one_of("spline", "a spline", "stays a spline"),
        ("print(report), and read its last edge.", "No function of the two is good enough."),
    ),
    "02.3": Exercise(
        "the formula, as model.formula() or as text in x_1 and x_2",
        _adds_speeds,
        (
            "Lock both edges before the first fit.",
            "Fix (0, 0, 0) as 'arctanh', (1, 0, 0) as 'tanh'.",
        ),
    ),
    "02b.1": Exercise(
        "the test errors without x_2 and without x_1, in this order",
        numbers([0.7, 1.27], 0.15),
        ("remove_node((0, 1)) takes out x_2.", "Train after the removal, then evaluate."),
    ),
    "02b.2": Exercise(
        "a name at the top of the list",
        one_of("sin", "cos"),
        ("Draw one full wave, slowly.", "A sine that is shifted is another function of the list."),
    ),
    "03.1": Exercise(
        'which is better, "by hand" or "trained"',
        one_of("by hand", "hand"),
        ("One node for x + y, one for |x - y|.", "A spline of degree 3 rounds a corner off."),
    ),
    "03.2": Exercise(
        "the widths of a network that multiplies three positive numbers",
        numbers([3, 1, 1]),
        ("log x + log y + log z.", "Three inputs, one sum, one exponential above it."),
    ),
    "03.3": Exercise(
        "whether the wide network catches up, yes or no",
        no,
        ("dataset(n_train=6000, dtype=torch.float64).", "Compare both on the finer grid."),
    ),
    "04.1": Exercise(
        "the 13 knots on which the error is zero",
        _draws_a_corner,
        (
            "How many knots in one place allow a corner?",
            "knots[5] and knots[7] go where knots[6] is.",
        ),
    ),
    "04.2": Exercise(
        "both counts: order 2, and Gaussians",
        numbers([520, 640]),
        (
            "There are 4 * 8 + 8 * 1 edges.",
            "G + k + 1 numbers an edge; Gaussians have G + 5 bumps.",
        ),
    ),
    "04b.1": Exercise(
        "whether the loss is larger than at the beginning, yes or no",
        yes,
        ("teaching.descent(rate=...) and .fastest.", "Does a step that goes too far come back?"),
    ),
    "04b.2": Exercise(
        "the largest rate on 16 intervals that does not swing out",
        number(16.5, 0.1),
        ("teaching.descent(grid_size=16).", "Its fastest."),
    ),
    "05.1": Exercise(
        "how many numbers a point needs in a KAN([2, 3, 3, 1])",
        number(25),
        (
            "Each function of a layer gives one number, each node one sum.",
            "6 + 9 + 3 functions; and how many sums?",
        ),
    ),
    "05.2": Exercise(
        "the output at the middle of two points, less the mean of their outputs",
        between(-1e-6, 1e-6),
        ("Fix all nine edges as 'x'.", "A line of lines is a line."),
    ),
    "06.1": Exercise(
        "the grid size with the lowest error against the law, for 800 and for 3200 points",
        numbers([6, 6]),
        ("climb(measured(800), sizes)[2] are the errors.", "sizes[int(np.argmin(errors))]."),
    ),
    "06.2": Exercise(
        "the three slopes",
        between(-2.0, -0.9, 3),
        ("np.polyfit(np.log(sizes), np.log(errors), 1)[0].", "No polynomial has a kink."),
    ),
    "07.1": Exercise(
        'which chart changes its story, "edges in use" or "sum of scores"',
        one_of("sum of scores", "sum of scores, last layer", "second", "the second"),
        ("How many hidden nodes does this law need?", "One node has nobody to shout against."),
    ),
    "07.2": Exercise(
        "how many edges are in use at 0.001 with both terms",
        number(15),
        (
            'kv.Sparsity(0.001, l1=1.0, entropy=2.0, metric="abs").',
            "Can a layer shrink unpunished?",
        ),
    ),
    "07.3": Exercise(
        "how many edges dense.prune(data) leaves",
        number(6),
        (
            "dense.copy() keeps the notebook's own as it is.",
            "It finds by trying what prices showed.",
        ),
    ),
    "08.1": Exercise(
        "the worst error of the four earlier peaks in the end, with the outer layer frozen",
        between(0.4, 1.1),
        ("freeze(1) after the first phase.", "What does the outer layer know by then?"),
    ),
    "08.2": Exercise(
        "whether it is forgetting, yes or no",
        no,
        (
            "Look at the error right after the first phase.",
            "What was never learned is not forgotten.",
        ),
    ),
    "09.1": Exercise(
        'the winner, "KAN" or "MLP"',
        one_of("kan", "the kan"),
        ("A circle is a sum of two squares.", "How many slanted lines go round it?"),
    ),
    "09.2": Exercise(
        'the winner, "KAN" or "MLP"',
        one_of("kan", "the kan"),
        (
            "duel(ridge, [20, 1, 1], [20, 4, 1], validation=0.2).",
            "Twenty straight curves, one sine.",
        ),
    ),
    "10.1": Exercise(
        "the L2 error on 24 intervals with points on the lattice",
        between(1e-3, 1e-2),
        ("solve(poisson, grids=[24], steps=40).", "errors(model)[0]; the residual looks better."),
    ),
    "10.2": Exercise(
        "the L2 error on 12 intervals",
        between(8e-5, 4e-4),
        ("Only poisson changes.", "laplacian(u, inside) + u(inside) ** 3 - ..."),
    ),
    "10.3": Exercise(
        "the L2 error on 12 intervals with 2000 points",
        between(3e-5, 1.5e-4),
        ("torch.rand(2000, 2, ...).", "The residual is no judge; errors(model)[0] is."),
    ),
    "11.1": Exercise(
        "the function that both lower curves are",
        one_of("arctanh", "artanh", "atanh"),
        ("Leave out the line with lock.", "symbolify(data, tolerance=0.0)."),
    ),
    "11.2": Exercise(
        "how many of the nine are right",
        number(9),
        ("Short bill: Adelie. And on Dream?", "Six numbers, three scores, the highest wins."),
    ),
    "11.3": Exercise(
        "the share of the test birds that is right, from 0 to 1",
        between(0.93, 0.97),
        ("Pass inputs=[...] to from_csv and run section 3 again.", "It costs about three birds."),
    ),
    "12.1": Exercise(
        "the share of test digits right by the KAN layer from one number, from 0 to 1",
        number(0.47, 0.2),
        ("nn.Linear(128, 1) and kv.KANLayer(1, 10).", "Does a class of its own range need a line?"),
    ),
    "12.2": Exercise(
        "whether undo brings the very same outputs back, yes or no",
        yes,
        ("net[-1].remove_edge((0, 1, 2)).", "net[-1].undo(), and torch.equal."),
    ),
    "12.3": Exercise(
        "whether it is still the same function, yes or no",
        yes,
        (
            "Compare the outputs within the grid.",
            "What stands beyond the ends bends nothing within.",
        ),
    ),
    "13.1": Exercise(
        "by how many times the bands shrink",
        between(2.0, 4.5),
        ("measured(0, n=600).", "Errors of a mean shrink as the root of the number of points."),
    ),
    "13.2": Exercise(
        "at how many places of 100 the truth should be outside",
        number(50),
        ("A level of 0.95 leaves out 5 of 100.", "1 - 0.5."),
    ),
    "14.1": Exercise(
        "how many nodes multiply",
        number(2),
        ("plot() draws a cross for each.", "Count the terms that are products."),
    ),
    "14.2": Exercise(
        "whether a new property of v is found, yes or no",
        yes,
        ('ranges with "v": (-4, 4), then all as above.', "What does v**2 do to a sign?"),
    ),
    "15.1": Exercise(
        "whether the score on unseen rows rises by more than 0.02, yes or no",
        no,
        ("KANRegressor(hidden=(1,)) in the same pipeline.", "Do the columns act together?"),
    ),
    "15.2": Exercise(
        "the columns that are idle, as a list of names",
        words("s2", "s4"),
        (
            'pipeline[-1].model_.feature_scores(by="freedom").',
            "zip(X.columns, freedom): below 0.1.",
        ),
    ),
    "16.1": Exercise(
        "how many coefficients an input reads with spline_order=1, and with 5",
        numbers([2, 6]),
        ("teaching.lookup(spline_order=1).rows.", "k + 1."),
    ),
    "16.2": Exercise(
        "the condition of the penalty for 64 control points",
        number(5.4e5, 0.5),
        ("Call the condition of section 5 with 64.", "It grows as the fourth power of the number."),
    ),
    "17.1": Exercise(
        "the share of states that the known border sorts right, from 0 to 1",
        between(0.95, 0.99),
        (
            "states(1.5) with another condition in the hills.",
            "Compare spread > 0.5 with 1.5 * abs(energies**2 - 1) < 1.",
        ),
    ),
    "17.2": Exercise(
        "the share of signatures that two columns foretell, from 0 to 1",
        between(0.77, 0.86),
        ("shape[:, [2, 4]] are the two.", "kv.KAN([2, 3, 1]), then share_right."),
    ),
}
"""By notebook and number, as in ``"04.1"``."""
