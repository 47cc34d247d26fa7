"""What a model's function is built of: sums, products, symmetries; questions that change nothing.

Every test moves rows in a way that would leave the outputs alone, or tie them together, if the
property held, and asks by how much they change. The score is that change as a share of what the
same inputs do when they move freely: near 0 where the property holds, about 1 where it does not.
Beside it stands the score that the model's own error explains, its chance level; a property is said
to hold where the score is at most ``LIMIT`` times that, and nothing is said where chance explains
too much of a score. Values are compared, not derivatives: these say along which curves to move.

The properties and the way from them to a tree are those of Udrescu and Tegmark, AI Feynman
(arXiv:1905.11481, 2019, section II) and AI Feynman 2.0 (arXiv:2006.10782, 2020, section 2); there
the network's error is guarded by fixed thresholds, here by its measured error.
"""

import html
import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Literal, NamedTuple

import torch
from jaxtyping import Bool, Float
from torch import Tensor

from kanviz.checks import check_integer
from kanviz.data.arrays import as_dataset
from kanviz.tables import ReportTable, Rows, html_table

Values = Callable[[Float[Tensor, "samples inputs"]], Float[Tensor, " samples"]]

LIMIT = 3.0
"""A score of so many times its chance level is still chance."""

MOST_CHANCE = 0.1
"""A chance level above this tells nothing: noise would pass for a property."""

ROWS, FEWEST = 1_000, 40
"""Rows that are moved, and how many of them must stay inside the data's ranges for an answer."""

LEFT_OUT = 0.1
"""Share of the rows, those that change most, that no score counts: the corners of the data, where
a model is least sure."""

ROUNDING = 1e-7
"""Share of the standard deviation of the outputs below which nothing is told apart."""


class Scale(NamedTuple):
    """A function p of one input by which inputs are combined: p(a) + c q(b)."""

    name: str
    apply: Callable[[Tensor], Tensor]
    undo: Callable[[Tensor, Tensor], Tensor]
    slope: Callable[[Tensor], Tensor]

    def takes(self, x: Float[Tensor, " samples"]) -> bool:
        """Say whether it is smooth and, but for signs, one to one over the range of a column."""
        low, high = float(x.min()), float(x.max())
        return low > 0 or self.name in ("x", "x^2") or (self.name == "1/x" and high < 0)


SCALES = {
    scale.name: scale
    for scale in (
        Scale("x", lambda x: x, lambda p, _: p, torch.ones_like),
        Scale("x^2", torch.square, lambda p, x: p.sqrt().copysign(x), lambda x: 2 * x),
        Scale("log", torch.log, lambda p, _: p.exp(), torch.reciprocal),
        Scale("1/x", torch.reciprocal, lambda p, _: 1 / p, lambda x: -1 / x.square()),
    )
}

PAIRS = (("x", "x"), ("log", "log"), ("x^2", "x^2"), ("1/x", "1/x"), ("x", "x^2"), ("x^2", "x"))
"""The scales of two inputs that are tried together, the simplest first."""

NICE = tuple(
    sign * top / below
    for top, below in ((1, 1), (2, 1), (1, 2), (3, 1), (1, 3), (3, 2), (2, 3), (4, 1), (1, 4))
    for sign in (1, -1)
)
"""Numbers c that are taken for what they are near to."""

Kind = Literal["idle", "additive", "multiplicative", "symmetric", "even", "homogeneous"]


@dataclass(frozen=True)
class Finding:
    """What one test said.

    Parameters
    ----------
    kind : str
        ``"idle"``, ``"additive"``, ``"multiplicative"``, ``"symmetric"``, ``"even"`` or
        ``"homogeneous"``.
    inputs : tuple of int
        The inputs that it is about.
    score : float
        0 where the property holds to the last digit, about 1 where nothing hints at it.
    chance : float
        The score that the model's own error would make of a property that holds.
    text : str
        The property in words, such as ``"depends on a - b"``.
    number : float
        Of a combination p(a) + c q(b) its c; of a product the constant beside it; of a
        homogeneous function the power.
    scales : tuple of str
        Of a combination the names of p and q.
    """

    kind: Kind
    inputs: tuple[int, ...]
    score: float
    chance: float
    text: str
    number: float = 0.0
    scales: tuple[str, ...] = ()

    @property
    def holds(self) -> bool | None:
        """Whether it holds; None where the model's error is too large to tell."""
        is_within = self.score <= LIMIT * self.chance
        return None if is_within and not self.chance < MOST_CHANCE else is_within


