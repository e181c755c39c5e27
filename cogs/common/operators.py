"""Who operates the bot, as Discord says."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import discord

from cogs.common.delivery import DELIVERY
from inference import InvalidRequest

log = logging.getLogger(__name__)

_SECONDS_KEPT = 300.0
"""For so long, what Discord has said is not asked again."""

_SECONDS_TO_WAIT = 2.0
"""A press that opens a form must be answered within three seconds."""

_ROLES = (discord.TeamMemberRole.admin, discord.TeamMemberRole.developer)
"""The roles of a team that may change the application."""


class Operators:
    """The people who operate one bot: the owner of its application, and in a team its admins and developers.

    `clock` gives the time in seconds since 1970.
    """

    def __init__(self, client: discord.Client, clock: Callable[[], float]) -> None:
        self._client = client
        self._clock = clock
        self._ids: frozenset[int] = frozenset()
        self._asked = 0.0

    async def ids(self) -> frozenset[int]:
        """Return the ids of these people. Raise InvalidRequest if Discord does not say who they are."""
        if self._clock() - self._asked >= _SECONDS_KEPT:
            try:
                async with asyncio.timeout(_SECONDS_TO_WAIT):
                    self._ids = _operators_of(await self._client.application_info())
            except DELIVERY as error:
                log.warning("Discord does not say who operates the bot: %s", error)
                raise InvalidRequest(
                    "Discord does not tell me who operates the bot, so I can't do this now. Try again in a minute."
                ) from error
            self._asked = self._clock()
        return self._ids


def _operators_of(application: discord.AppInfo) -> frozenset[int]:
    team = application.team
    if team is None:
        return frozenset({application.owner.id})
    accepted = (each for each in team.members if each.membership_state is discord.TeamMembershipState.accepted)
    found = {member.id for member in accepted if member.role in _ROLES}
    return frozenset(found | ({team.owner_id} if team.owner_id else set()))
