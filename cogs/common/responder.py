"""Ways to reply: to an interaction, or to a plain message.

Only `acknowledge` needs the interaction itself. Everything after it needs the `Target` alone, so it is the same before
and after a restart.
"""

from __future__ import annotations

import contextlib
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar, Self

import discord

from cogs.common.gallery_layout import gallery_layout
from cogs.common.message_content import MessageContent
from cogs.common.rules import answers_privately, settings_of
from cogs.common.target import Target, TargetKind, target_of_interaction, target_of_message
from cogs.i18n import tr
from cogs.i18n.locale import use_locale_of

log = logging.getLogger(__name__)

_ORIGINAL: Any = "@original"
"""How Discord calls the response to an interaction as long as its id is unknown."""

_APPLICATION = discord.WebhookType.application.value

_MOST_SEARCHED = 100
"""The most messages of a channel among which one of before a restart is searched."""

_ACKNOWLEDGED = 40060
"""The code of an interaction that was acknowledged before: the answer to the first attempt was lost."""

_NO_ACCESS = (50001, 10003)
"""The codes of a channel in which the bot itself is not."""

_DEAD_TOKEN = (50027, 10015)
"""The codes of a token that has expired, or was revoked."""


class Responder(ABC):
    """A way to send one reply, and further messages below it. `target` says where it is."""

    def __init__(self, client: discord.Client, target: Target, interaction: discord.Interaction | None = None) -> None:
        self._client = client
        self._interaction = interaction
        self.target = target

    @property
    def me(self) -> discord.ClientUser | None:
        """The bot itself."""
        return self._client.user

    @abstractmethod
    async def acknowledge(self) -> None:
        """Show the person that the bot is working, and note in `target` in which message."""

    async def show(self, content: MessageContent, view: discord.ui.View | None = None) -> None:
        """Edit the message to show this; call `acknowledge` first."""
        if self.target.has_token:
            try:
                sent = await self._webhook().edit_message(self._message_id(), **fields(content, view))
            except discord.HTTPException as error:
                if error.code not in _DEAD_TOKEN:
                    raise
                log.info("the token of an interaction is no longer valid: %s", error)
                self.target = replace(self.target, token="")
            else:
                self._note_message(sent.id)
                return
        try:
            await self._own_message().edit(**fields(content, view))
        except discord.HTTPException as error:
            if error.code in _NO_ACCESS:  # the bot is installed to the person, not to this server or group
                raise Unreachable from error
            raise

    async def more(self, content: MessageContent) -> None:
        """Send another message below the first, as a reply to the same message if the first is one."""
        if self.target.asked_in:
            await self._asked_in().reply(content.text, files=_files(content))
        elif self.target.has_token:
            await self._webhook().send(content.text, files=_files(content), ephemeral=self.target.private)
        else:
            await self._own_message().reply(content.text, files=_files(content))

    async def notify(self, text: str) -> None:
        """Send a message that pings the person who asked and nobody else, since edits do not notify."""
        if self.target.private:
            return
        text, mentions = f"<@{self.target.owner}> {text}", _only(self.target.owner)
        if self.target.has_token:
            await self._webhook().send(text, allowed_mentions=mentions)
        else:
            await self._own_message().reply(text, allowed_mentions=mentions)

    async def write_to_person(self, text: str) -> None:
        """Send a direct message to the person who asked."""
        person = self._client.get_user(self.target.owner) or await self._client.fetch_user(self.target.owner)
        await person.send(text)

    @abstractmethod
    async def refuse(self, text: str) -> None:
        """End with `text` for the person who asked, privately where Discord can."""

    @abstractmethod
    async def find_message(self, is_taken: Callable[[int], bool]) -> None:
        """Find the message, if the process ended before its id was stored; raise NeverAcknowledged if there is none.

        `is_taken` says whether a message is that of another request.
        """

    async def _find_sent(self, after: int, is_it: Callable[[discord.Message], bool]) -> bool:
        """Note the bot's own message in the channel, after an id, that `is_it`. Return whether there is one."""
        channel: Any = self.channel()
        async for message in channel.history(after=discord.Object(after), limit=_MOST_SEARCHED):
            if message.author == self._client.user and is_it(message):
                self._note_message(message.id)
                return True
        return False

    def _note_message(self, message: int) -> None:
        if self.target.message is None:
            self.target = replace(self.target, message=message)

    def _message_id(self) -> int:
        """Return the id for edits with the token."""
        return self.target.message or _ORIGINAL

    def _webhook(self) -> discord.Webhook:
        """Return what sends and edits with the token of the interaction."""
        data: Any = {"id": self.target.application, "type": _APPLICATION, "token": self.target.token}
        state = self._client._connection  # pyright: ignore[reportPrivateUsage]  # as discord.py does for followups
        return discord.Webhook.from_state(data, state)

    def _own_message(self) -> discord.PartialMessage:
        """Return the message for edits with the bot's own token, which needs no interaction; not for private ones."""
        if self.target.private or self.target.message is None:
            raise Unreachable
        return self.channel().get_partial_message(self.target.message)

    def _asked_in(self) -> discord.PartialMessage:
        return self.channel().get_partial_message(self.target.asked_in)

    def channel(self) -> discord.PartialMessageable:
        """Return the channel of the reply."""
        return self._client.get_partial_messageable(self.target.channel, guild_id=self.target.origin.guild)


