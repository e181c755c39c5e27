"""The order of turns: one after another in each conversation, and quick messages of one person together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import discord

from cogs.common import ReplySession

Key = tuple[int, int]
"""A channel that is one conversation (its id, 0), or a person in another channel (both ids)."""

TakeTurn = Callable[[tuple[discord.Message, ...]], Awaitable[None]]


@dataclass(slots=True, eq=False)
class _Conversation:
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    waiting: dict[int, list[discord.Message]] = field(default_factory=dict[int, list[discord.Message]])
    """By person: messages whose turn has not begun."""
    running: ReplySession | None = None


class Conversations:
    """All conversations in which somebody is being answered."""

    def __init__(self, pause: float) -> None:
        self.pause = pause
        """Seconds in which a further message of the same person still belongs to the same turn."""
        self._open: dict[Key, _Conversation] = {}

    async def add(self, key: Key, message: discord.Message, take_turn: TakeTurn) -> None:
        """Answer the message by `take_turn`, together with those of its author that come before the turn begins."""
        conversation = self._open.setdefault(key, _Conversation())
        person = message.author.id
        if person in conversation.waiting:
            conversation.waiting[person].append(message)
            return
        conversation.waiting[person] = [message]
        try:
            await asyncio.sleep(self.pause)
            async with conversation.turn:
                await take_turn(tuple(conversation.waiting.pop(person)))
        finally:
            conversation.waiting.pop(person, None)
            if not conversation.waiting and not conversation.turn.locked():
                self._open.pop(key, None)

    def begin(self, key: Key, session: ReplySession) -> None:
        """Note which session answers now, so that its owner can stop it by a word."""
        if conversation := self._open.get(key):
            conversation.running = session

    def stop(self, key: Key, person: int) -> bool:
        """Stop the answer to this person; return False if none is being written."""
        conversation = self._open.get(key)
        session = conversation.running if conversation else None
        if session is None or session.owner != person or session.closed.is_set():
            return False
        session.cancel()
        return True
