"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import discord
from discord import app_commands

from cogs.common.rules import services_of

Text = app_commands.Range[str, 1, 6000]
Seed = app_commands.Range[int, 0, 2**32 - 1]

_MOST_CHOICES = 25

Autocomplete = Callable[[discord.Interaction, str], Coroutine[Any, Any, list[app_commands.Choice[str]]]]


def models_of(task: str, *, pictures: bool = False) -> Autocomplete:
    """Return an autocomplete that offers the task's models; with `pictures` also those that can be asked about them."""

    async def offer(interaction: discord.Interaction, typed: str) -> list[app_commands.Choice[str]]:
        engine = services_of(interaction).engine
        models = [*engine.models(task), *(engine.models_for_pictures() if pictures else ())]
        return _offered(dict.fromkeys(spec.name for spec in models), typed)

    return offer


def _offered(names: Iterable[str], typed: str) -> list[app_commands.Choice[str]]:
    found = [name for name in names if typed.lower() in name.lower()]
    return [app_commands.Choice(name=name[:100], value=name[:100]) for name in found[:_MOST_CHOICES]]