class Unreachable(Exception):
    """Discord has no way to the message any more: it is private, or not named, and its token has expired."""


class NeverAcknowledged(Exception):
    """The process ended before the acknowledgement, so Discord has told the person that the bot did not respond."""


class InteractionResponder(Responder):
    """The response to a command, menu or modal; with `private`, only the person who asked sees it.

    The settings of the server or of that person can make it private too. It sets the current language to theirs.
    """

    kind: ClassVar[TargetKind] = "response"

    @classmethod
    def of(cls, interaction: discord.Interaction, *, private: bool = False) -> Self:
        """Return the responder for an interaction that this process has received."""
        use_locale_of(interaction, settings_of(interaction))
        private = private or answers_privately(interaction)
        return cls(interaction.client, target_of_interaction(interaction, cls.kind, private=private), interaction)

    async def acknowledge(self) -> None:
        assert self._interaction is not None, "after a restart it is acknowledged"
        try:
            callback = await self._defer(self._interaction.response)
        except discord.HTTPException as error:
            if error.code != _ACKNOWLEDGED:
                raise
            self._note_message((await self._interaction.original_response()).id)
        else:
            if callback and callback.message_id:
                self._note_message(callback.message_id)

    async def _defer(self, response: Any) -> discord.InteractionCallbackResponse[Any] | None:
        return await response.defer(ephemeral=self.target.private, thinking=True)

    async def find_message(self, is_taken: Callable[[int], bool]) -> None:
        if not self.target.has_token:
            raise NeverAcknowledged
        try:
            original = await self._webhook().fetch_message(_ORIGINAL)
        except discord.NotFound as error:
            raise NeverAcknowledged from error
        self._note_message(original.id)

    async def refuse(self, text: str) -> None:
        if self._interaction and not self._interaction.response.is_done():
            await self._interaction.response.send_message(text, ephemeral=True)
        elif self.target.private or not self.target.has_token:
            await self.show(MessageContent(text))
        else:  # while the public message is "thinking", a followup would replace it and be public
            await self.show(MessageContent(tr("Not done. Only the person who asked sees why.")))
            await self._send_privately(text)
            await self._webhook().delete_message(self._message_id())

    async def _send_privately(self, text: str) -> None:
        """Send a separate message that only this person sees, if that is possible."""
        if self._interaction and not self._interaction.response.is_done():
            await self._interaction.response.send_message(text, ephemeral=True)
        elif self.target.has_token:
            await self._webhook().send(text, ephemeral=True)
        else:
            log.info("%s could not be told in private, since too much time has passed", self.target.owner)


