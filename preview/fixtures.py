"""The offline Discord server of the preview: its members and their messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import discord
from simcord.actors import MemberActor
from simcord.backend.cdn import CDN_BASE
from simcord.builders import ChannelHandle, GuildHandle
from simcord.env import Env

from preview.pictures import ink_drop, portrait, red_apple

_MESSAGES = (
    ("maya", "Morning! Has anyone looked at the hut for our weekend yet?"),
    (
        "jonas",
        "Yes, I booked the hut on Lake Arven, from Friday 12 June to Sunday 14 June. It has room for six people.",
    ),
    ("maya", "Wonderful. What does it cost?"),
    ("jonas", "180 euros for both nights, so 30 euros each. I have paid, you can send it to me by the end of May."),
    ("maya", "Great. How do we get there? The last bus up the valley leaves at five, doesn't it?"),
    (
        "jonas",
        "We take the train at 15:42 from platform 3. It reaches Arven at 17:20, and from there it is an hour on foot. "
        "Lena drives up with the food and can take two people.",
    ),
    ("maya", "I walk. I will bring the tent for the children and the big pot."),
    ("jonas", "Please bring a warm sleeping bag as well. It was four degrees there at night last June."),
    ("maya", "Noted. Is there anything to do if it rains on Saturday?"),
    (
        "jonas",
        "There is a small glass museum in the village, open until four, and the sauna at the hut. "
        "If it stays dry we walk around the lake, which is 11 kilometres.",
    ),
    ("maya", "Then I hope for sun. My daughter packs the apples, and has drawn one:"),
)


_MESSAGE_INTERVAL = timedelta(minutes=2)
"""Time between two messages."""


@dataclass(frozen=True)
class Fixtures:
    """The server, its channels in display order, and the members that a user of the preview can be."""

    guild: GuildHandle
    channels: tuple[ChannelHandle, ...]
    viewers: tuple[MemberActor, ...]
    pictures: dict[str, tuple[str, bytes]]
    """Files that the bot downloads: address → file name and content."""


def set_clock(env: Env) -> None:
    """Set SimCord's clock, which starts in a fixed year, before the bot starts: otherwise all its timers would fire.

    It is set early enough for the last message to be sent now.
    """
    start = datetime.now(UTC) - _MESSAGE_INTERVAL * len(_MESSAGES)
    env.backend.advance_clock((start - env.now()).total_seconds())


async def create_fixtures(env: Env) -> Fixtures:
    """Create the server for a bot that has logged in."""
    env.backend.edit_bot_profile("Inkling")
    env.backend.bot_user.avatar = "face"
    guild = env.create_guild("Inkling's study")
    general = guild.create_text_channel(
        "general", topic="Inkling's preview: all of it runs on this machine. Write @Inkling and a question, or /help."
    )
    late = guild.create_text_channel("after-dark", topic="An age-restricted channel.")
    _restrict(env.bot, late)
    hosts = guild.create_role("hosts", permissions=discord.Permissions(manage_guild=True))
    maya = guild.add_member(env.create_user("maya", global_name="Maya", avatar="face"), roles=[hosts])
    jonas = guild.add_member(env.create_user("jonas", global_name="Jonas", avatar="face"))
    await _send_messages(env, general, (maya, jonas))
    faces = {
        env.backend.bot_user.id: ink_drop(),
        maya.id: portrait("M", "#a1436b"),
        jonas.id: portrait("J", "#2f7a5c"),
    }
    pictures = {f"{CDN_BASE}/avatars/{number}/face.png": ("face.png", png) for number, png in faces.items()}
    return Fixtures(guild, (general, late), (maya, jonas), pictures)


async def _send_messages(env: Env, channel: ChannelHandle, members: Sequence[MemberActor]) -> None:
    speakers = {member.name: member for member in members}
    for name, text in _MESSAGES:
        await env.advance_time(_MESSAGE_INTERVAL.total_seconds())
        last = text == _MESSAGES[-1][1]
        await speakers[name].send(channel, text, attachments=[("apple.png", red_apple())] if last else ())


def _restrict(bot: discord.Client, channel: ChannelHandle) -> None:
    """Restrict a channel by age. SimCord does not support it, so it is set on the bot's channel object."""
    known = bot.get_channel(channel.id)
    assert isinstance(known, discord.TextChannel)
    known.nsfw = True
