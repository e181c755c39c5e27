"""A picture before and after an edit, side by side. Pillow is imported inside functions."""

from __future__ import annotations

import math

_GAP = 8
"""Pixels between the two pictures."""


def side_by_side(before: bytes, after: bytes) -> bytes:
    """Return one PNG file with `before` on the left and `after` on the right, both as large as `after`.

    Takes up to a second: call it off the event loop. Raise InvalidRequest if one of them is no picture.
    """
    from PIL import Image, ImageOps

    from inference.images.decoding import encode_png, open_picture

    right = open_picture(after, math.inf)
    left = ImageOps.fit(open_picture(before, math.inf), right.size, Image.Resampling.LANCZOS)
    both = Image.new("RGB", (2 * right.width + _GAP, right.height), "white")
    both.paste(left, (0, 0))
    both.paste(right, (right.width + _GAP, 0))
    return encode_png(both)
