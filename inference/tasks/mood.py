"""Tell whether texts sound positive or negative."""

from __future__ import annotations

from dataclasses import dataclass

from inference.config.limits import Limits
from inference.tasks.checks import check_text
from inference.tasks.request import MOST_SHORT_WORK, Request
from inference.tasks.task import Task
from inference.types import Output
from inference.types.errors import InvalidRequest, Phrase


@dataclass(frozen=True, kw_only=True, slots=True)
class SentimentRequest(Request):
    """Tell for each of `texts` whether it sounds positive or negative."""

    task = "mood"
    inputs = ("texts",)

    texts: tuple[str, ...] = ()

    @property
    def work(self) -> float:
        return sum(1.0 + len(text) / 1500 for text in self.texts)

    @property
    def short(self) -> bool:
        return self.work <= MOST_SHORT_WORK

    def check_inputs(self, limits: Limits) -> None:
        if not 1 <= len(self.texts) <= limits.messages:
            raise InvalidRequest(
                "Give 1 to {most:,} texts, not {count:,}.", most=limits.messages, count=len(self.texts)
            )
        for text in self.texts:
            check_text(Phrase("text"), text, limits.prompt_characters)


@dataclass(frozen=True, slots=True)
class Mood:
    """`label` as the model names it, in lower case; `score` is its probability.

    `valence` tells how pleasant the text sounds, from -1 to 1: the mean of all labels' by their probabilities. It is
    None with a model whose labels are no scale from negative to positive (see `inference.text.sentiment_scale`).
    """

    label: str
    score: float
    valence: float | None = None


@dataclass(frozen=True, slots=True)
class SentimentResult(Output):
    """One for each text, in their order."""

    moods: tuple[Mood, ...]


TASK = Task(
    name="mood",
    summary="tell whether texts sound positive or negative",
    requests=(SentimentRequest,),
    output=SentimentResult,
    parts=(Mood,),
)
