"""The front door: checks a request, hands it to the backend, and turns what comes back into a stream of events."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import AsyncGenerator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

from inference.backends.backend import Backend, ModelStatus, QueueStatus
from inference.config.schema import Config
from inference.documents import document_text
from inference.hub.loras import lora_and_weight, lora_names
from inference.tasks import TASK_NAMES, CheckedRequest, ImagineRequest, Request
from inference.types import Event, ModelSpec, Output, Result
from inference.types.errors import InferenceError, InvalidRequest, Phrase, RequestTimeout, UnknownModel

R = TypeVar("R", bound=Request)

log = logging.getLogger(__name__)


class Engine:
    """Runs requests under the operator's limits. One engine serves one event loop."""

    def __init__(self, config: Config, backend: Backend) -> None:
        self.config = config
        self._backend = backend
        self.loras = lora_names(config.loras)
        """The LoRA files that people may choose from, as they were when the bot started."""
        self._specs = {task: config.specs(task) for task in TASK_NAMES}
        # Off the loop, and off the device threads; pictures do not wait behind documents, which take longer.
        self._pictures = ThreadPoolExecutor(2, thread_name_prefix="pictures")
        self._documents = ThreadPoolExecutor(2, thread_name_prefix="documents")

    def models(self, task: str) -> tuple[ModelSpec, ...]:
        """Return the task's models, default first."""
        return self._specs[task]

    def check(self, request: R, *, pending: Iterable[str] = ()) -> CheckedRequest[R]:
        """Check everything that memory alone can tell, and choose the model.

        `pending` names the inputs that will be fetched after this; `with_inputs` adds and checks them. Raises
        InvalidRequest or UnknownModel. Cogs call it before they defer, so that a refusal is private.
        """
        pending = frozenset(pending)
        request.check(self.config.limits, self.config.safety, pending)
        if isinstance(request, ImagineRequest) and request.lora:
            self._check_lora(request.lora)
        spec = self._resolve(request)
        return CheckedRequest(request.resolved(spec), spec, pending)

    def with_inputs(self, checked: CheckedRequest[R], **inputs: object) -> CheckedRequest[R]:
        """Return `checked` with the inputs that were pending; raise InvalidRequest for a wrong one."""
        fields: dict[str, Any] = inputs
        request = replace(checked.request, **fields)
        request.check_inputs(self.config.limits)
        return CheckedRequest(request, checked.spec, checked.pending - inputs.keys())

    async def stream(self, checked: CheckedRequest[Request]) -> AsyncGenerator[Event, None]:
        """Yield the request's events, a `Result` last; closing the generator cancels the request.

        Raises InvalidRequest, Overloaded, RequestTimeout, ModelUnavailable or GenerationFailed.
        """
        assert not checked.pending, "with_inputs comes first"
        request, loop = checked.request, asyncio.get_running_loop()
        await loop.run_in_executor(self._pictures, request.decode_inputs, self.config.limits)
        deadline = loop.time() + self.config.limits.deadline_seconds
        events: asyncio.Queue[Event | InferenceError] = asyncio.Queue()
        ticket = self._backend.schedule(checked.spec, request, events.put_nowait)
        try:
            while True:
                event = await _next(events, deadline)
                if isinstance(event, InferenceError):
                    raise event
                yield event
                if isinstance(event, Result):
                    return
        finally:
            ticket.cancel()

    async def run(self, checked: CheckedRequest[Request]) -> Output:
        """Return the result alone; raise what `stream` raises."""
        async with aclosing(self.stream(checked)) as events:
            async for event in events:
                if isinstance(event, Result):
                    return event.output
        raise AssertionError("a stream ends with a Result or an error")

    async def read_document(self, data: bytes, name: str, most: int) -> str:
        """What a document says, up to `most` characters; raises InvalidRequest.

        Two are read at a time; reading ends when the task that waits for it is cancelled.
        """
        left = threading.Event()
        read = partial(document_text, data, name, most, cancelled=left.is_set)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._documents, read)
        finally:
            left.set()

    def loaded(self, task: str) -> bool:
        """Whether the task's default model is in memory, so that it would answer at once."""
        return bool(self._specs[task]) and self._backend.loaded(self._specs[task][0])

    def queues(self) -> list[QueueStatus]:
        """How long each device's queue is."""
        return self._backend.queues()

    async def statuses(self) -> list[ModelStatus]:
        """Every listed model, in the order of the config: loaded, on disk, or not downloaded."""
        return await self._backend.statuses([spec for task in TASK_NAMES for spec in self._specs[task]])

    def problems(self) -> list[str]:
        """What in the config this machine can't do, each with its place in the file.

        Blocks for seconds: call it before the event loop runs, or in a thread.
        """
        return self._backend.problems()

    async def close(self) -> None:
        """Cancel what runs, release the devices."""
        await self._backend.close()
        for pool in (self._pictures, self._documents):
            pool.shutdown(wait=False, cancel_futures=True)

    def _check_lora(self, lora: str) -> None:
        name, weight = lora_and_weight(lora)
        if name not in self.loras:
            if self.loras:
                raise InvalidRequest(
                    "There is no LoRA {name!r}. There is: {names}.", name=name[:80], names=", ".join(self.loras)
                )
            raise InvalidRequest(
                "This bot has no LoRA files. Its operator can put some into the folder that `loras` in config.yaml "
                "names, and start it again."
            )
        if not -2 <= weight <= 2:
            raise InvalidRequest("The weight of a LoRA must be between -2 and 2, not {weight:g}.", weight=weight)

    def _resolve(self, request: Request) -> ModelSpec:
        specs = self._specs[request.task]
        slash = f"/{request.task}"
        command = Phrase(slash)
        if not specs:
            raise UnknownModel(
                "No model is set up for {command}. The bot's operator can list one under models.{task} in config.yaml.",
                command=command,
                task=request.task,
            )
        if not request.model:
            return specs[0]
        for spec in specs:
            if request.model in (spec.name, spec.repo):
                return spec
        raise UnknownModel(
            "There is no model {model!r} for {command}. There is: {names}.",
            model=request.model[:80],
            command=command,
            names=", ".join(spec.name for spec in specs),
        )


async def _next(events: asyncio.Queue[Event | InferenceError], deadline: float) -> Event | InferenceError:
    """The timeout spans this wait only: between two events, the task is the caller's to interrupt."""
    try:
        async with asyncio.timeout_at(deadline):
            return await events.get()
    except TimeoutError as error:
        raise RequestTimeout(
            "This took too long, so it was stopped. Try again when the queue is shorter, or ask for less."
        ) from error