@dataclass(frozen=True)
class Part:
    """A node of the tree that a function is built as.

    Parameters
    ----------
    kind : str
        ``"input"``; ``"sum"`` or ``"product"`` of its parts; ``"curve"``: an unknown function of
        its one part; ``"line"``: a straight one; ``"scale"``: the function ``name`` of its one
        part; ``"open"``: an unknown function of several parts that nothing was found of.
    name : str
        Of an input, of a scale, or of what is unknown (``f1``).
    parts : tuple of Part
    factor : float
        By which a sum counts it, or the power that a product takes it to; of a line its slope.
    curve : (x, y), optional
        Of a curve: points that it goes through, as far as the model knows.
    """

    kind: Literal["input", "sum", "product", "curve", "line", "scale", "open"]
    name: str = ""
    parts: tuple["Part", ...] = ()
    factor: float = 1.0
    curve: tuple[Tensor, Tensor] | None = field(default=None, repr=False, compare=False)

    @property
    def curves(self) -> dict[str, tuple[Tensor, Tensor]]:
        """The curves of all unknown functions of one part below it, by name."""
        own = {} if self.curve is None or self.kind != "curve" else {self.name: self.curve}
        return own | {name: curve for part in self.parts for name, curve in part.curves.items()}

    def renamed(self, names: Mapping[str, str]) -> "Part":
        """Return the same tree with other names of its inputs."""
        parts = tuple(part.renamed(names) for part in self.parts)
        return replace(
            self, name=names[self.name] if self.kind == "input" else self.name, parts=parts
        )

    def in_squares(self, names: Collection[str]) -> "Part":
        """Return the same tree with curves of some inputs as curves of their squares."""
        inner = self.parts[0] if self.parts else None
        if self.kind == "curve" and inner is not None and inner.name in names:
            square = Part("scale", "x^2", (inner,))
            curve = None if self.curve is None else (self.curve[0].square(), self.curve[1])
            return replace(self, parts=(square,), curve=curve)
        return replace(self, parts=tuple(part.in_squares(names) for part in self.parts))

    @property
    def is_known(self) -> bool:
        """Whether nothing below it is an unknown function of several parts."""
        return self.kind != "open" and all(part.is_known for part in self.parts)

    @property
    def sketch(self) -> str:
        """The formula that it stands for, with names in the place of what is unknown."""
        inner = [part.sketch for part in self.parts]
        if self.kind == "input":
            return self.name
        if self.kind == "sum":
            return _signed(
                [(part.factor, text) for part, text in zip(self.parts, inner, strict=True)]
            )
        if self.kind == "product":
            return _product(list(zip(self.parts, inner, strict=True)))
        if self.kind == "line":
            return inner[0]
        if self.kind == "scale":
            return _scaled(self.name, inner[0])
        return f"{self.name}({', '.join(inner)})"

    @property
    def words(self) -> str:
        """What it is, in the words of the tree."""
        if self.kind == "input":
            return self.name
        if self.kind in ("sum", "product"):
            return self.kind
        if self.kind == "line":
            return f"straight line of {self.parts[0].sketch}"
        if self.kind == "scale":
            return self.sketch
        return f"{self.name}, a function of {' and '.join(part.sketch for part in self.parts)}"

    def lines(self, first: str = "", rest: str = "") -> Iterator[str]:
        """Yield the lines of a drawing of the tree."""
        yield first + self.words
        inner = () if self.kind in ("input", "line", "scale") else self.parts
        if self.kind == "curve" and self.parts[0].kind == "input":
            return
        for part in inner:
            is_last = part is inner[-1]
            branch, below = ("└─ ", "   ") if is_last else ("├─ ", "│  ")
            yield from part.lines(rest + branch, rest + below)


