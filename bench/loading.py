"""Peak memory while a model is loaded, and while one draws, over the size of its weights."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

import psutil

from bench.models import SingleBatch, SingleJob, equipped, folder, settings
from bench.row import Row
from inference import ImagineRequest


def safetensors() -> list[Row]:
    return [_row("openai-community/gpt2-large", "safetensors", 1.3)]


def legacy_bin() -> list[Row]:
    return [_row("facebook/opt-1.3b", "legacy .bin", 2.2)]


def flax() -> list[Row]:
    return [_row("dalle-mini/dalle-mini", "Flax", 1.3, "imagine")]


def drawing() -> list[Row]:
    """Loading, one step at 512 × 512, decoding and the safety checker: what a small machine has to bear."""
    config = settings("imagine", "CompVis/stable-diffusion-v1-4")
    spec = config.specs("imagine")[0]
    here = folder(config, spec)

    from inference import pipelines
    from inference.pipelines.devices import place

    pipelines.family_of(spec, here).load_class()
    request = ImagineRequest(prompt="a lighthouse at dusk", width=512, height=512, steps=1, seed=1)
    with _peak() as peak:
        pipeline = pipelines.load(spec, here, place(spec.device, spec.dtype))
        pipeline.run(SingleBatch(SingleJob(request)))
    name = f"peak memory while {spec.name} is loaded and draws at 512 × 512, over its weights"
    return [Row(name=name, unit="GB", ours=peak.gigabytes, reference=pipeline.nbytes / 10**9, aim=2.0)]


def _row(repo: str, kind: str, aim: float, task: str = "complete") -> Row:
    config = settings(task, repo)
    spec = equipped(config, config.specs(task)[0])
    here = folder(config, spec)

    from inference import pipelines
    from inference.pipelines.devices import place

    pipelines.family_of(spec, here).load_class()  # its imports are no part of the weights
    with _peak() as peak:
        pipeline = pipelines.load(spec, here, place(spec.device, spec.dtype))
    name = f"peak memory while loading {spec.name} ({kind}) over its weights"
    return Row(name=name, unit="GB", ours=peak.gigabytes, reference=pipeline.nbytes / 10**9, aim=aim)


class _Peak:
    """Most memory of its own that this process held since the start, sampled each millisecond.

    Pages of a mapped file are left out where the system tells them apart: they are the page cache's.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._start = self._most = self._now()
        self.done = threading.Event()

    @property
    def gigabytes(self) -> float:
        return (self._most - self._start) / 10**9

    def watch(self) -> None:
        while not self.done.wait(0.001):
            self._most = max(self._most, self._now())

    def _now(self) -> int:
        memory = self._process.memory_info()
        return memory.rss - getattr(memory, "shared", 0)


@contextmanager
def _peak() -> Generator[_Peak]:
    peak = _Peak()
    thread = threading.Thread(target=peak.watch)
    thread.start()
    try:
        yield peak
    finally:
        peak.done.set()
        thread.join()
