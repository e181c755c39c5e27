"""The base class of requests about one picture."""

from __future__ import annotations

from dataclasses import dataclass

from inference.limits import Limits
from inference.tasks.checks import check_upload
from inference.tasks.request import Request
from inference.types.errors import InvalidRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class PictureRequest(Request):
    """A request about one image, given as the bytes of an image file."""

    inputs = ("image",)

    image: bytes = b""

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
