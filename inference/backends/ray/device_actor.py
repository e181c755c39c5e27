"""A device of a cluster: an actor that holds the backend of its machine for that one device.

It runs in a process that Ray starts on the device's machine. All of it happens on the event loop of that process, but
what `LocalBackend` does on threads.
"""

from __future__ import annotations

import asyncio
import logging
import pickle
import tempfile
from collections import deque
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from getpass import getuser
from pathlib import Path
from typing import Any

from inference.backends.backend import DeviceTicket, QueueStatus
from inference.backends.local import LocalBackend
from inference.backends.ray.messages import DeviceState, Ended, code_version
from inference.config.schema import Config
from inference.serialization import from_json, to_json
from inference.tasks import Request
from inference.types import Event, ModelSpec, PartialText, Result
from inference.types.errors import InferenceError
from inference.types.observations import DeviceUsed, Observation

_Events = asyncio.Queue[Event | InferenceError | None]
"""The events of a request; None if the bot does not want any more."""

_MOST_EARLY = 1_000
_MOST_OBSERVED = 10_000

_STATE_PAUSE = 0.1
"""The least time in seconds between two reports of the device's state."""


class DeviceActor:
    """Runs requests on the device `local_name` of this machine, which the bot knows as `name`.

    Everything that it takes and gives is JSON of `inference.serialization`, but the config, which is pickled.
    """

    def __init__(self, name: str, local_name: str, config: bytes, threads: int) -> None:
        self._name = name
        self._local_name = local_name
        self._threads = threads
        self._loop = asyncio.get_event_loop()
        logging.getLogger().addHandler(_ToBots(self._report))
        self._backend = LocalBackend(self._local_config(config), observe=self._observe)
        self._calls: dict[str, tuple[DeviceTicket, _Events]] = {}
        self._watchers: dict[str, _Watcher] = {}
        """Those who watch the device, by the bot that each belongs to."""
        self._bots: dict[str, str] = {}
        """The bot that an owner's last request came from."""
        self._cancelled_early: deque[str] = deque(maxlen=_MOST_EARLY)
        """Calls that were cancelled before they began: Ray does not keep the order of calls."""

    async def version(self) -> str:
        """Return the version of this machine's code. torch is imported before, so that the first request is quick."""
        await asyncio.to_thread(_set_threads, self._threads)
        return code_version()

    async def run(self, bot: str, call: str, spec: str, request: str, request_id: str) -> AsyncGenerator[str]:
        """Yield the events of a request, several at once if they come fast. The last one is `Ended`."""
        if call in self._cancelled_early:
            yield to_json((Ended(),))
            return
        events: _Events = asyncio.Queue()
        model, parsed = self._local_spec(from_json(spec, ModelSpec)), from_json(request, Request)
        self._bots[parsed.owner] = bot
        try:
            ticket = self._backend.schedule(model, parsed, events.put_nowait, request_id)
        except InferenceError as error:
            yield to_json((error, Ended()))
            return
        self._calls[call] = ticket, events
        try:
            while True:
                self._notify_watchers()
                ready, has_ended = await _ready(events)
                if has_ended:
                    yield await asyncio.to_thread(to_json, (*ready, Ended(units=ticket.units)))
                    return
                yield to_json(tuple(ready))
        finally:
            ticket.cancel()
            del self._calls[call]
            self._notify_watchers()

    async def cancel(self, call: str) -> None:
        if known := self._calls.get(call):
            ticket, events = known
            ticket.cancel()
            events.put_nowait(None)
        else:
            self._cancelled_early.append(call)

    async def withdraw(self, call: str) -> bool:
        """Take a request out of the queue. Return False if it goes on, or has ended."""
        if not (known := self._calls.get(call)):
            return False
        ticket, events = known
        if withdrawn := await ticket.withdraw():
            events.put_nowait(None)
        return withdrawn

    async def call_backend(self, method: str, argument: str) -> str:
        """Do what the bot tells a backend, and return the result, or the error."""
        try:
            return to_json(await self._do(method, from_json(argument, object)))
        except InferenceError as error:
            return to_json(error)

    async def configure(self, config: bytes) -> None:
        """Use these settings from now on."""
        self._backend.apply(self._local_config(config))

    async def watch(self, bot: str) -> AsyncGenerator[str]:
        """Yield the state of the device, now and after each change, with what was observed meanwhile."""
        watcher = self._watchers[bot] = _Watcher()
        try:
            while True:
                yield to_json((self._state(), *watcher.take()))
                await asyncio.sleep(_STATE_PAUSE)
                await watcher.changed.wait()
        finally:
            if self._watchers.get(bot) is watcher:
                del self._watchers[bot]

    async def _do(self, method: str, argument: Any) -> Any:
        match method, argument:
            case "statuses", specs:
                return tuple(await self._backend.statuses([self._local_spec(spec) for spec in specs]))
            case "check", spec:
                return tuple(await self._backend.refusals(self._local_spec(spec)))
            case "answers_about_pictures", spec:
                return self._backend.answers_about_pictures(self._local_spec(spec))
            case "load", spec:
                await self._backend.load(self._local_spec(spec), lambda _: None)
            case "unload", spec:
                return await self._backend.unload(self._local_spec(spec))
            case "download", spec:
                await self._backend.download(self._local_spec(spec), lambda _: None)
            case "pause", paused:
                self._backend.pause(paused)
            case "charge", DeviceUsed():
                self._backend.charge(replace(argument, device=""))  # here the other device may have the same name
            case "forget", owner:
                self._bots.pop(owner, None)
                await self._backend.forget_owner(owner)
            case _:
                raise ValueError(f"unknown method {method}")
        return None

    def _state(self) -> DeviceState:
        queue = next(iter(self._backend.queues()), QueueStatus(self._name, 0, 0, 0.0))
        return DeviceState(replace(queue, device=self._name), tuple(self._backend.seconds_per_work().items()))

    def _observe(self, observation: Observation) -> None:
        self._report(replace(observation, device=self._name))

    def _report(self, observation: Observation | str) -> None:
        """Report what happens on the device, or a warning in its log. May be called on any thread."""
        self._loop.call_soon_threadsafe(self._report_here, observation)

    def _report_here(self, observation: Observation | str) -> None:
        watchers = list(self._watchers.values())
        if isinstance(
            observation, DeviceUsed
        ):  # one bot counts it: that of the owner, or any if the owner is forgotten
            own = self._watchers.get(self._bots.get(observation.owner, ""))
            watchers = [own] if own else watchers[:1]
        for watcher in watchers:
            watcher.observed.append(observation)
        self._notify_watchers()

    def _notify_watchers(self) -> None:
        for watcher in self._watchers.values():
            watcher.changed.set()

    def _local_spec(self, spec: ModelSpec) -> ModelSpec:
        return replace(spec, device=self._local_name)

    def _local_config(self, config: bytes) -> Config:
        """Return the bot's settings for this device. The bot itself has the limits of queues."""
        folder = Path(tempfile.gettempdir(), f"inkling-{getuser()}", self._name.replace("/", "-").replace(":", "-"))
        settings: Config = pickle.loads(config)
        return settings.on_device(self._local_name, folder)


class _Watcher:
    """What is not reported to one bot yet."""

    def __init__(self) -> None:
        self.observed: deque[Observation | str] = deque(maxlen=_MOST_OBSERVED)
        self.changed = asyncio.Event()

    def take(self) -> list[Observation | str]:
        self.changed.clear()
        observed = list(self.observed)
        self.observed.clear()
        return observed


class _ToBots(logging.Handler):
    """Passes warnings and errors on to the bots, where the operator reads them."""

    def __init__(self, report: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._report = report

    def emit(self, record: logging.LogRecord) -> None:
        self._report(self.format(record))


async def _ready(events: _Events) -> tuple[list[Event | InferenceError], bool]:
    """Return the next events, and whether they are the last. Of texts that grow, only the last is worth sending."""
    ready: list[Event | InferenceError] = []
    event = await events.get()
    while event is not None:
        if ready and isinstance(ready[-1], PartialText) and isinstance(event, PartialText):
            ready.pop()
        ready.append(event)
        if isinstance(event, Result | InferenceError):
            return ready, True
        if events.empty():
            return ready, False
        event = events.get_nowait()
    return ready, True


def _set_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
