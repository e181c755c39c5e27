"""The moods of messages, one after another, and whose they are: plain numbers, for the chart and for words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from cogs.common.channel_history import TranscriptMessage

MOST_NAMED = 5
"""People with a colour and a mark of their own: those who wrote most."""


@dataclass(frozen=True, slots=True)
class MoodSeries:
    """`valences[i]`, from -1 to 1, is that of `messages[i]`; `people` are the ids of who wrote most, most first."""

    messages: tuple[TranscriptMessage, ...]
    valences: tuple[float, ...]
    people: tuple[int, ...]

    @classmethod
    def of(cls, messages: Sequence[TranscriptMessage], valences: Sequence[float]) -> MoodSeries:
        counts = Counter(said.author for said in messages)
        return cls(tuple(messages), tuple(valences), tuple(person for person, _ in counts.most_common(MOST_NAMED)))

    @property
    def mean(self) -> float:
        return fmean(self.valences)

    @property
    def trend(self) -> float:
        """How much the mood of the last third is above that of the first."""
        third = max(1, len(self.valences) // 3)
        return fmean(self.valences[-third:]) - fmean(self.valences[:third])

    def name(self, person: int) -> str:
        """What one of `people` was called last."""
        return next(said.name for said in reversed(self.messages) if said.author == person)

    def of_person(self, person: int | None) -> list[tuple[int, float]]:
        """(number of the message from 1, valence) of all that `person` wrote; of None: of all who have no mark."""
        return [
            (number, valence)
            for number, (said, valence) in enumerate(zip(self.messages, self.valences, strict=True), 1)
            if (said.author if said.author in self.people else None) == person
        ]

    def running_mean(self) -> list[float]:
        """Of each message and those around it: about a tenth of all, three at least."""
        reach = max(1, len(self.valences) // 20)
        return [fmean(self.valences[max(0, i - reach) : i + reach + 1]) for i in range(len(self.valences))]

    def extremes(self) -> tuple[int, int]:
        """Where in `messages` the most pleasant one is, and the most unpleasant one; of equals, the latest."""
        numbers = range(len(self.valences))
        best = max(numbers, key=lambda i: (self.valences[i], i))
        worst = max(numbers, key=lambda i: (-self.valences[i], i))
        return best, worst
