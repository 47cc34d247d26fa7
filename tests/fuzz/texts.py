"""Texts of formulas: such as users type, such as nobody types, and bombs.

What must hold of each: it is refused in one sentence, in time and memory; or it can be an edge's
formula, and then it is finite everywhere, reads back as it was written, prints in every form, and
a model that has it can be saved, loaded, drawn and written as a formula.
"""

import ast
import io
import json
import math
import random
import re
import tempfile
import time
import warnings
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

import torch

import kanviz as kv
from fuzz.limits import Overtime, grown, limited
from kanviz.live.scene import mathml_of
from kanviz.symbolic.functions import BUILT_IN, Function
from kanviz.symbolic.language import WORDS
from kanviz.symbolic.printing import to_mathml, to_text
from kanviz.symbolic.source import c_source, python_source
from kanviz.symbolic.suggest import function_of

SECONDS = 10.0
"""Longest that a processor may work on one text; a busy machine may take twelve times as long."""

MEGABYTES = 700
"""Most by which anything may make the process larger."""

LONGEST_SENTENCE = 400

LIBRARY = sorted(name for name in BUILT_IN if name.isidentifier() and name != "x")

NUMBERS = (
    *("0", "1", "2", "3", "7", "0.5", "1.5", "-1", "100", "1/3", "pi", "e", "0.1", "20011"),
    *("1e-3", "1e5", "1e50", "1e99", "1e-99", "1e-300", "5e-324", "9" * 99, "9" * 30, "1e101"),
    *("0.00001", "123456789/987654321", "4294967297", "6469693230", "12", "1e-400", "99.999"),
)

EXPONENTS = (
    *("2", "3", "-1", "-2", "0.5", "1/3", "-1/2", "100", "-100", "99.5", "0", "1e-3", "101"),
    *("1234567/7654321", "10**30/(10**30+1)", "pi", "e", "-0.0", "x", "2/3", "1/101", "50*sqrt(2)"),
)

CURVE = torch.linspace(-1, 1, 13, dtype=torch.float64)

POINTS = torch.tensor(
    [0.0, 1.0, -1.0, 0.5, -0.3, 2.7, 10.0, -55.5, 1e-30, -1e-300, 1e10, -1e30, 1e300],
    dtype=torch.float64,
)


def texts(seed: int) -> Iterator[str]:
    """Yield texts without end; one seed, one sequence."""
    rng = random.Random(seed)
    makers: tuple[Callable[[random.Random], str], ...] = (
        lambda rng: expression(rng, rng.randrange(1, 5)),
        lambda rng: expression(rng, rng.randrange(4, 8)),
        bomb,
        long_text,
        nested,
        lambda rng: damaged(rng, expression(rng, 3)),
        soup,
    )
    while True:
        yield rng.choice(makers)(rng)


def expression(rng: random.Random, depth: int) -> str:
    """Return a text that is most often a formula."""
    if depth <= 0 or rng.random() < 0.1:
        return "x" if rng.random() < 0.6 else rng.choice(NUMBERS)
    inner = expression(rng, depth - 1)
    match rng.randrange(7):
        case 0 | 1:
            return f"{rng.choice([*WORDS, *LIBRARY])}({inner})"
        case 2 | 3:
            other = expression(rng, rng.randrange(depth))
            return f"({inner}){rng.choice('+-*/')}({other})"
        case 4:
            return f"({inner})**({rng.choice(EXPONENTS)})"
        case 5:
            return f"{rng.choice(NUMBERS)}{rng.choice('+-*/')}({inner})"
        case _:
            return f"({rng.choice(NUMBERS)})**({inner})"


def bomb(rng: random.Random) -> str:
    """Return powers of powers, of numbers and of products with numbers."""
    text = rng.choice([*NUMBERS, "x", "3*x", "9**99*x", "(x+1)", "sqrt(2)+sqrt(3)", "x+1e50"])
    for _ in range(rng.randrange(1, 8)):
        text = f"({text})**{rng.choice(['100', '-100', '99', '0.5', '(1/3)', '-1', '(-7/3)'])}"
        if rng.random() < 0.5:
            text = (
                f"({text}){rng.choice('+-*/')}{rng.choice(['x**-99', 'x**0.01', '3', 'x', 'pi'])}"
            )
    return text


def long_text(rng: random.Random) -> str:
    """Return a long sum or product, about as long as what may be typed."""
    n, sign = rng.randrange(2, 60), rng.choice("+-*/")
    kind = rng.choice([*WORDS, *LIBRARY])
    terms = (f"{kind}({rng.choice(NUMBERS)}*x+{rng.randrange(99)})" for _ in range(n))
    return sign.join(terms)


def nested(rng: random.Random) -> str:
    """Return functions within functions."""
    names = rng.choices([*WORDS, *LIBRARY], k=rng.randrange(1, 4))
    text = "x"
    for _ in range(rng.choice([2, 3, 5, 8, 20, 40, 90, 120])):
        text = f"{rng.choice(names)}({rng.choice(['', '-', '2*', '1+', '0.3-'])}{text})"
    return text


