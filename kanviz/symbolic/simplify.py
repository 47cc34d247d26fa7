"""Shorter formulas: fewer operations, fewer digits, and nice numbers in the place of near ones.

And the bounds of time and memory for sympy, which may take hours over a line of text.
"""

import contextlib
import math
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import sympy

from kanviz.checks import check_integer
from kanviz.interrupts import raise_in

SMALL, LARGE = 60, 400
"""Operations up to which sympy's whole ``simplify`` ends within a second or so, and up to which its
single rules do; larger expressions stay as they are."""

MOST_TERMS = 2000
"""Terms up to which products of sums are multiplied out."""

HIGHEST_DEGREE = 1000
"""Degree up to which sympy may take an expression for a polynomial. It computes with the powers of
large whole numbers, each in one step of C that nothing can end."""

T = TypeVar("T")

SYMPY_GIVES_UP = (
    ArithmeticError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
)


def with_unit_terms(expression: sympy.Expr) -> sympy.Expr:
    """Return the expression with each root of a sum divided by the number of the sum's first term.

    So c sqrt(k x + k y) gives up k to c, and is sqrt(x + y) where both cancel. Likewise for other
    powers that are no positive integers.

    Examples
    --------
    >>> x, y = sympy.symbols("x y")
    >>> with_unit_terms(0.5 * sympy.sqrt(4.0 * x + 4.0 * y))
    1.0*sqrt(1.0*x + 1.0*y)
    """

    def is_power_of_sum(part: sympy.Basic) -> bool:
        if not isinstance(part, sympy.Pow) or not part.exp.is_number or not part.base.is_Add:
            return False
        if part.base.is_number:  # such as sqrt(pi + e)
            return False
        return not (part.exp.is_Integer and part.exp.is_positive)

    def divided(power: sympy.Pow) -> sympy.Expr:
        first = next(t for t in power.base.as_ordered_terms() if not t.is_number)
        factor = abs(first.as_coeff_Mul()[0])
        terms = [term / factor for term in power.base.args]
        return factor**power.exp * sympy.Add(*terms) ** power.exp

    return expression.replace(is_power_of_sum, divided)


def _rational(expression: sympy.Expr) -> sympy.Expr:
    """Return tanh of logarithms, and sums of tanh and arctanh, as fractions."""
    if not expression.has(sympy.tanh) or not expression.has(sympy.log):
        return expression
    return sympy.cancel(sympy.powsimp(sympy.expand(expression.rewrite(sympy.exp))))


def simplified(expression: sympy.Expr, seconds: float = 2.0) -> sympy.Expr:
    """Return an equal expression with fewer operations, if one is found in time.

    Several ways are tried, each on the shortest result so far, until the time is over: the way that
    has begun is broken off. Bessel functions stay as they are. Variables are taken to be real.

    Parameters
    ----------
    expression : sympy.Expr
        Any expression.
    seconds : float
        Time of the processor after which the shortest so far is taken; 0 returns the expression as
        it is.

    Examples
    --------
    >>> x = sympy.Symbol("x")
    >>> simplified(sympy.sin(x) ** 2 + sympy.cos(x) ** 2 + x)
    x + 1
    """
    symbols = expression.free_symbols
    real = {symbol: sympy.Dummy(symbol.name, real=True) for symbol in symbols}
    # Identities of Bessel functions make formulas longer, and may fill the memory with fractions.
    named = {part: sympy.Dummy(real=True) for part in _topmost(expression, sympy.besselj)}
    best = [expression.xreplace(named).xreplace(real)]
    rules: tuple[tuple[Callable[[sympy.Expr], sympy.Expr], int], ...] = (
        (sympy.powsimp, LARGE),
        (sympy.factor_terms, LARGE),
        (sympy.expand_mul, LARGE),
        (_rational, SMALL),
        (sympy.simplify, SMALL),
    )

    if seconds > 0:
        run_within(seconds, lambda: _shorten(best, rules, seconds))
    back = {dummy: symbol for symbol, dummy in real.items()}
    return best[-1].xreplace(back).xreplace({dummy: part for part, dummy in named.items()})


def _shorten(
    best: list[sympy.Expr],
    rules: Sequence[tuple[Callable[[sympy.Expr], sympy.Expr], int]],
    seconds: float,
) -> None:
    """Add to ``best`` each shorter expression that a rule makes of its last; in its own thread."""
    for rule, largest in rules:
        if time.thread_time() >= seconds or best[-1].count_ops() > largest:
            continue
        if terms_when_expanded(best[-1]) > MOST_TERMS or _degree(best[-1]) > HIGHEST_DEGREE:
            return
        try:
            shorter = rule(best[-1])
        except SYMPY_GIVES_UP:
            continue
        if shorter.count_ops() < best[-1].count_ops():
            best.append(shorter)


