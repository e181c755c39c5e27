"""Intents, permissions and registered commands of the bot at Discord."""

from __future__ import annotations

import logging
from typing import cast

import discord
import pytest
from discord import app_commands
from simcord import Env

from bot import create_bot
from cogs.client import Inkling
from inference import Config, Engine
from tests.cogs.stage import Stage, refusal
from tests.fakes import FakeBackend, model_lists


def _registrations(env: Env) -> list[str]:
    return [request.path for request in env.http_requests if request.method == "PUT"]


async def _restarted(env: Env, config: Config) -> list[str]:
    """Restart the bot, and return the paths of its registrations."""
    before = len(_registrations(env))
    await env.bot.close()
    await env.restart_bot(create_bot(Engine(config, FakeBackend())))
    return _registrations(env)[before:]


def _limited_to(config: Config, *guilds: int) -> Config:
    return config.model_copy(update={"discord": config.discord.model_copy(update={"guild_ids": guilds})})


async def _listed(stage: Stage) -> tuple[bool, bool]:
    """Return whether Discord lists global commands, and commands of the server."""
    tree = cast(Inkling, stage.bot).tree
    return bool(await tree.fetch_commands()), bool(await tree.fetch_commands(guild=discord.Object(stage.guild.id)))


async def test_no_privileged_intent_is_requested(stage: Stage):
    intents = stage.bot.intents
    assert {name for name, wanted in intents if wanted} == {"guilds", "guild_messages", "dm_messages"}


class TestWithMessageContent:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        asking = config.discord.model_copy(update={"message_content": True})
        return config.model_copy(update={"discord": asking})

    async def test_the_words_of_messages_are_requested_if_the_operator_says_so(self, stage: Stage):
        wanted = {name for name, wanted in stage.bot.intents if wanted}
        assert wanted == {"guilds", "guild_messages", "dm_messages", "message_content"}


async def test_the_invite_requests_only_the_permissions_that_are_used(stage: Stage):
    link = cast(Inkling, stage.bot).invite()
    assert "scope=bot+applications.commands" in link
    wanted = discord.Permissions(int(link.partition("permissions=")[2].partition("&")[0]))
    assert {name for name, granted in wanted if granted} == {
        "read_messages", "send_messages", "send_messages_in_threads", "create_public_threads", "attach_files",
        "embed_links", "read_message_history",
    }  # fmt: skip


async def test_commands_can_be_used_in_all_contexts_by_everybody(stage: Stage):
    tree = cast(Inkling, stage.bot).tree
    for command in [*tree.get_commands(), *tree.get_commands(type=discord.AppCommandType.message)]:
        registered = command.to_dict(tree)
        assert sorted(registered["contexts"] or []) == [0, 1, 2]
        assert sorted(registered["integration_types"] or []) == [0, 1]


async def test_unchanged_commands_are_registered_once(stage: Stage, config: Config):
    assert len(_registrations(stage.env)) == 1
    assert await _restarted(stage.env, config) == []


async def test_changed_commands_are_registered_again(stage: Stage, config: Config):
    (config.data / "commands-everywhere.sha256").write_text("those of an older version")
    assert len(await _restarted(stage.env, config)) == 1


async def test_commands_that_are_missing_at_discord_are_registered_again(stage: Stage, config: Config):
    await cast(Inkling, stage.bot).tree.sync(guild=discord.Object(stage.guild.id))
    cast(Inkling, stage.bot).tree.clear_commands(guild=None)
    await cast(Inkling, stage.bot).tree.sync()
    assert len(await _restarted(stage.env, config)) == 1


async def test_configured_servers_get_the_commands_at_once(stage: Stage, config: Config):
    servers = _limited_to(config, stage.guild.id)
    assert f"/guilds/{stage.guild.id}/" in (await _restarted(stage.env, servers))[0]


async def test_commands_are_not_listed_twice_after_the_configured_servers_change(stage: Stage, config: Config):
    assert await _listed(stage) == (True, False)
    await _restarted(stage.env, _limited_to(config, stage.guild.id))
    assert await _listed(stage) == (False, True)
    assert await _restarted(stage.env, _limited_to(config, stage.guild.id)) == []
    await _restarted(stage.env, config)
    assert await _listed(stage) == (True, False)
    assert "/complete" in refusal(await stage.alice.slash(stage.channel, "help"))


