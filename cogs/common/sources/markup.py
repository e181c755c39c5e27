"""The words in Discord's marks for emoji, times, commands and mentions, which models would read as numbers."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import discord

_EMOJI = re.compile(r"<a?(:\w+:)\d+>")
_COMMAND = re.compile(r"<(/[^:<>]+):\d+>")
_TIME = re.compile(r"<t:(-?\d{1,12})(?::[tTdDfFsSR])?>")


_PAGE = re.compile(r"<id:(customize|browse|guide|home|linked-roles)(?::\d+)?>")
_PAGES = {
    "customize": "Channels & Roles",
    "browse": "Browse Channels",
    "guide": "Server Guide",
    "home": "Server Guide",
    "linked-roles": "Linked Roles",
}
"""The pages of a server, and their names in Discord."""
_MENTION = re.compile(r"<(@[!&]?|#)(\d{15,20})>")


def names_for_mentions(text: str, message: discord.Message) -> str:
    """Return the text with the names of people, roles and channels, as far as the message or its server knows them.

    discord.py does this for the content of a message, but not for what is forwarded or embedded in it.
    """
    return _MENTION.sub(lambda found: _name(found[1], int(found[2]), message), text)


def _name(kind: str, id_: int, message: discord.Message) -> str:
    guild = message.guild
    if kind == "#":
        channel = guild.get_channel_or_thread(id_) if guild else None
        return f"#{channel.name if channel else 'unknown'}"
    if kind == "@&":
        role = guild.get_role(id_) if guild else None
        return f"@{role.name if role else 'unknown-role'}"
    person = discord.utils.get(message.mentions, id=id_) or (guild.get_member(id_) if guild else None)
    return f"@{person.display_name if person else 'unknown-user'}"


def in_words(text: str) -> str:
    """Return the text with `:name:` for an emoji, `/name` for a command, and the words for a time or a page."""
    text = _EMOJI.sub(r"\1", text)
    text = _COMMAND.sub(r"\1", text)
    text = _PAGE.sub(lambda found: _PAGES[found[1]], text)
    return _TIME.sub(lambda found: _time(int(found[1])) or found[0], text)


def _time(seconds: int) -> str:
    """Return the time in UTC; empty if there is no such year."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, ValueError, OSError):
        return ""
