"""Test who is next at a few places."""

from __future__ import annotations

from inference.scheduling.fair_queue import FairQueue, Turn


class Places:
    """A queue with a clock that is set by hand. `started` has the names of the turns that started, in order."""

    def __init__(self, places: int) -> None:
        self.now = 0.0
        self.started: list[str] = []
        self._queue = FairQueue(places, lambda: self.now)
        self._turns: dict[str, Turn] = {}

    def add(self, *names: str) -> None:
        """Add turns. The owner is the first letter of the name."""
        for name in names:
            self._turns[name] = self._queue.add(name[0], lambda name=name: self.started.append(name))

    def end(self, name: str, seconds: float = 0.0) -> None:
        self.now += seconds
        self._queue.end(self._turns.pop(name))


def test_a_turn_starts_at_once_while_there_is_a_place() -> None:
    places = Places(2)
    places.add("a1", "b1", "c1")
    assert places.started == ["a1", "b1"]
    places.end("a1")
    assert places.started == ["a1", "b1", "c1"]


def test_one_owner_never_has_all_places() -> None:
    places = Places(3)
    places.add("a1", "a2", "a3", "a4")
    assert places.started == ["a1", "a2"]
    places.add("b1")
    assert places.started == ["a1", "a2", "b1"]
    places.end("a1", 1)
    assert places.started == ["a1", "a2", "b1", "a3"]


def test_with_one_place_an_owner_has_it() -> None:
    places = Places(1)
    places.add("a1", "a2", "b1")
    places.end("a1", 10)
    assert places.started == ["a1", "b1"]


def test_the_owner_who_used_the_places_least_is_next() -> None:
    places = Places(1)
    places.add("a1", "a2", "a3", "b1", "b2")
    places.end("a1", 25)
    places.end("b1", 10)
    places.end("b2", 10)
    places.end("a2", 1)
    assert places.started == ["a1", "b1", "b2", "a2", "a3"]


def test_a_running_turn_counts_before_it_ends() -> None:
    places = Places(3)
    places.add("a1", "b1", "b2", "a2", "c1")
    places.end("b1", 25)
    assert places.started[-1] == "c1"


def test_use_is_forgotten() -> None:
    places = Places(1)
    places.add("a1")
    places.end("a1", 25)
    places.now += 3600
    places.add("b1")
    places.end("b1", 5)
    places.add("c1", "b2", "a2")
    places.end("c1")
    assert places.started == ["a1", "b1", "c1", "a2"]


def test_a_waiting_turn_can_end() -> None:
    places = Places(1)
    places.add("a1", "b1", "c1")
    places.end("b1")
    places.end("a1")
    assert places.started == ["a1", "c1"]
