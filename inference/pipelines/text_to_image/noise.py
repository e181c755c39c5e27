"""The noise that pictures start from: each from its own seed, in float32 whatever the model's number format."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch

from inference.pipelines.text_to_image.plan import Subject


def starting_noise(subjects: Sequence[Subject], shape: tuple[int, int, int], device: torch.device) -> torch.Tensor:
    """Normal noise [pictures, channels, h, w] for latents of `shape` [channels, h, w].

    The same seed gives the same noise alone or in company, and whether the rest runs in float32 or not.
    """
    return torch.stack([_noise_of(subject.seed, shape) for subject in subjects]).to(device)


def start_from(scheduler: Any, noise: torch.Tensor) -> None:
    """Make `scheduler` mix `noise` into a source picture, in place of what the pipeline draws for itself.

    Pipelines that start from a picture take no noise from outside, and draw theirs in the model's number format.
    """
    add_noise = scheduler.add_noise

    def add_given_noise(original: torch.Tensor, _: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        return add_noise(original.float(), noise, timesteps)

    scheduler.add_noise = add_given_noise


def _noise_of(seed: int, shape: tuple[int, int, int]) -> torch.Tensor:
    return torch.randn((1, *shape), generator=torch.Generator().manual_seed(seed))[0]
