"""Calls of the bot in a message: by its name or its role, at the beginning, or before a command anywhere."""

from __future__ import annotations

import re
from collections.abc import Container

import discord

_AFTER_NAME = r"[\s,;:.!?،、，。]*"
"""What people write between the name and the command."""

_WORD = re.compile(r"\w+")


def mentions_bot(message: discord.Message) -> bool:
    """Return whether somebody other than a bot mentions the bot or its role."""
    return not message.author.bot and (_me(message) in message.mentions or mentions_role(message))


def mentions_role(message: discord.Message) -> bool:
    """Return whether the message mentions the role that Discord made for the bot."""
    return message.guild is not None and message.guild.self_role in message.role_mentions


def text_after_name(message: discord.Message) -> str | None:
    """Return what follows the name if the message begins with it; None if it does not."""
    found = re.match(rf"\s*{name_pattern(message)}{_AFTER_NAME}", message.content)
    return message.content[found.end() :] if found else None


def prefix(message: discord.Message, commands: Container[str]) -> str | None:
    """Return everything before the command that the message calls.

    It calls one by the name at the beginning, or by the name anywhere before one of `commands`. None if it calls none.
    """
    if (rest := text_after_name(message)) is not None:
        return message.content.removesuffix(rest)
    for found in re.finditer(rf"{name_pattern(message)}{_AFTER_NAME}", message.content):
        word = _WORD.match(message.content, found.end())
        if word and word[0].lower() in commands:
            return message.content[: found.end()]
    return None


def name_pattern(message: discord.Message) -> str:
    """Return a regular expression for the bot's name and its role, as they are in the text of a message."""
    me, role = _me(message), message.guild.self_role if message.guild else None
    ids = [rf"@!?{me.id}"] if me else []
    ids += [rf"@&{role.id}"] if role else []
    return rf"<(?:{'|'.join(ids)})>"


def _me(message: discord.Message) -> discord.ClientUser | None:
    return message._state.user  # pyright: ignore[reportPrivateUsage]  # the client is not in a message otherwise
