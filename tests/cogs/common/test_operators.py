"""Who operates the bot: the owner, or those of a team who may change the application."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import discord
import pytest

from cogs.common.blocking import check_blockable
from cogs.common.operators import Operators
from inference import InvalidRequest

ACCEPTED, INVITED = discord.TeamMembershipState.accepted, discord.TeamMembershipState.invited
ADMIN, DEVELOPER, READ_ONLY = (
    discord.TeamMemberRole.admin,
    discord.TeamMemberRole.developer,
    discord.TeamMemberRole.read_only,
)


class FakeDiscord:
    """A client whose application belongs to somebody, and that can be out of reach."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.calls = 0
        self.failure: Exception | None = None

    async def application_info(self) -> Any:
        self.calls += 1
        if self.failure:
            raise self.failure
        return self.application


def owned_by(person: int) -> FakeDiscord:
    return FakeDiscord(SimpleNamespace(team=None, owner=SimpleNamespace(id=person)))


class Clock:
    """A clock that a test sets."""

    seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def operators_of(client: FakeDiscord, clock: Callable[[], float] | None = None) -> Operators:
    bot: Any = client
    return Operators(bot, clock or Clock())


async def test_in_a_team_only_the_owner_and_accepted_admins_and_developers_operate_the_bot():
    members = [(1, ACCEPTED, READ_ONLY), (2, ACCEPTED, ADMIN), (3, ACCEPTED, DEVELOPER)]
    members += [(4, ACCEPTED, READ_ONLY), (5, INVITED, ADMIN)]
    team = SimpleNamespace(
        owner_id=1,
        members=[SimpleNamespace(id=number, membership_state=state, role=role) for number, state, role in members],
    )
    client = FakeDiscord(SimpleNamespace(team=team, owner=SimpleNamespace(id=9)))
    assert await operators_of(client).ids() == {1, 2, 3}


async def test_discord_is_asked_once_in_five_minutes():
    clock = Clock()
    client = owned_by(7)
    found = operators_of(client, clock)
    assert (await found.ids(), await found.ids(), client.calls) == ({7}, {7}, 1)
    client.application.owner.id = 8
    clock.seconds += 299
    assert await found.ids() == {7}
    clock.seconds += 1
    assert (await found.ids(), client.calls) == ({8}, 2)


@pytest.mark.parametrize("failure", [TimeoutError(), OSError("no route")])
async def test_when_discord_does_not_answer_nobody_is_let_in_and_a_sentence_says_why(failure: Exception):
    clock = Clock()
    client = owned_by(7)
    found = operators_of(client, clock)
    await found.ids()
    clock.seconds += 300
    client.failure = failure
    for _ in range(2):
        with pytest.raises(InvalidRequest, match="Discord does not tell me who operates the bot"):
            await found.ids()
    with pytest.raises(InvalidRequest, match="Discord does not tell me"):
        await check_blockable(found, 6, by=5)
    client.failure = None
    assert await found.ids() == {7}


async def test_nobody_can_block_the_operator_or_themselves():
    found = operators_of(owned_by(7))
    with pytest.raises(InvalidRequest, match="This person operates the bot"):
        await check_blockable(found, 7, by=5)
    with pytest.raises(InvalidRequest, match="You can't block yourself"):
        await check_blockable(found, 5, by=5)
    await check_blockable(found, 6, by=5)
