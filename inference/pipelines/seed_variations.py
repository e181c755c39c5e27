"""Pictures near one another: which seeds a request's pictures have, and noise that lies between that of two seeds."""

from __future__ import annotations

from dataclasses import replace

import torch

from inference.tasks import ImagineRequest, Variation


def seed_and_variations(request: ImagineRequest, i: int) -> tuple[int, tuple[Variation, ...]]:
    """Seed and variations of the request's picture `i`: the last of these seeds counts up."""
    if not request.variations:
        return ((request.seed or 0) + i) % 2**32, ()
    *earlier, last = request.variations
    return request.seed or 0, (*earlier, replace(last, seed=(last.seed + i) % 2**32))


def rotate_noise(noise: torch.Tensor, towards: torch.Tensor, strength: float) -> torch.Tensor:
    """Spherical interpolation (Shoemake 1985): exactly `noise` at 0, `towards` at 1, between as long as they are.

    Straight interpolation would be shorter, and models know noise by its length.
    """
    cosine = torch.nn.functional.cosine_similarity(noise.flatten(), towards.flatten(), dim=0)
    angle = torch.acos(cosine.clamp(-0.9999, 0.9999))
    near, far = (torch.sin(share * angle) / torch.sin(angle) for share in (1 - strength, strength))
    return near * noise + far * towards
