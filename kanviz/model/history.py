"""What was done to a network, step by step, and the way back: undo and redo give the exact bytes.

Before each step the state is remembered. States share the tensors in which they do not differ, so a
removed edge costs one mask, and a training run one copy of the weights.
"""

import copy
import logging
import zlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Generic, NamedTuple, TypeVar

import torch
from torch import Tensor

from kanviz.data.dataset import About
from kanviz.edits.curves import MovePoint
from kanviz.edits.edit import Edit, Result_co
from kanviz.edits.functions import Became
from kanviz.nn.network import Network
from kanviz.nn.state import NetworkState
from kanviz.training.doubt import Doubt

logger = logging.getLogger(__name__)

MAX_STEPS = 1000
"""Steps that can be undone; of older ones only the sentence and the line of code are kept."""

MAX_BYTES = 2**28
"""Bytes that all remembered states may take together: 256 MiB. One step is always kept."""


News = TypeVar("News")


class Watchers(Generic[News]):
    """Callbacks that are called in order; what they raise is logged and stops nobody.

    Threads may share it.

    Parameters
    ----------
    failure : str
        What is logged, with the news, where one of them raises.
    """

    def __init__(self, failure: str = "A watcher failed after this change") -> None:
        self._failure = failure
        self._callbacks: dict[object, Callable[[News], object]] = {}

    def __bool__(self) -> bool:
        """Return whether anybody listens."""
        return bool(self._callbacks)

    def add(self, callback: Callable[[News], object]) -> Callable[[], None]:
        """Call ``callback(news)`` from now on; return the function that ends this."""
        key = object()
        self._callbacks[key] = callback
        return lambda: self._callbacks.pop(key, None) and None

    def tell(self, news: News) -> None:
        """Tell everybody, in the order in which they came."""
        interrupt = None
        for callback in tuple(self._callbacks.values()):
            try:
                callback(news)
            except KeyboardInterrupt as error:  # meant for whoever waits; the others hear first
                interrupt = error
            except BaseException:  # also SystemExit: a callback ends neither a fit nor a diagram
                logger.exception("%s: %s", self._failure, news)
        if interrupt is not None:
            raise interrupt


class Moment(NamedTuple):
    """A model between two steps: its network, and what it knows of its data.

    ``doubt`` is of the last fit that told of it: it knows itself of which curves it still holds.
    """

    state: NetworkState
    about: About
    doubt: Doubt | None = None


class Step(NamedTuple):
    """One step as it reads, and the moment on its other side; None once that is forgotten.

    For a step that is done the other side is the moment before it; for one undone, that after it.
    ``burst`` is what its parts have in common, where it was made of several; see ``History.do``.
    """

    sentence: str
    code: str
    moment: Moment | None
    burst: object = None


class Bookmark(NamedTuple):
    """A whole history at one time, to return to; see ``History.bookmark``."""

    now: Moment
    done: tuple[Step, ...]
    undone: tuple[Step, ...]


OUTSIDE = (
    "changed parameters outside kanviz",
    "# here parameters were changed outside kanviz, as by a training loop of your own",
)


LOADED = "loaded units"
"""Burst of a step in which a state dict brought other units; its weights come after them."""


