"""A bot that serves its metrics on a free port."""

from __future__ import annotations

import pytest
from discord.ext import commands

from bot import create_bot
from inference import Address, Config
from tests.cogs.stage import PatientEngine


@pytest.fixture
def simcord_bot(config: Config, engine: PatientEngine) -> commands.Bot:
    return create_bot(config.model_copy(update={"metrics": Address("127.0.0.1", 0)}), engine)
