"""The models in one device's memory. The least recently used one is unloaded first, models in use never."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Generator, Hashable, Sequence
from contextlib import contextmanager
from typing import Generic, Protocol, TypeVar

from inference.types.errors import ModelUnavailable
from inference.types.sizes import size_text


class Sized(Protocol):
    nbytes: int


M = TypeVar("M", bound=Sized)


class ModelCache(Generic[M]):
    """At most `budget` bytes of models and of what running work keeps. Used by one thread.

    `sizes` may be called on any thread.

    `release` is called with the keys of models that were unloaded, to return their memory to the device.
    """

    def __init__(self, budget: int, release: Callable[[Sequence[Hashable]], None]) -> None:
        self.budget = budget
        self._release = release
        self._models: OrderedDict[Hashable, M] = OrderedDict()
        self._leases: dict[Hashable, int] = {}
        self._reserved: dict[Hashable, int] = {}

    def sizes(self) -> dict[Hashable, int]:
        """Return the size of each loaded model in bytes, by key."""
        return {key: model.nbytes for key, model in list(self._models.items())}

    def has_room(self, size: int) -> bool:
        """Return whether `size` bytes could be loaded beside the models in use."""
        leased = sum(model.nbytes for key, model in self._models.items() if self._leases.get(key))
        return leased + sum(self._reserved.values()) + size <= self.budget

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
                    size=size_text(size),
                    budget=size_text(self.budget),
                )
            self._models[key] = load()

    def reserve(self, owner: Hashable, nbytes: int) -> bool:
        """Count `nbytes` for what `owner` keeps besides its model, in place of its last number.

        Idle models are unloaded for them. Return False, and change nothing, if they do not fit beside those in use.
        """
        before = self._reserved.get(owner, 0)
        if nbytes > before and not self.has_room(nbytes - before):
            return False
        self._reserved[owner] = nbytes
        if not nbytes:
            del self._reserved[owner]
        self._evict(lambda: self._used() <= self.budget)
        return True

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
        return sum(model.nbytes for model in self._models.values()) + sum(self._reserved.values())

    def _evict(self, has_room_now: Callable[[], bool]) -> None:
        idle = [key for key in self._models if not self._leases.get(key)]
        evicted: list[Hashable] = []
        for key in idle:
            if has_room_now():
                break
            del self._models[key]
            evicted.append(key)
        if evicted:
            self._release(evicted)
