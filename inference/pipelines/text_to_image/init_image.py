"""The picture that drawing starts from, and the part of it that is drawn anew."""

from __future__ import annotations

import math
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter

from inference.images.decoding import open_picture, transparency
from inference.images.regions import region_mask
from inference.tasks import ImagineRequest
from inference.types.errors import InvalidRequest

MULTIPLE = 8
SMALLEST = 64
"""Sides of pictures, in pixels."""

_FEATHER = 4
"""Radius in pixels of the blur that hides the seam; it stays inside the mask."""

Size = tuple[int, int]


@dataclass(frozen=True, slots=True, eq=False)
class InitImage:
    """`image` (RGB) at the size of the drawing; `mask` (L, white: drawn anew) if only a part is."""

    image: Image.Image
    mask: Image.Image | None

    def at(self, size: Size) -> InitImage:
        """The same for a drawing of another size."""
        return self if self.image.size == size else InitImage(fit(self.image, size), self.mask and fit(self.mask, size))


def read_init_image(request: ImagineRequest, own: int) -> InitImage | None:
    """The request's picture at drawing size, None if it has none; `own` is the side the model was trained for.

    Raises InvalidRequest for files that are no pictures, and for a mask that leaves nothing to draw.
    """
    if not request.image:
        return None
    picture = open_picture(request.image, math.inf)  # the engine knows the limit
    size = (request.width, request.height)
    if not all(size):
        size = inferred_size(picture.size, own, request.largest_side)
    mask = _mask(request, picture.size)
    return InitImage(fit(picture, size), fit(mask, size) if mask else None)


def inferred_size(size: Size, own: int, largest: int) -> Size:
    """Width and height in multiples of 8 for a picture of `size`, as it is where the model can draw that.

    The longer side is brought between the model's own side and twice that, and under `largest`.
    """
    longer = max(size)
    scale = min(max(longer, own), 2 * own, largest) / longer
    width, height = (max(min(own, SMALLEST), int(side * scale) // MULTIPLE * MULTIPLE) for side in size)
    return width, height


def fit(picture: Image.Image, size: Size) -> Image.Image:
    """`picture` covering `size`, its middle; only cut, and so the same pixels, where it is larger by less than 8."""
    width, height = size
    if not (0 <= picture.width - width < MULTIPLE and 0 <= picture.height - height < MULTIPLE):
        return picture.resize(size, Image.Resampling.LANCZOS, box=_middle(picture.size, size))
    left, top = (picture.width - width) // 2, (picture.height - height) // 2
    return picture.crop((left, top, left + width, top + height))


def _middle(size: Size, shape: Size) -> tuple[float, float, float, float]:
    """The largest box of `shape`'s proportions in the middle of `size`: cut before scaling, a strip stays small."""
    scale = min(size[0] / shape[0], size[1] / shape[1])
    left, top = (max(0.0, (side - part * scale) / 2) for side, part in zip(size, shape, strict=True))
    return left, top, size[0] - left, size[1] - top


def paste_back(source: InitImage, drawn: Image.Image) -> Image.Image:
    """The drawing inside the mask, the source's own pixels outside, and a soft seam on the inside."""
    if source.mask is None:
        return drawn
    soft = source.mask.filter(ImageFilter.GaussianBlur(_FEATHER))
    return Image.composite(drawn, source.image, ImageChops.darker(soft, source.mask))


def _mask(request: ImagineRequest, size: Size) -> Image.Image | None:
    """Black and white, of the source's `size`: from the mask's file, the region, or the source's transparency."""
    if request.mask:
        mask = open_picture(request.mask, math.inf).convert("L").resize(size, Image.Resampling.BILINEAR)
    elif request.region:
        mask = region_mask(request.region, *size)
    else:
        mask = transparency(request.image)
    if mask is None:
        return None
    mask = mask.point([0] * 128 + [255] * 128)
    if mask.getextrema() == (0, 0):
        raise InvalidRequest("The mask is all black, so nothing would be drawn. White is what is drawn anew.")
    return mask
