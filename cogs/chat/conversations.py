"""The order of turns: one after another in each conversation, and quick messages of one person together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import discord

log = logging.getLogger(__name__)

Key = tuple[int, ...]
"""A channel that is one conversation, or in another channel a person and the message that is replied to."""

TakeTurn = Callable[[tuple[discord.Message, ...]], Awaitable[None]]


@dataclass(slots=True)
class _Conversation:
    waiting: dict[int, list[discord.Message]] = field(default_factory=dict[int, list[discord.Message]])
    """By person: messages whose turn has not begun. Who wrote first is first."""


class Conversations:
    """All conversations in which somebody is being answered."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        """Seconds in which a further message of the same person still belongs to the same turn."""
        self._open: dict[Key, _Conversation] = {}

    async def add(self, key: Key, message: discord.Message, take_turn: TakeTurn) -> None:
        """Answer the message by `take_turn`, together with those of its author that come before its turn begins.

        If a turn of the conversation is being answered, return; the message is taken after it.
        """
        conversation = self._open.get(key)
        if conversation:
            conversation.waiting.setdefault(message.author.id, []).append(message)
            return
        conversation = self._open[key] = _Conversation({message.author.id: [message]})
        try:
            await asyncio.sleep(self.pause)
            while conversation.waiting:
                first = next(iter(conversation.waiting))
                await self._take(conversation.waiting.pop(first), take_turn)
        finally:
            del self._open[key]

    async def _take(self, messages: list[discord.Message], take_turn: TakeTurn) -> None:
        try:
            await take_turn(tuple(sorted(messages, key=lambda message: message.id)))
        except Exception:  # the next turns must not be lost with it
            log.exception("a turn of a conversation failed")
