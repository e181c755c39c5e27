"""Classify texts and pictures: the tasks of the models under `safety` in config.yaml.

No command asks for them. `inference.content_moderation` does, for what people send and for what models generate.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from inference.tasks.request import MAX_SHORT_WORK, Request
from inference.tasks.task import Task
from inference.types import Output

PICTURE_CLASSIFIER = "safety.pictures"
TEXT_CLASSIFIER = "safety.texts"
"""The names of the tasks, which are also the keys of their models in config.yaml."""


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassifyPicturesRequest(Request):
    """Classify each of `pictures`, the bytes of image files."""

    task = PICTURE_CLASSIFIER
    limited = False

    pictures: tuple[bytes, ...]

    @property
    def work(self) -> float:
        return float(len(self.pictures))

    @property
    def short(self) -> bool:
        return True


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassifyTextsRequest(Request):
    """Classify each of `texts`, of any length."""

    task = TEXT_CLASSIFIER
    limited = False

    texts: tuple[str, ...]

    @property
    def work(self) -> float:
        return sum(1.0 + len(text) / 1500 for text in self.texts)

    @property
    def short(self) -> bool:
        return self.work <= MAX_SHORT_WORK


@dataclass(frozen=True, slots=True)
class Classification(Output):
    """The probabilities of the model's `labels` for each text or picture.

    With `exclusive` labels, those of one text add up to 1. Otherwise each label is true or not by itself.
    """

    labels: tuple[str, ...]
    scores: tuple[tuple[float, ...], ...]
    exclusive: bool

    @property
    def charged(self) -> float:
        """Return 0: nobody has asked for it."""
        return 0.0

    def objections(self, objected: Sequence[str]) -> tuple[float, ...]:
        """Return for each text or picture how probable it is that one of the `objected` labels is true."""
        combine = sum if self.exclusive else max
        return tuple(
            float(combine(score for label, score in zip(self.labels, row, strict=True) if label in objected))
            for row in self.scores
        )


CLASSIFIERS: tuple[Task, ...] = (
    Task(
        name=PICTURE_CLASSIFIER,
        summary="say whether a picture may be shown",
        requests=(ClassifyPicturesRequest,),
        output=Classification,
    ),
    Task(
        name=TEXT_CLASSIFIER,
        summary="say whether a text may be shown",
        requests=(ClassifyTextsRequest,),
        output=Classification,
    ),
)
"""The tasks that no command has."""
