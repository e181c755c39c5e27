"""A backend, and a fake server with one model."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path
from typing import Any

import pytest

from inference.backends.openai.backend import OpenAIBackend
from inference.backends.usage_record import UsageRecord
from inference.config.schema import Config
from inference.tasks import ChatRequest, Message, Request
from inference.types import ModelSpec
from inference.types.observations import Observation
from tests.inference.backends.openai.fake_server import FakeServer, saying, serving
from tests.inference.backends.scripted import Caller


@pytest.fixture
async def server() -> AsyncGenerator[FakeServer]:
    async with serving(saying("Well", " met", ".")) as fake:
        yield fake


class Harness:
    """An `OpenAIBackend` with one model `m` for each task, and methods that submit requests to it."""

    def __init__(self, url: str, data: Path, **limits: int) -> None:
        self.observed: list[Observation] = []
        self._entry: dict[str, Any] = {"openai": url, "name": "m"}
        self._limits = limits
        self._data = data
        self.config = self._config()
        self.usage = UsageRecord(data / "usage.json")
        self.backend = OpenAIBackend(self.config, self.usage, self.observed.append)

    def set(self, **options: Any) -> None:
        """Change the options of the model."""
        self._entry |= options
        self.config = self._config()
        self.backend.apply(self.config)

    def _config(self) -> Config:
        models = {task: [self._entry] for task in ("chat", "complete", "ask", "summarize", "caption")}
        return Config.model_validate({"models": models, "limits": self._limits, "data": self._data})

    def spec(self, task: str) -> ModelSpec:
        (spec,) = self.config.specs(task)
        return spec

    def submit(self, request: Request) -> tuple[Any, Caller]:
        caller = Caller()
        spec = self.spec(request.task)
        return self.backend.schedule(spec, request.resolved(spec), caller, "id"), caller

    async def outcome(self, request: Request) -> Any:
        """Return the result, or the error."""
        _, caller = self.submit(request)
        return await caller.outcome()


@pytest.fixture
async def harness(server: FakeServer, tmp_path: Path) -> AsyncGenerator[Harness]:
    harness = Harness(server.url, tmp_path)
    yield harness
    await harness.backend.close()


def say(text: str = "Hello", **fields: Any) -> ChatRequest:
    """Return a request that says something."""
    return ChatRequest(messages=(Message("user", text),), **fields)
