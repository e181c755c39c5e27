"""Seeds of a request's images, and interpolation between the noise of two seeds."""

from __future__ import annotations

from dataclasses import replace

import torch

from inference.tasks import ImagineRequest, Variation


def seed_and_variations(request: ImagineRequest, i: int) -> tuple[int, tuple[Variation, ...]]:
    """Return seed and variations of image `i`. The last of these seeds is increased by `i`."""
    if not request.variations:
        return ((request.seed or 0) + i) % 2**32, ()
    *earlier, last = request.variations
    return request.seed or 0, (*earlier, replace(last, seed=(last.seed + i) % 2**32))


def rotate_noise(noise: torch.Tensor, target: torch.Tensor, strength: float) -> torch.Tensor:
    """Rotate `noise` towards `target` by spherical interpolation (Shoemake 1985): 0 keeps `noise`, 1 is `target`.

    Linear interpolation would give shorter vectors, and models expect noise of a certain length.
    """
    cosine = torch.nn.functional.cosine_similarity(noise.flatten(), target.flatten(), dim=0)
    angle = torch.acos(cosine.clamp(-0.9999, 0.9999))
    noise_weight, target_weight = (torch.sin(weight * angle) / torch.sin(angle) for weight in (1 - strength, strength))
    return noise_weight * noise + target_weight * target
