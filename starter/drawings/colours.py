"""Colour words, and recolouring of drawings, so that "blue car" and "green cat" have a meaning."""

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
"""Hue in degrees, saturation and brightness from 0 to 1: averages over the four artists' hearts."""

_MAX_HUE_DISTANCE = 35
"""Hues within this many degrees of the main hue are recoloured; others (a strawberry's leaf) are kept."""

_MIN_SATURATION = 0.3
_MIN_SHARE = 0.35
"""A drawing has a main colour if this share of it is saturated and has nearly one hue."""


def recoloured(drawing: Drawing, colour: str) -> Drawing | None:
    """Return the drawing with its main colour changed to `colour`; None if it has no main colour."""
    hsv = np.asarray(Image.fromarray(drawing[..., :3]).convert("HSV")) / np.float32(255)
    mask = _main_colour_mask(hsv, drawing[..., 3] > 128)
    if mask is None:
        return None
    hue, saturation, brightness = COLOURS[colour]
    result = hsv.copy()
    result[mask, 0] = hue / 360
    result[mask, 1] *= saturation / hsv[mask, 1].mean()
    result[mask, 2] *= brightness / hsv[mask, 2].mean()
    rgb = Image.fromarray((result.clip(0, 1) * 255).round().astype(np.uint8), "HSV").convert("RGB")
    return np.dstack([np.asarray(rgb), drawing[..., 3]])


def _main_colour_mask(hsv: NDArray[np.floating], visible: NDArray[np.bool_]) -> NDArray[np.bool_] | None:
    """Return the mask [h, w] of pixels with the drawing's main colour; None if it has none."""
    saturated = visible & (hsv[..., 1] > _MIN_SATURATION) & (hsv[..., 2] > _MIN_SATURATION)
    if saturated.sum() < _MIN_SHARE * visible.sum():
        return None
    counts, edges = np.histogram(hsv[saturated, 0] * 360, bins=36, range=(0, 360))
    main = edges[counts.argmax()] + 5
    distance = np.abs((hsv[..., 0] * 360 - main + 180) % 360 - 180)
    mask = saturated & (distance <= _MAX_HUE_DISTANCE)
    return mask if mask.sum() >= _MIN_SHARE * visible.sum() else None
