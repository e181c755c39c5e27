"""Accuracy of the captioner on an unseen artist's drawings."""

from __future__ import annotations

from starter.drawings.collection import Collection
from starter.drawings.packages import UNSEEN_ARTIST
from starter.evaluate.judge import Accuracy, Judge, by_category
from starter.train.examples import on_white, to_tensor


def accuracies(collection: Collection, judge: Judge) -> list[Accuracy]:
    """Return accuracies by category and in total: the caption equals the name, or the name is among the likeliest."""
    unseen = collection.of([UNSEEN_ARTIST])
    images = on_white(to_tensor(unseen.pixels))
    exact = [judge.caption(image) == name for image, name in zip(images, unseen.names, strict=True)]
    return by_category(unseen.names, exact, [judge.ranking(image) for image in images])