class Structure(ReportTable[Finding]):
    """What ``structure`` returns: the findings as a table, and the tree that they make.

    Parameters
    ----------
    findings : sequence of Finding
        All that was asked, whether it holds or not.
    strengths : sequence of ((i, j), H)
        Friedman's H of each pair of inputs, see ``friedman_h``.
    root : Part
        The tree.
    input_names : sequence of str
    output_name : str
    error : float
        The model's error that chance levels come from, in the unit of the output.
    """

    def __init__(
        self,
        findings: Sequence[Finding],
        strengths: Sequence[tuple[tuple[int, int], float]],
        root: Part,
        input_names: Sequence[str],
        output_name: str,
        error: float,
    ) -> None:
        self.findings, self.strengths, self.root = tuple(findings), tuple(strengths), root
        self.input_names, self.output_name = tuple(input_names), output_name
        self.error = error

    @property
    def found(self) -> tuple[Finding, ...]:
        """The findings that hold."""
        return tuple(finding for finding in self.findings if finding.holds)

    @property
    def sketch(self) -> str:
        """The function as far as it is known, such as ``"f1(a - b)*f2(c)"``, but for constants."""
        return self.root.sketch

    def tree(self) -> str:
        """Return the tree as text, one line for each part."""
        return "\n".join(self.root.lines(f"{self.output_name}: "))

    @property
    def _records(self) -> tuple[Finding, ...]:
        return self.findings

    def _rows(self) -> Rows:
        rows = [["property", "score", "chance", ""]]
        for one in sorted(self.findings, key=lambda finding: not finding.holds):
            if one.holds is not False:
                word = "holds" if one.holds else "the noise hides it"
                rows.append([one.text, f"{one.score:.2g}", f"{one.chance:.2g}", word])
        for (i, j), strength in self.strengths:
            names = f"{self.input_names[i]} and {self.input_names[j]}"
            rows.append([f"Friedman's H of {names}", f"{strength:.2g}", "", ""])
        return rows

    def _note(self) -> str:
        return f"{self.output_name} = {self.sketch}"

    def __str__(self) -> str:
        return f"{super().__str__()}\n{self.tree()}"

    def _repr_html_(self) -> str:
        return f"{html_table(self._rows(), self._note())}<pre>{html.escape(self.tree())}</pre>"


