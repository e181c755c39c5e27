"""Numbers that grew too large for their format: a sentence in place of a black picture."""

from __future__ import annotations

import torch

from inference.types.errors import GenerationFailed


def require_finite(pixels: torch.Tensor) -> None:
    """Raises GenerationFailed if one of `pixels`, of any shape, is infinite or no number."""
    if not torch.isfinite(pixels).all():
        raise GenerationFailed(
            "The model's numbers overflowed, so there is no picture. Try another prompt or seed; if it happens often, "
            "the bot's operator can give this model another `dtype`: bfloat16 or float32."
        )
