"""How many jobs one interaction may start, and which channels are age-restricted."""

from __future__ import annotations

from typing import Any

import discord
import pytest

from cogs.common.age_restriction import age_restricted
from cogs.imagine.preparation import most_jobs
from tests.cogs.stage import Stage


class _Installed:
    """An interaction of a bot that is installed for a person, a server, or both."""

    def __init__(self, *, person: bool, server: bool) -> None:
        self._person, self._server = person, server

    def is_user_integration(self) -> bool:
        return self._person

    def is_guild_integration(self) -> bool:
        return self._server


@pytest.mark.parametrize(("person", "server", "most"), [(True, False, 5), (True, True, 9), (False, True, 9)])
def test_a_bot_installed_only_for_a_person_may_send_five_messages(person: bool, server: bool, most: int) -> None:
    interaction: Any = _Installed(person=person, server=server)
    assert most_jobs(interaction, 9) == most
    assert most_jobs(interaction, 2) == 2


def _channel(stage: Stage) -> discord.TextChannel:
    channel = stage.bot.get_channel(stage.channel.id)
    assert isinstance(channel, discord.TextChannel)
    return channel


async def test_a_channel_is_age_restricted_if_discord_marks_it(stage: Stage):
    channel = _channel(stage)
    assert not age_restricted(channel)
    channel.nsfw = True
    assert age_restricted(channel)


async def test_a_thread_has_the_age_restriction_of_its_channel(stage: Stage):
    channel = _channel(stage)
    thread = await channel.create_thread(name="talk", type=discord.ChannelType.public_thread)
    assert not age_restricted(thread)
    channel.nsfw = True
    assert age_restricted(thread)


async def test_a_forum_post_has_the_age_restriction_of_its_forum(stage: Stage):
    forum = stage.bot.get_channel(stage.guild.create_forum_channel("pictures").id)
    assert isinstance(forum, discord.ForumChannel)
    post = (await forum.create_thread(name="mine", content="look")).thread
    assert not age_restricted(post)
    forum.nsfw = True
    assert age_restricted(post)
    assert age_restricted(forum)


async def test_direct_messages_and_unknown_channels_are_not_age_restricted(stage: Stage):
    user = await stage.bot.fetch_user(stage.alice.id)
    assert not age_restricted(await user.create_dm())
    assert not age_restricted(stage.bot.get_partial_messageable(stage.channel.id))
    assert not age_restricted(None)
