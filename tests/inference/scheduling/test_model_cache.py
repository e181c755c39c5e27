"""Test the memory budget: which models are evicted, which stay, and which are too large."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from math import inf

import pytest

from inference.scheduling.model_cache import ModelCache
from inference.types.errors import ModelUnavailable


@dataclass
class Model:
    nbytes: int


class Loader:
    """Load models of a given size, and record each load."""

    def __init__(self, budget: int) -> None:
        self.loaded: list[str] = []
        self.released: list[Hashable] = []
        self.now = 0.0
        self.cache = ModelCache[Model](budget, self._release, lambda: self.now)

    def _release(self, keys: Sequence[Hashable]) -> None:
        self.released += keys

    def require(self, key: str, size: int) -> None:
        def load() -> Model:
            self.loaded.append(key)
            return Model(size)

        self.cache.require(key, size, load)


def test_a_model_is_loaded_once() -> None:
    loader = Loader(100)
    loader.require("a", 40)
    loader.require("a", 40)
    assert loader.loaded == ["a"]
    with loader.cache.lease("a") as model:
        assert model.nbytes == 40


def test_the_least_recently_used_model_is_evicted_first() -> None:
    loader = Loader(100)
    loader.require("a", 40)
    loader.require("b", 40)
    with loader.cache.lease("a"):
        pass
    loader.require("c", 40)
    assert loader.cache.sizes() == {"a": 40, "c": 40}
    assert loader.released == ["b"]


def test_models_in_use_are_not_evicted() -> None:
    loader = Loader(100)
    loader.require("a", 40)
    with loader.cache.lease("a"):
        loader.require("b", 40)
        loader.require("c", 40)
    assert loader.cache.sizes() == {"a": 40, "c": 40}


def test_a_model_that_does_not_fit_next_to_models_in_use_is_not_loaded() -> None:
    loader = Loader(100)
    loader.require("a", 80)
    with loader.cache.lease("a"):
        assert not loader.cache.has_room(40)
        with pytest.raises(ModelUnavailable):
            loader.require("b", 40)
    assert loader.cache.has_room(40)
    loader.require("b", 40)
    assert loader.cache.sizes() == {"b": 40}


def test_a_model_larger_than_the_budget_is_refused_with_both_sizes() -> None:
    loader = Loader(4 * 10**9)
    loader.require("small", 10**9)
    with pytest.raises(ModelUnavailable, match=r"7\.1 GB.*4\.0 GB"):
        loader.require("huge", 7_100_000_000)
    assert loader.loaded == ["small"]


def test_a_failed_load_is_not_cached() -> None:
    loader = Loader(100)

    def fail() -> Model:
        raise OSError("broken file")

    with pytest.raises(OSError, match="broken file"):
        loader.cache.require("a", 40, fail)
    loader.require("a", 40)
    assert loader.cache.sizes() == {"a": 40}


def test_clearing_the_cache_evicts_only_idle_models() -> None:
    loader = Loader(100)
    loader.require("a", 40)
    loader.require("b", 40)
    with loader.cache.lease("b"):
        loader.cache.clear()
        assert loader.cache.sizes() == {"b": 40}


def test_reserved_memory_evicts_idle_models_and_is_given_back() -> None:
    loader = Loader(100)
    loader.require("a", 40)
    loader.require("b", 40)
    with loader.cache.lease("b"):
        assert loader.cache.reserve("texts", 50)
        assert loader.cache.sizes() == {"b": 40}
        assert not loader.cache.has_room(20)
        assert loader.cache.reserve("texts", 0)
        assert loader.cache.has_room(60)


def test_memory_beside_the_models_in_use_is_all_that_can_be_reserved() -> None:
    loader = Loader(100)
    loader.require("a", 40)
    with loader.cache.lease("a"):
        assert loader.cache.reserve("texts", 30)
        assert not loader.cache.reserve("other texts", 40)
        assert not loader.cache.reserve("texts", 61)
        assert loader.cache.reserve("texts", 60)


def test_a_model_is_not_loaded_into_reserved_memory() -> None:
    loader = Loader(100)
    assert loader.cache.reserve("texts", 70)
    with pytest.raises(ModelUnavailable):
        loader.require("a", 40)


def test_a_model_that_nobody_used_for_long_is_unloaded_and_the_next_is_named() -> None:
    loader = Loader(100)
    loader.require("a", 40)
    loader.now = 5
    loader.require("b", 40)
    unload_after: dict[Hashable, float] = {"a": 10.0, "b": 10.0}
    assert loader.cache.unload_unused(unload_after.__getitem__) == 5
    loader.now = 10
    assert loader.cache.unload_unused(unload_after.__getitem__) == 5
    assert (loader.released, loader.cache.sizes()) == (["a"], {"b": 40})


def test_a_model_in_use_is_not_unloaded_and_its_time_begins_when_it_is_free() -> None:
    loader = Loader(100)
    loader.require("a", 40)
    with loader.cache.lease("a"):
        loader.now = 100
        assert loader.cache.unload_unused(lambda _: 10.0) is None
        assert loader.cache.unload({"a"}) == []
    assert loader.cache.unload_unused(lambda _: 10.0) == 10
    assert loader.cache.unload({"a"}) == ["a"]


def test_a_model_without_an_end_stays() -> None:
    loader = Loader(100)
    loader.require("a", 40)
    loader.now = 10**9
    assert loader.cache.unload_unused(lambda _: inf) is None
    assert loader.released == []
