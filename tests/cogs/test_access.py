"""Who may use the bot, and where: blocks, the operator's servers, and direct messages."""

from __future__ import annotations

from typing import Any, cast

import discord
import pytest
from simcord import InteractionResult

from cogs.client import Inkling
from cogs.common import ReplySessions
from inference import Config, Queued
from storage import EVERYWHERE, Block, PersonSettings, Store
from tests.cogs.imagine.images import restart
from tests.cogs.settings.panels import panel
from tests.cogs.stage import Stage, first, refusal

HERE = "An admin of this server has blocked you here."


def store(stage: Stage) -> Store:
    return cast(Inkling, stage.bot).store


async def block(stage: Stage, server: int | None = None, reason: str = "Spam", until: float | None = None) -> None:
    """Block Alice, on the server of the stage or another."""
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
    assert said.startswith("The bot's operator has blocked you. Reason: none was given. It has no end.")
    await stage.alice.send_dm(f"{stage.mention} complete Once")
    assert direct_messages(stage)[-1].startswith("The bot's operator has blocked you.")
    assert not stage.backend.requests


async def test_a_blocked_server_is_told_so(stage: Stage):
    await store(stage).blocks.add(Block("server", stage.guild.id, EVERYWHERE, "Unpaid", None, 1, 2.0))
    for person in (stage.alice, stage.bob):
        said = refusal(await person.slash(stage.channel, "complete", prompt="Once"))
        assert said.startswith("The bot's operator has blocked this server. Reason: Unpaid.")
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
    assert "That you are blocked for good, until somebody unblocks you; you can't delete this." in shown.content
    await stage.alice.click(shown, label="Delete all of it")
    await stage.alice.click(shown, label="Delete for good")
    assert shown.content.splitlines() == [
        "Done. Only this stays for now:",
        "- That you are blocked for good, until somebody unblocks you; you can't delete this.",
    ]
    assert await store(stage).sent_answers.count_of(stage.alice.id) == 0
    assert refusal(await stage.alice.slash(stage.channel, "help")).startswith(HERE)


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


async def kill(stage: Stage) -> None:
    """Let the bot end without a word, so that its open requests are stored and go on after a restart."""
    await store(stage).close()
    cast(Inkling, stage.bot).sessions = ReplySessions(cast(Inkling, stage.bot))


def said_in_private(asked: InteractionResult) -> str:
    """Return the only private message in which a request has ended."""
    [message] = [message for message in asked.followups if message.ephemeral]
    return message.content


async def waiting_answer(stage: Stage) -> InteractionResult:
    """Let Alice ask for an answer, which waits in the queue."""
    stage.backend.script = lambda spec, request: [Queued(1)]
    return await stage.alice.slash(stage.channel, "complete", prompt="Once")


async def test_a_request_of_somebody_who_was_blocked_meanwhile_does_not_go_on_after_a_kill(
    stage: Stage, config: Config
):
    asked = await waiting_answer(stage)
    await block(stage)
    await kill(stage)
    await restart(stage, config)
    assert len(stage.backend.requests) == 1
    assert said_in_private(asked).startswith(f"{HERE} Reason: Spam.")
    assert stage.channel.history() == []


async def test_a_request_of_a_server_that_is_no_longer_served_does_not_go_on_after_a_restart(
    stage: Stage, config: Config
):
    asked = await waiting_answer(stage)
    limited = config.discord.model_copy(update={"servers": (1234,)})
    await restart(stage, config.model_copy(update={"discord": limited}))
    assert len(stage.backend.requests) == 1
    assert said_in_private(asked).startswith("The bot's operator lets me answer on certain servers only")


async def test_a_drawing_that_begins_while_a_block_is_stored_is_refused(stage: Stage):
    jobs: Any = store(stage).jobs
    asked = first(await stage.alice.slash(stage.channel, "imagine", prompt="a {red,blue} fox", seed=5))
    add_from_question = jobs.add_from_question

    async def add_and_block(*values: Any) -> Any:
        found = await add_from_question(*values)
        await block(stage)
        return found

    jobs.add_from_question = add_and_block
    drawn = await stage.alice.click(asked, label="Draw 2")
    assert stage.backend.requests == []
    refused = [message for message in drawn.followups if message.ephemeral]
    assert [message.content.startswith(HERE) for message in refused] == [True, True]
