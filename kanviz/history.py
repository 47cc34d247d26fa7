"""What was done to a network, step by step, and the way back: undo and redo give the exact bytes.

Before each step the state is remembered. States share the tensors in which they do not differ, so a
removed edge costs one mask, and a training run one copy of the weights.
"""

import zlib
from collections.abc import Sequence
from typing import NamedTuple

from torch import Tensor

from kanviz.data.about import About
from kanviz.edits.edit import Edit, Result_co
from kanviz.nn.network import Network
from kanviz.nn.state import NetworkState

MAX_STEPS = 1000
"""Steps that can be undone; of older ones only the sentence and the line of code are kept."""

MAX_BYTES = 2**28
"""Bytes that all remembered states may take together: 256 MiB. One step is always kept."""


class Moment(NamedTuple):
    """A model between two steps: its network, and what it knows of its data."""

    state: NetworkState
    about: About


class Step(NamedTuple):
    """One step as it reads, and the moment on its other side; None once that is forgotten.

    For a step that is done the other side is the moment before it; for one undone, that after it.
    """

    sentence: str
    code: str
    moment: Moment | None


OUTSIDE = (
    "changed parameters outside kanviz",
    "# here parameters were changed outside kanviz, as by a training loop of your own",
)


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
    """

    def __init__(self, network: Network, about: About, start: str) -> None:
        self._start = start
        self._now = Moment(NetworkState.capture(network), about)
        self._done: list[Step] = []
        self._undone: list[Step] = []
        self._names: dict[tuple[str, int], str] = {}

    @property
    def about(self) -> About:
        """What is known of the data now."""
        return self._now.about

    def do(
        self, network: Network, edit: Edit[Result_co], *, about: About | None = None
    ) -> Result_co:
        """Apply an edit and remember it; if it raises, the network is as it was, to the last bit.

        ``about`` takes the place of what is known of the data, where the edit brings news of it.
        """
        self._notice(network)
        try:
            result = edit.apply_to(network)
        except BaseException:
            self._now.state.restore(network)
            raise
        self._add(network, edit.sentence(), edit.code(), about or self._now.about)
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

    def sentences(self) -> list[str]:
        """Return what was done and not undone, oldest first."""
        return [step.sentence for step in self._done]

    def script(self) -> str:
        """Return the same as Python that makes the model from its start.

        Data are not part of it: they appear by name (``data``, ``x``; other data ``data_2`` ...),
        as does an option that has no literal, such as a loss function of the user's own.
        """
        lines = [self._start, *(step.code for step in self._done)]
        has_torch = any("torch." in line for line in lines if not line.startswith("#"))
        imports = ["import torch", ""] if has_torch else []
        return "\n".join([*imports, "import kanviz as kv", "", *lines]) + "\n"

    def name_of(self, stem: str, tensors: Sequence[Tensor]) -> str:
        """Return what the script calls these data: ``stem``, or ``stem_2`` for the second such."""
        mark = 0
        for tensor in tensors:
            mark = zlib.crc32(tensor.detach().cpu().contiguous().numpy().tobytes(), mark)
        count = sum(known == stem for known, _ in self._names)
        name = stem if count == 0 else f"{stem}_{count + 1}"
        return self._names.setdefault((stem, mark), name)

    def __deepcopy__(self, memo: dict[int, object]) -> "History":
        """Return a history that goes its own way; states never change, so both share them."""
        twin = History.__new__(History)
        twin._start, twin._now = self._start, self._now
        twin._done, twin._undone = list(self._done), list(self._undone)
        twin._names = dict(self._names)
        return twin

    def _move(self, network: Network, source: list[Step], target: list[Step], verb: str) -> str:
        """Take the last step of ``source`` to the other side."""
        step = source[-1] if source else None
        if step is None or step.moment is None:
            found = "none" if step is None else f"one that is too long ago, {step.sentence!r}"
            raise IndexError(
                f"history must hold a step to {verb}; got {found}. See model.history for the steps."
            )
        source.pop()
        target.append(step._replace(moment=self._now))
        step.moment.state.restore(network)
        self._now = step.moment
        return step.sentence

    def _notice(self, network: Network) -> None:
        """Make a step of changes that no edit made."""
        if not self._now.state.is_of(network):
            self._add(network, *OUTSIDE, self._now.about)

    def _add(self, network: Network, sentence: str, code: str, about: About) -> None:
        self._done.append(Step(sentence, code, self._now))
        self._now = Moment(NetworkState.capture(network, like=self._now.state), about)
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
        moments = [step.moment for step in self._done if step.moment is not None]
        tensors = {id(tensor): tensor for state, _ in moments for tensor in state.tensors()}
        tensors |= {
            id(about.sample): about.sample for _, about in moments if about.sample is not None
        }
        return sum(tensor.nbytes for tensor in tensors.values())
