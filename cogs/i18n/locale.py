"""Who is listening: the language of an interaction or a message."""

from __future__ import annotations

import discord

from cogs.i18n import LANGUAGES, set_language
from storage import SettingsTables


def use_locale_of(source: discord.Interaction | discord.Message, settings: SettingsTables) -> None:
    """Answer in the language of whom `source` comes from, for as long as this task lives: the one they have chosen."""
    person = source.user if isinstance(source, discord.Interaction) else source.author
    chosen = settings.person(person.id).language
    menus = language_of(source)
    set_language(chosen if chosen in LANGUAGES else menus, menus)


def language_of(source: discord.Interaction | discord.Message) -> str:
    """That of the person's Discord, else of the server, else English. Messages don't say their author's."""
    if isinstance(source, discord.Interaction):
        locales = [source.locale, source.guild_locale]
    else:
        locales = [source.guild.preferred_locale] if source.guild else []
    return next((language for locale in locales if locale and (language := base(locale))), "en")


def base(locale: discord.Locale) -> str | None:
    """`en` for en-GB, `es` for es-419; None for a language the bot does not speak."""
    language = locale.value.partition("-")[0]
    return language if language in LANGUAGES else None
