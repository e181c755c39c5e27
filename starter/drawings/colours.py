"""Colour words, and painting a drawing in another colour, so that "blue car" and "green cat" mean something."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from starter.drawings.artists import Drawing

COLOURS = {
    "red": (355, 0.80, 0.87),
    "orange": (28, 0.88, 0.97),
    "yellow": (48, 0.75, 0.99),
    "green": (125, 0.60, 0.66),
    "blue": (212, 0.75, 0.90),
    "purple": (275, 0.55, 0.75),
    "pink": (332, 0.45, 0.98),
    "brown": (22, 0.55, 0.52),
}
"""Hue in degrees, saturation and brightness from 0 to 1, as the hearts of the four artists have them on average."""

_NEAR = 35
"""Hues this many degrees from the main one are the thing's own colour; others (a strawberry's leaf) stay."""

_SATURATED = 0.3
_SHARE = 0.35
"""A drawing has a colour of its own when this share of it is saturated and of nearly one hue."""


def painted(drawing: Drawing, colour: str) -> Drawing | None:
    """The drawing with its main colour changed to `colour`; None when it has no main colour."""
    hsv = np.asarray(Image.fromarray(drawing[..., :3]).convert("HSV")) / np.float32(255)
    own = _own_colour(hsv, drawing[..., 3] > 128)
    if own is None:
        return None
    hue, saturation, brightness = COLOURS[colour]
    result = hsv.copy()
    result[own, 0] = hue / 360
    result[own, 1] *= saturation / hsv[own, 1].mean()
    result[own, 2] *= brightness / hsv[own, 2].mean()
    rgb = Image.fromarray((result.clip(0, 1) * 255).round().astype(np.uint8), "HSV").convert("RGB")
    return np.dstack([np.asarray(rgb), drawing[..., 3]])


def _own_colour(hsv: NDArray[np.floating], visible: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Which pixels [h, w] have the drawing's main colour."""
    saturated = visible & (hsv[..., 1] > _SATURATED) & (hsv[..., 2] > _SATURATED)
    if saturated.sum() < _SHARE * visible.sum():
        return None
    counts, edges = np.histogram(hsv[saturated, 0] * 360, bins=36, range=(0, 360))
    main = edges[counts.argmax()] + 5
    distance = np.abs((hsv[..., 0] * 360 - main + 180) % 360 - 180)
    own = saturated & (distance <= _NEAR)
    return own if own.sum() >= _SHARE * visible.sum() else None
