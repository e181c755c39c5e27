"""Models on this machine: a worker thread a device, each with its own queue and its own loaded models."""

from __future__ import annotations

import asyncio
import gc
from concurrent.futures import ThreadPoolExecutor

from inference.backends.backend import Listener, ModelStatus, QueueStatus
from inference.backends.device_worker import DeviceWorker
from inference.backends.local_job import LocalJob
from inference.backends.model_manager import ModelManager
from inference.config.schema import Config
from inference.hub import Hub
from inference.pipelines.pipeline import wrap_library_errors
from inference.tasks import TASK_NAMES, Request
from inference.types import Loading, ModelSpec
from inference.types.errors import InferenceError, ModelUnavailable, RequestCancelled


class LocalBackend:
    """Implements `Backend` with thread pool executors.

    torch is imported on a worker's thread, at its first use. Missing model files are fetched by threads of
    their own, so that a long download holds up nobody but those who wait for that model.
    """

    def __init__(self, config: Config, hub: Hub | None = None) -> None:
        self._config = config
        self._hub = hub or Hub(config)
        self._workers: dict[str, DeviceWorker] = {}
        self._devices: dict[str, str] = {}
        """What each device name of the config stands for, once `problems` has looked."""
        self._on_disk: set[ModelSpec] = set()
        self._fetching: dict[ModelSpec, list[LocalJob]] = {}
        self._fetchers = ThreadPoolExecutor(2, thread_name_prefix="fetch")
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener) -> LocalJob:
        job = LocalJob(spec, request, listener, asyncio.get_running_loop())
        if spec in self._on_disk:
            self._worker(spec.device).submit(job)
        elif spec in self._fetching:
            self._fetching[spec].append(job)
        else:
            self._fetching[spec] = [job]
            task = asyncio.create_task(self._fetch(spec))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return job

    def queues(self) -> list[QueueStatus]:
        return [worker.status() for worker in self._workers.values()]

    def loaded(self, spec: ModelSpec) -> bool:
        worker = self._workers.get(self._devices.get(spec.device, spec.device))
        return worker is not None and worker.loaded_bytes(spec) is not None

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        return await asyncio.to_thread(lambda: [self._status(spec) for spec in specs])

    def problems(self) -> list[str]:
        """What in the config this machine can't do, each with its place in the file.

        Blocks for seconds, since it imports torch: call it before the event loop runs, or in a thread.
        """
        from inference.pipelines.devices import find_device

        found: list[str] = []
        for task in TASK_NAMES:
            for i, spec in enumerate(self._config.specs(task)):
                try:
                    self._devices[spec.device] = str(find_device(spec.device))
                    self._worker(spec.device).check(spec)
                except ModelUnavailable as error:
                    found.append(f"models.{task}[{i}] ({spec.name}): {error.user_message}")
        # What torch and transformers brought is here to stay: the garbage collector, which stops every
        # thread while it looks, need not look at it again.
        gc.collect()
        gc.freeze()
        return found

    async def close(self) -> None:
        self._closing = True
        await asyncio.gather(*self._tasks)
        await asyncio.gather(*(asyncio.to_thread(worker.close) for worker in self._workers.values()))

    async def _fetch(self, spec: ModelSpec) -> None:
        """Have the model's files on disk, then queue everybody who asked for it meanwhile."""
        loop, jobs = asyncio.get_running_loop(), self._fetching[spec]
        try:
            await loop.run_in_executor(self._fetchers, self._find_or_download, spec, jobs)
            self._on_disk.add(spec)
            failure = None
        except InferenceError as error:
            failure = error
        del self._fetching[spec]
        for job in jobs:
            self._submit(job, failure)

    def _find_or_download(self, spec: ModelSpec, jobs: list[LocalJob]) -> None:
        """Goes on when the callers have gone, or the largest models would never be here."""

        def tell(fraction: float | None) -> None:
            if self._closing:
                raise RequestCancelled("The bot is stopping.")
            for job in list(jobs):
                job.emit(Loading(fraction))

        with wrap_library_errors(loading=spec.name):
            self._hub.folder(spec, tell)

    def _submit(self, job: LocalJob, failure: InferenceError | None) -> None:
        try:
            if failure:
                raise failure
            self._worker(job.spec.device).submit(job)
        except InferenceError as error:
            job.fail(error)

    def _worker(self, name: str) -> DeviceWorker:
        device = self._devices.get(name, name)
        if device not in self._workers:
            self._workers[device] = DeviceWorker(
                device, self._config.limits, ModelManager(device, self._config, self._hub)
            )
        return self._workers[device]

    def _status(self, spec: ModelSpec) -> ModelStatus:
        worker = self._workers.get(self._devices.get(spec.device, spec.device))
        loaded = worker.loaded_bytes(spec) if worker else None
        card = self._hub.card(spec)
        if loaded is not None:
            return ModelStatus(spec, "loaded", loaded, card)
        state, nbytes = self._hub.state(spec)
        return ModelStatus(spec, state, nbytes, card)
