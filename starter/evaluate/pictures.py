"""How often the painter's pictures show what was asked for, in the right colour, and how much they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from starter.drawings.colours import COLOURS
from starter.drawings.vocabulary import HELD_OUT, things
from starter.evaluate.judge import Judge, within

_SEEDS = 2
_STEPS = 20
_GUIDANCE = 3.0
_SHAPES = ("heart", "circle", "square")
_CENTRE = slice(24, 40)


@dataclass(frozen=True, slots=True)
class Figures:
    """Shares from 0 to 1: right thing among the judge's first five; right colours; and the mean difference of pixels
    between two pictures of one prompt."""

    top_five: float
    colours: float
    held_out: float
    diversity: float


def figures(pipe: Any, judge: Judge) -> Figures:
    """Everything in the vocabulary but what is held out, twice each; then the shapes in every colour."""
    names = [thing.name for thing in things() if thing.name not in HELD_OUT]
    first, second = (drawn(pipe, names, seed) for seed in range(_SEEDS))
    rankings = [judge.ranking(image) for image in torch.cat([first, second])]
    shapes = [f"{colour} {shape}" for shape in _SHAPES for colour in COLOURS]
    return Figures(
        top_five=within(rankings, [*names, *names], 5),
        colours=_right_colours(pipe, shapes),
        held_out=_right_colours(pipe, sorted(HELD_OUT)),
        diversity=(first - second).abs().mean().item(),
    )


def drawn(pipe: Any, prompts: Sequence[str], seed: int, at_once: int = 32) -> Tensor:
    """Pictures [n, 3, 64, 64] from 0 to 1, each from its own noise."""
    parts: list[Tensor] = []
    for start in range(0, len(prompts), at_once):
        part = list(prompts[start : start + at_once])
        noise = [torch.Generator().manual_seed(1000 * seed + start + i) for i in range(len(part))]
        output = pipe(part, guidance_scale=_GUIDANCE, num_inference_steps=_STEPS, generator=noise, output_type="pt")
        parts.append(output.images.float().cpu())
    return torch.cat(parts)


def nearest_colour(image: Tensor) -> str:
    """The colour word for the middle of an image [3, h, w] from 0 to 1."""
    middle = (image[:, _CENTRE, _CENTRE].mean(dim=(1, 2)) * 255).round().byte().numpy()  # [3]
    distances = {word: float(np.linalg.norm(_rgb(word) - middle)) for word in COLOURS}
    return min(distances, key=lambda word: distances[word])


def _rgb(word: str) -> Any:
    hue, saturation, brightness = COLOURS[word]
    pixel = (round(hue / 360 * 255), round(saturation * 255), round(brightness * 255))
    return np.asarray(Image.new("HSV", (1, 1), pixel).convert("RGB"), np.float32)[0, 0]


def _right_colours(pipe: Any, prompts: Sequence[str]) -> float:
    images = [image for seed in range(_SEEDS) for image in drawn(pipe, prompts, seed)]
    hits = [
        nearest_colour(image) == prompt.split()[0] for image, prompt in zip(images, [*prompts] * _SEEDS, strict=True)
    ]
    return sum(hits) / len(hits)
