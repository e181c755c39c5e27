"""The backend for this machine: one worker thread per device, each with its own queue and loaded models."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial

from inference.backends.backend import Listener, ModelStatus, QueueStatus, listed_problems
from inference.backends.device_worker import DeviceWorker
from inference.backends.local_job import LocalJob
from inference.backends.model_check import ModelCheck, known_device_type, surely_fits
from inference.backends.model_manager import ModelManager
from inference.backends.usage_record import UsageRecord
from inference.backends.verdicts import Verdicts
from inference.config.schema import Config
from inference.hub import check_folder
from inference.hub.download_progress import ignore_progress
from inference.hub.hub import Hub
from inference.limits import is_on_cluster
from inference.pipelines.compatibility import compatible_family
from inference.pipelines.pipeline import wrap_library_errors
from inference.pipelines.registry import family_of
from inference.pipelines.torch_import import import_without_pauses
from inference.scheduling.use_elsewhere import UseElsewhere
from inference.tasks import Request
from inference.types import Loading, LoadProgress, ModelSpec
from inference.types.errors import InferenceError, ModelUnavailable, OutOfMemory, RequestCancelled
from inference.types.observations import DeviceUsed, Observer


class LocalBackend:
    """Implements `Backend` with thread pool executors.

    torch is imported when a device is first looked for, on a thread. Model files are downloaded on separate threads, so
    that a long download only delays requests for that model.
    """

    def __init__(
        self,
        config: Config,
        hub: Hub | None = None,
        observe: Observer = lambda _: None,
        usage: UsageRecord | None = None,
    ) -> None:
        self._config = config
        self._observe = observe
        self._check = ModelCheck(config)
        self._hub = hub or Hub(config, check=self._check)
        self._verdicts = Verdicts(config.data / "verdicts.json")
        self._usage = usage or UsageRecord(config.data / "usage.json")
        self._workers: dict[str, DeviceWorker] = {}
        self._devices: dict[str, str] = {}
        """The device for each device name of the config that was looked for."""
        self._refused: dict[ModelSpec, str] = {}
        """Why the device of a model can't run it, as found by `device_problems`."""
        self._on_disk: set[ModelSpec] = set()
        self._answers_about_pictures: dict[ModelSpec, bool | None] = {}
        self._downloading: dict[ModelSpec, list[LocalJob]] = {}
        self._download_executor = ThreadPoolExecutor(2, thread_name_prefix="fetch")
        self._device_finder = ThreadPoolExecutor(1, thread_name_prefix="devices")
        """Imports torch to find devices, without waiting for downloads."""
        self._tasks: set[asyncio.Task[None]] = set()
        self._closing = False
        self._paused = False
        self._elsewhere = UseElsewhere()
        self._making_worker = threading.Lock()

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str = "") -> LocalJob:
        job = LocalJob(spec, request, listener, asyncio.get_running_loop(), request_id)
        if spec in self._on_disk:
            self._worker(spec.device).submit(job)
        elif spec in self._downloading:
            self._downloading[spec].append(job)
        else:
            self._downloading[spec] = [job]
            task = asyncio.create_task(self._download(spec))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        return job

    def queues(self) -> list[QueueStatus]:
        return [worker.status() for worker in list(self._workers.values())]

    def queue(self, spec: ModelSpec) -> QueueStatus | None:
        worker = self._worker_of(spec)
        return worker.status() if worker else QueueStatus(spec.device, 0, 0, 0.0)

    def expected_seconds(self, spec: ModelSpec, request: Request) -> float | None:
        worker = self._worker_of(spec)
        return worker.expected_seconds(spec, request) if worker else None

    def placements(self, spec: ModelSpec) -> list[ModelSpec]:
        return [spec]

    def loaded(self, spec: ModelSpec) -> bool:
        worker = self._worker_of(spec)
        return worker is not None and worker.loaded_bytes(spec) is not None

    def answers_about_pictures(self, spec: ModelSpec) -> bool | None:
        # `problems` has looked at every listed model, except on the command line.
        if spec not in self._answers_about_pictures:
            self._look_at_family(spec)
        return self._answers_about_pictures[spec]

    async def require_device(self, spec: ModelSpec) -> None:
        """Do nothing: a request looks for its device itself."""

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        return await asyncio.to_thread(lambda: [self._status(spec) for spec in specs])

    def problems(self) -> list[str]:
        """Return what the files of the models rule out, each with its position in the file, ordered by line.

        torch is not imported, except for a model of which it alone can say whether it is read here.
        """
        return listed_problems(self._config, _is_local, self._file_refusals)

    def device_problems(self, *, probe: bool = False) -> list[str]:
        """Return what the devices lack for the models, each with its position in the file, ordered by line.

        Import torch and the code of each model on disk. With `probe`, load each language model once whose kind of
        attention was not compared yet, and do no more for the others than is needed to be sure. Blocks for seconds:
        call it before the event loop runs, or in a thread.
        """
        refused, config = self._refused, self._config  # `apply` may replace both meanwhile
        refused.clear()

        def refusals(spec: ModelSpec) -> list[str]:
            found = [] if probe and self._is_known(spec) else self._device_refusals(spec, config, probe=probe)
            if found:
                refused[spec] = " ".join(found)
            return found

        return listed_problems(config, _is_local, refusals, _why_no_device)

    async def problems_of(self, config: Config) -> list[str]:
        def refusals(spec: ModelSpec) -> list[str]:
            return [*self._file_refusals(spec), *self._device_refusals(spec, config, probe=False)]

        return await asyncio.to_thread(listed_problems, config, _is_local, refusals, _why_no_device)

    def apply(self, config: Config) -> None:
        self._config = config
        self._refused = {}  # it has no problems
        self._check.config = config
        self._hub.may_download = config.download
        for worker in list(self._workers.values()):
            worker.apply(config)

    def pause(self, paused: bool) -> None:
        with self._making_worker:  # so that one that is made meanwhile is paused too
            self._paused = paused
            for worker in self._workers.values():
                worker.pause(paused)

    async def load(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        await self._fetch(spec, on_progress)
        await self._require_device(spec)
        await asyncio.wrap_future(self._worker(spec.device).load(spec, on_progress))

    async def unload(self, spec: ModelSpec) -> bool:
        worker = self._worker_of(spec)
        return worker is not None and await asyncio.wrap_future(worker.unload(spec))

    async def download(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        await self._fetch(spec, on_progress, asked=True)

    def seconds_per_work(self) -> dict[str, float]:
        """Return the seconds that a unit of work takes, by kind, as far as the devices have learned it."""
        workers = list(self._workers.values())
        return {kind: seconds for worker in workers for kind, seconds in worker.seconds_per_work().items()}

    async def refusals(self, spec: ModelSpec) -> list[str]:
        """Return why this machine can't run the model. Reads the disk and imports torch, on a thread."""

        def find() -> list[str]:
            return self._file_refusals(spec) or self._device_refusals(spec, self._config, probe=False)

        return await asyncio.to_thread(find)

    def charge(self, use: DeviceUsed) -> None:
        with self._making_worker:  # a worker that is being made counts this use exactly once
            self._elsewhere.add(use)
            for worker in self._workers.values():
                if worker.device != use.device:
                    worker.charge(use)

    async def forget_owner(self, owner: str) -> None:
        with self._making_worker:
            self._elsewhere.forget(owner)
            for worker in self._workers.values():
                worker.forget_owner(owner)
        await asyncio.to_thread(self._usage.forget, owner)

    async def close(self) -> None:
        self._closing = True
        await asyncio.gather(*self._tasks)
        await asyncio.gather(*(asyncio.to_thread(worker.close) for worker in list(self._workers.values())))

    def _file_refusals(self, spec: ModelSpec) -> list[str]:
        """Return why the files of the model can't be used here."""
        by_path = replace(spec, name=spec.repo)  # the operator looks for the folder
        if refusals := _refusal(lambda: check_folder(by_path)):
            return refusals
        self._look_at_family(spec)
        return _refusal(lambda: self._check_family(spec))

    def _check_family(self, spec: ModelSpec) -> None:
        with wrap_library_errors(loading=spec.name):
            if self._hub.state(spec)[0] == "on disk":
                compatible_family(spec, self._hub.folder(spec, ignore_progress), known_device_type(spec))

    def _device_refusals(self, spec: ModelSpec, config: Config, *, probe: bool) -> list[str]:
        """Return why the device can't run the model. One whose files can't be used is not tried on it."""
        if self._closing:
            return []
        refusals = _refusal(lambda: self._find_device(spec))
        if refusals or self._file_refusals(spec):
            return refusals
        return _refusal(lambda: self._worker(spec.device).check(spec, config, probe=probe))

    def _is_known(self, spec: ModelSpec) -> bool:
        """Return whether the files and the kept verdict say all that there is to know about the model on its device."""
        state, nbytes = self._hub.state(spec)
        if state == "not downloaded" or self._file_refusals(spec):
            return spec.device in ("auto", "cpu")
        folder = self._hub.folder(spec, ignore_progress)
        is_probed = family_of(spec, folder).probed
        return surely_fits(spec, folder, nbytes, self._config) and bool(not is_probed or self._way(spec))

    def _find_device(self, spec: ModelSpec) -> None:
        """Find the model's device, which needs torch. Raise ModelUnavailable or OutOfMemory."""
        if spec.device not in self._devices:
            with wrap_library_errors(loading=spec.name):
                import_without_pauses("torch")
                from inference.pipelines.devices import find_device

                self._devices[spec.device] = str(find_device(spec.device))

    def _look_at_family(self, spec: ModelSpec) -> None:
        """Remember whether the model answers questions about pictures, if its files are on disk."""
        answers = None
        if self._hub.state(spec)[0] == "on disk":
            answers = False
            with suppress(ModelUnavailable), wrap_library_errors(loading=spec.name):
                answers = family_of(spec, self._hub.folder(spec, ignore_progress)).answers_about_pictures
        self._answers_about_pictures[spec] = answers

    async def _download(self, spec: ModelSpec) -> None:
        """Download the model's files if needed, then queue all jobs that wait for them."""
        jobs = self._downloading[spec]

        def tell(fraction: float | None) -> None:
            for job in list(jobs):
                job.emit(Loading(fraction))

        failure: InferenceError | None = None
        try:
            await self._fetch(spec, tell)
            await self._require_device(spec)
            self._on_disk.add(spec)
        except InferenceError as error:
            failure = error
        finally:
            del self._downloading[spec]
        for job in jobs:
            if not job.cancelled:
                self._submit_or_fail(job, failure)

    async def _fetch(self, spec: ModelSpec, on_progress: LoadProgress, *, asked: bool = False) -> None:
        """Find or download the files on another thread; `asked` as below. Raise ModelUnavailable."""
        find = partial(self._find_or_download, spec, on_progress, asked=asked)
        await asyncio.get_running_loop().run_in_executor(self._download_executor, find)

    def _find_or_download(self, spec: ModelSpec, on_progress: LoadProgress, *, asked: bool) -> None:
        """Find or download the files. Goes on if the callers leave: otherwise large models would never be complete.

        If the operator has `asked` for it, missing files are downloaded even if the config says that nothing is.
        """

        def report_progress(fraction: float | None) -> None:
            if self._closing:
                raise RequestCancelled("The bot is stopping.")
            on_progress(fraction)

        with wrap_library_errors(loading=spec.name):
            missing = asked and self._hub.state(spec)[0] == "not downloaded"
            (self._hub.download if missing else self._hub.folder)(spec, report_progress)
        if spec in self._answers_about_pictures:  # it may have been looked at before there were files
            self._look_at_family(spec)

    def _submit_or_fail(self, job: LocalJob, failure: InferenceError | None) -> None:
        try:
            if failure:
                raise failure
            self._worker(job.spec.device).submit(job)
        except InferenceError as error:
            job.fail(error)

    async def _require_device(self, spec: ModelSpec) -> None:
        """Find the model's device, on another thread. Raise ModelUnavailable or OutOfMemory."""
        await asyncio.get_running_loop().run_in_executor(self._device_finder, self._find_device, spec)

    def _worker_of(self, spec: ModelSpec) -> DeviceWorker | None:
        """Return the worker of the model's device, if it was found and has worked."""
        return self._workers.get(self._devices.get(spec.device, ""))

    def _worker(self, name: str) -> DeviceWorker:
        """Return the worker of a device that was found, by its name in the config. May be called on any thread."""
        device = self._devices[name]
        with self._making_worker:
            if device not in self._workers:
                worker = DeviceWorker(
                    device,
                    self._config.limits,
                    ModelManager(device, self._config, self._hub, self._observe),
                    self._elsewhere.added_to(self._usage.state(device)),
                    partial(self._usage.keep, device),
                    self._observe,
                )
                worker.pause(self._paused)
                self._workers[device] = worker
        return self._workers[device]

    def _status(self, spec: ModelSpec) -> ModelStatus:
        worker = self._worker_of(spec)
        loaded = worker.loaded_bytes(spec) if worker else None
        card, (state, nbytes) = self._hub.card(spec), self._hub.state(spec)
        way = self._way(spec) if state == "on disk" else ""
        way = way or (worker.chosen_options(spec) if worker else "")
        if loaded is not None:
            return ModelStatus(spec, "loaded", loaded, card, way)
        return ModelStatus(spec, state, nbytes, card, way, self._refused.get(spec, ""))

    def _way(self, spec: ModelSpec) -> str:
        """Return how a language model writes several texts; empty if it was not probed."""
        if spec.task == "caption":
            return ""
        try:
            return self._verdicts.way(spec, self._hub.folder(spec, ignore_progress))
        except ModelUnavailable:
            return ""


def _is_local(spec: ModelSpec) -> bool:
    return spec.server is None and not is_on_cluster(spec.device)


def _why_no_device(spec: ModelSpec) -> str:
    """Return that the model's device is not on this machine, and which ones are; empty if it is.

    torch is imported only for devices that a machine may lack. If that fails, the models are refused for it.
    """
    if spec.device in ("auto", "cpu"):
        return ""
    with suppress(ModelUnavailable, OutOfMemory), wrap_library_errors(loading=spec.name):
        import_without_pauses("torch")
        from inference.pipelines.devices import present_devices

        present = present_devices()
        if spec.device not in (*present, *(device.partition(":")[0] for device in present)):
            names = ", ".join(present)
            return f"{spec.device} is not on this machine, which has {names}. Name one of these, or write auto."
    return ""


def _refusal(check: Callable[[], None]) -> list[str]:
    """Return why the model can't be used, if `check` raises that; an empty list otherwise."""
    try:
        check()
    except (ModelUnavailable, OutOfMemory) as error:
        return [error.user_message]
    return []
