"""Rate whether texts sound positive or negative."""

from __future__ import annotations

from dataclasses import dataclass

from inference.limits import Limits
from inference.tasks.checks import check_text
from inference.tasks.request import MAX_SHORT_WORK, Request, TextSource
from inference.tasks.task import Task
from inference.types import Output
from inference.types.errors import InvalidRequest, Phrase


@dataclass(frozen=True, kw_only=True, slots=True)
class SentimentRequest(Request):
    """Rate each of `texts`: does it sound positive or negative?"""

    task = "mood"
    inputs = ("texts", "text_source")

    texts: tuple[str, ...] = ()
    text_source: TextSource = "typed"

    @property
    def work(self) -> float:
        return sum(1.0 + len(text) / 1500 for text in self.texts)

    @property
    def short(self) -> bool:
        return self.work <= MAX_SHORT_WORK

    def check_inputs(self, limits: Limits) -> None:
        if not 1 <= len(self.texts) <= limits.messages:
            raise InvalidRequest(
                "Give 1 to {most:,} texts, not {count:,}.", most=limits.messages, count=len(self.texts)
            )
        for text in self.texts:
            check_text(Phrase("text"), text, limits.prompt_characters)

    def typed_texts(self) -> tuple[str, ...]:
        return self.texts if self.text_source == "typed" else ()

    def given_texts(self) -> tuple[str, ...]:
        return () if self.text_source == "channel" else self.texts


@dataclass(frozen=True, slots=True)
class Mood:
    """`label` is the model's label in lower case, and `score` its probability.

    `valence` is the rating from -1 (negative) to 1 (positive): the mean of the labels' valences, weighted by their
    probabilities. It is None if the model's labels are no such scale (see `inference.text.sentiment_scale`).
    """

    label: str
    score: float
    valence: float | None = None


@dataclass(frozen=True, slots=True)
class SentimentResult(Output):
    """One mood for each text, in their order."""

    moods: tuple[Mood, ...]


TASK = Task(
    name="mood",
    summary="tell whether texts sound positive or negative",
    requests=(SentimentRequest,),
    output=SentimentResult,
    parts=(Mood,),
)
