"""What /help tells of a command beyond its options: examples, and who sees its answer. It lives with the command."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discord import app_commands

from cogs.i18n import gettext_noop, slash, translated, word

Example = Mapping[str, object]
"""Values of a command's options by name; words among them are marked by `gettext_noop`."""


def examples(*of_use: Example) -> dict[str, Any]:
    """For a command's `extras`."""
    return {"examples": of_use}


def visibility(sentence: str) -> dict[str, Any]:
    """For the `extras` of a command with a rule of its own on who sees its answer.

    `sentence` is marked by `gettext_noop`.
    """
    return {"seen": sentence}


PRIVATE = visibility(gettext_noop("Only you see the answer."))
"""For the `extras` of a command that answers in private, whatever the settings are."""

_PUBLIC = visibility(
    gettext_noop("Everybody here sees the answer, unless /settings or /server-settings say otherwise.")
)


def visibility_of(command: app_commands.Command[Any, ..., Any]) -> str:
    """Who sees its answer, in a sentence."""
    return translated((_PUBLIC | command.extras)["seen"])


def examples_of(command: app_commands.Command[Any, ..., Any]) -> list[str]:
    """As people would type them, in their language: `/imagine prompt: a fox count: 4`"""
    return [_typed(command, example) for example in command.extras.get("examples", ())]


def _typed(command: app_commands.Command[Any, ..., Any], example: Example) -> str:
    options = [f"{word(name, 'option')}: {translated(str(value))}" for name, value in example.items()]
    return " ".join([f"{slash(command.name)}", *options])
