"""A channel is read only if the person and the bot may read it."""

from __future__ import annotations

import discord
import pytest
from simcord import ChannelHandle, MemberActor

from tests.cogs.stage import Stage, buttons, first, refusal
from tests.cogs.summarize.channels import create_thread, summarized_texts

NOT_YOURS = "You may not read the messages of that channel, so I don't read them for you."
NOT_MINE = (
    "I may not read that channel. I need View Channel and Read Message History there, in a voice channel Connect too; "
    "a moderator can grant them."
)


def channel_without_permission(
    stage: Stage, person: MemberActor | discord.ClientUser, permission: str
) -> ChannelHandle:
    """Return a channel in which `person` lacks a permission."""
    denied = discord.PermissionOverwrite(**{permission: False})
    return stage.guild.create_text_channel("closed", overwrites={person: denied})


async def test_a_channel_whose_history_the_person_may_not_read_is_refused(stage: Stage):
    channel = channel_without_permission(stage, stage.alice, "read_message_history")
    await stage.bob.send(channel, "about alice's birthday")
    result = await stage.alice.slash(stage.channel, "summarize", channel=channel)
    assert refusal(result) == NOT_YOURS
    assert not stage.backend.requests


@pytest.mark.parametrize("permission", ["view_channel", "read_message_history"])
async def test_a_link_to_a_message_that_the_person_may_not_read_is_refused(stage: Stage, permission: str):
    channel = channel_without_permission(stage, stage.alice, permission)
    message = await stage.bob.send(channel, "about alice's birthday")
    result = await stage.alice.slash(stage.channel, "summarize", since=message.jump_url)
    assert refusal(result) == NOT_YOURS
    assert not stage.backend.requests


@pytest.mark.parametrize("permission", ["view_channel", "read_message_history"])
async def test_a_channel_that_the_bot_may_not_read_is_refused(stage: Stage, permission: str):
    assert stage.bot.user is not None
    channel = channel_without_permission(stage, stage.bot.user, permission)
    result = await stage.alice.slash(stage.channel, "summarize", channel=channel)
    assert refusal(result) == NOT_MINE


@pytest.mark.parametrize("kind", ["voice", "stage"])
@pytest.mark.parametrize(("denied", "error"), [("alice", NOT_YOURS), ("bot", NOT_MINE)])
async def test_the_text_of_a_voice_channel_needs_permission_to_connect(
    stage: Stage, kind: str, denied: str, error: str
):
    create = stage.guild.create_voice_channel if kind == "voice" else stage.guild.create_stage_channel
    room = create("room")
    message = await stage.bob.send(room, "about alice's birthday")
    found = stage.bot.get_channel(room.id)
    assert isinstance(found, discord.VoiceChannel | discord.StageChannel)
    person = found.guild.me if denied == "bot" else await found.guild.fetch_member(stage.alice.id)
    await found.set_permissions(person, connect=False)
    result = await stage.alice.slash(stage.channel, "summarize", since=message.jump_url)
    assert refusal(result) == error
    await found.set_permissions(person, connect=True)
    await stage.alice.slash(stage.channel, "summarize", since=message.jump_url)
    assert summarized_texts(stage) == ["bob: about alice's birthday"]


async def test_a_summary_needs_permission_to_read_the_history(stage: Stage):
    channel = channel_without_permission(stage, stage.alice, "read_message_history")
    await stage.bob.send(channel, "before your time")
    result = await stage.alice.slash(channel, "summarize", messages=5)
    assert refusal(result).startswith("You may not read the earlier messages")
    assert not stage.backend.requests


async def test_a_thread_follows_the_permissions_of_its_channel(stage: Stage):
    channel = channel_without_permission(stage, stage.alice, "view_channel")
    found = stage.bot.get_channel(channel.id)
    assert isinstance(found, discord.TextChannel)
    await found.create_thread(name="side", type=discord.ChannelType.public_thread)
    message = await stage.bob.send(channel.threads[0], "about alice's birthday")
    result = await stage.alice.slash(stage.channel, "summarize", since=message.jump_url)
    assert refusal(result) == NOT_YOURS


async def test_a_private_thread_is_read_for_its_members(stage: Stage):
    side = await create_thread(stage, private=True)
    found = stage.bot.get_channel(side.id)
    assert isinstance(found, discord.Thread)
    await found.add_user(discord.Object(stage.bob.id))
    message = await stage.bob.send(side, "a surprise for alice")
    result = await stage.alice.slash(stage.channel, "summarize", since=message.jump_url)
    assert refusal(result) == "You are not in that private thread, so I don't read it for you."
    await stage.bob.slash(stage.channel, "summarize", channel=side)
    assert summarized_texts(stage) == ["bob: a surprise for alice"]


async def test_a_private_thread_is_read_for_moderators(stage: Stage):
    side = await create_thread(stage, private=True)
    found = stage.bot.get_channel(side.id)
    assert isinstance(found, discord.Thread)
    await found.add_user(discord.Object(stage.bob.id))
    await stage.bob.send(side, "a plan")
    role = stage.guild.create_role("moderators", permissions=discord.Permissions(manage_threads=True))
    moderator = stage.guild.add_member(stage.env.create_user("mod"), roles=[role])
    await moderator.slash(stage.channel, "summarize", channel=side)
    assert summarized_texts(stage) == ["bob: a plan"]


async def test_a_summary_of_another_channel_can_not_be_shared_here(stage: Stage):
    other = stage.guild.create_text_channel("other")
    message = await stage.bob.send(other, "Over there.")
    for options in ({"channel": other}, {"since": message.jump_url}):
        result = await stage.alice.slash(stage.channel, "summarize", **options)
        assert result.ephemeral
        assert buttons(first(result)) == []
    assert summarized_texts(stage) == ["bob: Over there."] * 2


async def test_a_link_and_a_channel_must_match(stage: Stage):
    other = stage.guild.create_text_channel("other")
    message = await stage.bob.send(stage.channel, "Here.")
    result = await stage.alice.slash(stage.channel, "summarize", since=message.jump_url, channel=other)
    assert refusal(result) == "That message is not in the channel you chose. Leave one of the two out."
