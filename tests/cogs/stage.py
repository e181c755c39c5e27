"""A server with people, the bot in it, and an engine that a test can hold in the middle of a job."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import discord
from simcord import ChannelHandle, Env, GuildHandle, InteractionResult, MemberActor, ResponseMessage

from inference import CheckedRequest, Engine, Event, InferenceError, Request
from tests.fakes import FakeBackend


class PatientEngine(Engine):
    """Declares its waits to SimCord, which otherwise takes a job that waits for events for one that hangs."""

    env: Env | None = None

    async def stream(self, checked: CheckedRequest[Request]) -> AsyncGenerator[Event, None]:
        assert self.env is not None
        async with aclosing(super().stream(checked)) as events:
            while True:
                try:
                    event = await self.env.external_wait(anext(events), reason="the model is at work")
                except StopAsyncIteration:
                    return
                yield event


@dataclass
class Stage:
    """What a test needs at hand. Alice asks; Bob is somebody else."""

    env: Env
    backend: FakeBackend
    guild: GuildHandle
    channel: ChannelHandle
    alice: MemberActor
    bob: MemberActor

    @property
    def bot(self) -> discord.Client:
        return self.env.bot

    @property
    def mention(self) -> str:
        assert self.bot.user is not None
        return self.bot.user.mention

    @property
    def said(self) -> str:
        """What the newest message in the channel says."""
        assert self.channel.last_message is not None
        return self.channel.last_message.content

    async def event(self, event: Event | InferenceError) -> None:
        """Let the newest job make progress."""
        self.backend.listeners[-1](event)
        await self.env.settle()


def first(result: InteractionResult) -> ResponseMessage:
    """The one message of a command."""
    assert result.response is not None, result
    return result.response


def followup(result: InteractionResult) -> ResponseMessage:
    """The one message that a press was answered with, below that of the button."""
    [message] = result.followups
    return message


def buttons(message: ResponseMessage) -> list[str]:
    """The labels of its buttons."""
    return [button["label"] for row in message.components for button in row["components"] if "label" in button]


def refusal(result: InteractionResult) -> str:
    """What the person alone was told; nothing else may be left in the channel."""
    pressed = result._interaction.id  # pyright: ignore[reportPrivateUsage]
    messages = [message for message in (result.response, *result.followups) if message and message.id > pressed]
    assert len(messages) == 1, messages
    assert messages[0].ephemeral
    return messages[0].content
