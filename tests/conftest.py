"""A running bot on an offline Discord, with an engine that answers from a script."""

from __future__ import annotations

from pathlib import Path

import pytest
from discord.ext import commands

from bot import create_bot
from inference import Config, Engine
from inference.config import load
from tests.fakes import FakeBackend


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """The shipped settings, with their data in a folder of the test's own."""
    return load(Path(__file__).parent.parent / "config.yaml").model_copy(update={"data": tmp_path})


@pytest.fixture
def simcord_bot(config: Config, backend: FakeBackend) -> commands.Bot:
    return create_bot(config, Engine(config, backend))
