"""The captioner as a judge: which names fit a picture best. It was trained on real drawings alone."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer, VisionEncoderDecoderModel

from starter.train.captioner import labels_of


class Judge:
    """Ranks `names` by how likely the captioner in `folder` is to say them."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._model: Any = VisionEncoderDecoderModel.from_pretrained(folder, dtype=torch.float32).eval()
        self._labels = labels_of(AutoTokenizer.from_pretrained(folder), self._names)  # [names, tokens]

    @torch.inference_mode()
    def ranking(self, image: Tensor) -> list[str]:
        """All names, the likeliest first, for an image [3, 64, 64] from 0 to 1."""
        seen = self._model.encoder(image[None] * 2 - 1).last_hidden_state  # [1, patches, width]
        states = seen.repeat(len(self._names), 1, 1)
        logits = self._model(encoder_outputs=(states,), labels=self._labels).logits  # [names, tokens, vocabulary]
        chances = logits.log_softmax(dim=-1).gather(2, self._labels.clamp(min=0)[..., None]).squeeze(2)
        scores = (chances * (self._labels >= 0)).sum(dim=1)  # [names]
        return [self._names[row] for row in scores.argsort(descending=True).tolist()]


def within(rankings: Sequence[Sequence[str]], names: Sequence[str], first: int) -> float:
    """The share of `names` that are among the `first` of their rankings."""
    hits = [name in ranking[:first] for ranking, name in zip(rankings, names, strict=True)]
    return sum(hits) / len(hits)
