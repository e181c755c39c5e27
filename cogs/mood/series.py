"""The moods of messages in order, with their authors, for the chart and the texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from cogs.common.channel_history import TranscriptMessage

MOST_NAMED = 5
"""The most people with their own colour and mark: those who wrote most."""


@dataclass(frozen=True, slots=True)
class MoodSeries:
    """The valence of each message, from -1 to 1; `people` are the ids of those who wrote most, in that order."""

    messages: tuple[TranscriptMessage, ...]
    valences: tuple[float, ...]
    people: tuple[int, ...]

    @classmethod
    def of(cls, messages: Sequence[TranscriptMessage], valences: Sequence[float]) -> MoodSeries:
        counts = Counter(message.author for message in messages)
        return cls(tuple(messages), tuple(valences), tuple(person for person, _ in counts.most_common(MOST_NAMED)))

    @property
    def mean(self) -> float:
        return fmean(self.valences)

    @property
    def trend(self) -> float:
        """The mean of the last third minus that of the first."""
        third = max(1, len(self.valences) // 3)
        return fmean(self.valences[-third:]) - fmean(self.valences[:third])

    def name(self, person: int) -> str:
        """Return the latest name of one of `people`."""
        return next(message.name for message in reversed(self.messages) if message.author == person)

    def of_person(self, person: int | None) -> list[tuple[int, float]]:
        """Return (number from 1, valence) of each message by `person`; for None, by people without a mark."""
        return [
            (number, valence)
            for number, (message, valence) in enumerate(zip(self.messages, self.valences, strict=True), 1)
            if (message.author if message.author in self.people else None) == person
        ]

    def running_mean(self) -> list[float]:
        """Return the mean of each message and its neighbours: about a tenth of all messages, at least three."""
        reach = max(1, len(self.valences) // 20)
        return [fmean(self.valences[max(0, i - reach) : i + reach + 1]) for i in range(len(self.valences))]

    def extremes(self) -> tuple[int, int]:
        """Return the indices of the most positive and the most negative message; of equals, the latest."""
        numbers = range(len(self.valences))
        best = max(numbers, key=lambda i: (self.valences[i], i))
        worst = max(numbers, key=lambda i: (-self.valences[i], i))
        return best, worst
