"""Shorten a text."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from inference.limits import Limits
from inference.tasks.checks import check_text
from inference.tasks.request import GENERATION_BATCH_KEY, Request, TextSource
from inference.tasks.task import Task
from inference.types import Output
from inference.types.errors import Phrase

Length = Literal["short", "medium", "long", "bullets"]
LENGTHS: tuple[Length, ...] = ("short", "medium", "long", "bullets")


@dataclass(frozen=True, kw_only=True, slots=True)
class SummarizeRequest(Request):
    """Shorten `text`, of any length.

    `boundaries` are positions in `text` where something new begins, such as the words of another speaker. The text is
    preferably split there.
    """

    task = "summarize"
    inputs = ("text", "boundaries", "text_source")

    text: str = ""
    length: Length = "medium"
    boundaries: tuple[int, ...] = ()
    text_source: TextSource = "typed"

    @property
    def batch_key(self) -> Hashable:
        return GENERATION_BATCH_KEY

    @property
    def work(self) -> float:
        return 1.0 + len(self.text) / 4000

    def check_inputs(self, limits: Limits) -> None:
        check_text(Phrase("text"), self.text, limits.text_characters)

    def typed_texts(self) -> tuple[str, ...]:
        return (self.text,) if self.text_source == "typed" else ()

    def given_texts(self) -> tuple[str, ...]:
        return () if self.text_source == "channel" else (self.text,)


@dataclass(frozen=True, slots=True)
class Section:
    """The `summary` of `text[start:end]` of the whole text."""

    summary: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Summary(Output):
    """`parts` is the number of parts that the text was read in. `sections` are summaries of its sections, in order.

    `unsupported_figures` are numbers of the summary and its sections that are not in the text.
    """

    text: str
    parts: int
    sections: tuple[Section, ...] = ()
    unsupported_figures: tuple[str, ...] = ()

    def written_texts(self) -> tuple[str, ...]:
        return (self.text, *(section.summary for section in self.sections))


TASK = Task(
    name="summarize",
    summary="shorten a text of any length",
    requests=(SummarizeRequest,),
    output=Summary,
    parts=(Section,),
)
