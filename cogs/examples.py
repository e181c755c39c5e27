"""Examples of commands, which live with the command and are shown by /help."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from discord import app_commands

from cogs.language import slash, translated, word

Example = Mapping[str, object]
"""Values of a command's options by name; words among them are marked by `later`."""


def examples(*of_use: Example) -> dict[str, Any]:
    """For a command's `extras`."""
    return {"examples": of_use}


def examples_of(command: app_commands.Command[Any, ..., Any]) -> list[str]:
    """As people would type them, in their language: `/imagine prompt: a fox count: 4`"""
    return [_typed(command, example) for example in command.extras.get("examples", ())]


def _typed(command: app_commands.Command[Any, ..., Any], example: Example) -> str:
    options = [f"{word(name, 'option')}: {translated(str(value))}" for name, value in example.items()]
    return " ".join([f"{slash(command.name)}", *options])
