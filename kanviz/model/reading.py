"""From a trained network to what it means: formulas on edges, of the whole, and back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kanviz.data import as_dataset
from kanviz.edits import Became, FixEdge, UnfixEdge
from kanviz.edits.address import check_edge
from kanviz.edits.code import call_code
from kanviz.model.locking import EdgeAddress
from kanviz.model.pruning import Pruning
from kanviz.snapshot import Edge
from kanviz.symbolic.formula import Formula, check_formula, difference_of, formula_of, shown
from kanviz.symbolic.functions import Function, default_library
from kanviz.symbolic.snapping import Units
from kanviz.symbolic.suggest import SuggestionTable, suggest
from kanviz.symbolic.symbol_report import EdgeReport, SymbolReport
from kanviz.symbolic.symbolify import symbolify
from kanviz.training.judge import judge_of


class Reading(Pruning):
    """Reading a network: which functions the edges are, and the formula of the whole."""

    def suggest(
        self,
        edge: EdgeAddress,
        *,
        functions: Sequence[str] | None = None,
        top: int | None = 10,
    ) -> SuggestionTable:
        """Return which known functions the curve of an edge looks like; changes nothing.

        Where edges are locked to one function, it is seen through the inputs of all of them.

        Parameters
        ----------
        edge : (layer, i, j)
            The edge.
        functions : sequence of str, optional
            Names to choose from; by default the whole library.
        top : int, optional
            How many to return; None for all.

        Raises
        ------
        IndexError
            If there is no such edge.
        """
        with self._bench.lock:
            x, y = self._seen_by(check_edge(self.network, *edge))
        return suggest(x, y, functions=_library(functions), top=top)

    def fix(
        self,
        edge: EdgeAddress,
        formula: str,
        *,
        numbers: tuple[float, float, float, float] | None = None,
        trainable: bool = True,
    ) -> None:
        """Make an edge a formula c f(a x + b) + d; its spline rests until ``unfix``.

        Parameters
        ----------
        edge : (layer, i, j)
            The edge.
        formula : str
            The name of a known function such as ``"sin"``, whose four numbers are fitted to the
            curve, or any formula of x such as ``"0.5*x**2 + 1"``, which is taken as it is.
        numbers : (a, b, c, d), optional
            The numbers, instead of a fit.
        trainable : bool
            Whether training may move the numbers.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If the formula cannot be read, or the edge is removed.
        """
        with self._bench.rest():
            layer, i, j = check_edge(self.network, *edge)
            library = default_library()
            if formula in library:
                function = library[formula]
                if numbers is None:
                    best = self.suggest(edge, functions=[formula])[0]
                    numbers = (best.a, best.b, best.c, best.d)
            else:
                function = Function(formula.strip()[:40], library.parse(formula))
            chosen = numbers or (1.0, 0.0, 1.0, 0.0)
            quality = self._quality(check_edge(self.network, *edge), function, chosen)
            self._bench.do(FixEdge(layer, i, j, function, chosen, trainable, formula, quality))

    def _quality(
        self, edge: Edge, function: Function, numbers: tuple[float, float, float, float]
    ) -> float | None:
        """Return the R^2 of a formula against what an edge is now; None for a constant edge."""
        step = self.trace().layers[edge.layer]
        x, y = step.inputs[:, edge.i].double(), step.edge_outputs[:, edge.i, edge.j].double()
        a, b, c, d = numbers
        variance = float(y.var(correction=0))
        missed = float((c * function.torch(a * x + b) + d - y).square().mean())
        return 1 - missed / variance if variance > 0 else None

    def unfix(self, edge: EdgeAddress) -> None:
        """Give an edge its spline back, as it was when it was fixed.

        Raises
        ------
        IndexError
            If there is no such edge.
        ValueError
            If it is no formula.
        """
        self._bench.do(UnfixEdge(*check_edge(self.network, *edge)))

    def symbolify(
        self,
        data: Any,
        *,
        tolerance: float | None = None,
        functions: Sequence[str] | None = None,
        n_jobs: int = 1,
        on_edge: Callable[[EdgeReport], object] = lambda _: None,
    ) -> SymbolReport:
        """Turn splines into formulas as long as the whole network stays as good; one step.

        Edge by edge the simplest function that does is taken; then each choice is questioned again,
        and numbers near to 0, integers, pi, e and simple fractions become these, all as long as the
        held-out error agrees. Frozen edges stay as they are.

        Parameters
        ----------
        data : Dataset or (x, y)
            To refit and judge on; without a test part a fifth of it is held out.
        tolerance : float, optional
            By how much the held-out error may rise in all, as a share of the standard deviation of
            y. By default by half of what it is; an error of a millionth is always good enough.
        functions : sequence of str, optional
            Names to choose from; by default the whole library.
        n_jobs : int
            How many candidates are tried at a time, through joblib: in processes of this machine,
            or by whatever backend ``joblib.parallel_config`` names. 1 starts no process. The
            result is the same.
        on_edge : callable
            Called with what came of each edge, as soon as it is known; again where it is questioned
            again.

        Returns
        -------
        SymbolReport
            Edge by edge what was tried and chosen; edges without a good formula stay splines. Its
            ``pareto()`` tells complexity and error of every stage on the way.
        """
        with self._bench.rest():
            work, dataset = self._copy_for_search(), as_dataset(data)
            library = _library(functions) or default_library()
            report = symbolify(
                work,
                judge_of(dataset),
                tolerance=tolerance,
                functions=library,
                units=Units(dataset.x_scaling, dataset.y_scaling),
                n_jobs=n_jobs,
                on_edge=on_edge,
            )
            name = self._bench.history.name_of("data", (dataset.x, dataset.y))
            given = {"tolerance": tolerance, "functions": functions}
            options = {key: value for key, value in given.items() if value is not None}
            chosen = sum(edge.chosen is not None for edge in report.edges)
            words = f"made {chosen} of {len(report.edges)} edges formulas"
            self._bench.do(Became(work, call_code("model.symbolify", name, **options), words))
            return report

    def formula(
        self, *, digits: int | None = 6, snap: float = 1e-6, simplify: float = 2.0
    ) -> Formula:
        """Return what the model computes, in the user's units and names.

        Edges without a formula are named functions such as ``phi_0_1_2``. The formula is compared
        with the model on the remembered sample, first exactly, then as it is shown: where rounding
        or snapping moves the outputs by more than 100 times the share by which it may move a
        number, or by 10 %, more digits are kept and fewer numbers snapped.

        Parameters
        ----------
        digits : int, optional
            Fewest significant digits of the numbers; None for all.
        snap : float
            Numbers within this share of a nice one (0, 1/2, pi ...) are written as it; 0 for none.
        simplify : float
            Seconds that may be spent on a shorter form; 0 for none.

        Returns
        -------
        Formula
            Prints itself; has ``to_latex``, ``to_callable``, ``to_torch``, ``to_python``, ``to_c``,
            sympy ``expressions``, and ``error``: how far it is from the model.

        Raises
        ------
        ArithmeticError
            If formula and model differ on the sample.
        """
        with self._bench.lock:
            work, about = self._copy_for_search(), self._about
            sample = self._input(None).double()
        formula = formula_of(work, about)
        check_formula(formula, work, about, sample)

        def error(candidate: Formula) -> float:
            return difference_of(candidate, work, about, sample)

        return shown(formula, error, digits=digits, snap=snap, simplify=simplify)


def _library(names: Sequence[str] | None) -> Mapping[str, Function] | None:
    return None if names is None else default_library().only(names)
