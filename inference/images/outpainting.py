"""Canvases and masks that extend a picture beyond its edges by inpainting. Pillow is imported inside functions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from math import ceil
from typing import TYPE_CHECKING, Literal, get_args

from inference.types.errors import EMPTY_PHRASE, InvalidRequest, Phrase, join_phrases

if TYPE_CHECKING:
    from PIL import Image

Extension = Literal["zoom15", "zoom2", "square", "left", "right", "up", "down"]
"""How a picture is extended: to 1.5 or 2 times each side, to a square, or by half a side in one direction."""

EXTENSIONS: tuple[Extension, ...] = get_args(Extension)

Size = tuple[int, int]
Box = tuple[int, int, int, int]
"""Left, top, right, bottom in pixels."""

_ZOOM: Mapping[Extension, float] = {"zoom15": 1.5, "zoom2": 2.0}
_DIRECTIONS: Mapping[Extension, tuple[int, int]] = {
    "left": (-1, 0),
    "right": (1, 0),
    "up": (0, -1),
    "down": (0, 1),
}
_PAN_SHARE = 0.5
"""How much a pan adds, as a share of the side."""

_MULTIPLE = 8
_COARSE_MULTIPLE, _COARSE_FROM = 64, 512
"""Sides from 512 on are multiples of 64, which suits the latents of all models, at all depths of their networks."""

_SHAPE_TOLERANCE = 0.02
"""How much the shape of the file may differ from that of the picture: a smaller copy is rounded to pixels."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a picture goes on a larger canvas of `size`.

    It is scaled to `scaled`, which is its own size unless the canvas would get too large. Of that, the part `kept`
    stays, and its left upper corner goes to `position`.
    """

    size: Size
    scaled: Size
    kept: Box
    position: Size

    @property
    def placed(self) -> Box:
        """The part of the canvas that the picture takes."""
        left, top, right, bottom = self.kept
        x, y = self.position
        return x, y, x + right - left, y + bottom - top


@dataclass(frozen=True, slots=True)
class OutpaintingCanvas:
    """A larger picture to inpaint: `image` and `mask` (white is drawn anew) as PNG files of `width` × `height`.

    `note` tells the user what happened to the old picture, if it did not keep all of its pixels.
    """

    image: bytes
    mask: bytes
    width: int
    height: int
    note: Phrase


def outpainting_canvas(
    data: bytes, drawn: Size, extension: Extension, most: int, max_megapixels: float, multiple: int = _MULTIPLE
) -> OutpaintingCanvas:
    """Return the canvas that extends the picture in the file `data`. Takes up to a second: call it off the event loop.

    `drawn` is the size of the picture, of which the file may be a smaller copy, or an enlarged one. The sides of the
    canvas are multiples of `multiple` and have at most `most` pixels. Raise InvalidRequest for a file that is not the
    picture.
    """
    from PIL import Image

    from inference.images.decoding import encode_png, open_picture

    picture = open_picture(data, max_megapixels)
    _check_is_drawn(data, picture.size, drawn)
    if picture.width > drawn[0]:  # it was enlarged since
        picture = picture.resize(drawn, Image.Resampling.LANCZOS)
    layout = layout_of(picture.size, extension, most, multiple)
    same = layout.scaled == picture.size
    scaled = picture if same else picture.resize(layout.scaled, Image.Resampling.LANCZOS)
    mask = Image.new("L", layout.size, 255)
    mask.paste(0, layout.placed)
    image = _extended(scaled.crop(layout.kept), layout)
    return OutpaintingCanvas(encode_png(image), encode_png(mask), *layout.size, _note(layout, picture.size, most))


def layout_of(picture: Size, extension: Extension, most: int, multiple: int = _MULTIPLE) -> Layout:
    """Return how a picture of this size is extended. Raise InvalidRequest if it is square and should become so."""
    most = most // multiple * multiple
    if direction := _DIRECTIONS.get(extension):
        return _panned(picture, direction, most, multiple)
    if extension == "square" and picture[0] == picture[1]:
        raise InvalidRequest("This picture is square already. Zoom out, or extend it with the arrows.")
    wanted = [max(picture)] * 2 if extension == "square" else [side * _ZOOM[extension] for side in picture]
    scale = min(1.0, most / max(wanted))
    scaled = _scaled(picture, scale)
    width, height = (_canvas_side(side * scale, multiple, most) for side in wanted)
    left, top = (
        (whole - part) // 2 // _MULTIPLE * _MULTIPLE for whole, part in zip((width, height), scaled, strict=True)
    )
    return Layout((width, height), scaled, (0, 0, *scaled), (left, top))


def _panned(picture: Size, direction: tuple[int, int], most: int, multiple: int) -> Layout:
    """Return a canvas that shows more in one direction, and less in the other one if it would get too large."""
    scaled = _scaled(picture, min(1.0, most / max(picture)))
    (width, left, right, x), (height, top, bottom, y) = (
        _panned_side(side, step, most, multiple) for side, step in zip(scaled, direction, strict=True)
    )
    return Layout((width, height), scaled, (left, top, right, bottom), (x, y))


def _panned_side(side: int, step: int, most: int, multiple: int) -> tuple[int, int, int, int]:
    """Return the side of the canvas, first and last pixel of the picture that are kept, and where the first goes."""
    if not step:
        return _up(side, multiple), 0, side, 0
    canvas = _canvas_side(side * (1 + _PAN_SHARE), multiple, most)
    kept = min(side, canvas - int(side * _PAN_SHARE) // multiple * multiple)
    return (canvas, 0, kept, canvas - kept) if step < 0 else (canvas, side - kept, side, 0)


def _canvas_side(wanted: float, multiple: int, most: int) -> int:
    is_coarse = wanted >= _COARSE_FROM and not _COARSE_MULTIPLE % multiple
    return min(_up(wanted, _COARSE_MULTIPLE if is_coarse else multiple), most)


def _up(side: float, multiple: int) -> int:
    return ceil(side / multiple) * multiple


def _scaled(size: Size, scale: float) -> Size:
    width, height = (max(1, round(side * scale)) for side in size)
    return width, height


def _extended(picture: Image.Image, layout: Layout) -> Image.Image:
    """Return the canvas with the picture, and with the colours of its edges around it, which hide the seam."""
    from PIL import Image

    canvas = Image.new("RGB", layout.size)
    (width, height), (left, top, right, bottom) = layout.size, layout.placed
    canvas.paste(picture, (left, top))
    edges: tuple[tuple[Box, Box], ...] = (
        ((left, top, left + 1, bottom), (0, top, left, bottom)),
        ((right - 1, top, right, bottom), (right, top, width, bottom)),
        ((0, top, width, top + 1), (0, 0, width, top)),
        ((0, bottom - 1, width, bottom), (0, bottom, width, height)),
    )
    for edge, area in edges:
        size = (area[2] - area[0], area[3] - area[1])
        if all(size):
            canvas.paste(canvas.crop(edge).resize(size), area)
    return canvas


def _check_is_drawn(data: bytes, size: Size, drawn: Size) -> None:
    """Raise InvalidRequest for an animation, and for a picture of another shape than the drawn one."""
    from PIL import Image

    is_animated = getattr(Image.open(BytesIO(data)), "is_animated", False)
    if is_animated or abs(size[0] * drawn[1] / (size[1] * drawn[0]) - 1) > _SHAPE_TOLERANCE:
        raise InvalidRequest("The file in this message is not the picture that I drew, so I can't extend it.")


def _note(layout: Layout, picture: Size, most: int) -> Phrase:
    notes: list[Phrase] = []
    left, top, right, bottom = layout.kept
    if layout.scaled != picture:
        notes.append(
            Phrase(
                "The picture was first scaled down to {size}, since no side may have more than {most} pixels.",
                size=f"{layout.scaled[0]} × {layout.scaled[1]}",
                most=most,
            )
        )
    if cut := layout.scaled[0] - (right - left) + layout.scaled[1] - (bottom - top):
        notes.append(
            Phrase(
                "Since no side may have more than {most} pixels, {cut} pixels on the other side were left out.",
                most=most,
                cut=cut,
            )
        )
    return join_phrases(notes) if notes else EMPTY_PHRASE
