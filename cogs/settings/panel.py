"""The panels: the current settings, and controls to change them. A control's id holds everything a press needs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import discord

from cogs.common.persistent_view import Button, custom_id, persistent_view
from cogs.common.rules import services_of
from cogs.i18n import LANGUAGES, slash, tr
from cogs.settings.texts import LANGUAGE_NAMES, of_person, of_server, personas_of
from inference import TASK_NAMES, Engine
from storage import PersonSettings, ServerSettings

Scope = Literal["mine", "server"]

Select = discord.ui.Select[discord.ui.View]

NONE = "*"
"""The value of an option that removes a choice."""

ANOTHER = "-"
"""The value of an option that leads back to the list of commands."""

_MOST = 25
"""The most options of a select in Discord."""

CHANNELS = [
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.forum,
    discord.ChannelType.media,
    discord.ChannelType.voice,
    discord.ChannelType.stage_voice,
]
"""The channels that can have settings of their own. Threads count as their channel."""


def panel_message(interaction: discord.Interaction, scope: Scope, task: str | None = None) -> dict[str, Any]:
    """Return text and controls, for a new message or an edit; with `task`, show its models."""
    services = services_of(interaction)
    engine, settings = services.engine, services.store.settings
    if scope == "mine":
        person = settings.person(interaction.user.id)
        return {"content": of_person(person, engine), "view": person_panel(person, engine, task)}
    server = settings.server(interaction.guild_id)
    return {
        "content": of_server(server, engine),
        "embeds": list(_personas(server)),
        "view": server_panel(server, engine, interaction.guild, task),
    }


def _personas(settings: ServerSettings) -> Iterator[discord.Embed]:
    """Yield the personas in an embed, since they may be too long for the text."""
    if text := personas_of(settings):
        yield discord.Embed(title=tr("Persona"), description=text)


def person_panel(settings: PersonSettings, engine: Engine, task: str | None = None) -> discord.ui.View:
    """Return the controls for a person; with `task`, show its models."""
    public, private = tr("Answer me in public"), tr("Answer me in private")
    return persistent_view(
        _languages(settings.language),
        *_models("mine", settings.models, engine, task),
        _button(public, "mine", "public") if settings.private else _button(private, "mine", "private"),
        _reset("mine"),
    )


def server_panel(
    settings: ServerSettings, engine: Engine, guild: discord.Guild | None, task: str | None = None
) -> discord.ui.View:
    """Return the controls for a server; with `task`, show its models."""
    public, private = tr("Answer in public"), tr("Answer in private")
    return persistent_view(
        _channels(settings.channels, guild),
        _roles(settings.roles, guild),
        *_models("server", settings.models, engine, task),
        _button(public, "server", "public") if settings.private else _button(private, "server", "private"),
        _button(tr("Limits"), "server", "limits"),
        _button(tr("Quotas"), "server", "quotas"),
        _button(tr("Persona"), "server", "persona"),
        Button(label=tr("Reports and blocks")[:80], custom_id=custom_id("moderation", "open")),
        _reset("server"),
    )


def _languages(chosen: str) -> Select:
    options = [_option(tr("The language of Discord"), NONE, NONE if not chosen else "")]
    options += [_option(LANGUAGE_NAMES[language], language, chosen) for language in LANGUAGES]
    return _select(tr("Language"), options, "mine", "language")


def _channels(ids: Sequence[int], guild: discord.Guild | None) -> discord.ui.ChannelSelect[discord.ui.View]:
    existing = [number for number in ids if guild and guild.get_channel(number)]
    return discord.ui.ChannelSelect(
        custom_id=custom_id("settings", "server", "channels"),
        channel_types=CHANNELS,
        placeholder=tr("Channels in which I work: all"),
        min_values=0,
        max_values=_MOST,
        default_values=[discord.Object(number) for number in existing[:_MOST]],
    )


def _roles(ids: Sequence[int], guild: discord.Guild | None) -> discord.ui.RoleSelect[discord.ui.View]:
    existing = [number for number in ids if guild and guild.get_role(number)]
    return discord.ui.RoleSelect(
        custom_id=custom_id("settings", "server", "roles"),
        placeholder=tr("Roles for which I work: everybody"),
        min_values=0,
        max_values=_MOST,
        default_values=[discord.Object(number) for number in existing[:_MOST]],
    )


def _models(scope: Scope, chosen: Mapping[str, str], engine: Engine, task: str | None) -> Iterator[Select]:
    """Yield a select of tasks or, with `task`, of its models, for lack of space; nothing if no task has several."""
    tasks = [each for each in TASK_NAMES if len(engine.models(each)) > 1]
    if task in tasks:
        model, names = chosen.get(task, ""), [spec.name[:100] for spec in engine.models(task)][: _MOST - 2]
        options = [_option(tr("No choice"), NONE, NONE if not model else "")]
        options += [_option(name, name, model) for name in names]
        options += [_option(tr("Another command"), ANOTHER, "")]
        yield _select(tr("The model for {command}", command=slash(task)), options, scope, "model", task)
    elif tasks:
        options = [_option(f"/{each}", each, "") for each in tasks]
        yield _select(tr("Choose a model for a command"), options, scope, "task")


def _select(placeholder: str, options: list[discord.SelectOption], *parts: str) -> Select:
    return discord.ui.Select(custom_id=custom_id("settings", *parts), options=options, placeholder=placeholder[:150])


def _option(label: str, value: str, chosen: str) -> discord.SelectOption:
    return discord.SelectOption(label=label, value=value, default=value == chosen)


def _button(label: str, *parts: str, style: discord.ButtonStyle = discord.ButtonStyle.secondary) -> Button:
    return discord.ui.Button(label=label[:80], custom_id=custom_id("settings", *parts), style=style)


def _reset(scope: Scope) -> Button:
    return _button(tr("Reset all"), scope, "reset", style=discord.ButtonStyle.danger)
