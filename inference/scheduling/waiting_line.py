"""Waiting entries in the order in which they will run, fair between groups (such as servers) and inside each of them.

Inside a group, entries are sorted by their turns. Between groups, the place of an entry is the time when the oldest
waiting entry of its group arrived, plus the device seconds that the group used of late, plus the mean cost of the
group's entries for each one before it. So each second of waiting counts like one second less of use, as for owners; a
group that used the device less is before one that used it more; and groups that wait together alternate. With one
group, the order is that of the turns. Places are not stored, since all those of a group change together: so all
operations are fast while thousands wait.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Callable, Hashable, Iterator
from heapq import merge
from itertools import islice
from typing import Generic, Protocol, TypeVar


class Waiting(Protocol):
    """The part of an entry that its place depends on."""

    group: str
    arrived: float
    number: int
    cost: float
    turn: float
    key: Hashable
    short: bool


E = TypeVar("E", bound=Waiting)

Place = tuple[float, int]


class _Group(Generic[E]):
    """The entries of one group, sorted by turn and, in `by_arrival`, by number."""

    def __init__(self) -> None:
        self.entries: list[E] = []
        self.by_arrival: list[E] = []
        self._cost = 0
        """The sum of the costs, in whole microseconds, so that it stays exact."""

    def insert(self, entry: E) -> None:
        insort(self.entries, entry, key=_turn)
        insort(self.by_arrival, entry, key=_number)
        self._cost += _microseconds(entry)

    def remove(self, entry: E) -> None:
        del self.entries[self.index(entry)]
        del self.by_arrival[bisect_left(self.by_arrival, entry.number, key=_number)]
        self._cost -= _microseconds(entry)

    def index(self, entry: E) -> int:
        return bisect_left(self.entries, _turn(entry), key=_turn)

    def start(self, used: float) -> float:
        """Return the place of the first entry, if the group used the device for so many seconds of late."""
        return self.by_arrival[0].arrived + used

    @property
    def step(self) -> float:
        """Return the mean cost in seconds, by which the places of two neighbours differ."""
        return self._cost / len(self.entries) / 1e6

    def place(self, index: int, start: float) -> Place:
        return start + self.step * index, self.entries[index].number

    def placed(self, start: float) -> Iterator[tuple[Place, E]]:
        return ((self.place(index, start), entry) for index, entry in enumerate(self.entries))

    def count_before(self, place: Place, start: float) -> int:
        """Return the number of entries before `place`. Their places have equal distances, so it can be computed."""
        step = self.step
        guess = (place[0] - start) / step if step else 0.0
        index = int(max(0.0, min(guess, float(len(self.entries)))))
        while index < len(self.entries) and self.place(index, start) < place:
            index += 1
        while index and self.place(index - 1, start) >= place:
            index -= 1
        return index


class WaitingLine(Generic[E]):
    """The entries of several groups. `used` returns the seconds that a group used of late."""

    def __init__(self, used: Callable[[str], float]) -> None:
        self._used = used
        self._groups: dict[str, _Group[E]] = {}
        self._length = 0

    def __len__(self) -> int:
        return self._length

    def __contains__(self, entry: E) -> bool:
        group = self._groups.get(entry.group)
        index = group.index(entry) if group else 0
        return group is not None and index < len(group.entries) and group.entries[index] is entry

    def insert(self, entry: E) -> None:
        if entry.group not in self._groups:
            self._groups[entry.group] = _Group()
        self._groups[entry.group].insert(entry)
        self._length += 1

    def remove(self, entry: E) -> None:
        self._groups[entry.group].remove(entry)
        self._length -= 1
        if not self._groups[entry.group].entries:
            del self._groups[entry.group]

    def first(self) -> tuple[Place, E]:
        """Return the next entry and its place. Places of several lines can be compared."""
        return min((next(group.placed(start)) for group, start in self._starts()), key=place_of)

    def entries(self, start: int = 0, stop: int | None = None) -> list[E]:
        """Return the entries in their order, from index `start` to `stop`."""
        if len(self._groups) == 1:
            (group,) = self._groups.values()
            return group.entries[start:stop]
        return [entry for _, entry in islice(self._placed(), start, stop)]

    def with_places(self, count: int) -> list[tuple[Place, E]]:
        """Return the first `count` entries with their places."""
        return list(islice(self._placed(), count))

    def index(self, entry: E) -> int:
        """Return the number of entries before `entry`."""
        own = self._groups[entry.group]
        index = own.index(entry)
        place = own.place(index, own.start(self._used(entry.group)))
        return index + sum(group.count_before(place, start) for group, start in self._starts() if group is not own)

    def _placed(self) -> Iterator[tuple[Place, E]]:
        return merge(*(group.placed(start) for group, start in self._starts()), key=place_of)

    def _starts(self) -> Iterator[tuple[_Group[E], float]]:
        return ((group, group.start(self._used(name))) for name, group in self._groups.items())


class WaitingLines(Generic[E]):
    """Waiting entries: all in one line, and those of each key, the short ones apart from the others."""

    def __init__(self, used: Callable[[str], float]) -> None:
        self._used = used
        self.line = WaitingLine[E](used)
        self.by_key: dict[bool, dict[Hashable, WaitingLine[E]]] = {True: {}, False: {}}

    def insert(self, entry: E) -> None:
        self.line.insert(entry)
        by_key = self.by_key[entry.short]
        if entry.key not in by_key:
            by_key[entry.key] = WaitingLine(self._used)
        by_key[entry.key].insert(entry)

    def remove(self, entry: E) -> None:
        self.line.remove(entry)
        by_key = self.by_key[entry.short]
        by_key[entry.key].remove(entry)
        if not by_key[entry.key]:
            del by_key[entry.key]


def _turn(entry: Waiting) -> Place:
    return entry.turn, entry.number


def _microseconds(entry: Waiting) -> int:
    return round(entry.cost * 1e6)


def _number(entry: Waiting) -> int:
    return entry.number


def place_of(placed: tuple[Place, object]) -> Place:
    """Return the place of an entry with its place, to sort several lines."""
    return placed[0]
