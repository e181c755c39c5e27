"""What a server and a person have settled, for one request: whether it may be made here, by which model, how much.

Settings narrow what the operator allows, which the engine sees to by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar, cast

import discord

from inference import ChatAnswerRequest, CompleteRequest, Engine, ImagineRequest, InvalidRequest, Limits, Request
from storage import PersonSettings, ServerSettings, SettingsTables, Store

R = TypeVar("R", bound=Request)

SERVER_LIMITS = ("pictures", "new_tokens", "messages", "per_person")
"""The operator's limits that a server may lower: names of fields of both `Limits` and `ServerSettings`."""

ANYWHERE = "anywhere"
"""In the `extras` of a command: a server's rules don't concern it."""

_MOST_NAMED = 10
"""Channels or roles in one sentence."""


@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """Where somebody asks, in Discord's ids: a thread counts as its parent, and a direct message has no `guild`.

    `hideable` tells whether an answer there can be shown to one person alone.
    """

    person: int
    guild: int | None
    channel: int | None
    roles: frozenset[int]
    hideable: bool


def origin_of(source: discord.Interaction | discord.Message) -> RequestOrigin:
    """Where a command, a press, a form or a message comes from."""
    person = source.user if isinstance(source, discord.Interaction) else source.author
    channel = source.channel
    return RequestOrigin(
        person=person.id,
        guild=_guild_id(source),
        channel=channel.parent_id if isinstance(channel, discord.Thread) else getattr(channel, "id", None),
        roles=frozenset(role.id for role in person.roles) if isinstance(person, discord.Member) else frozenset(),
        hideable=isinstance(source, discord.Interaction),
    )


def _guild_id(source: discord.Interaction | discord.Message) -> int | None:
    if isinstance(source, discord.Interaction):
        return source.guild_id
    return source.guild.id if source.guild else None


class Services(Protocol):
    """What the client of every interaction offers."""

    @property
    def engine(self) -> Engine: ...

    @property
    def store(self) -> Store: ...


def services_of(interaction: discord.Interaction) -> Services:
    """Return the bot that the interaction is with, as far as this package knows it."""
    return cast(Services, interaction.client)


def settings_of(interaction: discord.Interaction) -> SettingsTables:
    """Return all settings of the bot that the interaction is with."""
    return services_of(interaction).store.settings


def answers_privately(interaction: discord.Interaction) -> bool:
    """Whether the server wants answers seen by those alone who asked, or this person does."""
    settings = settings_of(interaction)
    return settings.server(interaction.guild_id).private or settings.person(interaction.user.id).private


def check_here(interaction: discord.Interaction) -> None:
    """Raises InvalidRequest where the server's rules keep this person from asking."""
    check_origin(origin_of(interaction), settings_of(interaction).server(interaction.guild_id))


def check_origin(origin: RequestOrigin, server: ServerSettings) -> None:
    """Raises InvalidRequest where the rules of `server` keep somebody from asking."""
    if server.channels and origin.channel not in server.channels:
        raise InvalidRequest(
            "On this server I answer only in {channels}. Ask there, or ask a moderator to change that with "
            "/server-settings.",
            channels=named("<#{}>", server.channels),
        )
    if server.roles and not origin.roles.intersection(server.roles):
        raise InvalidRequest(
            "On this server I answer only people who have one of these roles: {roles}. A moderator can give you one, "
            "or change that with /server-settings.",
            roles=named("<@&{}>", server.roles),
        )
    if server.private and not origin.hideable:
        raise InvalidRequest(
            "On this server my answers are for those alone who ask, and a reply is seen by all. Use a command, such as "
            "/help, or the menu of a message: right-click, or a long press on a phone, then Apps."
        )


def effective_limits(limits: Limits, server: ServerSettings) -> Limits:
    """The operator's limits, or the server's where those are lower."""
    lower = {
        name: min(getattr(limits, name), most) for name in SERVER_LIMITS if (most := getattr(server, name)) is not None
    }
    return limits.model_copy(update=lower)


def apply_settings(request: R, engine: Engine, server: ServerSettings, person: PersonSettings) -> R:
    """`request` with the model that the person prefers, or else the server, and within the limits of the server.

    Texts are cut to the server's length, since theirs is a bound in any case; raises InvalidRequest for more pictures.
    """
    request = _within(request, server, effective_limits(engine.config.limits, server))
    return request if request.model else replace(request, model=_preferred(request, engine, server, person))


def _within(request: R, server: ServerSettings, limits: Limits) -> R:
    match request:
        case ImagineRequest() if server.pictures is not None and request.count > limits.pictures:
            raise InvalidRequest(
                "On this server, {most} is the most pictures at once, not {count}. Ask for fewer.",
                most=limits.pictures,
                count=request.count,
            )
        case CompleteRequest() | ChatAnswerRequest() if server.new_tokens is not None:
            return replace(request, max_new_tokens=min(request.max_new_tokens, limits.new_tokens))
        case _:
            return request


def _preferred(request: Request, engine: Engine, server: ServerSettings, person: PersonSettings) -> str:
    """A model's name; empty for the operator's first. Models that are no longer there are passed over."""
    there = {spec.name for spec in engine.models(request.task)}
    wanted = (settings.models.get(request.task, "") for settings in (person, server))
    return next((name for name in wanted if name in there), "")


def named(mention: str, ids: Sequence[int]) -> str:
    """Mentions of channels or roles; "…" stands for those that would be too many."""
    more = ", …" if len(ids) > _MOST_NAMED else ""
    return ", ".join(mention.format(number) for number in ids[:_MOST_NAMED]) + more