def _degree(expression: sympy.Expr) -> int:
    """Return the highest exponent there is; exp(7 x) counts as the seventh power of exp(x)."""
    exponents = [
        term.as_coeff_Mul()[0]
        for part in expression.atoms(sympy.Pow, sympy.exp)
        for term in sympy.Add.make_args(part.exp)
    ]
    degrees = (max(abs(number.p), number.q) for number in exponents if number.is_Rational)
    return max(degrees, default=1)


def _topmost(expression: sympy.Expr, kind: type[sympy.Basic]) -> list[sympy.Expr]:
    """Return the parts of a kind that stand in no other of it."""
    found, waiting = [], [expression]
    while waiting:
        part = waiting.pop()
        if isinstance(part, kind):
            found.append(part)
        else:
            waiting.extend(part.args)
    return found


def terms_when_expanded(expression: sympy.Expr) -> float:
    """Return how many terms there are once products of sums are multiplied out, at most.

    >>> x, y = sympy.symbols("x y")
    >>> terms_when_expanded(sympy.sin((x + y) ** 3) * (x + 1))
    4
    """
    return max(_terms(expression))


def _terms(expression: sympy.Expr) -> tuple[float, float]:
    """Return the terms of an expanded expression, and the most of any part within it."""
    if not expression.args:
        return 1, 1
    parts = [_terms(part) for part in expression.args]
    most = max(inner for _, inner in parts)
    if expression.is_Add:
        terms: float = sum(count for count, _ in parts)
    elif expression.is_Mul:
        terms = math.prod(count for count, _ in parts)
    elif expression.is_Pow and expression.exp.is_Integer and parts[0][0] > 1:
        power = abs(int(expression.exp))
        terms = math.comb(int(min(parts[0][0], 1e6)) + power - 1, power)
    else:
        terms = 1
    return terms, max(terms, most)


DENOMINATORS = (2, 3, 4, 5, 6, 8, 10)

PI_DENOMINATORS = (2, 3, 4, 6)

MOST_PIS, MOST_PARTS = 12, 24
"""Largest multiples of pi, and numerators of fractions, that are simple."""

MOST_SHARE = 0.05
"""A number is only snapped where nice ones lie so far apart that at most this share of all numbers
between them would be snapped too, at each side."""


def rounded(expression: sympy.Expr, digits: int) -> sympy.Expr:
    """Return the expression with each decimal number rounded to so many significant digits.

    Integers, fractions, pi and e stay as they are.

    Raises
    ------
    ValueError
        If ``digits`` is below 1.

    Examples
    --------
    >>> rounded(sympy.Float(3.14159265) * sympy.Symbol("x") + sympy.pi, 3)
    3.14*x + pi
    """
    check_integer("digits", digits, 1)
    return expression.xreplace(
        {
            number: sympy.Float(f"{float(number):.{digits}g}")
            for number in expression.atoms(sympy.Float)
        }
    )


def snapped(expression: sympy.Expr, tolerance: float) -> sympy.Expr:
    """Return the expression with each decimal number replaced as by ``snap``."""
    return expression.xreplace(
        {number: snap(float(number), tolerance) for number in expression.atoms(sympy.Float)}
    )


def snap(value: float, tolerance: float) -> sympy.Expr:
    """Return the simplest nice number near ``value``, or ``value`` itself.

    Parameters
    ----------
    value : float
        Any finite number.
    tolerance : float
        Largest relative difference, between 0 and 0.1; for 0 the largest size.

    Returns
    -------
    sympy.Expr
        In this order: 0; integers; pi and e; fractions with a denominator of 2, 3, 4, 5, 6, 8 or
        10; fractions of pi; else ``value`` as a ``Float``.

    Raises
    ------
    ValueError
        If a number is out of its range.

    Examples
    --------
    >>> [snap(number, 1e-3) for number in (0.49999, 3.1416, -6.2831, 0.3333, 2e-5, 0.77)]
    [1/2, pi, -2*pi, 1/3, 0, 0.77]
    """
    if not math.isfinite(value):
        raise ValueError(f"value must be finite; got {value!r}.")
    if not 0 <= tolerance <= 0.1:
        raise ValueError(f"tolerance must be from 0 to 0.1; got {tolerance!r}.")
    if abs(value) <= tolerance:
        return sympy.Integer(0)
    for unit, denominators in (
        (sympy.Integer(1), (1,)),
        (sympy.pi, (1,)),
        (sympy.E, (1,)),
        (sympy.Integer(1), DENOMINATORS),
        (sympy.pi, PI_DENOMINATORS),
    ):
        for denominator in denominators:
            nice = _multiple(value, tolerance, unit, denominator)
            if nice is not None:
                return nice
    return sympy.Float(value)


