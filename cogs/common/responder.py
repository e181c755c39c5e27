"""Ways to reply: to an interaction, or to a plain message."""

from __future__ import annotations

import datetime
from typing import Any, Protocol

import discord

from cogs.common.message_content import MessageContent
from cogs.common.rules import RequestOrigin, answers_privately, origin_of, settings_of
from cogs.i18n import tr
from cogs.i18n.locale import use_locale_of

_MARGIN = datetime.timedelta(seconds=45)
"""An interaction's token expires after 15 minutes; the bot stops using it this much earlier."""


class Responder(Protocol):
    """A way to send one reply, and further messages below it."""

    @property
    def owner(self) -> int:
        """The id of the person who asked, who alone may cancel."""
        ...

    @property
    def command(self) -> str:
        """The name of the command, for the operator's log."""
        ...

    @property
    def upload_limit(self) -> int:
        """The largest file that Discord takes, in bytes."""
        ...

    @property
    def asker(self) -> str:
        """The person who asked, as a mention; empty where Discord shows it beside the message."""
        ...

    @property
    def where(self) -> tuple[int, int]:
        """The ids of channel and message, after `acknowledge`."""
        ...

    @property
    def private(self) -> bool:
        """Whether only the person who asked sees the message."""
        ...

    @property
    def origin(self) -> RequestOrigin:
        """Where the person asked, for the server's rules."""
        ...

    async def acknowledge(self) -> None:
        """Show the person that the bot is working."""
        ...

    async def show(self, content: MessageContent, view: discord.ui.View | None = None) -> None:
        """Edit the message to show this; call `acknowledge` first."""
        ...

    async def more(self, content: MessageContent) -> None:
        """Send another message below the first."""
        ...

    async def notify(self, text: str) -> None:
        """Send a message that pings the person who asked and nobody else, since edits do not notify."""
        ...

    async def refuse(self, text: str) -> None:
        """End with `text` for the person who asked, privately where Discord can."""
        ...


class InteractionResponder:
    """The response to a command, menu or modal; with `private`, only the person who asked sees it.

    The settings of the server or of that person can make it private too. It sets the current language to theirs.
    """

    def __init__(self, interaction: discord.Interaction, *, private: bool = False) -> None:
        use_locale_of(interaction, settings_of(interaction))
        self._interaction = interaction
        self._private = private or answers_privately(interaction)
        self._message_id: int | None = None

    @property
    def owner(self) -> int:
        return self._interaction.user.id

    @property
    def command(self) -> str:
        command = self._interaction.command
        return command.qualified_name if command else self._interaction.type.name

    @property
    def upload_limit(self) -> int:
        return self._interaction.filesize_limit

    @property
    def asker(self) -> str:
        by_command = self._interaction.type is discord.InteractionType.application_command
        return "" if by_command else self._interaction.user.mention

    @property
    def where(self) -> tuple[int, int]:
        channel_id, message_id = self._interaction.channel_id, self._message_id
        assert channel_id is not None, "commands and buttons are in channels"
        assert message_id is not None, "acknowledge() comes first"
        return channel_id, message_id

    @property
    def private(self) -> bool:
        return self._private

    @property
    def origin(self) -> RequestOrigin:
        return origin_of(self._interaction)

    async def acknowledge(self) -> None:
        callback = await self._interaction.response.defer(ephemeral=self._private, thinking=True)
        self._message_id = callback.message_id if callback else None

    async def show(self, content: MessageContent, view: discord.ui.View | None = None) -> None:
        if fallback := self._beyond_token():
            await fallback.edit(**fields(content), view=view)
        else:
            await self._interaction.edit_original_response(**fields(content), view=view)

    async def more(self, content: MessageContent) -> None:
        if fallback := self._beyond_token():
            await fallback.reply(content.text, files=_files(content))
        else:
            await self._interaction.followup.send(content.text, files=_files(content), ephemeral=self._private)

    async def notify(self, text: str) -> None:
        if self._private:
            return
        text = f"{self._interaction.user.mention} {text}"
        if fallback := self._beyond_token():
            await fallback.reply(text, allowed_mentions=_only(self.owner))
        else:
            await self._interaction.followup.send(text, allowed_mentions=_only(self.owner))

    async def refuse(self, text: str) -> None:
        if self._message_id is None:
            await self._send_privately(text)
        elif self._private or self._beyond_token():
            await self.show(MessageContent(text))
        else:  # while the public message is "thinking", a followup would replace it and be public
            await self.show(MessageContent(tr("Not done. Only the person who asked sees why.")))
            await self._send_privately(text)
            await self._interaction.delete_original_response()

    async def _send_privately(self, text: str) -> None:
        """Send a separate message that only this person sees."""
        if self._interaction.response.is_done():
            await self._interaction.followup.send(text, ephemeral=True)
        else:
            await self._interaction.response.send_message(text, ephemeral=True)

    def _beyond_token(self) -> discord.PartialMessage | None:
        """Return the message for edits with the bot's own token once the interaction's has expired; None if private."""
        expired = discord.utils.utcnow() > self._interaction.expires_at - _MARGIN
        if not expired or self._private or self._message_id is None or self._interaction.channel_id is None:
            return None
        channel = self._interaction.client.get_partial_messageable(self._interaction.channel_id)
        return channel.get_partial_message(self._message_id)


