"""Who may use the bot, and where: blocks, the operator's servers, and direct messages."""

from __future__ import annotations

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any, cast

import discord
import pytest
from simcord import Env

from cogs.client import Inkling
from cogs.common.access import check_blockable
from inference import Config, InvalidRequest
from storage import EVERYWHERE, Block, PersonSettings, Store
from tests.cogs.imagine.images import restart
from tests.cogs.settings.panels import panel
from tests.cogs.stage import Stage, first, refusal

HERE = "An admin of this server has stopped you from using me here."


def store(stage: Stage) -> Store:
    return cast(Inkling, stage.bot).store


async def block(stage: Stage, server: int | None = None, reason: str = "Spam", until: float | None = None) -> None:
    """Stop Alice, on the server of the stage or another."""
    number = stage.guild.id if server is None else server
    await store(stage).blocks.add(Block("person", stage.alice.id, number, reason, until, 1, 2.0))


def direct_messages(stage: Stage) -> list[str]:
    """Return what the bot has written to Alice in direct messages, the oldest first."""
    return [message.content for message in stage.alice.user.dm_channel.history()]


async def test_a_blocked_person_is_refused_by_commands_and_menus(stage: Stage):
    message = await stage.bob.send(stage.channel, "A long story")
    await block(stage)
    said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
    assert said == (f"{HERE} Reason: Spam. It has no end. If you think that this is a mistake, write to an admin.")
    for name in ("Ask about this", "Report"):
        result = await stage.alice.context_menu(stage.channel, name, message)
        assert result.modal is None
        assert refusal(result).startswith(HERE)
    for command in ("settings", "help"):
        assert refusal(await stage.alice.slash(stage.channel, command)).startswith(HERE)
    assert not stage.backend.requests


async def test_a_blocked_person_is_refused_by_buttons_and_forms(stage: Stage):
    drawing = first(await stage.alice.slash(stage.channel, "imagine", prompt="a fox"))
    form = await stage.alice.click(drawing, label="Remix")
    await block(stage)
    for label in ("Re-roll", "Remix", "Delete"):
        pressed = await stage.alice.click(drawing, label=label)
        assert pressed.modal is None
        assert refusal(pressed).startswith(HERE)
    fields = {"prompt": "a hare", "negative": "", "seed": "", "settings": ""}
    assert refusal(await stage.alice.submit_modal(form, fields)).startswith(HERE)
    assert len(stage.backend.requests) == 1


async def test_a_blocked_person_gets_no_suggestions(stage: Stage):
    assert await stage.alice.autocomplete(stage.channel, "complete", "model", "gpt", prompt="Once")
    await block(stage)
    assert await stage.alice.autocomplete(stage.channel, "complete", "model", "gpt", prompt="Once") == []


async def test_mentions_of_a_blocked_person_are_answered_in_a_direct_message_once(stage: Stage):
    await block(stage)
    for words in ("complete Once", "dance", ""):
        await stage.alice.send(stage.channel, f"{stage.mention} {words}")
    assert len(stage.channel.history()) == 3, "nothing is answered for everybody to see"
    assert [said.startswith(HERE) for said in direct_messages(stage)] == [True]
    await stage.env.advance_time(601)
    await stage.alice.send(stage.channel, stage.mention)
    assert len(direct_messages(stage)) == 2
    assert not stage.backend.requests


async def test_a_blocked_person_whose_direct_messages_are_closed_is_ignored(stage: Stage):
    await block(stage)
    stage.env.inject_error("POST", "/users/@me/channels", status=403, code=50007)
    await stage.alice.send(stage.channel, f"{stage.mention} complete Once")
    assert len(stage.channel.history()) == 1


async def test_others_and_other_servers_are_not_blocked(stage: Stage):
    await block(stage)
    assert not first(await stage.bob.slash(stage.channel, "complete", prompt="Once")).ephemeral
    assert not first(await stage.alice.user.slash("complete", prompt="Once")).ephemeral
    assert len(stage.backend.requests) == 2


async def test_a_block_everywhere_holds_in_direct_messages_too(stage: Stage):
    await block(stage, EVERYWHERE, reason="")
    said = refusal(await stage.alice.user.slash("complete", prompt="Once"))
    assert said.startswith("The bot's operator has stopped you from using me. Reason: none was given. It has no end.")
    await stage.alice.send_dm(f"{stage.mention} complete Once")
    assert direct_messages(stage)[-1].startswith("The bot's operator has stopped you from using me.")
    assert not stage.backend.requests


async def test_a_blocked_server_is_told_so(stage: Stage):
    await store(stage).blocks.add(Block("server", stage.guild.id, EVERYWHERE, "Unpaid", None, 1, 2.0))
    for person in (stage.alice, stage.bob):
        said = refusal(await person.slash(stage.channel, "complete", prompt="Once"))
        assert said.startswith("The bot's operator has stopped this server from using me. Reason: Unpaid.")
    assert not first(await stage.alice.user.slash("complete", prompt="Once")).ephemeral


async def test_a_block_ends(stage: Stage):
    end = discord.utils.utcnow().timestamp() + 60
    await block(stage, until=end)
    assert f"It ends <t:{round(end)}:R>." in refusal(await stage.alice.slash(stage.channel, "help"))
    await stage.env.advance_time(61)
    assert first(await stage.alice.slash(stage.channel, "help")).content.startswith("**To try first**")


