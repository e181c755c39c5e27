"""Evaluation of the starter's models: the judge's ranking, and what counts as the right colour."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import VisionEncoderDecoderModel

from starter.drawings.collection import Collection
from starter.drawings.packages import UNSEEN_ARTIST
from starter.evaluate.captions import accuracies
from starter.evaluate.judge import Judge, within
from starter.evaluate.pictures import nearest_colour
from starter.train.captioner import labels_of, new_captioner, new_tokenizer, save_captioner

NAMES = ("cat", "red apple", "star", "polar bear")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(3)
    folder = tmp_path_factory.mktemp("captioner")
    tokenizer = new_tokenizer()
    save_captioner(new_captioner(tokenizer, width=16, heads=2), tokenizer, folder)
    return folder


def test_the_judge_puts_the_name_first_that_the_captioner_would_say_with_the_least_surprise(folder: Path) -> None:
    image = torch.rand(3, 64, 64, generator=torch.Generator().manual_seed(0))
    model: Any = VisionEncoderDecoderModel.from_pretrained(folder, dtype=torch.float32).eval()
    surprises: dict[str, float] = {}
    for name in NAMES:
        labels = labels_of(new_tokenizer(), (name,))
        with torch.inference_mode():
            surprises[name] = float(model(image[None] * 2 - 1, labels=labels).loss) * labels.shape[1]
    assert Judge(folder, NAMES).ranking(image) == sorted(NAMES, key=lambda name: surprises[name])


def test_a_hit_is_a_name_among_the_first_of_its_ranking() -> None:
    rankings = [["cat", "star"], ["star", "cat"]]
    assert within(rankings, ["cat", "cat"], first=1) == 0.5
    assert within(rankings, ["cat", "cat"], first=2) == 1


def test_only_the_unseen_artists_drawings_count_and_each_in_its_category(folder: Path) -> None:
    names = ("cat", "star", "cat")
    collection = Collection(np.zeros((3, 64, 64, 4), np.uint8), names, (UNSEEN_ARTIST, UNSEEN_ARTIST, "google"))
    found = {part.category: part for part in accuracies(collection, Judge(folder, NAMES))}
    assert (found["animals"].count, found["shapes"].count, found["all"].count) == (1, 1, 2)
    assert math.isclose(found["all"].exact, (found["animals"].exact + found["shapes"].exact) / 2)


@pytest.mark.parametrize(
    ("colour", "word"),
    [((0.9, 0.1, 0.1), "red"), ((0.2, 0.45, 0.9), "blue"), ((0.25, 0.7, 0.3), "green"), ((1, 0.8, 0.2), "yellow")],
)
def test_the_middle_of_a_picture_has_a_colour_word(colour: tuple[float, float, float], word: str) -> None:
    image = torch.zeros(3, 64, 64)
    image[:, 20:44, 20:44] = torch.tensor(colour)[:, None, None]
    assert nearest_colour(image) == word
