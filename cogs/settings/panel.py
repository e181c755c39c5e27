"""The panels' controls. Everything a press means is in its `custom_id`, so that it needs no memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import discord

from cogs.i18n import LANGUAGES, slash, tr
from cogs.settings.texts import LANGUAGE_NAMES
from inference import TASK_NAMES, Engine
from storage import PersonSettings, ServerSettings

Scope = Literal["mine", "server"]

CUSTOM_ID = (
    r"inkling:settings:(?P<whose>mine|server):(?P<what>language|channels|roles|task|model|private|public|limits|reset)"
    r"(?::(?P<task>[a-z]+))?"
)

NONE = "*"
"""The value of an option that takes a choice back."""

_MOST = 25
"""What a select of Discord's holds."""

_CHANNELS = [
    discord.ChannelType.text,
    discord.ChannelType.news,
    discord.ChannelType.forum,
    discord.ChannelType.media,
    discord.ChannelType.voice,
    discord.ChannelType.stage_voice,
]


def person_panel(settings: PersonSettings, engine: Engine, task: str | None = None) -> discord.ui.View:
    """Controls for one person; `task` is the one to choose a model for."""
    view = discord.ui.View(timeout=None)
    view.add_item(_languages(settings.language))
    _add_models(view, "mine", settings.models, engine, task)
    if settings.private:
        view.add_item(_button(tr("Answer me in public"), "mine:public"))
    else:
        view.add_item(_button(tr("Answer me in private"), "mine:private"))
    view.add_item(_button(tr("Reset all"), "mine:reset", discord.ButtonStyle.danger))
    view.stop()  # presses are not for this object, which the next restart would end
    return view


def server_panel(
    settings: ServerSettings, engine: Engine, guild: discord.Guild | None, task: str | None = None
) -> discord.ui.View:
    """Controls for a server; `task` is the one to choose a model for."""
    view = discord.ui.View(timeout=None)
    view.add_item(_channels(settings.channels, guild))
    view.add_item(_roles(settings.roles, guild))
    _add_models(view, "server", settings.models, engine, task)
    if settings.private:
        view.add_item(_button(tr("Answer in public"), "server:public"))
    else:
        view.add_item(_button(tr("Answer in private"), "server:private"))
    view.add_item(_button(tr("Limits"), "server:limits"))
    view.add_item(_button(tr("Reset all"), "server:reset", discord.ButtonStyle.danger))
    view.stop()
    return view


def _languages(chosen: str) -> discord.ui.Select[discord.ui.View]:
    options = [_option(tr("The language of Discord"), NONE, NONE if not chosen else "")]
    options += [_option(LANGUAGE_NAMES[language], language, chosen) for language in LANGUAGES]
    return discord.ui.Select(custom_id="inkling:settings:mine:language", options=options, placeholder=tr("Language"))


def _channels(ids: Sequence[int], guild: discord.Guild | None) -> discord.ui.ChannelSelect[discord.ui.View]:
    there = [number for number in ids if guild and guild.get_channel(number)]
    return discord.ui.ChannelSelect(
        custom_id="inkling:settings:server:channels",
        channel_types=_CHANNELS,
        placeholder=tr("Channels in which I work: all"),
        min_values=0,
        max_values=_MOST,
        default_values=[discord.Object(number) for number in there[:_MOST]],
    )


def _roles(ids: Sequence[int], guild: discord.Guild | None) -> discord.ui.RoleSelect[discord.ui.View]:
    there = [number for number in ids if guild and guild.get_role(number)]
    return discord.ui.RoleSelect(
        custom_id="inkling:settings:server:roles",
        placeholder=tr("Roles for which I work: everybody"),
        min_values=0,
        max_values=_MOST,
        default_values=[discord.Object(number) for number in there[:_MOST]],
    )


def _add_models(
    view: discord.ui.View, whose: Scope, chosen: Mapping[str, str], engine: Engine, task: str | None
) -> None:
    """A task, and once it is chosen, its models; nothing where no task has a choice."""
    tasks = [each for each in TASK_NAMES if len(engine.models(each)) > 1]
    if not tasks:
        return
    options = [_option(f"/{each}", each, task or "") for each in tasks]
    placeholder = tr("Choose a model for a command")
    view.add_item(
        discord.ui.Select(custom_id=f"inkling:settings:{whose}:task", options=options, placeholder=placeholder)
    )
    if task in tasks:
        view.add_item(_models(whose, task, chosen.get(task, ""), engine))


def _models(whose: Scope, task: str, chosen: str, engine: Engine) -> discord.ui.Select[discord.ui.View]:
    names = [spec.name[:100] for spec in engine.models(task)][: _MOST - 1]
    options = [_option(tr("No choice"), NONE, NONE if not chosen else "")]
    options += [_option(name, name, chosen) for name in names]
    placeholder = tr("The model for {command}", command=slash(task))
    return discord.ui.Select(
        custom_id=f"inkling:settings:{whose}:model:{task}", options=options, placeholder=placeholder[:150]
    )


def _option(label: str, value: str, chosen: str) -> discord.SelectOption:
    return discord.SelectOption(label=label, value=value, default=value == chosen)


def _button(
    label: str, custom_id: str, style: discord.ButtonStyle = discord.ButtonStyle.secondary
) -> discord.ui.Button[discord.ui.View]:
    return discord.ui.Button(label=label[:80], custom_id=f"inkling:settings:{custom_id}", style=style)
