"""Describe an image."""

from __future__ import annotations

from dataclasses import dataclass

from inference.tasks.picture_request import PictureRequest
from inference.tasks.task import Task
from inference.types import Output
from inference.types.errors import EMPTY_PHRASE, Phrase


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptionRequest(PictureRequest):
    """Describe an image, given as the bytes of an image file."""

    task = "caption"

    @property
    def short(self) -> bool:
        return True


@dataclass(frozen=True, slots=True)
class Caption(Output):
    """A description of an image, in one sentence. `note` is for the user: it says that a small model is guessing."""

    text: str
    note: Phrase = EMPTY_PHRASE

    def written_texts(self) -> tuple[str, ...]:
        return (self.text,)


TASK = Task(name="caption", summary="describe a picture", requests=(CaptionRequest,), output=Caption)
