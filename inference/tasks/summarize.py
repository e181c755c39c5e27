"""Shorten a text."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from typing import Literal

from inference.config.limits import Limits
from inference.tasks.checks import check_text
from inference.tasks.request import WRITING, Request
from inference.tasks.task import Task
from inference.types import Output
from inference.types.errors import Phrase

Length = Literal["short", "medium", "long", "bullets"]
LENGTHS: tuple[Length, ...] = ("short", "medium", "long", "bullets")


@dataclass(frozen=True, kw_only=True, slots=True)
class SummarizeRequest(Request):
    """Shorten `text`, of any length.

    `boundaries` are places in `text` where something new begins, such as another speaker's words: parts end there
    rather than elsewhere.
    """

    task = "summarize"
    inputs = ("text",)

    text: str = ""
    length: Length = "medium"
    boundaries: tuple[int, ...] = ()

    @property
    def batch_key(self) -> Hashable:
        return WRITING

    @property
    def work(self) -> float:
        return 1.0 + len(self.text) / 4000

    def check_inputs(self, limits: Limits) -> None:
        check_text(Phrase("text"), self.text, limits.text_characters)


@dataclass(frozen=True, slots=True)
class Section:
    """What a summary says of `text[start:end]` of the whole text, in `summary`."""

    summary: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Summary(Output):
    """`parts` is how many pieces the text was read in; `sections` what each stretch of the text says, in its order."""

    text: str
    parts: int
    sections: tuple[Section, ...] = ()


TASK = Task(
    name="summarize",
    summary="shorten a text of any length",
    requests=(SummarizeRequest,),
    output=Summary,
    parts=(Section,),
)
