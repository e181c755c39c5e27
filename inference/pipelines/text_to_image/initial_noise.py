"""The noise that pictures start from: each from its own seed, in float32 whatever the model's number format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from inference.pipelines.seed_variations import rotate_noise
from inference.pipelines.text_to_image.generation_settings import ImageSpec


def generators_of(subjects: Sequence[ImageSpec]) -> list[torch.Generator]:
    """A source of random numbers for each picture, on the CPU, so that every device draws the same."""
    return [torch.Generator().manual_seed(subject.seed) for subject in subjects]


def starting_noise(
    subjects: Sequence[ImageSpec], generators: Sequence[torch.Generator], shape: tuple[int, int, int]
) -> torch.Tensor:
    """Normal noise [pictures, channels, h, w] for latents of `shape` [channels, h, w].

    The first numbers of each picture's generator: what samplers draw from it later has nothing to do with the noise.
    """
    return torch.stack([_noise_of(*pair, shape) for pair in zip(subjects, generators, strict=True)])


def start_from(scheduler: Any, noise: torch.Tensor) -> None:
    """Make `scheduler` mix `noise` into a source picture, in place of what the pipeline draws for itself.

    Pipelines that start from a picture take no noise from outside, and draw theirs in the model's number format.
    """
    add_noise = scheduler.add_noise

    def add_given_noise(original: torch.Tensor, _: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        return add_noise(original.float(), noise, timesteps)

    scheduler.add_noise = add_given_noise


def _noise_of(subject: ImageSpec, generator: torch.Generator, shape: tuple[int, int, int]) -> torch.Tensor:
    noise = _normal(generator, shape)
    for variation in subject.variations:
        towards = _normal(torch.Generator().manual_seed(variation.seed), shape)
        noise = rotate_noise(noise, towards, variation.strength)
    return noise


def _normal(generator: torch.Generator, shape: tuple[int, int, int]) -> torch.Tensor:
    return torch.randn((1, *shape), generator=generator)[0]
