"""Accuracy and diversity of the images by the image model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from starter.drawings.collection import Collection
from starter.drawings.vocabulary import HELD_OUT, things
from starter.evaluate.judge import Accuracy, Judge, by_category
from starter.train.examples import on_white, to_tensor

_STEPS = 25
_GUIDANCE = 3.0
"""As in the bot."""


def evaluate_recognition(pipe: Any, judge: Judge) -> tuple[list[Accuracy], float]:
    """Draw every name that is not held out twice. Return accuracies by category, and the mean difference of two images.

    The difference is that of the pixels, from 0 to 1, of two images of one prompt.
    """
    names = [thing.name for thing in things() if thing.name not in HELD_OUT]
    first, second = generate(pipe, names, seed=0), generate(pipe, names, seed=1)
    rankings = [judge.ranking(image) for image in torch.cat([first, second])]
    twice = [*names, *names]
    hits = [ranking[0] == name for ranking, name in zip(rankings, twice, strict=True)]
    return by_category(twice, hits, rankings), (first - second).abs().mean().item()


def difference_of_artists(collection: Collection, artists: tuple[str, str] = ("google", "twitter")) -> float:
    """Return the mean difference of the pixels of two artists' drawings of one thing, for comparison."""
    one, other = (collection.of([artist]) for artist in artists)
    both = [name for name in one.names if name in other.names]
    first, second = (_drawings_of(both, each) for each in (one, other))
    return (first - second).abs().mean().item()


def generate(pipe: Any, prompts: Sequence[str], seed: int, max_batch_size: int = 32) -> Tensor:
    """Generate images [n, 3, 64, 64] from 0 to 1, each from its own noise."""
    parts: list[Tensor] = []
    for start in range(0, len(prompts), max_batch_size):
        part = list(prompts[start : start + max_batch_size])
        noise = [torch.Generator().manual_seed(1000 * seed + start + i) for i in range(len(part))]
        output = pipe(part, guidance_scale=_GUIDANCE, num_inference_steps=_STEPS, generator=noise, output_type="pt")
        parts.append(output.images.float().cpu())
    return torch.cat(parts)


def _drawings_of(names: Sequence[str], collection: Collection) -> Tensor:
    rows = [collection.names.index(name) for name in names]
    return on_white(to_tensor(collection.pixels[rows]))
