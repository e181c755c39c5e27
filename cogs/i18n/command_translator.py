"""Translations of the commands' names and descriptions for Discord's menus."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import discord
from discord import app_commands
from discord.app_commands import TranslationContextLocation as Location

from cogs.i18n.catalogues import catalogue
from cogs.i18n.locale import base


class CommandTranslator(app_commands.Translator):
    """A translator for discord.py that uses the catalogues."""

    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, context: app_commands.TranslationContextTypes
    ) -> str | None:
        language = base(locale)
        if language in (None, "en"):
            return None
        kind, translations = _kind(context), catalogue(language)
        text = translations.pgettext(kind, string.message) if kind else translations.gettext(string.message)
        return text if text != string.message else None


def texts(tree: app_commands.CommandTree[Any]) -> Iterator[tuple[str, str]]:
    """Yield the kind and the text of every name and description of the tree; descriptions have no kind.

    The kind is the msgctxt in the catalogues.
    """
    for kind in (discord.AppCommandType.message, discord.AppCommandType.user):
        yield from (("menu", menu.name) for menu in tree.get_commands(type=kind))
    for command in tree.walk_commands(type=discord.AppCommandType.chat_input):
        yield from (("command", command.name), ("", command.description))
        if isinstance(command, app_commands.Command):
            for option in command.parameters:
                yield from (("option", option.display_name), ("", str(option.description)))
                yield from (("choice", choice.name) for choice in option.choices)


def _kind(context: app_commands.TranslationContextTypes) -> str:
    match context.location:
        case Location.command_name | Location.group_name:
            return "menu" if isinstance(context.data, app_commands.ContextMenu) else "command"
        case Location.parameter_name:
            return "option"
        case Location.choice_name:
            return "choice"
        case _:
            return ""
