"""How often the painter's pictures show what was asked for, in the right colour, and how much they differ."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from starter.drawings.collection import Collection
from starter.drawings.colours import COLOURS
from starter.drawings.vocabulary import HELD_OUT, things
from starter.evaluate.judge import Accuracy, Judge, by_category
from starter.train.examples import on_white, to_tensor

_STEPS = 25
_GUIDANCE = 3.0
"""As the bot draws with it."""

_SHAPES = ("heart", "circle", "square")
_CENTRE = slice(24, 40)


@dataclass(frozen=True, slots=True)
class Shapes:
    """Shares from 0 to 1 of `count` hearts, circles and squares: of the right shape, and of the right colour."""

    count: int
    shape: float
    colour: float


def recognised(pipe: Any, judge: Judge) -> tuple[list[Accuracy], float]:
    """Everything in the vocabulary but what is held out, twice, by category; and how much two pictures of one prompt
    differ: the mean difference of their pixels, of 1."""
    names = [thing.name for thing in things() if thing.name not in HELD_OUT]
    first, second = drawn(pipe, names, seed=0), drawn(pipe, names, seed=1)
    rankings = [judge.ranking(image) for image in torch.cat([first, second])]
    twice = [*names, *names]
    hits = [ranking[0] == name for ranking, name in zip(rankings, twice, strict=True)]
    return by_category(twice, hits, rankings), (first - second).abs().mean().item()


def shapes(pipe: Any, judge: Judge, prompts: Sequence[str]) -> Shapes:
    """Of prompts like "red heart", four pictures each."""
    asked = [*prompts] * 4
    images = torch.cat([drawn(pipe, prompts, seed) for seed in range(4)])
    shape = colour = 0
    for image, prompt in zip(images, asked, strict=True):
        shape += judge.ranking(image)[0].split()[-1] == prompt.split()[-1]
        colour += nearest_colour(image) == prompt.split()[0]
    return Shapes(len(asked), shape / len(asked), colour / len(asked))


def all_shapes() -> tuple[list[str], list[str]]:
    """Hearts, circles and squares in all colours: those seen in training, and those that were not."""
    prompts = [f"{colour} {shape}" for shape in _SHAPES for colour in COLOURS]
    known = {thing.name for thing in things()} - HELD_OUT
    return [prompt for prompt in prompts if prompt in known], [prompt for prompt in prompts if prompt not in known]


def difference_of_artists(collection: Collection, artists: tuple[str, str] = ("google", "twitter")) -> float:
    """The mean difference of the pixels of two artists' drawings of one thing, to compare a painter's with."""
    one, other = (collection.of([artist]) for artist in artists)
    both = [name for name in one.names if name in other.names]
    first, second = (_drawings_of(both, each) for each in (one, other))
    return (first - second).abs().mean().item()


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


def _drawings_of(names: Sequence[str], collection: Collection) -> Tensor:
    rows = [collection.names.index(name) for name in names]
    return on_white(to_tensor(collection.pixels[rows]))
