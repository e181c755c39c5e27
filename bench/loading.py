"""Peak memory while a model is loaded, and while it works, relative to the size of its weights."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager

import psutil

from bench.models import FixedBatch, SingleJob, folder, settings, with_companions
from bench.result_table import Row, at_most
from inference import CompleteRequest, ImagineRequest, Request

PROMPT = "a lighthouse at dusk"


def safetensors() -> list[Row]:
    return _rows("openai-community/gpt2-large", "safetensors", 1.3, CompleteRequest(prompt=PROMPT, max_new_tokens=32))


def legacy_bin() -> list[Row]:
    return _rows("facebook/opt-1.3b", "legacy .bin", 2.2, CompleteRequest(prompt=PROMPT, max_new_tokens=32))


def flax() -> list[Row]:
    return _rows("dalle-mini/dalle-mini", "Flax", 1.3, ImagineRequest(prompt=PROMPT, seed=1))


def drawing() -> list[Row]:
    """Measure loading, one step at 512 × 512, decoding and the safety checker: what a small machine must handle."""
    config = settings("imagine", "CompVis/stable-diffusion-v1-4")
    spec = config.specs("imagine")[0]
    model_folder = folder(config, spec)

    from inference import pipelines
    from inference.pipelines.devices import place

    pipelines.family_of(spec, model_folder).load_class()
    request = ImagineRequest(prompt=PROMPT, width=512, height=512, steps=1, seed=1)
    with peak_memory() as peak:
        pipeline = pipelines.load(spec, model_folder, place(spec.device, spec.dtype))
        pipeline.run(FixedBatch.of(SingleJob(request)))
    return [_row(f"{spec.name} is loaded and draws at 512 × 512", peak.gigabytes, pipeline.nbytes, 1.35)]


def _rows(repo: str, kind: str, aim: float, request: Request) -> list[Row]:
    """Return the peak while the model is loaded, and the peak until it has answered `request` too."""
    config = settings(request.task, repo)
    spec = with_companions(config, config.specs(request.task)[0])
    model_folder = folder(config, spec)

    from inference import pipelines
    from inference.pipelines.devices import place

    pipelines.family_of(spec, model_folder).load_class()  # its imports do not count
    with peak_memory() as peak:
        pipeline = pipelines.load(spec, model_folder, place(spec.device, spec.dtype))
        loading = peak.gigabytes
        pipeline.run(FixedBatch.of(SingleJob(request)))
    return [
        _row(f"{spec.name} ({kind}) is loaded", loading, pipeline.nbytes, aim),
        _row(f"{spec.name} ({kind}) is loaded and works", peak.gigabytes, pipeline.nbytes, aim),
    ]


def _row(what: str, gigabytes: float, weights: int, aim: float) -> Row:
    return Row(
        work=f"peak memory while {what}; limit: its weights, as they are in memory",
        unit="GB",
        ours=gigabytes,
        limit=weights / 10**9,
        aims=(at_most(aim, "limit"),),
    )


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
def peak_memory() -> Generator[_Peak]:
    """Yield the process's maximum memory from here on."""
    peak = _Peak()
    thread = threading.Thread(target=peak.sample)
    thread.start()
    try:
        yield peak
    finally:
        peak.done.set()
        thread.join()
