"""One server with its queue: so many requests are sent to it at one time, and the others wait here in fair order."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial

from inference.backends.backend import QueueStatus
from inference.backends.local_job import LocalJob, kind_of
from inference.backends.openai import errors
from inference.backends.openai.client import NoSuchEndpoint, ServedModel, ServerClient
from inference.backends.openai.prompts import ServerPrompts
from inference.backends.openai.text_job import TextJob
from inference.backends.openai.turns import Turns
from inference.backends.queue_positions import QueuePositions
from inference.limits import Limits
from inference.pipelines.pipeline import REQUESTS_AT_WORK, wrap_library_errors
from inference.scheduling.scheduler import Scheduler, SchedulerState
from inference.tasks import CompleteRequest, Request
from inference.types import ModelSpec, Output, Started
from inference.types.errors import InferenceError, RequestCancelled
from inference.types.observations import DeviceUsed, Observer

_USUAL_WINDOW = 4096
"""The tokens that a model reads and writes if neither the settings nor the server say it: what Ollama begins with."""
_KEEP_PAUSE = 30.0
"""The least time in seconds between two writes of what the scheduler has learned."""
_ASK_PAUSE = 60.0
"""The time in seconds after which a server that did not list its models is asked again."""


class ServerQueue:
    """The queue of one server. Used on the event loop, except `status` and `expected_seconds`.

    The scheduler starts with `state`; what it has learned since is passed to `keep`, at times, on another thread.
    """

    def __init__(
        self,
        client: ServerClient,
        limits: Limits,
        max_concurrency: int,
        state: SchedulerState | None = None,
        keep: Callable[[Callable[[], SchedulerState]], None] = lambda _: None,
        observe: Observer = lambda _: None,
    ) -> None:
        self.client = client
        self.name = client.server.host
        self._keep = keep
        self._observe = observe
        self._scheduler = Scheduler[LocalJob](
            limit=limits.queue, per_owner=limits.per_person, clock=time.perf_counter, state=state
        )
        self._lock = threading.Lock()
        self._positions = QueuePositions(self._scheduler, self._lock, f"positions-{self.name}")
        self._turns = Turns(max_concurrency)
        self._tasks: dict[LocalJob, asyncio.Task[None]] = {}
        self._keep_at = 0.0
        """When the state may be kept again, by the monotonic clock."""
        self._keeping: asyncio.Task[None] | None = None
        self._closing = False
        self._models: list[ServedModel] | None = None
        """What the server lists; None if that is not known."""
        self._ask_at = 0.0
        """When requests may ask for it again, by the monotonic clock."""
        self._asking = asyncio.Lock()
        self._thinking: set[str] = set()
        """The models that have written thoughts."""
        self._completes = True
        """Whether the server continues texts, as far as is known."""

    def submit(self, job: LocalJob) -> None:
        """Queue a job that is not cancelled. Raise Overloaded if the queue is full."""
        if self._closing:
            raise RequestCancelled("The bot is stopping.")
        with self._lock:
            self._scheduler.add(job)
        job.device = self.name
        job.leave_queue = self._take_out
        job.on_cancel = self._close_connection
        self._start()
        if job not in self._tasks:
            with self._lock:
                self._positions.tell(job)
        self._positions.changed()

    def apply(self, limits: Limits, max_concurrency: int) -> None:
        """Use these limits from now on."""
        with self._lock:
            self._scheduler.limit, self._scheduler.per_owner = limits.queue, limits.per_person
        self._turns.apply(max_concurrency)
        self._start()

    def pause(self, paused: bool) -> None:
        """Start nothing more; or go on with what waits."""
        with self._lock:
            self._scheduler.paused = paused
        self._start()
        self._positions.changed()

    def status(self) -> QueueStatus:
        with self._lock:
            waiting, running = self._scheduler.waiting_count, len(self._scheduler.running)
            starts_at_once = not waiting and running < self._turns.limit and not self._scheduler.paused
            eta = 0.0 if starts_at_once else self._scheduler.backlog()
        return QueueStatus(self.name, waiting, running, eta, on_server=True)

    @property
    def is_idle(self) -> bool:
        """Whether nothing waits or runs."""
        with self._lock:
            return not self._scheduler.waiting_count and not self._scheduler.running

    def expected_seconds(self, spec: ModelSpec, request: Request) -> float | None:
        with self._lock:
            return self._scheduler.expected(kind_of(spec, request), request.work)

    def charge(self, use: DeviceUsed) -> None:
        """Count the use of another device against its owner."""
        with self._lock:
            self._scheduler.charge(use.owner, use.group, use.seconds)

    def forget_owner(self, owner: str) -> None:
        with self._lock:
            self._scheduler.forget(owner)
        self._positions.changed()

    async def ask_models(self) -> list[ServedModel]:
        """Return what the server lists now. Raise InferenceError."""
        self._models = None
        try:
            self._models = await self.client.models()
        except InferenceError:
            self._ask_at = time.monotonic() + _ASK_PAUSE
            raise
        return self._models

    async def close(self) -> None:
        """Cancel all jobs, and close the connections."""
        self._closing = True
        with self._lock:
            remaining = self._scheduler.waiting
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for job in remaining:
            job.fail(RequestCancelled("The bot is stopping."))
        await self.client.close()
        if self._keeping:
            await self._keeping
        await asyncio.to_thread(self._positions.close)
        await asyncio.to_thread(self._keep, self._state)

    def _start(self) -> None:
        """Start as many of the waiting jobs as the server may get."""
        while not self._closing:
            with self._lock:
                is_full = len(self._scheduler.running) >= self._turns.limit
                started = [] if is_full else self._scheduler.pop(1)
                if started:
                    self._positions.tell_next()
            if not started:
                return
            for job in started:
                self._tasks[job] = task = asyncio.create_task(self._run(job))
                task.add_done_callback(partial(self._end, job))

    async def _run(self, job: LocalJob) -> None:
        """Run one job. It ends it, unless it is cancelled."""
        REQUESTS_AT_WORK.set(lambda: [job.id])  # of this task alone
        try:
            job.emit(Started())
            with wrap_library_errors():
                output = await self._write(job)
            job.finish(output)
        except InferenceError as error:
            if errors.is_about_server(error):
                self._models = None
            job.fail(error)

    def _end(self, job: LocalJob, task: asyncio.Task[None]) -> None:
        """Free the place of a job whose task has ended, perhaps before it began."""
        del self._tasks[job]
        if task.cancelled():
            job.fail(RequestCancelled("The bot is stopping."))  # a job that was cancelled itself tells nobody
        with self._lock:
            is_new = self._scheduler.done(job)
            self._positions.tell_next()
        self._positions.changed()
        if is_new:
            self._observe(DeviceUsed(self.name, job.owner, job.group, job.used * job.charged))
        self._start()
        if time.monotonic() >= self._keep_at and not self._closing:
            self._keep_at = time.monotonic() + _KEEP_PAUSE
            self._keeping = asyncio.create_task(asyncio.to_thread(self._keep, self._state))

    async def _write(self, job: LocalJob) -> Output:
        served = await self._served(job.spec)
        if isinstance(job.request, CompleteRequest) and self._completes:
            try:
                return await self._follow_plan(job, served, can_chat=False)
            except NoSuchEndpoint:
                self._completes = False
        return await self._follow_plan(job, served, can_chat=True)

    async def _follow_plan(self, job: LocalJob, served: ServedModel | None, *, can_chat: bool) -> Output:
        assert job.spec.server, "the router sends no others here"
        known = served.context_length if served else None
        prompts = ServerPrompts(
            job.spec.server.context_length or known or _USUAL_WINDOW,
            can_chat=can_chat,
            owner=served.owner if served else "",
            thinks=job.spec.repo in self._thinking,
        )
        text_job = TextJob(job, self.client, prompts, self._turns, max(1, self._turns.limit // 2))
        try:
            return await text_job.run()
        finally:
            if text_job.thinks:
                self._thinking.add(job.spec.repo)

    async def _served(self, spec: ModelSpec) -> ServedModel | None:
        """Return what the server says about the model; None if it says nothing. A request may work all the same."""
        async with self._asking:
            if self._models is None and time.monotonic() >= self._ask_at:
                with suppress(InferenceError):
                    await self.ask_models()
        return find_model(self._models or [], spec.repo)

    def _close_connection(self, job: LocalJob) -> None:
        if task := self._tasks.get(job):
            task.cancel()

    def _take_out(self, job: LocalJob) -> bool:
        """Remove a job from the queue, and return whether it was there."""
        with self._lock:
            waited = self._scheduler.cancel(job)
        if waited:
            self._positions.changed()
        return waited

    def _state(self) -> SchedulerState:
        with self._lock:
            return self._scheduler.state()


def find_model(models: list[ServedModel], name: str) -> ServedModel | None:
    """Return the model of that name, or the only one: llama-server has one, and takes any name for it."""
    for model in models:
        if name in (model.id, model.id.removesuffix(":latest")):
            return model
    return models[0] if len(models) == 1 else None
