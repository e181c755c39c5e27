"""Models on this machine: a worker thread a device, each with its own queue and its own loaded models."""

from __future__ import annotations

import asyncio
import gc

from inference.backends.base import Listener, ModelStatus, QueueStatus
from inference.backends.job import LocalJob
from inference.backends.models import Models
from inference.backends.worker import DeviceWorker
from inference.config import Config
from inference.errors import ModelUnavailable
from inference.hub import Hub
from inference.types import TASKS, ModelSpec, Request


class LocalBackend:
    """Implements `Backend` with thread pool executors. torch is imported on a worker's thread, at its first use."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._hub = Hub(config)
        self._workers: dict[str, DeviceWorker] = {}

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener) -> LocalJob:
        job = LocalJob(spec, request, listener, asyncio.get_running_loop())
        self._worker(spec.device).submit(job)
        return job

    def queues(self) -> list[QueueStatus]:
        return [worker.status() for worker in self._workers.values()]

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        return await asyncio.to_thread(lambda: [self._status(spec) for spec in specs])

    def problems(self) -> list[str]:
        """What in the config this machine can't do, each with its place in the file.

        Blocks for seconds, since it imports torch: call it before the event loop runs, or in a thread.
        """
        found: list[str] = []
        for task in TASKS:
            for i, spec in enumerate(self._config.specs(task)):
                try:
                    self._worker(spec.device).check(spec)
                except ModelUnavailable as error:
                    found.append(f"models.{task}[{i}] ({spec.name}): {error.user_message}")
        # What torch and transformers brought is here to stay: the garbage collector, which stops every
        # thread while it looks, need not look at it again.
        gc.collect()
        gc.freeze()
        return found

    async def close(self) -> None:
        await asyncio.gather(*(asyncio.to_thread(worker.close) for worker in self._workers.values()))

    def _worker(self, device: str) -> DeviceWorker:
        if device not in self._workers:
            self._workers[device] = DeviceWorker(device, self._config.limits, Models(device, self._config, self._hub))
        return self._workers[device]

    def _status(self, spec: ModelSpec) -> ModelStatus:
        loaded = self._workers[spec.device].loaded_bytes(spec) if spec.device in self._workers else None
        if loaded is not None:
            return ModelStatus(spec, "loaded", loaded)
        state, nbytes = self._hub.state(spec)
        return ModelStatus(spec, state, nbytes)
