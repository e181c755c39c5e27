"""A test server with people and the bot, and an engine that a test can pause during a request."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

import discord
from simcord import ChannelHandle, Env, GuildHandle, InteractionResult, MemberActor, ResponseMessage

from inference import CheckedRequest, Engine, Event, InferenceError, OriginReport, Request
from tests.fakes import FakeBackend


class PatientEngine(Engine):
    """An engine that declares its waits to SimCord, which would otherwise treat them as a hang."""

    env: Env | None = None

    async def stream(self, checked: CheckedRequest[Request], request_id: str = "") -> AsyncGenerator[Event, None]:
        assert self.env is not None
        async with aclosing(super().stream(checked, request_id)) as events:
            while True:
                try:
                    event = await self.env.external_wait(anext(events), reason="the model is at work")
                except StopAsyncIteration:
                    return
                yield event

    async def read_origin(self, picture: bytes, owner: str = "") -> OriginReport:
        assert self.env is not None
        return await self.env.external_wait(super().read_origin(picture, owner), reason="a picture is read")


@dataclass
class Stage:
    """The objects that tests need. Alice asks; Bob is another person."""

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
    def last_text(self) -> str:
        """Return the text of the newest message in the channel."""
        assert self.channel.last_message is not None
        return self.channel.last_message.content

    async def event(self, event: Event | InferenceError) -> None:
        """Send an event to the newest request."""
        self.backend.listeners[-1](event)
        await self.env.settle()


def first(result: InteractionResult) -> ResponseMessage:
    """Return the response to a command."""
    assert result.response is not None, result
    return result.response


def followup(result: InteractionResult) -> ResponseMessage:
    """Return the only new message that a press sent."""
    [message] = result.followups
    return message


def buttons(message: ResponseMessage) -> list[str]:
    """Return the labels of the message's buttons."""
    return [button["label"] for row in message.components for button in row.get("components", ()) if "label" in button]


def refusal(result: InteractionResult) -> str:
    """Return the text of the private error; assert that no other message is left in the channel."""
    pressed = result._interaction.id  # pyright: ignore[reportPrivateUsage]
    messages = [message for message in (result.response, *result.followups) if message and message.id > pressed]
    assert len(messages) == 1, messages
    assert messages[0].ephemeral
    return messages[0].content
