"""Estimators as scikit-learn has them, around a ``KAN``: for pipelines, searches and scores.

``KANRegressor`` and ``KANClassifier`` keep scikit-learn's rules: parameters in the constructor,
what was learnt in attributes with a trailing underscore, ``fit`` gives the estimator itself. The
model is ``model_``, a ``KAN`` like any other: to plot, prune, symbolify and explore. ``explore``
does so for a whole pipeline, with the names and units of what goes into it.

It needs scikit-learn, which kanviz does not install: ``pip install scikit-learn``.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
from sklearn.pipeline import Pipeline
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from kanviz.checks import check_choice
from kanviz.data import Dataset, Scaling, from_arrays
from kanviz.data.arrays import Task
from kanviz.data.dataset import About, read_sample_weight
from kanviz.devices import on_cpu
from kanviz.model import KAN, Session
from kanviz.shape_search import search

if TYPE_CHECKING:
    from kanviz.live.explorer import Explorer

__all__ = ["KANClassifier", "KANRegressor", "explore", "kan_of"]

DTYPES = {"float32": torch.float32, "float64": torch.float64}


class _KANEstimator(BaseEstimator):  # type: ignore[misc]  # untyped there
    """What the two estimators share: their parameters, and how the model is made and trained."""

    model_: KAN

    # Any: a parameter is looked at in fit, as scikit-learn has it.
    def __init__(
        self,
        hidden: Any = (3,),
        *,
        grid_size: Any = 5,
        spline_order: Any = 3,
        base: Any = "silu",
        optimizer: Any = "auto",
        steps: Any = None,
        loss: Any = None,
        grids: Any = None,
        sparsity: Any = 0.0,
        smoothing: Any = None,
        validation: Any = None,
        starts: Any = None,
        dtype: Any = "float64",
        device: Any = None,
        random_state: Any = 0,
    ) -> None:
        self.hidden = hidden
        self.grid_size = grid_size
        self.spline_order = spline_order
        self.base = base
        self.optimizer = optimizer
        self.steps = steps
        self.loss = loss
        self.grids = grids
        self.sparsity = sparsity
        self.smoothing = smoothing
        self.validation = validation
        self.starts = starts
        self.dtype = dtype
        self.device = device
        self.random_state = random_state

    def _train(
        self, x: np.ndarray, y: np.ndarray, n_outputs: int, task: Task, weight: np.ndarray | None
    ) -> None:
        """Make a new model and train it; x and y are checked."""
        if self.dtype not in DTYPES:
            raise ValueError(
                f"dtype must be 'float32' or 'float64'; got {self.dtype!r}. Leave it out."
            )
        seed = self._seed()
        names = getattr(self, "feature_names_in_", None)
        data = from_arrays(
            x,
            y,
            test_fraction=0.0,
            input_names=None if names is None else [str(name) for name in names],
            task=task,
            constant="keep",
            sample_weight=weight,
            dtype=DTYPES[self.dtype],
        )
        if isinstance(self.hidden, str):
            self._search(data, seed)
            return
        model = KAN(
            [x.shape[1], *self._hidden_layers(), n_outputs],
            grid_size=self.grid_size,
            spline_order=self.spline_order,
            base=self.base,
            dtype=DTYPES[self.dtype],
            device=self.device,
            seed=seed,
        )
        report = model.fit(
            data,
            optimizer=self.optimizer,
            steps=self.steps,
            loss=self.loss,
            grids=self.grids,
            sparsity=self.sparsity,
            smoothing=self.smoothing,
            validation=self.validation,
            starts=self.starts,
            seed=seed,
            progress=False,
        )
        self.model_, self.report_, self.n_iter_ = model, report, max(1, report.n_steps)

    def _hidden_layers(self) -> list[Any]:
        """Return the nodes of each hidden layer; ``KAN`` looks at them."""
        if isinstance(self.hidden, Integral):  # as scikit-learn's own networks take it
            return [int(self.hidden)]
        if not isinstance(self.hidden, Iterable):
            raise TypeError(
                "hidden must be whole numbers, one for each hidden layer, or 'auto'; got "
                f"{self.hidden!r}. Pass (5,) for one layer of five nodes."
            )
        return list(self.hidden)

    def _search(self, data: Dataset, seed: int) -> None:
        """Let the data choose the hidden nodes."""
        check_choice("hidden", self.hidden, ("auto",))
        found = search(
            data,
            loss=self.loss,
            starts=self.starts,
            grid_size=self.grid_size,
            dtype=DTYPES[self.dtype],
            device=self.device,
            progress=False,
            seed=seed,
        )
        self.model_, self.report_ = found.best, found.winner.report
        self.n_iter_ = max(1, self.report_.n_steps)

    def _seed(self) -> int:
        state = self.random_state
        if state is None:
            return int(np.random.default_rng().integers(2**31))
        return int(state.randint(2**31)) if isinstance(state, np.random.RandomState) else int(state)

    def _checked(self, x: Any) -> np.ndarray:
        check_is_fitted(self, "model_")
        checked: np.ndarray = validate_data(self, x, reset=False, dtype=np.float64)
        return checked


class KANRegressor(RegressorMixin, _KANEstimator):  # type: ignore[misc]
    """A Kolmogorov-Arnold network that predicts numbers, as an estimator of scikit-learn.

    Parameters
    ----------
    hidden : sequence of int, int or "auto"
        Nodes of the hidden layers, or of the only one; ``()`` for an additive model, one curve per
        input. With ``"auto"`` the data choose, see ``kanviz.search``, and how to train is the
        search's matter.
    grid_size, spline_order, base
        The functions on the edges, as for ``KAN``.
    optimizer, steps, loss, grids, sparsity, smoothing, validation, starts
        How to train, as for ``KAN.fit``: ``loss="huber"`` where some rows are wild,
        ``loss="poisson"`` for counts, of which ``predict`` gives the means.
    dtype : {"float64", "float32"}
        Of the model's numbers.
    device : str, optional
        Such as ``"cuda"``.
    random_state : int, RandomState or None
        Of the random starts; None for other numbers in every fit.

    Attributes
    ----------
    model_ : KAN
        In the units of what ``fit`` was given: ``model_.explore()`` shows it.
    report_ : FitReport
        How the fit went.
    n_features_in_, feature_names_in_
        As in all estimators.
    n_iter_ : int
        Steps of the fit.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 60).reshape(-1, 1)
    >>> model = KANRegressor(hidden=()).fit(x, np.sin(3 * x[:, 0]))
    >>> model.score(x, np.sin(3 * x[:, 0])) > 0.999
    True
    """

    def __sklearn_tags__(self) -> Any:
        """Say that y may have several columns."""
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "KANRegressor":
        """Train a new model.

        Parameters
        ----------
        X : (samples, features)
            Array or data frame of numbers, in any units.
        y : (samples,) or (samples, outputs)
        sample_weight : (samples,), optional
            How many times each row counts, as for ``KAN.fit``.

        Returns
        -------
        The estimator.

        Raises
        ------
        ValueError
            If X and y do not fit together or hold what is no finite number.
        """
        x, targets = validate_data(
            self, X, y, dtype=np.float64, multi_output=True, y_numeric=True, ensure_min_samples=2
        )
        targets = np.asarray(targets, dtype=np.float64)
        weight = _weights(sample_weight, x)
        self._is_flat = targets.ndim == 1
        n_outputs = 1 if self._is_flat else targets.shape[1]
        self._train(x, targets, n_outputs, "regression", weight)
        return self

    def predict(self, X: Any) -> np.ndarray:
        """Return the predictions (samples,) or (samples, outputs), in the units of y."""
        x = self._checked(X)
        found = np.asarray(self.model_.predict(x))
        return found[:, 0] if self._is_flat else found


class KANClassifier(ClassifierMixin, _KANEstimator):  # type: ignore[misc]
    """A Kolmogorov-Arnold network that tells classes apart, as an estimator of scikit-learn.

    Parameters and attributes are those of ``KANRegressor``; ``classes_`` holds the labels, and the
    loss is the cross entropy. By
    default the evidence chooses how smooth the curves are, and rows that are repeated instead of
    weighed, or come in another order, move probabilities by some 1e-5.

    Examples
    --------
    >>> x = np.linspace(-1, 1, 60).reshape(-1, 1)
    >>> model = KANClassifier(hidden=(), steps=20).fit(x, np.where(x[:, 0] > 0, "up", "down"))
    >>> model.predict([[-0.5], [0.5]])
    array(['down', 'up'], dtype='<U4')
    """

    classes_: np.ndarray

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "KANClassifier":
        """Train a new model.

        Parameters
        ----------
        X : (samples, features)
            Array or data frame of numbers, in any units.
        y : (samples,)
            Labels of two classes or more.
        sample_weight : (samples,), optional
            How many times each row counts, as for ``KAN.fit``.

        Returns
        -------
        The estimator.

        Raises
        ------
        ValueError
            If there is one class only, or X and y do not fit together.
        """
        x, labels = validate_data(self, X, y, dtype=np.float64, ensure_min_samples=2)
        check_classification_targets(labels)
        weight = _weights(sample_weight, x)
        if weight is not None:  # a class of rows that do not count is none
            x, labels, weight = x[weight > 0], labels[weight > 0], weight[weight > 0]
        self.classes_, numbers = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(
                f"y must hold at least 2 classes; got 1 class, {self.classes_.tolist()[0]!r}. "
                "Pass rows of another one."
            )
        self._train(x, numbers, len(self.classes_), "classification", weight)
        return self

    def decision_function(self, X: Any) -> np.ndarray:
        """Return the scores (samples, classes); of two classes (samples,), above 0 the second."""
        scores = self._scores(X)
        return scores[:, 1] - scores[:, 0] if len(self.classes_) == 2 else scores

    def predict_proba(self, X: Any) -> np.ndarray:
        """Return the probabilities (samples, classes), in the order of ``classes_``."""
        x = self._checked(X)
        return np.asarray(self.model_.predict_proba(x))

    def predict(self, X: Any) -> np.ndarray:
        """Return the likeliest class of every row."""
        numbers = self._scores(X).argmax(axis=1)
        return np.asarray(self.classes_[numbers])

    def _scores(self, x: Any) -> np.ndarray:
        checked = self._checked(x)
        return np.asarray(self.model_.decision_function(checked))


def _weights(sample_weight: Any, x: np.ndarray) -> np.ndarray | None:
    """Return the weights of the rows, checked as scikit-learn does and as a data set does."""
    if sample_weight is None:
        return None
    checked: np.ndarray = _check_sample_weight(sample_weight, x, dtype=np.float64)
    read_sample_weight(checked, len(x))
    return checked


@on_cpu
def explore(estimator: Any, data: Any = None, **options: Any) -> "Explorer":
    """Show the ``KAN`` of a fitted estimator or pipeline as the live diagram.

    The inputs have the names that come out of the pipeline's steps. Where the steps before it only
    shift and scale each column, as ``StandardScaler`` does, they have the units of what goes into
    the pipeline; otherwise those in which the network meets them.

    Parameters
    ----------
    estimator : KANRegressor, KANClassifier or Pipeline
        Fitted; of a pipeline the last step is a KAN.
    data : (X, y), optional
        In the units of the diagram, for errors and for further training.
    **options
        As for ``KAN.explore``.

    Returns
    -------
    Explorer
        Of a copy: what is done in the diagram leaves the estimator as it is.

    Raises
    ------
    TypeError
        If there is no KAN in it.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> x = np.linspace(10, 20, 40).reshape(-1, 1)
    >>> pipeline = make_pipeline(StandardScaler(), KANRegressor(hidden=())).fit(x, np.sin(x[:, 0]))
    >>> diagram = explore(pipeline)
    >>> diagram.close()
    """
    return kan_of(estimator).explore(data, **options)


def kan_of(estimator: Any) -> KAN:
    """Return a copy of the ``KAN`` in an estimator or pipeline, as ``explore`` shows it.

    With the names and units that ``explore`` gives it, and the bands of its curves.
    """
    steps = estimator[:-1] if isinstance(estimator, Pipeline) else None
    last = estimator[-1] if isinstance(estimator, Pipeline) else estimator
    if not isinstance(last, _KANEstimator):
        raise TypeError(
            "estimator must be a KANRegressor, a KANClassifier or a pipeline that ends with one; "
            f"got {type(last).__name__}. Use model.explore() for a KAN."
        )
    check_is_fitted(last, "model_")
    session = last.model_.copy().session
    about = session.about
    if isinstance(last, KANClassifier):
        labels = tuple(str(label) for label in last.classes_)
        about = replace(about.named(outputs=labels), classes=labels)
    if steps is not None and len(steps):
        about = about.named(inputs=_names_after(steps, about))
        units = _units_before(steps, len(about.input_names))
        if units is not None:
            about = replace(about, x_scaling=about.x_scaling.after(units))
    start = "model = kanviz.sklearn.kan_of(pipeline)"
    return KAN(Session(session.network, about, start, session.doubt))


def _names_after(steps: Pipeline, about: About) -> Sequence[str]:
    """Return what the steps of a pipeline call the columns that come out of them, if they say."""
    try:
        names = [str(name) for name in steps.get_feature_names_out()]
    except (AttributeError, ValueError):
        return about.input_names
    return names if len(names) == len(about.input_names) else about.input_names


def _units_before(steps: Pipeline, columns: int) -> Scaling | None:
    """Return the shift and scale that the steps of a pipeline amount to, or None.

    They are asked: rows of 0 and 1 go back through them, and some at random tell whether it was no
    more than a straight line per column.
    """
    drawn = np.random.default_rng(0).normal(size=(5, columns))
    try:
        back = np.asarray(
            steps.inverse_transform(np.vstack([np.zeros(columns), np.ones(columns), drawn])),
            dtype=np.float64,
        )
    except (AttributeError, TypeError, ValueError):
        return None
    if back.shape != (7, columns):
        return None
    shift, scale = back[0], back[1] - back[0]
    if not np.allclose(back[2:], shift + scale * drawn) or not (scale > 0).all():
        return None
    return Scaling(torch.from_numpy(shift), torch.from_numpy(scale))
