"""The models in one device's memory. The least recently used one is unloaded first, models in use never."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from inference.types.errors import ModelUnavailable


class Sized(Protocol):
    nbytes: int


M = TypeVar("M", bound=Sized)


class ModelCache(Generic[M]):
    """At most `budget` bytes of models. Used by one thread; `sizes` may be called on any thread.

    `release` is called after models were unloaded, to return their memory to the device.
    """

    def __init__(self, budget: int, release: Callable[[], None]) -> None:
        self.budget = budget
        self._release = release
        self._models: OrderedDict[Hashable, M] = OrderedDict()
        self._leases: dict[Hashable, int] = {}

    def sizes(self) -> dict[Hashable, int]:
        """Return the size of each loaded model in bytes, by key."""
        return {key: model.nbytes for key, model in list(self._models.items())}

    def has_room(self, size: int) -> bool:
        """Return whether `size` bytes could be loaded beside the models in use."""
        leased = sum(model.nbytes for key, model in self._models.items() if self._leases.get(key))
        return leased + size <= self.budget

    def require(self, key: Hashable, size: int, load: Callable[[], M]) -> None:
        """Load the model of `key` unless it is loaded. `size` is its expected size in bytes.

        Raise ModelUnavailable if it does not fit beside the models in use.
        """
        if key not in self._models:
            self._evict(lambda: self._used() + size <= self.budget)
            if self._used() + size > self.budget:
                raise ModelUnavailable(
                    "This model needs about {size} of memory, and the bot may use {budget}. Choose a smaller model, or "
                    "ask the bot's operator to raise `memory`.",
                    size=gigabytes(size),
                    budget=gigabytes(self.budget),
                )
            self._models[key] = load()

    @contextmanager
    def lease(self, key: Hashable) -> Generator[M]:
        """Yield the loaded model of `key`, which stays loaded until the block ends."""
        self._models.move_to_end(key)
        self._leases[key] = self._leases.get(key, 0) + 1
        try:
            yield self._models[key]
        finally:
            self._leases[key] -= 1

    def clear(self) -> None:
        """Unload all models that are not in use."""
        self._evict(lambda: False)

    def _used(self) -> int:
        return sum(model.nbytes for model in self._models.values())

    def _evict(self, has_room_now: Callable[[], bool]) -> None:
        idle = [key for key in self._models if not self._leases.get(key)]
        evicted = False
        for key in idle:
            if has_room_now():
                break
            del self._models[key]
            evicted = True
        if evicted:
            self._release()


def gigabytes(size: int) -> str:
    return f"{size / 10**9:.1f} GB"
