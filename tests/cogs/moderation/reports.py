"""Helpers that report answers, and read the reports in the channel of the admins."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import cast

import discord
from simcord import ChannelHandle, InteractionResult, MemberActor, ResponseMessage

from cogs.client import Inkling
from storage import Block, Store
from tests.cogs.settings.panels import manager, store_of
from tests.cogs.stage import Stage, first

BUTTONS = ["Delete message", "Block this person here", "Dismiss"]


@dataclass
class ReportScene:
    """A server whose admins, such as Carol, have a channel for reports."""

    stage: Stage
    audit: ChannelHandle
    carol: MemberActor

    @property
    def report(self) -> discord.Message:
        """Return the newest report."""
        assert self.audit.last_message is not None, "nothing was reported"
        return self.audit.last_message

    @property
    def done(self) -> str:
        """Return what the newest report says admins have done."""
        return "\n".join(self.report.content.splitlines()[6:])

    async def block(self, days: str, reason: str = "", who: MemberActor | None = None) -> InteractionResult:
        """Block the person of the newest report."""
        admin = who or self.carol
        form = await admin.click(self.report, label="Block this person here")
        return await admin.submit_modal(form, {"days": [days], "reason": reason})


async def report_scene(stage: Stage) -> ReportScene:
    """Return a server with a channel for reports."""
    carol, audit = manager(stage), stage.guild.create_text_channel("audit")
    servers = store_of(stage).settings.servers
    await servers.change(stage.guild.id, lambda server: replace(server, audit_channel=audit.id))
    return ReportScene(stage, audit, carol)


async def answered(stage: Stage, prompt: str = "Once") -> ResponseMessage:
    """Let Alice ask for an answer, and return it."""
    return first(await stage.alice.slash(stage.channel, "complete", prompt=prompt))


async def report(stage: Stage, message: ResponseMessage, reason: str = "", who: MemberActor | None = None) -> str:
    """Let Bob report a message, and return what he is told."""
    reporter = who or stage.bob
    form = await reporter.context_menu(stage.channel, "Report", message.message)
    assert form.modal is not None, form
    done = await reporter.submit_modal(form, {"reason": reason})
    assert first(done).ephemeral
    return first(done).content


def fields(message: discord.Message) -> dict[str, str]:
    """Return what a report says, by its headings."""
    lines = (line.partition("**: ") for line in message.content.splitlines())
    return {name.removeprefix("**"): value for name, mark, value in lines if mark}


def labels(message: discord.Message) -> list[str]:
    """Return the labels of the message's buttons."""
    rows = [row for row in message.components if isinstance(row, discord.ActionRow)]
    return [str(button.label) for row in rows for button in row.children if isinstance(button, discord.Button)]


def blocks_of(stage: Stage) -> list[Block]:
    """Return all blocks that have not ended."""
    return store(stage).blocks.active(discord.utils.utcnow().timestamp())


def store(stage: Stage) -> Store:
    return cast(Inkling, stage.bot).store