async def test_the_record_of_a_server_that_the_bot_has_left_is_deleted(stage: Stage, config: Config):
    record = config.data / "commands-1234.sha256"
    record.write_text("those of an older version")
    stage.env.inject_error("PUT", "/applications/*/guilds/1234/commands", status=403, code=50001)
    await _restarted(stage.env, config)
    assert not record.exists()


async def test_a_server_without_the_bot_is_reported_and_the_others_get_the_commands(
    stage: Stage, config: Config, caplog: pytest.LogCaptureFixture
):
    servers = _limited_to(config, 1234, stage.guild.id)
    stage.env.inject_error("PUT", "/applications/*/guilds/1234/commands", status=403, code=50001)
    with caplog.at_level(logging.WARNING):
        paths = await _restarted(stage.env, servers)
    assert "The bot is not in server 1234" in caplog.text
    assert sum("/guilds/" in path for path in paths) == 2


@pytest.mark.parametrize("in_one_server", [False, True])
async def test_there_may_be_more_than_five_menus(stage: Stage, config: Config, in_one_server: bool):
    settings = _limited_to(config, stage.guild.id) if in_one_server else config
    bot = create_bot(Engine(settings, FakeBackend()))

    async def look(interaction: discord.Interaction, message: discord.Message) -> None:
        """Do nothing."""

    names = [f"Look {number}" for number in range(6)]
    for name in names:
        bot.tree.add_command(app_commands.ContextMenu(name=name, callback=look))
    await stage.env.restart_bot(bot)
    registered = await bot.tree.fetch_commands(guild=discord.Object(stage.guild.id) if in_one_server else None)
    assert set(names) <= {command.name for command in registered}


async def test_a_command_that_fails_outside_a_job_gives_an_error(stage: Stage, caplog: pytest.LogCaptureFixture):
    tree = cast(Inkling, stage.bot).tree

    @app_commands.command()
    async def broken(interaction: discord.Interaction) -> None:
        """Fail."""
        raise ZeroDivisionError("secret detail")

    tree.add_command(broken)
    await tree.sync()
    result = await stage.alice.slash(stage.channel, "broken")
    said, _, error_id = refusal(result).partition("\n-# Error ")
    assert said.startswith("Something went wrong on my side.")
    assert f"error {error_id} in broken" in caplog.text
    assert "Traceback" in caplog.text
    assert [type(error) for error in stage.env.errors] == [app_commands.CommandInvokeError]


async def test_the_heartbeat_is_fresh_while_the_bot_is_connected(stage: Stage, config: Config):
    await stage.env.advance_time(31)
    assert (config.data / "heartbeat").exists()
    (config.data / "heartbeat").unlink()
    stage.bot.dispatch("shard_disconnect", 0)
    await stage.env.settle()
    await stage.env.advance_time(31)
    assert not (config.data / "heartbeat").exists()


class TestWithoutModels:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        return config.model_copy(update={"models": model_lists()})

    async def test_commands_say_that_no_model_is_set_up(self, stage: Stage):
        result = await stage.alice.slash(stage.channel, "summarize", text="x")
        assert refusal(result).startswith("No model is set up for /summarize.")
        result = await stage.alice.slash(stage.channel, "caption", image=("a.png", b"1"))
        assert refusal(result).startswith("No model is set up for /caption.")
        assert refusal(await stage.alice.slash(stage.channel, "models")) == "No models are set up."


async def test_only_messages_that_may_be_for_the_bot_reach_its_listeners(stage: Stage):
    received: list[str] = []

    async def listen(message: discord.Message) -> None:
        received.append(message.content)

    cast(Inkling, stage.bot).add_listener(listen, "on_message")
    await stage.alice.send(stage.channel, "Good morning")
    asked = await stage.alice.send(stage.channel, f"Good morning, {stage.mention}")
    await stage.bob.send(stage.channel, "And to you", reply_to=asked)
    await stage.alice.send_dm("Are you there?")
    assert received == [f"Good morning, {stage.mention}", "Are you there?"]
