"""Formulas as short lists of steps, which torch runs: no text is ever executed."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import sympy
import torch
from jaxtyping import Float
from sympy.core.function import AppliedUndef
from torch import Tensor

from kanviz.symbolic.language import (
    COMPUTED,
    HEADS,
    X,
    absorb_factors,
    check_expression,
    constant_value,
)
from kanviz.symbolic.safe import PLAIN, SAFE, guarded, largest


@dataclass(frozen=True)
class Step:
    """One operation.

    Parameters
    ----------
    operation : str
        A key of ``SAFE``, or ``"input"``, ``"constant"``, or the name of an unknown function.
    sources : tuple of int
        Which earlier steps it works on.
    number : float
        A constant, an exponent, an order, or which input.
    """

    operation: str
    sources: tuple[int, ...] = ()
    number: float | None = None


@dataclass(frozen=True)
class Program:
    """Several formulas of the same variables, ready to compute.

    Parameters
    ----------
    steps : tuple of Step
        In order; each uses earlier ones only.
    outputs : tuple of int
        The step that holds each formula's result.
    n_inputs : int
        How many variables there are.
    functions : mapping of str to callable
        What computes the unknown functions, tensor to tensor.
    """

    steps: tuple[Step, ...]
    outputs: tuple[int, ...]
    n_inputs: int
    functions: Mapping[str, Callable[[Tensor], Tensor]] = field(default_factory=dict)

    def __call__(self, x: Float[Tensor, "*samples inputs"]) -> Float[Tensor, "*samples outputs"]:
        """Return all formulas at x: finite for finite x, as are their derivatives."""
        return torch.stack(self.run(guarded(x).unbind(-1), SAFE), dim=-1)

    def plain(self, x: Float[Tensor, "*samples inputs"]) -> Float[Tensor, "*samples outputs"]:
        """Return all formulas at x as a textbook has them: NaN or inf outside their domain."""
        return torch.stack(self.run(x.unbind(-1), PLAIN), dim=-1)

    def numpy(
        self, x: Float[np.ndarray, "*samples inputs"]
    ) -> Float[np.ndarray, "*samples outputs"]:
        """Return ``plain`` for an array, in float64."""
        with torch.no_grad():
            outputs = self.plain(torch.from_numpy(np.array(x, dtype=np.float64)))
        return outputs.numpy()

    def run(
        self, inputs: Sequence[Tensor], operations: Mapping[str, Callable[..., Tensor]]
    ) -> list[Tensor]:
        """Return each formula at the inputs, which have one shape, with these operations."""
        values: list[Tensor | float] = []
        for step in self.steps:
            values.append(self._value(step, values, inputs, operations))
        return [_shaped(values[output], inputs[0]) for output in self.outputs]

    def _value(
        self,
        step: Step,
        values: list[Tensor | float],
        inputs: Sequence[Tensor],
        operations: Mapping[str, Callable[..., Tensor]],
    ) -> Tensor | float:
        if step.operation == "input":
            return inputs[int(step.number or 0)]
        if step.operation == "constant":
            limit = largest(inputs[0].dtype)
            return min(max(step.number or 0.0, -limit), limit)
        sources: list[Any] = [values[source] for source in step.sources]
        if not any(isinstance(source, Tensor) for source in sources):
            # Functions and splines take tensors alone, also where what they are given is constant.
            sources = [_shaped(source, inputs[0]) for source in sources]
        if step.operation in self.functions:
            return self.functions[step.operation](*sources)
        operation: Any = operations[step.operation]
        if step.operation == "bessel":
            return operation(*sources, int(step.number or 0))  # type: ignore[no-any-return]
        numbers = () if step.number is None else (step.number,)
        return operation(*sources, *numbers)  # type: ignore[no-any-return]


def _shaped(value: Tensor | float, like: Tensor) -> Tensor:
    """Return a constant formula with the shape of the inputs, and with a gradient, 0."""
    return value if isinstance(value, Tensor) else like * 0 + value


def compile_expressions(
    expressions: Sequence[sympy.Expr],
    variables: Sequence[str] = ("x",),
    functions: Mapping[str, Callable[[Tensor], Tensor]] | None = None,
    constants: Sequence[str] = (),
) -> Program:
    """Return the program that computes the expressions; equal parts are computed once.

    Parameters
    ----------
    expressions : sequence of sympy.Expr
        Formulas, in the language of ``kanviz.symbolic.language``.
    variables : sequence of str
        The names of the inputs, in order.
    functions : mapping of str to callable
        What computes each undefined function by name, tensor to tensor, such as a spline.
    constants : sequence of str
        Names of further inputs, after the variables, which may be exponents too.

    Raises
    ------
    TypeError, ValueError
        If an expression has a part that cannot be computed.

    Examples
    --------
    >>> x, y = sympy.symbols("x y", real=True)
    >>> program = compile_expressions([x * y, sympy.exp(x)], ["x", "y"])
    >>> program(torch.tensor([[0.0, 2.0]], dtype=torch.float64)).tolist()
    [[0.0, 1.0]]
    """
    functions = dict(functions or {})
    for expression in expressions:
        check_expression("formula", expression, variables, list(functions), constants)
    writer = _Writer([*variables, *constants])
    outputs = tuple(writer.write(absorb_factors(part, COMPUTED)) for part in expressions)
    return Program(tuple(writer.steps), outputs, len(writer.variables), functions)


@dataclass
class _Writer:
    """Walks expressions and writes each different part down as one step."""

    variables: Sequence[str]
    steps: list[Step] = field(default_factory=list)
    step_of: dict[sympy.Basic, int] = field(default_factory=dict)

    def write(self, part: sympy.Expr) -> int:
        """Return the place of the step that computes ``part``."""
        if part not in self.step_of:
            step = self._step(part)
            self.steps.append(step)
            self.step_of[part] = len(self.steps) - 1
        return self.step_of[part]

    def _step(self, part: sympy.Expr) -> Step:
        if part.is_Symbol:
            return Step("input", number=self.variables.index(part.name))
        if part.is_number:
            return Step("constant", number=constant_value(part))
        if isinstance(part, sympy.Pow):
            return self._power(part.base, part.exp)
        if isinstance(part, sympy.besselj):
            return Step("bessel", (self.write(part.args[1]),), float(part.args[0]))
        if isinstance(part, sympy.Max):
            (inner,) = (argument for argument in part.args if argument != 0)
            return Step("relu", (self.write(inner),))
        if isinstance(part, AppliedUndef):
            return Step(part.func.__name__, (self.write(part.args[0]),))
        if isinstance(part, sympy.log) and (inner := _softplus_argument(part.args[0])) is not None:
            return Step("softplus", (self.write(inner),))
        if isinstance(part, sympy.UnevaluatedExpr):
            return self._step(part.args[0])
        operations = {sympy.Add: "add", sympy.Mul: "multiply", **HEADS}
        return Step(operations[part.func], tuple(self.write(inner) for inner in part.args))

    def _power(self, base: sympy.Expr, exponent: sympy.Expr) -> Step:
        if exponent.is_number:
            value = constant_value(exponent)
            if value == 0:  # as a decimal, which sympy leaves in x**0.0
                return Step("constant", number=1.0)
            return Step("power", (self.write(base),), value)
        return Step("exp", (self.write(exponent * sympy.log(base)),))


def _softplus_argument(expression: sympy.Expr) -> sympy.Expr | None:
    """Return u + log k for 1 + k exp(u), whose logarithm must not overflow; else None."""
    factor, rest = (expression - 1).as_coeff_Mul()
    return rest.args[0] + sympy.log(factor) if factor > 0 and isinstance(rest, sympy.exp) else None


def curve(expression: sympy.Expr, constants: Sequence[str] = ()) -> "Curve":
    """Return the function of one variable that ``expression`` in ``X`` stands for.

    ``constants`` are the names of the numbers that it takes beside it, in order.

    >>> curve(1 / X).plain(torch.tensor([0.5, 4.0])).tolist()
    [2.0, 0.25]
    """
    return Curve(compile_expressions([expression], [X.name], constants=constants))


@dataclass(frozen=True)
class Curve:
    """A formula of one variable as a function of tensors of any shape.

    Its free constants are tensors too, each a single number or of a shape that broadcasts to x.

    Parameters
    ----------
    program : Program
        With one input for the variable, one for each free constant, and one output.
    """

    program: Program

    def __call__(self, x: Float[Tensor, "*shape"], *constants: Tensor) -> Float[Tensor, "*shape"]:
        """Return the formula at x: finite for finite x, as are its derivatives."""
        return self.program.run([guarded(x), *map(guarded, constants)], SAFE)[0]

    def plain(self, x: Float[Tensor, "*shape"], *constants: Tensor) -> Float[Tensor, "*shape"]:
        """Return the formula at x as a textbook has it: NaN or inf outside its domain."""
        return self.program.run([x, *constants], PLAIN)[0]
