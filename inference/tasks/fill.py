"""Fill the blanks of a text."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass

from inference.limits import Limits, SafetySection
from inference.tasks.checks import check_text, check_within
from inference.tasks.request import Request
from inference.tasks.task import Task
from inference.types import Output
from inference.types.errors import InvalidRequest, Phrase

_BLANK = re.compile(r"\[mask\]|<mask>|_{3,}", re.IGNORECASE)


def has_blank(text: str) -> bool:
    """Return whether the text has a blank: `[MASK]` or `<mask>` in any case, or at least three underscores."""
    return _BLANK.search(text) is not None


def split_at_blanks(text: str) -> list[str]:
    """Return the text before, between and after the blanks, unchanged: one piece more than there are blanks."""
    return _BLANK.split(text)


@dataclass(frozen=True, kw_only=True, slots=True)
class FillRequest(Request):
    """Fill each `[MASK]` or `___` in `text`: `top_k` predictions per blank, and as many for all blanks together."""

    task = "fill"

    text: str
    top_k: int = 5

    @property
    def short(self) -> bool:
        return True

    def check_options(self, limits: Limits, safety: SafetySection, given: Set[str]) -> None:
        check_text(Phrase("text"), self.text, limits.prompt_characters)
        if not has_blank(self.text):
            raise InvalidRequest("There is no blank to fill. Write [MASK] or ___ where a word is missing.")
        check_within(Phrase("number of words a blank"), self.top_k, 1, 100)

    def typed_texts(self) -> tuple[str, ...]:
        return (self.text,)


@dataclass(frozen=True, slots=True)
class Prediction:
    """One word for one blank. `score` is its probability, `text` the whole text with the word."""

    word: str
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class JointPrediction:
    """One word for every blank, chosen together. `score` is their probability, `text` the whole text with them."""

    words: tuple[str, ...]
    score: float
    text: str


@dataclass(frozen=True, slots=True)
class FillMaskResult(Output):
    """Predictions for each blank, and `joint` ones for all, best first. `text` is the text with the best ones."""

    blanks: tuple[tuple[Prediction, ...], ...]
    text: str
    joint: tuple[JointPrediction, ...] = ()

    def written_texts(self) -> tuple[str, ...]:
        predictions = [prediction for blank in self.blanks for prediction in blank]
        return tuple(dict.fromkeys([self.text, *(each.text for each in [*predictions, *self.joint])]))


TASK = Task(
    name="fill",
    summary="fill each [MASK] or ___ in a text",
    requests=(FillRequest,),
    output=FillMaskResult,
    parts=(
        Prediction,
        JointPrediction,
    ),
)
