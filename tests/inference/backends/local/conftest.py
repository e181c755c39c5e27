"""An engine on the local backend, with a hub whose downloads wait for the test."""

from __future__ import annotations

import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from inference import (
    CompleteRequest,
    Config,
    Engine,
    ModelUnavailable,
)
from inference.backends.local import LocalBackend
from inference.hub.model_card import ModelCard
from inference.types import LoadProgress, ModelSpec
from tests.fakes import model_lists
from tests.inference.pipelines.tiny_causal import save_causal


class SlowHub:
    """A hub that has `here`, finishes the download of `far` when the test allows it, and never has `gone`."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.downloads: list[str] = []
        self.started, self.finished = threading.Event(), threading.Event()

    def state(self, spec: ModelSpec) -> tuple[str, int]:
        return ("on disk", 1000)

    def card(self, spec: ModelSpec) -> ModelCard:
        return ModelCard()

    def with_companions(self, spec: ModelSpec) -> ModelSpec:
        return spec

    def folder(self, spec: ModelSpec, on_progress: LoadProgress) -> Path:
        if spec.name == "gone":
            raise ModelUnavailable("gone is not downloaded.")
        if spec.name == "far" and not self.finished.is_set():
            self.downloads.append(spec.name)
            on_progress(0.5)
            self.started.set()
            assert self.finished.wait(20)
            on_progress(1.0)
        return self._folder


@pytest.fixture
async def hub(tmp_path: Path) -> SlowHub:
    return SlowHub(save_causal(tmp_path, "gpt2"))


@pytest.fixture
def config(tmp_path: Path) -> Config:
    lists = model_lists(**{"complete": ["org/here", "org/far", "org/gone"]})
    return Config(models=lists, dtype="float32", data=tmp_path / "data")


@pytest.fixture
async def engine(hub: SlowHub, config: Config) -> AsyncIterator[Engine]:
    fake_hub: Any = hub
    engine = Engine(config, LocalBackend(config, fake_hub))
    yield engine
    hub.finished.set()
    await engine.close()


def request(model: str, owner: str = "") -> CompleteRequest:
    return CompleteRequest(prompt="the quick", model=model, owner=owner, max_new_tokens=4, seed=1)
