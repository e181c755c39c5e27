"""The backend for models on servers. Nothing of it needs torch."""

from __future__ import annotations

import asyncio
import threading

from inference.backends.backend import DeviceTicket, Listener, ModelStatus, QueueStatus, listed_problems
from inference.backends.local_job import LocalJob
from inference.backends.openai import errors
from inference.backends.openai.client import ServedModel, ServerClient, read_key
from inference.backends.openai.server_queue import ServerQueue, find_model
from inference.backends.usage_record import UsageRecord
from inference.config.schema import Config
from inference.scheduling.use_elsewhere import UseElsewhere
from inference.tasks import Request
from inference.types import LoadProgress, ModelServer, ModelSpec
from inference.types.errors import InferenceError
from inference.types.observations import DeviceUsed, Observer

_ServerKey = tuple[str, str]
"""The address of a server and the variable of its key: models with equal ones share a queue."""


class OpenAIBackend:
    """Implements `Backend` for models on servers, with one queue for each server. It works on the event loop."""

    def __init__(self, config: Config, usage: UsageRecord, observe: Observer = lambda _: None) -> None:
        self._config = config
        self._usage = usage
        self._observe = observe
        self._queues: dict[_ServerKey, ServerQueue] = {}
        self._closing: dict[ServerQueue, asyncio.Task[None]] = {}
        """The queues of servers that the settings no longer have."""
        self._elsewhere = UseElsewhere()
        self._kept: set[str] = set()
        """The servers whose queues have begun in this process: what is kept of them has all use."""
        self._making_queue = threading.Lock()
        self._paused = False

    def schedule(self, spec: ModelSpec, request: Request, listener: Listener, request_id: str = "") -> DeviceTicket:
        job = LocalJob(spec, request, listener, asyncio.get_running_loop(), request_id)
        self._queue(_server(spec)).submit(job)
        return job

    def queues(self) -> list[QueueStatus]:
        return [queue.status() for queue in self._queues.values()]

    def queue(self, spec: ModelSpec) -> QueueStatus | None:
        return self._queue(_server(spec)).status()

    def expected_seconds(self, spec: ModelSpec, request: Request) -> float | None:
        queue = self._queues.get(_key(_server(spec)))
        return queue.expected_seconds(spec, request) if queue else None

    def placements(self, spec: ModelSpec) -> list[ModelSpec]:
        return [spec]

    def loaded(self, spec: ModelSpec) -> bool:
        return True  # as far as this bot is concerned

    def answers_about_pictures(self, spec: ModelSpec) -> bool:
        return spec.task == "caption" or _server(spec).sees_pictures

    async def require_device(self, spec: ModelSpec) -> None:
        """Do nothing: a request asks its server itself."""

    async def statuses(self, specs: list[ModelSpec]) -> list[ModelStatus]:
        found = await self._ask({_key(_server(spec)): _server(spec) for spec in specs})
        return [ModelStatus(spec, "on a server", 0, problem=_problem(spec, found)) for spec in specs]

    def problems(self) -> list[str]:
        return listed_problems(self._config, _is_on_server, _missing_key)

    def device_problems(self, *, probe: bool = False) -> list[str]:
        if not (servers := _servers(self._config)):
            return []
        found = asyncio.run(_list_models(servers))  # called without an event loop, or on another thread
        return listed_problems(self._config, _is_on_server, lambda spec: list(filter(None, [_problem(spec, found)])))

    async def problems_of(self, config: Config) -> list[str]:
        """Return what is wrong for certain. A server that is away may come back."""
        found = await _list_models(_servers(config))
        here = {key: each for key, each in found.items() if not (isinstance(each, Exception) and errors.is_away(each))}
        return listed_problems(config, _is_on_server, lambda spec: list(filter(None, [_problem(spec, here)])))

    def apply(self, config: Config) -> None:
        self._config = config
        self._close_unused()
        for queue in self._queues.values():
            queue.apply(config.limits, self._max_concurrency(queue.client.server))

    def pause(self, paused: bool) -> None:
        self._paused = paused
        for queue in self._queues.values():
            queue.pause(paused)

    async def load(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        raise errors.no_such_work(_server(spec), spec.name)

    async def unload(self, spec: ModelSpec) -> bool:
        raise errors.no_such_work(_server(spec), spec.name)

    async def download(self, spec: ModelSpec, on_progress: LoadProgress) -> None:
        raise errors.no_such_work(_server(spec), spec.name)

    def charge(self, use: DeviceUsed) -> None:
        with self._making_queue:  # a queue that is being made counts this use exactly once
            self._elsewhere.add(use)
            for queue in self._queues.values():
                if queue.name != use.device:
                    queue.charge(use)

    async def forget_owner(self, owner: str) -> None:
        with self._making_queue:
            self._elsewhere.forget(owner)
        for queue in (*self._queues.values(), *self._closing):
            queue.forget_owner(owner)
        await asyncio.to_thread(self._usage.forget, owner)

    async def close(self) -> None:
        await asyncio.gather(*(queue.close() for queue in self._queues.values()), *self._closing.values())

    def _close_unused(self) -> None:
        """Close the queues of servers that are no longer listed. One that has requests stays until the next time."""
        listed = _servers(self._config)
        unused = {key: queue for key, queue in self._queues.items() if key not in listed and queue.is_idle}
        self._queues = {key: queue for key, queue in self._queues.items() if key not in unused}  # others may read it
        for queue in unused.values():
            self._closing[queue] = task = asyncio.create_task(queue.close())
            task.add_done_callback(lambda _, queue=queue: self._closing.pop(queue))

    def _queue(self, server: ModelServer) -> ServerQueue:
        with self._making_queue:
            if (key := _key(server)) not in self._queues:
                self._queues[key] = self._new_queue(server)
            return self._queues[key]

    def _new_queue(self, server: ModelServer) -> ServerQueue:
        device = f"server {server.url}"
        state = self._usage.state(device)
        if device not in self._kept:
            self._kept.add(device)
            state = self._elsewhere.added_to(state)
        queue = ServerQueue(
            ServerClient(server),
            self._config.limits,
            self._max_concurrency(server),
            state,
            lambda state: self._usage.keep(device, state),
            self._observe,
        )
        queue.pause(self._paused)
        return queue

    def _max_concurrency(self, server: ModelServer) -> int:
        """Return the least that the settings say for this server."""
        listed = [spec.server for _, spec in self._config.listed() if spec.server and _key(spec.server) == _key(server)]
        own = [each.max_concurrency for each in listed if each.max_concurrency]
        return min(own, default=self._config.limits.batch)

    async def _ask(self, servers: dict[_ServerKey, ModelServer]) -> dict[_ServerKey, _Found]:
        found = await asyncio.gather(
            *(self._queue(server).ask_models() for server in servers.values()), return_exceptions=True
        )
        return _by_key(servers, found)


_Found = list[ServedModel] | InferenceError
"""What a server lists, or why that is not known."""


def _server(spec: ModelSpec) -> ModelServer:
    assert spec.server, "the router sends no others here"
    return spec.server


def _key(server: ModelServer) -> _ServerKey:
    return server.url, server.api_key_env


def _is_on_server(spec: ModelSpec) -> bool:
    return spec.server is not None


def _servers(config: Config) -> dict[_ServerKey, ModelServer]:
    return {_key(spec.server): spec.server for _, spec in config.listed() if spec.server}


def _missing_key(spec: ModelSpec) -> list[str]:
    try:
        read_key(_server(spec))
    except InferenceError as error:
        return [error.user_message]
    return []


async def _list_models(servers: dict[_ServerKey, ModelServer]) -> dict[_ServerKey, _Found]:
    """Ask all servers for their models, with connections of their own."""
    clients = [ServerClient(server) for server in servers.values()]
    try:
        found = await asyncio.gather(*(client.models() for client in clients), return_exceptions=True)
        return _by_key(servers, found)
    finally:
        for client in clients:
            await client.close()


def _by_key(
    servers: dict[_ServerKey, ModelServer], found: list[list[ServedModel] | BaseException]
) -> dict[_ServerKey, _Found]:
    answers: dict[_ServerKey, _Found] = {}
    for key, answer in zip(servers, found, strict=True):
        if isinstance(answer, BaseException) and not isinstance(answer, InferenceError):
            raise answer
        answers[key] = answer
    return answers


def _problem(spec: ModelSpec, found: dict[_ServerKey, _Found]) -> str:
    """Return why the server can't run the model; empty if nothing is known against it."""
    server = _server(spec)
    match found.get(_key(server)):
        case InferenceError() as error:
            return error.user_message
        case [_, *_] as models if not find_model(models, spec.repo):
            return errors.unlisted_model(server, spec.repo, [model.id for model in models]).user_message
        case _:
            return ""
