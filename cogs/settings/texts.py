"""The settings as text: the lines above a panel's controls."""

from __future__ import annotations

from collections.abc import Mapping

from cogs.common.markdown import neutral
from cogs.common.quotas import amount
from cogs.common.rules import SERVER_LIMITS, named
from cogs.i18n import slash, tr
from inference import TASK_NAMES, Engine, shortened
from storage import PersonSettings, ServerSettings

LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "ja": "日本語"}
"""The name of each language in that language."""

_LONGEST_NAME = 840 // len(TASK_NAMES) - 62
"""The most characters of a model's name: the lines of all tasks, with some 62 other characters each, fit a message."""

_LONGEST_PERSONA = 60
"""The most characters of a persona that the panel shows: those of 25 channels, all escaped, fit an embed."""


def limit_name(name: str) -> str:
    """Return the name of a limit that a server may lower."""
    names = {
        "pictures": tr("Pictures at once"),
        "new_tokens": tr("Tokens of one text"),
        "messages": tr("Messages read at once"),
        "per_person": tr("Requests of one person at a time"),
        "computing_time": tr("Computing time of one person a day"),
        "cooldown": tr("Pause between two requests of one person"),
    }
    return names[name]


def of_person(settings: PersonSettings, engine: Engine) -> str:
    """Return all settings of a person."""
    lines = [
        tr("**Your settings**, on every server and in direct messages"),
        tr("**Language**: {language}", language=_language(settings.language)),
        tr("**Answers**: only you see them") if settings.private else _public(),
        *_models(settings.models, engine, tr("**Models**: what the server or the bot's operator has chosen")),
    ]
    return "\n".join(lines)


def of_server(settings: ServerSettings, engine: Engine) -> str:
    """Return all settings of a server."""
    lines = [
        tr("**Settings of this server**. Threads count as their channel."),
        tr("**Channels**: {channels}", channels=named("<#{}>", settings.channels) or tr("all")),
        tr("**Roles**: {roles}", roles=named("<@&{}>", settings.roles) or tr("everybody")),
        tr("**Answers**: only the person who asks sees them") if settings.private else _public(),
        *_models(settings.models, engine, tr("**Models**: what the bot's operator has chosen")),
        tr("**Limits**: {limits}", limits=_limits(settings)),
        tr("**Channel for reports**: {channel}", channel=f"<#{settings.audit_channel}>")
        if settings.audit_channel
        else tr("**Channel for reports**: none"),
        *([] if personas_of(settings) else [tr("**Persona**: none, so I talk as usual")]),
        "-# " + tr("If somebody has chosen a model with /settings, I use that one instead of the server's."),
    ]
    return "\n".join(lines)


def personas_of(settings: ServerSettings) -> str:
    """Return how the bot talks on a server and in its channels, a line for each; empty for as usual."""
    lines = [tr("**Whole server**: {persona}", persona=_persona(settings.persona))] if settings.persona else []
    lines += [f"<#{channel}>: {_persona(text)}" for channel, text in settings.channel_personas.items()]
    return "\n".join(lines)


def _persona(text: str) -> str:
    return neutral(shortened(" ".join(text.split()), _LONGEST_PERSONA))


def _language(language: str) -> str:
    return LANGUAGE_NAMES.get(language, tr("that of Discord"))


def _public() -> str:
    return tr(
        "**Answers**: everybody sees them; but only the person who asks sees those of /mood, /help, /models, /queue, "
        "/quota and /privacy, and summaries of messages"
    )


def _models(chosen: Mapping[str, str], engine: Engine, none: str) -> list[str]:
    """Return a line for each task with a chosen model, in the order of the commands."""
    return [_model(task, chosen[task], engine) for task in TASK_NAMES if task in chosen] or [none]


def _model(task: str, name: str, engine: Engine) -> str:
    short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    if name in (spec.name for spec in engine.models(task)):
        return tr("**Model for {command}**: `{name}`", command=slash(task), name=short)
    return tr(
        "**Model for {command}**: `{name}`, which no longer exists",
        command=slash(task),
        name=short,
    )


def _limits(settings: ServerSettings) -> str:
    """Return the lowered limits: `Pictures at once: 2 · …`."""
    lowered: dict[str, object] = {
        name: limit for name in SERVER_LIMITS if (limit := getattr(settings, name)) is not None
    }
    quotas = {"computing_time": settings.computing_time, "cooldown": settings.cooldown}
    lowered |= {name: amount(seconds) for name, seconds in quotas.items() if seconds is not None}
    parts = [tr("{limit}: {most}", limit=limit_name(name), most=limit) for name, limit in lowered.items()]
    return " · ".join(parts) or tr("those of the bot's operator")
