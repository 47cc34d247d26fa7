"""Solving an equation: training on what should be 0 instead of on data."""

from collections.abc import Callable, Sequence
from typing import Any, Literal, overload

from torch import Tensor

from kanviz.checks import check_choice
from kanviz.edits import Solved
from kanviz.edits.code import options_given
from kanviz.model.fit_handle import Aim, FitHandle, FitRecord
from kanviz.model.reading import Reading
from kanviz.nn.network import Network
from kanviz.training.report import FitReport
from kanviz.training.solve import Equation, Residuals, solver_of
from kanviz.training.sparsity import Sparsity

MORE_OPTIONS = ("update_grid", "seed")


class Solving(Reading):
    """Solving equations with a model."""

    @overload
    def solve(
        self, residuals: Residuals, *, background: Literal[False] = False, **options: Any
    ) -> FitReport: ...

    @overload
    def solve(
        self, residuals: Residuals, *, background: Literal[True], **options: Any
    ) -> FitHandle: ...

    def solve(
        self,
        residuals: Residuals,
        *,
        steps: int | None = None,
        grids: Sequence[int] | None = None,
        starts: int | None = None,
        sparsity: float | Sparsity = 0.0,
        curvature: float | None = None,
        callbacks: Sequence[Callable[[Any], bool | None]] = (),
        progress: bool = True,
        background: bool = False,
        **options: Any,
    ) -> FitReport | FitHandle:
        """Make residuals of the model small by least squares; the whole run is one step.

        The model stands for an unknown function u, as in a differential equation: the residuals are
        what should be 0, inside and on the boundary. Steps are those of Levenberg-Marquardt in
        float64, with exact derivatives. The loss in the report is the mean of the squared
        residuals. Edits in between, Ctrl-C and undo are as in ``fit``.

        Parameters
        ----------
        residuals : callable
            ``residuals(u)`` returns a tensor or several, made of ``u(x)`` and of ``gradient``,
            ``hessian``, ``laplacian`` and ``pointwise`` of ``kanviz.nn``, at points x (samples,
            inputs) that are the same at every call. Multiply what is to count more by a number.
            Scatter the points: on a lattice a spline can be right at the points and wrong between
            them.
        steps, grids, starts, sparsity, curvature, callbacks, progress, **options
            As in ``fit`` (``kanviz.training.FitOptions``), with ``update_grid`` and ``seed``; what
            is relative to the variance of y there is so to the mean square of the residuals of
            u = 0. An untouched network begins from the best of up to 4 starts.
        background : bool
            Whether to return at once and train in a thread, which ends with the model.

        Returns
        -------
        FitReport or FitHandle
            As from ``fit``.

        Raises
        ------
        ValueError, TypeError
            If the residuals are no finite numbers that depend on u, an option makes no sense, or
            the network has more than 5000 weights.
        RuntimeError
            If a fit is running already.

        Examples
        --------
        >>> import torch, kanviz as kv
        >>> from kanviz.nn import gradient
        >>> model = kv.KAN([1, 1], dtype=torch.float64)
        >>> t = torch.linspace(0, 1, 50, dtype=torch.float64).unsqueeze(1)
        >>> def decay(u):  # u' = -u with u(0) = 1
        ...     return gradient(u, t)[:, 0] + u(t), 10 * (u(t[:1]) - 1)
        >>> report = model.solve(decay, progress=False)
        >>> abs(float(model(t[-1:]).detach()) - 0.36788) < 1e-4
        True
        """
        named = {
            "steps": steps,
            "grids": grids,
            "starts": starts,
            "sparsity": sparsity,
            "curvature": curvature,
            "callbacks": callbacks,
            "progress": progress,
        }
        for name in options:
            check_choice("option", name, MORE_OPTIONS)
        chosen, equation = named | options, Equation(residuals)

        def prepare(work: Network) -> FitHandle:
            trainer = solver_of(work, equation, **chosen)
            aim = self._aim(equation, trainer.task.x)
            record = FitRecord(aim, options_given(Solving.solve, chosen), trainer.report)
            return FitHandle(trainer, record, in_background=background)

        training = self.session.fit(prepare, in_background=background)
        return training if background else training.wait()

    def _aim(self, equation: Equation, points: Tensor) -> Aim:
        """Return how solving reads; equations of one name differ by their residuals of one u."""
        name = getattr(equation.residuals, "__name__", "")
        name = name if name.isidentifier() else "residuals"
        some = Network(self.widths, dtype=points.dtype, device=points.device)
        marks = (points, equation.values(some))
        return Aim(self._about.seeing(points), "model.solve", name, marks, Solved)
