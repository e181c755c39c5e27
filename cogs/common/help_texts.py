"""Texts of /help about a command: examples, and who sees its answer. They are stored in the command's `extras`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discord import app_commands

from cogs.i18n import gettext_noop, slash, translated, word

Example = Mapping[str, object]
"""The values of a command's options by name; texts among them are marked by `gettext_noop`."""


def examples(*of_use: Example) -> dict[str, Any]:
    """Return these examples for a command's `extras`."""
    return {"examples": of_use}


def visibility(sentence: str) -> dict[str, Any]:
    """Return `extras` for a command whose answer is not visible as usual.

    `sentence` says who sees it, and is marked by `gettext_noop`.
    """
    return {"seen": sentence}


PRIVATE = visibility(gettext_noop("Only you see the answer."))
"""The `extras` of a command that always answers in private."""

_PUBLIC = visibility(
    gettext_noop("Everybody here sees the answer, unless /settings or /server-settings say otherwise.")
)


PICTURES = gettext_noop("Pictures")
TEXTS = gettext_noop("Answers and texts")
SETTINGS = gettext_noop("About me and your settings")
HELP_GROUPS = (PICTURES, TEXTS, SETTINGS)
"""What people want of the commands, in the order of /help. A cog names one as `help_group`; the last is the default."""


def help_group_of(command: app_commands.Command[Any, ..., Any]) -> str:
    """Return the group of the command's cog."""
    return getattr(command.binding, "help_group", SETTINGS)


def visibility_of(command: app_commands.Command[Any, ..., Any]) -> str:
    """Return a sentence that says who sees the command's answer."""
    return translated((_PUBLIC | command.extras)["seen"])


def examples_of(command: app_commands.Command[Any, ..., Any]) -> list[str]:
    """Return the examples as people type them, in their language: `/imagine prompt: a fox count: 4`."""
    return [_typed(command, example) for example in command.extras.get("examples", ())]


def _typed(command: app_commands.Command[Any, ..., Any], example: Example) -> str:
    options = [f"{word(name, 'option')}: {translated(str(value))}" for name, value in example.items()]
    return " ".join([f"{slash(command.name)}", *options])
