"""The models in one device's memory. The least recently used one is unloaded first, models in use never."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Container, Generator, Hashable, Sequence
from contextlib import contextmanager
from math import inf
from typing import Generic, Protocol, TypeVar

from inference.types.errors import ModelUnavailable
from inference.types.sizes import size_text


class Sized(Protocol):
    nbytes: int


M = TypeVar("M", bound=Sized)


class ModelCache(Generic[M]):
    """At most `budget` bytes of models and of what running work keeps. Used by one thread.

    `sizes` may be called on any thread. `clock` returns seconds.

    `release` is called with the keys of models that were unloaded, to return their memory to the device.
    """

    def __init__(
        self,
        budget: int,
        release: Callable[[Sequence[Hashable]], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.budget = budget
        self._clock = clock
        self._release = release
        self._models: OrderedDict[Hashable, M] = OrderedDict()
        self._leases: dict[Hashable, int] = {}
        self._reserved: dict[Hashable, int] = {}
        self._used_at: dict[Hashable, float] = {}
        """When each loaded model was used last."""

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
            self._used_at[key] = self._clock()

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
            self._used_at[key] = self._clock()

    def clear(self) -> None:
        """Unload all models that are not in use."""
        self._evict(lambda: False)

    def unload(self, keys: Container[Hashable]) -> list[Hashable]:
        """Unload those of the models that are not in use, and return their keys."""
        unloaded = [key for key in self._idle() if key in keys]
        self._remove(unloaded)
        return unloaded

    def unload_unused(self, unload_after: Callable[[Hashable], float]) -> float | None:
        """Unload models that nobody has used for so many seconds, which may be infinite.

        Return the seconds until the next model is due; None if none is.
        """
        waits = {key: self._used_at[key] + unload_after(key) - self._clock() for key in self._idle()}
        self._remove([key for key, wait in waits.items() if wait <= 0])
        return min((wait for wait in waits.values() if 0 < wait < inf), default=None)

    def _used(self) -> int:
        return sum(model.nbytes for model in self._models.values()) + sum(self._reserved.values())

    def _evict(self, has_room_now: Callable[[], bool]) -> None:
        evicted: list[Hashable] = []
        for key in self._idle():
            if has_room_now():
                break
            del self._models[key]
            evicted.append(key)
        if evicted:
            self._release(evicted)

    def _idle(self) -> list[Hashable]:
        return [key for key in self._models if not self._leases.get(key)]

    def _remove(self, keys: Sequence[Hashable]) -> None:
        for key in keys:
            del self._models[key]
        if keys:
            self._release(keys)
