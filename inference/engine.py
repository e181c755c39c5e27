"""The main interface: checks requests, passes them to the backend, and returns their events as a stream."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import Any, TypeVar

from inference.backends.backend import Backend, ModelStatus, QueueStatus
from inference.config.schema import Config
from inference.content_moderation import ContentModeration
from inference.documents import DocumentText, is_plain_text, read_document
from inference.documents.reader_processes import ReaderProcesses
from inference.hub.loras import lora_names, loras_and_weights
from inference.observers import Observers, RequestWatch
from inference.scheduling.fair_queue import FairQueue
from inference.tasks import TASK_NAMES, CheckedRequest, ImageResult, ImagineRequest, Request, UpscaledImage
from inference.tasks.checks import check_upload
from inference.types import Event, LoadProgress, ModelSpec, Output, Result
from inference.types.errors import InferenceError, InvalidRequest, Phrase, RequestTimeout, UnknownModel
from inference.types.observations import DeviceUsed, Observer
from inference.verification import Origin, OriginReport

R = TypeVar("R", bound=Request)


def _ignore_progress(fraction: float | None) -> None:
    """Take the progress of a download, and do nothing."""


log = logging.getLogger(__name__)

_PICTURE_TASKS = ("ask", "chat", "complete", "caption")
"""The tasks whose models may answer questions about pictures, preferred first."""

_READERS = 3
"""Documents that are read at one time. One person has at most two of them."""


class Engine:
    """Runs requests within the operator's limits. One engine serves one event loop."""

    def __init__(self, config: Config, backend: Backend, observers: Observers | None = None) -> None:
        self.config = config
        self._backend = backend
        self._observers = observers or Observers()
        self.draining = False
        """Whether the operator wants no new requests. Callers look at it before they accept one."""
        self.paused = False
        """Whether the operator wants no request to start."""
        self.found_problems: list[str] | None = None
        """What the last check of the devices has found; None until they were checked."""
        self._moderation = ContentModeration(config, backend)
        self._origin = Origin(config.origin)
        self.loras = lora_names(config.loras)
        """The names of the available LoRA files, as found at the start."""
        self._specs = {task: config.specs(task) for task in TASK_NAMES}
        # Neither on the event loop nor on device threads. Nothing short waits behind documents, which take longer.
        self._image_executor = ThreadPoolExecutor(2, thread_name_prefix="pictures")
        self._text_executor = ThreadPoolExecutor(2, thread_name_prefix="texts")
        self._readers = ReaderProcesses()
        self._reading = FairQueue(_READERS, time.monotonic)

    def models(self, task: str) -> tuple[ModelSpec, ...]:
        """Return the task's models, default first."""
        return self._specs[task]

    def models_for_pictures(self) -> list[ModelSpec]:
        """Return the models on this machine that answer questions about pictures, of all tasks."""
        specs = [spec for task in _PICTURE_TASKS for spec in self._specs[task]]
        return [*{spec.name: spec for spec in specs if self._backend.answers_about_pictures(spec)}.values()]

    def check(self, request: R, *, pending: Iterable[str] = ()) -> CheckedRequest[R]:
        """Check everything that needs no input or output, and choose the model.

        `pending` has the names of inputs that are fetched later; `with_inputs` adds and checks them. Raise
        InvalidRequest or UnknownModel. Cogs call this before they defer, so that error messages are private.
        """
        pending = frozenset(pending)
        assert pending <= set(request.inputs), "only inputs may be pending"
        request.check(self.config.limits, self.config.safety, pending)  # its texts may be long: before they are read
        request = request.normalized()
        request.check(self.config.limits, self.config.safety, pending)
        if isinstance(request, ImagineRequest) and request.optional_loras:
            request = request.with_available_loras(self.loras)
        if isinstance(request, ImagineRequest) and request.lora:
            self._check_loras(request.lora)
        about_picture = request.asks_about_picture(request.given_inputs() | pending)
        spec = self._resolve_for_picture(request) if about_picture else self._resolve(request)
        return CheckedRequest(request.resolved(spec), spec, pending)

    def with_inputs(self, checked: CheckedRequest[R], **inputs: object) -> CheckedRequest[R]:
        """Return `checked` with the pending inputs. Raise InvalidRequest if one is not valid."""
        assert inputs.keys() <= set(checked.request.inputs), "only inputs may come after the check"
        fields: dict[str, Any] = inputs
        request, pending = replace(checked.request, **fields), checked.pending.difference(inputs)
        request.check(self.config.limits, self.config.safety, pending)
        return CheckedRequest(request, checked.spec, pending)

    def observe(self, observer: Observer) -> None:
        """Call `observer` with everything that happens from now on, on any thread."""
        self._observers.add(observer)

    async def stream(self, checked: CheckedRequest[Request], request_id: str = "") -> AsyncGenerator[Event, None]:
        """Yield the request's events, with a `Result` as the last. Closing the generator cancels the request.

        `request_id` is the caller's name for the request, for the log and for observers. Raise InvalidRequest,
        OutputWithheld, Overloaded, RequestTimeout, ModelUnavailable or GenerationFailed.
        """
        assert not checked.pending, "call with_inputs first"
        watch, ticket = RequestWatch(checked, request_id), None
        try:
            await self._decode(checked.request)
            deadline = asyncio.get_running_loop().time() + self.config.limits.deadline_seconds
            events: asyncio.Queue[Event | InferenceError] = asyncio.Queue()
            request = self._origin.marked(checked.request)
            ticket = self._moderation.schedule(checked.spec, request, events.put_nowait, request_id)
            while True:
                event = await _next(events, deadline)
                if isinstance(event, InferenceError):
                    raise event
                event = await self._signed(event)
                watch.event(event)
                yield event
                if isinstance(event, Result):
                    return
        except BaseException as error:
            watch.error(error)
            raise
        finally:
            if ticket:
                ticket.cancel()
            self._observers(watch.ended(ticket.device, ticket.units) if ticket else watch.ended("", 0))

    async def _decode(self, request: Request) -> None:
        """Decode the pictures among the inputs, on a thread. Raise InvalidRequest."""
        if any(isinstance(getattr(request, name), bytes) for name in request.given_inputs()):
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(self._image_executor, request.decode_inputs, self.config.limits)

    async def _signed(self, event: Event) -> Event:
        """Return the event with its pictures signed, on a thread, if the operator wants that."""
        if not (self._origin.signs and isinstance(event, Result)):
            return event
        if not isinstance(event.output, ImageResult | UpscaledImage):
            return event
        loop = asyncio.get_running_loop()
        return Result(await loop.run_in_executor(self._image_executor, self._origin.with_signatures, event.output))

    async def sign(self, png: bytes) -> bytes:
        """Return a PNG file that was made from drawn pictures, such as a sheet, signed if the operator wants that."""
        if not self._origin.signs:
            return png
        return await asyncio.get_running_loop().run_in_executor(self._image_executor, self._origin.signed, png)

    async def read_origin(self, picture: bytes, owner: str = "") -> OriginReport:
        """Return what a picture file says of its origin. Raise InvalidRequest if it is none, or larger than allowed.

        It waits for a turn of `owner`, as documents do.
        """
        limits = self.config.limits
        check_upload(picture, limits)
        loop = asyncio.get_running_loop()
        async with self._reading_turn(owner):
            return await loop.run_in_executor(
                self._text_executor, self._origin.report, picture, limits.upload_megapixels
            )

    async def run(self, checked: CheckedRequest[Request]) -> Output:
        """Return the result only. Raise the same errors as `stream`."""
        async with aclosing(self.stream(checked)) as events:
            async for event in events:
                if isinstance(event, Result):
                    return event.output
        raise AssertionError("a stream ends with a Result or an error")

    async def read_document(self, data: bytes, name: str, max_characters: int, owner: str = "") -> DocumentText:
        """Return the text of a document, up to `max_characters`. Raise InvalidRequest.

        Three documents are read at a time, those of people who read least of late first; `owner` identifies whose
        share is used. Plain text is read at once. Reading stops if the waiting task is cancelled.
        """
        if is_plain_text(data, name):
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._text_executor, read_document, data, name, max_characters)
        async with self._reading_turn(owner):
            return await self._readers.read(data, name, max_characters)

    def loaded(self, task: str) -> bool:
        """Return whether the task's default model is in memory."""
        return bool(self._specs[task]) and self._backend.loaded(self._specs[task][0])

    def queues(self) -> list[QueueStatus]:
        """Return the state of each device's queue."""
        return self._backend.queues()

    def expected_seconds(self, checked: CheckedRequest[Request]) -> float | None:
        """Return how long a device is expected to work on the request; None if that is not known.

        It is what such requests took before. The length of inputs that are still pending is not counted.
        """
        return self._backend.expected_seconds(checked.spec, checked.request)

    async def require_device(self, checked: CheckedRequest[Request]) -> None:
        """Wait until it is known whether a device for the request is there. Raise ModelUnavailable if not.

        Without this, `stream` waits for a device that is away, which may come back.
        """
        await self._backend.require_device(checked.spec)

    async def statuses(self) -> list[ModelStatus]:
        """Return the state of every listed model, in the order of the config."""
        return await self._backend.statuses([spec for _, spec in self.config.listed()])

    def problems(self) -> list[str]:
        """Return what the files of models and certificate rule out, each with its position in the config.

        Reads the disk: call it before the event loop runs, or in a thread.
        """
        return [*self._backend.problems(), *self._origin.problems()]

    def device_problems(self, *, probe: bool = False) -> list[str]:
        """Return what the devices of this machine lack for the listed models, each with its position in the config.

        With `probe`, models whose kind must be tried are loaded once; otherwise this happens at their first use. Blocks
        for seconds: call it before the event loop runs, or in a thread.
        """
        return self._backend.device_problems(probe=probe)

    async def check_devices(self) -> list[str]:
        """Return and keep `device_problems`, without blocking the event loop.

        Afterwards torch and the code of all models on disk are imported. If the config changes meanwhile, the check of
        the new one counts.
        """
        config = self.config
        problems = await asyncio.to_thread(self._backend.device_problems)
        if self.config is config:
            self.found_problems = problems
        return self.found_problems or []

    async def reconfigure(self, config: Config) -> list[str]:
        """Use `config` from now on, if this machine can do all of it; accepted requests go on as they are.

        Return the problems otherwise, each with its position in the file; nothing has changed then.
        """
        origin = Origin(config.origin)
        if problems := [*await self._backend.problems_of(config), *await asyncio.to_thread(origin.problems)]:
            return problems
        loras = await asyncio.to_thread(lora_names, config.loras)
        self._backend.apply(config)
        self._origin = origin
        self.config, self.loras, self._moderation = config, loras, ContentModeration(config, self._backend)
        self._specs = {task: config.specs(task) for task in TASK_NAMES}
        self.found_problems = []
        return []

    def pause(self, paused: bool) -> None:
        """Start no more requests; or start those that wait. Running ones go on, with their checks."""
        self.paused = paused
        self._backend.pause(paused)

    def model_named(self, name: str) -> ModelSpec:
        """Return the listed model of this name or hub id, of any task. Raise UnknownModel."""
        specs = [spec for _, spec in self.config.listed()]
        for spec in specs:
            if name in (spec.name, spec.repo):
                return spec
        names = ", ".join({spec.name: None for spec in specs}) or "none"
        raise UnknownModel("There is no model {model!r}. There is: {names}.", model=name[:80], names=names)

    async def load(self, spec: ModelSpec, on_progress: LoadProgress = _ignore_progress) -> None:
        """Load a model when its device is free; download it if needed. Raise ModelUnavailable.

        `on_progress` may be called on any thread.
        """
        await self._backend.load(spec, on_progress)

    async def unload(self, spec: ModelSpec) -> bool:
        """Unload a model when its device is free. Return False if it is in use, or not loaded."""
        return await self._backend.unload(spec)

    async def download(self, spec: ModelSpec, on_progress: LoadProgress = _ignore_progress) -> None:
        """Download a model's files, also if `download` is off in the config. Raise ModelUnavailable."""
        await self._backend.download(spec, on_progress)

    def charge(self, use: DeviceUsed) -> None:
        """Count a use that another process of the bot has observed, without its device, against its owner's share."""
        self._backend.charge(use)

    async def forget_owner(self, owner: str) -> None:
        """Delete what is kept about `owner`: how much they used the devices of late."""
        await self._backend.forget_owner(owner)

    async def close(self) -> None:
        """Cancel all requests and release the devices."""
        await self._readers.close()
        await self._backend.close()
        for pool in (self._image_executor, self._text_executor):
            pool.shutdown(wait=False, cancel_futures=True)

    @asynccontextmanager
    async def _reading_turn(self, owner: str) -> AsyncGenerator[None]:
        """Wait for a turn of `owner`, and end it afterwards."""
        started = asyncio.Event()
        turn = self._reading.add(owner, started.set)
        try:
            await started.wait()
            yield
        finally:
            self._reading.end(turn)

    def _check_loras(self, lora: str) -> None:
        if not self.loras:
            raise InvalidRequest(
                "This bot has no LoRA files. Its operator can put some into the folder that `loras` in config.yaml "
                "names, and let the bot read config.yaml again."
            )
        for name, weight in loras_and_weights(lora):
            if name not in self.loras:
                raise InvalidRequest(
                    "There is no LoRA {name!r}. There is: {names}.", name=name[:80], names=", ".join(self.loras)
                )
            if not -2 <= weight <= 2:
                raise InvalidRequest("The weight of a LoRA must be between -2 and 2, not {weight:g}.", weight=weight)

    def _resolve_for_picture(self, request: Request) -> ModelSpec:
        """Return the model for a question about a picture. One that is not downloaded is taken only if it is named."""
        specs = [spec for task in _PICTURE_TASKS for spec in self._specs[task]]
        for spec in specs:
            named = request.model in (spec.name, spec.repo)
            answers = self._backend.answers_about_pictures(spec)
            if (named and answers is not False) or (answers and not request.model):
                return spec
        if able := self.models_for_pictures():
            raise UnknownModel(
                "{model} answers no questions about pictures. These do: {names}.",
                model=request.model[:80],
                names=", ".join(spec.name for spec in able),
            )
        raise UnknownModel(
            "No model on this machine answers questions about pictures. The bot's operator can list one, such as "
            "SmolVLM or Qwen-VL, under models.caption in config.yaml, and download it."
        )

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
    """Return the next event. Only this wait has a timeout: between events the caller controls the task."""
    try:
        async with asyncio.timeout_at(deadline):
            return await events.get()
    except TimeoutError as error:
        raise RequestTimeout(
            "This took too long, so it was stopped. Try again when the queue is shorter, or ask for less."
        ) from error
