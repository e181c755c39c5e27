"""The initial image of image-to-image generation, and the mask for inpainting."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from PIL import Image, ImageChops, ImageFilter

from inference.images.decoding import open_picture, transparency
from inference.images.mask import MaskReading, open_mask
from inference.images.regions import region_mask
from inference.tasks import ImagineRequest
from inference.types.errors import InvalidRequest, Phrase

MULTIPLE = 8
MIN_SIDE = 64
"""Multiple and minimum of an image's sides, in pixels."""

_CROPPED = 16
"""A picture that is larger by fewer pixels than this is cropped. Scaling would blur it."""

_FEATHER_RADIUS = 4
"""Radius in pixels of the blur that hides the seam. It stays inside the mask."""

_READINGS: dict[MaskReading, Phrase] = {
    "painted": Phrase("What is painted in the mask was drawn anew, since the rest of it is transparent."),
    "erased": Phrase("What is transparent in the mask was drawn anew, since the rest of it is a picture."),
}
"""Notes about masks that are not simply white and black."""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class InitImage:
    """`image` (RGB) at the size of the result. `mask` (L, white: drawn anew) for inpainting, and notes about it."""

    image: Image.Image
    mask: Image.Image | None
    notes: tuple[Phrase, ...] = ()

    def at(self, size: Size) -> InitImage:
        """Return the same for a result of another size."""
        if self.image.size == size:
            return self
        return replace(self, image=fit(self.image, size), mask=self.mask and fit(self.mask, size))


def read_init_image(request: ImagineRequest, native_side: int, multiple: int = MULTIPLE) -> InitImage | None:
    """Return the request's image at the size of the result; None if it has none.

    `native_side` is the side that the model was trained for, in pixels; sides must be multiples of `multiple`. Raise
    InvalidRequest for files that are no images, and for a mask that leaves nothing to draw.
    """
    if not request.image:
        return None
    picture = open_picture(request.image, math.inf)  # the engine has checked the size
    size = (request.width, request.height)
    if not all(size):
        size = inferred_size(picture.size, native_side, request.largest_side, multiple)
    mask, notes = _mask(request, picture.size)
    return InitImage(fit(picture, size), fit(mask, size) if mask else None, notes)


def inferred_size(size: Size, native_side: int, max_side: int, multiple: int = MULTIPLE) -> Size:
    """Return width and height for an image of `size`, in multiples of 8 or more; unchanged if the model can draw it.

    The longer side is limited to between one and two times the model's own side, and to `max_side`.
    """
    longer = max(size)
    scale = min(max(longer, native_side), 2 * native_side, max_side) / longer
    width, height = (max(min(native_side, MIN_SIDE), int(side * scale) // multiple * multiple) for side in size)
    return width, height


def fit(picture: Image.Image, size: Size) -> Image.Image:
    """Scale and crop `picture` to `size` around its middle. It is only cropped if it is little larger."""
    width, height = size
    if not (0 <= picture.width - width < _CROPPED and 0 <= picture.height - height < _CROPPED):
        return picture.resize(size, Image.Resampling.LANCZOS, box=_middle(picture.size, size))
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def _middle(size: Size, shape: Size) -> tuple[float, float, float, float]:
    """Return the largest box with the proportions of `shape` in the middle of `size`."""
    scale = min(size[0] / shape[0], size[1] / shape[1])
    left, top = (max(0.0, (side - part * scale) / 2) for side, part in zip(size, shape, strict=True))
    return left, top, size[0] - left, size[1] - top


def paste_back(source: InitImage, image: Image.Image) -> Image.Image:
    """Return the new image inside the mask, the source's own pixels outside, and a soft seam on the inside."""
    if source.mask is None:
        return image
    soft = source.mask.filter(ImageFilter.GaussianBlur(_FEATHER_RADIUS))
    return Image.composite(image, source.image, ImageChops.darker(soft, source.mask))


def _mask(request: ImagineRequest, size: Size) -> tuple[Image.Image | None, tuple[Phrase, ...]]:
    """Return a black and white mask of `size`: from the mask file, the region, or the source's transparency.

    With it come notes for the user about how the file was read.
    """
    notes: tuple[Phrase, ...] = ()
    if request.mask:
        mask, reading = open_mask(request.mask)
        mask = mask.resize(size, Image.Resampling.BILINEAR)
        notes = (_READINGS[reading],) if reading in _READINGS else ()
    elif request.region:
        mask = region_mask(request.region, *size)
    else:
        mask = transparency(request.image)
    if mask is None:
        return None, notes
    mask = mask.point([0] * 128 + [255] * 128)
    if mask.getextrema() == (0, 0):
        raise InvalidRequest("The mask is all black, so nothing would be drawn. White is what is drawn anew.")
    return mask, notes
