"""The order of turns: one after another in each conversation, and quick messages of one person together."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import discord

from cogs.common import ReplySession

log = logging.getLogger(__name__)

Key = tuple[int, int]
"""A channel that is one conversation (its id, 0), or a person in another channel (both ids)."""

TakeTurn = Callable[[tuple[discord.Message, ...]], Awaitable[None]]


@dataclass(slots=True)
class _Conversation:
    waiting: dict[int, list[discord.Message]] = field(default_factory=dict[int, list[discord.Message]])
    """By person: messages whose turn has not begun. Who wrote first is first."""
    session: ReplySession | None = None
    """The session of the turn that is being answered."""


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
            await take_turn(tuple(messages))
        except Exception:  # the next turns must not be lost with it
            log.exception("a turn of a conversation failed")

    def begin(self, key: Key, session: ReplySession) -> None:
        """Note which session answers now, so that its owner can stop it by a word."""
        if conversation := self._open.get(key):
            conversation.session = session

    def stop(self, key: Key, person: int) -> bool:
        """Stop the answer to this person. Return False if none is being written."""
        conversation = self._open.get(key)
        session = conversation.session if conversation else None
        if session is None or session.owner != person or session.closed.is_set():
            return False
        session.cancel()
        return True
