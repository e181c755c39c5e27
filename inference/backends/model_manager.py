"""From a spec to a pipeline in memory: files (hub), family (pipelines), place (devices), budget (cache)."""

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
    """The models of one device. Used on its thread alone, but for `loaded_bytes`; torch comes with the first use."""

    def __init__(self, device: str, config: Config, hub: Hub) -> None:
        self._device = device
        self._memory = config.memory
        self._hub = hub
        self._keys: dict[ModelSpec, Hashable] = {}
        """What each spec leased last: specs of one repo and one family share a model."""
        self._expected: dict[ModelSpec, int] = {}

    @contextmanager
    def lease(self, spec: ModelSpec, on_progress: LoadProgress) -> Generator[Pipeline]:
        """`spec`'s pipeline, fetched and loaded if need be; raises ModelUnavailable."""
        with wrap_library_errors(loading=spec.name):
            key = self._require(spec, on_progress)
        with self._cache.lease(key) as pipeline:
            yield pipeline

    def check(self, spec: ModelSpec) -> None:
        """Raises ModelUnavailable if this machine lacks the device, or the memory for the model alone.

        For a model on disk it also brings in the code that will run it, or tells that there is none.
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
        """Whether `spec` is loaded, or could be at once: from the disk, beside the models in use.

        Not if its files can't be read: whoever asks for it finds out when their turn comes.
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
        """Memory that `spec` takes, None if it is not loaded; from any thread."""
        key = self._keys.get(spec)
        return self._cache.sizes().get(key) if key is not None else None

    def release_memory(self) -> None:
        """Drop idle models and return free memory to the device."""
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
        """Memory for the weights, told from the files' size and both number formats; 0 if they aren't on disk."""
        if spec not in self._expected:
            state, stored = self._hub.state(spec)
            if state == "not downloaded":
                return 0
            config = self._hub.folder(spec, lambda _: None) / "config.json"
            self._expected[spec] = int(stored * self._place(spec).dtype.itemsize / _stored_itemsize(config))
        return self._expected[spec]


def _stored_itemsize(config: Path) -> int:
    """Bytes a number in the model's files; diffusers has no such entry, and stores float32."""
    entries = json.loads(config.read_text(encoding="utf-8")) if config.exists() else {}
    return _STORED_BYTES.get(entries.get("dtype") or entries.get("torch_dtype") or "float32", 4)
