"""Loading of models: files (hub), family (pipelines), device and dtype (devices), memory budget (cache)."""

from __future__ import annotations

import json
from collections.abc import Generator, Hashable
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from inference.config.schema import Config
from inference.hub import Hub
from inference.pipelines.pipeline import Pipeline, wrap_library_errors
from inference.pipelines.registry import family_of
from inference.scheduling.model_cache import ModelCache, gigabytes
from inference.types import LoadProgress, ModelSpec
from inference.types.errors import ModelUnavailable

if TYPE_CHECKING:
    from inference.pipelines.devices import Placement

_STORED_BYTES = {"float32": 4, "float16": 2, "bfloat16": 2}


class ModelManager:
    """The models of one device. Used on its thread only, except `loaded_bytes`. Imports torch at first use."""

    def __init__(self, device: str, config: Config, hub: Hub) -> None:
        self._device = device
        self._memory = config.memory
        self._hub = hub
        self._keys: dict[ModelSpec, Hashable] = {}
        """The cache key of each spec's last lease. Specs with equal repository and family share a model."""
        self._expected_sizes: dict[ModelSpec, int] = {}

    @contextmanager
    def lease(self, spec: ModelSpec, on_progress: LoadProgress) -> Generator[Pipeline]:
        """Yield the pipeline of `spec`; download and load it if needed. Raise ModelUnavailable."""
        with wrap_library_errors(loading=spec.name):
            key = self._require(spec, on_progress)
        with self._cache.lease(key) as pipeline:
            yield pipeline

    def check(self, spec: ModelSpec) -> None:
        """Raise ModelUnavailable if this machine lacks the device or the memory for the model.

        For a model on disk this also imports the code that runs it, or reports that there is none.
        """
        with wrap_library_errors(loading=spec.name):
            size, budget = self._expected_bytes(spec), self._cache.budget
            if size:
                family_of(spec, self._hub.folder(spec, lambda _: None)).load_class()
        if size and size > budget:
            raise ModelUnavailable(
                "it needs about {size} of memory, and `memory` allows {budget}",
                size=gigabytes(size),
                budget=gigabytes(budget),
            )

    def fits(self, spec: ModelSpec) -> bool:
        """Return whether `spec` is loaded, or could be loaded from disk beside the models in use.

        Return False if its files can't be read: the error is reported when the request runs.
        """
        if self._keys.get(spec) in self._cache.sizes():
            return True
        try:
            with wrap_library_errors(loading=spec.name):
                size = self._expected_bytes(spec)
        except ModelUnavailable:
            return False
        return size > 0 and self._cache.has_room(size)

    def loaded_bytes(self, spec: ModelSpec) -> int | None:
        """Return the memory that `spec` takes in bytes, None if it is not loaded. May be called on any thread."""
        key = self._keys.get(spec)
        return self._cache.sizes().get(key) if key is not None else None

    def release_memory(self) -> None:
        """Unload idle models and return free memory to the device."""
        from inference.pipelines.devices import find_device, release_memory

        self._cache.clear()
        release_memory(find_device(self._device))

    @cached_property
    def _cache(self) -> ModelCache[Pipeline]:
        from inference.pipelines.devices import find_device, memory_budget, release_memory

        device = find_device(self._device)
        budget = self._memory if isinstance(self._memory, int) else memory_budget(device)
        return ModelCache(budget, lambda: release_memory(device))

    def _require(self, spec: ModelSpec, on_progress: LoadProgress) -> Hashable:
        if self._keys.get(spec) in self._cache.sizes():
            return self._keys[spec]
        folder = self._hub.folder(spec, on_progress)
        family = family_of(spec, folder)

        def load() -> Pipeline:
            on_progress(None)
            return family.load_class().load(self._hub.with_companion(spec), folder, self._place(spec))

        key = (spec.key, family)
        self._cache.require(key, self._expected_bytes(spec), load)
        self._keys[spec] = key
        return key

    def _place(self, spec: ModelSpec) -> Placement:
        from inference.pipelines.devices import place

        return place(spec.device, spec.dtype)

    def _expected_bytes(self, spec: ModelSpec) -> int:
        """Return the expected size of the weights, from file sizes and dtypes; 0 if they aren't on disk."""
        if spec not in self._expected_sizes:
            state, stored_bytes = self._hub.state(spec)
            if state == "not downloaded":
                return 0
            config = self._hub.folder(spec, lambda _: None) / "config.json"
            self._expected_sizes[spec] = int(stored_bytes * self._place(spec).dtype.itemsize / _stored_itemsize(config))
        return self._expected_sizes[spec]


def _stored_itemsize(config: Path) -> int:
    """Return the bytes per number in the model's files. diffusers has no such entry, and stores float32."""
    entries = json.loads(config.read_text(encoding="utf-8")) if config.exists() else {}
    return _STORED_BYTES.get(entries.get("dtype") or entries.get("torch_dtype") or "float32", 4)
