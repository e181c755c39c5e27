"""Questions about messages: a linked message, the last messages of a channel, a message that is replied to."""

from __future__ import annotations

import discord
import pytest
from simcord import ChannelHandle

from tests.cogs.ask.questions import TOWER, ask, finds, newest_ask_request, newest_chat_request
from tests.cogs.stage import Stage, first, refusal
from tests.cogs.summarize.channels import create_thread

_NO_PRIVILEGED_INTENTS = discord.Intents(guilds=True, messages=True)


async def test_a_link_leads_to_the_message_that_is_asked_about(stage: Stage):
    stage.backend.script = finds("1889")
    message = await stage.bob.send(stage.channel, TOWER)
    result = await ask(stage, link=message.jump_url)
    assert first(result).content.endswith(f"\n-# Sure, from {message.jump_url}")
    assert not result.ephemeral


async def test_embeds_are_read(stage: Stage):
    hook = stage.guild.create_webhook(stage.channel)
    embed = discord.Embed(title="News", description="The tower was built in 1889.")
    embed.set_author(name="The Gazette").add_field(name="Height", value="312 m")
    message = await hook.send(embeds=[embed])
    stage.backend.script = finds("1889")
    assert "The tower was built in **1889**." in first(await ask(stage, link=message.jump_url)).content
    assert newest_ask_request(stage).context == "The Gazette\nNews\nThe tower was built in 1889.\nHeight\n312 m"


async def test_an_answer_from_another_channel_is_private(stage: Stage):
    elsewhere = stage.guild.create_text_channel("elsewhere")
    message = await stage.bob.send(elsewhere, TOWER)
    assert (await ask(stage, link=message.jump_url)).ephemeral


@pytest.mark.parametrize("permission", ["view_channel", "read_message_history"])
async def test_a_channel_that_the_person_may_not_read_is_not_read(stage: Stage, permission: str):
    closed = _channel_without_permission(stage, permission, stage.alice)
    message = await stage.bob.send(closed, TOWER)
    result = await ask(stage, link=message.jump_url)
    assert refusal(result) == "You may not read the messages of that channel, so I don't read them for you."
    assert not stage.backend.requests


async def test_a_channel_that_the_bot_may_not_read_gives_an_error(stage: Stage):
    closed = _channel_without_permission(stage, "view_channel", stage.bot.user)
    message = await stage.bob.send(closed, TOWER)
    assert refusal(await ask(stage, link=message.jump_url)).startswith("I may not read that channel.")


async def test_a_private_thread_is_read_only_for_its_members(stage: Stage):
    side = await create_thread(stage, private=True)
    stage.env.backend.create_message(side.id, stage.bob.id, TOWER)
    link = side.history()[-1].jump_url
    assert refusal(await ask(stage, link=link)).startswith("You are not in that private thread")
    assert not stage.backend.requests


async def test_a_link_to_another_server_is_not_followed(stage: Stage):
    guild = stage.env.create_guild()
    link = f"https://discord.com/channels/{guild.id}/{guild.create_text_channel('x').id}/1"
    assert refusal(await ask(stage, link=link)).startswith("I follow links to messages of the server")


async def test_a_link_to_an_unknown_channel_is_refused(stage: Stage):
    other = stage.env.create_guild().create_text_channel("x")
    link = f"https://discord.com/channels/{stage.guild.id}/{other.id}/1"
    assert refusal(await ask(stage, link=link)).startswith("I may not read that channel.")


@pytest.mark.parametrize("link", ["1889", "https://example.com/channels/1/2/3"])
async def test_an_invalid_link_is_refused(stage: Stage, link: str):
    assert refusal(await ask(stage, link=link)).startswith("That is no link to a message.")


async def test_a_deleted_message_gives_an_error(stage: Stage):
    link = f"https://discord.com/channels/{stage.guild.id}/{stage.channel.id}/1"
    assert refusal(await ask(stage, link=link)) == "That message has been deleted."


async def test_a_link_to_a_direct_message_works_only_in_that_direct_message(stage: Stage):
    message = await stage.alice.send_dm(TOWER)
    stage.backend.script = finds("1889")
    result = await stage.alice.user.slash("ask", question="When?", link=message.jump_url)
    assert "**1889**" in result.response.content
    assert refusal(await ask(stage, link=message.jump_url)).startswith("I follow links to messages of the server")


@pytest.mark.simcord(approved_intents=_NO_PRIVILEGED_INTENTS)
async def test_a_link_to_a_message_that_discord_hides_says_what_to_do(stage: Stage):
    message = await stage.bob.send(stage.channel, TOWER)
    assert refusal(await ask(stage, link=message.jump_url)).startswith("Discord does not show me that message.")


async def test_the_last_messages_are_read_and_the_answer_links_to_its_message(stage: Stage):
    stage.backend.script = finds("five", 0.9, ("noon", 0.05))
    await stage.bob.send(stage.channel, "too old")
    lunch = await stage.alice.send(stage.channel, "Lunch is at noon.")
    tea = await stage.bob.send(stage.channel, "Tea? At five.")
    result = await ask(stage, "When is tea?", messages=2)
    assert newest_ask_request(stage).context == "alice: Lunch is at noon.\nbob: Tea? At five."
    assert first(result).content == (
        f"> When is tea?\n\nAt **five**.\n-# Sure, from bob ({tea.jump_url})\n"
        f"Other possible answers in the text:\n1. alice: Lunch is at **noon**. · alice ({lunch.jump_url})\n"
        "-# 2 messages read"
    )


async def test_messages_links_and_files_can_be_combined(stage: Stage):
    stage.backend.script = finds("noon")
    linked = await stage.bob.send(stage.channel, "Tea is at five.")
    last = await stage.bob.send(stage.channel, "Lunch is at noon.")
    result = await ask(stage, messages=1, link=linked.jump_url, file=("a.txt", b"Dinner is at seven."))
    assert newest_ask_request(stage).context == "Dinner is at seven.\n\nTea is at five.\n\nbob: Lunch is at noon."
    assert f"from bob ({last.jump_url})" in first(result).content


async def test_the_last_messages_are_not_read_without_permission_to_read_the_history(stage: Stage):
    closed = _channel_without_permission(stage, "read_message_history", stage.alice)
    result = await stage.alice.slash(closed, "ask", question="When?", messages=5)
    assert refusal(result).startswith("You may not read the earlier messages of this channel")


async def test_a_mention_can_have_files_attached(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} ask when?", attachments=[("a.txt", b"noon")])
    assert newest_ask_request(stage).context == "noon"


async def test_a_mention_without_any_source_asks_a_language_model(stage: Stage):
    await stage.alice.send(stage.channel, f"{stage.mention} ask why is the sky blue?")
    assert newest_chat_request(stage).question == "why is the sky blue?"


def _channel_without_permission(stage: Stage, permission: str, to: object) -> ChannelHandle:
    """Return a channel in which `to` lacks a permission."""
    denied = discord.PermissionOverwrite(**{permission: False})
    return stage.guild.create_text_channel("closed", overwrites={to: denied})  # pyright: ignore[reportArgumentType]
