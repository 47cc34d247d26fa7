"""The five toy functions with a known exact network (arXiv:2404.19756, section 3.1)."""

from collections.abc import Callable
from math import pi

import torch
from jaxtyping import Float
from torch import Tensor

from kanviz.course.problems.record import Problem, scipy_function

SOURCE = "arXiv:2404.19756, section 3.1, function"
RANGE_NOTE = "The paper gives no range; -1 to 1 is the default of its code."

Inputs = Float[Tensor, "samples inputs"]
Values = Float[Tensor, " samples"]


def toy_functions() -> tuple[Problem, ...]:
    """Return the toy functions in the order of the paper; ``widths`` can represent each exactly."""
    return (
        # Not torch.special.bessel_j0, which is wrong by up to 4e-7 in float64 (torch 2.13).
        _toy(
            1,
            "toy_bessel",
            "Bessel function of order 0",
            "J_0(20*x_1)",
            scipy_function(lambda special, x: special.j0(20 * x)),
            (1, 1),
        ),
        _toy(2, "toy_exp_sin", "Two variables", "exp(sin(pi*x_1) + x_2**2)", exp_sin, (2, 1, 1)),
        _toy(3, "toy_product", "Product", "x_1*x_2", product, (2, 2, 1)),
        _toy(
            4,
            "toy_100d",
            "A hundred variables",
            "exp(sum_i sin(pi*x_i/2)**2 / 100)",
            exp_mean_square_sin,
            (100, 1, 1),
        ),
        _toy(
            5,
            "toy_deep",
            "Four variables, three layers",
            "exp((sin(pi*(x_1**2 + x_2**2)) + sin(pi*(x_3**2 + x_4**2)))/2)",
            deep,
            (4, 2, 1, 1),
        ),
    )


def exp_sin(x: Inputs) -> Values:
    """Return exp(sin(pi x_1) + x_2^2)."""
    return torch.exp(torch.sin(pi * x[:, 0]) + x[:, 1] ** 2)


def product(x: Inputs) -> Values:
    """Return x_1 x_2."""
    return x[:, 0] * x[:, 1]


def exp_mean_square_sin(x: Inputs) -> Values:
    """Return exp of the mean over the inputs of sin(pi x_i / 2)^2."""
    return torch.exp((torch.sin(pi * x / 2) ** 2).mean(dim=1))


def deep(x: Inputs) -> Values:
    """Return exp((sin(pi (x_1^2 + x_2^2)) + sin(pi (x_3^2 + x_4^2))) / 2)."""
    square = x**2
    first = torch.sin(pi * (square[:, 0] + square[:, 1]))
    return torch.exp((first + torch.sin(pi * (square[:, 2] + square[:, 3]))) / 2)


def _toy(
    number: int,
    name: str,
    title: str,
    formula: str,
    f: Callable[[Tensor], Tensor],
    widths: tuple[int, ...],
) -> Problem:
    """Return one entry; every toy function is sampled from -1 to 1 in each input."""
    return Problem(
        name=name,
        title=title,
        formula=formula,
        f=f,
        ranges=((-1.0, 1.0),) * widths[0],
        input_names=tuple(f"x_{i + 1}" for i in range(widths[0])),
        widths=widths,
        source=f"{SOURCE} ({number})",
        range_note=RANGE_NOTE,
    )
