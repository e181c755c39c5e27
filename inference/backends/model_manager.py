"""Loading of models: files (hub), family (pipelines), device and dtype (devices), memory budget (cache)."""

from __future__ import annotations

import time
from collections.abc import Generator, Hashable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from math import inf
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
        self._listed = _listed(config)

    @contextmanager
    def lease(self, spec: ModelSpec, on_progress: LoadProgress) -> Generator[Pipeline]:
        """Yield the pipeline of `spec`; download and load it if needed. Raise ModelUnavailable."""
        with wrap_library_errors(loading=spec.name):
            key = self._require(spec, on_progress)
        with self._cache.lease(key) as pipeline:
            yield pipeline

    def check(self, spec: ModelSpec, config: Config, *, probe: bool) -> None:
        """Raise ModelUnavailable if this machine lacks the device, or can't run the model within `config`.

        For a model on disk this also imports the code that runs it and, with `probe`, loads it once if its family is
        probed and no verdict is kept. Nothing is downloaded, and a model that is not on disk is not looked at. Without
        `probe` it may be called on any thread.
        """
        from inference.pipelines.devices import find_device

        with wrap_library_errors(loading=spec.name):
            allowed = budget(config, find_device(self._device))
            if size := self._expected_bytes(spec):
                folder = self._hub.folder(spec, ignore_progress)
                pipeline_class = compatible_family(spec, folder).load_class()
                require_memory(spec, size, allowed)
                if probe and pipeline_class.probed and not self._verdicts.get(spec, folder, self._place(spec)):
                    self._require(spec, ignore_progress)

    def load(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        """Load the model unless it is loaded; download it if needed. Raise ModelUnavailable."""
        with wrap_library_errors(loading=spec.name):
            self._require(spec, on_progress)

    def unload(self, spec: ModelSpec) -> bool:
        """Unload the model. Return False if it is in use, or not loaded."""
        return bool(self._cache.unload({self._keys.get(spec)}))

    def unload_unused(self) -> float | None:
        """Unload models that nobody has used for long, or that are not listed any more.

        Return the seconds until the next one is due; None if none is.
        """
        if "_cache" not in vars(self):
            return None  # nothing was loaded, perhaps since there is no such device
        patience: dict[Hashable, float] = {}
        for spec, key in self._keys.items():
            seconds = inf if spec.unload_after is None else float(spec.unload_after)
            patience[key] = max(patience.get(key, 0.0), seconds if spec in self._listed else 0.0)
        return self._cache.unload_unused(lambda key: patience.get(key, 0.0))

    def apply(self, config: Config) -> None:
        """Use `config` from now on. `unload_unused` then unloads what it does not list."""
        from inference.pipelines.devices import find_device

        self._config = config
        self._cache.budget = budget(config, find_device(self._device))
        self._listed = _listed(config)

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

    def loaded(self) -> tuple[tuple[str, int], ...]:
        """Return the names of the loaded models with their bytes. May be called on any thread."""
        sizes = self._cache.sizes() if "_cache" in vars(self) else {}
        names = {key: spec.name for spec, key in list(self._keys.items())}
        return tuple((names.get(key, "a model that is not listed any more"), size) for key, size in sizes.items())

    @property
    def budget(self) -> int:
        """Return how many bytes models may take; 0 if that is not known yet. May be called on any thread."""
        return self._cache.budget if "_cache" in vars(self) else 0

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


def _listed(config: Config) -> frozenset[ModelSpec]:
    return frozenset(spec for _, spec in config.listed())
