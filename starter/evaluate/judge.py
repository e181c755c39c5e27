"""The captioner as a judge: which names fit a picture best. It was trained on real drawings alone."""

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

_BEAMS = 4
"""As the bot lets captioners speak."""


class Judge:
    """Ranks `names` by how likely the captioner in `folder` is to say them."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._model: Any = VisionEncoderDecoderModel.from_pretrained(folder, dtype=torch.float32).eval()
        self._tokenizer: Any = AutoTokenizer.from_pretrained(folder)
        self._labels = labels_of(self._tokenizer, self._names)  # [names, tokens]

    @torch.inference_mode()
    def ranking(self, image: Tensor) -> list[str]:
        """All names, the likeliest first, for an image [3, 64, 64] from 0 to 1."""
        seen = self._model.encoder(image[None] * 2 - 1).last_hidden_state  # [1, places, width]
        states = seen.repeat(len(self._names), 1, 1)
        logits = self._model(encoder_outputs=(states,), labels=self._labels).logits  # [names, tokens, vocabulary]
        chances = logits.log_softmax(dim=-1).gather(2, self._labels.clamp(min=0)[..., None]).squeeze(2)
        scores = (chances * (self._labels >= 0)).sum(dim=1)  # [names]
        return [self._names[row] for row in scores.argsort(descending=True).tolist()]

    @torch.inference_mode()
    def caption(self, image: Tensor) -> str:
        """What the captioner says of an image [3, 64, 64] from 0 to 1, whether or not that is a name."""
        (tokens,) = self._model.generate(pixel_values=image[None] * 2 - 1, num_beams=_BEAMS, max_new_tokens=16)
        return self._tokenizer.decode(tokens, skip_special_tokens=True).strip()


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Shares from 0 to 1 of `count` pictures: the name comes first, or among the first five."""

    category: str
    count: int
    first: float
    top_five: float


def by_category(names: Sequence[str], hits: Sequence[bool], rankings: Sequence[Sequence[str]]) -> list[Accuracy]:
    """Of pictures of these `names`, in each category and in all; `hits` says where the first guess was right."""
    categories = {thing.name: thing.category for thing in things()}
    found: list[Accuracy] = []
    for category in [*dict.fromkeys(categories.values()), "all"]:
        rows = [i for i, name in enumerate(names) if category in (categories[name], "all")]
        if rows:
            first = _share(hits[i] for i in rows)
            found.append(Accuracy(category, len(rows), first, _share(names[i] in rankings[i][:5] for i in rows)))
    return found


def _share(hits: Iterable[bool]) -> float:
    marks = list(hits)
    return sum(marks) / len(marks)
