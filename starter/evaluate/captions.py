"""How often the captioner names an unseen artist's drawing."""

from __future__ import annotations

from starter.drawings.collection import Collection
from starter.drawings.packages import UNSEEN_ARTIST
from starter.evaluate.judge import Accuracy, Judge, by_category
from starter.train.examples import on_white, to_tensor


def accuracies(collection: Collection, judge: Judge) -> list[Accuracy]:
    """For each category, then for all: the caption is the name to the letter, or the name is likely."""
    unseen = collection.of([UNSEEN_ARTIST])
    images = on_white(to_tensor(unseen.pixels))
    exact = [judge.caption(image) == name for image, name in zip(images, unseen.names, strict=True)]
    return by_category(unseen.names, exact, [judge.ranking(image) for image in images])
