"""A CLIP text encoder on long prompts, whose words may weigh more or less than usual."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import torch

from inference.pipelines.text_to_image.prompt_weighting import WeightedText

BREAK = re.compile(r"\s*\bBREAK\b\s*")
"""Where somebody wants a new chunk to start."""

_MOST_CHUNKS = 16
"""Read of one prompt, some 1,200 tokens: every chunk costs a run of the encoder, and time in each step."""

Chunk = list[tuple[int, float]]
"""Token ids that the encoder reads at once, without the marks of start and end, and each one's weight."""


class ChunkEncoder:
    """A tokenizer and its text encoder; `penultimate`: the states before the last layer, as Stable Diffusion XL."""

    def __init__(self, tokenizer: Any, encoder: Any, *, penultimate: bool = False) -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._penultimate = penultimate
        self._room: int = encoder.config.max_position_embeddings - 2

    def chunks(self, pieces: list[WeightedText]) -> list[Chunk]:
        """The part of a prompt that is read, in chunks, one at least."""
        return self._all_chunks(pieces)[:_MOST_CHUNKS]

    def unread(self, pieces: list[WeightedText]) -> str:
        """The rest of the prompt, in the tokenizer's spelling."""
        rest = self._all_chunks(pieces)[_MOST_CHUNKS:]
        text: str = self._tokenizer.decode([token for chunk in rest for token, _ in chunk])
        return text.strip()

    def _all_chunks(self, pieces: list[WeightedText]) -> list[Chunk]:
        chunks: list[Chunk] = [[]]
        for piece in pieces:
            first, *others = BREAK.split(piece.text)
            self._append(chunks, first, piece.weight)
            for other in others:
                chunks.append([])
                self._append(chunks, other, piece.weight)
        return chunks

    def encode(self, pieces: list[WeightedText], count: int) -> tuple[torch.Tensor, torch.Tensor | None]:
        """Hidden states [tokens, features] of `count` chunks, the last empty; and the first chunk's pooled [features].

        Pooled states are None for encoders without a projection.
        """
        chunks = self.chunks(pieces)
        chunks += [[]] * (count - len(chunks))
        keys = [tuple(chunk) for chunk in chunks]
        outputs = {key: self._encode(key) for key in set(keys)}
        return torch.cat([outputs[key][0] for key in keys]), outputs[keys[0]][1]

    def _append(self, chunks: list[Chunk], text: str, weight: float) -> None:
        for token in self._tokenizer(text, add_special_tokens=False, verbose=False)["input_ids"]:
            if len(chunks[-1]) == self._room:
                chunks.append([])
            chunks[-1].append((token, weight))

    def _encode(self, chunk: Sequence[tuple[int, float]]) -> tuple[torch.Tensor, torch.Tensor | None]:
        marks = self._tokenizer
        padding = [(marks.pad_token_id, 1.0)] * (self._room - len(chunk))
        row = [(marks.bos_token_id, 1.0), *chunk, (marks.eos_token_id, 1.0), *padding]
        ids = torch.tensor([[token for token, _ in row]], device=self._encoder.device)
        output = self._encoder(ids, output_hidden_states=self._penultimate)
        hidden = output.hidden_states[-2] if self._penultimate else output.last_hidden_state
        pooled = output.get("text_embeds")
        return _weighted(hidden[0], [weight for _, weight in row]), None if pooled is None else pooled[0]


def _weighted(hidden: torch.Tensor, weights: list[float]) -> torch.Tensor:
    """`hidden` [tokens, features] with each token multiplied by its weight, and the mean kept as it was."""
    if set(weights) == {1.0}:
        return hidden
    states = hidden.float()
    weighted = states * torch.tensor(weights, device=hidden.device)[:, None]
    return (weighted * (states.mean() / weighted.mean())).to(hidden.dtype)