async def test_a_block_can_be_removed(stage: Stage):
    await block(stage)
    assert await store(stage).blocks.remove("person", stage.alice.id, stage.guild.id)
    assert not await store(stage).blocks.remove("person", stage.alice.id, stage.guild.id)
    assert first(await stage.alice.slash(stage.channel, "help")).content.startswith("**To try first**")


async def test_a_block_holds_after_a_restart(stage: Stage, config: Config):
    await block(stage)
    await restart(stage, config)
    assert refusal(await stage.alice.slash(stage.channel, "help")).startswith(HERE)


async def test_a_blocked_person_can_still_see_and_delete_what_is_kept(stage: Stage):
    await stage.alice.slash(stage.channel, "complete", prompt="Once")
    await block(stage)
    shown = panel(await stage.alice.slash(stage.channel, "privacy"))
    assert "That you are stopped for good, until somebody ends it; you can't delete this." in shown.content
    await stage.alice.click(shown, label="Delete all of it")
    await stage.alice.click(shown, label="Delete for good")
    assert shown.content.splitlines() == [
        "Done. Only this stays for now:",
        "- That you are stopped for good, until somebody ends it; you can't delete this.",
    ]
    assert await store(stage).sent_answers.count_of(stage.alice.id) == 0
    assert refusal(await stage.alice.slash(stage.channel, "help")).startswith(HERE)


@pytest.fixture
def german(simcord_env: Env) -> None:
    """Set the locale of all interactions to German. SimCord sends English."""
    emit = simcord_env.backend.emit

    def emit_in_german(event: str, payload: Mapping[str, Any]) -> None:
        emit(event, {**payload, "locale": "de"} if event == "INTERACTION_CREATE" else payload)

    simcord_env.backend.emit = emit_in_german


@pytest.mark.usefixtures("german")
async def test_a_blocked_person_is_told_in_their_language(stage: Stage):
    await block(stage)
    german = refusal(await stage.alice.slash(stage.channel, "help"))
    assert german.startswith("Ein Admin dieses Servers hat dich hier gesperrt. Grund: Spam.")
    await store(stage).settings.people.change(stage.alice.id, lambda _: PersonSettings(language="fr"))
    french = refusal(await stage.alice.slash(stage.channel, "help"))
    assert french.startswith("Un admin de ce serveur vous a bloqué ici. Raison : Spam.")


class TestDirectMessagesOff:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        off = config.discord.model_copy(update={"direct_messages": False})
        return config.model_copy(update={"discord": off})

    async def test_the_bot_answers_on_servers_only(self, stage: Stage):
        said = refusal(await stage.alice.user.slash("complete", prompt="Once"))
        assert said == "The bot's operator has switched off direct messages. Use me on a server that we share."
        await stage.alice.send_dm(f"{stage.mention} complete Once")
        assert direct_messages(stage)[-1] == said
        assert not stage.backend.requests
        assert not first(await stage.alice.slash(stage.channel, "complete", prompt="Once")).ephemeral

    async def test_what_is_kept_can_be_deleted_all_the_same(self, stage: Stage):
        assert panel(await stage.alice.user.slash("privacy")).content.startswith("**What is kept of you**")


class TestCertainServers:
    @pytest.fixture
    def config(self, config: Config) -> Config:
        limited = config.discord.model_copy(update={"servers": (1234,)})
        return config.model_copy(update={"discord": limited})

    async def test_other_servers_are_told_so_in_private(self, stage: Stage):
        said = refusal(await stage.alice.slash(stage.channel, "complete", prompt="Once"))
        assert said == (
            "The bot's operator lets me answer on certain servers only, and this is not one of them. Use me on one "
            "of those, or ask the operator to add this one."
        )
        await stage.alice.send(stage.channel, stage.mention)
        assert direct_messages(stage) == [said]
        assert len(stage.channel.history()) == 1
        assert stage.bot.get_guild(stage.guild.id) is not None, "the bot does not leave"
        assert not stage.backend.requests

    async def test_direct_messages_have_a_setting_of_their_own(self, stage: Stage):
        assert not first(await stage.alice.user.slash("complete", prompt="Once")).ephemeral


async def test_a_listed_server_is_served(stage: Stage, config: Config):
    limited = config.discord.model_copy(update={"servers": (1234, stage.guild.id)})
    await restart(stage, config.model_copy(update={"discord": limited}))
    assert not first(await stage.alice.slash(stage.channel, "complete", prompt="Once")).ephemeral


async def test_no_member_of_the_team_of_the_operator_can_be_blocked():
    team = SimpleNamespace(owner_id=1, members=[SimpleNamespace(id=1), SimpleNamespace(id=2)])
    client: Any = SimpleNamespace(application_info=_returning(SimpleNamespace(team=team, owner=SimpleNamespace(id=9))))
    for person in (1, 2):
        with pytest.raises(InvalidRequest, match="This person operates the bot"):
            await check_blockable(client, person, by=5)
    with pytest.raises(InvalidRequest, match="You can't stop yourself"):
        await check_blockable(client, 5, by=5)
    await check_blockable(client, 6, by=5)


def _returning(value: object) -> Any:
    async def call() -> object:
        return value

    return call
