"""What is settled, in words: the lines above a panel's controls."""

from __future__ import annotations

from collections.abc import Mapping

from cogs.common.rules import SERVER_LIMITS, named
from cogs.i18n import slash, tr
from inference import TASK_NAMES, Engine
from storage import PersonSettings, ServerSettings

LANGUAGE_NAMES = {"en": "English", "de": "Deutsch", "es": "Español", "fr": "Français", "ja": "日本語"}
"""Each in itself."""

_LONGEST_NAME = 40
"""Characters of a model's name: all tasks' models have to fit into one message."""


def limit_name(name: str) -> str:
    """One of the limits that a server may lower."""
    names = {
        "pictures": tr("Pictures at once"),
        "new_tokens": tr("Tokens of one text"),
        "messages": tr("Messages read at once"),
        "per_person": tr("Requests of one person at a time"),
    }
    return names[name]


def of_person(settings: PersonSettings, engine: Engine) -> str:
    """Everything that a person has settled."""
    lines = [
        tr("**Your settings**, on every server and in direct messages"),
        tr("**Language**: {language}", language=_language(settings.language)),
        tr("**Answers**: only you see them") if settings.private else _public(),
        *_models(settings.models, engine, tr("**Models**: what the server or the bot's operator has chosen")),
    ]
    return "\n".join(lines)


def of_server(settings: ServerSettings, engine: Engine) -> str:
    """Everything that a server has settled."""
    lines = [
        tr("**Settings of this server**. Threads count as their channel."),
        tr("**Channels**: {channels}", channels=named("<#{}>", settings.channels) or tr("all")),
        tr("**Roles**: {roles}", roles=named("<@&{}>", settings.roles) or tr("everybody")),
        tr("**Answers**: only the person who asks sees them") if settings.private else _public(),
        *_models(settings.models, engine, tr("**Models**: what the bot's operator has chosen")),
        tr("**Limits**: {limits}", limits=_limits(settings)),
        "-# " + tr("A model that somebody has chosen for themselves, with /settings, counts before the server's."),
    ]
    return "\n".join(lines)


def _language(language: str) -> str:
    return LANGUAGE_NAMES.get(language, tr("that of Discord"))


def _public() -> str:
    return tr(
        "**Answers**: shown to everybody; but only who asks sees those of /mood, /help, /models, /queue and /privacy, "
        "and summaries of messages"
    )


def _models(chosen: Mapping[str, str], engine: Engine, none: str) -> list[str]:
    """A line for each task with a choice, in the order of the commands."""
    return [_model(task, chosen[task], engine) for task in TASK_NAMES if task in chosen] or [none]


def _model(task: str, name: str, engine: Engine) -> str:
    short = name if len(name) <= _LONGEST_NAME else name[: _LONGEST_NAME - 1] + "…"
    if name in (spec.name for spec in engine.models(task)):
        return tr("**Model for {command}**: `{name}`", command=slash(task), name=short)
    return tr(
        "**Model for {command}**: `{name}`, which is no longer there, so it is passed over",
        command=slash(task),
        name=short,
    )


def _limits(settings: ServerSettings) -> str:
    """`Pictures at once: 2 · …`; those that are as the operator set them are left out."""
    lowered = {name: most for name in SERVER_LIMITS if (most := getattr(settings, name)) is not None}
    said = [tr("{limit}: {most}", limit=limit_name(name), most=most) for name, most in lowered.items()]
    return " · ".join(said) or tr("those of the bot's operator")
