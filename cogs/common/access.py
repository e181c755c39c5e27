"""Who may use the bot at all, and where: the operator's servers, and the people and servers that are blocked.

Every way to the bot calls `check_access` before anything else: commands, menus, autocompletion, buttons, forms and
mentions. Requests that go on after a restart are checked by `check_access_of`. The rules of a server for those who may
use the bot are in `rules`.
"""

from __future__ import annotations

import discord

from cogs.common.markdown import neutral, relative
from cogs.common.rules import RequestOrigin, Services, origin_of
from cogs.common.target import now
from inference import Config, InvalidRequest, Phrase
from storage import Block

FOR_EVERYBODY = "for everybody"
"""The key in the `extras` of a command that also answers people who are blocked, and in places that are not served.

Only /privacy is: everybody can always get and delete what is kept of them.
"""


def check_access(source: discord.Interaction | discord.Message, services: Services) -> None:
    """Raise InvalidRequest if the author of `source` may not use the bot there."""
    check_access_of(origin_of(source), services)


def check_access_of(origin: RequestOrigin, services: Services) -> None:
    """Raise InvalidRequest if this person may not use the bot there."""
    _check_place(origin.guild, services.engine.config)
    if block := services.store.blocks.find(origin.person, origin.guild, now()):
        raise _refusal(block)


def _check_place(guild: int | None, config: Config) -> None:
    if guild is None and not config.discord.direct_messages:
        raise InvalidRequest("The bot's operator has switched off direct messages. Use me on a server that we share.")
    if guild is not None and config.discord.servers and guild not in config.discord.servers:
        raise InvalidRequest(
            "The bot's operator lets me answer on certain servers only, and this is not one of them. Use me on one "
            "of those, or ask the operator to add this one."
        )


def _refusal(block: Block) -> InvalidRequest:
    reason = neutral(block.reason.rstrip(".")) or Phrase("none was given")
    end = Phrase("It has no end.") if block.until is None else Phrase("It ends {when}.", when=relative(block.until))
    if block.server:
        return InvalidRequest(
            "An admin of this server has blocked you here. Reason: {reason}. {end} If you think that this is a "
            "mistake, write to an admin.",
            reason=reason,
            end=end,
        )
    if block.kind == "server":
        return InvalidRequest(
            "The bot's operator has blocked this server. Reason: {reason}. {end} If you think that this is a mistake, "
            "write to the operator.",
            reason=reason,
            end=end,
        )
    return InvalidRequest(
        "The bot's operator has blocked you. Reason: {reason}. {end} If you think that this is a mistake, write to the "
        "operator.",
        reason=reason,
        end=end,
    )
