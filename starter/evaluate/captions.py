"""How often the captioner names an unseen artist's drawing."""

from __future__ import annotations

from dataclasses import dataclass

from starter.drawings.collection import Collection
from starter.drawings.packages import UNSEEN_ARTIST
from starter.drawings.vocabulary import things
from starter.evaluate.judge import Judge, within
from starter.train.examples import on_white, to_tensor


@dataclass(frozen=True, slots=True)
class Accuracy:
    """Shares from 0 to 1 of `count` drawings: the name comes first, or among the first five."""

    category: str
    count: int
    exact: float
    top_five: float


def accuracies(collection: Collection, judge: Judge) -> list[Accuracy]:
    """For each category, then for all."""
    unseen = collection.of([UNSEEN_ARTIST])
    rankings = [judge.ranking(image) for image in on_white(to_tensor(unseen.pixels))]
    categories = {thing.name: thing.category for thing in things()}
    found: list[Accuracy] = []
    for category in [*dict.fromkeys(categories.values()), "all"]:
        rows = [i for i, name in enumerate(unseen.names) if category in (categories[name], "all")]
        if not rows:
            continue
        names = [unseen.names[row] for row in rows]
        ranked = [rankings[row] for row in rows]
        found.append(Accuracy(category, len(rows), within(ranked, names, 1), within(ranked, names, 5)))
    return found
