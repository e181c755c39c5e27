"""Calls of the bot in a message: by its name or its role, at the beginning, or before a command anywhere."""

from __future__ import annotations

import re
from collections.abc import Container

import discord

_CALL = re.compile(r"\s*(?P<name><@(?P<kind>[!&]?)(?P<id>\d+)>)[\s,;:.!?،、，。]*")
"""A mention of a person or a role, and what people write between the name and the command.

One expression for all servers: one for each, with its ids, would be compiled anew for each message.
"""

_WORD = re.compile(r"\w+")


def mentions_bot(message: discord.Message) -> bool:
    """Return whether somebody other than a bot mentions the bot or its role."""
    return not message.author.bot and (_me(message) in message.mentions or mentions_role(message))


def mentions_role(message: discord.Message) -> bool:
    """Return whether the message mentions the role that Discord made for the bot."""
    roles = message.role_mentions
    return bool(roles) and message.guild is not None and message.guild.self_role in roles


def may_concern_bot(message: discord.Message) -> bool:
    """Return whether the message may be for the bot; on many servers, nearly none is.

    It mentions the bot or replies to it, or is a person's in a thread or a direct message.
    """
    if message.author.bot:
        return False
    reply = message.reference and message.reference.resolved
    to_me = isinstance(reply, discord.Message) and reply.author == _me(message)
    return to_me or message.guild is None or isinstance(message.channel, discord.Thread) or mentions_bot(message)


def text_after_name(message: discord.Message) -> str | None:
    """Return what follows the name if the message begins with it; None if it does not."""
    found = _CALL.match(message.content)
    return message.content[found.end() :] if found and _names_me(message, found) else None


def without_name(message: discord.Message) -> str:
    """Return the text without the name at its beginning, if it is there."""
    found = _CALL.match(message.content)
    return message.content[found.end("name") :] if found and _names_me(message, found) else message.content


def prefix(message: discord.Message, commands: Container[str]) -> str | None:
    """Return everything before the command that the message calls.

    It calls one by the name at the beginning, or by the name anywhere before one of `commands`. None if it calls none.
    """
    if (rest := text_after_name(message)) is not None:
        return message.content.removesuffix(rest)
    for found in _CALL.finditer(message.content):
        word = _WORD.match(message.content, found.end())
        if word and word[0].lower() in commands and _names_me(message, found):
            return message.content[: found.end()]
    return None


def _names_me(message: discord.Message, call: re.Match[str]) -> bool:
    """Return whether the call names the bot or its role."""
    if call["kind"] == "&":
        role = message.guild.self_role if message.guild else None
        return role is not None and call["id"] == str(role.id)
    me = _me(message)
    return me is not None and call["id"] == str(me.id)


def _me(message: discord.Message) -> discord.ClientUser | None:
    return message._state.user  # pyright: ignore[reportPrivateUsage]  # the client is not in a message otherwise
