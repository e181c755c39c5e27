"""The form for a server's own quotas: the computing time of one person a day, and the pause between two requests."""

from __future__ import annotations

from dataclasses import replace

import discord

from cogs.client import bot_of
from cogs.common.persistent_form import Typed
from cogs.common.persistent_view import custom_id
from cogs.common.quotas import amount
from cogs.i18n import tr
from cogs.settings.server_form import Change, ServerForm
from cogs.settings.texts import limit_name
from inference import InvalidRequest, QuotasSection, parse_duration
from storage import ServerSettings

_ID = custom_id("quotas")

_DAY = 86400


class QuotasForm(ServerForm, template=_ID):
    """A form with a duration for each quota; an empty field means that the server has none of its own."""

    def __init__(self, settings: ServerSettings, quotas: QuotasSection) -> None:
        super().__init__(tr("Quotas of this server"), _ID)
        self._add("computing_time", settings.computing_time, *bounds("computing_time", quotas))
        self._add("cooldown", settings.cooldown, *bounds("cooldown", quotas))

    def _add(self, name: str, value: int | None, least: int, most: int) -> None:
        about = tr(
            "Such as 90 s, 10 min or 2 h; from {least} to {most}; empty for none",
            least=amount(least),
            most=amount(most),
        )
        self.add_line(name, None if value is None else _typed(value), about, max_length=20)

    @classmethod
    def change(cls, interaction: discord.Interaction, typed: Typed) -> Change:
        quotas = bot_of(interaction).config.quotas
        names = ("computing_time", "cooldown")
        durations = {name: _duration(name, typed[name].strip(), quotas) for name in names}
        return lambda server: replace(server, **durations)


def bounds(name: str, quotas: QuotasSection) -> tuple[int, int]:
    """Return the least and the most seconds that a server may choose: it may be stricter than the operator."""
    if name == "computing_time":
        return 1, min(_DAY, quotas.person or _DAY)
    least = quotas.cooldown or 1
    return least, max(least, _DAY)


def _duration(name: str, typed: str, quotas: QuotasSection) -> int | None:
    """Return the typed seconds, None for an empty field; raise InvalidRequest."""
    if not typed:
        return None
    least, most = bounds(name, quotas)
    try:
        value = parse_duration(typed)
    except ValueError:
        value = 0
    if not least <= value <= most:
        raise InvalidRequest(
            "{limit}: write a duration such as 90 s, 10 min or 2 h, from {least} to {most}, or nothing. Nothing was "
            "changed.",
            limit=limit_name(name),
            least=amount(least),
            most=amount(most),
        )
    return value


def _typed(value: int) -> str:
    """Return a duration as it can be typed, in the largest unit that fits."""
    units = (("h", 3600), ("min", 60), ("s", 1))
    return next(f"{value // size} {unit}" for unit, size in units if value % size == 0)
