"""A question that is answered only to those who have committed to a guess."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from kanviz.course.teaching.widget import TeachingWidget
from kanviz.layout import labels

CLOSE = 1.25
"""A guess within this factor is close."""

Measured = float | str | Callable[[], Any] | None
"""What was measured, or a function that gives it when it is asked for."""


class Prediction(TeachingWidget):
    """What ``predict`` returns."""

    def __init__(
        self, question: str, answer: Measured, unit: str, choices: Sequence[str], *, theme: str
    ) -> None:
        self._answer = answer
        state = {
            "question": labels.plain(question),
            "unit": labels.plain(unit),
            "choices": [labels.plain(choice) for choice in choices],
            "guess": None,
            "answer": None,
        }
        super().__init__("prediction", state, title=question, alt=question, theme=theme)

    @property
    def guess(self) -> float | str | None:
        """What was committed, None before."""
        guess: float | str | None = self.state["guess"]
        return guess

    def commit(self, guess: float | str) -> "Prediction":
        """Commit to a guess and open the answer, as the button does; the first guess counts.

        Where nothing was measured yet the answer opens with a later call.

        Raises
        ------
        ValueError
            If it is not one of the choices, or no finite number where a number is asked for.
        """
        kept = self._checked(guess) if self.guess is None else self.guess
        self._update(guess=kept, answer=self._measured())
        return self

    @property
    def said(self) -> str:
        """The question, and once a guess is committed, the guess beside the measurement."""
        question, guess, answer = (self.state[name] for name in ("question", "guess", "answer"))
        if guess is None:
            among = f" ({', '.join(self.state['choices'])})" if self.state["choices"] else ""
            return f"{question}{among}\nCommit with .commit(your guess); then the answer opens."
        unit = f" {self.state['unit']}" if self.state["unit"] else ""
        seen = "not measured yet" if answer is None else f"{_text(answer)}{unit}"
        beside = compared(guess, answer)
        return (
            f"{question}\nyour guess: {_text(guess)}{unit}\nmeasured:   {seen}"
            f"{f' ({beside})' if beside else ''}"
        )

    def __repr__(self) -> str:
        """Return what is said, for where no widget can be shown."""
        return self.said

    def _page_state(self) -> dict[str, Any]:
        return {**self.state, "sealed": self._measured()}

    def _measured(self) -> float | str | None:
        try:
            found = self._answer() if callable(self._answer) else self._answer
        except (NameError, LookupError):  # of a cell that has not run yet
            return None
        if found is None or isinstance(found, str):
            return found
        return float(np.asarray(found, dtype=np.float64).item())

    def _checked(self, guess: Any) -> float | str:
        choices = self.state["choices"]
        if choices:
            if guess not in choices:
                raise ValueError(f"guess must be one of {choices}; got {guess!r}.")
            return str(guess)
        try:
            number = float(guess)
        except (TypeError, ValueError):
            number = np.nan
        if not np.isfinite(number):
            raise ValueError(f"guess must be a finite number; got {guess!r}.")
        return number

    def _accept(self, change: Mapping[str, Any]) -> dict[str, Any]:
        if self.guess is None and change.get("guess") is None:
            return {}
        kept = self._checked(change["guess"]) if self.guess is None else self.guess
        return {"guess": kept, "answer": self._measured()}

    def _repr_mimebundle_(self, **options: Any) -> Any:
        found = super()._repr_mimebundle_(**options)
        if found is None:
            return None
        data, details = found
        return {**data, "text/plain": self.said}, details


def compared(guess: float | str, answer: float | str | None) -> str:
    """Say how a guess stands to what was measured.

    Examples
    --------
    >>> compared(0.1, 0.002), compared(4.0, 5.0), compared("sine", "sine")
    ('50 times too large', 'close', 'right')
    """
    if answer is None:
        return ""
    if isinstance(guess, str) or isinstance(answer, str):
        return "right" if guess == answer else "not so"
    if guess == answer:
        return "right"
    if guess * answer <= 0:
        return f"off by {_text(abs(guess - answer))}"
    ratio = guess / answer
    far = max(ratio, 1 / ratio)
    if far <= CLOSE:
        return "close"
    return f"{far:.2g} times too {'large' if ratio > 1 else 'small'}".replace("e+0", "e").replace(
        "e+", "e"
    )


def _text(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.3g}"


def predict(
    question: str,
    answer: Measured = None,
    *,
    unit: str = "",
    choices: Sequence[str] = (),
    theme: str = "auto",
) -> Prediction:
    """Ask a question; the answer stays closed until a guess is committed, then stands beside it.

    Parameters
    ----------
    question : str
        What to predict.
    answer : number, str or function, optional
        What was measured, or a function without arguments that gives it once it is asked for: the
        measurement may come in a later cell, and a name that is not there yet is no error.
    unit : str
        Of both.
    choices : sequence of str
        What can be chosen, where the answer is a word; without, a number is asked for.
    theme : str
        ``"auto"`` (as the notebook), ``"light"`` or ``"dark"``.

    Returns
    -------
    Prediction
        Shows itself where a cell ends with it; ``commit(guess)`` in Python does what its button
        does, ``guess`` is what was committed, ``to_html(path)`` a page without a kernel. Where no
        widget can be shown, the same in plain text.

    Raises
    ------
    ValueError
        If the answer is not one of the choices, or there is no such theme.

    Examples
    --------
    >>> asked = predict("How large is the error?", answer=0.002)
    >>> asked.commit(0.1)
    How large is the error?
    your guess: 0.1
    measured:   0.002 (50 times too large)
    """
    if isinstance(answer, str) and answer not in choices:
        raise ValueError(
            f"answer must be one of choices={list(choices)}; got {answer!r}. Let it be chosen."
        )
    return Prediction(question, answer, unit, choices, theme=theme)
