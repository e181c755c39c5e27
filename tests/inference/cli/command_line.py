"""The command line, run in the test process with a fake backend."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from inference import (
    Config,
    Engine,
    Event,
    InferenceError,
    ModelSpec,
    Request,
)
from inference.cli import execute
from inference.cli.arguments import parse
from tests.fakes import FakeBackend

CONFIG = """
models:
  chat: [Qwen/Qwen3-0.6B]
  complete: [openai-community/gpt2, distilbert/distilgpt2]
  fill: [google-bert/bert-base-uncased]
  summarize: [facebook/bart-large-cnn]
  ask: [deepset/roberta-base-squad2]
  caption: [nlpconnect/vit-gpt2-image-captioning]
  imagine: [CompVis/stable-diffusion-v1-4]
  mood: [distilbert/distilbert-base-uncased-finetuned-sst-2-english]
"""


@dataclass
class Outcome:
    status: int
    out: str
    err: str

    @property
    def fields(self) -> dict[str, Any]:
        return json.loads(self.out)


@dataclass
class CommandLine:
    """Run commands in the test process with a fake backend."""

    folder: Path
    read: Callable[[], tuple[str, str]]
    backend: FakeBackend = field(default_factory=FakeBackend)
    specs: list[ModelSpec] = field(default_factory=list[ModelSpec])

    def __call__(self, *argv: str | Path) -> Outcome:
        self.backend.script = self._recording(self.backend.script)
        try:
            status = execute(parse(["--config", str(self.folder / "config.yaml"), *map(str, argv)]), self._engine)
        except SystemExit as exited:
            status = cast("int", exited.code)
        return Outcome(status, *self.read())

    def respond_with(self, *events: Event | InferenceError) -> None:
        self.backend.script = lambda spec, request: events

    def _engine(self, config: Config) -> Engine:
        return Engine(config, self.backend)

    def _recording(
        self, script: Callable[[ModelSpec, Request], Sequence[Event | InferenceError]]
    ) -> Callable[[ModelSpec, Request], Sequence[Event | InferenceError]]:
        def recording(spec: ModelSpec, request: Request) -> Sequence[Event | InferenceError]:
            self.specs.append(spec)
            return script(spec, request)

        return recording
