"""The language of an interaction or a message."""

from __future__ import annotations

import discord

from cogs.i18n import LANGUAGES, set_language
from storage import SettingsTables


def use_locale_of(source: discord.Interaction | discord.Message, settings: SettingsTables) -> None:
    """Set the language of this task to the one that the author of `source` has chosen, else to their Discord's."""
    person = source.user if isinstance(source, discord.Interaction) else source.author
    chosen = settings.person(person.id).language
    menus = language_of(source)
    set_language(chosen if chosen in LANGUAGES else menus, menus)


def language_of(source: discord.Interaction | discord.Message) -> str:
    """Return the language of the person's Discord (unknown for messages), else the server's, else English."""
    if isinstance(source, discord.Interaction):
        locales = [source.locale, source.guild_locale]
    else:
        locales = [source.guild.preferred_locale] if source.guild else []
    return next((language for locale in locales if locale and (language := base(locale))), "en")


def base(locale: discord.Locale) -> str | None:
    """Return the language of a locale (`en` for en-GB, `es` for es-419); None if the bot does not support it."""
    language = locale.value.partition("-")[0]
    return language if language in LANGUAGES else None
