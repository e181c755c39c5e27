"""Hearts, circles and squares, whose shape and colour can be recognized without a trained model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.nn.functional import interpolate

from starter.drawings.colours import COLOURS
from starter.drawings.vocabulary import HELD_OUT, things

_CENTRE = slice(24, 40)
_GRID = 32
_PAPER_THRESHOLD = 0.7
"""Pixels with all colours above this value are paper, or nearly white."""


@dataclass(frozen=True, slots=True)
class Shapes:
    """Shares from 0 to 1 of `count` images with the right shape, and with the right colour."""

    count: int
    shape: float
    colour: float


def all_shapes() -> tuple[list[str], list[str]]:
    """Return prompts for every shape in every colour: those used in training, and those that were not."""
    prompts = [f"{colour} {shape}" for shape in _outlines() for colour in COLOURS]
    known = {thing.name for thing in things()} - HELD_OUT
    return [prompt for prompt in prompts if prompt in known], [prompt for prompt in prompts if prompt not in known]


def evaluate_shapes(images: Tensor, prompts: Sequence[str]) -> Shapes:
    """Return how many of `images` [n, 3, h, w] from 0 to 1 match their prompts, such as "red heart"."""
    shape = colour = 0
    for image, prompt in zip(images, prompts, strict=True):
        shape += nearest_shape(image) == prompt.split()[-1]
        colour += nearest_colour(image) == prompt.split()[0]
    return Shapes(len(prompts), shape / len(prompts), colour / len(prompts))


def nearest_shape(image: Tensor) -> str:
    """Return the shape with the largest overlap with the object, scaled to one size; "" for an empty image."""
    mask = (image <= _PAPER_THRESHOLD).any(dim=0)  # [h, w]
    if not mask.any():
        return ""
    rows, columns = (mask.any(dim=side).nonzero() for side in (1, 0))
    cropped = mask[rows.min() : rows.max() + 1, columns.min() : columns.max() + 1]
    stretched = interpolate(cropped[None, None].float(), (_GRID, _GRID))[0, 0] > 0.5
    outlines = _outlines()
    return max(outlines, key=lambda name: _overlap(stretched, outlines[name]))


def nearest_colour(image: Tensor) -> str:
    """Return the colour word nearest to the middle of an image [3, h, w] from 0 to 1."""
    middle = (image[:, _CENTRE, _CENTRE].mean(dim=(1, 2)) * 255).round().byte().numpy()  # [3]
    distances = {word: float(np.linalg.norm(_rgb(word) - middle)) for word in COLOURS}
    return min(distances, key=lambda word: distances[word])


def _overlap(one: Tensor, other: Tensor) -> float:
    """Return the intersection divided by the union."""
    return float((one & other).sum() / (one | other).sum())


def _outlines() -> dict[str, Tensor]:
    """Return masks [32, 32] of shapes that fill their grid."""
    across = torch.linspace(-1, 1, _GRID)
    y, x = torch.meshgrid(-across, across, indexing="ij")  # y grows upwards
    circle = x**2 + y**2 <= 1
    a, b = 1.14 * x, 1.115 * y + 0.115  # the curve's own extent
    heart = (a**2 + b**2 - 1) ** 3 - a**2 * b**3 <= 0
    return {"heart": heart, "circle": circle, "square": torch.ones_like(circle)}


def _rgb(word: str) -> Any:
    hue, saturation, brightness = COLOURS[word]
    pixel = (round(hue / 360 * 255), round(saturation * 255), round(brightness * 255))
    return np.asarray(Image.new("HSV", (1, 1), pixel).convert("RGB"), np.float32)[0, 0]
