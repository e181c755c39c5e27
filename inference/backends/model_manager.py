"""Loading of models: files (hub), family (pipelines), device and dtype (devices), memory budget (cache)."""

from __future__ import annotations

import logging
import time
from collections.abc import Generator, Hashable, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property
from math import inf
from typing import TYPE_CHECKING

from inference.backends.memory_steps import chosen_options
from inference.backends.model_check import budget, fitted
from inference.backends.verdicts import Verdicts
from inference.config.schema import Config
from inference.hub.download_progress import ignore_progress
from inference.hub.hub import Hub
from inference.pipelines.compatibility import compatible_family, load_pipeline
from inference.pipelines.pipeline import Pipeline, wrap_library_errors
from inference.pipelines.registry import Family
from inference.scheduling.model_cache import ModelCache
from inference.types import LoadProgress, ModelSpec
from inference.types.errors import ModelUnavailable
from inference.types.observations import ModelLoaded, ModelUnloaded, Observer
from inference.types.sizes import size_text

if TYPE_CHECKING:
    from inference.pipelines.devices import Placement

log = logging.getLogger(__name__)


class ModelManager:
    """The models of one device. Used on its thread only, except `loaded_bytes`. Imports torch at first use."""

    def __init__(self, device: str, config: Config, hub: Hub, observe: Observer = lambda _: None) -> None:
        self._device = device
        self._observe = observe
        self._config = config
        self._hub = hub
        self._families: dict[tuple[Hashable, str], Family] = {}
        """The family by the key and the task of a spec. Specs with equal key and family share a model in the cache."""
        self._names: dict[Hashable, str] = {}
        """The name of each loaded model, by its key in the cache, as it was when it was loaded."""
        self._fitted: dict[tuple[ModelSpec, int], tuple[ModelSpec, int]] = {}
        """Each spec as its model is loaded within a budget, and the expected size in bytes."""
        self._verdicts = Verdicts(config.data / "verdicts.json")
        self._unload_after = _unload_after(config)

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
            device = find_device(self._device)
            if self._hub.state(spec)[0] == "on disk":
                folder = self._hub.folder(spec, ignore_progress)
                family = compatible_family(spec, folder, device.type)
                family.load_class()
                self._fit(spec, budget(config, device))
                if probe and family.probed and not self._verdicts.get(spec, folder, self._place(spec)):
                    self._require(spec, ignore_progress)

    def load(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        """Load the model unless it is loaded; download it if needed. Raise ModelUnavailable."""
        with wrap_library_errors(loading=spec.name):
            self._require(spec, on_progress)

    def unload(self, spec: ModelSpec) -> bool:
        """Unload the model. Return False if it is in use, or not loaded."""
        return bool(self._cache.unload(self._loaded_keys(spec)))

    def unload_unused(self) -> float | None:
        """Unload models that nobody has used for long, or that are not listed any more.

        Return the seconds until the next one is due; None if none is.
        """
        if "_cache" not in vars(self):
            return None  # nothing was loaded, perhaps since there is no such device
        return self._cache.unload_unused(lambda key: self._unload_after.get(_spec_key(key), 0.0))

    def apply(self, config: Config) -> None:
        """Use `config` from now on. `unload_unused` then unloads what it does not list."""
        from inference.pipelines.devices import find_device

        self._config = config
        self._cache.budget = budget(config, find_device(self._device))
        self._unload_after = _unload_after(config)

    def fits(self, spec: ModelSpec) -> bool:
        """Return whether `spec` is loaded, or could be loaded from disk beside the models in use.

        Return False if its files can't be read: the error is reported when the request runs.
        """
        if self._loaded_keys(spec):
            return True
        try:
            with wrap_library_errors(loading=spec.name):
                on_disk = self._hub.state(spec)[0] == "on disk"
                return on_disk and self._cache.has_room(self._fit(spec, self._cache.budget)[1])
        except ModelUnavailable:
            return False

    def reserve(self, owner: Hashable, nbytes: int) -> bool:
        """Count what `owner` keeps besides its model; see `ModelCache.reserve`."""
        if not nbytes and "_cache" not in vars(self):
            return True  # nothing was loaded, perhaps since there is no such device
        return self._cache.reserve(owner, nbytes)

    def loaded_bytes(self, spec: ModelSpec) -> int | None:
        """Return the memory that `spec` takes in bytes, None if it is not loaded. May be called on any thread."""
        sizes = self._sizes()
        return sum(size for key, size in sizes.items() if _spec_key(key) == spec.key) or None

    def chosen_options(self, spec: ModelSpec) -> str:
        """Return what is done so that the model fits, as options of config.yaml; empty if nothing is, or not known yet.

        May be called on any thread.
        """
        found = [step for (known, _), (step, _) in list(self._fitted.items()) if known == spec]
        return chosen_options(spec, found[-1]) if found else ""

    def loaded(self) -> tuple[tuple[str, int], ...]:
        """Return the names of the loaded models with their bytes. May be called on any thread."""
        return tuple((self._names.get(key, ""), size) for key, size in self._sizes().items())

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
        for key in keys:
            self._observe(ModelUnloaded(self._device, self._names.pop(key)))

    def _require(self, spec: ModelSpec, on_progress: LoadProgress) -> Hashable:
        known = self._families.get((spec.key, spec.task))
        if known and (spec.key, known) in self._cache.sizes():
            return spec.key, known
        folder = self._hub.folder(spec, on_progress)
        device = self._place(spec).device.type
        compatible_family(spec, folder, device)
        step, size = self._fit(spec, self._cache.budget)
        family = compatible_family(step, folder, device)

        def load() -> Pipeline:
            on_progress(None)
            began = time.perf_counter()
            placement = self._place(spec)
            verdict = self._verdicts.get(spec, folder, placement)
            full_spec = replace(self._hub.with_companions(step), verdict=verdict)
            pipeline = load_pipeline(family, full_spec, folder, placement)
            self._verdicts.keep(spec, folder, placement, pipeline.verdict)
            self._names[spec.key, family] = spec.name
            self._observe(ModelLoaded(self._device, spec.name, pipeline.nbytes, time.perf_counter() - began))
            return pipeline

        key = (spec.key, family)
        self._cache.require(key, size, load)
        self._families[spec.key, spec.task] = family
        return key

    def _loaded_keys(self, spec: ModelSpec) -> list[Hashable]:
        """Return the keys in the cache of the loaded copies of this model; usually one or none."""
        return [key for key in self._sizes() if _spec_key(key) == spec.key]

    def _sizes(self) -> dict[Hashable, int]:
        """Return the sizes of the loaded models by their keys. May be called on any thread."""
        return self._cache.sizes() if "_cache" in vars(self) else {}

    def _place(self, spec: ModelSpec) -> Placement:
        from inference.pipelines.devices import place

        return place(spec.device, spec.dtype)

    def _fit(self, spec: ModelSpec, allowed: int) -> tuple[ModelSpec, int]:
        """Return the spec as its model, which is on disk, is loaded within `allowed` bytes, and its expected size.

        Raise ModelUnavailable if it does not fit.
        """
        if (spec, allowed) not in self._fitted:
            placement, (_, nbytes) = self._place(spec), self._hub.state(spec)
            folder = self._hub.folder(spec, ignore_progress)
            step, size = fitted(spec, folder, nbytes, placement.dtype.itemsize, placement.device.type, allowed)
            if given := chosen_options(spec, step):
                log.info("%s would not fit into %s: it is loaded with %s", spec.name, size_text(allowed), given)
            self._fitted[spec, allowed] = step, size
        return self._fitted[spec, allowed]


def _spec_key(key: Hashable) -> Hashable:
    """Return the key of the spec of a model in the cache."""
    assert isinstance(key, tuple), "made by _require"
    return key[0]


def _unload_after(config: Config) -> dict[Hashable, float]:
    """Return after how many seconds without use each listed model is unloaded, by the key of its spec."""
    seconds: dict[Hashable, float] = {}
    for _, spec in config.listed():
        own = inf if spec.unload_after is None else float(spec.unload_after)
        seconds[spec.key] = max(seconds.get(spec.key, 0.0), own)
    return seconds