class ButtonResponder(InteractionResponder):
    """A reply that edits the message of a button. Errors are shown in private, and the message stays."""

    def __init__(self, interaction: discord.Interaction) -> None:
        super().__init__(interaction)
        assert interaction.message is not None, "buttons are below messages"
        self._message_id = interaction.message.id
        self._private = interaction.message.flags.ephemeral

    async def acknowledge(self) -> None:
        if not self._interaction.response.is_done():
            await self._interaction.response.defer()

    async def refuse(self, text: str) -> None:
        await self._send_privately(text)


class FollowupResponder(InteractionResponder):
    """A reply in a new message, for an interaction that was already answered, such as the press of a button."""

    async def acknowledge(self) -> None:
        message = await self._interaction.followup.send(tr("Working on it…"), ephemeral=self._private, wait=True)
        self._message_id = message.id

    async def show(self, content: MessageContent, view: discord.ui.View | None = None) -> None:
        assert self._message_id is not None, "acknowledge() comes first"
        if fallback := self._beyond_token():
            await fallback.edit(**fields(content), view=view)
        else:
            await self._interaction.followup.edit_message(self._message_id, **fields(content), view=view)

    async def refuse(self, text: str) -> None:
        if self._beyond_token():
            await self.show(MessageContent(text))
            return
        try:
            await self._send_privately(text)
        except discord.HTTPException:  # perhaps one message too many: a bot installed to a person may send five
            if self._message_id is None:
                raise
            reason = tr(
                "Not done. The reason is for the person who asked, and Discord takes no more private messages from me "
                "here. Ask for this one by itself to see it."
            )
            await self.show(MessageContent(reason))
        else:
            if self._message_id is not None:
                await self._interaction.followup.delete_message(self._message_id)


class MessageResponder:
    """A reply to a message that mentions the bot. It is always public."""

    def __init__(self, message: discord.Message, command: str) -> None:
        self._message = message
        self.command = command
        self._reply: discord.Message | None = None

    @property
    def owner(self) -> int:
        return self._message.author.id

    @property
    def upload_limit(self) -> int:
        guild = self._message.guild
        return guild.filesize_limit if guild else discord.utils.DEFAULT_FILE_SIZE_LIMIT_BYTES

    @property
    def asker(self) -> str:
        return ""

    @property
    def where(self) -> tuple[int, int]:
        assert self._reply is not None, "acknowledge() comes first"
        return self._reply.channel.id, self._reply.id

    @property
    def private(self) -> bool:
        return False

    @property
    def origin(self) -> RequestOrigin:
        return origin_of(self._message)

    async def acknowledge(self) -> None:
        self._reply = await self._message.reply(tr("Working on it…"))

    async def show(self, content: MessageContent, view: discord.ui.View | None = None) -> None:
        assert self._reply is not None, "acknowledge() comes first"
        await self._reply.edit(**fields(content), view=view)

    async def more(self, content: MessageContent) -> None:
        await self._message.reply(content.text, files=_files(content))

    async def notify(self, text: str) -> None:
        assert self._reply is not None, "acknowledge() comes first"
        await self._reply.reply(f"{self._message.author.mention} {text}", allowed_mentions=_only(self.owner))

    async def refuse(self, text: str) -> None:
        if self._reply is None:
            await self._message.reply(text)
        else:
            await self.show(MessageContent(text))


def fields(content: MessageContent) -> dict[str, Any]:
    """Return the arguments of an edit, which drops all other attachments and must not ping anyone."""
    return {
        "content": content.text,
        "attachments": _files(content),
        "allowed_mentions": discord.AllowedMentions.none(),
    }


def _only(person: int) -> discord.AllowedMentions:
    return discord.AllowedMentions(everyone=False, roles=False, users=[discord.Object(person)], replied_user=False)


def _files(content: MessageContent) -> list[discord.File]:
    return [file.file() for file in content.files]
