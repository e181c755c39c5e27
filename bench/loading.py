"""Peak memory while a model is loaded, and while it draws, relative to the size of its weights."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

import psutil

from bench.models import FixedBatch, SingleJob, folder, settings, with_companion
from bench.result_table import Row
from inference import ImagineRequest


def safetensors() -> list[Row]:
    return [_row("openai-community/gpt2-large", "safetensors", 1.3)]


def legacy_bin() -> list[Row]:
    return [_row("facebook/opt-1.3b", "legacy .bin", 2.2)]


def flax() -> list[Row]:
    return [_row("dalle-mini/dalle-mini", "Flax", 1.3, "imagine")]


def drawing() -> list[Row]:
    """Measure loading, one step at 512 × 512, decoding and the safety checker: what a small machine must handle."""
    config = settings("imagine", "CompVis/stable-diffusion-v1-4")
    spec = config.specs("imagine")[0]
    model_folder = folder(config, spec)

    from inference import pipelines
    from inference.pipelines.devices import place

    pipelines.family_of(spec, model_folder).load_class()
    request = ImagineRequest(prompt="a lighthouse at dusk", width=512, height=512, steps=1, seed=1)
    with _peak() as peak:
        pipeline = pipelines.load(spec, model_folder, place(spec.device, spec.dtype))
        pipeline.run(FixedBatch.of(SingleJob(request)))
    name = f"peak memory while {spec.name} is loaded and draws at 512 × 512, over its weights"
    return [Row(name=name, unit="GB", ours=peak.gigabytes, reference=pipeline.nbytes / 10**9, aim=2.0)]


def _row(repo: str, kind: str, aim: float, task: str = "complete") -> Row:
    config = settings(task, repo)
    spec = with_companion(config, config.specs(task)[0])
    model_folder = folder(config, spec)

    from inference import pipelines
    from inference.pipelines.devices import place

    pipelines.family_of(spec, model_folder).load_class()  # its imports do not count
    with _peak() as peak:
        pipeline = pipelines.load(spec, model_folder, place(spec.device, spec.dtype))
    name = f"peak memory while loading {spec.name} ({kind}) over its weights"
    return Row(name=name, unit="GB", ours=peak.gigabytes, reference=pipeline.nbytes / 10**9, aim=aim)


class _Peak:
    """The process's maximum memory since the start, sampled every millisecond.

    Pages of mapped files are not included if the system reports them separately: they belong to the page cache.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._start = self._maximum = self._own_memory()
        self.done = threading.Event()

    @property
    def gigabytes(self) -> float:
        return (self._maximum - self._start) / 10**9

    def sample(self) -> None:
        while not self.done.wait(0.001):
            self._maximum = max(self._maximum, self._own_memory())

    def _own_memory(self) -> int:
        memory = self._process.memory_info()
        return memory.rss - getattr(memory, "shared", 0)


@contextmanager
def _peak() -> Generator[_Peak]:
    peak = _Peak()
    thread = threading.Thread(target=peak.sample)
    thread.start()
    try:
        yield peak
    finally:
        peak.done.set()
        thread.join()
