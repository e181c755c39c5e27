"""The settings of a server and a person, applied to one request: where it is allowed, the model, the limits.

Settings can only lower the operator's limits; the engine enforces those itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar, cast

import discord

from cogs.common.quotas import Quotas
from inference import (
    ChatAnswerRequest,
    ChatRequest,
    CompleteRequest,
    Engine,
    ImagineRequest,
    InvalidRequest,
    Limits,
    Request,
    serializable,
)
from storage import PersonSettings, ServerSettings, SettingsTables, Store

R = TypeVar("R", bound=Request)

SERVER_LIMITS = ("pictures", "new_tokens", "messages", "per_person")
"""The operator's limits that a server may lower: names of fields of both `Limits` and `ServerSettings`."""

ANYWHERE = "anywhere"
"""The key in the `extras` of a command that ignores the server's rules."""

_MOST_NAMED = 10
"""The most channels or roles that one sentence lists."""


@serializable
@dataclass(frozen=True, slots=True)
class RequestOrigin:
    """Who asks, and where, as Discord ids: a thread has its parent's id, and a direct message has no `guild`.

    `hideable` says whether the answer can be shown to one person alone.
    """

    person: int
    guild: int | None
    channel: int | None
    roles: frozenset[int]
    hideable: bool


def origin_of(source: discord.Interaction | discord.Message) -> RequestOrigin:
    """Return the origin of a command, a button press, a form or a message."""
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
    """The part of the bot that this package uses."""

    @property
    def engine(self) -> Engine: ...

    @property
    def store(self) -> Store: ...

    @property
    def quotas(self) -> Quotas: ...


def services_of(interaction: discord.Interaction) -> Services:
    """Return the bot of the interaction as `Services`."""
    return cast(Services, interaction.client)


def settings_of(interaction: discord.Interaction) -> SettingsTables:
    """Return the settings stored by the bot of the interaction."""
    return services_of(interaction).store.settings


def answers_privately(interaction: discord.Interaction) -> bool:
    """Return whether the server or this person wants private answers."""
    settings = settings_of(interaction)
    return settings.server(interaction.guild_id).private or settings.person(interaction.user.id).private


def check_here(interaction: discord.Interaction) -> None:
    """Raise InvalidRequest if the server's rules don't let this person ask here."""
    check_origin(origin_of(interaction), settings_of(interaction).server(interaction.guild_id))


def check_taken(engine: Engine) -> None:
    """Raise InvalidRequest while the operator wants no new requests."""
    if engine.draining:
        raise InvalidRequest("The bot's operator is about to work on it, so it takes no requests. Ask again later.")


def check_number(origin: RequestOrigin, running: Iterable[RequestOrigin], server: ServerSettings, count: int) -> None:
    """Raise InvalidRequest if `count` more requests of this person, beside those `running`, are too many there."""
    if server.per_person is None:
        return
    own = sum((other.person, other.guild) == (origin.person, origin.guild) for other in running)
    if own + count > server.per_person:
        raise InvalidRequest(
            "On this server, {most} is the most requests of one person at a time. Wait until one has ended, or cancel "
            "one.",
            most=server.per_person,
        )


def check_origin(origin: RequestOrigin, server: ServerSettings) -> None:
    """Raise InvalidRequest if the rules of `server` don't let somebody ask there."""
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
            "On this server only the person who asks may see my answers, but everybody sees a reply. Use a command, "
            "such as /help, or the menu of a message: right-click, or a long press on a phone, then Apps."
        )


def effective_limits(limits: Limits, server: ServerSettings) -> Limits:
    """Return the operator's limits, or the server's where those are lower."""
    lower = {
        name: min(getattr(limits, name), limit)
        for name in SERVER_LIMITS
        if (limit := getattr(server, name)) is not None
    }
    return limits.model_copy(update=lower)


def apply_settings(
    request: R, engine: Engine, server: ServerSettings, person: PersonSettings, pending: Set[str] = frozenset()
) -> R:
    """Return `request` with the preferred model of the person, or else of the server, within the server's limits.

    A longer text length is lowered to the server's limit; raise InvalidRequest for too many pictures. Questions about
    pictures go to a model that can answer them, whatever is preferred. `pending` as for `Engine.check`.
    """
    request = _within(request, server, effective_limits(engine.config.limits, server))
    if request.model or request.asks_about_picture(request.given_inputs() | pending):
        return request
    return replace(request, model=_preferred(request, engine, server, person))


def _within(request: R, server: ServerSettings, limits: Limits) -> R:
    match request:
        case ImagineRequest() if server.pictures is not None and request.count > limits.pictures:
            raise InvalidRequest(
                "On this server, {most} is the most pictures at once, not {count}. Ask for fewer.",
                most=limits.pictures,
                count=request.count,
            )
        case ChatRequest() | CompleteRequest(whole_sentences=True):  # nobody has asked for that many
            return replace(request, max_new_tokens=min(request.max_new_tokens, limits.new_tokens))
        case CompleteRequest() | ChatAnswerRequest() if server.new_tokens is not None:
            return replace(request, max_new_tokens=min(request.max_new_tokens, limits.new_tokens))
        case _:
            return request


def _preferred(request: Request, engine: Engine, server: ServerSettings, person: PersonSettings) -> str:
    """Return the preferred model's name, empty for the operator's default. Models that no longer exist are ignored."""
    existing = {spec.name for spec in engine.models(request.task)}
    wanted = (settings.models.get(request.task, "") for settings in (person, server))
    return next((name for name in wanted if name in existing), "")


def named(mention: str, ids: Sequence[int]) -> str:
    """Return mentions of channels or roles, with "…" after the tenth."""
    more = ", …" if len(ids) > _MOST_NAMED else ""
    return ", ".join(mention.format(number) for number in ids[:_MOST_NAMED]) + more
