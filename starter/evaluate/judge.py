"""The captioner as a judge of images: it ranks names for an image. It was trained on real drawings only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoTokenizer, VisionEncoderDecoderModel

from starter.drawings.vocabulary import things
from starter.train.captioner import labels_of

_NUM_BEAMS = 4
"""As in the bot."""


class Judge:
    """Ranks `names` by their likelihood as a caption by the captioner in `folder`."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._model: Any = VisionEncoderDecoderModel.from_pretrained(folder, dtype=torch.float32).eval()
        self.encoder: Any = self._model.encoder
        """Turns images [n, 3, h, w] from -1 to 1 into features."""
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._labels = labels_of(self._tokenizer, self._names)  # [names, tokens]

    @torch.inference_mode()
    def ranking(self, image: Tensor) -> list[str]:
        """Return all names, the likeliest first, for an image [3, 64, 64] from 0 to 1."""
        encoded = self._model.encoder(image[None] * 2 - 1).last_hidden_state  # [1, positions, width]
        states = encoded.repeat(len(self._names), 1, 1)
        logits = self._model(encoder_outputs=(states,), labels=self._labels).logits  # [names, tokens, vocabulary]
        log_probabilities = logits.log_softmax(dim=-1).gather(2, self._labels.clamp(min=0)[..., None]).squeeze(2)
        scores = (log_probabilities * (self._labels >= 0)).sum(dim=1)  # [names]
        return [self._names[row] for row in scores.argsort(descending=True).tolist()]

    @torch.inference_mode()
    def caption(self, image: Tensor) -> str:
        """Return the caption of an image [3, 64, 64] from 0 to 1. It need not be one of the names."""
        (tokens,) = self._model.generate(pixel_values=image[None] * 2 - 1, num_beams=_NUM_BEAMS, max_new_tokens=16)
        return self._tokenizer.decode(tokens, skip_special_tokens=True).strip()


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Shares from 0 to 1 of `count` images whose name is ranked first, or among the first five."""

    category: str
    count: int
    first: float
    top_five: float


def by_category(names: Sequence[str], hits: Sequence[bool], rankings: Sequence[Sequence[str]]) -> list[Accuracy]:
    """Return accuracies for images of these `names`, by category and in total; `hits` are correct first guesses."""
    categories = {thing.name: thing.category for thing in things()}
    accuracies: list[Accuracy] = []
    for category in [*dict.fromkeys(categories.values()), "all"]:
        rows = [i for i, name in enumerate(names) if category in (categories[name], "all")]
        if rows:
            first = _share(hits[i] for i in rows)
            accuracies.append(Accuracy(category, len(rows), first, _share(names[i] in rankings[i][:5] for i in rows)))
    return accuracies


def _share(hits: Iterable[bool]) -> float:
    hits_list = list(hits)
    return sum(hits_list) / len(hits_list)
