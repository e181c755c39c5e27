"""The language of reports: they are for all admins of a server, so they are in the language of that server."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

import discord

from cogs.i18n import current_language, set_language
from cogs.i18n.locale import base


@contextmanager
def in_language_of(guild: discord.Guild | None) -> Generator[None]:
    """Speak the language of the server inside the `with`; English if the bot does not speak it."""
    before = current_language()
    set_language((guild and base(guild.preferred_locale)) or "en")
    try:
        yield
    finally:
        set_language(*before)
