"""Who may use the bot at all, and where: the operator's servers, and the people and servers that are blocked.

Every way to the bot calls `check_access` before anything else: commands, menus, autocompletion, buttons, forms and
mentions. The rules of a server for those who may use the bot are in `rules`.
"""

from __future__ import annotations

import discord

from cogs.common.markdown import neutral
from cogs.common.rules import Services, origin_of
from cogs.common.target import now
from inference import Config, InvalidRequest, Phrase
from storage import Block

FOR_EVERYBODY = "for everybody"
"""The key in the `extras` of a command that also answers people who are blocked, and in places that are not served.

Only /privacy is: everybody can always get and delete what is kept of them.
"""


def check_access(source: discord.Interaction | discord.Message, services: Services) -> None:
    """Raise InvalidRequest if the author of `source` may not use the bot there."""
    origin = origin_of(source)
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
            "An admin of this server has stopped you from using me here. Reason: {reason}. {end} If you think that "
            "this is a mistake, write to an admin.",
            reason=reason,
            end=end,
        )
    if block.kind == "server":
        return InvalidRequest(
            "The bot's operator has stopped this server from using me. Reason: {reason}. {end} If you think that this "
            "is a mistake, write to the operator.",
            reason=reason,
            end=end,
        )
    return InvalidRequest(
        "The bot's operator has stopped you from using me. Reason: {reason}. {end} If you think that this is a "
        "mistake, write to the operator.",
        reason=reason,
        end=end,
    )


def relative(seconds: float) -> str:
    """Return a moment as everybody's Discord shows it, in their time: `in 6 days`."""
    return f"<t:{round(seconds)}:R>"


async def check_blockable(client: discord.Client, person: int, by: int) -> None:
    """Raise InvalidRequest if nobody may block this person, or if `by` may not: the operator's people, and oneself."""
    if person == by:
        raise InvalidRequest("You can't stop yourself.")
    if person in await operators(client):
        raise InvalidRequest("This person operates the bot, and can't be stopped.")


async def operators(client: discord.Client) -> set[int]:
    """Return the ids of the owner of the application, or of all members of the team that owns it."""
    application = await client.application_info()
    if team := application.team:
        return {member.id for member in team.members} | ({team.owner_id} if team.owner_id else set())
    return {application.owner.id}
