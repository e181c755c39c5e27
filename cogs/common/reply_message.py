"""The one message of a session: its progress, its last word, and what it shows if the request fails."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace

import discord

from cogs.common.delivery import DELIVERY, is_deleted, is_too_late, may_pass, until_delivered
from cogs.common.error_messages import PRIVATE, report
from cogs.common.message_content import (
    MessageContent,
    compress_large_pictures,
    first_message,
    split_into_messages,
    with_file,
)
from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.common.progress_renderer import ProgressRenderer
from cogs.common.responder import NeverAcknowledged, Responder, Unreachable
from cogs.common.throttled_editor import ThrottledEditor
from cogs.i18n import tr
from inference import Event

log = logging.getLogger(__name__)


class SessionPostponed(Exception):
    """The bot stops; the request goes on after the restart."""


class ReplyMessage:
    """The message of `responder`. `on_lost` is called when somebody deletes it while it shows progress."""

    def __init__(self, responder: Responder, on_lost: Callable[[], None]) -> None:
        self._responder = responder
        self._editor = ThrottledEditor(self._show_progress, on_lost=on_lost)
        self.status = ProgressRenderer()
        """What renders the events of the running request."""
        self.undelivered = False
        """Whether the last word could not be sent, and may be sent later."""
        self._delivered = False
        self._restore: tuple[MessageContent, discord.ui.View] | None = None

    def show_event(self, event: Event) -> None:
        """Show the state of the request soon."""
        self._editor.schedule(*self.status.render(event))

    def show_progress(self, content: MessageContent, pause: float) -> None:
        """Show `content` soon, and nothing else for `pause` seconds."""
        self._editor.schedule(lambda: content, pause)

    async def finish(self, content: MessageContent, view: discord.ui.View | None = None) -> None:
        """Show the final `content`: in several messages if it is long, or with a file if Discord refuses those."""
        await self._editor.close()
        limit = self._responder.target.upload_limit
        content = await compress_large_pictures(content, limit)
        first, *rest = split_into_messages(content, limit)
        await self._show(first, view)
        self._delivered = True
        try:
            for part in rest:
                await until_delivered(lambda part=part: self._responder.more(part))
        except DELIVERY as error:
            log.warning("Discord refused a further message, so the text goes into a file: %s", error)
            await self._show(with_file(content, limit), view)

    def keep_on_failure(self, content: MessageContent, view: discord.ui.View) -> None:
        """If the request fails, show this content, which the message has now, again; show the error in private."""
        self._restore = content, view

    async def close(self, error: BaseException | None, *, acknowledged: bool) -> None:
        """Show nothing more than the reason, if the session ends by an error.

        `acknowledged` says whether the message shows anything of this request.
        """
        await self._editor.close()
        if not isinstance(error, Exception) or self._editor.lost or is_deleted(error):
            return
        target = self._responder.target
        if isinstance(error, NeverAcknowledged):
            log.info("a request of %s was not acknowledged before the process ended", target.owner)
            return
        if is_too_late(error):
            log.warning("Discord did not get the acknowledgement of %s in time", target.command)
            return
        try:
            await self._show_failure(error, acknowledged=acknowledged)
        except Unreachable:
            await self._tell_elsewhere()
        except DELIVERY as failure:
            self.undelivered = may_pass(failure)
            log.warning("could not tell %s: %s", target.owner, failure)

    async def _show_failure(self, error: Exception, *, acknowledged: bool) -> None:
        target = self._responder.target
        if isinstance(error, Unreachable):
            raise error
        if isinstance(error, SessionPostponed):
            await self._show_postponed()
            return
        text = report(error, target.command, target.request_id)
        if self._restore:
            content, view = self._restore
            if not target.has_token:  # then nothing can be said in private
                await self.finish(replace(content, note=text), view)
                return
            if acknowledged:
                await self.finish(content, view)
            await self._responder.refuse(text)
        elif self._delivered:  # keep what is already shown
            await self._responder.more(MessageContent(tr("The rest could not be shown. {reason}", reason=text)))
        elif isinstance(error, (*PRIVATE, *DELIVERY)) or not acknowledged:
            await until_delivered(lambda: self._responder.refuse(text))
        elif partial := self.status.partial_content:
            await self.finish(replace(partial, note=text))
        else:
            await self._show(MessageContent(text))

    async def _show_postponed(self) -> None:
        target = self._responder.target
        if target.private and not target.has_token:
            return  # the person is told after the restart
        note = tr("The bot is being restarted. This goes on after that.")
        kept = self._restore[0] if self._restore else self.status.partial_content
        content = replace(kept, note=note) if kept else MessageContent(note)
        await self._responder.show(first_message(content, target.upload_limit))

    async def _tell_elsewhere(self) -> None:
        """Tell the person in a direct message that a private message can't be reached any more."""
        log.info("the message of a request can't be reached any more")
        text = tr(
            "I could not show you the answer to your last request: Discord lets me change that message for 15 minutes "
            "only, and it took longer. Ask again."
        )
        try:
            await self._responder.write_to_person(text)
        except DELIVERY as error:
            self.undelivered = may_pass(error)
            log.info("%s could not be told in a direct message: %s", self._responder.target.owner, error)

    async def _show_progress(self, content: MessageContent) -> None:
        label = self.status.stop or tr("Cancel")
        button = Button(label=label, custom_id=custom_id("cancel", self._responder.target.owner))
        await self._responder.show(content, persistent_view(button))

    async def _show(self, content: MessageContent, view: discord.ui.View | None = None) -> None:
        """Show the last content, and try for minutes while Discord can't be reached."""
        await until_delivered(lambda: self._responder.show(content, view))