def structure(
    model: Callable[[Tensor], Tensor],
    data: Any,
    y: Any = None,
    *,
    output: int = 0,
    error: float | None = None,
    seed: int = 0,
) -> Structure:
    """Ask what the function of a trained model is built of; changes nothing.

    For pairs of inputs: whether the function is a sum or a product of a part with one and a part
    with the other, whether it depends on a combination of both alone (a + c b, a b^c,
    a^2 + c b^2, 1/a + c/b, a + c b^2); for each input whether it is idle, or its sign is; for all
    together whether the function is homogeneous. From the answers a tree is grown: it is split into
    sums and products as long as it separates, and combined inputs are put in the place of two until
    nothing more is found.

    Rows are moved inside the range of each input. Where inputs depend on each other, that asks
    about rows that the data do not have.

    Parameters
    ----------
    model : callable
        ``model(x)`` gives (samples, outputs) for a tensor (samples, inputs), both in the user's
        units: a ``KAN``, or any function of torch. Is only called.
    data : Dataset or (X, y)
        Rows to move, and y to measure the model's error with.
    y : (samples,) or (samples, outputs), optional
        The targets of X.
    output : int
        The output that is asked about.
    error : float, optional
        Standard deviation of the model's error, in the unit of the output. By default that of what
        the model leaves of y, on the test part where there is one: for data with noise more than
        the model's own. (``KAN.structure`` knows better.)
    seed : int
        Of the moves.

    Returns
    -------
    Structure
        Shows itself as a table; ``tree()``, ``sketch``, ``found``.

    Raises
    ------
    ValueError, TypeError
        If the data do not fit together, are classes, or an option is out of range.

    References
    ----------
    Friedman and Popescu, Predictive learning via rule ensembles, Annals of Applied Statistics 2,
    2008, section 8.1, for H.

    Examples
    --------
    >>> x = torch.rand(300, 3, dtype=torch.float64) + 0.5
    >>> law = lambda x: ((x[:, 0] - x[:, 1]) * x[:, 2] ** 2)[:, None]
    >>> structure(law, (x, law(x))).sketch
    '(x_1 - x_2)*f1(x_3)'
    """
    sample = as_dataset(data if y is None else (data, y), normalize=False, dtype=torch.float64)
    if sample.is_classification:
        raise ValueError(
            "y must hold numbers; got classes, whose scores have no unit. Pass numbers."
        )
    check_integer("output", output, 0)
    if output >= sample.n_outputs:
        raise ValueError(
            f"output must be below {sample.n_outputs}, the number of outputs; got {output}."
        )
    x = sample.x_scaling.undo(sample.x.double())

    @torch.no_grad()
    def f(rows: Tensor) -> Tensor:
        return model(rows)[:, output].double()

    if error is None:
        x_kept, y_kept = (
            (sample.x, sample.y) if sample.x_test is None else (sample.x_test, sample.y_test)
        )
        assert y_kept is not None
        left = f(sample.x_scaling.undo(x_kept)) - sample.y_scaling.undo(y_kept)[:, output]
        error = float(left.square().mean().sqrt())
    if not 0 <= error < math.inf:
        raise ValueError(f"error must be a finite number of at least 0; got {error}. Leave it out.")
    names = sample.input_names
    question = Question(f, x[:: -(-len(x) // ROWS)], error, seed)
    findings = list(answers(question, names))
    pairs = list(combinations(range(len(names)), 2))
    strengths = [(pair, friedman_h(f, question.x, *pair)) for pair in pairs]
    inputs = [Part("input", name) for name in names]
    root = Grower(frozenset(names)).grow(question, inputs)
    return Structure(findings, strengths, root, names, sample.output_names[output], error)


def answers(question: "Question", names: Sequence[str]) -> Iterator[Finding]:
    """Yield what is found of single inputs, of pairs and of all; idle ones in nothing but that."""
    used = []
    for i in range(len(names)):
        idle = question.idle(i)
        yield _named(idle, names)
        if not idle.holds:
            used.append(i)
            if (even := question.even(i)) is not None:
                yield _named(even, names)
    for i, j in combinations(used, 2):
        additive = question.additive((i,), (j,))
        yield _named(additive, names)
        if not additive.holds:
            yield _named(question.multiplicative((i,), (j,)), names)
        for p, q in PAIRS:
            if (found := question.symmetric(i, j, p, q)) is not None:
                yield _named(found, names)
    if len(used) > 1 and (found := question.homogeneous(used)) is not None:
        yield _named(found, names)


def friedman_h(f: Values, x: Float[Tensor, "samples inputs"], i: int, j: int) -> float:
    """Return Friedman's H of two inputs: the share of their joint effect that is no sum.

    ``H^2 = sum (F_ij - F_i - F_j)^2 / sum F_ij^2`` of centred partial dependence functions over the
    rows (Friedman and Popescu 2008, eq. 44), on 60 rows; 0 for no interaction.
    """
    rows = x[torch.linspace(0, len(x) - 1, min(len(x), 60)).long()]
    n = len(rows)

    def dependence(columns: list[int]) -> Tensor:
        moved = rows.repeat(n, 1)
        moved[:, columns] = rows[:, columns].repeat_interleave(n, 0)
        found = f(moved).view(n, n).mean(1)
        return found - found.mean()

    both = dependence([i, j])
    rest = both - dependence([i]) - dependence([j])
    size = float(both.square().sum())
    return math.sqrt(float(rest.square().sum()) / size) if size > 0 else 0.0


@dataclass(frozen=True)
class Question:
    """A function, rows where it is known, and how well: what each test asks.

    Parameters
    ----------
    f : callable
        From (samples, inputs) to (samples,).
    x : (samples, inputs)
        Rows that are moved, float64.
    error : float
        Standard deviation of the error of f.
    seed : int
        Of the moves.
    """

    f: Values
    x: Float[Tensor, "samples inputs"]
    error: float
    seed: int = 0

    @property
    def noise(self) -> float:
        """The error, but never less than rounding."""
        return max(self.error, ROUNDING * float(self.f(self.x).std()))

    def others(self, turn: int = 0) -> Float[Tensor, "samples inputs"]:
        """Return the rows in another order, the same for the same turn."""
        generator = torch.Generator().manual_seed(self.seed + turn)
        return self.x[torch.randperm(len(self.x), generator=generator)]

    def moved(self, columns: Sequence[int], turn: int = 0) -> Float[Tensor, "samples inputs"]:
        """Return the rows with some columns from others."""
        x = self.x.clone()
        x[:, list(columns)] = self.others(turn)[:, list(columns)]
        return x

    def effect(self, columns: Sequence[int]) -> float:
        """Return by how much the function changes when some inputs move freely."""
        return _size(self.f(self.moved(columns)) - self.f(self.x))

    def idle(self, i: int) -> Finding:
        """Ask whether the function does not depend on an input."""
        every = _size(self.f(self.others()) - self.f(self.x))
        score = self.effect([i]) / every if every > 0 else 0.0
        chance = math.sqrt(2) * self.noise / every if every > 0 else 1.0
        # An input that does less than the error could be anything.
        return Finding("idle", (i,), score, chance, "does not depend on {0}")

    def additive(self, one: Sequence[int], other: Sequence[int]) -> Finding:
        """Ask whether the function is a sum: no mixed difference."""
        _, mixed = self._corners(one, other)
        least = min(self.effect(one), self.effect(other))
        text = "is a sum of a part with {0} and a part with {1}"
        return self._finding("additive", (*one, *other), _size(mixed), 2.0, least, text)

    def multiplicative(self, one: Sequence[int], other: Sequence[int]) -> Finding:
        """Ask whether the function less a constant c is a product.

        ``(f - c)(f'' - c) = (f1 - c)(f2 - c)`` at the four corners, whose c is found by least
        squares; divided by the root of the sum of their squares its error is that of f.
        """
        corners, mixed = self._corners(one, other)
        text = "is a product of a part with {0} and a part with {1}"
        if _size(mixed) <= LIMIT * 2 * self.noise:  # a sum, which any large c makes a product
            return Finding("multiplicative", (*one, *other), 1.0, math.inf, text)
        crossed = corners[0] * corners[3] - corners[1] * corners[2]
        c = torch.zeros((), dtype=corners.dtype)
        for _ in range(3):
            weight = 1 / (corners - c).square().sum(0).clamp(min=self.noise**2)
            share = (weight * mixed.square()).sum()
            c = (weight * crossed * mixed).sum() / share if share > 0 else c
        size = (corners - c).square().sum(0).sqrt().clamp(min=self.noise)
        left = _size((crossed - c * mixed) / size)
        plain = _size(crossed / corners.square().sum(0).sqrt().clamp(min=self.noise))
        if plain <= LIMIT * self.noise:  # c = 0 does as well
            c, left = torch.zeros_like(c), plain
        least = min(self.effect(one), self.effect(other))
        return self._finding(
            "multiplicative", (*one, *other), left, 1.0, least, text, number=float(c)
        )

    def _corners(self, one: Sequence[int], other: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Return f at the corners of boxes between rows and others, and the mixed difference."""
        first, second = self.moved(one), self.moved(other)
        both = self.moved([*one, *other])
        corners = torch.stack([self.f(rows) for rows in (self.x, first, second, both)])
        return corners, corners[0] - corners[1] - corners[2] + corners[3]

    def even(self, i: int) -> Finding | None:
        """Ask whether the sign of an input does not matter; None where it has one sign."""
        x = self.x.clone()
        x[:, i] = -x[:, i]
        stays = self._inside(x, [i])
        if int(stays.sum()) < FEWEST:
            return None
        change = self.f(x[stays]) - self.f(self.x[stays])
        text = "does not depend on the sign of {0}"
        return self._finding("even", (i,), _size(change), math.sqrt(2), self.effect([i]), text)

    def symmetric(self, i: int, j: int, p: str, q: str) -> Finding | None:
        """Ask whether two inputs matter by p(a) + c q(b) alone; None where it cannot be asked.

        c comes from the gradients: those in p(a) and in q(b) then are as 1 to c everywhere.
        """
        one, other, a, b = SCALES[p], SCALES[q], self.x[:, i], self.x[:, j]
        if not one.takes(a) or not other.takes(b):
            return None
        slopes = gradients(self.f, self.x)
        along = slopes[:, i] / one.slope(a) * one.apply(a).std()
        across = slopes[:, j] / other.slope(b) * other.apply(b).std()
        c = _ratio(along, across)
        if c is None:
            return None
        c *= float(one.apply(a).std() / other.apply(b).std())
        found = self._moved_along(i, j, one, other, c)
        if found is None:
            return None
        for nice in NICE:
            if abs(nice - c) < 0.1 * abs(nice):
                plain = self._moved_along(i, j, one, other, nice)
                if plain is not None and (plain.holds or plain.score <= found.score):
                    return plain
        return found

    def _moved_along(self, i: int, j: int, one: Scale, other: Scale, c: float) -> Finding | None:
        generator = torch.Generator().manual_seed(self.seed)
        share = torch.rand(len(self.x), generator=generator, dtype=torch.float64).to(self.x)
        a, b, target = self.x[:, i], self.x[:, j], self.others()[:, i]
        before = one.apply(a)
        after = before + share * (one.apply(target) - before)
        alone, x = self.x.clone(), self.x.clone()
        alone[:, i] = x[:, i] = one.undo(after, target)
        x[:, j] = other.undo(other.apply(b) + (before - after) / c, b)
        stays = self._inside(x, [i, j])
        if int(stays.sum()) < FEWEST:
            return None
        start = self.f(self.x[stays])
        size = _size(self.f(alone[stays]) - start)
        change = _size(self.f(x[stays]) - start)
        text = f"depends on {_combination(one.name, other.name, c)} alone"
        return self._finding(
            "symmetric", (i, j), change, math.sqrt(2), size, text, c, (one.name, other.name)
        )

    def homogeneous(self, used: Sequence[int]) -> Finding | None:
        """Ask whether f(s x) - c = s^k (f(x) - c); k and c from x grad f = k (f - c)."""
        start = self.f(self.x)
        slope = (gradients(self.f, self.x) * self.x)[:, list(used)].sum(1)
        k, shift = _line(start, slope)
        k = next((nice for nice in (*NICE, *map(float, range(-6, 7))) if abs(nice - k) < 0.03), k)
        if abs(k) < 0.05:
            return None
        c = -shift / k
        # A constant that is small beside the outputs is none.
        c = 0.0 if abs(c) < 0.02 * float(start.abs().mean()) else c
        generator = torch.Generator().manual_seed(self.seed)
        s = (torch.rand(len(start), generator=generator, dtype=torch.float64).to(start) - 0.5).exp()
        x = self.x.clone()
        x[:, list(used)] *= s[:, None]
        stays = self._inside(x, used)
        if int(stays.sum()) < FEWEST:
            return None
        after, grown = self.f(x[stays]), s[stays] ** k
        left = (after - c - grown * (start[stays] - c)) / (1 + grown.square()).sqrt()
        text = f"is homogeneous of degree {k:.3g}"
        size = _size(after - start[stays])
        return self._finding("homogeneous", tuple(used), _size(left), 1.0, size, text, k)

    def _inside(self, x: Tensor, columns: Sequence[int]) -> Bool[Tensor, " samples"]:
        """Return which rows lie within the ranges of the data."""
        low, high = self.x.amin(0), self.x.amax(0)
        return ((x >= low) & (x <= high) & x.isfinite())[:, list(columns)].all(1)

    def _finding(
        self,
        kind: Kind,
        inputs: tuple[int, ...],
        change: float,
        errors: float,
        size: float,
        text: str,
        number: float = 0.0,
        scales: tuple[str, ...] = (),
    ) -> Finding:
        """Return a change as a finding; it has ``errors`` times the error of f by chance."""
        if not size > 0:
            return Finding(kind, inputs, 1.0, math.inf, text, number, scales)
        chance = errors * self.noise / size
        return Finding(kind, inputs, change / size, chance, text, number, scales)


@dataclass
class Grower:
    """Grows the tree; counts what is unknown, and gives it names that no input has."""

    taken: frozenset[str] = frozenset()
    unknown: int = 0

    def grow(self, question: Question, inputs: Sequence[Part]) -> Part:
        """Return the tree of a function whose columns are these parts."""
        used = [i for i in range(len(inputs)) if not question.idle(i).holds]
        if not used:
            used = list(range(len(inputs)))[:1]
        if len(used) < len(inputs):
            question, inputs = _restricted(question, used), [inputs[i] for i in used]
        if len(inputs) == 1:
            return self._curve(question, inputs[0])
        for kind in ("sum", "product"):
            groups, c = separated(question, kind)
            if len(groups) > 1:
                parts = [
                    self.grow(_restricted(question, group, c), [inputs[i] for i in group])
                    for group in groups
                ]
                return Part(kind, parts=_in_ratio(parts) if kind == "sum" else tuple(parts))
        best = _best_combination(question)
        if best is not None:
            shorter, rest = _combined(question, best)
            joined = _joined(best, [inputs[i] for i in best.inputs])
            return self.grow(shorter, [*(inputs[i] for i in rest), joined])
        return Part("open", self._name(), tuple(inputs))

    def _curve(self, question: Question, inner: Part) -> Part:
        x, y = question.x, question.f(question.x)
        slope, start = _line(x[:, 0], y)
        if _size(y - slope * x[:, 0] - start) <= LIMIT * question.noise:
            return Part("line", parts=(inner,), factor=slope)
        return Part("curve", self._name(), (inner,), curve=(x[:, 0], y))

    def _name(self) -> str:
        self.unknown += 1
        while (name := f"f{self.unknown}") in self.taken:
            self.unknown += 1
        return name


def _in_ratio(parts: Sequence[Part]) -> tuple[Part, ...]:
    """Return the parts of a sum with their slopes in ratio, where all are straight lines."""
    first = parts[0].factor
    if not all(part.kind == "line" and part.factor for part in parts):
        return tuple(replace(part, factor=1.0) for part in parts)
    ratios = [part.factor / first for part in parts]
    near = [next((n for n in NICE if abs(n - c) < 0.02 * abs(n)), c) for c in ratios]
    return tuple(replace(part, factor=c) for part, c in zip(parts, near, strict=True))


def separated(question: Question, kind: Literal["sum", "product"]) -> tuple[list[list[int]], float]:
    """Return groups of inputs of which the function is a sum or a product, and its constant."""
    n = question.x.shape[1]
    ask = question.additive if kind == "sum" else question.multiplicative
    group_of = list(range(n))
    for i, j in combinations(range(n), 2):
        if group_of[i] != group_of[j] and not ask((i,), (j,)).holds:
            old, new = group_of[j], group_of[i]
            group_of = [new if group == old else group for group in group_of]
    groups = [[i for i in range(n) if group_of[i] == name] for name in dict.fromkeys(group_of)]
    if len(groups) == 1:
        return groups, 0.0
    # Pairs saw the other inputs move too; whole groups are asked once more.
    whole = [ask(group, [i for i in range(n) if i not in group]) for group in groups]
    if not all(one.holds for one in whole):
        return [list(range(n))], 0.0
    return groups, sorted(one.number for one in whole)[len(whole) // 2]


def _restricted(question: Question, columns: Sequence[int], c: float = 0.0) -> Question:
    """Return the function of some inputs, the others held where it is far from a constant c."""
    far = (question.f(question.x) - c).abs()
    # Not the farthest, where the model is least sure.
    row = question.x[far.argsort()[int(0.7 * (len(far) - 1))]]
    chosen = list(columns)

    def f(x: Tensor) -> Tensor:
        full = row.repeat(len(x), 1)
        full[:, chosen] = x
        return question.f(full)

    return replace(question, f=f, x=question.x[:, chosen])


def _best_combination(question: Question) -> Finding | None:
    """Return the combination of two inputs that holds best; of about equal ones the simplest."""
    found = [
        one
        for i, j in combinations(range(question.x.shape[1]), 2)
        for p, q in PAIRS
        if (one := question.symmetric(i, j, p, q)) is not None and one.holds
    ]
    if not found:
        return None
    best = min(one.score / one.chance for one in found)
    return next(one for one in found if one.score / one.chance <= max(2 * best, 1.0))


def _combined(question: Question, found: Finding) -> tuple[Question, list[int]]:
    """Return the function with t = p(a) + c q(b), last, in the place of a and b."""
    i, j = found.inputs
    one, other = (SCALES[name] for name in found.scales)
    rest = [k for k in range(question.x.shape[1]) if k not in (i, j)]
    c, x = found.number, question.x
    t = one.apply(x[:, i]) + c * other.apply(x[:, j])
    ends = [_ends(scale, x[:, k]) for scale, k in ((one, i), (other, j))]
    (low, high, side), (first, last, side_b) = ends
    first, last = sorted((c * first, c * last))

    def f(rows: Tensor) -> Tensor:
        # In the middle of all a and b that have this t.
        wanted = rows[:, -1]
        left, right = (wanted - last).clamp(low, high), (wanted - first).clamp(low, high)
        middle = (left + right) / 2
        full = rows.new_empty(len(rows), x.shape[1])
        full[:, rest] = rows[:, :-1]
        full[:, i] = one.undo(middle, side)
        full[:, j] = other.undo(
            ((wanted - middle) / c).clamp(*sorted((first / c, last / c))), side_b
        )
        return question.f(full)

    return replace(question, f=f, x=torch.cat([x[:, rest], t[:, None]], 1)), rest


def _ends(scale: Scale, x: Float[Tensor, " samples"]) -> tuple[float, float, Tensor]:
    """Return the range of a scale over a column, and a number on the side of 0 that has it."""
    values = scale.apply(x)
    if scale.name != "x^2":
        return float(values.min()), float(values.max()), x[:1]
    side = x[x.abs().argmax()][None]
    return float(values[x.sign() == side.sign()].min()), float(values.max()), side


def _joined(found: Finding, parts: Sequence[Part]) -> Part:
    """Return p(a) + c q(b) as a part; a product where both are logarithms."""
    c = found.number
    if found.scales == ("log", "log"):
        return Part("product", parts=(parts[0], replace(parts[1], factor=c)))
    scaled = [
        part if name == "x" else Part("scale", name, (part,))
        for name, part in zip(found.scales, parts, strict=True)
    ]
    return Part("sum", parts=(scaled[0], replace(scaled[1], factor=c)))


def gradients(f: Values, x: Float[Tensor, "samples inputs"]) -> Float[Tensor, "samples inputs"]:
    """Return central differences of f over a hundredth of each input's range."""
    found, low, high = torch.zeros_like(x), x.amin(0), x.amax(0)
    width = high - low
    for i in range(x.shape[1]):
        ahead, behind = x.clone(), x.clone()
        ahead[:, i] = (x[:, i] + width[i] / 100).clamp(max=high[i])
        behind[:, i] = (x[:, i] - width[i] / 100).clamp(min=low[i])
        step = ahead[:, i] - behind[:, i]
        found[:, i] = torch.where(step > 0, (f(ahead) - f(behind)) / step, 0.0)
    return found


def _ratio(along: Float[Tensor, " samples"], across: Float[Tensor, " samples"]) -> float | None:
    """Return c of across = c along, both with errors; None where one of them is nothing."""
    keep = along.isfinite() & across.isfinite()
    pair = torch.stack([along, across], 1)[keep]
    if len(pair) < FEWEST:
        return None
    # Few rows near a pole of a slope may not outweigh all others.
    size = pair.norm(dim=1)
    pair = pair / size.clamp(min=float(size.median()) or 1.0)[:, None]
    _, _, directions = torch.linalg.svd(pair, full_matrices=False)
    first, second = directions[0].tolist()
    return second / first if min(abs(first), abs(second)) > 0.02 else None


def _line(x: Float[Tensor, " samples"], y: Float[Tensor, " samples"]) -> tuple[float, float]:
    """Return slope and start of the straight line nearest to points."""
    from_mean = x - x.mean()
    spread = float(from_mean.square().sum())
    slope = float((from_mean * y).sum()) / spread if spread > 0 else 0.0
    return slope, float(y.mean()) - slope * float(x.mean())


def _size(changes: Float[Tensor, " samples"]) -> float:
    """Return the root mean square of all but the largest."""
    kept = changes.abs().sort().values[: max(1, round((1 - LEFT_OUT) * len(changes)))]
    found = float(kept.square().mean().sqrt())
    return found if math.isfinite(found) else math.inf


# ---- words ---------------------------------------------------------------------------------------


def _named(finding: Finding, names: Sequence[str]) -> Finding:
    own = [names[i] for i in finding.inputs]
    return replace(finding, text=finding.text.format(*own))


def _combination(p: str, q: str, c: float) -> str:
    """Return p({0}) + c q({1}) as a person writes it."""
    if (p, q) == ("log", "log"):
        if c == -1:
            return "{0}/{1}"
        return "{0}*{1}" if c == 1 else f"{{0}}*{{1}}^{_short(c)}"
    return _signed([(1.0, _scaled(p, "{0}")), (c, _scaled(q, "{1}"))])


def _scaled(name: str, inner: str) -> str:
    if name == "x":
        return inner
    is_plain = inner.isidentifier() or inner.startswith("{")
    whole = inner if is_plain else f"({inner})"
    return {"x^2": f"{whole}^2", "1/x": f"1/{whole}", "log": f"log({inner})"}[name]


def _signed(terms: Sequence[tuple[float, str]]) -> str:
    """Return c1 t1 + c2 t2 ... as text."""
    text = ""
    for c, term in terms:
        sign = ("-" if c < 0 else "") if not text else (" - " if c < 0 else " + ")
        size = "" if abs(c) == 1 else f"{_short(abs(c))}*"
        whole = f"({term})" if size and " " in term and not term.endswith(")") else term
        text += f"{sign}{size}{whole}"
    return text


def _product(factors: Sequence[tuple[Part, str]]) -> str:
    """Return factors to their powers as text; what has a negative one is divided by."""
    text = ""
    for part, inner in factors:
        whole = f"({inner})" if _is_sum(part) else inner
        power = 1.0 if part.kind == "line" else part.factor  # a slope is no power
        sign = ("1/" if not text else "/") if power < 0 else "*" if text else ""
        text += sign + (whole if abs(power) == 1 else f"{whole}^{_short(abs(power))}")
    return text


def _is_sum(part: Part) -> bool:
    """Say whether a part is written as a sum."""
    return part.kind == "sum" or (part.kind == "line" and _is_sum(part.parts[0]))


def _short(number: float) -> str:
    return f"{number:.4g}" if number >= 0 else f"({number:.4g})"
