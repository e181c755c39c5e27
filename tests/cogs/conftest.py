"""The bot on a simulated Discord, with an engine that answers from a script."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

import pytest
from discord.ext import commands
from simcord import Env

from bot import create_bot
from inference import Config, load_config
from storage import Shards
from tests.cogs.stage import PatientEngine, Stage
from tests.fakes import FakeBackend

_SHIPPED = Path(__file__).parents[2] / "config.yaml"


@pytest.fixture
def backend() -> FakeBackend:
    return FakeBackend()


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """Return the shipped settings with a temporary data folder. Jobs may outlive the tokens of Discord."""
    shipped = load_config(_SHIPPED)
    limits = shipped.limits.model_copy(update={"deadline_seconds": 3600})
    return shipped.model_copy(update={"data": tmp_path, "limits": limits})


@pytest.fixture
def engine(config: Config, backend: FakeBackend) -> PatientEngine:
    return PatientEngine(config, backend, backend.observers)


@pytest.fixture
def simcord_bot(config: Config, engine: PatientEngine) -> commands.AutoShardedBot:
    return create_bot(engine, Shards(0, 0, 1))


_SETTLE_TIMEOUT = 120.0
"""Seconds that SimCord waits until the bot has done its work. They are for a busy machine; usually it takes none."""


@pytest.fixture
async def stage(simcord_env: Env, engine: PatientEngine, backend: FakeBackend) -> AsyncGenerator[Stage]:
    engine.env = simcord_env
    simcord_env.settle_timeout = _SETTLE_TIMEOUT
    simcord_env.requested_shard_count = 1  # of bots after a restart
    guild = simcord_env.create_guild()
    people = [guild.add_member(simcord_env.create_user(name)) for name in ("alice", "bob")]
    yield Stage(simcord_env, backend, guild, guild.create_text_channel("general"), *people)
    await simcord_env.bot.close()


@pytest.fixture
def german(simcord_env: Env) -> None:
    """Set the locale of all interactions to German. SimCord sends English."""
    emit = simcord_env.backend.emit

    def emit_in_german(event: str, payload: Mapping[str, Any]) -> None:
        emit(event, {**payload, "locale": "de"} if event == "INTERACTION_CREATE" else payload)

    simcord_env.backend.emit = emit_in_german