class History:
    """The steps of one model, done and undone, and what it knows of its data at each.

    Parameters that were changed without an edit, as by a training loop of the user's own, are found
    at the next call and become a step of their own, so nothing is lost and undo always has an exact
    meaning.

    Parameters
    ----------
    network : Network
        Is read for its present state; each later call must pass the same network.
    about : About
        What is known of the data now.
    start : str
        Python that makes a ``KAN`` named ``model`` as it is now.
    doubt : Doubt, optional
        What the data that it was fitted to leave open.
    """

    def __init__(
        self, network: Network, about: About, start: str, doubt: Doubt | None = None
    ) -> None:
        self._start = start
        self.now = Moment(NetworkState.capture(network), about, doubt)
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._names: dict[tuple[str, int], str] = {}
        self._last_move: MovePoint | None = None
        self.version = 0
        """Grows with each step that is done or undone."""

    @property
    def burst(self) -> object:
        """What the parts of the last step have in common; None for a step of its own."""
        return self._done[-1].burst if self._done else None

    @property
    def position(self) -> int:
        """How many steps are done and not undone."""
        return len(self._done)

    @property
    def about(self) -> About:
        """What is known of the data now."""
        return self.now.about

    def do(
        self,
        network: Network,
        edit: Edit[Result_co],
        *,
        about: About | None = None,
        burst: object = None,
    ) -> Result_co:
        """Apply an edit and remember it; if it raises, the network is as it was, to the last bit.

        Parameters
        ----------
        network : Network
            Is changed.
        edit : Edit
            What to do.
        about : About, optional
            Takes the place of what is known of the data, where the edit brings news of it.
        burst : object, optional
            Edits in a row of the same burst, such as one drag of the mouse, become one step: it
            reads like the last of them, and one undo takes all back.

        Raises
        ------
        ValueError
            If it would leave a number that is not finite, or knots that do not increase.
        """
        self._notice(network)
        try:
            result = edit.apply_to(network)
            self._check_numbers(network, edit)
        except torch.linalg.LinAlgError as error:  # type: ignore[attr-defined]
            self.now.state.restore(network)
            raise ValueError(
                "The equations of this have no solution in the numbers of the computer: points are "
                "too close to each other, or too far from the grid. Nothing was changed."
            ) from error
        except BaseException:
            self.now.state.restore(network)
            raise
        step = Step(edit.sentence(), edit.code(), self.now, burst)
        doubt = edit.doubt if isinstance(edit, Became) else self.now.doubt
        self._add(network, self._joined(step, edit), about or self.now.about, doubt, edit.layers)
        self._last_move = edit if isinstance(edit, MovePoint) else None
        return result

    def undo(self, network: Network) -> str:
        """Go back one step and return its sentence.

        Raises
        ------
        IndexError
            If no step is left, or the state before it is forgotten.
        """
        self._notice(network)
        return self._move(network, self._done, self._undone, "undo")

    def redo(self, network: Network) -> str:
        """Do again the step that was undone last, and return its sentence.

        Raises
        ------
        IndexError
            If none is left; any new step clears them.
        """
        self._notice(network)
        return self._move(network, self._undone, self._done, "redo")

    def jump(self, network: Network, position: int) -> None:
        """Undo or redo until ``position`` steps are done; IndexError, and no change, if it cannot.

        With 0 all is undone.
        """
        self._notice(network)
        before = self.bookmark()
        if not 0 <= position <= len(self._done) + len(self._undone):
            raise IndexError(
                f"position must be from 0 to {len(self._done) + len(self._undone)}, the steps of "
                f"the history; got {position}. See model.steps."
            )
        try:
            while len(self._done) > position:
                self.undo(network)
            while len(self._done) < position:
                self.redo(network)
        except IndexError:
            self.return_to(network, before)
            raise

    def sentences(self) -> list[str]:
        """Return what was done and not undone, oldest first."""
        return [step.sentence for step in tuple(self._done)]  # another thread may be adding

    def undone_sentences(self) -> list[str]:
        """Return what could be done again, next first."""
        return [step.sentence for step in reversed(tuple(self._undone))]

    def script(self) -> str:
        """Return the same as Python that makes the model from its start.

        Data are not part of it: they appear by name (``data``, ``x``; other data ``data_2`` ...),
        as does an option that has no literal, such as a loss function of the user's own.
        """
        codes = (step.code for step in tuple(self._done))
        lines = [line for code in (self._start, *codes) for line in code.split("\n")]
        has_torch = any("torch." in line for line in lines if not line.startswith("#"))
        imports = ["import torch", ""] if has_torch else []
        return "\n".join([*imports, "import kanviz as kv", "", *lines]) + "\n"

    def name_of(self, stem: str, tensors: Sequence[Tensor]) -> str:
        """Return what the script calls these data: ``stem``, or ``stem_2`` for the second such."""
        mark = 0
        for tensor in tensors:
            plain = tensor.detach().cpu().contiguous().flatten()  # numpy has not every dtype
            mark = zlib.crc32(plain.view(torch.uint8).numpy().data, mark)
        count = sum(known == stem for known, _ in self._names)
        name = stem if count == 0 else f"{stem}_{count + 1}"
        return self._names.setdefault((stem, mark), name)

    def take_units(self, network: Network, about: About) -> None:
        """Take over other units, as a state dict brings them: a change that no edit made.

        The weights that it brings after them are part of the same step, so undo gives back both.
        """
        mine = self.about
        pairs = (mine.x_scaling, about.x_scaling), (mine.y_scaling, about.y_scaling)
        if not all(one.is_as(other) for one, other in pairs):
            self._notice(network)
            self._add(network, Step(*OUTSIDE, self.now, LOADED), about, None)

    def bookmark(self) -> Bookmark:
        """Return what ``return_to`` needs to make all that is done from now on never have been."""
        return Bookmark(self.now, tuple(self._done), tuple(self._undone))

    def return_to(self, network: Network, bookmark: Bookmark) -> None:
        """Bring network and history back to how they were, to the last bit."""
        self.now, self._last_move = bookmark.now, None
        self._done, self._undone = list(bookmark.done), list(bookmark.undone)
        self.now.state.restore(network)

    def __deepcopy__(self, memo: dict[int, object]) -> "History":
        """Return a history that goes its own way; states never change, so both share them."""
        twin = copy.copy(self)
        twin._done, twin._undone = list(self._done), list(self._undone)
        twin._names = dict(self._names)
        return twin

    def _move(self, network: Network, source: list[Step], target: list[Step], verb: str) -> str:
        """Take the last step of ``source`` to the other side."""
        step = source[-1] if source else None
        if step is None or step.moment is None:
            if step is None:
                raise IndexError(f"Nothing to {verb}.")
            raise IndexError(
                f"The state before {step.sentence!r} is no longer kept: it is too many steps ago."
            )
        if any(tensor.is_meta for tensor in step.moment.state.tensors()):
            raise IndexError(
                f"The state before {step.sentence!r} was on the meta device, which holds no "
                f"numbers: there is nothing to {verb}."
            )
        source.pop()
        target.append(step._replace(moment=self.now))
        step.moment.state.restore(network)
        self.now, self._last_move = step.moment, None
        self.version += 1
        return step.sentence

    def _notice(self, network: Network) -> None:
        """Make a step of changes that no edit made."""
        if not self.now.state.is_of(network):
            before = self._done.pop().moment if self.burst == LOADED else self.now
            self._add(network, Step(*OUTSIDE, before), self.now.about, self.now.doubt)

    def _check_numbers(self, network: Network, edit: Edit[object]) -> None:
        """Raise if an edit has left numbers that are none, where all were right before."""
        layers = range(len(network.layers)) if edit.layers is None else edit.layers
        for depth in layers:
            before, now = self.now.state.layers[depth], network.layers[depth].state()
            dtype = now.weight.dtype
            if not now.is_finite and before.is_finite:
                raise ValueError(
                    f"This would leave numbers that are not finite in layer {depth}: they are too "
                    f"large for {dtype}. Nothing was changed. Take smaller ones."
                )
            if not now.has_grid and before.has_grid:
                raise ValueError(
                    f"The knots of layer {depth} would fall onto each other, because the data lie "
                    f"too close together for their distance from 0 in {dtype}. Nothing was "
                    "changed. Take the offset off the data, or use dtype=torch.float64."
                )

    def _joined(self, step: Step, edit: Edit[object]) -> Step:
        """Take the last step away and return it joined with the next, if both are of one burst."""
        if step.burst is None or step.burst != self.burst:
            return step
        before = self._done.pop()
        lines = before.code.split("\n")
        kept = lines[:-1] if _replaces(edit, self._last_move) else lines
        return step._replace(code="\n".join([*kept, step.code]), moment=before.moment)

    def _add(
        self,
        network: Network,
        step: Step,
        about: About,
        doubt: Doubt | None,
        layers: Sequence[int] | None = None,
    ) -> None:
        """Add a step that changed these layers, or, with None, any of them."""
        self._done.append(step)
        self.version += 1
        state = NetworkState.capture(network, like=self.now.state, changed=layers)
        self.now = Moment(state, about, doubt)
        self._undone.clear()
        self._forget()

    def _forget(self) -> None:
        """Drop the oldest moments while there are too many; the last one stays."""
        oldest = next(n for n, step in enumerate(self._done) if step.moment is not None)
        while oldest < len(self._done) - 1 and (
            len(self._done) - oldest > MAX_STEPS or self._n_bytes() > MAX_BYTES
        ):
            self._done[oldest] = self._done[oldest]._replace(moment=None)
            oldest += 1

    def _n_bytes(self) -> int:
        """Return what the remembered moments take, each shared tensor once."""
        sizes: dict[int, int] = {}
        for step in self._done:
            if step.moment is None:
                continue
            state, about, doubt = step.moment
            for tensor in state.tensors():
                sizes[id(tensor)] = tensor.nbytes
            if about.sample is not None:
                sizes[id(about.sample)] = about.sample.nbytes
            for tensor in () if doubt is None else doubt.tensors():
                sizes[id(tensor)] = tensor.nbytes
        return sum(sizes.values())


def _replaces(edit: Edit[object], before: MovePoint | None) -> bool:
    """Return whether an edit alone does what the two do: the same point moved once more."""
    if before is None or not isinstance(edit, MovePoint):
        return False
    return replace(before, height=edit.height) == edit
