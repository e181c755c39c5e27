"""The mark of origin of a drawn picture: a mark in its pixels, and a line in its file."""

from __future__ import annotations

from PIL import Image

from inference.images.decoding import encode_png
from inference.images.watermark import embed_watermark
from inference.images.xmp import SourceType, to_xmp


def encode_drawn(
    image: Image.Image,
    parameters: str,
    *,
    mark: bool,
    drawn: Image.Image | None = None,
    source_type: SourceType | None = None,
) -> bytes:
    """Encode a picture as PNG with its parameters; with `mark`, its pixels and its file tell that a model drew it.

    `drawn` (mode L, of the same size) is white where a model drew, and black where pixels of a given picture stay as
    they are. `source_type` is how the picture came to be, if `drawn` does not tell.
    """
    if not mark:
        return encode_png(image, parameters)
    source_type = source_type or ("compositeWithTrainedAlgorithmicMedia" if drawn else "trainedAlgorithmicMedia")
    return encode_png(mark_picture(image, drawn), parameters, to_xmp(source_type))


def mark_picture(image: Image.Image, drawn: Image.Image | None = None) -> Image.Image:
    """Return the picture with the mark in its pixels; where `drawn` (mode L) is black, they stay as they are.

    A picture that is too small for the mark is returned as it is.
    """
    return embed_watermark(image, drawn)
