"""The backend for the devices of a Ray cluster. Nothing of it needs torch, or Ray in this process."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from typing import Any

from inference.backends.backend import Listener, ModelStatus, QueueStatus, listed_problems
from inference.backends.local_job import kind_of
from inference.backends.ray.cluster_link import ClusterLink
from inference.backends.ray.cluster_nodes import ClusterNodes
from inference.backends.ray.messages import DeviceState, local_name, place_of
from inference.backends.ray.remote_job import RemoteJob
from inference.config.schema import Config
from inference.limits import WHOLE_CLUSTER, is_on_cluster
from inference.scheduling.scheduler import queue_is_full, too_many_requests
from inference.serialization import from_json, to_json
from inference.tasks import Request
from inference.types import LoadProgress, ModelSpec
from inference.types.errors import DeviceLost, GenerationFailed, InferenceError, ModelUnavailable, RequestCancelled
from inference.types.observations import DeviceUsed, Observation, Observer

log = logging.getLogger(__name__)

_SECONDS_FOR_DEVICES = 60.0
"""How long a check waits for an answer of the cluster, and of its devices that the settings name."""


class RayBackend:
    """Implements `Backend` for models whose device is on the cluster. It connects at first use.

    Each device has the queue and the thread of a `LocalBackend` on its own machine. What is known of it here is its
    last report. All methods may be called on any thread, but `schedule`.
    """

    def __init__(self, config: Config, observe: Observer = lambda _: None) -> None:
        self._config = config
        self._observe = observe
        self._link: ClusterLink | None = None
        self._nodes: ClusterNodes | None = None
        """What the cluster has; None as long as there is no connection."""
        self._devices: dict[str, DeviceState] = {}
        """The devices that have answered."""
        self._away: dict[str, str] = {}
        """Why a device, or the whole cluster, is away."""
        self._jobs: dict[RemoteJob, None] = {}
        self._picture_answers: dict[ModelSpec, bool | None] = {}
        """What a device has said about `answers_about_pictures`."""
        self._refused: dict[ModelSpec, str] = {}
        self._paused = False
        self._closed = False
        self._changed = threading.Condition()
        """Guards what is known of the devices; notified when a device has come or gone."""

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str = "") -> RemoteJob:
        self._require_room(spec, request)
        job = RemoteJob(spec, request, listener, self._call_for_job, self._forget_job)
        with self._changed:
            self._jobs[job] = None

        def arguments() -> list[Any]:
            return [to_json(spec), to_json(request), request_id]

        job.call = self._connected().call(spec.device, "run", arguments, job.on_frame)
        return job

    def queues(self) -> list[QueueStatus]:
        return [status for name in list(self._devices) if (status := self._queue(name))]

    def queue(self, spec: ModelSpec) -> QueueStatus | None:
        self._connected()
        return self._queue(spec.device)

    def expected_seconds(self, spec: ModelSpec, request: Request) -> float | None:
        state = self._devices.get(spec.device)
        kind = kind_of(replace(spec, device=local_name(spec.device)), request)
        rate = dict(state.seconds_per_work).get(kind) if state else None
        return None if rate is None else rate * request.work

    def placements(self, spec: ModelSpec) -> list[ModelSpec]:
        if spec.device != WHOLE_CLUSTER:
            return [spec]
        self._connected()
        return [replace(spec, device=name, pool=()) for name in sorted(self._devices)]

    def loaded(self, spec: ModelSpec) -> bool:
        state = self._devices.get(spec.device)
        return state is not None and any(name == spec.name for name, _ in state.queue.loaded)

    def answers_about_pictures(self, spec: ModelSpec) -> bool | None:
        if spec not in self._picture_answers and spec.device in self._devices:
            self._picture_answers[spec] = None
            asked = self._call_device(spec.device, "answers_about_pictures", spec)
            asked.add_done_callback(lambda future: self._picture_answers.update({spec: _result_or_none(future)}))
        return self._picture_answers.get(spec)

    async def require_device(self, spec: ModelSpec) -> None:
        self._connected()
        await asyncio.to_thread(self._wait_for, {spec.device}, lambda: self._is_there(spec))
        if not self._is_there(spec):
            reason = self._why_away(spec.device)
            raise ModelUnavailable(reason)

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        return list(await asyncio.gather(*map(self._status, specs)))

    def problems(self) -> list[str]:
        return []

    def device_problems(self, *, probe: bool = False) -> list[str]:
        return self._find_problems(self._config)

    async def problems_of(self, config: Config) -> list[str]:
        if config.ray != self._config.ray:
            return []  # it is known when it is connected
        return await asyncio.to_thread(self._find_problems, config)

    def apply(self, config: Config) -> None:
        previous, self._config = self._config, config
        self._refused = {}
        if self._link and config.ray == previous.ray:
            self._link.configure(config)
        elif self._link:
            threading.Thread(target=self._link.close).start()
            self._link = None
            self._on_lost("The settings name another cluster.")

    def pause(self, paused: bool) -> None:
        self._paused = paused
        self._call_all_devices("pause", paused)

    def charge(self, use: DeviceUsed) -> None:
        if use.device:  # otherwise the process that observed it has told the cluster, which both share
            self._call_all_devices("charge", use, but=use.device)

    async def load(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        await asyncio.wrap_future(self._call_device(spec.device, "load", spec))

    async def unload(self, spec: ModelSpec) -> bool:
        return await asyncio.wrap_future(self._call_device(spec.device, "unload", spec))

    async def download(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        await asyncio.wrap_future(self._call_device(spec.device, "download", spec))

    async def forget_owner(self, owner: str) -> None:
        self._call_all_devices("forget", owner)

    async def close(self) -> None:
        for job in list(self._jobs):
            job.fail(RequestCancelled("The bot is stopping."))
        with self._changed:
            self._closed = True
            self._changed.notify_all()  # a check may wait for devices
        if self._link:
            await asyncio.to_thread(self._link.close)

    def _connected(self) -> ClusterLink:
        with self._changed:
            if self._link is None:
                self._link = ClusterLink(self._config, self._on_frame, self._on_lost)
            return self._link

    def _on_frame(self, frame: dict[str, Any]) -> None:
        """Note what the connector says of the nodes, or of a device."""
        if "nodes" in frame:
            self._take_nodes(ClusterNodes(frame["nodes"]))
            return
        if "gone" in frame:
            with self._changed:
                self._devices.pop(frame["gone"], None)
                self._away[frame["gone"]] = frame["why"]
                self._changed.notify_all()
            log.warning("the device %s of the cluster is away: %s", frame["gone"], frame["why"])
            return
        name = frame["device"]
        state, *items = from_json(frame["state"], tuple)
        with self._changed:
            is_new = name not in self._devices
            self._devices[name] = state
            self._away.pop(name, None)
            self._changed.notify_all()
        if is_new:
            log.info("the device %s of the cluster is there", name)
            if self._paused:
                self._call_device(name, "pause", True)
        for item in items:
            self._take(name, item)

    def _take_nodes(self, nodes: ClusterNodes) -> None:
        known = self._nodes.devices if self._nodes else []
        with self._changed:
            self._nodes = nodes
            for name in {WHOLE_CLUSTER, *nodes.devices}.difference(known):
                self._away.pop(name, None)
            self._changed.notify_all()

    def _take(self, name: str, item: Observation | str) -> None:
        """Pass on what was observed on a device, or a line of its log."""
        if isinstance(item, str):
            log.warning("on %s: %s", name, item)
        else:
            self._observe(item)

    def _on_lost(self, reason: str) -> None:
        with self._changed:
            self._nodes, self._devices = None, {}
            self._away = {WHOLE_CLUSTER: reason}
            self._changed.notify_all()

    def _require_room(self, spec: ModelSpec, request: Request) -> None:
        """Raise Overloaded if the device's queue, or the owner's part of it, is full."""
        limits, queue = self._config.limits, self._queue(spec.device)
        here = [job for job in list(self._jobs) if job.device == spec.device]
        wait = (queue.eta if queue else None) or 60.0
        if request.limited and queue and queue.waiting + queue.running >= limits.queue:
            raise queue_is_full(wait)
        own = sum(job.request.owner == request.owner for job in here)
        if request.owner and own >= limits.per_person:
            raise too_many_requests(limits.per_person, wait)

    def _queue(self, name: str) -> QueueStatus | None:
        """Return the last reported queue of a device, with the requests that it has not reported yet."""
        if not (state := self._devices.get(name)):
            return None
        queue = state.queue
        here = [job for job in list(self._jobs) if job.device == name]
        unreported = here[queue.waiting + queue.running :]
        seconds = [self.expected_seconds(job.spec, job.request) for job in unreported]
        known = queue.eta is not None and None not in seconds
        eta = (queue.eta or 0.0) + sum(each or 0.0 for each in seconds) if known else None
        return replace(queue, waiting=queue.waiting + len(unreported), eta=eta)

    def _forget_job(self, job: RemoteJob) -> None:
        with self._changed:
            self._jobs.pop(job, None)

    def _call_for_job(self, job: RemoteJob, method: str) -> Future[Any]:
        """Call a method of a device about one of its requests."""
        return self._ask(job.device, method, lambda: [job.call], lambda result: result)

    def _call_all_devices(self, method: str, argument: Any, but: str = "") -> None:
        for name in list(self._devices):
            if name != but:
                self._call_device(name, method, argument)

    def _call_device(self, device: str, method: str, argument: Any) -> Future[Any]:
        """Let the backend of a device do something. The future has what it returned, or its error."""
        return self._ask(device, "call_backend", lambda: [method, to_json(argument)], _read)

    def _ask(
        self, device: str, method: str, arguments: Callable[[], list[Any]], read: Callable[[Any], Any]
    ) -> Future[Any]:
        future: Future[Any] = Future()

        def answer(frame: dict[str, Any]) -> bool:
            match frame:
                case {"result": result}:
                    value = read(result)
                case {"failed": str(failure)}:
                    value = GenerationFailed("The device {device} failed. Look at the log.", device=device)
                    log.error("error %s: on %s: %s", value.error_id, device, failure)
                case _:
                    value = DeviceLost("The device {device} has gone.", device=device)
            if isinstance(value, InferenceError):
                future.set_exception(value)
            else:
                future.set_result(value)
            return True

        self._connected().call(device, method, arguments, answer)
        return future

    async def _status(self, spec: ModelSpec) -> ModelStatus:
        self._connected()
        if spec.device not in self._devices:
            return ModelStatus(spec, "device away", 0, problem=self._why_away(spec.device))
        try:
            (status,) = await asyncio.wrap_future(self._call_device(spec.device, "statuses", (spec,)))
        except InferenceError as error:
            return ModelStatus(spec, "device away", 0, problem=error.user_message)
        return replace(status, spec=spec, problem=status.problem or self._refused.get(spec, ""))

    def _why_away(self, name: str) -> str:
        """Return why a device can't be used now; of the whole cluster, why none of its devices can."""
        if lost := self._away.get(WHOLE_CLUSTER):
            return lost
        if self._nodes is None:
            return f"The Ray cluster {place_of(self._config.ray)} has not answered yet. Check the address, and the log."
        if missing := self._nodes.why_missing(name):
            return missing
        names = self._nodes.devices if name == WHOLE_CLUSTER else [name]
        reasons = [self._away.get(each, "It has not answered yet. Try again in a minute.") for each in names]
        return " ".join(f"{each} is away. {reason}" for each, reason in zip(names, reasons, strict=True))

    def _find_problems(self, config: Config) -> list[str]:
        """Return what the devices of the cluster lack for the models in `config`. Waits for them."""
        named = {placed.device for _, spec in config.listed() for placed in spec.placements if _belongs_here(placed)}
        if not named:
            return []
        self._connected()
        self._wait_for(named)

        if self._nodes is None:
            return [config.problem(("ray",), self._why_away(WHOLE_CLUSTER))]

        def refusals(spec: ModelSpec) -> list[str]:
            return [refusal for placed in self.placements(spec) for refusal in self._refusals(placed)]

        def why_no_device(spec: ModelSpec) -> str:
            return "" if self._is_there(spec) else self._why_away(spec.device)

        return listed_problems(config, _belongs_here, refusals, why_no_device)

    def _is_there(self, spec: ModelSpec) -> bool:
        """Return whether a device of the model has answered."""
        return any(placed.device in self._devices for placed in self.placements(spec))

    def _wait_for(self, names: set[str], is_enough: Callable[[], bool] = lambda: False) -> None:
        """Wait until these devices have answered, or are known not to be there, or until it `is_enough`."""

        def answered() -> bool:
            if self._closed or WHOLE_CLUSTER in self._away or is_enough():
                return True
            if self._nodes is None:
                return False
            there = set(self._nodes.devices)
            awaited = there if WHOLE_CLUSTER in names else there & names
            return awaited <= {*self._devices, *self._away}

        with self._changed:
            if not answered():
                log.info("waiting at most a minute for the Ray cluster %s", place_of(self._config.ray))
            self._changed.wait_for(answered, _SECONDS_FOR_DEVICES)

    def _refusals(self, spec: ModelSpec) -> list[str]:
        if spec.device not in self._devices:
            return []  # its device is told of
        try:
            found = [
                f"On {spec.device}: {refusal}" for refusal in self._call_device(spec.device, "check", spec).result()
            ]
        except InferenceError as error:
            found = [f"On {spec.device}: {error.user_message}"]
        self._refused[spec] = " ".join(found)
        return found


def _read(text: str) -> object:
    return from_json(text, object)


def _belongs_here(spec: ModelSpec) -> bool:
    return spec.server is None and is_on_cluster(spec.device)


def _result_or_none(future: Future[Any]) -> bool | None:
    return None if future.exception() else future.result()
