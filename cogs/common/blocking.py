"""Blocking people and servers: who can be blocked, for how long, and the end of what they have running.

Admins block people on their server, and the operator blocks people and servers everywhere.
"""

from __future__ import annotations

import re
from typing import Any

import discord

from cogs.common.markdown import relative
from cogs.common.operators import Operators
from cogs.common.reply_session import ReplySession
from cogs.common.reply_sessions import ReplySessions
from cogs.common.rules import Services
from cogs.common.target import now
from cogs.i18n import gettext_noop, tr
from inference import InvalidRequest
from storage import Block

FOR_GOOD = "for good"
"""In place of a number of days."""

_DAY = 24 * 3600.0
_MOST_DAYS = 3650
_LONGEST_REASON = 200
_END_OF_IDS = 2**63
"""Ids of Discord are below, and a database holds no larger numbers."""


def discord_id(word: str) -> int:
    """Return the id that somebody has typed. Raise InvalidRequest if it can't be one."""
    if not re.fullmatch(r"\d{1,19}", word) or not 0 < int(word) < _END_OF_IDS:
        raise InvalidRequest("{word!r} is no id of Discord, which is a number of 17 to 19 digits.", word=word[:50])
    return int(word)


def block_end(days: str) -> float | None:
    """Return when a block of so many days ends, None for FOR_GOOD. Raise InvalidRequest for other words."""
    if days == FOR_GOOD:
        return None
    if not re.fullmatch(r"\d{1,4}", days) or not 1 <= int(days) <= _MOST_DAYS:
        raise InvalidRequest(
            "A block lasts for 1 to {most} whole days, or for good, not for {days!r} days.",
            most=_MOST_DAYS,
            days=days[:50],
        )
    return now() + int(days) * _DAY


def end_text(until: float | None) -> str:
    """Return until when a block holds."""
    return tr("for good") if until is None else tr("until {when}", when=relative(until))


def duration_field() -> discord.ui.Label[Any]:
    """Return the field `days` of a form. Its value is for `block_end`."""
    options = [
        discord.SelectOption(label=tr("for 1 day"), value="1", default=True),
        discord.SelectOption(label=tr("for 7 days"), value="7"),
        discord.SelectOption(label=tr("for good"), value=FOR_GOOD),
    ]
    days: discord.ui.Select[Any] = discord.ui.Select(custom_id="days", options=options)
    return discord.ui.Label(text=tr("For how long"), component=days)


def reason_field() -> discord.ui.Label[Any]:
    """Return the field `reason` of a form."""
    reason: discord.ui.TextInput[Any] = discord.ui.TextInput(
        custom_id="reason", required=False, max_length=_LONGEST_REASON
    )
    about = tr("The person sees it when they try to use the bot.")
    return discord.ui.Label(text=tr("Reason"), description=about[:100], component=reason)


async def check_blockable(operators: Operators, person: int, by: int) -> None:
    """Raise InvalidRequest if nobody may block this person, or if `by` may not: the operator's people, and oneself."""
    if person == by:
        raise InvalidRequest("You can't block yourself.")
    if person in await operators.ids():
        raise InvalidRequest("This person operates the bot, and can't be blocked.")


async def add_block(services: Services, sessions: ReplySessions, block: Block, *, but: ReplySession | None) -> None:
    """Store a block, and cancel what runs for those who are blocked, except the session `but`.

    Raise InvalidRequest if the reason is too long to be shown, and StorageError.
    """
    if len(block.reason) > _LONGEST_REASON:
        raise InvalidRequest("The reason has more than {most} characters. Shorten it.", most=_LONGEST_REASON)
    await services.store.blocks.add(block)
    await end_blocked(sessions, block, but=but)


async def end_blocked(sessions: ReplySessions, block: Block, *, but: ReplySession | None = None) -> None:
    """Cancel what runs for those who are blocked, except the session `but`."""
    await sessions.end_blocked(block, _cancelled(block), but=but)


def _cancelled(block: Block) -> str:
    if block.server:
        return gettext_noop("Cancelled, since an admin of this server has blocked you here.")
    if block.kind == "server":
        return gettext_noop("Cancelled, since the bot's operator has blocked this server.")
    return gettext_noop("Cancelled, since the bot's operator has blocked you.")
