"""Loading of models: files (hub), family (pipelines), device and dtype (devices), memory budget (cache)."""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING

from inference.backends.model_check import budget, expected_bytes, require_memory
from inference.backends.verdicts import Verdicts
from inference.config.schema import Config
from inference.hub.download_progress import ignore_progress
from inference.hub.hub import Hub
from inference.pipelines.compatibility import compatible_family
from inference.pipelines.pipeline import Pipeline, wrap_library_errors
from inference.scheduling.model_cache import ModelCache
from inference.types import LoadProgress, ModelSpec
from inference.types.errors import ModelUnavailable
from inference.types.observations import ModelLoaded, ModelUnloaded, Observer

if TYPE_CHECKING:
    from inference.pipelines.devices import Placement


class ModelManager:
    """The models of one device. Used on its thread only, except `loaded_bytes`. Imports torch at first use."""

    def __init__(self, device: str, config: Config, hub: Hub, observe: Observer = lambda _: None) -> None:
        self._device = device
        self._observe = observe
        self._config = config
        self._hub = hub
        self._keys: dict[ModelSpec, Hashable] = {}
        """The cache key of each spec's last lease. Specs with equal repository and family share a model."""
        self._expected_sizes: dict[ModelSpec, int] = {}
        self._verdicts = Verdicts(config.data / "verdicts.json")

    @contextmanager
    def lease(self, spec: ModelSpec, on_progress: LoadProgress) -> Generator[Pipeline]:
        """Yield the pipeline of `spec`; download and load it if needed. Raise ModelUnavailable."""
        with wrap_library_errors(loading=spec.name):
            key = self._require(spec, on_progress)
        with self._cache.lease(key) as pipeline:
            yield pipeline

    def check(self, spec: ModelSpec, *, probe: bool) -> None:
        """Raise ModelUnavailable if this machine lacks the device, or can't run the model.

        For a model on disk this also imports the code that runs it and, with `probe`, loads it once if its family is
        probed and no verdict is kept. Nothing is downloaded, and a model that is not on disk is not looked at.
        """
        with wrap_library_errors(loading=spec.name):
            allowed = self._cache.budget
            if size := self._expected_bytes(spec):
                folder = self._hub.folder(spec, ignore_progress)
                pipeline_class = compatible_family(spec, folder).load_class()
                require_memory(spec, size, allowed)
                if probe and pipeline_class.probed and not self._verdicts.get(spec, folder, self._place(spec)):
                    self._require(spec, ignore_progress)

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

    def reserve(self, owner: Hashable, nbytes: int) -> bool:
        """Count what `owner` keeps besides its model; see `ModelCache.reserve`."""
        if not nbytes and "_cache" not in vars(self):
            return True  # nothing was loaded, perhaps since there is no such device
        return self._cache.reserve(owner, nbytes)

    def loaded_bytes(self, spec: ModelSpec) -> int | None:
        """Return the memory that `spec` takes in bytes, None if it is not loaded. May be called on any thread."""
        key = self._keys.get(spec)
        return self._cache.sizes().get(key) if key is not None else None

    def release_memory(self) -> None:
        """Unload idle models and return free memory to the device."""
        from inference.pipelines.devices import find_device, release_memory

        self._cache.clear()
        release_memory(find_device(self._device))

    def held_memory(self) -> int | None:
        """Return what this process holds of the device's memory in bytes; None on a CPU."""
        from inference.pipelines.devices import find_device, held_memory

        return held_memory(find_device(self._device))

    @cached_property
    def _cache(self) -> ModelCache[Pipeline]:
        from inference.pipelines.devices import find_device

        return ModelCache(budget(self._config, find_device(self._device)), self._unloaded)

    def _unloaded(self, keys: Sequence[Hashable]) -> None:
        """Return the memory of unloaded models to the device."""
        from inference.pipelines.devices import find_device, release_memory

        release_memory(find_device(self._device))
        for name in {spec.name for spec, key in self._keys.items() if key in keys}:
            self._observe(ModelUnloaded(self._device, name))

    def _require(self, spec: ModelSpec, on_progress: LoadProgress) -> Hashable:
        if self._keys.get(spec) in self._cache.sizes():
            return self._keys[spec]
        folder = self._hub.folder(spec, on_progress)
        family = compatible_family(spec, folder)

        def load() -> Pipeline:
            on_progress(None)
            began = time.perf_counter()
            placement = self._place(spec)
            verdict = self._verdicts.get(spec, folder, placement)
            full_spec = replace(self._hub.with_companion(spec), verdict=verdict)
            pipeline = family.load_class().load(full_spec, folder, placement)
            self._verdicts.keep(spec, folder, placement, pipeline.verdict)
            self._observe(ModelLoaded(self._device, spec.name, pipeline.nbytes, time.perf_counter() - began))
            return pipeline

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
            state, nbytes = self._hub.state(spec)
            if state == "not downloaded":
                return 0
            folder = self._hub.folder(spec, ignore_progress)
            self._expected_sizes[spec] = expected_bytes(spec, folder, nbytes, self._place(spec))
        return self._expected_sizes[spec]