def damaged(rng: random.Random, text: str) -> str:
    """Return a text with characters taken out, doubled or put in."""
    for _ in range(rng.randrange(1, 4)):
        place = rng.randrange(len(text) + 1)
        extra = rng.choice(
            ["", text[place : place + 3], "(", ")", "**", "_", "\x00", "²", ";", "\n"]
        )
        text = text[:place] + extra + text[place + rng.randrange(2) :]
    return text


def soup(rng: random.Random) -> str:
    """Return tokens in any order."""
    tokens = [*WORDS, *NUMBERS, *"x+-*/^(),.", "**", "import", "lambda", "x_", "__class__", "[0]"]
    return " ".join(rng.choices(tokens, k=rng.randrange(12)))


def run(count: int, seed: int, *, every: int = 10) -> list[str]:
    """Check so many texts; every tenth that is accepted in a whole model too."""
    faults, accepted, slowest = [], 0, (0.0, "")
    source = texts(seed)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("error")
        for start in (0, 1):  # compiles what the first use of a kernel compiles
            check_in_a_model("sin(x)", Path(folder) / "m.kan", random.Random(start))
        for number in range(count):
            text = next(source)
            began, size = time.process_time(), grown()
            try:
                with limited(SECONDS * 12):
                    function = check_alone(text)
                    accepted += function is not None
                    if function is not None and accepted % every == 0:
                        check_in_a_model(text, Path(folder) / "m.kan", random.Random(number))
            except Overtime:
                faults.append(f"hangs: {text!r}")
            except Exception as error:  # noqa: BLE001  # any at all is a fault, and is told
                faults.append(f"{type(error).__name__}: {str(error)[:300]}: {text!r}")
            took = time.process_time() - began
            if took > SECONDS:
                faults.append(f"takes {took:.1f} s: {text!r}")
            if grown() - size > MEGABYTES:
                faults.append(f"takes {grown() - size} MB: {text!r}")
            slowest = max(slowest, (took, text))
    print(f"{accepted} of {count} texts accepted, the slowest in {slowest[0]:.1f} s")
    return faults


def check_alone(text: str) -> Function | None:
    """Check a text as an edge's formula; return None where it is refused."""
    try:
        function, _, constants = function_of(text, (1.0, 0.0, 1.0, 0.0), CURVE, CURVE)
        numbers = torch.tensor(constants, dtype=POINTS.dtype).unbind()
    except ValueError as error:
        check_sentence(str(error))
        return None
    again = Function.from_dict(json.loads(json.dumps(function.to_dict())))
    found, wanted = again.torch(POINTS, *numbers), function.torch(POINTS, *numbers)
    assert bool(wanted.isfinite().all()), "a value is not finite"
    assert torch.allclose(found, wanted, rtol=1e-6, atol=1e-9), "reads back otherwise"
    point = POINTS.clone().requires_grad_()
    with torch.enable_grad():
        value = function.torch(point, *numbers).sum()
        (slope,) = torch.autograd.grad(value, point, materialize_grads=True)
    assert bool(slope.isfinite().all()), "a slope is not finite"
    ElementTree.fromstring(to_mathml(function.expression))
    ElementTree.fromstring(mathml_of(function.text))
    written = function.with_numbers(constants)
    ast.parse(python_source([written], ["x"], ["y"]))
    most = 2000 + 30 * len(to_text(written))
    assert len(c_source([written], ["x"], ["y"])) < most, "C code is too long"
    return function


def check_sentence(message: str) -> None:
    """Check that a refusal is one sentence or two, and no longer than a screen's line or five."""
    assert re.match(r"(formula|expression|name) must ", message), f"says {message[:200]!r}"
    assert "\n" not in message, f"is of several lines: {message[:200]!r}"
    assert len(message) <= LONGEST_SENTENCE, f"is long: {message[:200]!r}"


def check_in_a_model(text: str, path: Path, rng: random.Random) -> None:
    """Check a formula on an edge of a network, with others before and after it."""
    widths = rng.choice([[1, 1], [2, 1], [1, 1, 1], [2, 2, 1]])
    model = kv.KAN(widths, seed=0, dtype=rng.choice([torch.float32, torch.float64]))
    x = torch.linspace(-1, 1, 9)[:, None].expand(-1, widths[0])
    try:
        model.fix((0, 0, 0), text)
        if len(widths) > 2 and rng.random() < 0.5:
            model.fix((1, 0, 0), rng.choice(["log", "x**2", "exp(x)", "1/x", text]))
    except (ValueError, ArithmeticError) as error:
        check_refusal(error)
    wanted = model.predict(x)
    model.save(path)
    assert torch.equal(torch.as_tensor(kv.load(path).predict(x)), torch.as_tensor(wanted))
    written: Any = io.StringIO()
    try:
        with redirect_stderr(written):
            formula = model.formula()
    except (ValueError, ArithmeticError) as error:
        check_refusal(error)
        return
    assert not written.getvalue(), f"wrote {written.getvalue()[:200]!r}"
    assert formula.error is not None
    assert not math.isnan(formula.error)
    assert str(formula)
    assert formula.to_latex()
    model.to_html(path.with_suffix(".html"))


def check_refusal(error: Exception) -> None:
    """Check that what a model says is short and of one line."""
    message = str(error)
    assert "\n" not in message, f"is of several lines: {message[:200]!r}"
    assert 20 < len(message) <= LONGEST_SENTENCE, f"says {message[:200]!r}"
