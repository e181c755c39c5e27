"""/models, /queue and /help, which only the person who asks sees."""

from __future__ import annotations

import pytest
from discord.ext import commands

from inference.backends.base import QueueStatus
from tests.cogs.stage import Stage, refusal
from tests.fakes import FakeBackend


async def test_models_are_listed_by_task_with_the_default_first(stage: Stage):
    lines = refusal(await stage.alice.slash(stage.channel, "models")).splitlines()
    assert lines[:3] == ["**/complete**", "`gpt2-large`, default: on disk, 500 MB", "`distilgpt2`: on disk, 500 MB"]
    assert "**/imagine**" in lines


async def test_the_queue_tells_when_a_new_request_would_start(stage: Stage):
    said = refusal(await stage.alice.slash(stage.channel, "queue"))
    assert said == "**cpu**: 0 running, 0 waiting; a new request starts at once"
    stage.backend.waiting = 3
    said = refusal(await stage.alice.slash(stage.channel, "queue"))
    assert said == "**cpu**: 1 running, 3 waiting; a new request starts in about 36 s"


class TestWithoutForecast:
    @pytest.fixture
    def backend(self) -> FakeBackend:
        class Unforeseeable(FakeBackend):
            def queues(self) -> list[QueueStatus]:
                return [QueueStatus("cpu", 0, 1, None)]

        return Unforeseeable()

    async def test_an_unknown_wait_is_called_unknown(self, stage: Stage):
        said = refusal(await stage.alice.slash(stage.channel, "queue"))
        assert said == "**cpu**: 1 running, 0 waiting; how long a new request waits is not known yet"


async def test_help_names_every_command_menu_and_reply(stage: Stage):
    said = refusal(await stage.alice.slash(stage.channel, "help"))
    assert isinstance(stage.bot, commands.Bot)
    for command in stage.bot.tree.get_commands():
        assert command.name in said
    for reply in stage.bot.commands:
        assert f"@Inkling {reply.name}" in said
