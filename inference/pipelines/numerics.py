"""Check for numbers that overflowed: an error message is better than a black image."""

from __future__ import annotations

import torch

from inference.types.errors import GenerationFailed


def require_finite(pixels: torch.Tensor) -> None:
    """Raise GenerationFailed if any of `pixels`, of any shape, is infinite or NaN."""
    if not torch.isfinite(pixels).all():
        raise GenerationFailed(
            "The model's numbers overflowed, so there is no picture. Try another prompt or seed; if it happens often, "
            "the bot's operator can give this model another `dtype`: bfloat16 or float32."
        )