class ButtonResponder(InteractionResponder):
    """A reply that edits the message of a button. Errors are shown in private, and the message stays."""

    kind = "button"

    async def acknowledge(self) -> None:
        assert self._interaction is not None, "after a restart it is acknowledged"
        if not self._interaction.response.is_done():
            await super().acknowledge()

    async def _defer(self, response: Any) -> None:
        await response.defer()

    async def refuse(self, text: str) -> None:
        await self._send_privately(text)


class FollowupResponder(InteractionResponder):
    """A reply in a new message, for an interaction that was already answered, such as the press of a button."""

    kind = "followup"

    async def acknowledge(self) -> None:
        sent = await self._webhook().send(tr("Working on it…"), ephemeral=self.target.private, wait=True)
        self._note_message(sent.id)

    async def find_message(self, is_taken: Callable[[int], bool]) -> None:
        """Find the message, or send it; a private one is sent again, since Discord does not list those."""

        def is_it(message: discord.Message) -> bool:
            origin = message.interaction_metadata
            sent_for_it = origin is not None and origin.id == self.target.interaction
            return sent_for_it and message.content == tr("Working on it…") and not is_taken(message.id)

        with contextlib.suppress(discord.Forbidden, discord.NotFound):  # the bot itself may not be there
            if not self.target.private and await self._find_sent(self.target.interaction, is_it):
                return
        await self.acknowledge()

    async def refuse(self, text: str) -> None:
        if self.target.message is not None and not self.target.has_token:
            await self.show(MessageContent(text))
            return
        try:
            await self._send_privately(text)
        except discord.HTTPException:  # perhaps one message too many: a bot installed to a person may send five
            if self.target.message is None:
                raise
            reason = tr(
                "Not done. The reason is for the person who asked, and Discord takes no more private messages from me "
                "here. Ask for this one by itself to see it."
            )
            await self.show(MessageContent(reason))
        else:
            if self.target.message is not None:
                await self._webhook().delete_message(self.target.message)


class MessageResponder(Responder):
    """A reply to a message that mentions the bot. It is always public."""

    @classmethod
    def of(cls, client: discord.Client, message: discord.Message, command: str) -> Self:
        """Return the responder for a message that this process has received."""
        return cls(client, target_of_message(message, command))

    async def acknowledge(self) -> None:
        self._note_message((await self._asked_in().reply(tr("Working on it…"))).id)

    async def find_message(self, is_taken: Callable[[int], bool]) -> None:
        asked_in = self.target.asked_in

        def is_it(message: discord.Message) -> bool:
            return message.reference is not None and message.reference.message_id == asked_in

        if not await self._find_sent(asked_in, is_it):
            await self.acknowledge()

    async def refuse(self, text: str) -> None:
        if self.target.message is None:
            await self._asked_in().reply(text)
        else:
            await self.show(MessageContent(text))


_CLASSES: dict[TargetKind, type[Responder]] = {
    "response": InteractionResponder,
    "button": ButtonResponder,
    "followup": FollowupResponder,
    "reply": MessageResponder,
}


def responder_to(client: discord.Client, target: Target) -> Responder:
    """Return the responder for a target that was acknowledged before a restart."""
    return _CLASSES[target.kind](client, target)


def fields(content: MessageContent, view: discord.ui.View | None) -> dict[str, Any]:
    """Return the arguments of an edit, which drops all other attachments and must not ping anyone."""
    files = _files(content)
    if content.gallery:  # then its text is a component, and Discord wants the text of before removed
        shown: dict[str, Any] = {"content": None, "view": gallery_layout(content.text, files, view)}
    else:
        shown = {"content": content.text, "view": view}
    return {**shown, "attachments": files, "allowed_mentions": discord.AllowedMentions.none()}


def _only(person: int) -> discord.AllowedMentions:
    return discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(person)], replied_user=False)


def _files(content: MessageContent) -> list[discord.File]:
    return [file.file() for file in content.files]
