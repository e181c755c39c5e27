"""The memory budget: who is evicted, who stays, and what can never fit."""

from dataclasses import dataclass

import pytest

from inference.scheduling.model_cache import ModelCache
from inference.types.errors import ModelUnavailable


@dataclass
class Model:
    nbytes: int


class Loads:
    """Loads models of a given size, and counts how often each was loaded."""

    def __init__(self, budget: int) -> None:
        self.loaded: list[str] = []
        self.released = 0
        self.cache = ModelCache[Model](budget, self._release)

    def _release(self) -> None:
        self.released += 1

    def require(self, key: str, size: int) -> None:
        def load() -> Model:
            self.loaded.append(key)
            return Model(size)

        self.cache.require(key, size, load)


def test_a_model_is_loaded_once() -> None:
    loads = Loads(100)
    loads.require("a", 40)
    loads.require("a", 40)
    assert loads.loaded == ["a"]
    with loads.cache.lease("a") as model:
        assert model.nbytes == 40


def test_the_least_recently_used_model_goes_first() -> None:
    loads = Loads(100)
    loads.require("a", 40)
    loads.require("b", 40)
    with loads.cache.lease("a"):
        pass
    loads.require("c", 40)
    assert loads.cache.sizes() == {"a": 40, "c": 40}
    assert loads.released == 1


def test_models_in_use_stay() -> None:
    loads = Loads(100)
    loads.require("a", 40)
    with loads.cache.lease("a"):
        loads.require("b", 40)
        loads.require("c", 40)
    assert loads.cache.sizes() == {"a": 40, "c": 40}


def test_nothing_is_loaded_beside_models_in_use_that_leave_no_room() -> None:
    loads = Loads(100)
    loads.require("a", 80)
    with loads.cache.lease("a"):
        assert not loads.cache.has_room(40)
        with pytest.raises(ModelUnavailable):
            loads.require("b", 40)
    assert loads.cache.has_room(40)
    loads.require("b", 40)
    assert loads.cache.sizes() == {"b": 40}


def test_a_model_larger_than_the_budget_is_refused_with_both_sizes() -> None:
    loads = Loads(4 * 10**9)
    loads.require("small", 10**9)
    with pytest.raises(ModelUnavailable, match=r"7\.1 GB.*4\.0 GB"):
        loads.require("huge", 7_100_000_000)
    assert loads.loaded == ["small"]


def test_a_failed_load_leaves_nothing_behind() -> None:
    loads = Loads(100)

    def fail() -> Model:
        raise OSError("broken file")

    with pytest.raises(OSError, match="broken file"):
        loads.cache.require("a", 40, fail)
    loads.require("a", 40)
    assert loads.cache.sizes() == {"a": 40}


def test_clearing_drops_idle_models_only() -> None:
    loads = Loads(100)
    loads.require("a", 40)
    loads.require("b", 40)
    with loads.cache.lease("b"):
        loads.cache.clear()
        assert loads.cache.sizes() == {"b": 40}
