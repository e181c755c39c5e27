"""A CLIP text encoder for long prompts with weighted words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from inference.pipelines.text_to_image.prompt_weighting import WeightedText

BREAK = re.compile(r"\s*\bBREAK\b\s*")
"""Users write BREAK to start a new chunk."""

_MAX_CHUNKS = 16
"""The largest number of chunks per prompt, about 1,200 tokens. Each costs an encoder run, and time in each step."""

Chunk = list[tuple[int, float]]
"""Token ids that the encoder reads at once, without start and end tokens, each with its weight."""


class ChunkEncoder:
    """A tokenizer and its text encoder. `penultimate` uses the states before the last layer, as Stable Diffusion XL."""

    def __init__(self, tokenizer: Any, encoder: Any, *, penultimate: bool = False) -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._penultimate = penultimate
        self._chunk_length: int = encoder.config.max_position_embeddings - 2

    def chunks(self, parts: list[WeightedText]) -> list[Chunk]:
        """Return the chunks of a prompt, at least one and at most the maximum."""
        return self._all_chunks(parts)[:_MAX_CHUNKS]

    def truncated_text(self, parts: list[WeightedText]) -> str:
        """Return the rest of the prompt, which is not encoded, as decoded by the tokenizer."""
        rest = self._all_chunks(parts)[_MAX_CHUNKS:]
        text: str = self._tokenizer.decode([token for chunk in rest for token, _ in chunk])
        return text.strip()

    def _all_chunks(self, parts: list[WeightedText]) -> list[Chunk]:
        chunks: list[Chunk] = [[]]
        for part in parts:
            first, *other_chunks = BREAK.split(part.text)
            self._append_tokens(chunks, first, part.weight)
            for text in other_chunks:
                chunks.append([])
                self._append_tokens(chunks, text, part.weight)
        return chunks

    def encode(self, parts: list[WeightedText], count: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Encode a prompt, filled up with empty chunks to `count`.

        Return the hidden states of all chunks [tokens, features], and the first chunk's pooled state [features], which
        is None for encoders without a projection.
        """
        chunks = self.chunks(parts)
        chunks += [[]] * (count - len(chunks))
        keys = [tuple(chunk) for chunk in chunks]
        outputs = {key: self._encode(key) for key in set(keys)}
        return torch.cat([outputs[key][0] for key in keys]), outputs[keys[0]][1]

    def _append_tokens(self, chunks: list[Chunk], text: str, weight: float) -> None:
        for token in self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]:
            if len(chunks[-1]) == self._chunk_length:
                chunks.append([])
            chunks[-1].append((token, weight))

    def _encode(self, chunk: Sequence[tuple[int, float]]) -> tuple[torch.Tensor, torch.Tensor | None]:
        tokenizer = self._tokenizer
        padding = [(tokenizer.pad_token_id, 1.0)] * (self._chunk_length - len(chunk))
        tokens = [(tokenizer.bos_token_id, 1.0), *chunk, (tokenizer.eos_token_id, 1.0), *padding]
        ids = torch.tensor([[token for token, _ in tokens]], device=self._encoder.device)
        output = self._encoder(ids, output_hidden_states=self._penultimate)
        hidden = output.hidden_states[-2] if self._penultimate else output.last_hidden_state
        pooled = output.get("text_embeds")
        return _apply_weights(hidden[0], [weight for _, weight in tokens]), None if pooled is None else pooled[0]


def _apply_weights(hidden: torch.Tensor, weights: list[float]) -> torch.Tensor:
    """Multiply each token of `hidden` [tokens, features] by its weight, and restore the mean."""
    if set(weights) == {1.0}:
        return hidden
    states = hidden.float()
    weighted = states * torch.tensor(weights, device=hidden.device)[:, None]
    return (weighted * (states.mean() / weighted.mean())).to(hidden.dtype)
