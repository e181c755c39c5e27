"""Describe an image."""

from __future__ import annotations

from dataclasses import dataclass

from inference.limits import Limits
from inference.tasks.checks import check_upload
from inference.tasks.request import Request
from inference.tasks.task import Task
from inference.types import Output
from inference.types.errors import EMPTY_PHRASE, InvalidRequest, Phrase


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptionRequest(Request):
    """Describe an image, given as the bytes of an image file."""

    task = "caption"
    inputs = ("image",)

    image: bytes = b""

    @property
    def short(self) -> bool:
        return True

    def check_inputs(self, limits: Limits) -> None:
        if not self.image:
            raise InvalidRequest(
                "This file is not a picture that the bot can read. Send a PNG, JPEG, WebP, AVIF, GIF, BMP or TIFF file."
            )
        check_upload(self.image, limits)

    def given_pictures(self) -> tuple[bytes, ...]:
        return (self.image,) if self.image else ()

    def decode_inputs(self, limits: Limits) -> None:
        from inference.images.decoding import check_picture

        check_picture(self.image, limits.upload_megapixels)


@dataclass(frozen=True, slots=True)
class Caption(Output):
    """A description of an image, in one sentence. `note` is for the user: it says that a small model is guessing."""

    text: str
    note: Phrase = EMPTY_PHRASE

    def written_texts(self) -> tuple[str, ...]:
        return (self.text,)


TASK = Task(name="caption", summary="describe a picture", requests=(CaptionRequest,), output=Caption)
