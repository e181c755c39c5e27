"""The metrics of requests, batches and models, counted as the engine reports them.

Labels have few values: tasks, models of the config, outcomes and devices; never a person, a server or a text. The id of
a request is only in exemplars.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from inference import (
    TASK_NAMES,
    BatchEnded,
    DeviceUsed,
    Engine,
    ModelLoaded,
    ModelUnloaded,
    Observation,
    Outcome,
    RequestEnded,
)

_OTHER = "other"
"""The label of a task or model that is not in the config."""

_SECONDS = (0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 900)
_TOKENS_PER_SECOND = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)
_STEPS_PER_SECOND = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100)
_SIZES = (1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 64, 128, 256)


class EngineMetrics:
    """An observer of the engine, which may be called on any thread."""

    def __init__(self, engine: Engine, registry: CollectorRegistry) -> None:
        self._engine = engine
        self._models = {task: set[str]() for task in TASK_NAMES}
        """The names of the models of each task, also those that the settings have had before a reload."""

        def counter(name: str, words: str, *labels: str) -> Counter:
            return Counter(name, words, labels, registry=registry)

        def gauge(name: str, words: str, *labels: str) -> Gauge:
            return Gauge(name, words, labels, registry=registry)

        def histogram(name: str, words: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(name, words, labels, registry=registry, buckets=buckets)

        of_model = ("task", "model")
        self._requests = counter("inkling_requests", "Requests that have ended", *of_model, "outcome")
        self._waited = histogram(
            "inkling_request_waiting_seconds", "Seconds from a request to its start", _SECONDS, *of_model
        )
        self._ran = histogram(
            "inkling_request_running_seconds", "Seconds from a request's start to its end", _SECONDS, *of_model
        )
        self._first_output = histogram(
            "inkling_first_output_seconds", "Seconds from a request to its first text or picture", _SECONDS, *of_model
        )
        self._units = {
            "tokens": counter("inkling_tokens", "Tokens written by language models", *of_model),
            "steps": counter("inkling_diffusion_steps", "Steps done by diffusion models", *of_model),
        }
        self._speeds = {
            "tokens": histogram(
                "inkling_tokens_per_second", "Tokens a second of one request", _TOKENS_PER_SECOND, *of_model
            ),
            "steps": histogram(
                "inkling_diffusion_steps_per_second", "Steps a second of one request", _STEPS_PER_SECOND, *of_model
            ),
        }
        self._batch_size = histogram("inkling_batch_size", "Requests that ran together", _SIZES, *of_model)
        self._used = counter("inkling_device_used_seconds", "Seconds for which requests used a device", "device")
        self._memory = gauge("inkling_device_memory_bytes", "Memory that the bot holds on a GPU", "device")
        on_device = ("device", "model")
        self._loads = histogram("inkling_model_load_seconds", "Seconds to load a model", _SECONDS, *on_device)
        self._unloads = counter("inkling_model_unloads", "Models that left the memory for others", *on_device)
        self._bytes = gauge("inkling_model_bytes", "Size of the weights of a loaded model", *on_device)
        self._actions: dict[type[Observation], Callable[..., None]] = {
            RequestEnded: self._request_ended,
            BatchEnded: self._batch_ended,
            DeviceUsed: self._device_used,
            ModelLoaded: self._model_loaded,
            ModelUnloaded: self._model_unloaded,
        }
        self._start_at_zero()

    def __call__(self, observation: Observation) -> None:
        self._actions[type(observation)](observation)

    def _start_at_zero(self) -> None:
        """Show the configured models from the start: a rate needs the zero before the first request."""
        self._learn_names()
        for task, names in self._models.items():
            for name in names:
                for outcome in get_args(Outcome):
                    self._requests.labels(task, name, outcome)

    def _request_ended(self, ended: RequestEnded) -> None:
        labels = task, model = self._labels(ended.task, ended.model)
        exemplar = {"request_id": ended.id} if ended.id else None
        self._requests.labels(task, model, ended.outcome).inc(exemplar=exemplar)
        self._waited.labels(*labels).observe(ended.waited, exemplar)
        if ended.ran:
            self._ran.labels(*labels).observe(ended.ran, exemplar)
        if ended.first_output is not None:
            self._first_output.labels(*labels).observe(ended.first_output, exemplar)
        if ended.unit:
            self._units[ended.unit].labels(*labels).inc(ended.units, exemplar)
            if ended.ran:
                self._speeds[ended.unit].labels(*labels).observe(ended.units / ended.ran, exemplar)

    def _batch_ended(self, ended: BatchEnded) -> None:
        self._batch_size.labels(*self._labels(ended.task, ended.model)).observe(ended.size)
        if ended.memory is not None:
            self._memory.labels(ended.device).set(ended.memory)

    def _device_used(self, used: DeviceUsed) -> None:
        self._used.labels(used.device).inc(used.seconds)

    def _model_loaded(self, loaded: ModelLoaded) -> None:
        name = self._name(loaded.model)
        self._loads.labels(loaded.device, name).observe(loaded.seconds)
        self._bytes.labels(loaded.device, name).set(loaded.nbytes)

    def _model_unloaded(self, unloaded: ModelUnloaded) -> None:
        name = self._name(unloaded.model)
        self._unloads.labels(unloaded.device, name).inc()
        self._bytes.remove(unloaded.device, name)

    def _labels(self, task: str, model: str) -> tuple[str, str]:
        """Return the labels of a request."""
        if task not in self._models:
            return _OTHER, _OTHER
        return task, self._name(model)

    def _name(self, model: str) -> str:
        """Return the model's name if the settings have or had it, so that there are few names."""
        if not self._is_known(model):
            self._learn_names()
        return model if self._is_known(model) else _OTHER

    def _is_known(self, model: str) -> bool:
        return any(model in names for names in self._models.values())

    def _learn_names(self) -> None:
        for _, spec in self._engine.config.listed():
            self._models.setdefault(spec.task, set()).add(spec.name)
