"""The formula of a whole network, in all the forms in which people take one away."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import sympy
from jaxtyping import Float
from torch import Tensor

from kanviz.symbolic.program import Program, compile_expressions
from kanviz.symbolic.rounding import rounded, snapped
from kanviz.symbolic.simplify import simplified, with_unit_terms
from kanviz.symbolic.source import c_source, python_source
from kanviz.symbolic.text import to_text

Arrays = Callable[[Float[np.ndarray, "*samples inputs"]], Float[np.ndarray, "*samples outputs"]]
Splines = Mapping[str, Callable[[Tensor], Tensor]]


@dataclass(frozen=True)
class Formula:
    """One expression per output of a network.

    Parameters
    ----------
    expressions : tuple of sympy.Expr
        In plain symbols with the names of the inputs; splines are undefined functions.
    inputs : tuple of str
        The names of the network's inputs, used or not.
    outputs : tuple of str
        The names of the outputs.
    error : float or None
        How far the formula as it stands here is from the model that it is of: their largest
        difference on the model's sample, as a share of the outputs' size. None if not compared.
    """

    expressions: tuple[sympy.Expr, ...]
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    error: float | None = None

    @property
    def splines(self) -> tuple[str, ...]:
        """The names of the edges that have no formula yet."""
        found = {
            part.func.__name__
            for expression in self.expressions
            for part in expression.atoms(sympy.core.function.AppliedUndef)
        }
        return tuple(sorted(found))

    def expanded(self) -> "Formula":
        """Return the formula with products of sums multiplied out, also within functions."""
        return self._each(
            lambda expression: expression.expand(
                power_exp=False, power_base=False, log=False, basic=False
            )
        )

    def with_unit_terms(self) -> "Formula":
        """Return the formula with factors taken out of roots and logarithms of sums."""
        return self._each(with_unit_terms)

    def rounded(self, digits: int) -> "Formula":
        """Return the formula with numbers of so many significant digits."""
        return self._each(lambda expression: rounded(expression, digits))

    def snapped(self, tolerance: float = 1e-3) -> "Formula":
        """Return the formula with nice numbers, as in ``snap``."""
        return self._each(lambda expression: snapped(expression, tolerance))

    def simplified(self, seconds: float = 2.0) -> "Formula":
        """Return a shorter formula that means the same, if one is found in time."""
        share = seconds / max(1, len(self.expressions))
        return self._each(lambda expression: simplified(expression, share))

    def to_latex(self) -> list[str]:
        """Return LaTeX for each output."""
        names = {
            symbol: _latex_name(symbol.name)
            for expression in self.expressions
            for symbol in expression.free_symbols
            if not _NAME.fullmatch(symbol.name)
        }
        return [sympy.latex(expression, symbol_names=names) for expression in self.expressions]

    def to_torch(self, splines: Splines | None = None) -> Program:
        """Return what computes the formula for tensors (*samples, inputs), finite everywhere.

        Parameters
        ----------
        splines : mapping of str to callable, optional
            What computes each name in ``splines``, tensor to tensor.
        """
        return compile_expressions(self.expressions, self.inputs, splines)

    def to_callable(self, splines: Splines | None = None) -> Arrays:
        """Return what computes the formula for arrays (*samples, inputs), NaN off its domain."""
        return self.to_torch(splines).numpy

    def to_python(self) -> str:
        """Return Python source code, with one function per output."""
        return python_source(self.expressions, self.inputs, self.outputs)

    def to_c(self) -> str:
        """Return C source code, with one function per output."""
        return c_source(self.expressions, self.inputs, self.outputs)

    def __str__(self) -> str:
        if len(self.expressions) == 1:
            return to_text(self.expressions[0])
        pairs = zip(self.outputs, self.expressions, strict=True)
        return "\n".join(f"{name} = {to_text(expression)}" for name, expression in pairs)

    def _repr_latex_(self) -> str:
        names = [name if _NAME.fullmatch(name) else _latex_name(name) for name in self.outputs]
        lines = zip(names, self.to_latex(), strict=True)
        return "\n\n".join(rf"$\displaystyle {name} = {text}$" for name, text in lines)

    def _each(self, change: Callable[[sympy.Expr], sympy.Expr]) -> "Formula":
        changed = tuple(change(part) for part in self.expressions)
        return replace(self, expressions=changed, error=None)


_NAME = re.compile(r"[A-Za-z]\w*", re.ASCII)


def _latex_name(name: str) -> str:
    """Return a name as LaTeX text, with nothing in it that LaTeX would act on."""
    escaped = re.sub(r"[\\{}$&#^_%~]", lambda match: rf"\{match.group()}", name)
    escaped = re.sub(r"\\([\\^~])", r"\\char`\\\1 ", escaped)
    return rf"\text{{{escaped}}}"
