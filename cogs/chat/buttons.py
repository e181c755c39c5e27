"""The buttons below a reply. They store nothing: the message replied to is read again."""

from __future__ import annotations

import discord

from cogs.chat.memory import parts_of, reply_text
from cogs.chat.places import Places
from cogs.chat.rendering import ACTIONS
from cogs.chat.turns import Turn, read_turn
from cogs.client import bot_of
from cogs.common import AttachedFile, FollowupResponder, MessageContent, ReplySession, Responder, neutral
from cogs.common.persistent_item import PersistentItem
from cogs.common.persistent_view import custom_id
from cogs.common.sources import read, replied_to
from cogs.i18n import gettext_noop, tr
from inference import InvalidRequest


class ChatButton(PersistentItem, template=custom_id("chat", f"(?P<action>{'|'.join(ACTIONS)})", r"(?P<owner>\d+)")):
    """Continues the reply, writes another one, or takes it back; for the person who was answered."""

    not_yours = gettext_noop("Only the person who was answered can use these buttons. Reply to the message to go on.")

    @property
    def begins_request(self) -> bool:
        return self.match["action"] != "undo"

    @property
    def busy(self) -> str:
        return gettext_noop("This is still being written. Wait until it is done, or press Stop first.")

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        if self.match["action"] == "undo":
            for part in await parts_of(message):
                await part.delete()
            await interaction.delete_original_response()
            return
        files = tuple(
            [AttachedFile(each.filename, await read(each), each.description or "") for each in message.attachments]
        )
        restored = MessageContent(message.content, files)
        session.keep_on_failure(restored, discord.ui.View.from_message(message, timeout=None))
        again = self.match["action"] == "another"
        if message.attachments and not again:
            raise InvalidRequest("This reply has a file, so I can't continue it here. Reply to it, and I go on.")
        asked = await replied_to(message)
        if asked is None:
            raise InvalidRequest("The message that this answers is gone, so I can't write it again.")
        bot = bot_of(interaction)
        turn = Turn((asked,), await Places(lambda: bot.user).is_conversation(message.channel))
        parts = await parts_of(message)
        shown = "\n".join(reply_text(part.content, notes=False) for part in (message, *parts))
        await session.perform(await read_turn(bot, session, turn, prefill="" if again else shown))
        for part in parts:
            await part.delete()


class ThoughtsButton(PersistentItem, template=custom_id("chat", "thoughts")):
    """Shows what the model thought before its reply to whoever presses, and to nobody else."""

    def responder(self, interaction: discord.Interaction) -> Responder:
        return FollowupResponder.of(interaction, private=True)

    async def press(self, session: ReplySession, interaction: discord.Interaction, message: discord.Message) -> None:
        stored = await bot_of(interaction).store.thoughts.of_message(message.id)
        if stored is None:
            raise InvalidRequest("I no longer have these thoughts: I keep them for 30 days.")
        await session.acknowledge()
        note = tr("Thoughts are notes of the model to itself; they may be wrong.")
        await session.finish(MessageContent(neutral(stored.text), plain=stored.text, note=note))
