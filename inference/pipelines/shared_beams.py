"""Beam search over one input, whose keys and values are computed once and shared by all beams.

transformers' `generate` copies the encoder's output for each beam, computes the keys and values of every copy, and
reorders them after each token, although all are equal.
"""

from __future__ import annotations

from typing import Any

import torch
from transformers import DynamicCache, EncoderDecoderCache


class _SharedCache(DynamicCache):
    """Keys and values of the input, which are the same for every beam."""

    def reorder_cache(self, beam_idx: torch.Tensor) -> None:
        """Do nothing."""


def shared_input(model: Any, num_beams: int, **inputs: torch.Tensor) -> dict[str, Any]:
    """Encode `inputs`, those of the encoder with one row. Return what `generate` takes in their place.

    It takes a mask beside it, if there is one. A model that keeps keys and values in another way gets the encoder's
    output alone.
    """
    encoded = model.get_encoder()(**inputs, return_dict=True)
    shared = _SharedCache()
    cache = EncoderDecoderCache(DynamicCache(), shared)
    mask = {"attention_mask": inputs["attention_mask"]} if "attention_mask" in inputs else {}
    first = torch.zeros(1, 1, dtype=torch.long, device=model.device)  # any token computes the keys and values
    model(encoder_outputs=encoded, decoder_input_ids=first, past_key_values=cache, use_cache=True, **mask)
    if not cache.is_updated or not all(cache.is_updated.values()):
        return {"encoder_outputs": encoded}
    layers: list[Any] = shared.layers
    for layer in layers:
        layer.keys = layer.keys.expand(num_beams, -1, -1, -1)
        layer.values = layer.values.expand(num_beams, -1, -1, -1)
    return {"encoder_outputs": encoded, "past_key_values": EncoderDecoderCache(DynamicCache(), shared)}
