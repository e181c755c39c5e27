"""The initial noise of images: each from its own seed, in float32 regardless of the model's dtype."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from inference.pipelines.image_job import rotate_noise
from inference.pipelines.text_to_image.generation_settings import ImageSpec


def make_generators(specs: Sequence[ImageSpec]) -> list[torch.Generator]:
    """Return one generator per image, on the CPU, so that every device draws the same numbers."""
    return [torch.Generator().manual_seed(spec.seed) for spec in specs]


def initial_noise(
    specs: Sequence[ImageSpec], generators: Sequence[torch.Generator], shape: tuple[int, int, int]
) -> torch.Tensor:
    """Return normal noise [images, channels, h, w] for latents of `shape` [channels, h, w].

    It uses the first numbers of each generator, so numbers that samplers draw later do not affect it.
    """
    return torch.stack([_noise(*pair, shape) for pair in zip(specs, generators, strict=True)])


def use_noise(scheduler: Any, noise: torch.Tensor) -> None:
    """Make `scheduler` add `noise` to an initial image, instead of noise that the pipeline draws itself.

    Image-to-image pipelines take no noise as an argument, and draw theirs in the model's dtype.
    """
    add_noise = scheduler.add_noise

    def add_given_noise(original: torch.Tensor, _: torch.Tensor, timesteps: torch.Tensor) -> torch.Tensor:
        return add_noise(original.float(), noise, timesteps)

    scheduler.add_noise = add_given_noise


@contextmanager
def rotated_draws(specs: Sequence[ImageSpec], generators: Sequence[torch.Generator]) -> Generator[None]:
    """Make all noise that a pipeline draws from the generators that of the specs' variations.

    Pipelines with a transformer draw noise in a shape that only they know, and pack it. So each of their draws is
    rotated where it is made. With strength 1 the image is that of the variation's seed.
    """
    targets = {
        generator: [(torch.Generator().manual_seed(each.seed), each.strength) for each in spec.variations]
        for spec, generator in zip(specs, generators, strict=False)
        if spec.variations
    }
    if not targets:
        yield
        return
    with _RotatedDraws(targets):
        yield


class _RotatedDraws(TorchFunctionMode):
    """Rotates what `torch.randn` draws from the generators in `targets`, on this thread alone."""

    def __init__(self, targets: Mapping[torch.Generator, Sequence[tuple[torch.Generator, float]]]) -> None:
        super().__init__()
        self._targets = targets

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        options = kwargs or {}
        drawn = func(*args, **options)
        if func is not torch.randn or options.get("generator") not in self._targets:
            return drawn
        for generator, strength in self._targets[options["generator"]]:
            target = func(*args, **{**options, "generator": generator})
            drawn = rotate_noise(drawn.float(), target.float(), strength).to(drawn.dtype)
        return drawn


def _noise(spec: ImageSpec, generator: torch.Generator, shape: tuple[int, int, int]) -> torch.Tensor:
    noise = _normal(generator, shape)
    for variation in spec.variations:
        target = _normal(torch.Generator().manual_seed(variation.seed), shape)
        noise = rotate_noise(noise, target, variation.strength)
    return noise


def _normal(generator: torch.Generator, shape: tuple[int, int, int]) -> torch.Tensor:
    return torch.randn((1, *shape), generator=generator)[0]
