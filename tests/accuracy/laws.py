"""The laws that ``recovery.py`` looks for, with ranges, sources and the options of each row."""

from dataclasses import dataclass, replace

import numpy as np
import sympy
import torch
from sklearn.datasets import make_moons

import kanviz as kv

PROMISE = "promise"
FEYNMAN = "dimensionless form of arXiv 1905.11481,"

FRESH = 1000
"""Points that no step has seen."""


@dataclass(frozen=True)
class Law:
    """What to find, and the options of its row, chosen once.

    ``samples`` are for training, and as many for the held-out error that prune and symbolify judge
    by; ``grids`` are those before and after refining; ``noise`` is a share of the spread of y;
    where ``is_locked``, the first layer's edges share one function after pruning.
    """

    name: str
    text: str
    ranges: tuple[tuple[float, float], ...]
    source: str
    widths: tuple[int, ...] = (2, 5, 1)
    sparsity: float = 1e-3
    grids: tuple[int, int] = (5, 10)
    noise: float = 0.0
    tolerance: float | None = None
    samples: int = 400
    is_locked: bool = False

    @property
    def is_classes(self) -> bool:
        """Whether the row is a classification, with no law to find."""
        return not self.text

    def values(self, x: np.ndarray) -> np.ndarray:
        """Return the law (samples,) at points (samples, inputs)."""
        names = [f"x_{i + 1}" for i in range(len(self.ranges))]
        law = sympy.lambdify(names, sympy.sympify(self.text), ["scipy", "numpy"])
        return np.asarray(law(*x.T), dtype=np.float64)

    def dataset(self, seed: int) -> kv.Dataset:
        """Return training and held-out samples of one seed."""
        n = self.samples
        if self.is_classes:
            x, y = make_moons(2 * n, noise=0.1, random_state=seed)
            return kv.from_arrays(
                x, y, test_fraction=0.5, task="classification", dtype=torch.float64
            )
        data = kv.from_function(
            lambda x: self.values(x.numpy()),
            self.ranges,
            n,
            n,
            seed,
            torch.float64,
            normalize=False,
        )
        size = self.noise * float(data.y.std())
        normal = torch.Generator().manual_seed(seed)
        errors = torch.randn(2, *data.y.shape, generator=normal, dtype=torch.float64)
        assert data.y_test is not None
        return replace(data, y=data.y + size * errors[0], y_test=data.y_test + size * errors[1])

    def fresh(self, seed: int) -> tuple[np.ndarray, np.ndarray]:
        """Return points that no step sees, with the law there or the classes."""
        if self.is_classes:
            x, y = make_moons(FRESH, noise=0.1, random_state=1000 + seed)
            return x, y
        data = replace(self, noise=0.0, samples=FRESH).dataset(1000 + seed)
        return data.x.numpy(), data.y[:, 0].numpy()


UNIT = ((-1.0, 1.0),) * 2
BESSEL = "exp(besselj(0, 20*x_1) + x_2**2)"
LAWS = (
    Law(PROMISE, "exp(sin(pi*x_1) + x_2**2)", UNIT, "arXiv 2404.19756, 3.1 (2)", samples=1000),
    Law("product", "x_1*x_2", UNIT, "arXiv 2404.19756, 3.1 (3)", tolerance=1e-2),
    Law("bessel", BESSEL, UNIT, "pykan, special functions", grids=(20, 60), samples=1000),
    Law("distance", "sqrt(x_1**2 + x_2**2)", ((0.1, 1), (0.1, 1)), f"{FEYNMAN} I.8.14"),
    Law("gaussian", "exp(-(x_1**2 + x_2**2)/2)", ((-2, 2), (-2, 2)), f"{FEYNMAN} I.6.20"),
    Law("field", "1 + x_1*sin(x_2)", ((-1, 1), (-3, 3)), f"{FEYNMAN} I.12.11"),
    Law("lens", "1/(1 + x_1*x_2)", ((0.2, 2), (0.2, 2)), f"{FEYNMAN} I.27.6"),
    Law("barometer", "x_1*exp(-x_2)", ((0.2, 2), (-1, 1)), f"{FEYNMAN} I.40.1"),
    Law("lorentz", "1/sqrt(1 - x_1**2)", ((-0.9, 0.9),), f"{FEYNMAN} I.10.7", widths=(1, 2, 1)),
    Law("doppler", "x_1*sqrt((1+x_2)/(1-x_2))", ((0.2, 2), (-0.8, 0.8)), f"{FEYNMAN} I.34.14"),
    Law("velocity", "(x_1 + x_2)/(1 + x_1*x_2)", ((-0.8, 0.8),) * 2, f"{FEYNMAN} I.16.6"),
    Law(
        "velocity_locked",
        "(x_1 + x_2)/(1 + x_1*x_2)",
        ((-0.8, 0.8),) * 2,
        "as above, edges of the first layer locked",
        is_locked=True,
    ),
    Law("quantum", "sqrt(1 + x_1**2 + x_2**2)", ((-2, 2), (-2, 2)), f"{FEYNMAN} III.10.19"),
    Law("promise_noise", "exp(sin(pi*x_1) + x_2**2)", UNIT, "as above", noise=0.01),
    Law("product_noise", "x_1*x_2", UNIT, "as above", noise=0.01),
    Law("quantum_noise", "sqrt(1 + x_1**2 + x_2**2)", ((-2, 2),) * 2, "as above", noise=0.01),
    Law("moons", "", ((-1.5, 2.5), (-1, 1.5)), "two moons of scikit-learn, noise 0.1", (2, 2, 2)),
)
