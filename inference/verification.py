"""Where a picture is from: signing of drawn pictures, and reading of what a picture says of itself."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from functools import cached_property

from inference.config.origin import OriginSection
from inference.images.content_credentials import (
    Credentials,
    PictureSigner,
    SigningProblem,
    is_available,
    read_credentials,
)
from inference.images.xmp import SourceType, source_type_in, source_type_uri
from inference.tasks import ImageResult, ImagineRequest, Request, UpscaledImage, UpscaleRequest, infotext
from inference.types.errors import InvalidRequest

log = logging.getLogger(__name__)

_DRAWN: SourceType = "trainedAlgorithmicMedia"


@dataclass(frozen=True, slots=True)
class OriginReport:
    """What a picture says of its origin. Only a signature can't be put there by anybody else.

    `mark` is the logarithm to base 10 of the probability that a picture without the mark in its pixels looks as much
    like one with it; None if the picture is too small for the mark. `source_type` is a name of the IPTC in its file,
    and `parameters` says whether there are parameters of a drawing. `credentials` is its C2PA signature, if signatures
    are read here (`reads_signatures`) and it has one.
    """

    mark: float | None
    source_type: str = ""
    parameters: bool = False
    reads_signatures: bool = False
    credentials: Credentials | None = None


class Origin:
    """Signs pictures and reads their origin, by the operator's settings. Takes time: call it on a thread."""

    def __init__(self, section: OriginSection) -> None:
        self._section = section

    @cached_property
    def _signer(self) -> PictureSigner | None:
        """What signs; None if nothing does. Raise SigningProblem."""
        if self._section.certificate is None or self._section.key is None:
            return None
        return PictureSigner(self._section.certificate, self._section.key)

    @property
    def signs(self) -> bool:
        """Whether the operator wants pictures to be signed."""
        return self._section.certificate is not None

    def problems(self) -> list[str]:
        """Return what keeps pictures from being signed, with its position in the config; empty if nothing does."""
        try:
            _ = self._signer
        except SigningProblem as problem:
            return [f"origin.certificate: {problem}"]
        return []

    def marked(self, request: Request) -> Request:
        """Return the request so that the pictures it draws are marked, if the operator wants that."""
        if self._section.mark and isinstance(request, ImagineRequest | UpscaleRequest):
            return replace(request, mark_origin=True)
        return request

    def signed(self, png: bytes) -> bytes:
        """Return a PNG file with a signature; as it is if it can't be signed, which the log says."""
        try:
            signer = self._signer
            if signer is None or not png:
                return png
            from inference.images.decoding import side_data

            source_type = source_type_in(side_data(png).xmp) or _DRAWN
            return signer.sign(png, f"{source_type_uri(_DRAWN).removesuffix(_DRAWN)}{source_type}")
        except SigningProblem as problem:
            log.error("a picture is not signed: %s", problem)
            return png

    def with_signatures(self, result: ImageResult | UpscaledImage) -> ImageResult | UpscaledImage:
        """Return the result with its pictures signed."""
        if isinstance(result, UpscaledImage):
            return replace(result, png=self.signed(result.png))
        return replace(result, pictures=tuple(replace(each, png=self.signed(each.png)) for each in result.pictures))

    def report(self, data: bytes, max_megapixels: float) -> OriginReport:
        """Return what a picture file says of its origin. Raise InvalidRequest if it is none, or too large."""
        from inference.images.decoding import open_picture, side_data
        from inference.images.watermark import can_hold_watermark, detect_watermark

        picture = open_picture(data, max_megapixels)
        file = side_data(data)
        return OriginReport(
            mark=detect_watermark(picture).log10_p if can_hold_watermark(picture.size) else None,
            source_type=source_type_in(file.xmp),
            parameters=_has_parameters(data),
            reads_signatures=is_available(),
            credentials=self._credentials(data),
        )

    def _credentials(self, data: bytes) -> Credentials | None:
        if not is_available():
            return None
        try:
            anchors = self._signer.anchors if self._signer else b""
        except SigningProblem:
            anchors = b""
        return read_credentials(data, anchors)


def _has_parameters(data: bytes) -> bool:
    try:
        return infotext.read(data) is not None
    except InvalidRequest:  # they are there, and one of them is wrong
        return True