def _multiple(
    value: float, tolerance: float, unit: sympy.Expr, denominator: int
) -> sympy.Expr | None:
    """Return the multiple of unit / denominator that is within the tolerance, if any."""
    step = float(unit) / denominator
    times = round(value / step)
    is_far = abs(value - times * step) > tolerance * abs(value)
    is_dense = tolerance * abs(value) > MOST_SHARE * step
    most = {sympy.pi: MOST_PIS, sympy.E: 1}.get(unit, math.inf if denominator == 1 else MOST_PARTS)
    is_odd = abs(times) > most
    if times == 0 or is_far or is_dense or is_odd:
        return None
    return sympy.Rational(times, denominator) * unit


# ---- bounds of time and memory -------------------------------------------------------------------


class _OverError(SystemExit):
    """The time or the memory of a computation is used up.

    A kind of ``SystemExit``, for a thread that is about to end keeps quiet about that alone.
    """


MOST_WAIT = 10.0
"""How many times as long as the processor's time all may take."""


class _Worker(threading.Thread):
    """A thread that keeps what its work raised."""

    def __init__(self, work: Callable[[], object]) -> None:
        super().__init__(name="kanviz formula", daemon=True)
        self.work = work
        self.failure: BaseException | None = None
        self._begin = time.monotonic()
        self._clock: int | None = None

    def spent(self) -> float:
        """Return the seconds that the work has taken of the processor, or where nobody knows, all.

        A busy machine gives a thread little of its time, and what is found must not depend on that.
        """
        waited = time.monotonic() - self._begin
        if self._clock is None:
            return waited
        try:
            return max(time.clock_gettime(self._clock), waited / MOST_WAIT)
        except OSError:  # the thread is over
            return waited / MOST_WAIT

    def run(self) -> None:
        """Do the work."""
        if hasattr(time, "pthread_getcpuclockid"):
            self._clock = time.pthread_getcpuclockid(threading.get_ident())
        try:
            self.work()
        except _OverError:
            pass
        except BaseException as error:  # noqa: BLE001  # raised where it was asked for
            self.failure = error


def run_within(seconds: float, work: Callable[[], object]) -> bool:
    """Run something in pure Python that may take too long; return whether it came to its end.

    It runs in a thread of its own, in which an exception is raised when its time is over, which is
    that of the processor, or the process has grown by ``MOST_MEMORY``. sympy is pure Python, so
    that ends it at its next step.
    """
    thread, memory = _Worker(work), most_memory()
    thread.start()
    try:
        while thread.is_alive() and (left := seconds - thread.spent()) > 0:
            thread.join(min(0.05, left))
            if most_memory() - memory > MOST_MEMORY:
                break
    finally:
        is_whole = not thread.is_alive()
        if not is_whole:
            _end(thread)
    if thread.failure is not None:
        raise thread.failure
    return is_whole


def _end(thread: _Worker) -> None:
    """Raise ``_OverError`` in a thread until it ends.

    More than once: it may have struck in a handler that swallowed it, or in a callback of Python's
    own, which would tell the user of it.
    """
    tell = sys.unraisablehook

    def tell_of_others(what: "sys.UnraisableHookArgs") -> None:
        if what.exc_type is not _OverError:
            tell(what)

    sys.unraisablehook = tell_of_others
    try:
        for _ in range(40):
            if not thread.is_alive():
                break
            raise_in(thread, _OverError)
            thread.join(0.05)
    finally:
        sys.unraisablehook = tell


MOST_MEMORY = 400 * 2**20
"""Bytes by which a formula may make the process larger."""


def most_memory() -> int:
    """Return the largest size that this process has had, in bytes; 0 where that is unknown."""
    if sys.platform == "win32":
        return 0
    import resource

    size = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return size if sys.platform == "darwin" else size * 1024


def in_time(seconds: float, work: Callable[[], T], problem: str) -> T:
    """Return what something in pure Python returns; ValueError with ``problem`` if not in time.

    >>> in_time(5.0, lambda: 2 + 2, "Too hard.")
    4
    """
    found: list[T] = []
    with contextlib.suppress(RecursionError):
        run_within(seconds, lambda: found.append(work()))
    if not found:
        raise ValueError(problem)
    return found[0]
